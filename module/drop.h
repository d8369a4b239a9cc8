/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every packet that does not reach its receiver leaves through here, with a
 * reason of uapi/postern_drop.h.  Counted per namespace and per SA, and seen by
 * the tracepoint postern:drop.
 */
#ifndef _POSTERN_DROP_H
#define _POSTERN_DROP_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/skbuff.h>
#include "postern_drop.h"

/* Per namespace and CPU; a reader adds the CPUs up. */
struct postern_stats {
	u64 in_packets;
	u64 in_delivered;
	u64 in_fragments;
	u64 in_ecn_unused;
	u64 out_packets;
	u64 out_sent;
	u64 in_keepalives;
	u64 out_keepalives;
	u64 drops[POSTERN_DROP_COUNT];
};

#define postern_stat_add(stats, field, n)	this_cpu_add((stats)->field, n)
#define postern_stat_inc(stats, field)		this_cpu_inc((stats)->field)

/**
 * struct postern_drop_site - who drops
 * @stats: counters of the namespace
 * @sa_drops: POSTERN_DROP_COUNT counters of the SA; NULL when none is known
 * @spi: SPI of the packet or its SA; 0 when not known
 * @policy: index of the policy; 0 when not known
 */
struct postern_drop_site {
	struct postern_stats __percpu *stats;
	atomic64_t *sa_drops;
	__be32 spi;
	u32 policy;
};

extern const char * const postern_drop_names[POSTERN_DROP_COUNT];
extern const char * const postern_drop_texts[POSTERN_DROP_COUNT];

unsigned int postern_drop_segs(const struct sk_buff *skb);
void postern_drop_count(const struct postern_drop_site *site,
			const struct sk_buff *skb,
			enum postern_drop_reason reason, unsigned int n);
void postern_drop(const struct postern_drop_site *site, struct sk_buff *skb,
		  enum postern_drop_reason reason);
u64 postern_stat_read(struct postern_stats __percpu *stats, size_t offset);

#endif
