// SPDX-License-Identifier: GPL-2.0
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/ktime.h>
#include "seqno.h"

void postern_seqnos_init(struct postern_seqnos *all)
{
	unsigned int i;

	for (i = 0; i < POSTERN_SEQNO_BUCKETS; i++)
		INIT_HLIST_HEAD(&all->table[i]);
	INIT_LIST_HEAD(&all->idle);
	all->idle_count = 0;
	get_random_bytes(&all->secret, sizeof(all->secret));
}

static void forget(struct postern_seqnos *all, struct postern_seqno *seqno)
{
	list_del(&seqno->idle);
	hlist_del(&seqno->node);
	all->idle_count--;
	kfree(seqno);
}

/* All SAs are gone. */
void postern_seqnos_exit(struct postern_seqnos *all)
{
	struct postern_seqno *seqno, *next;

	list_for_each_entry_safe(seqno, next, &all->idle, idle)
		forget(all, seqno);
	memzero_explicit(&all->secret, sizeof(all->secret));
}

/* Too old or too many: the oldest go. */
static void expire_idle(struct postern_seqnos *all)
{
	time64_t limit = ktime_get_boottime_seconds() - POSTERN_SEQNO_IDLE_SEC;
	struct postern_seqno *seqno, *next;

	list_for_each_entry_safe(seqno, next, &all->idle, idle) {
		if (seqno->idle_since > limit &&
		    all->idle_count <= POSTERN_SEQNO_IDLE_MAX)
			break;
		forget(all, seqno);
	}
}

/**
 * postern_seqno_get - the counter of a key
 * @all: counters of the namespace
 * @key: what must never meet a number twice
 * @len: octets
 *
 * Return: the counter with a reference, or NULL without memory.
 * Context: process, configuration lock held.
 */
struct postern_seqno *postern_seqno_get(struct postern_seqnos *all,
					const u8 *key, size_t len)
{
	u64 hash = siphash(key, len, &all->secret);
	struct hlist_head *head = &all->table[hash % POSTERN_SEQNO_BUCKETS];
	struct postern_seqno *seqno;

	hlist_for_each_entry(seqno, head, node) {
		if (seqno->key != hash)
			continue;
		if (!seqno->users++) {
			list_del_init(&seqno->idle);
			all->idle_count--;
		}
		return seqno;
	}

	seqno = kzalloc(sizeof(*seqno), GFP_KERNEL);
	if (!seqno)
		return NULL;
	INIT_LIST_HEAD(&seqno->idle);
	seqno->key = hash;
	seqno->users = 1;
	hlist_add_head(&seqno->node, head);
	return seqno;
}

/**
 * postern_seqno_put - an SA lets go of its counter
 * @all: counters of the namespace
 * @seqno: counter
 *
 * The counter is remembered only when it was used.
 * Context: process, configuration lock held; no packet uses the SA any more.
 */
void postern_seqno_put(struct postern_seqnos *all, struct postern_seqno *seqno)
{
	if (--seqno->users)
		return;
	if (!atomic64_read(&seqno->last)) {
		hlist_del(&seqno->node);
		kfree(seqno);
		return;
	}
	seqno->idle_since = ktime_get_boottime_seconds();
	list_add_tail(&seqno->idle, &all->idle);
	all->idle_count++;
	expire_idle(all);
}

/* Never moves back. */
void postern_seqno_raise(struct postern_seqno *seqno, u64 last)
{
	u64 now = atomic64_read(&seqno->last);

	while (now < last) {
		u64 seen = atomic64_cmpxchg(&seqno->last, now, last);

		if (seen == now)
			break;
		now = seen;
	}
}
