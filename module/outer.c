// SPDX-License-Identifier: GPL-2.0
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ipv6.h>
#include "headers.h"
#include "net.h"
#include "outer.h"

static u8 inner_ds(const struct sk_buff *in, u8 family)
{
	return family == AF_INET ? ipv4_get_dsfield(ip_hdr(in)) :
				   ipv6_get_dsfield(ipv6_hdr(in));
}

/*
 * The outer traffic class: both parts of the inner one, unless the SA says otherwise
 * (RFC 4301 section 5.1.2; RFC 6040 section 4.1: normal mode).
 */
static u8 outer_ds(const struct postern_outer *outer, const struct sk_buff *in,
		   u8 family)
{
	return (inner_ds(in, family) & outer->ds_keep) | outer->ds_set;
}

/*
 * DF as the packet has it; IPv6 never lets routers fragment (RFC 4301 section 8.1).
 * What has to be fragmented leaves without, whatever is asked for.
 */
static bool outer_df(const struct postern_sa *sa, const struct sk_buff *in,
		     u8 family, bool may_fragment)
{
	if (unlikely(may_fragment || sa->flags & (POSTERN_SA_FLAG_NOPMTUDISC |
						  POSTERN_SA_FLAG_SET_DF)))
		return !may_fragment && sa->flags & POSTERN_SA_FLAG_SET_DF;
	return family == AF_INET6 || ip_hdr(in)->frag_off & htons(IP_DF);
}

static u8 outer_ttl(const struct postern_sa *sa, const struct sk_buff *in,
		    u8 family, const struct dst_entry *dst)
{
	if (likely(!sa->outer.ttl))
		return sa->ipv4 ? ip4_dst_hoplimit(dst) :
				  ip6_dst_hoplimit((struct dst_entry *)dst);
	if (sa->outer.ttl != POSTERN_TTL_INHERIT)
		return sa->outer.ttl;
	return family == AF_INET ? ip_hdr(in)->ttl : ipv6_hdr(in)->hop_limit;
}

/*
 * Copied for an end system only (RFC 4301 section 5.1.2.2, note 8).  Who asks for it has
 * one for each flow inside, which says no more than that (RFC 6438 section 3).
 */
static __be32 outer_label(const struct postern_sa *sa, const struct sk_buff *in,
			  u8 family)
{
	if (unlikely(sa->outer.flow_label))
		return htonl(sa->outer.flow_label & ~POSTERN_LABEL_FIXED);
	if (unlikely(sa->flags & POSTERN_SA_FLAG_FLOWLABEL_HASH))
		return htonl(__skb_get_hash_symmetric(in)) & IPV6_FLOWLABEL_MASK;
	return family == AF_INET6 && in->sk ? ip6_flowlabel(ipv6_hdr(in)) : 0;
}

static void tunnel_ipv4(struct net *net, const struct postern_sa *sa,
			struct sk_buff *out, u8 ds, bool df, u8 ttl)
{
	struct iphdr *iph = ip_hdr(out);

	iph->version = 4;
	iph->ihl = 5;
	iph->tos = ds;
	iph->tot_len = htons(out->len);
	iph->frag_off = df ? htons(IP_DF) : 0;
	iph->ttl = ttl;
	iph->protocol = sa->key.proto;
	iph->check = 0;
	iph->saddr = sa->src.ip;
	iph->daddr = sa->key.dst.ip;
	iph->id = 0;	/* means nothing where nobody may fragment (RFC 6864) */
	if (!df)
		__ip_select_ident(net, iph, 1);
}

static void tunnel_ipv6(const struct postern_sa *sa, struct sk_buff *out, u8 ds,
			__be32 label, u8 hop_limit)
{
	struct ipv6hdr *ip6h = ipv6_hdr(out);

	ip6_flow_hdr(ip6h, ds, label);
	ip6h->payload_len = htons(out->len - sizeof(*ip6h));
	ip6h->nexthdr = sa->key.proto;
	ip6h->hop_limit = hop_limit;
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
 * @may_fragment: leave DF out, whatever the inner packet or the SA says
 */
void postern_outer_tunnel(struct net *net, const struct postern_sa *sa,
			  struct sk_buff *out, const struct sk_buff *in,
			  u8 inner_family, const struct dst_entry *dst,
			  bool may_fragment)
{
	u8 ttl = outer_ttl(sa, in, inner_family, dst);
	u8 ds = outer_ds(&sa->outer, in, inner_family);

	if (sa->ipv4)
		tunnel_ipv4(net, sa, out, ds,
			    outer_df(sa, in, inner_family, may_fragment), ttl);
	else
		tunnel_ipv6(sa, out, ds,
			    outer_label(sa, in, inner_family), ttl);
}

/**
 * postern_outer_beet - write the outer header of BEET mode
 * @net: namespace
 * @sa: SA
 * @out: packet with room for the header at its data, complete in length
 * @in: inner packet, all of whose header but the addresses it has
 * @family: of @in
 * @may_fragment: leave DF out
 *
 * Return: the protocol of what follows.
 */
u8 postern_outer_beet(struct net *net, const struct postern_sa *sa,
		      struct sk_buff *out, const struct sk_buff *in, u8 family,
		      bool may_fragment)
{
	bool ipv4 = family == AF_INET;
	u8 ttl = ipv4 ? ip_hdr(in)->ttl : ipv6_hdr(in)->hop_limit;
	u8 ds = inner_ds(in, family);

	if (sa->ipv4)
		tunnel_ipv4(net, sa, out, ds, outer_df(sa, in, family, may_fragment),
			    ttl);
	else
		tunnel_ipv6(sa, out, ds, ipv4 ? 0 : ip6_flowlabel(ipv6_hdr(in)), ttl);
	if (!ipv4)
		return ipv6_hdr(in)->nexthdr;
	return likely(ip_hdr(in)->ihl == 5) ? ip_hdr(in)->protocol : IPPROTO_BEETPH;
}

/**
 * postern_outer_transport - write the headers in front in transport mode
 * @net: namespace
 * @sa: SA
 * @out: packet with room for the header at its data, complete in length
 * @in: packet whose headers they are
 * @ip_len: octets of those headers
 * @may_fragment: leave DF out
 *
 * Return: the protocol of what followed.
 */
u8 postern_outer_transport(struct net *net, const struct postern_sa *sa,
			   struct sk_buff *out,
			   const struct sk_buff *in, unsigned int ip_len,
			   bool may_fragment)
{
	u8 *last, next;

	skb_copy_bits(in, 0, out->data, ip_len);
	last = postern_front_last(out->data, ip_len);
	next = *last;
	*last = sa->key.proto;
	if (sa->ipv4) {
		struct iphdr *iph = ip_hdr(out);

		iph->tot_len = htons(out->len);
		if (iph->frag_off & htons(IP_DF) &&
		    (may_fragment || sa->flags & POSTERN_SA_FLAG_NOPMTUDISC)) {
			/* now the identification must tell fragments apart (RFC 6864) */
			iph->frag_off &= htons(~IP_DF);
			iph->id = 0;
			__ip_select_ident(net, iph, 1);
		}
	} else {
		ipv6_hdr(out)->payload_len = htons(out->len -
						   sizeof(struct ipv6hdr));
	}
	return next;
}

/**
 * postern_outer_keepalive - write the IP header of a packet that has nothing inside
 * @net: namespace
 * @sa: SA
 * @out: packet with room for the header at its data, complete in length
 * @dst: route of the packet
 */
void postern_outer_keepalive(struct net *net, const struct postern_sa *sa,
			     struct sk_buff *out, const struct dst_entry *dst)
{
	u8 ttl = sa->outer.ttl;

	if (!ttl || sa->outer.ttl == POSTERN_TTL_INHERIT)
		ttl = sa->ipv4 ? ip4_dst_hoplimit(dst) :
				 ip6_dst_hoplimit((struct dst_entry *)dst);
	if (sa->ipv4)
		tunnel_ipv4(net, sa, out, sa->outer.ds_set, true, ttl);
	else
		tunnel_ipv6(sa, out, sa->outer.ds_set,
			    htonl(sa->outer.flow_label & ~POSTERN_LABEL_FIXED),
			    ttl);
}

/**
 * postern_outer_encap - write the UDP header in front of ESP (RFC 3948 section 2.1)
 * @out: packet, its IP header written and its transport header set, complete in length
 * @ipv4: family
 * @ports: of that header
 *
 * Over IPv4 without a checksum, as the RFC asks for.  Over IPv6 with one: receivers
 * take none only where they were told to (RFC 8200 section 8.1), and XFRM's are not.
 */
void postern_outer_encap(struct sk_buff *out, bool ipv4, __be32 ports)
{
	unsigned int len = out->len - skb_transport_offset(out);
	struct udphdr *udp = udp_hdr(out);

	udp->source = postern_encap_sport(ports);
	udp->dest = postern_encap_dport(ports);
	udp->len = htons(len);
	udp->check = 0;
	if (ipv4) {
		ip_hdr(out)->protocol = IPPROTO_UDP;
	} else {
		ipv6_hdr(out)->nexthdr = IPPROTO_UDP;
		udp6_set_csum(false, out, &ipv6_hdr(out)->saddr,
			      &ipv6_hdr(out)->daddr, len);
	}
}

/* Traffic class of a packet's own header. */
u8 postern_outer_ds(const struct sk_buff *skb, bool ipv4)
{
	return inner_ds(skb, ipv4 ? AF_INET : AF_INET6);
}

#define ECN_UNUSED	4	/* cannot come of any tunnel that a standard knows */
#define ECN_DROP	8

/* RFC 6040 section 4.2, figure 4: by the inner and the outer ECN field. */
static const u8 ecn_egress[4][4] = {
	[INET_ECN_NOT_ECT] = {
		[INET_ECN_NOT_ECT] = INET_ECN_NOT_ECT,
		[INET_ECN_ECT_0] = INET_ECN_NOT_ECT | ECN_UNUSED,
		[INET_ECN_ECT_1] = INET_ECN_NOT_ECT | ECN_UNUSED,
		[INET_ECN_CE] = ECN_DROP,
	},
	[INET_ECN_ECT_0] = {
		[INET_ECN_NOT_ECT] = INET_ECN_ECT_0,
		[INET_ECN_ECT_0] = INET_ECN_ECT_0,
		[INET_ECN_ECT_1] = INET_ECN_ECT_1,
		[INET_ECN_CE] = INET_ECN_CE,
	},
	[INET_ECN_ECT_1] = {
		[INET_ECN_NOT_ECT] = INET_ECN_ECT_1,
		[INET_ECN_ECT_0] = INET_ECN_ECT_1 | ECN_UNUSED,
		[INET_ECN_ECT_1] = INET_ECN_ECT_1,
		[INET_ECN_CE] = INET_ECN_CE,
	},
	[INET_ECN_CE] = {
		[INET_ECN_NOT_ECT] = INET_ECN_CE,
		[INET_ECN_ECT_0] = INET_ECN_CE,
		[INET_ECN_ECT_1] = INET_ECN_CE | ECN_UNUSED,
		[INET_ECN_CE] = INET_ECN_CE,
	},
};

/**
 * postern_outer_decap - what the outer header leaves in the inner one
 * @sa: SA of tunnel mode
 * @skb: inner packet, its header writable
 * @family: of @skb
 * @outer_ds: traffic class of the outer header
 *
 * Congestion seen on the way is told to who can hear of it; a sender that cannot
 * hears of it by the loss of its packet (RFC 6040).  DSCP stays as it is unless the SA
 * says otherwise (RFC 4301 section 5.1.2).
 *
 * Return: 0 or why the packet must be dropped.
 */
enum postern_drop_reason postern_outer_decap(const struct postern_sa *sa,
					     struct sk_buff *skb, u8 family,
					     u8 outer_ds)
{
	u8 old = inner_ds(skb, family), new = old;
	u8 ecn = ecn_egress[old & INET_ECN_MASK][outer_ds & INET_ECN_MASK];

	if (unlikely(ecn & ECN_DROP))
		return POSTERN_DROP_IN_ECN;
	if (unlikely(ecn & ECN_UNUSED))
		postern_stat_inc(sa->pn->stats, in_ecn_unused);
	if (unlikely(sa->flags & POSTERN_SA_FLAG_DECAP_DSCP))
		new = outer_ds;
	new = (new & ~INET_ECN_MASK) | (ecn & INET_ECN_MASK);
	if (likely(new == old))
		return 0;
	if (family == AF_INET)
		ipv4_change_dsfield(ip_hdr(skb), 0, new);
	else
		ipv6_change_dsfield(ipv6_hdr(skb), 0, new);
	return 0;
}
