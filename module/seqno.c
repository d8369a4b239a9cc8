// SPDX-License-Identifier: GPL-2.0
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/ktime.h>
#include <net/net_namespace.h>
#include "seqno.h"

static struct postern_seqnos of_host, of_users;

/* The table that a namespace's keys are in. */
struct postern_seqnos *postern_seqnos_of(const struct net *net)
{
	return net->user_ns == &init_user_ns ? &of_host : &of_users;
}

static void seqnos_init(struct postern_seqnos *all)
{
	mutex_init(&all->lock);
	INIT_LIST_HEAD(&all->idle);
	get_random_bytes(&all->secret, sizeof(all->secret));
}

void postern_seqno_init(void)
{
	seqnos_init(&of_host);
	seqnos_init(&of_users);
}

static void forget(struct postern_seqnos *all, struct postern_seqno *seqno)
{
	list_del(&seqno->idle);
	hlist_del(&seqno->node);
	all->idle_count--;
	kfree(seqno);
}

static void seqnos_exit(struct postern_seqnos *all)
{
	struct postern_seqno *seqno, *next;

	list_for_each_entry_safe(seqno, next, &all->idle, idle)
		forget(all, seqno);
	memzero_explicit(&all->secret, sizeof(all->secret));
}

/* All SAs are gone. */
void postern_seqno_exit(void)
{
	seqnos_exit(&of_host);
	seqnos_exit(&of_users);
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
 * @all: table
 * @key: what must never meet a number twice
 * @len: octets
 *
 * Return: the counter with a reference, or NULL without memory.
 * Context: process.
 */
struct postern_seqno *postern_seqno_get(struct postern_seqnos *all,
					const u8 *key, size_t len)
{
	u64 hash = siphash(key, len, &all->secret);
	struct hlist_head *head = &all->table[hash % POSTERN_SEQNO_BUCKETS];
	struct postern_seqno *seqno, *fresh;

	/* not under the lock, which other namespaces wait for */
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return NULL;
	INIT_LIST_HEAD(&fresh->idle);
	fresh->key = hash;
	fresh->users = 1;

	mutex_lock(&all->lock);
	hlist_for_each_entry(seqno, head, node) {
		if (seqno->key != hash)
			continue;
		if (!seqno->users++) {
			list_del_init(&seqno->idle);
			all->idle_count--;
		}
		mutex_unlock(&all->lock);
		kfree(fresh);
		return seqno;
	}
	hlist_add_head(&fresh->node, head);
	mutex_unlock(&all->lock);
	return fresh;
}

/**
 * postern_seqno_put - an SA lets go of its counter
 * @all: table that it is in
 * @seqno: counter
 *
 * The counter is remembered only when it was used.
 * Context: process; no packet uses the SA any more.
 */
void postern_seqno_put(struct postern_seqnos *all, struct postern_seqno *seqno)
{
	mutex_lock(&all->lock);
	if (--seqno->users)
		goto unlock;
	if (!atomic64_read(&seqno->last)) {
		hlist_del(&seqno->node);
		kfree(seqno);
		goto unlock;
	}
	seqno->idle_since = ktime_get_boottime_seconds();
	list_add_tail(&seqno->idle, &all->idle);
	all->idle_count++;
	expire_idle(all);
unlock:
	mutex_unlock(&all->lock);
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
