/* SPDX-License-Identifier: GPL-2.0 */
/* Selectors of RFC 4301 section 4.4.1.1 and what they are matched with. */
#ifndef _POSTERN_SELECTOR_H
#define _POSTERN_SELECTOR_H

#include <linux/netfilter.h>
#include <linux/types.h>
#include <asm/byteorder.h>

/**
 * struct postern_flow - what a selector sees of a packet
 * @src: source address
 * @dst: destination address, where a route in the packet ends
 * @family: AF_INET or AF_INET6
 * @proto: upper layer protocol
 * @routed: a route in the packet goes to @hop first
 * @nd: Neighbour Discovery from a node on the link (RFC 4861)
 * @opaque: the packet does not show its ports (a later fragment, a short packet)
 * @sport: source port in host order, or ICMP type
 * @dport: destination port in host order, or ICMP code
 * @ifindex: device by which it leaves or has come; 0 when that is not known
 * @master: VRF of that device, itself included; 0 for none
 * @hop: destination address of the header, if it is not @dst
 */
struct postern_flow {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u8 family;
	u8 proto;
	bool routed;
	bool nd;
	bool opaque;
	u16 sport;
	u16 dport;
	int ifindex;
	int master;
	union nf_inet_addr hop;
};

/**
 * struct postern_selector - which packets
 * @src: source prefix, bits behind @src_len are zero
 * @dst: destination prefix
 * @family: AF_INET or AF_INET6
 * @src_len: prefix length in bits
 * @dst_len: prefix length in bits
 * @proto: upper layer protocol, 0 for any
 * @sport_first: first source port (ICMP type), host order
 * @sport_last: last source port
 * @dport_first: first destination port (ICMP code), host order
 * @dport_last: last destination port
 * @ifindex: device, or a VRF for all of its devices; 0 for any
 */
struct postern_selector {
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u8 family;
	u8 src_len;
	u8 dst_len;
	u8 proto;
	u16 sport_first;
	u16 sport_last;
	u16 dport_first;
	u16 dport_last;
	int ifindex;
};

/* Mask of the first @bits, 0 to 32, of a word in network order. */
static inline u32 postern_addr_mask32(unsigned int bits)
{
	return bits ? (__force u32)htonl(~0U << (32 - bits)) : 0;
}

static inline bool postern_addr_equal(const union nf_inet_addr *a,
				      const union nf_inet_addr *b)
{
	return !((a->all[0] ^ b->all[0]) | (a->all[1] ^ b->all[1]) |
		 (a->all[2] ^ b->all[2]) | (a->all[3] ^ b->all[3]));
}

unsigned int postern_addr_bits(u8 family);
bool postern_addr_any(const union nf_inet_addr *addr);
bool postern_addr_multicast(const union nf_inet_addr *addr, u8 family);
void postern_addr_mask(union nf_inet_addr *to, const union nf_inet_addr *from,
		       unsigned int bits);
bool postern_selector_any_port(const struct postern_selector *sel);
bool postern_selector_match(const struct postern_selector *sel,
			    const struct postern_flow *flow, bool hidden);
bool postern_selector_match_upper(const struct postern_selector *sel,
				  const struct postern_flow *flow, bool hidden);
bool postern_selector_equal(const struct postern_selector *a,
			    const struct postern_selector *b);

#endif
