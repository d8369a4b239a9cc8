// SPDX-License-Identifier: GPL-2.0
/*
 * Packets that a policy says to protect while there is no SA: a key manager is asked
 * (acquire), and they wait for what it brings, bounded in number and time.  A user's
 * packet stays charged to its socket, which keeps the namespace alive for that time.
 */
#include <net/sock.h>
#include "compat.h"
#include "notify.h"
#include "path.h"

#define HOLD_SLOT_MAX	64		/* buffers that wait for one SA */
#define HOLD_SLOT_SIZE	(1 << 20)	/* octets of memory that they take */
#define HOLD_NET_MAX	4096		/* packets that wait in a namespace */
#define HOLD_NET_SIZE	(1 << 24)	/* octets of memory that they take */
#define HOLD_TIME	(30 * HZ)
#define ASK_AGAIN	(2 * HZ)
#define ASK_SELDOM	(HZ / 8)

/* A datagram that reassembly made can take megabytes, and counts as one. */
static bool is_net_full(const struct postern_sad *sad, const struct sk_buff *skb)
{
	return atomic_read(&sad->held) + postern_drop_segs(skb) > HOLD_NET_MAX ||
	       atomic_read(&sad->held_size) + skb->truesize > HOLD_NET_SIZE;
}

/* Why a packet cannot wait, or 0. */
static enum postern_drop_reason no_place(struct postern_sad *sad,
					 struct postern_slot *slot,
					 const struct sk_buff *skb)
{
	const struct dst_entry *dst = skb_dst(skb);

	lockdep_assert_held(&sad->slot_lock);
	/* the route of what a bridge passes is part of the bridge, which may go away */
	if (dst && dst->flags & DST_FAKE_RTABLE)
		return POSTERN_DROP_OUT_NO_SA;
	if (skb_queue_len(&slot->held) >= HOLD_SLOT_MAX ||
	    slot->held_size + skb->truesize > HOLD_SLOT_SIZE ||
	    is_net_full(sad, skb))
		return POSTERN_DROP_OUT_HOLD_FULL;
	return 0;
}

/*
 * Queue in the slot; the lock also covers the choice of a new SA, so that a packet
 * that saw none is woken by the next.
 */
static enum postern_drop_reason enqueue(struct postern_sad *sad,
					struct postern_slot *slot,
					struct sk_buff *skb)
{
	enum postern_drop_reason reason = no_place(sad, slot, skb);

	if (reason)
		return reason;
	if (!skb_dst_force(skb))
		return POSTERN_DROP_OUT_NO_ROUTE;
	skb->dev = NULL;	/* it may go away before the packet does */
	__skb_queue_tail(&slot->held, skb);
	slot->held_size += skb->truesize;
	atomic_add(postern_drop_segs(skb), &sad->held);
	atomic_add(skb->truesize, &sad->held_size);
	if (!slot->waiting) {
		WRITE_ONCE(slot->waiting, true);
		list_add(&slot->wait_link, &sad->waiting);
		postern_slot_kick(slot, HOLD_TIME);
	}
	if (postern_slot_ready(slot))
		postern_slot_kick(slot, 0);
	return 0;
}

/*
 * A slot in which packets wait asks again after a while.  What finds no place leaves no
 * trace of when it asked: that is limited as a whole.  Packets that come at the same
 * time may each ask.
 */
static bool may_ask(struct postern_sad *sad, struct postern_slot *slot,
		    const struct sk_buff *skb)
{
	lockdep_assert_held(&sad->slot_lock);
	if (slot->waiting) {
		if (!time_after(jiffies, slot->asked + ASK_AGAIN))
			return false;
	} else if (no_place(sad, slot, skb)) {
		if (!time_after(jiffies, sad->asked + ASK_SELDOM))
			return false;
		WRITE_ONCE(sad->asked, jiffies);
	}
	slot->asked = jiffies;
	return true;
}

/*
 * Of a flood to many destinations nothing but a count remains: what finds no place in the
 * namespace, waits for no SA that others wait for, and may not ask, needs no slot.
 */
static bool is_flood(struct postern_sad *sad, const struct postern_slot_key *want,
		     const struct sk_buff *skb)
{
	const struct postern_slot *slot;

	if (likely(!is_net_full(sad, skb)) ||
	    time_after(jiffies, READ_ONCE(sad->asked) + ASK_SELDOM))
		return false;
	slot = postern_slot_lookup(sad, want);
	return !slot || !READ_ONCE(slot->waiting);
}

/* Somebody in this namespace may listen, as far as is known. */
static bool is_listened_to(struct postern_net *pn)
{
	return postern_notify->listening(pn) &&
	       time_after(jiffies, READ_ONCE(pn->sad.unheard) + ASK_SELDOM);
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

	if (!is_listened_to(pn)) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_NO_SA);
		return;
	}
	if (unlikely(is_flood(sad, want, skb))) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_HOLD_FULL);
		return;
	}
	slot = postern_slot_get(sad, want, GFP_ATOMIC);
	if (!slot) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_MEMORY);
		return;
	}
	spin_lock_bh(&sad->slot_lock);
	ask = may_ask(sad, slot, skb);
	spin_unlock_bh(&sad->slot_lock);

	if (!ask || postern_notify->acquire(pn, policy, want, flow)) {
		/*
		 * The stack answers in all namespaces by a few sockets of its own; what it does
		 * when one has room again is not for under a lock of ours.
		 */
		if (skb->sk && sk_fullsock(skb->sk) && !skb->sk->sk_net_refcnt)
			skb_orphan(skb);
		spin_lock_bh(&sad->slot_lock);
		reason = enqueue(sad, slot, skb);
		spin_unlock_bh(&sad->slot_lock);
	} else {
		WRITE_ONCE(sad->unheard, jiffies);
		reason = POSTERN_DROP_OUT_NO_SA;
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
	slot->held_size = 0;
	if (slot->waiting) {
		WRITE_ONCE(slot->waiting, false);
		list_del(&slot->wait_link);
	}
	ready = postern_slot_ready(slot);
	spin_unlock_bh(&sad->slot_lock);

	while ((skb = __skb_dequeue(&list))) {
		atomic_sub(postern_drop_segs(skb), &sad->held);
		atomic_sub(skb->truesize, &sad->held_size);
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
