// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/module.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/ktime.h>
#include "flow.h"
#include "net.h"

int postern_spd_init(struct postern_spd *spd)
{
	int err, i;

	err = postern_classifier_init(&spd->sides[POSTERN_SPD_OUT]);
	if (err)
		return err;
	err = postern_classifier_init(&spd->sides[POSTERN_SPD_IN]);
	if (err) {
		postern_classifier_exit(&spd->sides[POSTERN_SPD_OUT]);
		return err;
	}
	for (i = 0; i < POSTERN_STRICTEST; i++)
		spd->unseen[i] = get_state_synchronize_rcu();
	xa_init_flags(&spd->by_index, XA_FLAGS_ACCOUNT);
	return 0;
}

/* All policies were freed. */
void postern_spd_exit(struct postern_spd *spd)
{
	postern_classifier_exit(&spd->sides[POSTERN_SPD_OUT]);
	postern_classifier_exit(&spd->sides[POSTERN_SPD_IN]);
	xa_destroy(&spd->by_index);
}

static struct postern_classifier *side_of(struct postern_spd *spd, u8 dir)
{
	return &spd->sides[dir == POSTERN_DIR_OUT ? POSTERN_SPD_OUT :
						    POSTERN_SPD_IN];
}

static void policy_destroy(struct postern_spd *spd, struct postern_policy *policy)
{
	free_percpu(policy->stats);
	kfree(policy);
	if (atomic_dec_and_test(&spd->alive))
		wake_up_var(&spd->alive);
}

static void policy_free_work(struct work_struct *work)
{
	struct postern_policy *policy = container_of(to_rcu_work(work),
						     struct postern_policy,
						     free_work);

	policy_destroy(policy->spd, policy);
}

/**
 * postern_policy_alloc - make a policy
 * @spd: database that it will go to
 *
 * Return: a policy with a number, or NULL. Context: configuration lock held.
 */
struct postern_policy *postern_policy_alloc(struct postern_spd *spd)
{
	struct postern_policy *policy = kzalloc(sizeof(*policy), GFP_KERNEL_ACCOUNT);

	if (!policy)
		return NULL;
	policy->stats = alloc_percpu_gfp(struct postern_sa_stats,
					 GFP_KERNEL_ACCOUNT);
	if (!policy->stats) {
		kfree(policy);
		return NULL;
	}
	do {
		policy->index = ++spd->next_index;
	} while (!policy->index || xa_load(&spd->by_index, policy->index));
	policy->spd = spd;
	policy->add_time = ktime_get_real_seconds();
	INIT_RCU_WORK(&policy->free_work, policy_free_work);
	atomic_inc(&spd->alive);
	return policy;
}

/* Of a policy that never was in the SPD. */
void postern_policy_free_unpublished(struct postern_policy *policy)
{
	policy_destroy(policy->spd, policy);
}

/* Without the module nothing would be protected, or discarded, any more. */
static bool keeps_module(const struct postern_policy *policy)
{
	return policy->action != POSTERN_ACTION_BYPASS;
}

static void slots_unbind(struct postern_policy *policy)
{
	int i;

	for (i = 0; i < policy->tmpl_count; i++)
		if (policy->slot[i])
			postern_slot_put(policy->slot[i]);
}

/* An outbound template that names its addresses leads to one slot. */
static int slots_bind(struct postern_net *pn, struct postern_policy *policy)
{
	int i;

	if (policy->dir != POSTERN_DIR_OUT)
		return 0;
	for (i = 0; i < policy->tmpl_count; i++) {
		const struct postern_tmpl *tmpl = &policy->tmpl[i];
		struct postern_slot_key key = {
			.src = tmpl->src,
			.dst = tmpl->dst,
			.reqid = tmpl->reqid,
			.family = tmpl->family,
			.proto = tmpl->proto,
			.mode = tmpl->mode,
		};

		if (!tmpl->family || tmpl->spi)
			continue;
		policy->slot[i] = postern_slot_get(&pn->sad, &key,
						   GFP_KERNEL_ACCOUNT);
		if (!policy->slot[i]) {
			slots_unbind(policy);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * postern_spd_await_unseen - before a policy goes
 * @spd: database
 * @policy: in it
 *
 * A packet that no longer finds what protects it must not have found before what lets it
 * pass, when that goes first: until no packet finds less strict ones that have gone.  One
 * that finds neither a policy that comes a moment before nor this one is not waited for.
 * Context: process, configuration lock held.
 */
void postern_spd_await_unseen(const struct postern_spd *spd,
			      const struct postern_policy *policy)
{
	unsigned int i;

	for (i = 0; i < postern_policy_strictness(policy); i++)
		cond_synchronize_rcu(spd->unseen[i]);
}

static void taken_out(struct postern_spd *spd, unsigned int strictness)
{
	if (strictness < POSTERN_STRICTEST)
		spd->unseen[strictness] = get_state_synchronize_rcu();
}

static void replace(struct postern_spd *spd, struct postern_policy *old,
		    struct postern_policy *new)
{
	unsigned int was = postern_policy_strictness(old);
	unsigned int is = postern_policy_strictness(new);

	if (is < was)
		postern_spd_await_unseen(spd, old);
	postern_classifier_replace(&old->rule, &new->rule);
	if (is > was)
		taken_out(spd, was);
}

/* Out of all tables; the slots stay readable for a grace period, as the policy. */
static void policy_unpublished(struct postern_net *pn,
			       struct postern_policy *policy)
{
	/* one that was replaced has left its number to its successor */
	xa_cmpxchg(&pn->spd.by_index, policy->index, policy, NULL, GFP_KERNEL_ACCOUNT);
	slots_unbind(policy);
	if (keeps_module(policy))
		module_put(THIS_MODULE);
	queue_rcu_work(pn->wq, &policy->free_work);
}

/**
 * postern_spd_add - publish a policy
 * @pn: namespace
 * @policy: complete; on success the SPD owns it
 * @old: policy of the same direction, selector and priority that it takes the
 *       place of, or NULL
 *
 * Return: 0, -ENOMEM, or -ENODEV when the module is about to go.
 * Context: process, configuration lock held.
 */
int postern_spd_add(struct postern_net *pn, struct postern_policy *policy,
		    struct postern_policy *old)
{
	struct postern_spd *spd = &pn->spd;
	int err;

	if (keeps_module(policy) && !try_module_get(THIS_MODULE))
		return -ENODEV;
	/* what may be meant to be protected or discarded does not pass (section 7) */
	policy->rule.hidden = policy->action != POSTERN_ACTION_BYPASS;
	err = slots_bind(pn, policy);
	if (err)
		goto err_module;
	if (old)
		policy->index = old->index;
	err = xa_err(xa_store(&spd->by_index, policy->index, policy, GFP_KERNEL_ACCOUNT));
	if (err)
		goto err_slots;
	if (old) {
		replace(spd, old, policy);
	} else {
		err = postern_classifier_insert(side_of(spd, policy->dir),
						&policy->rule);
		if (err)
			goto err_index;
		WRITE_ONCE(spd->count, spd->count + 1);
	}
	if (old)
		policy_unpublished(pn, old);
	return 0;

err_index:
	xa_erase(&spd->by_index, policy->index);
err_slots:
	slots_unbind(policy);
err_module:
	if (keeps_module(policy))
		module_put(THIS_MODULE);
	return err;
}

/**
 * postern_spd_remove - take a policy out
 * @pn: namespace
 * @policy: freed after a grace period; where there are packets, once
 *          postern_spd_await_unseen() has returned
 *
 * Context: process, configuration lock held.
 */
void postern_spd_remove(struct postern_net *pn, struct postern_policy *policy)
{
	postern_classifier_remove(side_of(&pn->spd, policy->dir), &policy->rule);
	taken_out(&pn->spd, postern_policy_strictness(policy));
	WRITE_ONCE(pn->spd.count, pn->spd.count - 1);
	policy_unpublished(pn, policy);
}

/**
 * postern_spd_find - find a policy by what it says
 * @spd: database
 * @dir: enum postern_dir
 * @sel: selector, exactly
 * @priority: NULL for any, then the first in match order is found
 * @owner: likewise
 *
 * Return: policy or NULL. Context: configuration lock held.
 */
struct postern_policy *postern_spd_find(struct postern_spd *spd, u8 dir,
					const struct postern_selector *sel,
					const u32 *priority, const u32 *owner)
{
	struct postern_classifier *side = side_of(spd, dir);
	struct postern_policy *policy;
	struct postern_rule *rule = NULL;

	while ((rule = postern_classifier_next_equal(side, sel, rule))) {
		policy = container_of(rule, struct postern_policy, rule);
		if (policy->dir == dir &&
		    (!priority || *priority == rule->priority) &&
		    (!owner || *owner == policy->owner))
			return policy;
	}
	return NULL;
}

struct postern_policy *postern_spd_get(struct postern_spd *spd, u32 index)
{
	return xa_load(&spd->by_index, index);
}

/* Walk all policies by index, 0 to begin. Context: configuration lock held. */
struct postern_policy *postern_spd_next(struct postern_spd *spd, u32 after)
{
	unsigned long index = after;

	return xa_find_after(&spd->by_index, &index, ULONG_MAX, XA_PRESENT);
}

void postern_policy_usage(const struct postern_policy *policy,
			  struct postern_usage *usage)
{
	int cpu;

	memset(usage, 0, sizeof(*usage));
	for_each_possible_cpu(cpu) {
		const struct postern_sa_stats *stats =
			per_cpu_ptr(policy->stats, cpu);

		usage->bytes += READ_ONCE(stats->bytes);
		usage->packets += READ_ONCE(stats->packets);
	}
	usage->add_time = policy->add_time;
}

/* Lets it pass all in clear, some, or (POSTERN_STRICTEST) nothing? */
unsigned int postern_policy_strictness(const struct postern_policy *policy)
{
	if (!policy || policy->action == POSTERN_ACTION_BYPASS)
		return 0;
	return policy->open ? 1 : POSTERN_STRICTEST;
}

static noinline struct postern_policy *match_hop(struct postern_spd *spd,
						 enum postern_spd_side side,
						 const struct postern_flow *flow,
						 struct postern_policy *policy)
{
	struct postern_policy *other;
	struct postern_flow hop;

	postern_flow_hop(&hop, flow);
	other = postern_spd_match(spd, side, &hop);
	return postern_policy_strictness(other) > postern_policy_strictness(policy) ?
	       other : policy;
}

/**
 * postern_spd_match - the policy that a packet meets
 * @spd: database
 * @side: which of the two
 * @flow: packet
 *
 * Of a packet with a route in it the end counts, or its first hop where that is stricter.
 *
 * Return: policy or NULL. Context: RCU read side.
 */
struct postern_policy *postern_spd_match(struct postern_spd *spd,
					 enum postern_spd_side side,
					 const struct postern_flow *flow)
{
	struct postern_rule *rule = postern_classifier_match(&spd->sides[side],
							     flow);
	struct postern_policy *policy =
		rule ? container_of(rule, struct postern_policy, rule) : NULL;

	if (unlikely(flow->routed))
		return match_hop(spd, side, flow, policy);
	return policy;
}

static bool lacked_fragments(const struct postern_flow *error)
{
	return error->family == AF_INET ?
	       error->sport == ICMP_TIME_EXCEEDED && error->dport == ICMP_EXC_FRAGTIME :
	       error->sport == ICMPV6_TIME_EXCEED && error->dport == ICMPV6_EXC_FRAGTIME;
}

/**
 * postern_spd_judge - the policy that a packet meets, by itself or by what it quotes
 * @spd: database
 * @side: which of the two
 * @skb: packet, its network header set
 * @flow: of the packet; on return what the policy is about, @flow or @about
 * @about: room for the answer to what an ICMP error quotes
 *
 * An ICMP error that no policy lets pass goes and comes as the packets of the other
 * direction than the one that it quotes, whatever its own source is (RFC 4301 section
 * 6.2).  It is for the sender of that packet and for nobody else.  Flag icmp of the
 * policy of those packets says so also of one that may bypass, as it always is for one
 * that says that fragments were missing: who takes them away chooses what it quotes.
 * What is told by a Redirect is as secret, but none that comes is believed for that.
 *
 * Return: policy or NULL. Context: RCU read side.
 */
struct postern_policy *postern_spd_judge(struct postern_spd *spd,
					 enum postern_spd_side side,
					 const struct sk_buff *skb,
					 const struct postern_flow **flow,
					 struct postern_flow *about)
{
	struct postern_policy *policy, *quoted;
	struct postern_flow quote;
	int upper;

	policy = postern_spd_match(spd, side, *flow);
	if (likely(policy && policy->action == POSTERN_ACTION_PROTECT) ||
	    likely(!postern_flow_read_quoted(&quote, &upper, skb, *flow)) ||
	    !postern_addr_equal(&quote.src, &(*flow)->dst) ||
	    (side == POSTERN_SPD_IN && postern_flow_is_redirect(*flow)))
		return policy;
	postern_flow_reverse(about, &quote);
	quoted = postern_spd_match(spd, side, about);
	if (!quoted || quoted->action == POSTERN_ACTION_BYPASS)
		return policy;
	/* of what hides its type, one to protect may stand behind it */
	if (quoted->action == POSTERN_ACTION_DISCARD && !about->opaque)
		return policy;
	if (policy && policy->action == POSTERN_ACTION_BYPASS &&
	    !(quoted->flags & POSTERN_POLICY_FLAG_ICMP) && !lacked_fragments(*flow) &&
	    !postern_flow_is_redirect(*flow))
		return policy;
	*flow = about;
	return quoted;
}

/* Context: softirq, or bottom halves off. */
void postern_policy_used(struct postern_policy *policy, unsigned int packets,
			 unsigned int bytes)
{
	this_cpu_add(policy->stats->packets, packets);
	this_cpu_add(policy->stats->bytes, bytes);
}

/* Is this the SA that a template asks for? */
static bool tmpl_fits(const struct postern_tmpl *tmpl, const struct postern_sa *sa)
{
	if (tmpl->proto != sa->key.proto || tmpl->mode != sa->mode ||
	    (tmpl->reqid && tmpl->reqid != sa->reqid) ||
	    (tmpl->spi && tmpl->spi != sa->key.spi))
		return false;
	if (!tmpl->family)
		return true;
	return tmpl->family == sa->key.family &&
	       postern_addr_equal(&tmpl->src, &sa->src) &&
	       postern_addr_equal(&tmpl->dst, &sa->key.dst);
}

/**
 * postern_policy_fits - are these the SAs that a policy asks for?
 * @policy: policy
 * @sas: SAs that a packet came through, the outermost first
 * @count: of them
 *
 * RFC 4301 section 5.2 step 4: the inbound policy must name the SA through which
 * the packet came; each of them, and in that order, with optional ones left out.
 */
bool postern_policy_fits(const struct postern_policy *policy,
			 struct postern_sa *const *sas, unsigned int count)
{
	/* bit n: the first n SAs can be those of the templates so far, outside first */
	unsigned int named = 1, next, i, n;

	if (policy->action != POSTERN_ACTION_PROTECT)
		return false;
	for (i = policy->tmpl_count; i--; named = next) {
		const struct postern_tmpl *tmpl = &policy->tmpl[i];

		next = unlikely(tmpl->optional) ? named : 0;
		for (n = 0; n < count; n++)
			if (named & BIT(n) && tmpl_fits(tmpl, sas[n]))
				next |= BIT(n + 1);
	}
	return named & BIT(count);
}
