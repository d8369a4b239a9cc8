// SPDX-License-Identifier: GPL-2.0
/*
 * What leaves by a device without having come by POST_ROUTING: the frames of packet
 * sockets, of bridges, of macvlans and of whatever else sends at the level of devices.
 * Where a guard stands, those that the SPD says to protect or to discard end.
 *
 * What tc redirects is not shown to hooks of netfilter, and what XDP does meets no
 * buffer that could be looked at.
 */
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/udp.h>
#include <net/lwtunnel.h>
#include "compat.h"
#include "flow.h"
#include "guard.h"
#include "path.h"

/* More VLAN tags than anybody sends. */
#define TAGS_MAX	8

/*
 * A route says that the packet has come by POST_ROUTING of the namespace that the route
 * is of.  The flows of a flowtable have one too, and are kept out of that.  A route that
 * has died tells no namespace, and lightweight tunnels unpack frames and send them with
 * the route by which the tunnel's packet came.
 */
static bool was_judged(const struct sk_buff *skb, const struct net *net)
{
	const struct dst_entry *dst = skb_dst(skb);
	const struct net_device *dev;

	if (!dst || dst->flags & (DST_METADATA | DST_FAKE_RTABLE) ||
	    lwtunnel_input_redirect(dst->lwtstate))
		return false;
	dev = dst_dev(dst);
	return dev != blackhole_netdev && net_eq(dev_net(dev), net);
}

/* The family of the IP header in a frame, and its offset; 0 for no IP, -1 for too many tags. */
static int find_ip(const struct sk_buff *skb, const struct net_device *dev, int *off)
{
	__be16 *proto, buf;
	u8 *version, octet;
	int i;

	*off = 0;
	if (dev->type != ARPHRD_ETHER) {
		version = skb_header_pointer(skb, 0, 1, &octet);
		if (!version)
			return 0;
		return *version >> 4 == 4 ? AF_INET : *version >> 4 == 6 ? AF_INET6 : 0;
	}
	*off = ETH_HLEN;
	for (i = 0; i <= TAGS_MAX; i++) {
		proto = skb_header_pointer(skb, *off - sizeof(buf), sizeof(buf), &buf);
		if (!proto)
			return 0;
		if (*proto == htons(ETH_P_IP))
			return AF_INET;
		if (*proto == htons(ETH_P_IPV6))
			return AF_INET6;
		if (!eth_type_vlan(*proto))
			return 0;
		*off += VLAN_HLEN;
	}
	return -1;
}

/*
 * Does an outbound SA of ours make such packets?  Of a later fragment the first one, which
 * the receiver needs, has told.
 */
static bool is_of_sa(struct postern_net *pn, const struct sk_buff *skb,
		     const struct postern_flow *flow, int upper)
{
	const struct postern_sa *sa;
	struct postern_sa_key key;
	__be32 *spi, buf, encap;

	memset(&key, 0, sizeof(key));
	key.dst = flow->dst;
	key.family = flow->family;
	key.proto = flow->proto;
	if (flow->proto == IPPROTO_UDP) {
		key.proto = IPPROTO_ESP;
		upper += sizeof(struct udphdr);
	} else if (flow->proto == IPPROTO_AH) {
		upper += 4;
	} else if (flow->proto != IPPROTO_ESP) {
		return false;
	}
	if (flow->opaque)
		return flow->proto != IPPROTO_UDP;
	spi = skb_header_pointer(skb, upper, sizeof(buf), &buf);
	if (!spi)
		return false;
	key.spi = *spi;
	sa = postern_sad_lookup_from(&pn->sad, &key, &flow->src);
	if (!sa || sa->dir == POSTERN_DIR_IN || !postern_sa_usable(sa))
		return false;
	if (flow->proto != IPPROTO_UDP)
		return true;
	encap = READ_ONCE(sa->encap);
	return encap && encap == htonl((u32)flow->sport << 16 | flow->dport);
}

/* Must the packet at the network header of @skb not leave so?  @index: result, the policy. */
static bool is_refused(struct postern_net *pn, const struct sk_buff *skb, u8 family,
		       const struct net_device *dev, u32 *index)
{
	struct postern_flow flow, about;
	const struct postern_flow *judged = &flow;
	struct postern_policy *policy;
	int upper;

	*index = 0;
	if (!postern_flow_read_upper(&flow, &upper, skb, family))
		return true;
	postern_flow_out(&flow, dev);
	policy = postern_spd_judge(&pn->spd, POSTERN_SPD_OUT, skb, &judged, &about);
	if (!policy || policy->action == POSTERN_ACTION_BYPASS || flow.nd ||
	    is_of_sa(pn, skb, &flow, upper))
		return false;
	*index = policy->index;
	return !policy->open || !check_net(pn->net) ||
	       postern_choose_any(pn, policy, &flow);
}

static unsigned int guard_egress(void *priv, struct sk_buff *skb,
				 const struct nf_hook_state *state)
{
	struct postern_net *pn = postern_net(state->net);
	struct postern_drop_site site = { .stats = pn->stats };
	int family, off, network;
	bool refused = true;

	if (postern_spd_empty(&pn->spd) || was_judged(skb, state->net))
		return NF_ACCEPT;
	family = find_ip(skb, state->out, &off);
	if (!family)
		return NF_ACCEPT;
	if (family > 0) {
		/* the header that others mean may be that of a tag */
		network = skb_network_offset(skb);
		skb_set_network_header(skb, off);
		refused = is_refused(pn, skb, family, state->out, &site.policy);
		skb_set_network_header(skb, network);
	}
	if (!refused)
		return NF_ACCEPT;
	postern_drop_count(&site, skb, POSTERN_DROP_OUT_GUARD, postern_drop_segs(skb));
	return NF_DROP;
}

/* Context: RTNL held. */
struct postern_guard *postern_guard_find(struct postern_net *pn, int ifindex)
{
	return xa_load(&pn->guards, ifindex);
}

/**
 * postern_guard_add - set a guard on a device
 * @pn: namespace of @dev
 * @dev: device
 * @extack: for what is wrong
 *
 * It goes with the device, or when that leaves the namespace.  One that is there already
 * stays.
 *
 * Return: 0 or a negative error. Context: process, RTNL held.
 */
int postern_guard_add(struct postern_net *pn, struct net_device *dev,
		      struct netlink_ext_ack *extack)
{
	struct postern_guard *guard;
	int err;

	if (!IS_ENABLED(CONFIG_NETFILTER_EGRESS)) {
		NL_SET_ERR_MSG(extack,
			       "this kernel has no hook for what leaves by a device (Linux 5.16, CONFIG_NETFILTER_EGRESS)");
		return -EOPNOTSUPP;
	}
	if (dev->type != ARPHRD_ETHER && dev->header_ops && dev->header_ops->create) {
		NL_SET_ERR_MSG(extack,
			       "a guard reads frames of Ethernet and of devices without a header only");
		return -EOPNOTSUPP;
	}
	if (postern_guard_find(pn, dev->ifindex))
		return 0;
	guard = kzalloc(sizeof(*guard), GFP_KERNEL_ACCOUNT);
	if (!guard)
		return -ENOMEM;
	guard->ops.hook = guard_egress;
	guard->ops.dev = dev;
	guard->ops.pf = NFPROTO_NETDEV;
	guard->ops.hooknum = POSTERN_HOOK_EGRESS;
	guard->ops.priority = INT_MAX;	/* rules may change packets before */
	err = xa_insert(&pn->guards, dev->ifindex, guard, GFP_KERNEL_ACCOUNT);
	if (err)
		goto err_free;
	err = nf_register_net_hook(pn->net, &guard->ops);
	if (err)
		goto err_erase;
	return 0;

err_erase:
	xa_erase(&pn->guards, dev->ifindex);
err_free:
	kfree(guard);
	return err;
}

/* Context: process, RTNL held. */
void postern_guard_remove(struct postern_net *pn, struct postern_guard *guard)
{
	nf_unregister_net_hook(pn->net, &guard->ops);
	xa_erase(&pn->guards, guard->ops.dev->ifindex);
	kfree_rcu(guard, rcu);
}

static int device_event(struct notifier_block *nb, unsigned long event, void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct postern_guard *guard;
	struct postern_net *pn;

	/* the first also when it is about to go to another namespace */
	if (event != NETDEV_UNREGISTER && event != NETDEV_PRE_TYPE_CHANGE)
		return NOTIFY_DONE;
	pn = postern_net(dev_net(dev));
	guard = postern_guard_find(pn, dev->ifindex);
	/* another device may have the number of one that is long in going */
	if (!guard || guard->ops.dev != dev)
		return NOTIFY_DONE;
	/* what can be read of its frames was asked before */
	if (event == NETDEV_PRE_TYPE_CHANGE)
		return notifier_from_errno(-EBUSY);
	postern_guard_remove(pn, guard);
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = device_event };

int __init postern_guard_init(void)
{
	return register_netdevice_notifier(&notifier);
}

/* All guards go: each device is shown to us once more as if it went. */
void postern_guard_exit(void)
{
	unregister_netdevice_notifier(&notifier);
}
