// SPDX-License-Identifier: GPL-2.0
/* Packets that say nothing (RFC 4303 section 2.6). */
#include <linux/random.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "path.h"

/**
 * postern_dummy_packet - what is inside a packet that its receiver discards
 * @sa: SA of ESP that it will leave by
 * @size: octets, its IP header included
 *
 * Well-formed only in its header, which is what the outer one is made of.
 *
 * Return: packet, or NULL.
 */
struct sk_buff *postern_dummy_packet(const struct postern_sa *sa, unsigned int size)
{
	unsigned int len = sa->ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	struct sk_buff *skb;

	size = max(size, len);
	skb = alloc_skb(size, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reset_network_header(skb);
	memset(__skb_put(skb, len), 0, len);
	get_random_bytes(__skb_put(skb, size - len), size - len);
	if (sa->ipv4) {
		ip_hdr(skb)->version = 4;
		ip_hdr(skb)->ihl = 5;
		ip_hdr(skb)->tot_len = htons(size);
		ip_hdr(skb)->ttl = IPDEFTTL;
		ip_hdr(skb)->protocol = IPPROTO_NONE;
		ip_hdr(skb)->frag_off = htons(IP_DF);
		ip_hdr(skb)->saddr = sa->src.ip;
		ip_hdr(skb)->daddr = sa->key.dst.ip;
		skb->protocol = htons(ETH_P_IP);
	} else {
		ip6_flow_hdr(ipv6_hdr(skb), 0, 0);
		ipv6_hdr(skb)->nexthdr = NEXTHDR_NONE;
		ipv6_hdr(skb)->hop_limit = IPDEFTTL;
		ipv6_hdr(skb)->payload_len = htons(size - len);
		ipv6_hdr(skb)->saddr = sa->src.in6;
		ipv6_hdr(skb)->daddr = sa->key.dst.in6;
		skb->protocol = htons(ETH_P_IPV6);
	}
	return skb;
}
