/* SPDX-License-Identifier: GPL-2.0 */
/*
 * DOC: Locking
 *
 * Letters behind the fields of structures:
 *   I  immutable once others can see the object
 *   C  written with postern_net.lock held (a mutex: netlink, SA timers, exit)
 *   R  as C, and read under RCU
 *   S  postern_sad.slot_lock (a bottom-half spin lock)
 *   L  postern_sa.lock (a bottom-half spin lock): anti-replay window
 *   N  postern_seqnos.lock (a mutex)
 *   A  atomic
 *   P  per CPU
 *   RTNL  the lock of all devices, of the kernel
 *
 * Nesting: postern_net.lock, then one of the others.  Packets take none of them on
 * their way out, and postern_sa.lock once on their way in.  An SA, a policy and a slot
 * live for an RCU grace period after they were taken out of their tables; a packet in
 * flight outside of RCU (asynchronous crypto) holds a reference on its SA.
 */
#ifndef _POSTERN_NET_H
#define _POSTERN_NET_H

#include <linux/mutex.h>
#include <linux/ratelimit_types.h>
#include <linux/sched/signal.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>
#include "drop.h"
#include "sad.h"
#include "seqno.h"
#include "spd.h"

struct metadata_dst;

/**
 * struct postern_net - Postern in one network namespace
 * @net: the namespace [I]
 * @lock: all configuration
 * @timers: one look at the limits of an SA at a time
 * @stats: counters [P]
 * @sad: security association database
 * @spd: security policy database
 * @seqnos: outbound sequence numbers, shared with other namespaces [I]
 * @secret: tells packets of ours that leave, and the counters of IPComp [I]
 * @marker: by CPU; says of a packet that it came through an SA [C]
 * @encap_ports: by local port: datagrams to it may be ESP;
 *               never cleared [C, read by packets]
 * @hooked: netfilter hooks are registered [C]
 * @generation: changes with each change of SAs or policies, for dumps [C]
 * @unknown: when listeners were told of unknown SPIs
 * @wq: for what sleeps or waits [I]
 * @walks: for what walks over all connections [I]
 * @recheck: takes connections out of flowtables after a change of policies
 * @guards: by number of the device [RTNL]
 */
struct postern_net {
	struct net *net;
	struct mutex lock;	/* all configuration */
	struct mutex timers;
	struct postern_stats __percpu *stats;
	struct postern_sad sad;
	struct postern_spd spd;
	struct postern_seqnos *seqnos;
	u64 secret;
	struct metadata_dst **marker;
	DECLARE_BITMAP(encap_ports, U16_MAX + 1);
	bool hooked;
	u32 generation;
	struct ratelimit_state unknown;
	struct workqueue_struct *wq;
	struct workqueue_struct *walks;
	struct work_struct recheck;
	struct xarray guards;
};

extern unsigned int postern_net_id;

/*
 * The lock of all configuration for a request.  Netlink handles all messages of a buffer
 * although their sender was killed at the first.
 */
static inline int postern_lock(struct postern_net *pn)
{
	return fatal_signal_pending(current) ? -EINTR : mutex_lock_killable(&pn->lock);
}

static inline struct postern_net *postern_net(const struct net *net)
{
	return net_generic(net, postern_net_id);
}

#endif
