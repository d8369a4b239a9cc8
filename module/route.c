// SPDX-License-Identifier: GPL-2.0
/* Routes of outer packets, remembered by SA. */
#include <linux/udp.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include "path.h"

/* The ports may have changed meanwhile. */
static void remembered(struct postern_sa *sa, __be32 encap)
{
	smp_mb();	/* pairs with encap_change() */
	if (unlikely(READ_ONCE(sa->encap) != encap))
		dst_cache_reset(&sa->route);
}

static struct dst_entry *route_ipv4(struct postern_net *pn, struct postern_sa *sa,
				    u32 mark, __be32 encap)
{
	bool cached = mark == sa->outer.mark;
	struct flowi4 fl4 = {
		.daddr = sa->key.dst.ip,
		.saddr = sa->src.ip,
		.flowi4_proto = encap ? IPPROTO_UDP : sa->key.proto,
		.flowi4_mark = mark,
		.fl4_sport = postern_encap_sport(encap),
		.fl4_dport = postern_encap_dport(encap),
	};
	struct rtable *rt;
	__be32 saddr;

	if (likely(cached)) {
		rt = dst_cache_get_ip4(&sa->route, &saddr);
		if (likely(rt && !rt->rt_mtu_locked))
			return &rt->dst;
		if (rt)
			return postern_pmtu_plain(&rt->dst);
	}
	rt = ip_route_output_flow(pn->net, &fl4, NULL);
	if (IS_ERR(rt))
		return NULL;
	if (cached) {
		dst_cache_set_ip4(&sa->route, &rt->dst, fl4.saddr);
		remembered(sa, encap);
	}
	return postern_pmtu_plain(&rt->dst);
}

static struct dst_entry *route_ipv6(struct postern_net *pn, struct postern_sa *sa,
				    u32 mark, __be32 encap)
{
	bool cached = mark == sa->outer.mark;
	struct flowi6 fl6 = {
		.daddr = sa->key.dst.in6,
		.saddr = sa->src.in6,
		.flowi6_proto = encap ? IPPROTO_UDP : sa->key.proto,
		.flowi6_mark = mark,
		.fl6_sport = postern_encap_sport(encap),
		.fl6_dport = postern_encap_dport(encap),
	};
	struct dst_entry *dst;
	struct in6_addr saddr;

	if (likely(cached)) {
		dst = dst_cache_get_ip6(&sa->route, &saddr);
		if (likely(dst))
			return dst;
	}
	dst = ip6_dst_lookup_flow(pn->net, NULL, &fl6, NULL);
	if (IS_ERR(dst))
		return NULL;
	dst = postern_pmtu_plain(dst);
	if (cached) {
		dst_cache_set_ip6(&sa->route, dst, &fl6.saddr);
		remembered(sa, encap);
	}
	return dst;
}

/**
 * postern_route - where does an SA send its packets?
 * @pn: namespace
 * @sa: SA
 * @mark: of the packet that is to be protected
 * @encap: ports of UDP around ESP, see struct postern_sa
 *
 * An output mark chooses the route, with the bits of the packet's own mark that it
 * leaves; the SA remembers that of packets without any.
 *
 * Return: route, referenced, or NULL. Context: RCU read side.
 */
struct dst_entry *postern_route(struct postern_net *pn, struct postern_sa *sa,
				u32 mark, __be32 encap)
{
	struct dst_entry *dst;

	mark = sa->outer.mark_mask ? postern_sa_mark(sa, mark) : 0;
	local_bh_disable();	/* dst_cache */
	dst = sa->ipv4 ? route_ipv4(pn, sa, mark, encap) :
			 route_ipv6(pn, sa, mark, encap);
	local_bh_enable();
	return dst;
}
