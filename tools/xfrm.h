/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's own IPsec over netlink, as far as the bridge needs it: what an
 * IKE daemon installed, read into the structures of this tool, and what the
 * daemon should be told.
 */
#ifndef POSTERN_TOOL_XFRM_H
#define POSTERN_TOOL_XFRM_H

#include "nlsock.h"
#include "policy.h"
#include "sa.h"

#include <linux/xfrm.h>
#include <stdbool.h>
#include <stdint.h>

/* Templates of a policy at most, as in the kernel. */
#define XFRM_TMPLS	6

/* What it takes to write to an SA of XFRM. */
struct xfrm_sa_id {
	bool esn_val;		/* numbers are kept in REPLAY_ESN_VAL, not REPLAY_VAL */
	uint32_t bmp_len;	/* of REPLAY_ESN_VAL */
	uint32_t esn_window;
	struct xfrm_usersa_info info;
};

struct xfrm_sa {
	uint32_t if_id;
	bool larval;		/* reserved by its SPI, without keys */
	struct xfrm_sa_id id;
	struct sa sa;		/* the same for Postern, owner left out */
	char unsupported[80];	/* what Postern cannot do; empty when it can */
};

struct xfrm_policy {
	uint32_t if_id;
	bool is_main;		/* neither a sub-policy nor of a socket */
	struct xfrm_userpolicy_info info;
	struct xfrm_mark mark;
	unsigned int tmpls;
	struct xfrm_user_tmpl tmpl[XFRM_TMPLS];
	struct policy policy;	/* the same for Postern, owner left out */
	char ignored[80];	/* what the copy leaves out; empty: nothing */
};

/* Dump all of XFRM_MSG_GETSA or XFRM_MSG_GETPOLICY; -EINTR: it changed. */
int xfrm_dump(struct nlsock *xfrm, uint16_t type, nlsock_cb cb, void *data);

/**
 * xfrm_parse_sa() - read NEWSA, UPDSA, DELSA or EXPIRE
 *
 * Return: 0, or -EBADMSG when a length is wrong.
 */
int xfrm_parse_sa(const struct nlmsghdr *nlh, struct xfrm_sa *out);

/* Read NEWPOLICY, UPDPOLICY or DELPOLICY. Return: 0 or -EBADMSG. */
int xfrm_parse_policy(const struct nlmsghdr *nlh, struct xfrm_policy *out);

/**
 * xfrm_set_numbers() - write counters and sequence numbers into an SA
 * @id: which one
 * @usage: octets, packets and time of first use; the time of adding stays
 * @replay: numbers and bitmap
 *
 * Return: 0 or a negative errno.
 */
int xfrm_set_numbers(struct nlsock *xfrm, const struct xfrm_sa_id *id,
		     const struct usage *usage, const struct replay *replay);

/* Tell the daemon that a soft or hard limit was reached; hard deletes. */
int xfrm_expire(struct nlsock *xfrm, const struct xfrm_sa_id *id, bool hard);

/**
 * xfrm_acquire() - ask the daemon for the SAs of a policy
 * @policy: which one; its first template counts
 * @packet: the packet that needs them
 */
int xfrm_acquire(struct nlsock *xfrm, const struct xfrm_policy *policy,
		 const struct selector *packet);

#endif
