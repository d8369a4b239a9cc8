// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>
#include "netlink.h"
#include "postern_version.h"

/* Where the counters of a namespace go. */
static const struct {
	int attr;
	size_t offset;
} counters[] = {
	{ POSTERN_A_STATS_IN_PACKETS,
	  offsetof(struct postern_stats, in_packets) },
	{ POSTERN_A_STATS_IN_DELIVERED,
	  offsetof(struct postern_stats, in_delivered) },
	{ POSTERN_A_STATS_IN_FRAGMENTS,
	  offsetof(struct postern_stats, in_fragments) },
	{ POSTERN_A_STATS_IN_ECN_UNUSED,
	  offsetof(struct postern_stats, in_ecn_unused) },
	{ POSTERN_A_STATS_IN_KEEPALIVES,
	  offsetof(struct postern_stats, in_keepalives) },
	{ POSTERN_A_STATS_OUT_KEEPALIVES,
	  offsetof(struct postern_stats, out_keepalives) },
	{ POSTERN_A_STATS_OUT_PACKETS,
	  offsetof(struct postern_stats, out_packets) },
	{ POSTERN_A_STATS_OUT_SENT,
	  offsetof(struct postern_stats, out_sent) },
};

/* Every reason, so that a reader learns of those that never happened, too. */
static int put_drops(struct sk_buff *skb, struct postern_net *pn)
{
	size_t offset;
	u32 reason;

	for (reason = 1; reason < POSTERN_DROP_COUNT; reason++) {
		offset = offsetof(struct postern_stats, drops) +
			 reason * sizeof(u64);
		if (postern_nl_put_drop(skb, POSTERN_A_STATS_DROP, reason,
					postern_stat_read(pn->stats, offset),
					true))
			return -EMSGSIZE;
	}
	return 0;
}

static int put_stats(struct sk_buff *skb, struct postern_net *pn)
{
	unsigned int i;

	if (nla_put_string(skb, POSTERN_A_STATS_VERSION, POSTERN_VERSION) ||
	    nla_put_u32(skb, POSTERN_A_STATS_SA_COUNT,
			READ_ONCE(pn->sad.count)) ||
	    nla_put_u32(skb, POSTERN_A_STATS_POLICY_COUNT,
			READ_ONCE(pn->spd.count)) ||
	    nla_put_u32(skb, POSTERN_A_STATS_HELD,
			atomic_read(&pn->sad.held)))
		return -EMSGSIZE;
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (postern_nl_put_u64(skb, counters[i].attr,
				       postern_stat_read(pn->stats,
							 counters[i].offset)))
			return -EMSGSIZE;
	return put_drops(skb, pn);
}

/* The sentences are too many for a message of default size. */
static size_t stats_size(void)
{
	size_t size = GENLMSG_DEFAULT_SIZE;
	u32 reason;

	for (reason = 1; reason < POSTERN_DROP_COUNT; reason++)
		size += nla_total_size(0) + nla_total_size(sizeof(u32)) +
			nla_total_size(sizeof(u64)) +
			nla_total_size(strlen(postern_drop_names[reason]) + 1) +
			nla_total_size(strlen(postern_drop_texts[reason]) + 1);
	return size;
}

/* POSTERN_CMD_STATS_GET: Counters of the namespace and the version of the module. */
int postern_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct sk_buff *reply = genlmsg_new(stats_size(), GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_put_reply(reply, info, &postern_nl_family, 0,
				POSTERN_CMD_STATS_GET);
	if (!hdr || put_stats(reply, pn)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/**
 * postern_netlink_init - offer the family
 *
 * From then on requests come, so that everything else is ready before.
 *
 * Return: 0 or a negative error.
 */
int __init postern_netlink_init(void)
{
	return genl_register_family(&postern_nl_family);
}

/* After this no request runs any more. */
void postern_netlink_exit(void)
{
	genl_unregister_family(&postern_nl_family);
}

MODULE_ALIAS_GENL_FAMILY(POSTERN_FAMILY_NAME);
