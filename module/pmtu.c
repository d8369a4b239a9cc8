// SPDX-License-Identifier: GPL-2.0
/*
 * Path MTU (RFC 4301 section 8.2): a packet that will not fit once it is
 * protected, and must not be fragmented, goes back to its sender as ICMP too big.
 */
#include <linux/icmpv6.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include "compat.h"
#include "path.h"
#include "xform.h"

/*
 * The MTU that the route was configured with, or its device's, without what was
 * learned: for IPv6 that lies in the metric of a copy of the route.
 */
static unsigned int link_mtu(const struct dst_entry *dst, bool ipv4)
{
	const struct rt6_info *rt6 = container_of(dst, struct rt6_info, dst);
	const struct fib6_info *from;
	unsigned int mtu = 0;

	if (ipv4 || !(rt6->rt6i_flags & RTF_CACHE)) {
		mtu = dst_metric_raw(dst, RTAX_MTU);
	} else {
		from = rcu_dereference(rt6->from);
		if (from)
			mtu = from->fib6_pmtu;
	}
	return mtu ?: READ_ONCE(dst_dev(dst)->mtu);
}

/* With @own_route nothing learned counts, or each packet would find a smaller MTU. */
static unsigned int path_mtu(const struct postern_out *o)
{
	return o->own_route ? link_mtu(o->dst, o->sa->ipv4) : dst_mtu(o->dst);
}

/* Largest packet, IP header included, that fits the path when protected. */
unsigned int postern_pmtu_inner(const struct postern_out *o)
{
	unsigned int mtu = path_mtu(o);

	if (mtu <= o->outer_len)
		return 0;
	return postern_xform(o->sa)->fit(o->sa, mtu - o->outer_len) + o->ip_len;
}

/* In transport mode only UDP tells the receiver where it ends (RFC 4303 section 2.7). */
static unsigned int pad_to(const struct postern_out *o, unsigned int mtu)
{
	if (likely(!o->sa->tfcpad) ||
	    (o->ip_len && o->flow.proto != IPPROTO_UDP))
		return 0;
	return min_t(unsigned int, o->sa->tfcpad, mtu);
}

static bool fits(const struct sk_buff *skb, unsigned int mtu)
{
	return skb_is_gso(skb) ? skb_gso_validate_network_len(skb, mtu) :
				 skb->len <= mtu;
}

/* What came as IPv6 fragments that fit may leave as such again. */
static bool must_not_fragment(const struct sk_buff *skb, u8 family,
			      unsigned int mtu)
{
	if (family == AF_INET6 && IP6CB(skb)->frag_max_size)
		return IP6CB(skb)->frag_max_size > mtu;
	if (skb->ignore_df)
		return false;
	return family == AF_INET6 || ip_hdr(skb)->frag_off & htons(IP_DF);
}

static void tell_sender(struct sk_buff *skb, u8 family, unsigned int mtu)
{
	if (family == AF_INET)
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	else
		icmpv6_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
}

/**
 * postern_pmtu_fits - may this packet go?
 * @o: packet, SA and route
 *
 * Local senders hear of it by the same ICMP as others, over the loopback device.
 *
 * Return: true when it fits, or when o->fragment_to or o->may_fragment was set because
 * it may be fragmented, before or after the transform; false when its sender was told.
 */
bool postern_pmtu_fits(struct postern_out *o)
{
	unsigned int mtu;

	o->own_route = o->sa->key.family == o->flow.family &&
		       postern_addr_equal(&o->sa->key.dst, &o->flow.dst);
	mtu = postern_pmtu_inner(o);
	o->pad_to = pad_to(o, mtu);
	/* no link of IPv6 is below 1280: such a packet is fragmented on the outside */
	if (o->flow.family == AF_INET6)
		mtu = max_t(unsigned int, mtu, IPV6_MIN_MTU);
	else
		mtu = max_t(unsigned int, mtu, IPV4_MIN_MTU);
	o->may_fragment = false;
	o->fragment_to = 0;
	if (likely(fits(o->skb, mtu))) {
		/* the floor above may have let it pass */
		o->may_fragment = unlikely(!fits(o->skb, postern_pmtu_inner(o)));
		return true;
	}
	if (!must_not_fragment(o->skb, o->flow.family, mtu)) {
		/* behind the other gateway nobody may fragment IPv6 any more */
		if (o->flow.family == AF_INET6 &&
		    o->sa->mode == POSTERN_MODE_TUNNEL && !skb_is_gso(o->skb))
			o->fragment_to = min(mtu, dst_mtu(skb_dst(o->skb)));
		/* the floor above may be more than the outside takes */
		o->may_fragment = !o->fragment_to ||
				  o->fragment_to > postern_pmtu_inner(o);
		return true;
	}
	tell_sender(o->skb, o->flow.family, mtu);
	return false;
}
