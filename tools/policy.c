// SPDX-License-Identifier: GPL-2.0
#include "policy.h"

int policy_strictness(const struct policy *p)
{
	uint32_t i;

	if (p->action == POSTERN_ACTION_BYPASS)
		return 0;
	for (i = 0; i < p->tmpls.count; i++)
		if (p->tmpls.tmpl[i].level != POSTERN_LEVEL_USE)
			return POLICY_STRICTEST;
	return p->tmpls.count ? 1 : POLICY_STRICTEST;
}

static const struct field tmpl_table[] = {
	FIELD_BIN(tmpl, POSTERN_A_TMPL_SRC, "src", src),
	FIELD_BIN(tmpl, POSTERN_A_TMPL_DST, "dst", dst),
	FIELD(tmpl, FIELD_U8, POSTERN_A_TMPL_PROTO, "proto", proto),
	FIELD(tmpl, FIELD_U8, POSTERN_A_TMPL_MODE, "mode", mode),
	FIELD(tmpl, FIELD_U32, POSTERN_A_TMPL_REQID, "reqid", reqid),
	FIELD(tmpl, FIELD_U32, POSTERN_A_TMPL_SPI, "spi", spi),
	FIELD(tmpl, FIELD_U8, POSTERN_A_TMPL_LEVEL, "level", level),
};

static const struct fields tmpl_fields = FIELDS(tmpl, tmpl_table);

static const struct field policy_table[] = {
	FIELD(policy, FIELD_U32, POSTERN_A_POLICY_INDEX, "index", index),
	FIELD(policy, FIELD_U8, POSTERN_A_POLICY_DIR, "dir", dir),
	FIELD(policy, FIELD_U8, POSTERN_A_POLICY_ACTION, "action", action),
	FIELD(policy, FIELD_U32, POSTERN_A_POLICY_PRIORITY, "priority",
	      priority),
	FIELD(policy, FIELD_U32, POSTERN_A_POLICY_OWNER, "owner", owner),
	FIELD_NESTED(policy, POSTERN_A_POLICY_SELECTOR, "selector", selector,
		     selector_fields),
	FIELD_LISTED(policy, POSTERN_A_POLICY_TMPL, "tmpl", tmpls, TMPLS_MAX,
		     tmpl_fields),
	FIELD_NESTED(policy, POSTERN_A_POLICY_USAGE, "usage", usage,
		     usage_fields),
	FIELD(policy, FIELD_U32, POSTERN_A_POLICY_COUNT, "count", count),
	FIELD(policy, FIELD_U64, POSTERN_A_POLICY_ID, "id", id),
	FIELD_NESTED(policy, POSTERN_A_POLICY_PACKET, "packet", packet,
		     selector_fields),
	FIELD(policy, FIELD_U32, POSTERN_A_POLICY_FLAGS, "flags", flags),
};

const struct fields policy_fields = FIELDS(policy, policy_table);

static const struct field stats_table[] = {
	FIELD(stats, FIELD_STRING, POSTERN_A_STATS_VERSION, "version",
	      version),
	FIELD_LISTED(stats, POSTERN_A_STATS_DROP, "drop", drops, DROPS_MAX,
		     drop_fields),
	FIELD(stats, FIELD_U32, POSTERN_A_STATS_SA_COUNT, "sa-count",
	      sa_count),
	FIELD(stats, FIELD_U32, POSTERN_A_STATS_POLICY_COUNT, "policy-count",
	      policy_count),
	FIELD(stats, FIELD_U64, POSTERN_A_STATS_IN_PACKETS, "in-packets",
	      in_packets),
	FIELD(stats, FIELD_U64, POSTERN_A_STATS_IN_DELIVERED, "in-delivered",
	      in_delivered),
	FIELD(stats, FIELD_U64, POSTERN_A_STATS_IN_FRAGMENTS, "in-fragments",
	      in_fragments),
	FIELD(stats, FIELD_U64, POSTERN_A_STATS_OUT_PACKETS, "out-packets",
	      out_packets),
	FIELD(stats, FIELD_U64, POSTERN_A_STATS_OUT_SENT, "out-sent",
	      out_sent),
	FIELD(stats, FIELD_U32, POSTERN_A_STATS_HELD, "held", held),
	FIELD(stats, FIELD_U64, POSTERN_A_STATS_IN_ECN_UNUSED, "in-ecn-unused",
	      in_ecn_unused),
	FIELD(stats, FIELD_U64, POSTERN_A_STATS_IN_KEEPALIVES, "in-keepalives",
	      in_keepalives),
	FIELD(stats, FIELD_U64, POSTERN_A_STATS_OUT_KEEPALIVES, "out-keepalives",
	      out_keepalives),
};

const struct fields stats_fields = FIELDS(stats, stats_table);
