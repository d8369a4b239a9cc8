/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows of differences between kernels.  Everything else is
 * written for the newest one.  HAVE_* come from the probes in Kbuild, which look at
 * the headers, since stable kernels take changes back.
 */
#ifndef _POSTERN_COMPAT_H
#define _POSTERN_COMPAT_H

#include <crypto/aead.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv6.h>
#include <linux/skbuff.h>
#include <net/dst.h>
#include <net/genetlink.h>
#include <net/ip6_route.h>
#include <net/netfilter/ipv4/nf_defrag_ipv4.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>
#include <net/sock.h>

#ifndef CONFIG_64BIT
#error "per-CPU counters and ids are 64 bits wide, read and written in one piece"
#endif

#ifndef CONFIG_KALLSYMS
#error "the loopback copy of IPv4 multicast is known by the name of a function alone"
#endif

#ifdef HAVE_NET_GSO_H
#include <net/gso.h>
#endif

#ifdef HAVE_LINUX_UNALIGNED_H
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* Completion of asynchronous crypto: a pointer to the request, later to the data. */
#ifdef HAVE_CRYPTO_COMPLETION_DATA
#define POSTERN_CRYPTO_DONE(name, arg)	void name(void *arg, int err)
#define postern_crypto_data(arg)	(arg)
#else
#define POSTERN_CRYPTO_DONE(name, arg)	\
	void name(struct crypto_async_request *arg, int err)
#define postern_crypto_data(arg)	((arg)->data)
#endif

/* Until GENL_MCAST_CAP_* came, multicast groups took the flags of commands. */
#ifndef GENL_MCAST_CAP_NET_ADMIN
#define GENL_MCAST_CAP_NET_ADMIN	GENL_UNS_ADMIN_PERM
#endif

/* The check was there before the answer that names the attribute. */
#ifndef NL_REQ_ATTR_CHECK
#define NL_REQ_ATTR_CHECK(extack, nest, tb, type)	(!(tb)[type])
#endif

/* Keys of IPsec are a matter of their own only since 5.11. */
#ifdef HAVE_LOCKDOWN_XFRM_SECRET
#define POSTERN_LOCKDOWN_KEYS	LOCKDOWN_XFRM_SECRET
#else
#define POSTERN_LOCKDOWN_KEYS	LOCKDOWN_KCORE
#endif

/* What a dump was asked for. */
#ifndef HAVE_GENL_INFO_DUMP
#define genl_info_dump(cb)	genl_dumpit_info(cb)
#endif

/* Memory of a device that no CPU reads came later. */
#ifndef HAVE_SKB_FRAGS_READABLE
static inline bool skb_frags_readable(const struct sk_buff *skb)
{
	return true;
}
#endif

/* Shall a device still encrypt it, as TLS? */
#ifndef HAVE_SKB_IS_DECRYPTED
static inline bool skb_is_decrypted(const struct sk_buff *skb)
{
#ifdef CONFIG_TLS_DEVICE
	return skb->decrypted;
#else
	return false;
#endif
}
#endif

/* Is the packet charged to what its socket may send? */
#ifndef HAVE_IS_SKB_WMEM
static inline bool is_skb_wmem(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	return skb->destructor == sock_wfree ||
	       (skb->destructor && sk_fullsock(sk) &&
		sk->sk_protocol == IPPROTO_TCP &&
		skb->destructor != sock_efree &&
		skb->destructor != sock_edemux &&
		skb->destructor != sock_rfree);
}
#endif

/* Before IPv6 came with the kernel for good its functions were behind a table. */
static inline int postern_ip6_fragment(struct net *net, struct sock *sk,
				       struct sk_buff *skb,
				       int (*output)(struct net *, struct sock *,
						     struct sk_buff *))
{
#ifdef HAVE_NF_IPV6_FRAGMENT
	return nf_get_ipv6_ops()->fragment(net, sk, skb, output);
#else
	return ip6_fragment(net, sk, skb, output);
#endif
}

/* Walk the conntrack entries of a namespace; those for which @iter says 1 end. */
static inline void postern_ct_iterate(struct net *net,
				      int (*iter)(struct nf_conn *ct, void *data),
				      void *data)
{
#ifdef HAVE_NF_CT_ITER_DATA
	struct nf_ct_iter_data iter_data = { .net = net, .data = data };

	nf_ct_iterate_cleanup_net(iter, &iter_data);
#else
	nf_ct_iterate_cleanup_net(net, iter, data, 0, 0);
#endif
}

/* Do flowtables know tunnels of IP in IP? */
#ifdef HAVE_DEV_PATH_TUN
#define POSTERN_FLOWTABLE_TUNNELS	true
#else
#define POSTERN_FLOWTABLE_TUNNELS	false
#endif

static inline struct rtable *postern_rt_alloc(struct net_device *dev, unsigned int flags,
					      u16 type, unsigned int dst_flags)
{
#ifdef HAVE_RT_NOPOLICY
	return rt_dst_alloc(dev, flags, type, dst_flags & DST_NOPOLICY,
			    dst_flags & DST_NOXFRM);
#else
	return rt_dst_alloc(dev, flags, type, dst_flags & DST_NOXFRM);
#endif
}

/* How long a learned path MTU is believed (RFC 1191 section 6.3), in jiffies. */
static inline unsigned long postern_mtu_expires(const struct net *net, bool ipv4)
{
	if (!ipv4)
		return READ_ONCE(net->ipv6.sysctl.ip6_rt_mtu_expires);
#ifdef HAVE_IP_RT_MTU_EXPIRES
	return READ_ONCE(net->ipv4.ip_rt_mtu_expires);
#else
	return 10 * 60 * HZ;
#endif
}

/*
 * Where a batch of more than 64 KiB had a jumbo header that no segment gets, it goes.
 * Return: false without memory.
 */
static inline bool postern_strip_jumbo(struct sk_buff *skb)
{
#ifdef IP6SKB_FAKEJUMBO
	int next = skb_is_gso(skb) ? ipv6_has_hopopt_jumbo(skb) : 0;

	if (likely(!next))
		return true;
	if (skb_cow_head(skb, 0))
		return false;
	memmove(skb->data + sizeof(struct hop_jumbo_hdr), skb->data,
		sizeof(struct ipv6hdr));
	__skb_pull(skb, sizeof(struct hop_jumbo_hdr));
	skb_reset_network_header(skb);
	ipv6_hdr(skb)->nexthdr = next;
	IP6CB(skb)->flags &= ~IP6SKB_FAKEJUMBO;
#endif
	return true;
}

#ifndef HAVE_DST_DEV
static inline struct net_device *dst_dev(const struct dst_entry *dst)
{
	return READ_ONCE(dst->dev);
}
#endif

/* What leaves by a device is shown to netfilter since 5.16, where it was not left out. */
#ifdef CONFIG_NETFILTER_EGRESS
#define POSTERN_HOOK_EGRESS	NF_NETDEV_EGRESS
#else
#define POSTERN_HOOK_EGRESS	NF_NETDEV_NUMHOOKS
#endif

#ifndef HAVE_NF_DEFRAG_DISABLE
static inline void nf_defrag_ipv4_disable(struct net *net) {}
static inline void nf_defrag_ipv6_disable(struct net *net) {}
#endif

#ifndef HAVE_ALLOC_NETDEV_DUMMY
static inline struct net_device *alloc_netdev_dummy(int sizeof_priv)
{
	struct net_device *dev = kzalloc(sizeof(*dev) + sizeof_priv, GFP_KERNEL);

	if (dev)
		init_dummy_netdev(dev);
	return dev;
}

#define postern_free_netdev_dummy(dev)	kfree(dev)
#else
#define postern_free_netdev_dummy(dev)	free_netdev(dev)
#endif

#ifdef HAVE_NETIF_NAPI_ADD_WEIGHT
#define postern_napi_add(dev, napi, poll) \
	netif_napi_add_weight(dev, napi, poll, NAPI_POLL_WEIGHT)
#else
#define postern_napi_add(dev, napi, poll) \
	netif_napi_add(dev, napi, poll, NAPI_POLL_WEIGHT)
#endif

#ifdef HAVE_NET_HOTDATA_BACKLOG
#include <net/hotdata.h>
#define postern_max_backlog()	READ_ONCE(net_hotdata.max_backlog)
#else
#define postern_max_backlog()	READ_ONCE(netdev_max_backlog)
#endif

#endif
