// SPDX-License-Identifier: GPL-2.0
#include "drop.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define POSTERN_DROP_NAME(sym, name, text) \
	[POSTERN_DROP_##sym] = name,
#define POSTERN_DROP_TEXT(sym, name, text) \
	[POSTERN_DROP_##sym] = text,

const char * const postern_drop_names[POSTERN_DROP_COUNT] = {
	POSTERN_DROP_REASONS(POSTERN_DROP_NAME)
};

const char * const postern_drop_texts[POSTERN_DROP_COUNT] = {
	POSTERN_DROP_REASONS(POSTERN_DROP_TEXT)
};

/**
 * postern_drop_segs - packets that a buffer stands for
 * @skb: packet or GSO super-packet
 *
 * Return: number of packets on the wire before fragmentation.
 */
unsigned int postern_drop_segs(const struct sk_buff *skb)
{
	return max_t(unsigned int, 1, skb_shinfo(skb)->gso_segs);
}

/**
 * postern_drop_count - count packets that others will free or take
 * @site: who drops
 * @skb: the packet, for the tracepoint
 * @reason: why
 * @n: packets
 *
 * Context: any that may use per-CPU counters.
 */
void postern_drop_count(const struct postern_drop_site *site,
			const struct sk_buff *skb,
			enum postern_drop_reason reason, unsigned int n)
{
	postern_stat_add(site->stats, drops[reason], n);
	if (site->sa_drops)
		atomic64_add(n, &site->sa_drops[reason]);
	trace_postern_drop(skb, site->spi, site->policy, reason);
}

/**
 * postern_drop - count a packet, or the segments of a super-packet, and free it
 * @site: who drops
 * @skb: consumed
 * @reason: why
 *
 * Context: any.
 */
void postern_drop(const struct postern_drop_site *site, struct sk_buff *skb,
		  enum postern_drop_reason reason)
{
	postern_drop_count(site, skb, reason, postern_drop_segs(skb));
	kfree_skb(skb);
}

/**
 * postern_stat_read - add one counter up
 * @stats: counters of a namespace
 * @offset: of a u64 in struct postern_stats
 *
 * Return: the sum over all CPUs.
 */
u64 postern_stat_read(struct postern_stats __percpu *stats, size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(*(u64 *)((u8 *)per_cpu_ptr(stats, cpu) + offset));
	return sum;
}
