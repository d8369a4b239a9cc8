/* SPDX-License-Identifier: GPL-2.0 */
/* Devices on which frames are stopped that POST_ROUTING has never seen. */
#ifndef _POSTERN_GUARD_H
#define _POSTERN_GUARD_H

#include <linux/netfilter.h>

struct net_device;
struct netlink_ext_ack;
struct postern_net;

/**
 * struct postern_guard - the guard of a device
 * @ops: hook of the device [I]
 * @rcu: the end
 */
struct postern_guard {
	struct nf_hook_ops ops;
	struct rcu_head rcu;
};

struct postern_guard *postern_guard_find(struct postern_net *pn, int ifindex);
int postern_guard_add(struct postern_net *pn, struct net_device *dev,
		      struct netlink_ext_ack *extack);
void postern_guard_remove(struct postern_net *pn, struct postern_guard *guard);
int postern_guard_init(void);
void postern_guard_exit(void);

#endif
