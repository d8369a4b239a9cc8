/* SPDX-License-Identifier: GPL-2.0 */
/* A security association (RFC 4301 section 4.1).  Lock letters: net.h. */
#ifndef _POSTERN_SA_H
#define _POSTERN_SA_H

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/percpu-refcount.h>
#include <linux/rhashtable-types.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/dst_cache.h>
#include "algo.h"
#include "drop.h"
#include "replay.h"
#include "selector.h"
#include "seqno.h"

struct postern_net;
struct postern_slot;

/*
 * What finds an SA; no padding, all of it is hashed.  Only an SA of a multicast group is
 * found by its sender too (RFC 4301 section 4.1); all others have @src 0.
 */
struct postern_sa_key {
	union nf_inet_addr dst;
	__be32 spi;
	u8 proto;
	u8 family;
	u16 zero;
	union nf_inet_addr src;
};

/* A selector that an update can replace under the feet of packets. */
struct postern_sa_selector {
	struct postern_selector sel;
	struct rcu_head rcu;
};

/* Limits, POSTERN_UNLIMITED for none; times in seconds. */
struct postern_lifetime {
	u64 byte_soft;
	u64 byte_hard;
	u64 packet_soft;
	u64 packet_hard;
	u64 add_soft;
	u64 add_hard;
	u64 use_soft;
	u64 use_hard;
};

struct postern_sa_stats {
	u64 bytes;
	u64 packets;
};

/* Octets of inner packets; times in seconds since the epoch, 0 for never. */
struct postern_usage {
	u64 bytes;
	u64 packets;
	u64 add_time;
	u64 use_time;
	u64 last_used;
};

#define POSTERN_TTL_INHERIT	256
#define POSTERN_LABEL_FIXED	BIT(31)

/**
 * struct postern_outer - what an SA says of the packets around its own
 * @mark: of the packet, in the bits of @mark_mask; the others are the inner packet's,
 *        and on receipt the outer one's
 * @mark_mask: 0 when it has no say
 * @flow_label: POSTERN_LABEL_FIXED and the label of tunnel mode, or 0
 * @ttl: of tunnel mode; 0 for the route's
 * @ds_keep: bits of the inner traffic class that the outer one has
 * @ds_set: its other bits
 */
struct postern_outer {
	u32 mark;
	u32 mark_mask;
	u32 flow_label;
	u16 ttl;
	u8 ds_keep;
	u8 ds_set;
};

/**
 * struct postern_sa - one direction of protection
 *
 * Read by each packet:
 * @key: destination, protocol, SPI [I]
 * @src: source address; in transport mode zero for any [I]
 * @mode: enum postern_mode [I]
 * @dir: enum postern_dir; 0 when it may serve both [I]
 * @ipv4: the outer header is IPv4 [I]
 * @counted: byte or packet limits exist: @spent_bytes, @spent_packets are kept [C]
 * @flags: POSTERN_SA_FLAG_* [I]
 * @outer: header and mark of the outer packet [I]
 * @encap: ports of UDP around ESP as they stand in its header, in one word so that they
 *         change together; 0 for none [C, read by packets]
 * @reqid: ties it to templates [I]
 * @tfcpad: octets, up to which packets are padded inside of ESP; 0 when they are not [I]
 * @state: enum postern_sa_state; only ever grows [C, read anywhere]
 * @transform: algorithm [I]
 * @flow_hash: of all its packets [I]
 * @seqno: outbound numbers [I]; NULL for a larval SA
 * @selector: what it may carry; NULL for anything [R]
 * @stats: bytes and packets [P]
 * @route: route of the outer packet [P]
 * @path_mtu: learned from ICMP until @path_mtu_end; 0 for never
 * @path_mtu_end: jiffies
 *
 * Written by packets:
 * @lock: protects @replay
 * @replay: anti-replay window [L]
 * @spent_bytes: as in @stats, exact [A]
 * @spent_packets: [A]
 * @second: monotonic seconds of last use
 * @last_used: seconds since boot, written with @second
 * @use_time: first use; 0 for never; seconds since boot, written once
 * @heard: an authentic packet came
 * @exhausted: the last outbound number was used, which is a hard limit
 * @keepalive: seconds without a packet after which a NAT keepalive is sent; 0 for never
 *             [C, read by packets]
 * @keepalive_sent: seconds since boot [C]
 * @mapping_told: jiffies when it was last told that the peer has another address or port
 * @drops: by reason [A]
 *
 * Configuration:
 * @hash: in postern_sad.table [C]
 * @original: address of the peer before a NAT; 0 when not known [I]
 * @id: never used again while the namespace lives [I]
 * @owner: who made it [C]
 * @add_time: seconds since boot, asleep or awake [I]
 * @epoch: the wall clock's seconds at boot [I]
 * @base: usage before this object existed, handed over by who added the SA [I]
 * @life: limits [C, read by packets without order]
 * @soft_told: a soft limit was reported [C]
 * @heard_told: it was told that the peer uses the SA [C]
 * @next_limit: seconds since boot when a limit in time comes [C, read by packets]
 * @keys: for replies that ask for them [I]
 * @slot: by what templates find it: with its reqid, and with none [S]
 * @slot_link: in postern_slot.sas [S]
 * @timer: next limit in time, or a packet has met a limit
 * @pn: namespace [I]
 * @refs: the table, each packet in the crypto API, @timer while it is armed [P]
 * @free_work: the end, after a grace period
 */
struct postern_sa {
	struct postern_sa_key key;
	union nf_inet_addr src;
	u8 mode;
	u8 dir;
	bool ipv4;
	bool counted;
	u32 flags;
	struct postern_outer outer;
	__be32 encap;
	u32 reqid;
	u32 state;
	u16 tfcpad;
	u32 flow_hash;
	struct postern_transform transform;
	struct postern_seqno *seqno;
	struct postern_sa_selector __rcu *selector;
	struct postern_sa_stats __percpu *stats;
	struct dst_cache route;
	u32 path_mtu;
	unsigned long path_mtu_end;

	spinlock_t lock ____cacheline_aligned_in_smp;	/* replay */
	struct postern_replay replay;
	atomic64_t spent_bytes;
	atomic64_t spent_packets;
	time64_t second;
	time64_t last_used;
	time64_t use_time;
	bool heard;
	bool exhausted;
	u32 keepalive;
	time64_t keepalive_sent;
	unsigned long mapping_told;

	struct rhash_head hash ____cacheline_aligned_in_smp;
	union nf_inet_addr original;
	u64 id;
	u32 owner;
	time64_t add_time;
	time64_t epoch;
	struct postern_usage base;
	struct postern_lifetime life;
	bool soft_told;
	bool heard_told;
	time64_t next_limit;
	struct postern_algo_key *keys;
	struct postern_slot *slot[2];
	struct list_head slot_link[2];
	struct delayed_work timer;
	struct postern_net *pn;
	struct percpu_ref refs;
	struct rcu_work free_work;
	atomic64_t drops[POSTERN_DROP_COUNT];
};

struct postern_sa *postern_sa_alloc(struct postern_net *pn);
int postern_sa_arm(struct postern_sa *sa, u32 window,
		   struct netlink_ext_ack *extack);
void postern_sa_free_unpublished(struct postern_sa *sa);
void postern_sa_usage(const struct postern_sa *sa, struct postern_usage *usage);
static inline bool postern_sa_hold(struct postern_sa *sa)
{
	return percpu_ref_tryget_live(&sa->refs);
}

/* Context: any. The end comes later, in process context. */
static inline void postern_sa_put(struct postern_sa *sa)
{
	percpu_ref_put(&sa->refs);
}

/* Of one that was taken out of the table: it ends with the last packet in flight. */
static inline void postern_sa_kill(struct postern_sa *sa)
{
	percpu_ref_kill(&sa->refs);
}

/* May packets use it?  A dying SA works until its hard limit. */
static inline bool postern_sa_usable(const struct postern_sa *sa)
{
	u32 state = READ_ONCE(sa->state);

	return state == POSTERN_SA_STATE_VALID || state == POSTERN_SA_STATE_DYING;
}

/* Transport mode: may packets have this source?  One SA may serve many. */
static inline bool postern_sa_of_source(const struct postern_sa *sa,
					const union nf_inet_addr *src)
{
	return postern_addr_equal(&sa->src, src) || postern_addr_any(&sa->src);
}

/* Largest packet that the path is known to take; 0 when nothing is known. */
static inline unsigned int postern_sa_path_mtu(const struct postern_sa *sa)
{
	unsigned int mtu = READ_ONCE(sa->path_mtu);

	if (likely(!mtu) || time_after_eq(jiffies, READ_ONCE(sa->path_mtu_end)))
		return 0;
	return mtu;
}

/* Octets of the IP header in front in tunnel mode. */
static inline unsigned int postern_sa_outer_len(const struct postern_sa *sa)
{
	return sa->ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
}

/* Octets of the UDP header in front of ESP. */
static inline unsigned int postern_encap_len(__be32 encap)
{
	return encap ? sizeof(struct udphdr) : 0;
}

static inline __be16 postern_encap_sport(__be32 encap)
{
	return htons(ntohl(encap) >> 16);
}

static inline __be16 postern_encap_dport(__be32 encap)
{
	return htons(ntohl(encap) & U16_MAX);
}

/* The mark of what leaves a transform, of that of what came to it. */
static inline u32 postern_sa_mark(const struct postern_sa *sa, u32 mark)
{
	return (mark & ~sa->outer.mark_mask) | sa->outer.mark;
}

/* The last number that a packet may have (RFC 4303 section 3.3.3); IPComp has none. */
static inline u64 postern_sa_last_number(const struct postern_sa *sa)
{
	return sa->flags & POSTERN_SA_FLAG_ESN || sa->key.proto == IPPROTO_COMP ?
	       POSTERN_SEQNO_ESN_LAST : U32_MAX;
}

static inline struct postern_drop_site
postern_sa_site(struct postern_stats __percpu *stats, struct postern_sa *sa)
{
	return (struct postern_drop_site) {
		.stats = stats,
		.sa_drops = sa->drops,
		.spi = sa->key.spi,
	};
}

#endif
