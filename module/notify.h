/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the lower layers tell listeners what happened, without knowing of netlink:
 * main.c points this at event.c.
 */
#ifndef _POSTERN_NOTIFY_H
#define _POSTERN_NOTIFY_H

#include "spd.h"

/**
 * struct postern_notify - events
 * @sa_deleted: an SA was deleted because of its limits (process context)
 * @sa_expired: an SA passed a limit (process context)
 * @sa_used: the first authentic packet came through an SA (process context)
 * @spi_unknown: a packet names no SA; a few of them are told (softirq context)
 * @mapping: an authentic datagram came from another address or port than the SA has
 *           (softirq context)
 * @listening: may anybody listen for @acquire?  "No" is certain (any context)
 * @acquire: a packet met a policy without an SA; false when nobody in the namespace
 *           listens (softirq context)
 */
struct postern_notify {
	void (*sa_deleted)(struct postern_net *pn, struct postern_sa *sa);
	void (*sa_expired)(struct postern_net *pn, struct postern_sa *sa, bool hard);
	void (*sa_used)(struct postern_net *pn, struct postern_sa *sa);
	void (*spi_unknown)(struct postern_net *pn, const struct postern_sa_key *key,
			    const union nf_inet_addr *src);
	void (*mapping)(struct postern_net *pn, struct postern_sa *sa,
			const union nf_inet_addr *src, __be16 sport);
	bool (*listening)(struct postern_net *pn);
	bool (*acquire)(struct postern_net *pn, const struct postern_policy *policy,
			const struct postern_slot_key *want,
			const struct postern_flow *flow);
};

extern const struct postern_notify *postern_notify;

#endif
