// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets meet us.
 *
 *   PRE_ROUTING   behind reassembly, before conntrack: cleartext that should be
 *                 protected ends here; what came through an SA bears the marker
 *   LOCAL_IN      behind the INPUT chain: ESP, plain or in UDP, and AH go to input.c,
 *                 ICMP is looked at by pmtu.c
 *   POST_ROUTING  before source NAT, and once more behind it for what NAT changed:
 *                 what is to be protected goes to output.c
 */
#include <linux/module.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/kallsyms.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_conntrack_core.h>
#include <net/route.h>
#include "compat.h"
#include "encap.h"
#include "flow.h"
#include "headers.h"
#include "hooks.h"
#include "marker.h"
#include "notify.h"
#include "path.h"

/**
 * struct carrier - how a packet brings ESP or AH
 * @proto: of the header that was found; else of the IP header
 * @port: of a datagram that may be ESP, see postern_encap_find(); else 0
 */
struct carrier {
	__be16 port;
	u8 proto;
};

/* ESP in a datagram whose header is at @off. */
static unsigned int udp_header(const struct postern_net *pn,
			       const struct sk_buff *skb, unsigned int off,
			       struct carrier *c)
{
	off = postern_encap_find(pn, skb, off, &c->port);
	if (unlikely(off))
		c->proto = IPPROTO_ESP;
	return off;
}

/*
 * Offset of an ESP or AH header; 0 when there is none.  Behind extension headers of
 * IPv6 it is looked for too, in datagrams it is not.
 */
static unsigned int ipsec_header(const struct postern_net *pn,
				 const struct sk_buff *skb, bool ipv4,
				 struct carrier *c)
{
	int off;

	c->port = 0;
	if (ipv4) {
		c->proto = ip_hdr(skb)->protocol;
		if ((c->proto != IPPROTO_ESP && c->proto != IPPROTO_AH &&
		     c->proto != IPPROTO_UDP) ||
		    ip_hdr(skb)->frag_off & htons(IP_OFFSET) ||
		    unlikely(ip_hdr(skb)->ihl < 5)) /* of SRv6, see flow.c */
			return 0;
		off = ip_hdrlen(skb);
		return c->proto == IPPROTO_UDP ? udp_header(pn, skb, off, c) : off;
	}
	c->proto = ipv6_hdr(skb)->nexthdr;
	if (c->proto == IPPROTO_ESP || c->proto == IPPROTO_AH)
		return sizeof(struct ipv6hdr);
	if (c->proto == IPPROTO_UDP)
		return udp_header(pn, skb, sizeof(struct ipv6hdr), c);
	if (likely(!ipv6_ext_hdr(c->proto)))
		return 0;
	off = postern_front_find(skb, &c->proto);
	if (off < 0 || (c->proto != IPPROTO_ESP && c->proto != IPPROTO_AH))
		return 0;
	return off;
}

/* Which SA does the packet name?  False when it is no ESP or AH, or has no SPI. */
static bool read_key(const struct postern_net *pn, struct postern_sa_key *key,
		     const struct sk_buff *skb, bool ipv4, __be16 *port)
{
	struct carrier c;
	unsigned int off;
	__be32 buf, *spi;

	memset(key, 0, sizeof(*key));
	off = ipsec_header(pn, skb, ipv4, &c);
	if (likely(!off))
		return false;
	key->proto = c.proto;
	*port = c.port;
	off += skb_network_offset(skb) + (key->proto == IPPROTO_AH ? 4 : 0);
	spi = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!spi)
		return false;
	key->spi = *spi;
	if (ipv4) {
		key->family = AF_INET;
		key->dst.ip = ip_hdr(skb)->daddr;
	} else {
		key->family = AF_INET6;
		key->dst.in6 = ipv6_hdr(skb)->daddr;
	}
	return true;
}

/* The SA of ours that ESP or AH names, or NULL. */
static const struct postern_sa *named_sa(struct postern_net *pn,
					 const struct sk_buff *skb, bool ipv4)
{
	struct postern_sa_key key;
	struct postern_sa *sa;
	__be16 port;

	if (likely(!read_key(pn, &key, skb, ipv4, &port)))
		return NULL;
	sa = postern_input_sa(pn, &key, skb);
	return sa && postern_encap_takes(sa, port) ? sa : NULL;
}

/*
 * ESP or AH that names an inbound SA of ours is judged by that SA, in LOCAL_IN.  Nobody
 * does what is forwarded: to the peer of an SA that serves both directions, as a batch,
 * which LOCAL_IN takes apart, or because a route in it leads on.
 */
static bool sa_will_judge(struct postern_net *pn, const struct sk_buff *skb, bool ipv4,
			  const struct postern_flow *flow)
{
	const struct postern_sa *sa = named_sa(pn, skb, ipv4);

	if (likely(!sa) || sa->dir == POSTERN_DIR_OUT || !postern_sa_usable(sa) || flow->routed)
		return false;
	if (!skb_is_gso(skb) &&
	    (sa->dir == POSTERN_DIR_IN ||
	     postern_addr_multicast(&flow->dst, flow->family)))
		return true;
	return postern_flow_is_local(pn->net, flow);
}

static unsigned int drop_policy(struct postern_net *pn, struct sk_buff *skb,
				const struct postern_policy *policy,
				enum postern_drop_reason reason)
{
	struct postern_drop_site site = {
		.stats = pn->stats,
		.policy = policy->index,
	};

	postern_drop(&site, skb, reason);
	return NF_STOLEN;
}

/* By br_netfilter, whether the bridge or this host will pass it on. */
static bool is_at_bridge(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return skb_ext_exist(skb, SKB_EXT_BRIDGE_NF);
#else
	return false;
#endif
}

/*
 * Neighbour Discovery is for this host, and otherwise at most for a host at another port
 * of the bridge: what a router would pass on is none.  A probe of an address that this
 * host answers for (proxy_ndp) is lost with it; when it is not answered, one to a multicast
 * address follows (RFC 4861 section 7.3.3).
 */
static bool is_discovery(struct postern_net *pn, const struct sk_buff *skb,
			 const struct postern_flow *flow)
{
	return flow->nd && (ipv6_addr_is_multicast(&flow->dst.in6) ||
			    postern_flow_is_local(pn->net, flow) ||
			    is_at_bridge(skb));
}

static unsigned int pre_routing(struct sk_buff *skb,
				const struct nf_hook_state *state, bool ipv4)
{
	struct postern_net *pn = postern_net(state->net);
	struct postern_drop_site site = { .stats = pn->stats };
	struct postern_policy *policy;
	struct postern_sa_key key;
	struct postern_flow flow;
	struct carrier c;
	__be16 port;

	if (postern_marker_is_ours(pn, skb)) {
		/* a VRF calls this hook again; routing drops the marker anyway */
		if (likely(!netif_is_l3_master(state->in) &&
			   !netif_is_l3_slave(state->in)))
			skb_dst_drop(skb);
		return NF_ACCEPT;
	}
	/* nothing that stays on this host, the loop of multicast included */
	if (postern_spd_empty(&pn->spd) || state->in->flags & IFF_LOOPBACK ||
	    skb->pkt_type == PACKET_LOOPBACK)
		return NF_ACCEPT;
	if (!postern_flow_read(&flow, skb, ipv4 ? AF_INET : AF_INET6)) {
		postern_drop(&site, skb, POSTERN_DROP_IN_MALFORMED);
		return NF_STOLEN;
	}
	postern_flow_in(&flow, skb, ipv4, state->in);
	policy = postern_spd_match(&pn->spd, POSTERN_SPD_IN, &flow);
	if (likely(!policy || policy->action == POSTERN_ACTION_BYPASS))
		return NF_ACCEPT;
	if (is_discovery(pn, skb, &flow) || sa_will_judge(pn, skb, ipv4, &flow))
		return NF_ACCEPT;
	if (policy->action == POSTERN_ACTION_DISCARD)
		return drop_policy(pn, skb, policy, POSTERN_DROP_IN_DISCARD);
	if (unlikely(policy->open))
		return NF_ACCEPT;
	/* a stale SPI is no cleartext, to be told from it by who looks for the cause */
	if (ipsec_header(pn, skb, ipv4, &c) && postern_encap_is_esp(c.port) &&
	    postern_flow_is_local(pn->net, &flow)) {
		postern_stat_add(pn->stats, in_packets, postern_drop_segs(skb));
		/* one that is cut off names none at all */
		if (read_key(pn, &key, skb, ipv4, &port))
			postern_notify->spi_unknown(pn, &key, &flow.src);
		return drop_policy(pn, skb, policy, POSTERN_DROP_UNKNOWN_SPI);
	}
	return drop_policy(pn, skb, policy, POSTERN_DROP_IN_CLEARTEXT);
}

static bool is_keepalive(const struct sk_buff *skb, bool ipv4, __be16 port)
{
	return postern_encap_keepalive(skb, ipv4 ? ip_hdrlen(skb) :
						   sizeof(struct ipv6hdr), port);
}

static unsigned int local_in_one(struct postern_net *pn, struct sk_buff *skb,
				 bool ipv4, unsigned int off,
				 const struct carrier *c)
{
	struct postern_drop_site site = { .stats = pn->stats };
	unsigned int verdict;

	if (!off) {
		if (!is_keepalive(skb, ipv4, c->port))
			return NF_ACCEPT;
		postern_stat_inc(pn->stats, in_keepalives);
		consume_skb(skb);
		return NF_STOLEN;
	}
	if (unlikely(skb->pkt_type == PACKET_LOOPBACK) && named_sa(pn, skb, ipv4)) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_LOOPBACK);
		return NF_STOLEN;
	}
	local_bh_disable();
	verdict = postern_input(pn, skb, ipv4, c->proto, off, c->port);
	local_bh_enable();
	return verdict;
}

/*
 * GRO made one packet of several datagrams, of which each may be something else.  What
 * is not ours goes the rest of its way alone.  Where the first one looks like ESP,
 * policies have not seen the others (@unseen).
 */
static noinline unsigned int local_in_batch(struct postern_net *pn,
					    struct sk_buff *skb,
					    const struct nf_hook_state *state,
					    bool ipv4, bool unseen)
{
	struct postern_drop_site site = { .stats = pn->stats };
	struct sk_buff *segs, *next;
	struct carrier c;
	unsigned int off;

	segs = skb_gso_segment(skb, NETIF_F_SG);
	if (IS_ERR_OR_NULL(segs)) {
		/* what they are, nobody will know any more */
		postern_stat_add(pn->stats, in_packets, postern_drop_segs(skb));
		postern_drop(&site, skb, POSTERN_DROP_IN_MEMORY);
		return NF_STOLEN;
	}
	consume_skb(skb);
	skb_list_walk_safe(segs, skb, next) {
		skb_mark_not_on_list(skb);
		off = ipsec_header(pn, skb, ipv4, &c);
		if ((unseen && pre_routing(skb, state, ipv4) != NF_ACCEPT) ||
		    local_in_one(pn, skb, ipv4, off, &c) != NF_ACCEPT)
			continue;
		/* behind NFQUEUE this is a process */
		local_bh_disable();
		if (likely(nf_conntrack_confirm(skb) == NF_ACCEPT))
			state->okfn(state->net, state->sk, skb);
		else
			kfree_skb(skb);
		local_bh_enable();
	}
	return NF_STOLEN;
}

/* Several datagrams, not one that is to be cut. */
static bool is_batch(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_type & (SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST) &&
	       !skb->encapsulation;
}

static unsigned int local_in(struct sk_buff *skb,
			     const struct nf_hook_state *state, bool ipv4)
{
	struct postern_net *pn = postern_net(state->net);
	struct carrier c;
	unsigned int off;

	off = ipsec_header(pn, skb, ipv4, &c);
	if (likely(!off && !c.port)) {
		if (c.proto == (ipv4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
			postern_pmtu_learn(pn, skb, ipv4);
		return NF_ACCEPT;
	}
	if (unlikely(c.port && is_batch(skb)))
		return local_in_batch(pn, skb, state, ipv4, off);
	return local_in_one(pn, skb, ipv4, off, &c);
}

/*
 * The loopback copy of IPv4 multicast and broadcast comes by with the function that
 * will turn it around, which only its name tells; it never leaves the host.
 */
static bool is_loop_copy(const struct sk_buff *skb,
			 const struct nf_hook_state *state, bool ipv4)
{
	static void *loop_okfn, *other_okfn;
	char name[KSYM_SYMBOL_LEN];

	if (!ipv4)
		return state->okfn == dev_loopback_xmit;
	if (likely(!skb_rtable(skb) ||
		   !(skb_rtable(skb)->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST))))
		return false;
	if (state->okfn == READ_ONCE(loop_okfn))
		return true;
	if (READ_ONCE(loop_okfn) || state->okfn == READ_ONCE(other_okfn))
		return false;
	sprint_symbol(name, (unsigned long)state->okfn);
	if (strncmp(name, "ip_mc_finish_output", strlen("ip_mc_finish_output"))) {
		WRITE_ONCE(other_okfn, state->okfn);
		return false;
	}
	WRITE_ONCE(loop_okfn, state->okfn);
	return true;
}

/*
 * IPv6 loops its own multicast only behind this hook, where a protected packet never
 * comes, and ends there what may not leave the node (RFC 4291 section 2.7).  The copy stays
 * on this host.  What a bridge passes is nobody's own, and its route is none to go by.
 *
 * Return: false when the packet has come to its end.
 */
static bool loop_multicast(struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	struct sk_buff *copy;

	if (likely(!ipv6_addr_is_multicast(&ip6h->daddr)) || is_at_bridge(skb))
		return true;
	if (!(IP6CB(skb)->flags & IP6SKB_FORWARDED) && sk_mc_loop(state->sk)) {
		copy = skb_clone(skb, GFP_ATOMIC);
		if (copy)
			dev_loopback_xmit(state->net, state->sk, copy);
		if (!ip6h->hop_limit)
			return false;
	}
	return IPV6_ADDR_MC_SCOPE(&ip6h->daddr) > IPV6_ADDR_SCOPE_NODELOCAL;
}

/*
 * What is sent within a VRF is shown here as if it left by the VRF: what stays on this
 * host, and what comes again at the device chosen for it, with the route to that device
 * or, where the VRF has a queue, with a route that the VRF lends it.
 */
static bool is_shown_by_vrf(const struct sk_buff *skb, const struct net_device *out,
			    bool ipv4)
{
	const struct rt6_info *rt6;

	if (likely(!netif_is_l3_master(out)))
		return false;
	if (dst_dev(skb_dst(skb)) != out || skb_dst(skb)->flags & DST_NOXFRM)
		return true;
	if (ipv4)
		return skb_rtable(skb)->rt_flags & RTCF_LOCAL;
	rt6 = container_of(skb_dst(skb), struct rt6_info, dst);
	return rt6->rt6i_flags & (RTF_LOCAL | RTF_ANYCAST);
}

static unsigned int post_routing(struct sk_buff *skb,
				 const struct nf_hook_state *state, bool ipv4)
{
	struct postern_net *pn = postern_net(state->net);
	struct postern_drop_site site = { .stats = pn->stats };
	const struct postern_flow *judged;
	struct postern_flow flow, about;
	struct postern_policy *policy;

	if (postern_spd_empty(&pn->spd) || state->out->flags & IFF_LOOPBACK)
		return NF_ACCEPT;
	if (postern_output_is_ours(pn, skb, state->out, ipv4)) {
		/* the listeners here have had their copy; in a VRF LOCAL_IN cannot tell */
		if (likely(ipv4 || state->okfn != dev_loopback_xmit))
			return NF_ACCEPT;
		postern_drop(&site, skb, POSTERN_DROP_OUT_LOOPBACK);
		return NF_STOLEN;
	}
	if (is_shown_by_vrf(skb, state->out, ipv4))
		return NF_ACCEPT;
	if (!postern_flow_read(&flow, skb, ipv4 ? AF_INET : AF_INET6)) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_MALFORMED);
		return NF_STOLEN;
	}
	postern_flow_out(&flow, state->out);
	if (unlikely(!postern_flowtable_refuse(pn, skb, state))) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_MEMORY);
		return NF_STOLEN;
	}
	judged = &flow;
	policy = postern_spd_judge(&pn->spd, POSTERN_SPD_OUT, skb, &judged, &about);
	if (!policy || policy->action == POSTERN_ACTION_BYPASS)
		return NF_ACCEPT;
	if (flow.nd || is_loop_copy(skb, state, ipv4))
		return NF_ACCEPT;
	if (policy->action == POSTERN_ACTION_DISCARD)
		return drop_policy(pn, skb, policy, POSTERN_DROP_OUT_DISCARD);
	/* the SAs of a namespace that dies went before its devices */
	if (unlikely(policy->open) && check_net(pn->net) &&
	    !postern_choose_any(pn, policy, &flow))
		return NF_ACCEPT;

	/* the packet never comes to the hook that would confirm its entry */
	if (unlikely(nf_conntrack_confirm(skb) != NF_ACCEPT))
		return drop_policy(pn, skb, policy, POSTERN_DROP_OUT_CONNTRACK);
	if (!ipv4 && !loop_multicast(skb, state)) {
		consume_skb(skb);
		return NF_STOLEN;
	}
	postern_output(pn, skb, &flow, judged, policy);
	return NF_STOLEN;
}

/* A packet that NAT has changed may now match what it did not before. */
static unsigned int post_nat(struct sk_buff *skb,
			     const struct nf_hook_state *state, bool ipv4)
{
	enum ip_conntrack_info ctinfo;
	const struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (likely(!ct || !(ct->status & IPS_NAT_MASK)))
		return NF_ACCEPT;
	return post_routing(skb, state, ipv4);
}

#define POSTERN_HOOK_FN(name)						\
static unsigned int name##_ipv4(void *priv, struct sk_buff *skb,	\
				const struct nf_hook_state *state)	\
{									\
	return name(skb, state, true);					\
}									\
									\
static unsigned int name##_ipv6(void *priv, struct sk_buff *skb,	\
				const struct nf_hook_state *state)	\
{									\
	return name(skb, state, false);					\
}

POSTERN_HOOK_FN(pre_routing)
POSTERN_HOOK_FN(local_in)
POSTERN_HOOK_FN(post_routing)
POSTERN_HOOK_FN(post_nat)

#define POSTERN_HOOK(fn, family, num, prio)				\
	{ .hook = fn, .pf = family, .hooknum = num, .priority = prio }

static const struct nf_hook_ops hooks[] = {
	POSTERN_HOOK(pre_routing_ipv4, NFPROTO_IPV4, NF_INET_PRE_ROUTING,
		     NF_IP_PRI_CONNTRACK_DEFRAG + 1),
	POSTERN_HOOK(pre_routing_ipv6, NFPROTO_IPV6, NF_INET_PRE_ROUTING,
		     NF_IP6_PRI_CONNTRACK_DEFRAG + 1),
	POSTERN_HOOK(local_in_ipv4, NFPROTO_IPV4, NF_INET_LOCAL_IN,
		     NF_IP_PRI_CONNTRACK_CONFIRM - 1),
	POSTERN_HOOK(local_in_ipv6, NFPROTO_IPV6, NF_INET_LOCAL_IN,
		     NF_IP_PRI_CONNTRACK_CONFIRM - 1),
	POSTERN_HOOK(post_routing_ipv4, NFPROTO_IPV4, NF_INET_POST_ROUTING,
		     NF_IP_PRI_NAT_SRC - 1),
	POSTERN_HOOK(post_routing_ipv6, NFPROTO_IPV6, NF_INET_POST_ROUTING,
		     NF_IP6_PRI_NAT_SRC - 1),
	POSTERN_HOOK(post_nat_ipv4, NFPROTO_IPV4, NF_INET_POST_ROUTING,
		     NF_IP_PRI_NAT_SRC + 1),
	POSTERN_HOOK(post_nat_ipv6, NFPROTO_IPV6, NF_INET_POST_ROUTING,
		     NF_IP6_PRI_NAT_SRC + 1),
};

/**
 * postern_hooks_enable - let a namespace's packets meet us
 * @pn: namespace; it is about to get its first SA or policy
 *
 * Return: 0 or a negative error. Context: process, configuration lock held.
 */
int postern_hooks_enable(struct postern_net *pn)
{
	int err;

	if (pn->hooked)
		return 0;
	err = postern_markers_alloc(pn);
	if (err)
		return err;
	/* policies with ports must see whole packets */
	err = nf_defrag_ipv4_enable(pn->net);
	if (err)
		goto err_marker;
	err = nf_defrag_ipv6_enable(pn->net);
	if (err)
		goto err_defrag4;
	err = nf_register_net_hooks(pn->net, hooks, ARRAY_SIZE(hooks));
	if (err)
		goto err_defrag6;
	pn->hooked = true;
	return 0;

err_defrag6:
	nf_defrag_ipv6_disable(pn->net);
err_defrag4:
	nf_defrag_ipv4_disable(pn->net);
err_marker:
	postern_markers_free(pn);
	return err;
}

/* No packet meets us after a grace period. Context: process. */
void postern_hooks_disable(struct postern_net *pn)
{
	if (!pn->hooked)
		return;
	nf_unregister_net_hooks(pn->net, hooks, ARRAY_SIZE(hooks));
	nf_defrag_ipv6_disable(pn->net);
	nf_defrag_ipv4_disable(pn->net);
	pn->hooked = false;
}
