/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One generic netlink socket to the postern family.
 *
 * A socket that has joined a group is for nl_listen() alone: nl_talk() throws
 * away what it meets while it waits for its answer.
 */
#ifndef POSTERN_TOOL_NL_H
#define POSTERN_TOOL_NL_H

#include "fields.h"

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

/* A request carries at most three keys and one bitmap; this holds them. */
#define NL_REQUEST_SIZE		4096
#define NL_GROUPS_MAX		8

struct nl {
	struct mnl_socket *sock;
	uint32_t portid;
	uint32_t seq;
	uint16_t family;
	unsigned int groups;
	struct {
		char name[16];
		uint32_t id;
	} group[NL_GROUPS_MAX];
	/* Why the kernel refused the last request; empty when it did not say. */
	char text[256];
	char attr[128];		/* which attribute it refused */
};

struct nl_request {
	union {
		struct nlmsghdr nlh;
		char buf[NL_REQUEST_SIZE];
	};
};

/**
 * nl_msg_cb - receives one message of the family
 * @cmd: POSTERN_CMD_
 * @attrs: first attribute
 * @len: octets of attributes
 *
 * Return: 0 to go on; another value ends the transfer and is handed back.
 */
typedef int (*nl_msg_cb)(uint8_t cmd, const void *attrs, size_t len,
			 void *data);

/**
 * nl_open() - open a socket and resolve the family
 *
 * Asking for the family makes the kernel load the module.
 *
 * Return: 0 or a negative errno; -ENOENT when there is no such family.
 */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);
int nl_fd(const struct nl *nl);

/* Begin a request; attributes follow by fields_put(&req->nlh, ...). */
void nl_begin(struct nl *nl, struct nl_request *req, uint8_t cmd,
	      uint16_t flags);

/**
 * nl_talk() - send a request and wait until it is answered
 * @nl: socket
 * @req: request; wiped, because it may hold keys
 * @fields: table of the request, to name a refused attribute; may be NULL
 * @cb: receives the reply, when there is one; may be NULL
 * @data: for @cb
 *
 * Return: 0, a negative errno (nl->text then has the kernel's words), or what
 * @cb returned.
 */
int nl_talk(struct nl *nl, struct nl_request *req, const struct fields *fields,
	    nl_msg_cb cb, void *data);

/**
 * nl_send() - one request of a command and a structure
 *
 * nl_begin(), fields_put() and nl_talk() in one; a dump when @flags has
 * NLM_F_DUMP. A dump that changed under way ends in -EINTR after its last
 * message.
 */
int nl_send(struct nl *nl, uint8_t cmd, uint16_t flags,
	    const struct fields *fields, const void *object, nl_msg_cb cb,
	    void *data);

/* Join multicast group @name. Return: 0 or a negative errno. */
int nl_join(struct nl *nl, const char *name);

/**
 * nl_listen() - read what is queued of multicast messages, waiting for one
 *
 * Return: 0 after one datagram, a negative errno (-ENOBUFS: messages were
 * lost), or what @cb returned.
 */
int nl_listen(struct nl *nl, nl_msg_cb cb, void *data);

/* Print the refusal of the last request to stderr, as iproute2 does. */
void nl_perror(const struct nl *nl, int err);

#endif
