// SPDX-License-Identifier: GPL-2.0
#include "nlsock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define RECEIVE_SIZE	65536
/* Room for the bursts of a daemon that sets up many tunnels at once. */
#define EVENT_QUEUE	(8 << 20)

void attrs_parse_list(const void *list, size_t len, struct attrs *out)
{
	const struct nlattr *attr;

	memset(out, 0, sizeof(*out));
	mnl_attr_for_each_payload(list, len)
		if (mnl_attr_get_type(attr) < ATTRS_MAX)
			out->a[mnl_attr_get_type(attr)] = attr;
}

int attrs_parse(const struct nlmsghdr *nlh, size_t head, struct attrs *out)
{
	const char *payload = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh);

	if (len < head) {
		memset(out, 0, sizeof(*out));
		return -EBADMSG;
	}
	attrs_parse_list(payload + head, len - head, out);
	return 0;
}

int nlsock_open(struct nlsock *s, int protocol, const unsigned int *groups)
{
	int size = EVENT_QUEUE, err;

	memset(s, 0, sizeof(*s));
	s->sock = mnl_socket_open2(protocol, SOCK_CLOEXEC);
	if (!s->sock)
		return -errno;
	if (mnl_socket_bind(s->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		goto fail;
	for (; groups && *groups; groups++)
		if (mnl_socket_setsockopt(s->sock, NETLINK_ADD_MEMBERSHIP,
					  (void *)groups, sizeof(*groups)) < 0)
			goto fail;
	/* Refused without CAP_NET_ADMIN in the first user namespace. */
	if (setsockopt(nlsock_fd(s), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		       sizeof(size)))
		setsockopt(nlsock_fd(s), SOL_SOCKET, SO_RCVBUF, &size,
			   sizeof(size));
	s->seq = time(NULL);
	return 0;
fail:
	err = -errno;
	nlsock_close(s);
	return err;
}

void nlsock_close(struct nlsock *s)
{
	if (s->sock)
		mnl_socket_close(s->sock);
	s->sock = NULL;
}

int nlsock_fd(const struct nlsock *s)
{
	return mnl_socket_get_fd(s->sock);
}

static int error_of(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*e))
		return -EBADMSG;
	return e->error;
}

/* The end of a dump says whether the kernel got to it. */
static int done_of(const struct nlmsghdr *nlh)
{
	const int *err = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*err) || *err >= 0)
		return 1;
	return *err;
}

/* Return: 1 after the last message of an answer. */
static int walk(const struct nlmsghdr *nlh, int len, const uint32_t *seq,
		nlsock_cb cb, void *data, bool *interrupted)
{
	int err;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (seq && nlh->nlmsg_seq != *seq)
			continue;
		if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (nlh->nlmsg_type == NLMSG_DONE)
			return done_of(nlh);
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			err = error_of(nlh);
			return err ? err : 1;
		}
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE || !cb)
			continue;
		err = cb(nlh, data);
		if (err)
			return err;
	}
	return 0;
}

static int receive(struct nlsock *s, const uint32_t *seq, nlsock_cb cb,
		   void *data)
{
	bool interrupted = false;
	char *buf = malloc(RECEIVE_SIZE);
	ssize_t n;
	int err;

	if (!buf)
		return -ENOMEM;
	do {
		n = mnl_socket_recvfrom(s->sock, buf, RECEIVE_SIZE);
		if (n < 0)
			err = errno == EINTR ? 0 : -errno;
		else
			err = walk((struct nlmsghdr *)buf, n, seq, cb, data,
				   &interrupted);
	} while (seq && !err);
	explicit_bzero(buf, RECEIVE_SIZE);
	free(buf);
	if (err == 1)
		return interrupted ? -EINTR : 0;
	return err;
}

int nlsock_listen(struct nlsock *s, nlsock_cb cb, void *data)
{
	return receive(s, NULL, cb, data);
}

struct nlmsghdr *nlsock_begin(struct nlsock *s, char *buf, uint16_t type,
			      uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++s->seq;
	return nlh;
}

int nlsock_talk(struct nlsock *s, const struct nlmsghdr *nlh, nlsock_cb cb,
		void *data)
{
	if (mnl_socket_sendto(s->sock, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	return receive(s, &nlh->nlmsg_seq, cb, data);
}
