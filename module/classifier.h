/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Ordered lookup over selectors: the match of the lowest priority wins, among
 * equals the first inserted.
 *
 * Rules of the same pair of prefixes form a set, found by hash.  A lookup visits
 * one set per pair of prefix lengths in use, so that its cost depends on how many
 * such pairs there are (a handful), and on how many rules differ in protocol and
 * ports alone, not on the number of rules.
 */
#ifndef _POSTERN_CLASSIFIER_H
#define _POSTERN_CLASSIFIER_H

#include <linux/list.h>
#include <linux/rhashtable.h>
#include "selector.h"

struct postern_rule_set;

/**
 * struct postern_rule - embedded in what is to be found
 * @sel: immutable while inserted
 * @priority: lowest first
 * @hidden: packets that do not show their ports match too
 * @order: among equals, lowest first; given at insertion
 * @node: in @set, ordered by priority, then by age
 * @set: rules of the same prefixes
 */
struct postern_rule {
	struct postern_selector sel;
	u32 priority;
	bool hidden;
	u64 order;
	struct list_head node;
	struct postern_rule_set *set;
};

/**
 * struct postern_classifier - rules of one direction
 * @sets: struct postern_rule_set by prefixes
 * @tuples: pairs of prefix lengths in use
 * @order: of the rule inserted last
 */
struct postern_classifier {
	struct rhashtable sets;
	struct list_head tuples;
	u64 order;
};

int postern_classifier_init(struct postern_classifier *c);
void postern_classifier_exit(struct postern_classifier *c);
int postern_classifier_insert(struct postern_classifier *c,
			      struct postern_rule *rule);
void postern_classifier_remove(struct postern_classifier *c,
			       struct postern_rule *rule);
void postern_classifier_replace(struct postern_rule *old,
				struct postern_rule *rule);
struct postern_rule *
postern_classifier_match(struct postern_classifier *c,
			 const struct postern_flow *flow);
struct postern_rule *
postern_classifier_next_equal(struct postern_classifier *c,
			      const struct postern_selector *sel,
			      struct postern_rule *prev);
int postern_classifier_selftest(void);

#endif
