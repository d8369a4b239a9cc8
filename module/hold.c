// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that a policy says to protect while there is no SA: a key manager is asked
 * (acquire), and they wait for what it brings, bounded in number and time.
 */
#include "compat.h"
#include "notify.h"
#include "path.h"

#define HOLD_SLOT_MAX	64		/* buffers that wait for one SA */
#define HOLD_NET_MAX	4096		/* packets that wait in a namespace */
#define HOLD_TIME	(30 * HZ)
#define ASK_AGAIN	(2 * HZ)
#define ASK_WHEN_FULL	(HZ / 8)

/*
 * Queue in the slot; the lock also covers the choice of a new SA, so that a packet
 * that saw none is woken by the next.
 */
static enum postern_drop_reason enqueue(struct postern_sad *sad,
					struct postern_slot *slot,
					struct sk_buff *skb)
{
	unsigned int n = postern_drop_segs(skb);

	lockdep_assert_held(&sad->slot_lock);
	if (skb_queue_len(&slot->held) >= HOLD_SLOT_MAX ||
	    atomic_read(&sad->held) + n > HOLD_NET_MAX)
		return POSTERN_DROP_OUT_HOLD_FULL;
	/* the route of what a bridge passes is part of the bridge, which may go away */
	if (skb_dst(skb) && skb_dst(skb)->flags & DST_FAKE_RTABLE)
		return POSTERN_DROP_OUT_NO_SA;
	if (!skb_dst_force(skb))
		return POSTERN_DROP_OUT_NO_ROUTE;
	skb->dev = NULL;	/* it may go away before the packet does */
	__skb_queue_tail(&slot->held, skb);
	atomic_add(n, &sad->held);
	if (!slot->waiting) {
		slot->waiting = true;
		list_add(&slot->wait_link, &sad->waiting);
		postern_slot_kick(slot, HOLD_TIME);
	}
	if (rcu_access_pointer(slot->current_sa))
		postern_slot_kick(slot, 0);
	return 0;
}

/* What finds no place to wait leaves no trace: its acquires are limited as a whole. */
static bool may_ask(struct postern_sad *sad, struct postern_slot *slot)
{
	lockdep_assert_held(&sad->slot_lock);
	if (slot->waiting && !time_after(jiffies, slot->asked + ASK_AGAIN))
		return false;
	if (!slot->waiting && atomic_read(&sad->held) >= HOLD_NET_MAX) {
		if (!time_after(jiffies, sad->asked + ASK_WHEN_FULL))
			return false;
		sad->asked = jiffies;
	}
	slot->asked = jiffies;
	return true;
}

/**
 * postern_hold - keep a packet until there is an SA
 * @pn: namespace
 * @skb: consumed
 * @policy: that says PROTECT
 * @want: SA that it needs
 * @flow: of the packet
 *
 * Where no key manager listens the packet is dropped at once.
 *
 * Context: RCU read side.
 */
void postern_hold(struct postern_net *pn, struct sk_buff *skb,
		  const struct postern_policy *policy,
		  const struct postern_slot_key *want,
		  const struct postern_flow *flow)
{
	struct postern_drop_site site = {
		.stats = pn->stats,
		.policy = policy->index,
	};
	struct postern_sad *sad = &pn->sad;
	enum postern_drop_reason reason;
	struct postern_slot *slot;
	bool ask;

	if (!postern_notify->listening(pn)) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_NO_SA);
		return;
	}
	slot = postern_slot_get(sad, want, GFP_ATOMIC);
	if (!slot) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_MEMORY);
		return;
	}
	spin_lock_bh(&sad->slot_lock);
	ask = may_ask(sad, slot);
	spin_unlock_bh(&sad->slot_lock);

	reason = POSTERN_DROP_OUT_NO_SA;
	if (!ask || postern_notify->acquire(pn, policy, want, flow)) {
		spin_lock_bh(&sad->slot_lock);
		reason = enqueue(sad, slot, skb);
		spin_unlock_bh(&sad->slot_lock);
	}
	if (reason)
		postern_drop(&site, skb, reason);
	postern_slot_put(slot);
}

/* There is an SA, or the time is over. */
void postern_hold_timer(struct work_struct *work)
{
	struct postern_slot *slot = container_of(to_delayed_work(work),
						 struct postern_slot, deadline);
	struct postern_sad *sad = slot->sad;
	struct postern_net *pn = sad->pn;
	struct postern_drop_site site = { .stats = pn->stats };
	struct sk_buff_head list;
	struct sk_buff *skb;
	bool ready;

	__skb_queue_head_init(&list);
	spin_lock_bh(&sad->slot_lock);
	skb_queue_splice_init(&slot->held, &list);
	if (slot->waiting) {
		slot->waiting = false;
		list_del(&slot->wait_link);
	}
	ready = rcu_access_pointer(slot->current_sa);
	spin_unlock_bh(&sad->slot_lock);

	while ((skb = __skb_dequeue(&list))) {
		atomic_sub(postern_drop_segs(skb), &sad->held);
		if (!ready) {
			postern_drop(&site, skb, POSTERN_DROP_OUT_NO_SA);
			continue;
		}
		rcu_read_lock();
		postern_output_again(pn, skb, POSTERN_DROP_OUT_NO_SA);
		rcu_read_unlock();
	}
	postern_slot_put(slot);
}

/* Nobody waits any longer. Context: process. */
void postern_hold_flush(struct postern_net *pn)
{
	struct postern_sad *sad = &pn->sad;
	struct postern_slot *slot;

	spin_lock_bh(&sad->slot_lock);
	list_for_each_entry(slot, &sad->waiting, wait_link)
		postern_slot_kick(slot, 0);
	spin_unlock_bh(&sad->slot_lock);
}
