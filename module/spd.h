/* SPDX-License-Identifier: GPL-2.0 */
/* Security policy database (RFC 4301 section 4.4.1). Lock letters: net.h. */
#ifndef _POSTERN_SPD_H
#define _POSTERN_SPD_H

#include <linux/xarray.h>
#include "classifier.h"
#include "postern.h"
#include "sad.h"

struct postern_net;
struct postern_spd;

/**
 * struct postern_tmpl - what a packet under PROTECT must pass through
 * @src: zero for the packet's own, transport mode only
 * @dst: zero for the packet's own, transport mode only
 * @family: of the outer header; 0 when no address is given
 * @proto: IPPROTO_ESP or IPPROTO_AH
 * @mode: enum postern_mode
 * @optional: packets may come without, and go without when there is no SA
 * @reqid: 0 for any
 * @spi: 0 for any
 */
struct postern_tmpl {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u8 family;
	u8 proto;
	u8 mode;
	bool optional;
	u32 reqid;
	__be32 spi;
};

/**
 * struct postern_policy - an entry of the SPD
 * @rule: selector and priority [I]
 * @index: number of the policy [I]
 * @dir: enum postern_dir [I]
 * @action: enum postern_action [I]
 * @owner: who made it [I]
 * @flags: POSTERN_POLICY_FLAG_* [I]
 * @tmpl_count: templates; 0 but for PROTECT [I]
 * @open: all templates are optional: packets may pass in clear [I]
 * @tmpl: what packets pass through, the innermost first [I]
 * @slot: by template, leads to the SA; NULL when the template takes addresses or SPI
 *        from elsewhere, and for inbound policies [I]
 * @stats: packets that met it [P]
 * @add_time: seconds since the epoch [I]
 * @spd: where it is [I]
 * @free_work: the end, after a grace period
 */
struct postern_policy {
	struct postern_rule rule;
	u32 index;
	u8 dir;
	u8 action;
	u8 tmpl_count;
	bool open;
	u32 flags;
	u32 owner;
	struct postern_slot *slot[POSTERN_TMPL_MAX];
	struct postern_tmpl tmpl[POSTERN_TMPL_MAX];
	struct postern_sa_stats __percpu *stats;
	time64_t add_time;
	struct postern_spd *spd;
	struct rcu_work free_work;
};

/* The two databases of RFC 4301 section 4.4.1; SPD-I holds directions in and fwd. */
enum postern_spd_side {
	POSTERN_SPD_OUT,
	POSTERN_SPD_IN,
	POSTERN_SPD_SIDES
};

/* How little passes in clear, from 0 (all): postern_policy_strictness() */
#define POSTERN_STRICTEST	2

/**
 * struct postern_spd - all policies of a namespace
 * @sides: [R]
 * @unseen: by strictness: the grace period after which no packet finds any more what
 *          was taken out last [C]
 * @by_index: [C, read under RCU]
 * @next_index: [C]
 * @count: policies in the SPD [C, read by packets]
 * @alive: policies not yet freed [A]
 */
struct postern_spd {
	struct postern_classifier sides[POSTERN_SPD_SIDES];
	unsigned long unseen[POSTERN_STRICTEST];
	struct xarray by_index;
	u32 next_index;
	u32 count;
	atomic_t alive;
};

int postern_spd_init(struct postern_spd *spd);
void postern_spd_exit(struct postern_spd *spd);
struct postern_policy *postern_policy_alloc(struct postern_spd *spd);
void postern_policy_free_unpublished(struct postern_policy *policy);

unsigned int postern_policy_strictness(const struct postern_policy *policy);

int postern_spd_add(struct postern_net *pn, struct postern_policy *policy,
		    struct postern_policy *old);
void postern_spd_await_unseen(const struct postern_spd *spd,
			      const struct postern_policy *policy);
void postern_spd_remove(struct postern_net *pn, struct postern_policy *policy);
struct postern_policy *postern_spd_find(struct postern_spd *spd, u8 dir,
					const struct postern_selector *sel,
					const u32 *priority, const u32 *owner);
struct postern_policy *postern_spd_get(struct postern_spd *spd, u32 index);
struct postern_policy *postern_spd_next(struct postern_spd *spd, u32 after);
void postern_policy_usage(const struct postern_policy *policy,
			  struct postern_usage *usage);

struct postern_policy *postern_spd_match(struct postern_spd *spd,
					 enum postern_spd_side side,
					 const struct postern_flow *flow);
struct postern_policy *postern_spd_judge(struct postern_spd *spd,
					 enum postern_spd_side side,
					 const struct sk_buff *skb,
					 const struct postern_flow **flow,
					 struct postern_flow *about);
void postern_policy_used(struct postern_policy *policy, unsigned int packets,
			 unsigned int bytes);

static inline bool postern_spd_empty(const struct postern_spd *spd)
{
	return !READ_ONCE(spd->count);
}

bool postern_policy_fits(const struct postern_policy *policy,
			 struct postern_sa *const *sas, unsigned int count);

#endif
