// SPDX-License-Identifier: GPL-2.0
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "outer.h"

/* The inner traffic class (RFC 4301 section 5.1.2, RFC 6040 section 4.1: normal mode). */
static u8 encap_ds(const struct postern_sa *sa, u8 inner)
{
	return sa->flags & POSTERN_SA_FLAG_NOECN ? inner & ~INET_ECN_MASK : inner;
}

static u8 inner_ds(const struct sk_buff *in, u8 family)
{
	return family == AF_INET ? ipv4_get_dsfield(ip_hdr(in)) :
				   ipv6_get_dsfield(ipv6_hdr(in));
}

/* DF as the packet has it; IPv6 never lets routers fragment (RFC 4301 section 8.1). */
static bool inner_df(const struct sk_buff *in, u8 family)
{
	return family == AF_INET6 || ip_hdr(in)->frag_off & htons(IP_DF);
}

static void tunnel_ipv4(struct net *net, const struct postern_sa *sa,
			struct sk_buff *out, u8 ds, bool df,
			const struct dst_entry *dst)
{
	struct iphdr *iph = ip_hdr(out);

	iph->version = 4;
	iph->ihl = 5;
	iph->tos = ds;
	iph->tot_len = htons(out->len);
	iph->frag_off = df ? htons(IP_DF) : 0;
	iph->ttl = ip4_dst_hoplimit(dst);
	iph->protocol = sa->key.proto;
	iph->check = 0;
	iph->saddr = sa->src.ip;
	iph->daddr = sa->key.dst.ip;
	iph->id = 0;	/* means nothing where nobody may fragment (RFC 6864) */
	if (!df)
		__ip_select_ident(net, iph, 1);
}

static void tunnel_ipv6(const struct postern_sa *sa, struct sk_buff *out, u8 ds,
			__be32 label, const struct dst_entry *dst)
{
	struct ipv6hdr *ip6h = ipv6_hdr(out);

	ip6_flow_hdr(ip6h, ds, label);
	ip6h->payload_len = htons(out->len - sizeof(*ip6h));
	ip6h->nexthdr = sa->key.proto;
	ip6h->hop_limit = ip6_dst_hoplimit((struct dst_entry *)dst);
	ip6h->saddr = sa->src.in6;
	ip6h->daddr = sa->key.dst.in6;
}

/**
 * postern_outer_tunnel - write the outer header of tunnel mode
 * @net: namespace
 * @sa: SA
 * @out: packet with room for the header at its data, complete in length
 * @in: inner packet
 * @inner_family: of @in
 * @dst: route of the outer packet
 * @may_fragment: leave DF out, whatever the inner packet says
 *
 * The flow label is copied for an end system only (RFC 4301 section 5.1.2.2, note 8).
 */
void postern_outer_tunnel(struct net *net, const struct postern_sa *sa,
			  struct sk_buff *out, const struct sk_buff *in,
			  u8 inner_family, const struct dst_entry *dst,
			  bool may_fragment)
{
	u8 ds = encap_ds(sa, inner_ds(in, inner_family));
	bool df = !may_fragment && inner_df(in, inner_family) &&
		  !(sa->flags & POSTERN_SA_FLAG_NOPMTUDISC);

	if (sa->ipv4)
		tunnel_ipv4(net, sa, out, ds, df, dst);
	else
		tunnel_ipv6(sa, out, ds,
			    inner_family == AF_INET6 && in->sk ?
			    ip6_flowlabel(ipv6_hdr(in)) : 0, dst);
}

/**
 * postern_outer_transport - write the IP header of transport mode
 * @net: namespace
 * @sa: SA
 * @out: packet with room for the header at its data, complete in length
 * @in: packet whose header it is
 * @ip_len: octets of that header
 * @may_fragment: leave DF out
 */
void postern_outer_transport(struct net *net, const struct postern_sa *sa,
			     struct sk_buff *out,
			     const struct sk_buff *in, unsigned int ip_len,
			     bool may_fragment)
{
	skb_copy_bits(in, 0, out->data, ip_len);
	if (sa->ipv4) {
		struct iphdr *iph = ip_hdr(out);

		iph->protocol = sa->key.proto;
		iph->tot_len = htons(out->len);
		if (iph->frag_off & htons(IP_DF) &&
		    (may_fragment || sa->flags & POSTERN_SA_FLAG_NOPMTUDISC)) {
			/* now the identification must tell fragments apart (RFC 6864) */
			iph->frag_off &= htons(~IP_DF);
			iph->id = 0;
			__ip_select_ident(net, iph, 1);
		}
	} else {
		ipv6_hdr(out)->nexthdr = sa->key.proto;
		ipv6_hdr(out)->payload_len = htons(out->len -
						   sizeof(struct ipv6hdr));
	}
}

/* Traffic class of a packet's own header. */
u8 postern_outer_ds(const struct sk_buff *skb, bool ipv4)
{
	return inner_ds(skb, ipv4 ? AF_INET : AF_INET6);
}

/**
 * postern_outer_decap - what the outer header leaves in the inner one
 * @sa: SA of tunnel mode
 * @skb: inner packet, its header writable
 * @family: of @skb
 * @outer_ds: traffic class of the outer header
 *
 * Congestion seen on the way is told to who can hear of it (RFC 4301 section
 * 5.1.2, note 6).
 */
void postern_outer_decap(const struct postern_sa *sa, struct sk_buff *skb,
			 u8 family, u8 outer_ds)
{
	bool ce = INET_ECN_is_ce(outer_ds) &&
		  !(sa->flags & POSTERN_SA_FLAG_NOECN);

	if (family == AF_INET) {
		if (sa->flags & POSTERN_SA_FLAG_DECAP_DSCP)
			ipv4_change_dsfield(ip_hdr(skb), INET_ECN_MASK,
					    outer_ds & ~INET_ECN_MASK);
		if (ce)
			IP_ECN_set_ce(ip_hdr(skb));
	} else {
		if (sa->flags & POSTERN_SA_FLAG_DECAP_DSCP)
			ipv6_change_dsfield(ipv6_hdr(skb), INET_ECN_MASK,
					    outer_ds & ~INET_ECN_MASK);
		if (ce)
			IP6_ECN_set_ce(skb, ipv6_hdr(skb));
	}
}
