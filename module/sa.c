// SPDX-License-Identifier: GPL-2.0
#include <linux/in.h>
#include <linux/jhash.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/ktime.h>
#include "expire.h"
#include "net.h"

static void sa_destroy(struct postern_sa *sa)
{
	struct postern_net *pn = sa->pn;

	if (sa->seqno)
		postern_seqno_put(pn->seqnos, sa->seqno);
	postern_transform_free(&sa->transform);
	postern_replay_free(&sa->replay);
	percpu_ref_exit(&sa->refs);
	dst_cache_destroy(&sa->route);
	free_percpu(sa->stats);
	kfree(rcu_dereference_protected(sa->selector, true));
	kfree_sensitive(sa->keys);
	kfree(sa);
	if (atomic_dec_and_test(&pn->sad.alive))
		wake_up_var(&pn->sad.alive);	/* by its address alone: it may be gone */
}

static void sa_free_work(struct work_struct *work)
{
	sa_destroy(container_of(to_rcu_work(work), struct postern_sa, free_work));
}

static void sa_released(struct percpu_ref *refs)
{
	struct postern_sa *sa = container_of(refs, struct postern_sa, refs);

	queue_rcu_work(sa->pn->wq, &sa->free_work);
}

/**
 * postern_sa_alloc - make a larval SA
 * @pn: namespace
 *
 * Return: an SA that nobody sees yet, or NULL without memory.
 * Context: process, configuration lock held.
 */
struct postern_sa *postern_sa_alloc(struct postern_net *pn)
{
	struct postern_sa *sa = kzalloc(sizeof(*sa), GFP_KERNEL_ACCOUNT);

	if (!sa)
		return NULL;
	sa->keys = kcalloc(POSTERN_ALGO_KINDS, sizeof(*sa->keys),
			   GFP_KERNEL_ACCOUNT);
	sa->stats = alloc_percpu_gfp(struct postern_sa_stats, GFP_KERNEL_ACCOUNT);
	if (!sa->keys || !sa->stats || dst_cache_init(&sa->route, GFP_KERNEL_ACCOUNT))
		goto err;
	if (percpu_ref_init(&sa->refs, sa_released, 0, GFP_KERNEL_ACCOUNT)) {
		dst_cache_destroy(&sa->route);
		goto err;
	}
	sa->pn = pn;
	sa->id = ++pn->sad.last_id;
	sa->state = POSTERN_SA_STATE_LARVAL;
	sa->mapping_told = jiffies - HZ;
	sa->add_time = ktime_get_boottime_seconds();
	sa->epoch = ktime_get_real_seconds() - sa->add_time;
	memset(&sa->life, 0xff, sizeof(sa->life));	/* POSTERN_UNLIMITED */
	spin_lock_init(&sa->lock);
	INIT_LIST_HEAD(&sa->slot_link[0]);
	INIT_LIST_HEAD(&sa->slot_link[1]);
	INIT_DELAYED_WORK(&sa->timer, postern_sa_timer);
	INIT_RCU_WORK(&sa->free_work, sa_free_work);
	atomic_inc(&pn->sad.alive);
	return sa;

err:
	free_percpu(sa->stats);
	kfree(sa->keys);
	kfree(sa);
	return NULL;
}

/* Wall clock to seconds since boot, never 0, which says never. */
static time64_t to_boottime(const struct postern_sa *sa, u64 real)
{
	time64_t boot = real - sa->epoch;

	return boot ? boot : 1;
}

/* IPComp only counts, and has no key: what others may know must not lead them to it. */
static struct postern_seqno *get_count(struct postern_sa *sa)
{
	struct {
		u64 secret;
		struct postern_sa_key key;
	} __packed name = { sa->pn->secret, sa->key };

	return postern_seqno_get(sa->pn->seqnos, (u8 *)&name, sizeof(name));
}

/**
 * postern_sa_arm - give a larval SA its algorithms
 * @sa: not published; key.proto, flags, keys and base filled in
 * @window: anti-replay window in packets
 * @extack: says what was refused
 *
 * Return: 0 and the SA is valid; or a negative error.
 * Context: process, configuration lock held; may load modules.
 */
int postern_sa_arm(struct postern_sa *sa, u32 window,
		   struct netlink_ext_ack *extack)
{
	const struct postern_algo_key *key;
	int err;

	err = postern_transform_init(&sa->transform, sa->key.proto, sa->flags,
				     sa->keys, extack);
	if (err)
		return err;
	err = postern_replay_init(&sa->replay, window);
	if (err)
		return err;
	key = postern_transform_number_key(sa->keys);
	if (sa->key.proto == IPPROTO_COMP)
		sa->seqno = get_count(sa);
	else
		sa->seqno = postern_seqno_get(sa->pn->seqnos, key->key,
					      key->key_len);
	if (!sa->seqno)
		return -ENOMEM;

	if (sa->base.add_time)
		sa->add_time = to_boottime(sa, sa->base.add_time);
	if (sa->base.use_time) {
		sa->use_time = to_boottime(sa, sa->base.use_time);
		sa->heard = true;
		sa->heard_told = true;
	}
	if (sa->base.last_used)
		sa->last_used = to_boottime(sa, sa->base.last_used);
	atomic64_set(&sa->spent_bytes, sa->base.bytes);
	atomic64_set(&sa->spent_packets, sa->base.packets);
	sa->flow_hash = jhash(&sa->key, sizeof(sa->key), 0);
	sa->state = POSTERN_SA_STATE_VALID;
	return 0;
}

/* Of an SA that never was in a table. Context: process. */
void postern_sa_free_unpublished(struct postern_sa *sa)
{
	sa_destroy(sa);
}

static u64 to_real(const struct postern_sa *sa, time64_t boot)
{
	return boot ? sa->epoch + boot : 0;
}

/* Context: any. */
void postern_sa_usage(const struct postern_sa *sa, struct postern_usage *usage)
{
	int cpu;

	usage->bytes = sa->base.bytes;
	usage->packets = sa->base.packets;
	for_each_possible_cpu(cpu) {
		usage->bytes += READ_ONCE(per_cpu_ptr(sa->stats, cpu)->bytes);
		usage->packets += READ_ONCE(per_cpu_ptr(sa->stats, cpu)->packets);
	}
	usage->add_time = to_real(sa, sa->add_time);
	usage->use_time = to_real(sa, READ_ONCE(sa->use_time));
	usage->last_used = to_real(sa, READ_ONCE(sa->last_used));
}
