// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/addrconf.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/ndisc.h>
#include <net/route.h>
#include "flow.h"
#include "headers.h"

#define MH_TYPE	2	/* its offset in a mobility header (RFC 6275 section 6.1) */
#define REDIRECTED_HEADER	8	/* octets before what that option quotes */

/* Ports, ICMP type and code, or the type of a mobility header, of the header at @off. */
static void read_ports(struct postern_flow *flow, const struct sk_buff *skb,
		       int off)
{
	__be16 buf[2], *ports;
	u8 icmp[2], *type;

	switch (flow->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		ports = skb_header_pointer(skb, off, sizeof(buf), buf);
		flow->opaque = !ports;
		if (ports) {
			flow->sport = ntohs(ports[0]);
			flow->dport = ntohs(ports[1]);
		}
		break;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		type = skb_header_pointer(skb, off, sizeof(icmp), icmp);
		flow->opaque = !type;
		if (type) {
			flow->sport = type[0];
			flow->dport = type[1];
		}
		break;
	case IPPROTO_MH:
		type = skb_header_pointer(skb, off + MH_TYPE, 1, icmp);
		flow->opaque = !type;
		if (type)
			flow->sport = *type;
		break;
	}
}

/* The route in a packet is known, or there is none. */
static void note_hop(struct postern_flow *flow, const union nf_inet_addr *hop)
{
	flow->hop = *hop;
	flow->routed = !postern_addr_equal(&flow->hop, &flow->dst);
}

/* @upper: offset of the upper layer header */
static bool read_ipv4(struct postern_flow *flow, const struct sk_buff *skb,
		      int off, int *upper)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, off, sizeof(buf), &buf);
	/* of VRFs, ipvlan and SRv6 come headers that nobody has looked at */
	if (!iph || iph->version != 4 || iph->ihl < 5 ||
	    iph->ihl * 4 > skb->len - off)
		return false;
	flow->src.ip = iph->saddr;
	flow->dst.ip = iph->daddr;
	flow->proto = iph->protocol;
	*upper = off + iph->ihl * 4;
	if (unlikely(iph->ihl > 5)) {
		const union nf_inet_addr hop = flow->dst;

		postern_source_route_end(skb, off + sizeof(*iph),
					 iph->ihl * 4 - sizeof(*iph), &flow->dst.ip);
		note_hop(flow, &hop);
	}
	if (iph->frag_off & htons(IP_OFFSET))
		flow->opaque = true;
	else
		read_ports(flow, skb, *upper);
	return true;
}

/*
 * Walk the extension headers up to the upper layer, which AH and ESP are too.  Returns
 * its offset, or 0 when the headers are cut off or more than anybody should follow.
 */
static int skip_headers(struct postern_flow *flow, const struct sk_buff *skb, int off)
{
	const union nf_inet_addr hop = flow->dst;
	const struct frag_hdr *frag;
	union nf_inet_addr end;
	u8 *next = &flow->proto;
	struct frag_hdr buf;
	int i, more;

	for (i = 0; i < POSTERN_HEADERS_MAX; i++) {
		if (unlikely(*next == NEXTHDR_ROUTING)) {
			end = flow->dst;
			if (!postern_route_end(skb, off, &flow->dst.in6))
				return 0;
			/* where two routes go, nobody need follow */
			if (flow->routed && !postern_addr_equal(&end, &flow->dst))
				return 0;
			note_hop(flow, &hop);
		}
		more = postern_header_skip(skb, &off, next);
		if (more < 0)
			return 0;
		if (more)
			continue;
		if (*next != NEXTHDR_FRAGMENT)
			return off;
		frag = skb_header_pointer(skb, off, sizeof(buf), &buf);
		if (!frag)
			return 0;
		*next = frag->nexthdr;
		off += sizeof(*frag);
		if (frag->frag_off & htons(IP6_OFFSET)) {
			/* what stands behind more headers is not here */
			flow->opaque = true;
			return ipv6_ext_hdr(*next) && *next != NEXTHDR_AUTH &&
			       *next != NEXTHDR_NONE ? 0 : off;
		}
	}
	return 0;
}

static bool read_ipv6(struct postern_flow *flow, const struct sk_buff *skb,
		      int off, int *upper)
{
	const struct ipv6hdr *ip6h;
	struct ipv6hdr buf;

	ip6h = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!ip6h || ip6h->version != 6)
		return false;
	flow->src.in6 = ip6h->saddr;
	flow->dst.in6 = ip6h->daddr;
	flow->proto = ip6h->nexthdr;
	*upper = skip_headers(flow, skb, off + sizeof(buf));
	if (!*upper)
		return false;
	if (!flow->opaque)
		read_ports(flow, skb, *upper);
	/*
	 * RFC 4861 section 6.1, 7.1: no router has passed it on.  A Redirect, which
	 * quotes a packet and which nobody needs, is as all else.
	 */
	flow->nd = flow->proto == IPPROTO_ICMPV6 && !flow->opaque && !flow->dport &&
		   flow->sport >= NDISC_ROUTER_SOLICITATION &&
		   flow->sport <= NDISC_NEIGHBOUR_ADVERTISEMENT && ip6h->hop_limit == 255;
	return true;
}

static bool read_at(struct postern_flow *flow, const struct sk_buff *skb,
		    u8 family, int off, int *upper)
{
	memset(flow, 0, offsetof(struct postern_flow, hop));
	flow->family = family;
	return family == AF_INET ? read_ipv4(flow, skb, off, upper) :
				   read_ipv6(flow, skb, off, upper);
}

/**
 * postern_flow_read_upper - postern_flow_read(), and where the upper layer begins
 * @flow: to be filled
 * @upper: result, offset of the upper layer header from the data of @skb
 * @skb: packet, its network header set
 * @family: of its header
 *
 * Return: as postern_flow_read(); then @upper is not set.
 */
bool postern_flow_read_upper(struct postern_flow *flow, int *upper,
			     const struct sk_buff *skb, u8 family)
{
	return read_at(flow, skb, family, skb_network_offset(skb), upper);
}

/**
 * postern_flow_read - what selectors are matched with
 * @flow: to be filled
 * @skb: packet, its network header set
 * @family: of its header
 *
 * Return: false when this is not an IP packet of that family, or its extension
 * headers do not lead to an upper layer.
 */
bool postern_flow_read(struct postern_flow *flow, const struct sk_buff *skb,
		       u8 family)
{
	int upper;

	return postern_flow_read_upper(flow, &upper, skb, family);
}

/**
 * postern_flow_out - by which device a packet leaves
 * @flow: to be completed
 * @dev: device; the output of a VRF shows itself first, then what is below it
 *
 * Context: RCU read side.
 */
void postern_flow_out(struct postern_flow *flow, const struct net_device *dev)
{
	flow->ifindex = dev->ifindex;
	if (unlikely(netif_is_l3_slave(dev) || netif_is_l3_master(dev)))
		flow->master = l3mdev_master_ifindex_rcu(dev);
}

/**
 * postern_flow_in - by which device a packet has come
 * @flow: to be completed
 * @skb: packet as the stack has received it
 * @ipv4: family of @skb
 * @dev: device that it is at: once a VRF has taken it over, the control block tells
 *       where it was before
 *
 * Context: RCU read side.
 */
void postern_flow_in(struct postern_flow *flow, const struct sk_buff *skb,
		     bool ipv4, const struct net_device *dev)
{
	postern_flow_out(flow, dev);
	if (unlikely(netif_is_l3_master(dev)))
		flow->ifindex = ipv4 ? IPCB(skb)->iif : IP6CB(skb)->iif;
}

static bool is_icmp_error(const struct postern_flow *flow)
{
	if (flow->opaque)
		return false;
	if (flow->family == AF_INET)
		return flow->proto == IPPROTO_ICMP && icmp_is_err(flow->sport);
	return flow->proto == IPPROTO_ICMPV6 &&
	       !(flow->sport & ICMPV6_INFOMSG_MASK);
}

bool postern_flow_is_redirect(const struct postern_flow *flow)
{
	return flow->proto == IPPROTO_ICMPV6 && flow->sport == NDISC_REDIRECT &&
	       !flow->opaque;
}

/* Where the packet begins that a Redirect at @off is about (RFC 4861 section 4.6.3); or 0. */
static int redirected(const struct sk_buff *skb, int off)
{
	u8 buf[2], *opt;
	int i;

	off += sizeof(struct rd_msg);
	for (i = 0; i < POSTERN_HEADERS_MAX; i++) {
		opt = skb_header_pointer(skb, off, sizeof(buf), buf);
		if (!opt)
			return 0;
		if (opt[0] == ND_OPT_REDIRECT_HDR)
			return off + REDIRECTED_HEADER;
		off += opt[1] * 8;
	}
	return 0;
}

/**
 * postern_flow_read_quoted - the packet that an ICMP error or a Redirect is about
 * @quoted: to be filled
 * @upper: offset of its upper layer header
 * @skb: packet, its network header set
 * @flow: of @skb; the device is the same
 *
 * Return: false when @skb is neither or quotes no IP header.
 */
bool postern_flow_read_quoted(struct postern_flow *quoted, int *upper,
			      const struct sk_buff *skb,
			      const struct postern_flow *flow)
{
	bool error = is_icmp_error(flow);
	struct postern_flow outer;
	int off;

	if (likely(!error && !postern_flow_is_redirect(flow)) ||
	    !read_at(&outer, skb, flow->family, skb_network_offset(skb), upper))
		return false;
	off = error ? *upper + sizeof(struct icmphdr) : redirected(skb, *upper);
	if (!off || !read_at(quoted, skb, flow->family, off, upper))
		return false;
	quoted->ifindex = flow->ifindex;
	quoted->master = flow->master;
	return true;
}

/* The type of the answer to an ICMP message, which has the same code; or none. */
static bool answer_type(u8 proto, u16 *type)
{
	if (proto == IPPROTO_ICMPV6 && (*type == ICMPV6_ECHO_REQUEST ||
					*type == ICMPV6_ECHO_REPLY)) {
		*type ^= 1;
		return true;
	}
	if (proto != IPPROTO_ICMP)
		return false;
	switch (*type) {
	case ICMP_ECHO:
	case ICMP_ECHOREPLY:
		*type ^= ICMP_ECHO;
		return true;
	case ICMP_TIMESTAMP:
	case ICMP_INFO_REQUEST:
	case ICMP_ADDRESS:
		*type += 1;
		return true;
	case ICMP_TIMESTAMPREPLY:
	case ICMP_INFO_REPLY:
	case ICMP_ADDRESSREPLY:
		*type -= 1;
		return true;
	}
	return false;
}

/* The flow of the answers; of which type they are, not every message tells. */
void postern_flow_reverse(struct postern_flow *to, const struct postern_flow *from)
{
	*to = *from;
	to->src = from->dst;
	to->dst = from->src;
	to->routed = false;
	switch (from->proto) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_MH:
		to->opaque = !answer_type(from->proto, &to->sport) || from->opaque;
		break;
	default:
		to->sport = from->dport;
		to->dport = from->sport;
	}
}

/* The flow as its first hop sees it. */
void postern_flow_hop(struct postern_flow *to, const struct postern_flow *from)
{
	*to = *from;
	to->dst = from->hop;
	to->routed = false;
}

/* The source alone, of the packet's header. */
void postern_flow_source(struct postern_flow *flow, const struct sk_buff *skb)
{
	if (flow->family == AF_INET)
		flow->src.ip = ip_hdr(skb)->saddr;
	else
		flow->src.in6 = ipv6_hdr(skb)->saddr;
}

/* Is its destination an address of this host, or of the VRF that it is in? */
bool postern_flow_is_local(struct net *net, const struct postern_flow *flow)
{
	const struct net_device *dev = NULL;

	if (unlikely(flow->master))
		dev = dev_get_by_index_rcu(net, flow->ifindex);
	if (flow->family == AF_INET)
		return inet_addr_type_dev_table(net, dev, flow->dst.ip) == RTN_LOCAL;
	return ipv6_chk_addr(net, &flow->dst.in6, dev, 0);
}
