// SPDX-License-Identifier: GPL-2.0
#include <linux/in.h>
#include <linux/in6.h>
#include <net/ipv6.h>
#include "netlink.h"

/**
 * postern_nl_get_addr - read an address
 * @attr: 4 or 16 octets
 * @addr: result
 * @family: result, AF_INET or AF_INET6
 * @extack: says what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int postern_nl_get_addr(const struct nlattr *attr, union nf_inet_addr *addr,
			u8 *family, struct netlink_ext_ack *extack)
{
	int len = nla_len(attr);

	if (len != sizeof(addr->in) && len != sizeof(addr->in6)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "an address has 4 octets (IPv4) or 16 (IPv6)");
		return -EINVAL;
	}
	memset(addr, 0, sizeof(*addr));
	memcpy(addr, nla_data(attr), len);
	*family = len == sizeof(addr->in) ? AF_INET : AF_INET6;
	return 0;
}

/**
 * postern_nl_get_proto - read which protocol
 * @attr: protocol
 * @proto: result
 * @extack: says what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int postern_nl_get_proto(const struct nlattr *attr, u8 *proto,
			 struct netlink_ext_ack *extack)
{
	*proto = nla_get_u8(attr);
	if (*proto == IPPROTO_ESP || *proto == IPPROTO_AH || *proto == IPPROTO_COMP)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr, "proto is 50 (ESP), 51 (AH) or 108 (IPComp)");
	return -EINVAL;
}

#define CPI_DEFLATE	2	/* RFC 2407 section 4.4.5 */

/**
 * postern_nl_get_spi - read an SPI that may go on the wire
 * @attr: SPI
 * @proto: of it; the CPI of IPComp has 16 bits (RFC 3173 section 3.3)
 * @spi: result
 * @extack: says what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int postern_nl_get_spi(const struct nlattr *attr, u8 proto, __be32 *spi,
		       struct netlink_ext_ack *extack)
{
	*spi = nla_get_be32(attr);
	if (proto == IPPROTO_COMP) {
		if (be32_to_cpu(*spi) == CPI_DEFLATE ||
		    (be32_to_cpu(*spi) > POSTERN_SPI_RESERVED &&
		     be32_to_cpu(*spi) <= U16_MAX))
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the spi of IPComp is 2, or 256 to 65535 (RFC 3173 section 3.3)");
		return -EINVAL;
	}
	if (be32_to_cpu(*spi) > POSTERN_SPI_RESERVED)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "an SPI is 256 or more, lower ones are reserved (RFC 4303 section 2.1)");
	return -EINVAL;
}

static int get_prefix(struct nlattr **tb, int attr, int len_attr,
		      union nf_inet_addr *addr, u8 *family, u8 *len,
		      struct netlink_ext_ack *extack)
{
	u8 bits;
	int err;

	memset(addr, 0, sizeof(*addr));
	*len = 0;
	if (!tb[attr]) {
		if (!tb[len_attr] || !nla_get_u8(tb[len_attr]))
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, tb[len_attr],
				    "a prefix length needs its address, src or dst");
		return -EINVAL;
	}
	err = postern_nl_get_addr(tb[attr], addr, family, extack);
	if (err)
		return err;
	bits = postern_addr_bits(*family);
	*len = tb[len_attr] ? nla_get_u8(tb[len_attr]) : bits;
	if (*len > bits) {
		NL_SET_ERR_MSG_ATTR(extack, tb[len_attr],
				    "a prefix length is 0 to 32 (IPv4) or 0 to 128 (IPv6)");
		return -EINVAL;
	}
	postern_addr_mask(addr, addr, *len);
	return 0;
}

static bool is_icmp(u8 proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

/* Of these flow.c reads ports, or type and code. */
bool postern_nl_has_ports(u8 proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
		return true;
	}
	return is_icmp(proto) || proto == IPPROTO_MH;
}

/* A single port needs no last one; none at all means any. */
static int get_ports(struct nlattr **tb, int first_attr, int last_attr,
		     u8 proto, u16 *first, u16 *last,
		     struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = tb[last_attr] ? tb[last_attr] :
						    tb[first_attr];

	*first = tb[first_attr] ? nla_get_u16(tb[first_attr]) : 0;
	*last = attr ? nla_get_u16(attr) : U16_MAX;
	if (*first > *last) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "the last port is below the first");
		return -EINVAL;
	}
	if (!*first && *last == U16_MAX)
		return 0;
	if (!postern_nl_has_ports(proto)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "ports need proto 6 (TCP), 17 (UDP), 33 (DCCP), 132 (SCTP) or 136 (UDP-Lite), type and code 1 (ICMP) or 58 (ICMPv6), type 135 (Mobility Header)");
		return -EINVAL;
	}
	if ((is_icmp(proto) || proto == IPPROTO_MH) &&
	    (*first > U8_MAX || (*last > U8_MAX && *last != U16_MAX))) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "a type or code is 0 to 255");
		return -EINVAL;
	}
	return 0;
}

/* A device need not be there. */
static int get_ifindex(const struct nlattr *attr, int *ifindex,
		       struct netlink_ext_ack *extack)
{
	u32 n = attr ? nla_get_u32(attr) : 0;

	*ifindex = n;
	if (n <= S32_MAX)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "the number of a device is at most 0x7fffffff");
	return -EINVAL;
}

/**
 * postern_nl_get_selector - read a selector
 * @nest: attribute set selector
 * @sel: result; bits behind the prefixes are cleared
 * @extack: says what is wrong
 *
 * An absent address means any of the other one's family.
 *
 * Return: 0 or -EINVAL.
 */
int postern_nl_get_selector(const struct nlattr *nest,
			    struct postern_selector *sel,
			    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[POSTERN_A_SELECTOR_IFINDEX + 1];
	u8 src_family = 0, dst_family = 0;
	int err;

	memset(sel, 0, sizeof(*sel));
	err = nla_parse_nested(tb, POSTERN_A_SELECTOR_IFINDEX, nest,
			       postern_selector_nl_policy, extack);
	if (err)
		return err;
	err = get_prefix(tb, POSTERN_A_SELECTOR_SRC, POSTERN_A_SELECTOR_SRC_LEN,
			 &sel->src, &src_family, &sel->src_len, extack);
	if (err)
		return err;
	err = get_prefix(tb, POSTERN_A_SELECTOR_DST, POSTERN_A_SELECTOR_DST_LEN,
			 &sel->dst, &dst_family, &sel->dst_len, extack);
	if (err)
		return err;
	if (!src_family && !dst_family) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "a selector needs src or dst, whose length tells the family");
		return -EINVAL;
	}
	if (src_family && dst_family && src_family != dst_family) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SELECTOR_SRC],
				    "src and dst of a selector must be of one family");
		return -EINVAL;
	}
	sel->family = src_family ? src_family : dst_family;
	if (tb[POSTERN_A_SELECTOR_PROTO])
		sel->proto = nla_get_u8(tb[POSTERN_A_SELECTOR_PROTO]);
	err = get_ifindex(tb[POSTERN_A_SELECTOR_IFINDEX], &sel->ifindex, extack);
	if (err)
		return err;

	err = get_ports(tb, POSTERN_A_SELECTOR_SPORT_FIRST,
			POSTERN_A_SELECTOR_SPORT_LAST, sel->proto,
			&sel->sport_first, &sel->sport_last, extack);
	if (err)
		return err;
	err = get_ports(tb, POSTERN_A_SELECTOR_DPORT_FIRST,
			POSTERN_A_SELECTOR_DPORT_LAST, sel->proto,
			&sel->dport_first, &sel->dport_last, extack);
	if (err)
		return err;
	if (sel->proto == IPPROTO_MH &&
	    (sel->dport_first || sel->dport_last != U16_MAX)) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "a mobility header has no code");
		return -EINVAL;
	}
	/* RFC 4301 section 4.4.1.1: type and code form one number, and one range */
	if (is_icmp(sel->proto) && sel->sport_first != sel->sport_last &&
	    (sel->dport_first || sel->dport_last < U8_MAX)) {
		NL_SET_ERR_MSG_ATTR(extack,
				    tb[POSTERN_A_SELECTOR_DPORT_LAST] ?
				    tb[POSTERN_A_SELECTOR_DPORT_LAST] :
				    tb[POSTERN_A_SELECTOR_DPORT_FIRST],
				    "an ICMP code needs a single type");
		return -EINVAL;
	}
	return 0;
}
