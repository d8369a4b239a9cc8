// SPDX-License-Identifier: GPL-2.0
#include "nl.h"

#include "postern.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* Large enough for what a kernel puts in one message of a dump. */
#define RECEIVE_SIZE	65536

/* Events come in bursts: a flush, or a daemon that starts all its tunnels. */
#define EVENT_BUFFER	(4 << 20)

#ifndef NLMSGERR_ATTR_MISS_TYPE		/* headers before 6.1 */
#define NLMSGERR_ATTR_MISS_TYPE	5
#endif

struct transfer {
	struct nl *nl;
	const struct nlmsghdr *req;
	const struct fields *fields;
	nl_msg_cb cb;
	void *data;
	bool interrupted;
	bool done;
	int err;
};

static void read_extack(struct transfer *t, const struct nlmsghdr *nlh,
			size_t skip)
{
	const struct nlattr *attr;
	struct nl *nl = t->nl;
	const char *name;
	uint16_t type;

	if (mnl_nlmsg_get_payload_len(nlh) < skip)
		return;
	mnl_attr_for_each(attr, nlh, skip) {
		type = mnl_attr_get_type(attr);
		if (type == NLMSGERR_ATTR_MSG) {
			snprintf(nl->text, sizeof(nl->text), "%.*s",
				 (int)mnl_attr_get_payload_len(attr),
				 mnl_attr_get_str(attr));
		} else if (mnl_attr_get_payload_len(attr) != sizeof(uint32_t)) {
			continue;
		} else if (type == NLMSGERR_ATTR_OFFS && t->fields) {
			fields_path(t->fields, t->req, mnl_attr_get_u32(attr),
				    nl->attr, sizeof(nl->attr));
		} else if (type == NLMSGERR_ATTR_MISS_TYPE && t->fields) {
			name = fields_name(t->fields, mnl_attr_get_u32(attr));
			if (name && !nl->attr[0])
				snprintf(nl->attr, sizeof(nl->attr),
					 "%s, missing", name);
		}
	}
}

static void on_error(struct transfer *t, const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*e);

	t->done = true;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e)) {
		t->err = -EBADMSG;
		return;
	}
	t->err = e->error;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += mnl_nlmsg_get_payload_len(&e->msg);
	read_extack(t, nlh, skip);
}

static void on_done(struct transfer *t, const struct nlmsghdr *nlh)
{
	const int *err = mnl_nlmsg_get_payload(nlh);

	t->done = true;
	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err) || *err >= 0)
		return;
	t->err = *err;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
		read_extack(t, nlh, sizeof(*err));
}

static int on_message(struct transfer *t, const struct nlmsghdr *nlh)
{
	size_t len = mnl_nlmsg_get_payload_len(nlh);
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);

	if (len < GENL_HDRLEN)
		return -EBADMSG;
	if (!t->cb)
		return 0;
	return t->cb(genl->cmd, (const char *)genl + GENL_HDRLEN,
		     len - GENL_HDRLEN, t->data);
}

/* @seq: of the answer that is awaited; NULL: all are events. */
static int walk(struct transfer *t, const char *buf, int len,
		const uint32_t *seq)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)buf;
	int err;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		/* An old answer that nobody awaits. */
		if (seq && nlh->nlmsg_seq != *seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			t->interrupted = true;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			on_error(t, nlh);
			return t->err;
		}
		if (nlh->nlmsg_type == NLMSG_DONE) {
			on_done(t, nlh);
			return t->err;
		}
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
			continue;
		err = on_message(t, nlh);
		if (err)
			return err;
	}
	return 0;
}

int nl_talk(struct nl *nl, struct nl_request *req, const struct fields *fields,
	    nl_msg_cb cb, void *data)
{
	struct transfer t = {
		.nl = nl, .req = &req->nlh, .fields = fields,
		.cb = cb, .data = data,
	};
	uint32_t seq = req->nlh.nlmsg_seq;
	char *buf = NULL;
	ssize_t n;
	int err;

	nl->text[0] = '\0';
	nl->attr[0] = '\0';
	if (mnl_socket_sendto(nl->sock, &req->nlh, req->nlh.nlmsg_len) < 0) {
		err = -errno;
		goto out;
	}
	buf = malloc(RECEIVE_SIZE);
	if (!buf) {
		err = -ENOMEM;
		goto out;
	}
	do {
		n = mnl_socket_recvfrom(nl->sock, buf, RECEIVE_SIZE);
		if (n < 0) {
			err = errno == EINTR ? 0 : -errno;
			continue;
		}
		err = walk(&t, buf, n, &seq);
	} while (!err && !t.done);
	if (!err && t.interrupted)
		err = -EINTR;
out:
	if (buf)
		explicit_bzero(buf, RECEIVE_SIZE);
	free(buf);
	explicit_bzero(req, sizeof(*req));
	return err;
}

void nl_begin(struct nl *nl, struct nl_request *req, uint8_t cmd,
	      uint16_t flags)
{
	struct genlmsghdr *genl;

	mnl_nlmsg_put_header(req->buf);
	req->nlh.nlmsg_type = nl->family;
	req->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	/* 0 is what multicast messages carry. */
	if (++nl->seq == 0)
		nl->seq = 1;
	req->nlh.nlmsg_seq = nl->seq;
	genl = mnl_nlmsg_put_extra_header(&req->nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = POSTERN_FAMILY_VERSION;
}

int nl_send(struct nl *nl, uint8_t cmd, uint16_t flags,
	    const struct fields *fields, const void *object, nl_msg_cb cb,
	    void *data)
{
	struct nl_request req;

	nl_begin(nl, &req, cmd, flags);
	if (object && !fields_put(&req.nlh, sizeof(req), fields, object)) {
		explicit_bzero(&req, sizeof(req));
		return -EMSGSIZE;
	}
	return nl_talk(nl, &req, fields, cb, data);
}

static void add_group(struct nl *nl, const struct nlattr *group)
{
	const struct nlattr *attr;
	const char *name = NULL;
	uint32_t id = 0;

	mnl_attr_for_each_nested(attr, group) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_MCAST_GRP_NAME:
			if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
				name = mnl_attr_get_str(attr);
			break;
		case CTRL_ATTR_MCAST_GRP_ID:
			if (mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
				id = mnl_attr_get_u32(attr);
			break;
		}
	}
	if (!name || !id || nl->groups == NL_GROUPS_MAX)
		return;
	snprintf(nl->group[nl->groups].name, sizeof(nl->group[0].name), "%s",
		 name);
	nl->group[nl->groups++].id = id;
}

static int on_family(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	const struct nlattr *attr, *group;
	struct nl *nl = data;

	(void)cmd;
	mnl_attr_for_each_payload(attrs, len) {
		switch (mnl_attr_get_type(attr)) {
		case CTRL_ATTR_FAMILY_ID:
			if (mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
				nl->family = mnl_attr_get_u16(attr);
			break;
		case CTRL_ATTR_MCAST_GROUPS:
			mnl_attr_for_each_nested(group, attr)
				add_group(nl, group);
			break;
		}
	}
	return 0;
}

static int resolve(struct nl *nl)
{
	struct nl_request req;
	int err;

	nl->family = GENL_ID_CTRL;
	nl_begin(nl, &req, CTRL_CMD_GETFAMILY, 0);
	mnl_attr_put_strz(&req.nlh, CTRL_ATTR_FAMILY_NAME, POSTERN_FAMILY_NAME);
	nl->family = 0;
	err = nl_talk(nl, &req, NULL, on_family, nl);
	if (err)
		return err;
	return nl->family ? 0 : -ENOENT;
}

int nl_open(struct nl *nl)
{
	int one = 1, err;

	memset(nl, 0, sizeof(*nl));
	nl->sock = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl->sock)
		return -errno;
	/* Kernels that lack one of these still answer, with fewer words. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, &one, sizeof(one));
	mnl_socket_setsockopt(nl->sock, NETLINK_GET_STRICT_CHK, &one,
			      sizeof(one));
	if (mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err = -errno;
		nl_close(nl);
		return err;
	}
	nl->portid = mnl_socket_get_portid(nl->sock);
	nl->seq = time(NULL);
	err = resolve(nl);
	if (err)
		nl_close(nl);
	return err;
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
	nl->sock = NULL;
}

int nl_fd(const struct nl *nl)
{
	return mnl_socket_get_fd(nl->sock);
}

int nl_join(struct nl *nl, const char *name)
{
	int size = EVENT_BUFFER, on = 1;
	unsigned int i;

	/* The first is for who may exceed the limit of the host. */
	if (setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		setsockopt(nl_fd(nl), SOL_SOCKET, SO_RCVBUF, &size,
			   sizeof(size));
	/* A full buffer of ours is no sign that nobody listens. */
	mnl_socket_setsockopt(nl->sock, NETLINK_BROADCAST_ERROR, &on, sizeof(on));
	for (i = 0; i < nl->groups; i++) {
		if (strcmp(nl->group[i].name, name))
			continue;
		if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP,
					  &nl->group[i].id,
					  sizeof(nl->group[i].id)) < 0)
			return -errno;
		return 0;
	}
	return -ENOENT;
}

int nl_listen(struct nl *nl, nl_msg_cb cb, void *data)
{
	struct transfer t = { .nl = nl, .cb = cb, .data = data };
	char *buf = malloc(RECEIVE_SIZE);
	ssize_t n;
	int err;

	if (!buf)
		return -ENOMEM;
	n = mnl_socket_recvfrom(nl->sock, buf, RECEIVE_SIZE);
	err = n < 0 ? -errno : walk(&t, buf, n, NULL);
	explicit_bzero(buf, RECEIVE_SIZE);
	free(buf);
	return err;
}

void nl_perror(const struct nl *nl, int err)
{
	fprintf(stderr, "Error: postern: %s.\n",
		nl->text[0] ? nl->text : strerror(-err));
	if (nl->attr[0])
		fprintf(stderr, "postern answers: %s (attribute %s)\n",
			strerror(-err), nl->attr);
	else if (nl->text[0])
		fprintf(stderr, "postern answers: %s\n", strerror(-err));
}
