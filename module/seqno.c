// SPDX-License-Identifier: GPL-2.0
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/ktime.h>
#include <linux/user_namespace.h>
#include <net/net_namespace.h>
#include "seqno.h"

static LIST_HEAD(tables);
static DEFINE_MUTEX(tables_lock);

/*
 * Who on the host made the outermost user namespace around @net.  Within it users can be
 * had without end.
 */
static kuid_t owner_of(const struct net *net)
{
	const struct user_namespace *ns = net->user_ns;

	if (ns == &init_user_ns)
		return INVALID_UID;
	while (ns->parent != &init_user_ns)
		ns = ns->parent;
	return ns->owner;
}

static void forget(struct postern_seqnos *all, struct postern_seqno *seqno)
{
	list_del(&seqno->idle);
	hlist_del(&seqno->node);
	all->idle_count--;
	kfree(seqno);
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

static void seqnos_free(struct postern_seqnos *all)
{
	struct postern_seqno *seqno, *next;

	list_for_each_entry_safe(seqno, next, &all->idle, idle)
		forget(all, seqno);
	list_del(&all->node);
	kfree_sensitive(all);
}

/**
 * postern_seqnos_get - the table that the keys of a namespace are in
 * @net: namespace
 *
 * Return: the table with a reference, or NULL without memory.
 * Context: process.
 */
struct postern_seqnos *postern_seqnos_get(const struct net *net)
{
	kuid_t owner = owner_of(net);
	struct postern_seqnos *all;

	mutex_lock(&tables_lock);
	list_for_each_entry(all, &tables, node)
		if (uid_eq(all->owner, owner))
			goto found;
	all = kzalloc(sizeof(*all), GFP_KERNEL_ACCOUNT);
	if (!all)
		goto unlock;
	mutex_init(&all->lock);
	INIT_LIST_HEAD(&all->idle);
	get_random_bytes(&all->secret, sizeof(all->secret));
	all->owner = owner;
	list_add(&all->node, &tables);
found:
	all->nets++;
unlock:
	mutex_unlock(&tables_lock);
	return all;
}

/**
 * postern_seqnos_put - a namespace has no keys any more
 * @all: table that they were in
 *
 * Tables without a namespace go with the last counter in them.
 * Context: process.
 */
void postern_seqnos_put(struct postern_seqnos *all)
{
	struct postern_seqnos *next;

	mutex_lock(&tables_lock);
	all->nets--;
	list_for_each_entry_safe(all, next, &tables, node) {
		if (all->nets)
			continue;
		expire_idle(all);
		if (list_empty(&all->idle))
			seqnos_free(all);
	}
	mutex_unlock(&tables_lock);
}

/* All namespaces are gone. */
void postern_seqno_exit(void)
{
	struct postern_seqnos *all, *next;

	list_for_each_entry_safe(all, next, &tables, node)
		seqnos_free(all);
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

	/* not under the lock, which the user's other namespaces wait for */
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
