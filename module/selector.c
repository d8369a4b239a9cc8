// SPDX-License-Identifier: GPL-2.0
#include <linux/in.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/socket.h>
#include "selector.h"

unsigned int postern_addr_bits(u8 family)
{
	return family == AF_INET ? 32 : 128;
}

bool postern_addr_any(const union nf_inet_addr *addr)
{
	return !(addr->all[0] | addr->all[1] | addr->all[2] | addr->all[3]);
}

bool postern_addr_multicast(const union nf_inet_addr *addr, u8 family)
{
	return family == AF_INET ? ipv4_is_multicast(addr->ip) :
				   addr->in6.s6_addr[0] == 0xff;
}

/**
 * postern_addr_mask - the prefix of an address
 * @to: result; an IPv4 address lies in the first word
 * @from: address
 * @bits: prefix length, 0 to 128
 */
void postern_addr_mask(union nf_inet_addr *to, const union nf_inet_addr *from,
		       unsigned int bits)
{
	unsigned int i, n;

	for (i = 0; i < 4; i++) {
		n = min(bits, 32U);
		to->all[i] = from->all[i] & postern_addr_mask32(n);
		bits -= n;
	}
}

bool postern_selector_any_port(const struct postern_selector *sel)
{
	return !sel->sport_first && sel->sport_last == U16_MAX &&
	       !sel->dport_first && sel->dport_last == U16_MAX;
}

static bool match_device(const struct postern_selector *sel,
			 const struct postern_flow *flow, bool hidden)
{
	if (!flow->ifindex)
		return hidden;
	return sel->ifindex == flow->ifindex || sel->ifindex == flow->master;
}

/**
 * postern_selector_match_upper - match all but the addresses
 * @sel: selector
 * @flow: packet
 * @hidden: a packet that does not show its ports or device may have any; otherwise it
 *          matches only where all do (RFC 4301 section 7.2)
 */
bool postern_selector_match_upper(const struct postern_selector *sel,
				  const struct postern_flow *flow, bool hidden)
{
	if (sel->proto && sel->proto != flow->proto)
		return false;
	if (unlikely(sel->ifindex) && !match_device(sel, flow, hidden))
		return false;
	if (flow->opaque)
		return hidden || postern_selector_any_port(sel);
	return flow->sport >= sel->sport_first && flow->sport <= sel->sport_last &&
	       flow->dport >= sel->dport_first && flow->dport <= sel->dport_last;
}

bool postern_selector_match(const struct postern_selector *sel,
			    const struct postern_flow *flow, bool hidden)
{
	union nf_inet_addr masked;

	if (sel->family != flow->family)
		return false;
	postern_addr_mask(&masked, &flow->src, sel->src_len);
	if (!postern_addr_equal(&masked, &sel->src))
		return false;
	postern_addr_mask(&masked, &flow->dst, sel->dst_len);
	return postern_addr_equal(&masked, &sel->dst) &&
	       postern_selector_match_upper(sel, flow, hidden);
}

bool postern_selector_equal(const struct postern_selector *a,
			    const struct postern_selector *b)
{
	return a->family == b->family && a->src_len == b->src_len &&
	       a->dst_len == b->dst_len && a->proto == b->proto &&
	       a->sport_first == b->sport_first &&
	       a->sport_last == b->sport_last &&
	       a->dport_first == b->dport_first &&
	       a->dport_last == b->dport_last && a->ifindex == b->ifindex &&
	       postern_addr_equal(&a->src, &b->src) &&
	       postern_addr_equal(&a->dst, &b->dst);
}
