/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A number is never used twice with a key.
 *
 * Outbound sequence numbers, which are also the IVs of counter modes, belong to a
 * key, not to an SA: all SAs that have the same key, in whatever namespace, draw from
 * the same counter, and the counter outlives them for a while.  So neither a daemon
 * that deletes and adds an SA, nor two SAs with one key, can repeat a number.  One
 * without an SA is forgotten after POSTERN_SEQNO_IDLE_SEC, when POSTERN_SEQNO_IDLE_MAX
 * younger ones are there, and at the end of the module.
 *
 * The host has a table of its own, and so has each of its users who makes user
 * namespaces, root as well: none pushes the keys of another out of memory.
 */
#ifndef _POSTERN_SEQNO_H
#define _POSTERN_SEQNO_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/siphash.h>
#include <linux/uidgid.h>

/*
 * The last number of an SA with ESN.  RFC 4303 section 3.3.3 allows 2^32 more; left
 * out, they are room for the packets that find no number left and count on.
 */
#define POSTERN_SEQNO_ESN_LAST	((u64)U32_MAX << 32)

#define POSTERN_SEQNO_IDLE_MAX	16384		/* counters without an SA */
#define POSTERN_SEQNO_IDLE_SEC	86400		/* how long one is remembered */
#define POSTERN_SEQNO_BUCKETS	1024

struct net;

/**
 * struct postern_seqno - the counter of a key
 * @last: number given last [A]
 * @node: in the table [N]
 * @idle: among the counters without an SA, oldest first [N]
 * @key: keyed hash of the key
 * @users: SAs [N]
 * @idle_since: boot time in seconds when the last SA went [N]
 */
struct postern_seqno {
	atomic64_t last ____cacheline_aligned_in_smp;
	struct hlist_node node ____cacheline_aligned_in_smp;
	struct list_head idle;
	u64 key;
	unsigned int users;
	time64_t idle_since;
};

/**
 * struct postern_seqnos - counters of the keys of one user
 * @node: among all tables [N]
 * @owner: user of the host; INVALID_UID is the host itself [I]
 * @nets: network namespaces [N]
 * @lock: the rest
 * @table: by the hash of the key [N]
 * @idle: counters without an SA, oldest first [N]
 * @idle_count: how many [N]
 * @secret: makes hashes of keys, which are not kept [I]
 */
struct postern_seqnos {
	struct list_head node;
	kuid_t owner;
	unsigned int nets;
	struct mutex lock;
	struct hlist_head table[POSTERN_SEQNO_BUCKETS];
	struct list_head idle;
	unsigned int idle_count;
	siphash_key_t secret;
};

void postern_seqno_exit(void);
struct postern_seqnos *postern_seqnos_get(const struct net *net);
void postern_seqnos_put(struct postern_seqnos *all);
struct postern_seqno *postern_seqno_get(struct postern_seqnos *all,
					const u8 *key, size_t len);
void postern_seqno_put(struct postern_seqnos *all, struct postern_seqno *seqno);
void postern_seqno_raise(struct postern_seqno *seqno, u64 last);

/* A number that nobody else gets. */
static inline u64 postern_seqno_take(struct postern_seqno *seqno)
{
	return atomic64_inc_return(&seqno->last);
}

/* May a packet have had a number that ends in @low? */
static inline bool postern_seqno_used(const struct postern_seqno *seqno, u32 low)
{
	u64 last = atomic64_read(&seqno->last);

	return (u32)(last - low) < last;
}

#endif
