// SPDX-License-Identifier: GPL-2.0
/*
 * The largest segment that TCP on either side may send (RFC 9293 section 3.7.1), made
 * small enough for an SA where its path does not tell senders what fits.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip.h>
#include <net/tcp.h>
#include "compat.h"
#include "flow.h"
#include "headers.h"
#include "path.h"

#define OPTIONS_MAX	(15 * 4 - sizeof(struct tcphdr))

/* Offset of the TCP header of a SYN, or 0. */
static unsigned int syn_offset(const struct sk_buff *skb,
			       const struct postern_flow *flow)
{
	const struct tcphdr *tcp;
	struct tcphdr buf;
	u8 proto;
	int off;

	if (flow->proto != IPPROTO_TCP || flow->opaque)
		return 0;
	if (flow->family == AF_INET) {
		off = ip_hdrlen(skb);
	} else {
		off = postern_front_find(skb, &proto);
		if (off < 0 || proto != IPPROTO_TCP)
			return 0;
	}
	off += skb_network_offset(skb);
	tcp = skb_header_pointer(skb, off, sizeof(buf), &buf);
	return tcp && tcp->syn ? off : 0;
}

/* @off: of the TCP header; @at: in it, of the value, which is @from and becomes @to */
static bool rewrite(struct sk_buff *skb, unsigned int off, unsigned int at,
		    u16 from, u16 to)
{
	struct tcphdr *tcp;

	if (skb_ensure_writable(skb, off + at + sizeof(to)))
		return false;
	tcp = (struct tcphdr *)(skb->data + off);
	put_unaligned_be16(to, (u8 *)tcp + at);
	if (at & 1) {	/* halves of two words of the checksum */
		from = swab16(from);
		to = swab16(to);
	}
	inet_proto_csum_replace2(&tcp->check, skb, htons(from), htons(to), false);
	return true;
}

/* @off: of the TCP header.  What is no list of options stays as it is from there on. */
static bool lower(struct sk_buff *skb, unsigned int off, unsigned int max)
{
	const struct tcphdr *tcp;
	u8 options[OPTIONS_MAX];
	struct tcphdr head;
	unsigned int i, len;
	u16 mss;

	tcp = skb_header_pointer(skb, off, sizeof(head), &head);
	if (!tcp || tcp->doff * 4 <= sizeof(*tcp))
		return true;
	len = tcp->doff * 4 - sizeof(*tcp);
	if (skb_copy_bits(skb, off + sizeof(*tcp), options, len))
		return true;
	for (i = 0; i < len && options[i] != TCPOPT_EOL; ) {
		if (options[i] == TCPOPT_NOP) {
			i++;
			continue;
		}
		if (len - i < 2 || options[i + 1] < 2 || options[i + 1] > len - i)
			break;
		if (options[i] == TCPOPT_MSS && options[i + 1] == TCPOLEN_MSS) {
			mss = get_unaligned_be16(&options[i + 2]);
			if (mss > max &&
			    !rewrite(skb, off, sizeof(*tcp) + i + 2, mss, max))
				return false;
		}
		i += options[i + 1];
	}
	return true;
}

/**
 * postern_mss_lower - a SYN asks for no more than fits
 * @skb: packet, network header set
 * @flow: of the packet
 * @mtu: octets of the largest packet that fits, its IP header included
 *
 * The option counts neither options of IP nor of TCP (RFC 9293 section 3.7.1).  It is
 * not added where there is none, and no sender is told less than what every host takes.
 *
 * Return: false without memory.
 */
bool postern_mss_lower(struct sk_buff *skb, const struct postern_flow *flow,
		       unsigned int mtu)
{
	unsigned int off = syn_offset(skb, flow);

	if (likely(!off))
		return true;
	return lower(skb, off, max(mtu, postern_mtu_floor(flow->family)) -
			       sizeof(struct tcphdr) -
			       (flow->family == AF_INET ? sizeof(struct iphdr) :
							  sizeof(struct ipv6hdr)));
}

/**
 * postern_mss_lower_in - the same of a SYN that came through SAs
 * @pn: namespace
 * @skb: packet, network header set
 * @flow: of the packet
 *
 * What may answer it goes out through another SA, whose path is known.
 *
 * Return: false without memory. Context: RCU read side.
 */
bool postern_mss_lower_in(struct postern_net *pn, struct sk_buff *skb,
			  const struct postern_flow *flow)
{
	struct postern_flow back;

	if (likely(!syn_offset(skb, flow)))
		return true;
	postern_flow_reverse(&back, flow);
	return postern_mss_lower(skb, flow, postern_output_mtu(pn, skb, &back));
}
