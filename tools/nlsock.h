/* SPDX-License-Identifier: GPL-2.0 */
/* A netlink socket of the families that are older than generic netlink. */
#ifndef POSTERN_TOOL_NLSOCK_H
#define POSTERN_TOOL_NLSOCK_H

#include <libmnl/libmnl.h>
#include <stddef.h>
#include <stdint.h>

/* Octets that the buffer of a request has, for mnl_attr_put_check(). */
#define NLSOCK_REQUEST	4096
#define ATTRS_MAX	64

struct nlsock {
	struct mnl_socket *sock;
	uint32_t seq;
};

/**
 * nlsock_cb - receives one message
 *
 * Return: 0 to go on; another value ends the transfer and is handed back.
 */
typedef int (*nlsock_cb)(const struct nlmsghdr *nlh, void *data);

/* Attributes by their type; NULL where there is none. */
struct attrs {
	const struct nlattr *a[ATTRS_MAX];
};

/* @len: octets of @list. */
void attrs_parse_list(const void *list, size_t len, struct attrs *out);

/* @head: octets before the first one. Return: 0, or -EBADMSG with fewer. */
int attrs_parse(const struct nlmsghdr *nlh, size_t head, struct attrs *out);

/**
 * nlsock_open() - open a socket
 * @protocol: NETLINK_XFRM or NETLINK_ROUTE
 * @groups: numbers of groups to join, 0 at the end; NULL for none
 *
 * Return: 0 or a negative errno.
 */
int nlsock_open(struct nlsock *s, int protocol, const unsigned int *groups);
void nlsock_close(struct nlsock *s);
int nlsock_fd(const struct nlsock *s);

/**
 * nlsock_listen() - read one datagram of events
 *
 * Return: 0, a negative errno (-ENOBUFS: events were lost), or what @cb
 * returned.
 */
int nlsock_listen(struct nlsock *s, nlsock_cb cb, void *data);

/* Begin a request in @buf, which has NLSOCK_REQUEST octets. */
struct nlmsghdr *nlsock_begin(struct nlsock *s, char *buf, uint16_t type,
			      uint16_t flags);

/**
 * nlsock_talk() - send a request and wait for its end
 * @cb: receives the answers; it must not send on @s; may be NULL
 *
 * Return: 0, a negative errno (-EINTR: a dump changed under way), or what @cb
 * returned.
 */
int nlsock_talk(struct nlsock *s, const struct nlmsghdr *nlh, nlsock_cb cb,
		void *data);

#endif
