// SPDX-License-Identifier: GPL-2.0
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include "expire.h"
#include "net.h"

/* Who asks for a unicast SA does not pay for the sender. */
static u32 sa_hash(const void *data, u32 len, u32 seed)
{
	const struct postern_sa_key *key = data;

	if (likely(postern_addr_any(&key->src)))
		len = offsetof(struct postern_sa_key, src);
	return jhash2(data, len / sizeof(u32), seed);
}

static const struct rhashtable_params sa_params = {
	.key_len = sizeof(struct postern_sa_key),
	.hashfn = sa_hash,
	.key_offset = offsetof(struct postern_sa, key),
	.head_offset = offsetof(struct postern_sa, hash),
	.automatic_shrinking = true,
};

static const struct rhashtable_params slot_params = {
	.key_len = sizeof(struct postern_slot_key),
	.key_offset = offsetof(struct postern_slot, key),
	.head_offset = offsetof(struct postern_slot, hash),
	.automatic_shrinking = true,
};

int postern_sad_init(struct postern_sad *sad, struct postern_net *pn,
		     work_func_t hold_timer,
		     void (*keepalive)(struct postern_sa *sa))
{
	int err;

	err = rhashtable_init(&sad->table, &sa_params);
	if (err)
		return err;
	err = rhashtable_init(&sad->slots, &slot_params);
	if (err) {
		rhashtable_destroy(&sad->table);
		return err;
	}
	spin_lock_init(&sad->slot_lock);
	INIT_LIST_HEAD(&sad->waiting);
	sad->asked = jiffies;
	sad->unheard = jiffies - HZ;
	xa_init_flags(&sad->by_id, XA_FLAGS_ACCOUNT);
	sad->hold_timer = hold_timer;
	sad->keepalive = keepalive;
	sad->pn = pn;
	return 0;
}

/* All SAs and slots were freed. */
void postern_sad_exit(struct postern_sad *sad)
{
	rhashtable_destroy(&sad->slots);
	rhashtable_destroy(&sad->table);
	xa_destroy(&sad->by_id);
}

/**
 * postern_sad_lookup - find the SA that a packet names
 * @sad: database
 * @key: destination, protocol, SPI
 *
 * Return: the SA or NULL. Context: RCU read side, or configuration lock held.
 */
struct postern_sa *postern_sad_lookup(struct postern_sad *sad,
				      const struct postern_sa_key *key)
{
	return rhashtable_lookup_fast(&sad->table, key, sa_params);
}

/**
 * postern_sad_lookup_from - find the SA that a sender's packet names
 * @sad: database
 * @key: destination, protocol, SPI
 * @src: sender
 *
 * For a multicast group that of the sender comes before that of all (RFC 4301 section
 * 4.1).
 *
 * Return: the SA or NULL. Context: RCU read side.
 */
struct postern_sa *postern_sad_lookup_from(struct postern_sad *sad,
					   const struct postern_sa_key *key,
					   const union nf_inet_addr *src)
{
	struct postern_sa_key from = *key;
	struct postern_sa *sa = NULL;

	if (postern_addr_multicast(&key->dst, key->family)) {
		from.src = *src;
		sa = postern_sad_lookup(sad, &from);
	}
	return sa ? sa : postern_sad_lookup(sad, key);
}

/**
 * postern_sad_next - walk all SAs in the order in which they were made
 * @sad: database
 * @after: id of the SA before, 0 to begin
 *
 * Return: the next SA or NULL. Context: configuration lock held.
 */
struct postern_sa *postern_sad_next(struct postern_sad *sad, u64 after)
{
	unsigned long id = after;

	return xa_find_after(&sad->by_id, &id, ULONG_MAX, XA_PRESENT);
}

/**
 * postern_sad_find - find the SA that a request names
 * @sad: database
 * @key: destination, protocol, SPI; that of a group is anybody's
 *
 * Return: the SA or NULL. Context: configuration lock held.
 */
struct postern_sa *postern_sad_find(struct postern_sad *sad,
				    const struct postern_sa_key *key)
{
	struct postern_sa *sa = postern_sad_lookup(sad, key);
	struct postern_sa_key all = *key;

	if (sa || !postern_addr_multicast(&key->dst, key->family) ||
	    !postern_addr_any(&key->src))
		return sa;
	while ((sa = postern_sad_next(sad, sa ? sa->id : 0))) {
		all.src = sa->key.src;
		if (!memcmp(&all, &sa->key, sizeof(all)))
			return sa;
	}
	return NULL;
}

static void slot_free_work(struct work_struct *work)
{
	struct postern_slot *slot = container_of(to_rcu_work(work),
						 struct postern_slot, free_work);
	struct postern_sad *sad = slot->sad;

	kfree(slot);
	if (atomic_dec_and_test(&sad->alive))
		wake_up_var(&sad->alive);
}

/**
 * postern_slot_get - the slot of a template, made if need be
 * @sad: database
 * @key: template
 * @gfp: how to allocate
 *
 * Return: the slot with a user more, or NULL without memory.
 * Context: process or softirq.
 */
struct postern_slot *postern_slot_get(struct postern_sad *sad,
				      const struct postern_slot_key *key,
				      gfp_t gfp)
{
	struct postern_slot *slot, *fresh;

	fresh = kzalloc(sizeof(*fresh), gfp);
	if (!fresh)
		return NULL;
	fresh->key = *key;
	fresh->sad = sad;
	fresh->users = 1;
	INIT_LIST_HEAD(&fresh->sas[0]);
	INIT_LIST_HEAD(&fresh->sas[1]);
	skb_queue_head_init(&fresh->held);
	INIT_DELAYED_WORK(&fresh->deadline, sad->hold_timer);
	INIT_RCU_WORK(&fresh->free_work, slot_free_work);

	spin_lock_bh(&sad->slot_lock);
	slot = rhashtable_lookup_fast(&sad->slots, key, slot_params);
	if (slot) {
		slot->users++;
	} else if (!rhashtable_insert_fast(&sad->slots, &fresh->hash,
					   slot_params)) {
		atomic_inc(&sad->alive);
		slot = fresh;
	}
	spin_unlock_bh(&sad->slot_lock);
	if (slot != fresh)
		kfree(fresh);
	return slot;
}

/**
 * postern_slot_kick - end the wait of a slot's packets
 * @slot: slot that has a user
 * @delay: jiffies from now
 *
 * The work holds a user while it is pending: it may be queued again while it runs.
 */
void postern_slot_kick(struct postern_slot *slot, unsigned long delay)
{
	lockdep_assert_held(&slot->sad->slot_lock);
	if (!mod_delayed_work(slot->sad->pn->wq, &slot->deadline, delay))
		slot->users++;
}

static void slot_put_locked(struct postern_slot *slot)
{
	if (--slot->users)
		return;
	rhashtable_remove_fast(&slot->sad->slots, &slot->hash, slot_params);
	queue_rcu_work(slot->sad->pn->wq, &slot->free_work);
}

void postern_slot_put(struct postern_slot *slot)
{
	struct postern_sad *sad = slot->sad;

	spin_lock_bh(&sad->slot_lock);
	slot_put_locked(slot);
	spin_unlock_bh(&sad->slot_lock);
}

/* Context: RCU read side. */
struct postern_slot *postern_slot_lookup(struct postern_sad *sad,
					 const struct postern_slot_key *key)
{
	return rhashtable_lookup_fast(&sad->slots, key, slot_params);
}

/**
 * postern_sad_stored - the tunnel of IPComp that a packet in a packet is of
 * @sad: database
 * @flow: of the outer packet
 * @reqid: that of the SA which has brought it; one of the same comes first
 *
 * What was not worth compressing has no CPI (RFC 3173 section 2.2).
 *
 * Return: the newest such SA or NULL.  Context: RCU read side.
 */
struct postern_sa *postern_sad_stored(struct postern_sad *sad, const struct postern_flow *flow,
				      u32 reqid)
{
	struct postern_slot_key key = {
		.src = flow->src,
		.dst = flow->dst,
		.reqid = reqid,
		.family = flow->family,
		.proto = IPPROTO_COMP,
		.mode = POSTERN_MODE_TUNNEL,
	};
	struct postern_slot *slot = postern_slot_lookup(sad, &key);

	if (!slot && reqid) {
		key.reqid = 0;
		slot = postern_slot_lookup(sad, &key);
	}
	return slot ? rcu_dereference(slot->current_sa) : NULL;
}

/**
 * postern_slot_ready - is there an SA for packets that leave?
 * @slot: slot; what IPComp keeps there of packets that come serves none that leave
 *
 * Context: slot_lock held.
 */
bool postern_slot_ready(const struct postern_slot *slot)
{
	const struct postern_sa *sa =
		rcu_dereference_protected(slot->current_sa,
					  lockdep_is_held(&slot->sad->slot_lock));

	return sa && sa->dir != POSTERN_DIR_IN;
}

/*
 * The newest that packets may use; who waits for one is woken.  SAs join in the order
 * of their ids, and those that may not be used are about to leave.
 */
static void slot_choose(struct postern_slot *slot)
{
	struct postern_sa *sa, *best = NULL;
	int i;

	for (i = 0; i < 2; i++)
		list_for_each_entry_reverse(sa, &slot->sas[i], slot_link[i]) {
			if (best && sa->id < best->id)
				break;
			if (postern_sa_usable(sa)) {
				best = sa;
				break;
			}
		}
	rcu_assign_pointer(slot->current_sa, best);
	if (slot->waiting && postern_slot_ready(slot))
		postern_slot_kick(slot, 0);
}

/* Which templates it serves: those of its reqid, and those of any. */
static int slots_prepare(struct postern_sad *sad, struct postern_sa *sa)
{
	struct postern_slot_key key = {
		.src = sa->src,
		.dst = sa->key.dst,
		.reqid = sa->reqid,
		.family = sa->key.family,
		.proto = sa->key.proto,
		.mode = sa->mode,
	};

	/* of inbound ones postern_sad_stored() finds IPComp so */
	if (sa->dir == POSTERN_DIR_IN && sa->key.proto != IPPROTO_COMP)
		return 0;
	sa->slot[0] = postern_slot_get(sad, &key, GFP_KERNEL_ACCOUNT);
	if (!sa->slot[0])
		return -ENOMEM;
	if (!sa->reqid)
		return 0;
	key.reqid = 0;
	sa->slot[1] = postern_slot_get(sad, &key, GFP_KERNEL_ACCOUNT);
	if (sa->slot[1])
		return 0;
	postern_slot_put(sa->slot[0]);
	sa->slot[0] = NULL;
	return -ENOMEM;
}

static void slots_join(struct postern_sad *sad, struct postern_sa *sa)
{
	int i;

	spin_lock_bh(&sad->slot_lock);
	for (i = 0; i < 2; i++)
		if (sa->slot[i]) {
			list_add_tail(&sa->slot_link[i], &sa->slot[i]->sas[i]);
			slot_choose(sa->slot[i]);
		}
	spin_unlock_bh(&sad->slot_lock);
}

static void slots_leave(struct postern_sad *sad, struct postern_sa *sa)
{
	int i;

	spin_lock_bh(&sad->slot_lock);
	for (i = 0; i < 2; i++)
		if (sa->slot[i]) {
			list_del_init(&sa->slot_link[i]);
			slot_choose(sa->slot[i]);
			slot_put_locked(sa->slot[i]);
			sa->slot[i] = NULL;
		}
	spin_unlock_bh(&sad->slot_lock);
}

static void sa_unpublished(struct postern_sad *sad, struct postern_sa *sa)
{
	xa_erase(&sad->by_id, sa->id);
	WRITE_ONCE(sa->state, POSTERN_SA_STATE_DEAD);
	slots_leave(sad, sa);
	postern_sa_unschedule(sa);
	postern_sa_kill(sa);
}

/**
 * postern_sad_add - publish an SA
 * @sad: database
 * @sa: valid, or larval; on success the database takes over its reference
 * @larval: SA of the same key that it takes the place of, or NULL
 *
 * Return: 0, -EEXIST when the key is taken, -ENOMEM.
 * Context: process, configuration lock held.
 */
int postern_sad_add(struct postern_sad *sad, struct postern_sa *sa,
		    struct postern_sa *larval)
{
	bool live = sa->state != POSTERN_SA_STATE_LARVAL;
	int err;

	err = xa_err(xa_store(&sad->by_id, sa->id, sa, GFP_KERNEL_ACCOUNT));
	if (err)
		return err;
	if (live) {
		err = slots_prepare(sad, sa);
		if (err)
			goto err_id;
	}
	if (larval)
		err = rhashtable_replace_fast(&sad->table, &larval->hash,
					      &sa->hash, sa_params);
	else
		err = rhashtable_lookup_insert_fast(&sad->table, &sa->hash,
						    sa_params);
	if (err)
		goto err_slots;

	if (larval)
		sa_unpublished(sad, larval);
	else
		WRITE_ONCE(sad->count, sad->count + 1);
	slots_join(sad, sa);
	postern_sa_schedule(sa, live ? 0 : POSTERN_LARVAL_SEC * HZ);
	return 0;

err_slots:
	slots_leave(sad, sa);
err_id:
	xa_erase(&sad->by_id, sa->id);
	return err == -EEXIST ? -EEXIST : -ENOMEM;
}

/**
 * postern_sad_reserve - choose an SPI and publish a larval SA
 * @sad: database
 * @sa: larval, its key complete but for the SPI
 * @min: lowest SPI
 * @max: highest SPI
 *
 * A random start, then the next free one: with a range that is nearly full this
 * gives up after some thousand tries.
 *
 * Return: 0, -ENOSPC, -ENOMEM. Context: process, configuration lock held.
 */
int postern_sad_reserve(struct postern_sad *sad, struct postern_sa *sa,
			u32 min, u32 max)
{
	u64 range = (u64)max - min + 1;
	u64 tries = min_t(u64, range, 4096);
	u32 start = get_random_u32();
	u64 i;
	int err;

	for (i = 0; i < tries; i++) {
		sa->key.spi = cpu_to_be32(min + (u32)((start + i) % range));
		err = postern_sad_add(sad, sa, NULL);
		if (err != -EEXIST)
			return err;
	}
	return -ENOSPC;
}

/**
 * postern_sad_remove - take an SA out
 * @sad: database
 * @sa: in the database; the caller may read it only with a reference, or under RCU
 *
 * Context: process, configuration lock held.
 */
void postern_sad_remove(struct postern_sad *sad, struct postern_sa *sa)
{
	rhashtable_remove_fast(&sad->table, &sa->hash, sa_params);
	WRITE_ONCE(sad->count, sad->count - 1);
	sa_unpublished(sad, sa);
}
