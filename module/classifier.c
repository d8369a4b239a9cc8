// SPDX-License-Identifier: GPL-2.0
/*
 * Writers exclude each other by the lock of the namespace; readers need RCU only.
 * A rule must stay readable for a grace period after its removal.
 */
#include <linux/jhash.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include "classifier.h"

struct set_key {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u8 family;
	u8 src_len;
	u8 dst_len;
	u8 zero;
};

/* Rules of one pair of prefixes. */
struct postern_rule_set {
	struct rhash_head hash;
	struct set_key key;
	struct list_head rules;
	struct prefix_tuple *tuple;
	struct rcu_head rcu;
};

/*
 * A pair of prefix lengths.  @best is never above the priority of a rule below it;
 * it may stay too low after a removal, which costs a visit and no more.
 */
struct prefix_tuple {
	struct list_head node;
	u8 family;
	u8 src_len;
	u8 dst_len;
	u32 best;
	unsigned int sets;
	struct rcu_head rcu;
};

static u32 set_hash(const void *data, u32 len, u32 seed)
{
	const struct set_key *key = data;

	if (key->family == AF_INET)
		return jhash_3words(key->src.all[0], key->dst.all[0],
				    key->src_len << 8 | key->dst_len, seed);
	return jhash2(data, sizeof(*key) / sizeof(u32), seed);
}

static int set_compare(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct postern_rule_set *set = obj;
	const struct set_key *key = arg->key;

	return !(set->key.family == key->family &&
		 set->key.src_len == key->src_len &&
		 set->key.dst_len == key->dst_len &&
		 postern_addr_equal(&set->key.src, &key->src) &&
		 postern_addr_equal(&set->key.dst, &key->dst));
}

static const struct rhashtable_params set_params = {
	.key_len = sizeof(struct set_key),
	.key_offset = offsetof(struct postern_rule_set, key),
	.head_offset = offsetof(struct postern_rule_set, hash),
	.hashfn = set_hash,
	.obj_cmpfn = set_compare,
	.automatic_shrinking = true,
};

int postern_classifier_init(struct postern_classifier *c)
{
	INIT_LIST_HEAD(&c->tuples);
	c->order = 0;
	return rhashtable_init(&c->sets, &set_params);
}

/* All rules were removed before. */
void postern_classifier_exit(struct postern_classifier *c)
{
	WARN_ON_ONCE(!list_empty(&c->tuples));
	rhashtable_destroy(&c->sets);
}

static struct prefix_tuple *tuple_get(struct postern_classifier *c,
				      const struct set_key *key)
{
	struct prefix_tuple *tuple;

	list_for_each_entry(tuple, &c->tuples, node)
		if (tuple->family == key->family &&
		    tuple->src_len == key->src_len &&
		    tuple->dst_len == key->dst_len)
			return tuple;

	tuple = kzalloc(sizeof(*tuple), GFP_KERNEL_ACCOUNT);
	if (!tuple)
		return NULL;
	tuple->family = key->family;
	tuple->src_len = key->src_len;
	tuple->dst_len = key->dst_len;
	tuple->best = U32_MAX;
	list_add_tail_rcu(&tuple->node, &c->tuples);
	return tuple;
}

static void tuple_put(struct prefix_tuple *tuple)
{
	if (tuple->sets)
		return;
	list_del_rcu(&tuple->node);
	kfree_rcu(tuple, rcu);
}

static void set_key_fill(struct set_key *key, const struct postern_selector *sel)
{
	memset(key, 0, sizeof(*key));
	key->src = sel->src;
	key->dst = sel->dst;
	key->family = sel->family;
	key->src_len = sel->src_len;
	key->dst_len = sel->dst_len;
}

static struct postern_rule_set *set_get(struct postern_classifier *c,
					const struct postern_selector *sel)
{
	struct postern_rule_set *set;
	struct set_key key;

	set_key_fill(&key, sel);
	set = rhashtable_lookup_fast(&c->sets, &key, set_params);
	if (set)
		return set;

	set = kzalloc(sizeof(*set), GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	set->key = key;
	INIT_LIST_HEAD(&set->rules);
	set->tuple = tuple_get(c, &key);
	if (!set->tuple)
		goto err_free;
	if (rhashtable_insert_fast(&c->sets, &set->hash, set_params))
		goto err_tuple;
	set->tuple->sets++;
	return set;

err_tuple:
	tuple_put(set->tuple);
err_free:
	kfree(set);
	return NULL;
}

/**
 * postern_classifier_insert - add a rule behind those of its priority
 * @c: rules
 * @rule: selector and priority filled in; the caller keeps it
 *
 * Return: 0 or -ENOMEM. Context: process, writers excluded.
 */
int postern_classifier_insert(struct postern_classifier *c,
			      struct postern_rule *rule)
{
	struct postern_rule_set *set = set_get(c, &rule->sel);
	struct postern_rule *pos;

	if (!set)
		return -ENOMEM;
	rule->set = set;
	rule->order = ++c->order;
	if (rule->priority < set->tuple->best)
		WRITE_ONCE(set->tuple->best, rule->priority);
	list_for_each_entry(pos, &set->rules, node)
		if (pos->priority > rule->priority)
			break;
	list_add_tail_rcu(&rule->node, &pos->node);
	return 0;
}

void postern_classifier_remove(struct postern_classifier *c,
			       struct postern_rule *rule)
{
	struct postern_rule_set *set = rule->set;

	list_del_rcu(&rule->node);
	if (!list_empty(&set->rules))
		return;
	rhashtable_remove_fast(&c->sets, &set->hash, set_params);
	set->tuple->sets--;
	tuple_put(set->tuple);
	kfree_rcu(set, rcu);
}

/**
 * postern_classifier_replace - put a rule in the place of another
 * @old: inserted; of the same prefixes and priority as @rule
 * @rule: takes its place, with no moment in which neither is found
 *
 * Context: writers excluded.
 */
void postern_classifier_replace(struct postern_rule *old,
				struct postern_rule *rule)
{
	rule->set = old->set;
	rule->order = old->order;
	list_replace_rcu(&old->node, &rule->node);
}

static bool rule_before(const struct postern_rule *a,
			const struct postern_rule *b)
{
	return a->priority != b->priority ? a->priority < b->priority :
					    a->order < b->order;
}

/**
 * postern_classifier_match - the first rule that a packet matches
 * @c: rules
 * @flow: packet
 *
 * Return: the rule or NULL. Context: RCU read side.
 */
struct postern_rule *
postern_classifier_match(struct postern_classifier *c,
			 const struct postern_flow *flow)
{
	struct postern_rule *rule, *best = NULL;
	struct postern_rule_set *set;
	struct prefix_tuple *tuple;
	struct set_key key = {};

	key.family = flow->family;
	list_for_each_entry_rcu(tuple, &c->tuples, node) {
		if (tuple->family != flow->family ||
		    (best && READ_ONCE(tuple->best) > best->priority))
			continue;
		key.src_len = tuple->src_len;
		key.dst_len = tuple->dst_len;
		if (flow->family == AF_INET) {	/* the rest is zero already */
			key.src.all[0] = flow->src.all[0] &
					 postern_addr_mask32(key.src_len);
			key.dst.all[0] = flow->dst.all[0] &
					 postern_addr_mask32(key.dst_len);
		} else {
			postern_addr_mask(&key.src, &flow->src, key.src_len);
			postern_addr_mask(&key.dst, &flow->dst, key.dst_len);
		}
		set = rhashtable_lookup(&c->sets, &key, set_params);
		if (!set)
			continue;
		list_for_each_entry_rcu(rule, &set->rules, node) {
			if (best && !rule_before(rule, best))
				break;
			if (postern_selector_match_upper(&rule->sel, flow,
							 rule->hidden)) {
				best = rule;
				break;
			}
		}
	}
	return best;
}

/**
 * postern_classifier_next_equal - walk the rules of one selector
 * @c: rules
 * @sel: selector
 * @prev: rule returned before, NULL to begin
 *
 * Return: the next rule of exactly this selector in match order, or NULL.
 * Context: writers excluded.
 */
struct postern_rule *
postern_classifier_next_equal(struct postern_classifier *c,
			      const struct postern_selector *sel,
			      struct postern_rule *prev)
{
	struct postern_rule_set *set;
	struct postern_rule *rule;
	struct set_key key;

	set_key_fill(&key, sel);
	set = rhashtable_lookup_fast(&c->sets, &key, set_params);
	if (!set)
		return NULL;
	rule = prev ? prev : list_entry(&set->rules, struct postern_rule, node);
	list_for_each_entry_continue(rule, &set->rules, node)
		if (postern_selector_equal(&rule->sel, sel))
			return rule;
	return NULL;
}

#ifdef DEBUG
#include "selftest/classifier.c"
#endif
