// SPDX-License-Identifier: GPL-2.0
/* Included by ../classifier.c: random rules against a walk over all of them. */
#include <linux/prandom.h>
#include <linux/printk.h>

#define MODEL_RULES	96
#define MODEL_STEPS	20000

/* Few bits, so that prefixes nest and rules collide. */
static void model_addr(union nf_inet_addr *addr, u8 family, struct rnd_state *rnd)
{
	u32 dice = prandom_u32_state(rnd);

	memset(addr, 0, sizeof(*addr));
	addr->all[0] = (__force u32)htonl(0x0a000000 | (dice & 0x00010103));
	if (family == AF_INET6)
		addr->all[3] = (__force u32)htonl(dice >> 16 & 3);
}

static void model_rule(struct postern_rule *rule, struct rnd_state *rnd)
{
	static const u8 lens[] = { 0, 8, 16, 24, 31, 32, 96, 127, 128 };
	struct postern_selector *sel = &rule->sel;
	u32 dice = prandom_u32_state(rnd);
	union nf_inet_addr addr;
	unsigned int n;

	memset(rule, 0, sizeof(*rule));
	sel->family = dice & 1 ? AF_INET : AF_INET6;
	n = sel->family == AF_INET ? 6 : ARRAY_SIZE(lens);
	sel->src_len = lens[(dice >> 1) % n];
	sel->dst_len = lens[(dice >> 5) % n];
	model_addr(&addr, sel->family, rnd);
	postern_addr_mask(&sel->src, &addr, sel->src_len);
	model_addr(&addr, sel->family, rnd);
	postern_addr_mask(&sel->dst, &addr, sel->dst_len);
	sel->proto = dice & 0x1000 ? IPPROTO_TCP : 0;
	sel->sport_last = U16_MAX;
	sel->dport_first = dice & 0x2000 ? 2 : 0;
	sel->dport_last = dice & 0x2000 ? 3 : U16_MAX;
	sel->ifindex = dice & 0x4000 ? 1 + (dice >> 20 & 3) : 0;
	rule->priority = dice >> 16 & 3;
	rule->hidden = dice >> 18 & 1;
}

static struct postern_rule *model_match(struct postern_rule *rules,
					const bool *in,
					const struct postern_flow *flow)
{
	struct postern_rule *best = NULL;
	int i;

	for (i = 0; i < MODEL_RULES; i++) {
		if (!in[i] ||
		    !postern_selector_match(&rules[i].sel, flow, rules[i].hidden))
			continue;
		if (!best || rules[i].priority < best->priority ||
		    (rules[i].priority == best->priority &&
		     rules[i].order < best->order))
			best = &rules[i];
	}
	return best;
}

static int model_run(struct postern_classifier *c, struct postern_rule *rules,
		     bool *in)
{
	struct postern_rule *found;
	struct postern_flow flow;
	struct rnd_state rnd;
	int i, n;

	prandom_seed_state(&rnd, 4301);
	for (i = 0; i < MODEL_STEPS; i++) {
		n = prandom_u32_state(&rnd) % MODEL_RULES;
		if (in[n]) {
			postern_classifier_remove(c, &rules[n]);
			in[n] = false;
			/* readers: none here, so no grace period is waited for */
		}
		if (prandom_u32_state(&rnd) & 1) {
			model_rule(&rules[n], &rnd);
			if (postern_classifier_insert(c, &rules[n]))
				return -ENOMEM;
			in[n] = true;
		}
		memset(&flow, 0, sizeof(flow));
		flow.family = prandom_u32_state(&rnd) & 1 ? AF_INET : AF_INET6;
		model_addr(&flow.src, flow.family, &rnd);
		model_addr(&flow.dst, flow.family, &rnd);
		flow.proto = prandom_u32_state(&rnd) & 1 ? IPPROTO_TCP : IPPROTO_UDP;
		flow.dport = prandom_u32_state(&rnd) & 7;
		flow.opaque = !(prandom_u32_state(&rnd) & 7);
		flow.ifindex = prandom_u32_state(&rnd) % 4;
		flow.master = flow.ifindex & 1 ? 4 : 0;
		rcu_read_lock();
		found = postern_classifier_match(c, &flow);
		rcu_read_unlock();
		if (found != model_match(rules, in, &flow)) {
			pr_err("classifier selftest: step %d differs\n", i);
			return -EINVAL;
		}
	}
	return 0;
}

int postern_classifier_selftest(void)
{
	struct postern_classifier *c = kzalloc(sizeof(*c), GFP_KERNEL);
	struct postern_rule *rules;
	bool *in;
	int i, err;

	if (!c)
		return -ENOMEM;
	err = postern_classifier_init(c);
	if (err)
		goto out;
	rules = kcalloc(MODEL_RULES, sizeof(*rules), GFP_KERNEL);
	in = kcalloc(MODEL_RULES, sizeof(*in), GFP_KERNEL);
	err = rules && in ? 0 : -ENOMEM;
	if (!err)
		err = model_run(c, rules, in);
	for (i = 0; in && i < MODEL_RULES; i++)
		if (in[i])
			postern_classifier_remove(c, &rules[i]);
	postern_classifier_exit(c);
	kfree(rules);
	kfree(in);
out:
	kfree(c);
	return err;
}
