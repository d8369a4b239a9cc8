/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Security association database (RFC 4301 section 4.4.2): SAs by (destination,
 * protocol, SPI) for packets that arrive, and slots, which lead from the template of
 * a policy to its current SA, for packets that leave.
 */
#ifndef _POSTERN_SAD_H
#define _POSTERN_SAD_H

#include <linux/skbuff.h>
#include <linux/wait.h>
#include <linux/xarray.h>
#include "sa.h"

struct postern_net;

/* What a template asks for; no padding, all of it is hashed. */
struct postern_slot_key {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u32 reqid;
	u8 family;
	u8 proto;
	u8 mode;
	u8 zero;
};

/**
 * struct postern_slot - the outbound SA that a template uses now
 * @current_sa: the newest that is valid, NULL for none [R]
 * @key: what it was made for [I]
 * @hash: in postern_sad.slots [S]
 * @sas: SAs that fit, by struct postern_sa.slot_link [S]
 * @users: policies, SAs and packets that wait [S]
 * @held: packets that wait for an SA [own lock]
 * @held_size: octets of memory that they take [S]
 * @asked: jiffies of the last acquire [S]
 * @deadline: end of the wait; holds a user while it is pending [S]
 * @waiting: packets wait, @deadline will come [S, read by packets]
 * @wait_link: in postern_sad.waiting [S]
 * @sad: where it is [I]
 * @free_work: the end, after a grace period
 */
struct postern_slot {
	struct postern_sa __rcu *current_sa;
	struct postern_slot_key key;
	struct rhash_head hash;
	struct list_head sas[2];
	unsigned int users;
	struct sk_buff_head held;
	unsigned int held_size;
	unsigned long asked;
	struct delayed_work deadline;
	bool waiting;
	struct list_head wait_link;
	struct postern_sad *sad;
	struct rcu_work free_work;
};

/**
 * struct postern_sad - all SAs of a namespace
 * @table: by struct postern_sa_key [C, read under RCU]
 * @slots: by struct postern_slot_key [S, read under RCU]
 * @slot_lock: slots
 * @waiting: slots in which packets wait [S]
 * @by_id: all SAs in order of their making [C, read under RCU]
 * @last_id: [C]
 * @count: SAs in the table [C, read anywhere]
 * @alive: SAs and slots not yet freed [A]
 * @held: packets that wait in all slots [A]
 * @held_size: octets of memory that they take [A]
 * @acquires: number of the last acquire [A]
 * @asked: jiffies of the last acquire for a packet that finds no place to wait
 *         [S, read by packets]
 * @unheard: jiffies of the last acquire that nobody heard
 * @hold_timer: what struct postern_slot.deadline does, from hold.c [I]
 * @keepalive: sends a NAT keepalive, from output.c [I]
 * @pn: namespace [I]
 */
struct postern_sad {
	struct rhashtable table;
	struct rhashtable slots;
	spinlock_t slot_lock;	/* slots */
	struct list_head waiting;
	struct xarray by_id;
	u64 last_id;
	u32 count;
	atomic_t alive;
	atomic_t held;
	atomic_t held_size;
	atomic64_t acquires;
	unsigned long asked;
	unsigned long unheard;
	work_func_t hold_timer;
	void (*keepalive)(struct postern_sa *sa);
	struct postern_net *pn;
};

int postern_sad_init(struct postern_sad *sad, struct postern_net *pn,
		     work_func_t hold_timer,
		     void (*keepalive)(struct postern_sa *sa));
void postern_sad_exit(struct postern_sad *sad);
int postern_sad_add(struct postern_sad *sad, struct postern_sa *sa,
		    struct postern_sa *larval);
int postern_sad_reserve(struct postern_sad *sad, struct postern_sa *sa,
			u32 min, u32 max);
void postern_sad_remove(struct postern_sad *sad, struct postern_sa *sa);
struct postern_sa *postern_sad_next(struct postern_sad *sad, u64 after);

struct postern_slot *postern_slot_get(struct postern_sad *sad,
				      const struct postern_slot_key *key,
				      gfp_t gfp);
bool postern_slot_ready(const struct postern_slot *slot);
void postern_slot_kick(struct postern_slot *slot, unsigned long delay);
void postern_slot_put(struct postern_slot *slot);
struct postern_sa *postern_sad_stored(struct postern_sad *sad, const struct postern_flow *flow,
				      u32 reqid);
struct postern_slot *postern_slot_lookup(struct postern_sad *sad,
					 const struct postern_slot_key *key);

struct postern_sa *postern_sad_lookup(struct postern_sad *sad,
				      const struct postern_sa_key *key);
struct postern_sa *postern_sad_lookup_from(struct postern_sad *sad,
					   const struct postern_sa_key *key,
					   const union nf_inet_addr *src);
struct postern_sa *postern_sad_find(struct postern_sad *sad,
				    const struct postern_sa_key *key);

#endif
