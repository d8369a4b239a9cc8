// SPDX-License-Identifier: GPL-2.0
/* The SAs that a policy sends a packet through. */
#include "path.h"

/* The slot key of a template, with the addresses that @key has where it has none. */
static void slot_key(struct postern_slot_key *key, const struct postern_tmpl *tmpl)
{
	if (tmpl->family) {
		key->src = tmpl->src;
		key->dst = tmpl->dst;
		key->family = tmpl->family;
	}
	key->reqid = tmpl->reqid;
	key->proto = tmpl->proto;
	key->mode = tmpl->mode;
}

/*
 * One SA may serve all senders to a destination (RFC 4552 section 7).  It is made by hand:
 * what waits for an SA of its own sender does not wait for it.
 */
static struct postern_sa *sa_of_any_source(struct postern_net *pn,
					   const struct postern_slot_key *key)
{
	struct postern_slot_key any = *key;
	struct postern_slot *slot;

	memset(&any.src, 0, sizeof(any.src));
	slot = postern_slot_lookup(&pn->sad, &any);
	return slot ? rcu_dereference(slot->current_sa) : NULL;
}

/* @i: number of the template */
static struct postern_sa *choose_sa(struct postern_net *pn,
				    const struct postern_policy *policy,
				    unsigned int i, const struct postern_slot_key *key)
{
	struct postern_slot *slot = policy->slot[i];
	struct postern_sa *sa = NULL;

	if (unlikely(policy->tmpl[i].spi)) {
		struct postern_sa_key id = {
			.dst = key->dst,
			.spi = policy->tmpl[i].spi,
			.proto = key->proto,
			.family = key->family,
		};

		sa = postern_sad_lookup_from(&pn->sad, &id, &key->src);
		if (sa && (sa->mode != key->mode ||
			   (key->reqid && key->reqid != sa->reqid)))
			sa = NULL;
	} else {
		if (!slot)
			slot = postern_slot_lookup(&pn->sad, key);
		if (slot)
			sa = rcu_dereference(slot->current_sa);
		if (unlikely(!sa && !policy->tmpl[i].family))
			sa = sa_of_any_source(pn, key);
	}
	return sa && sa->dir != POSTERN_DIR_IN && postern_sa_usable(sa) ? sa : NULL;
}

/**
 * postern_choose - the SAs of a policy for a packet
 * @o: of namespace, policy and flow; its SAs are the result
 * @key: result, what the template asked for that has none
 *
 * Return: the template that has none and wants one, or an optional one when none has
 * any; or NULL.  Context: RCU read side.
 */
const struct postern_tmpl *postern_choose(struct postern_out *o,
					  struct postern_slot_key *key)
{
	const struct postern_policy *policy = o->policy;
	const struct postern_tmpl *tmpl = NULL;
	struct postern_sa *sa;
	unsigned int i, n = 0;

	*key = (struct postern_slot_key) {
		.src = o->flow.src,
		.dst = o->flow.dst,
		.family = o->flow.family,
	};
	for (i = 0; i < policy->tmpl_count; i++) {
		tmpl = &policy->tmpl[i];
		slot_key(key, tmpl);
		sa = choose_sa(o->pn, policy, i, key);
		if (unlikely(!sa)) {
			if (tmpl->optional)
				continue;
			return tmpl;
		}
		if (likely(!n))
			o->sa = sa;
		else
			o->next[n - 1] = sa;
		n++;
	}
	o->next_count = n - 1;
	return likely(n) ? NULL : tmpl;
}

/**
 * postern_choose_any - is there an SA for a policy whose templates are all optional?
 * @pn: namespace
 * @policy: that says PROTECT
 * @flow: of the packet
 *
 * Context: RCU read side.
 */
bool postern_choose_any(struct postern_net *pn, struct postern_policy *policy,
			const struct postern_flow *flow)
{
	struct postern_out o = { .pn = pn, .policy = policy, .flow = *flow };
	struct postern_slot_key key;

	return !postern_choose(&o, &key);
}
