// SPDX-License-Identifier: GPL-2.0
/*
 * Path MTU (RFC 4301 section 8.2): a packet that will not fit once it is
 * protected, and must not be fragmented, goes back to its sender as ICMP too big.
 * What routers say of the protected packets themselves is kept with their SA.
 */
#include <linux/icmpv6.h>
#include <linux/ipv6_route.h>
#include <linux/netfilter.h>
#include <linux/udp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ipv6.h>
#include <net/nexthop.h>
#include <net/route.h>
#include "beet.h"
#include "compat.h"
#include "flow.h"
#include "path.h"
#include "xform.h"

/*
 * What is forwarded goes by what the stack has learned where that is so little that it
 * locked the route; and anybody can make it learn that, with an ICMP message about a
 * packet of no SA.  The copy goes with its packet: a device that goes does not know of it.
 */
static struct dst_entry *plain_ipv4(struct dst_entry *dst)
{
	struct rtable *rt = container_of(dst, struct rtable, dst), *plain;

	if (likely(!rt->rt_mtu_locked))
		return dst;
	plain = postern_rt_alloc(dst_dev(dst), rt->rt_flags, rt->rt_type, dst->flags);
	if (!plain)
		return dst;
	ip_dst_init_metrics(&plain->dst, (struct dst_metrics *)DST_METRICS_PTR(dst));
	plain->rt_iif = rt->rt_iif;
	plain->rt_gw_family = rt->rt_gw_family;
	if (rt->rt_gw_family == AF_INET6)
		plain->rt_gw6 = rt->rt_gw6;
	else
		plain->rt_gw4 = rt->rt_gw4;
	plain->dst.output = dst->output;
	plain->dst.lwtstate = lwtstate_get(dst->lwtstate);
	dst_release(dst);
	return &plain->dst;
}

static struct dst_entry *plain_ipv6(struct dst_entry *dst)
{
	const u32 flags = RTF_CACHE | RTF_MODIFIED | RTF_DYNAMIC;
	struct rt6_info *rt6 = container_of(dst, struct rt6_info, dst);
	const struct fib6_info *from;
	const struct fib6_nh *nh;
	struct rt6_info *plain;
	int cpu;

	/* a redirect makes a copy too, which leads elsewhere */
	if (likely((rt6->rt6i_flags & flags) != (RTF_CACHE | RTF_MODIFIED)))
		return dst;
	from = rcu_dereference(rt6->from);
	if (!from)
		return dst;
	nh = from->nh ? nexthop_fib6_nh(from->nh) : from->fib6_nh;
	if (!nh || !nh->rt6i_pcpu)
		return dst;
	for_each_cpu_wrap(cpu, cpu_possible_mask, raw_smp_processor_id()) {
		plain = READ_ONCE(*per_cpu_ptr(nh->rt6i_pcpu, cpu));
		if (!plain || rcu_access_pointer(plain->from) != from ||
		    dst_dev(&plain->dst) != dst_dev(dst) ||
		    !dst_hold_safe(&plain->dst))
			continue;
		dst_release(dst);
		return &plain->dst;
	}
	return dst;
}

/**
 * postern_pmtu_plain - a route without the path MTU that the stack learned
 * @dst: route, referenced
 *
 * What the stack has learned for a destination lies in a copy of the route.  What the
 * local sender of a packet was told, because its packets grow, is among it: the grown
 * ones must not go by it, or they would grow too large again.
 *
 * Return: the route that @dst was copied from, or one without it, in place of @dst; or
 * @dst.
 * Context: RCU read side.
 */
struct dst_entry *postern_pmtu_plain(struct dst_entry *dst)
{
	return dst->ops->family == AF_INET ? plain_ipv4(dst) : plain_ipv6(dst);
}

/* Whose packets are sent. */
static const struct postern_sa *last_sa(const struct postern_out *o)
{
	return likely(!o->next_count) ? o->sa : o->next[o->next_count - 1];
}

/* What was learned of the path of an SA, where it is less than @mtu. */
static unsigned int learned_mtu(const struct postern_sa *sa, unsigned int mtu)
{
	unsigned int learned = postern_sa_path_mtu(sa);

	return unlikely(learned) ? min(learned, mtu) : mtu;
}

/*
 * The MTU of the route, as its device or the administrator has it, and what was
 * learned of the path of this SA.  What the stack has learned from other packets to
 * the same destination is not for ours: see postern_pmtu_plain().
 */
static unsigned int path_mtu(const struct postern_out *o)
{
	const struct dst_entry *dst = likely(!o->next_count) ? o->dst : o->last_dst;
	const struct postern_sa *sa = last_sa(o);

	return learned_mtu(sa, sa->ipv4 ? ip_dst_mtu_maybe_forward(dst, true) :
					  dst_mtu(dst));
}

/* Largest packet, of whose header @ip_len octets stay in front, to make no more than @mtu. */
static unsigned int sa_mtu(const struct postern_sa *sa, unsigned int mtu,
			   unsigned int outer_len, unsigned int ip_len)
{
	if (mtu <= outer_len)
		return 0;
	return postern_xform(sa)->fit(sa, mtu - outer_len) + ip_len;
}

/* Largest packet that may leave @o->sa and fits the path when it leaves the last SA. */
static noinline unsigned int next_mtu(const struct postern_out *o)
{
	unsigned int len = o->outer_len - postern_encap_len(o->encap);
	unsigned int outer_len[POSTERN_TMPL_MAX - 1], ip_len[POSTERN_TMPL_MAX - 1];
	unsigned int i, mtu = o->path_mtu;

	for (i = 0; i < o->next_count; i++) {
		ip_len[i] = len;
		if (o->next[i]->mode != POSTERN_MODE_TRANSPORT) {
			len = postern_sa_outer_len(o->next[i]);
			if (o->next[i]->mode == POSTERN_MODE_TUNNEL)
				ip_len[i] = 0;
			else if ((i ? o->next[i - 1] : o->sa)->ipv4)
				ip_len[i] = postern_beet_replaced(ip_len[i]);
		}
		outer_len[i] = len + postern_encap_len(READ_ONCE(o->next[i]->encap));
	}
	while (i--)
		mtu = sa_mtu(o->next[i], learned_mtu(o->next[i], mtu), outer_len[i],
			     ip_len[i]);
	return learned_mtu(o->sa, mtu);
}

/* Largest packet, IP header included, that fits the path when protected. */
static unsigned int inner_mtu(const struct postern_out *o)
{
	unsigned int mtu = likely(!o->next_count) ? o->path_mtu : next_mtu(o);

	return sa_mtu(o->sa, mtu, o->outer_len, o->ip_len);
}

/* The same, of the path that @o has now. */
unsigned int postern_pmtu_inner(struct postern_out *o)
{
	o->path_mtu = path_mtu(o);
	return inner_mtu(o);
}

/* In transport mode only UDP tells the receiver where it ends (RFC 4303 section 2.7). */
static unsigned int pad_to(const struct postern_out *o, unsigned int mtu)
{
	if (likely(!o->sa->tfcpad) ||
	    (o->ip_len && o->flow.proto != IPPROTO_UDP) ||
	    (o->ip_len && o->flow.family == AF_INET6 &&
	     ipv6_hdr(o->skb)->nexthdr == NEXTHDR_FRAGMENT))
		return 0;
	return min_t(unsigned int, o->sa->tfcpad, mtu);
}

/* Of a packet that has come through one SA to the next. */
void postern_pmtu_pad(struct postern_out *o)
{
	o->pad_to = pad_to(o, postern_pmtu_inner(o));
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

/*
 * Within a VRF, ICMP of IPv4 for a sender on this host seems to have come by the device
 * of its address, where TCP does not look for a socket that is bound to the VRF: that
 * goes by its route.
 */
static void tell_sender(struct sk_buff *skb, u8 family, unsigned int mtu)
{
	if (unlikely(netif_is_l3_slave(skb->dev)) && skb->sk && family == AF_INET)
		skb_dst_update_pmtu_no_confirm(skb, mtu);
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

	mtu = postern_pmtu_inner(o);
	o->pad_to = pad_to(o, mtu);
	mtu = max(mtu, postern_mtu_floor(o->flow.family));
	o->may_fragment = false;
	o->fragment_to = 0;
	if (likely(fits(o->skb, mtu))) {
		/* the floor above may have let it pass */
		o->may_fragment = unlikely(!fits(o->skb, inner_mtu(o)));
		return true;
	}
	if (!must_not_fragment(o->skb, o->flow.family, mtu)) {
		/* behind the other gateway nobody may fragment IPv6 any more */
		if (o->flow.family == AF_INET6 &&
		    o->sa->mode != POSTERN_MODE_TRANSPORT && !skb_is_gso(o->skb)) {
			o->fragment_to = min(mtu, dst_mtu(skb_dst(o->skb)));
			if (o->ip_len)	/* whose lengths say where they end */
				o->pad_to = 0;
		}
		/* the floor above may be more than the outside takes */
		o->may_fragment = !o->fragment_to ||
				  o->fragment_to > inner_mtu(o);
		return true;
	}
	tell_sender(o->skb, o->flow.family, mtu);
	return false;
}

/*
 * Less than it was, for a while, and never below what IP demands of every link (RFC
 * 1191 section 3, RFC 8201 section 4).  Two at once may leave the larger one: the next
 * packet that is too big mends that.
 */
static void learn(struct postern_sa *sa, unsigned int mtu)
{
	unsigned int known = postern_sa_path_mtu(sa);

	if (sa->ipv4 && !mtu)	/* a router that does not tell (RFC 1191 section 5) */
		mtu = postern_mtu_floor(AF_INET);
	mtu = max_t(unsigned int, mtu, sa->ipv4 ? IPV4_MIN_MTU : IPV6_MIN_MTU);
	if (known && mtu >= known)
		return;
	WRITE_ONCE(sa->path_mtu_end,
		   jiffies + postern_mtu_expires(sa->pn->net, sa->ipv4));
	WRITE_ONCE(sa->path_mtu, mtu);
}

/* Was the number of the quoted packet ever used?  AH may be quoted without. */
static bool number_was_used(const struct postern_sa *sa, const struct sk_buff *skb,
			    int off)
{
	__be32 buf, *seq;

	off += sa->key.proto == IPPROTO_AH ? 8 : 4;
	seq = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!seq)
		return sa->key.proto == IPPROTO_AH;
	return postern_seqno_used(sa->seqno, ntohl(*seq));
}

/* The SA whose packet is quoted, or NULL. @off: of what follows the IP header in it. */
static struct postern_sa *quoted_sa(struct postern_net *pn, const struct sk_buff *skb,
				    const struct postern_flow *quoted, int off)
{
	struct postern_sa_key key = {
		.dst = quoted->dst,
		.proto = quoted->proto,
		.family = quoted->family,
	};
	struct postern_sa *sa;
	__be32 buf, *spi, encap = 0;

	if (quoted->opaque)
		return NULL;
	if (quoted->proto == IPPROTO_UDP) {
		encap = htonl(quoted->sport << 16 | quoted->dport);
		key.proto = IPPROTO_ESP;
		off += sizeof(struct udphdr);
	}
	if (key.proto != IPPROTO_ESP && key.proto != IPPROTO_AH)
		return NULL;
	spi = skb_header_pointer(skb, off + (key.proto == IPPROTO_AH ? 4 : 0),
				 sizeof(buf), &buf);
	if (!spi)
		return NULL;
	key.spi = *spi;
	sa = postern_sad_lookup_from(&pn->sad, &key, &quoted->src);
	if (!sa || sa->dir == POSTERN_DIR_IN || !postern_sa_usable(sa) ||
	    READ_ONCE(sa->encap) != encap ||
	    !postern_sa_of_source(sa, &quoted->src) ||
	    !number_was_used(sa, skb, off))
		return NULL;
	return sa;
}

/**
 * postern_pmtu_learn - an ICMP message that may say how large our packets can be
 * @pn: namespace
 * @skb: ICMP or ICMPv6 packet, network header at its data; left as it is
 * @ipv4: family
 *
 * Nothing proves who has sent it.  It counts when it quotes a packet that an outbound
 * SA may have sent, and its sender then only hears of it when its next packet does not
 * fit (RFC 4301 section 8.2.1).
 *
 * Context: LOCAL_IN.
 */
void postern_pmtu_learn(struct postern_net *pn, struct sk_buff *skb, bool ipv4)
{
	unsigned int off = ipv4 ? ip_hdrlen(skb) : sizeof(struct ipv6hdr);
	u8 proto = ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	u8 family = ipv4 ? AF_INET : AF_INET6;
	struct postern_flow flow, quoted;
	struct icmphdr buf, *icmp;	/* that of IPv6 has the same layout */
	struct postern_sa *sa;
	int upper;

	icmp = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!icmp || icmp->type != (ipv4 ? ICMP_DEST_UNREACH : ICMPV6_PKT_TOOBIG) ||
	    (ipv4 && icmp->code != ICMP_FRAG_NEEDED))
		return;
	if (!postern_flow_read(&flow, skb, family) ||
	    !postern_flow_read_quoted(&quoted, &upper, skb, &flow))
		return;
	sa = quoted_sa(pn, skb, &quoted, upper);
	if (sa && !nf_checksum(skb, NF_INET_LOCAL_IN, off, proto, family))
		learn(sa, ipv4 ? ntohs(icmp->un.frag.mtu) :
				 ntohl(icmp->un.gateway));
}
