// SPDX-License-Identifier: GPL-2.0
/* In place of libmnl's sockets: see kernel.h. */
#include "kernel.h"

#include "postern.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY	0x1d
#define OBJECTS	8

struct mnl_socket {
	int protocol;
	bool asked;
	struct nlmsghdr request;
	uint8_t cmd;
};

static const uint8_t *next, *end;
static int readable = -1;

/* The last SAs and policies that Postern was told to make. */
static struct {
	size_t len;
	char attrs[2048];
} object[OBJECTS];
static unsigned int objects;

static void show(bool more)
{
	uint64_t count = 1;

	if (readable < 0)
		readable = eventfd(0, EFD_NONBLOCK);
	if (more ? write(readable, &count, sizeof(count)) :
		   read(readable, &count, sizeof(count)))
		return;
}

void kernel_feed(const uint8_t *data, size_t len)
{
	next = data;
	end = data + len;
	objects = 0;
	show(len);
}

int kernel_more(void)
{
	return next < end;
}

uint8_t kernel_octet(void)
{
	uint8_t octet = next < end ? *next++ : 0;

	if (next == end)
		show(false);
	return octet;
}

size_t kernel_octets(void *buf, size_t max)
{
	size_t len = kernel_octet();

	len |= kernel_octet() << 8;
	if (len > max)
		len = max;
	if (len > (size_t)(end - next))
		len = end - next;
	memcpy(buf, next, len);
	next += len;
	if (next == end)
		show(false);
	return len;
}

struct mnl_socket *mnl_socket_open2(int protocol, int flags)
{
	struct mnl_socket *s = calloc(1, sizeof(*s));

	(void)flags;
	if (!s)
		abort();
	s->protocol = protocol;
	return s;
}

int mnl_socket_bind(struct mnl_socket *s, unsigned int groups, pid_t pid)
{
	(void)s;
	(void)groups;
	(void)pid;
	return 0;
}

int mnl_socket_setsockopt(const struct mnl_socket *s, int type, void *buf,
			  socklen_t len)
{
	(void)s;
	(void)type;
	(void)buf;
	(void)len;
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *s)
{
	(void)s;
	if (readable < 0)
		show(false);
	return readable;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *s)
{
	(void)s;
	return 1;
}

int mnl_socket_close(struct mnl_socket *s)
{
	free(s);
	return 0;
}

static void keep(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	size_t len = mnl_nlmsg_get_payload_len(nlh) - sizeof(*genl);

	if ((genl->cmd != POSTERN_CMD_SA_NEW &&
	     genl->cmd != POSTERN_CMD_POLICY_NEW) ||
	    len > sizeof(object->attrs))
		return;
	object[objects % OBJECTS].len = len;
	memcpy(object[objects++ % OBJECTS].attrs, genl + 1, len);
}

/* One of them, changed at up to three places: its number, how many, where and to what. */
static size_t recall(char *to)
{
	unsigned int i = kernel_octet() % OBJECTS, n = kernel_octet() & 3;
	size_t at, len = i < objects ? object[i].len : 0;

	memcpy(to, object[i].attrs, len);
	while (n--) {
		at = kernel_octet();
		at |= kernel_octet() << 8;
		if (at < len)
			to[at] = kernel_octet();
	}
	return len;
}

/* The sanitizer sees whether all that is sent was written. */
ssize_t mnl_socket_sendto(const struct mnl_socket *sock, const void *buf,
			  size_t len)
{
	struct mnl_socket *s = (struct mnl_socket *)sock;
	const struct nlmsghdr *nlh = buf;

	if (len < sizeof(*nlh) || nlh->nlmsg_len != len)
		abort();
	s->asked = true;
	s->request = *nlh;
	s->cmd = len > sizeof(*nlh) ? *(uint8_t *)mnl_nlmsg_get_payload(nlh) :
				      0;
	if (s->protocol == NETLINK_GENERIC && nlh->nlmsg_type == FAMILY)
		keep(nlh);
	return len;
}

static struct nlmsghdr *put(char *buf, const struct mnl_socket *s,
			    uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	if (s->asked)
		nlh->nlmsg_seq = s->request.nlmsg_seq;
	return nlh;
}

static ssize_t put_family(char *buf, const struct mnl_socket *s)
{
	struct nlmsghdr *nlh = put(buf, s, GENL_ID_CTRL);
	static const char * const names[] = { "sa", "policy", "acquire" };
	struct nlattr *groups, *group;
	struct genlmsghdr *genl;
	ssize_t len;
	int i;

	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_NEWFAMILY;
	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, FAMILY);
	groups = mnl_attr_nest_start(nlh, CTRL_ATTR_MCAST_GROUPS);
	for (i = 0; i < 3; i++) {
		group = mnl_attr_nest_start(nlh, i + 1);
		mnl_attr_put_strz(nlh, CTRL_ATTR_MCAST_GRP_NAME, names[i]);
		mnl_attr_put_u32(nlh, CTRL_ATTR_MCAST_GRP_ID, i + 5);
		mnl_attr_nest_end(nlh, group);
	}
	mnl_attr_nest_end(nlh, groups);
	len = MNL_ALIGN(nlh->nlmsg_len);
	nlh = put(buf + len, s, NLMSG_ERROR);
	memset(mnl_nlmsg_put_extra_header(nlh, sizeof(struct nlmsgerr)), 0,
	       sizeof(struct nlmsgerr));
	return len + nlh->nlmsg_len;
}

/* An octet that says what comes, and its content; with nothing left, the end. */
static ssize_t receive(const struct mnl_socket *sock, void *buf, size_t size)
{
	struct mnl_socket *s = (struct mnl_socket *)sock;
	bool dump = s->asked && (s->request.nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	struct nlmsghdr *nlh;
	struct genlmsghdr *genl;
	uint8_t what;
	size_t len;

	memset(buf, 0, 64);
	if (s->asked && s->protocol == NETLINK_GENERIC &&
	    s->request.nlmsg_type == GENL_ID_CTRL) {
		len = put_family(buf, s);
		s->asked = false;
		return len;
	}
	if (!s->asked && !kernel_more()) {
		errno = EBADF;
		return -1;
	}
	what = kernel_octet();
	if (what < 2) {
		nlh = put(buf, s, dump ? NLMSG_DONE : NLMSG_ERROR);
		nlh->nlmsg_flags |= what ? NLM_F_ACK_TLVS | NLM_F_CAPPED : 0;
		memset(mnl_nlmsg_put_extra_header(nlh, 20), 0, 20);
		if (what) {
			*(int *)mnl_nlmsg_get_payload(nlh) = -kernel_octet();
			if (dump)
				nlh->nlmsg_len -= 16;
			nlh->nlmsg_len += kernel_octets(mnl_nlmsg_get_payload_tail(nlh),
							size - nlh->nlmsg_len);
		}
		s->asked = false;
		return nlh->nlmsg_len;
	}
	nlh = put(buf, s, s->protocol == NETLINK_GENERIC ? FAMILY :
		       what | NLMSG_MIN_TYPE);
	if (what == 0xfe)
		nlh->nlmsg_flags |= NLM_F_DUMP_INTR;
	if (s->protocol == NETLINK_GENERIC) {
		genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
		genl->cmd = s->asked ? s->cmd : what;
		if (what == 0xfd) {
			nlh->nlmsg_len += recall(mnl_nlmsg_get_payload_tail(nlh));
			return nlh->nlmsg_len;
		}
	}
	nlh->nlmsg_len += kernel_octets(mnl_nlmsg_get_payload_tail(nlh),
					size - nlh->nlmsg_len);
	return nlh->nlmsg_len;
}

/* What is behind a message in its buffer is nothing to be read. */
ssize_t mnl_socket_recvfrom(const struct mnl_socket *sock, void *buf,
			    size_t size)
{
	ssize_t len;

	ASAN_UNPOISON_MEMORY_REGION(buf, size);
	len = receive(sock, buf, size);
	if (len >= 0)
		ASAN_POISON_MEMORY_REGION((char *)buf + len, size - len);
	return len;
}
