// SPDX-License-Identifier: GPL-2.0
/*
 * What stands between an IP header and ESP or AH: where it ends (RFC 4303 section
 * 3.1.1), and what of it an ICV of AH covers (RFC 4302 section 3.3.3.1, appendix A).
 *
 * "The front" is the IP header with all that.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/string.h>
#include <net/ipv6.h>
#include "headers.h"

#define ROUTE_HEADER	8	/* octets before the addresses */
#define OPTION_ACTION	0xc0	/* what to do with an option that is not known */
#define OPTION_MUTABLE	0x20

/**
 * postern_header_skip - step over one extension header of options or of routing
 * @skb: packet
 * @off: of the header, then of what is behind it
 * @next: what the header is, then what is behind it
 *
 * Return: 1, 0 when it is no such header, or -EINVAL when it is cut off.
 */
int postern_header_skip(const struct sk_buff *skb, int *off, u8 *next)
{
	const struct ipv6_opt_hdr *opt;
	struct ipv6_opt_hdr buf;

	if (*next != NEXTHDR_HOP && *next != NEXTHDR_ROUTING && *next != NEXTHDR_DEST)
		return 0;
	opt = skb_header_pointer(skb, *off, sizeof(buf), &buf);
	if (!opt || ipv6_optlen(opt) > skb->len - *off)
		return -EINVAL;
	*next = opt->nexthdr;
	*off += ipv6_optlen(opt);
	return 1;
}

/**
 * postern_front_find - the length of a front, as it came
 * @skb: IPv6 packet, its network header set
 * @next: what is behind
 *
 * Return: octets from the network header on, or -EINVAL when headers are cut off or
 * more than anybody should follow.
 */
int postern_front_find(const struct sk_buff *skb, u8 *next)
{
	int start = skb_network_offset(skb), off = start + sizeof(struct ipv6hdr);
	int i, more;

	*next = ipv6_hdr(skb)->nexthdr;
	for (i = 0; i < POSTERN_HEADERS_MAX; i++) {
		more = postern_header_skip(skb, &off, next);
		if (more <= 0)
			return more ?: off - start;
	}
	return -EINVAL;
}

/**
 * postern_front_length - how much stays in front in transport mode
 * @skb: IPv6 packet, network header at its data
 * @next: what is protected; NEXTHDR_FRAGMENT when there is a fragment header
 *
 * Hop-by-hop options and routing headers, and the destination options that routers
 * on the way read.  Those for the receiver alone are protected (RFC 4303 section 3.1.1).
 *
 * Return: as postern_front_find().
 */
int postern_front_length(const struct sk_buff *skb, u8 *next)
{
	int off = sizeof(struct ipv6hdr), len = off, i, more;
	u8 type, behind = ipv6_hdr(skb)->nexthdr;

	*next = behind;
	for (i = 0; i < POSTERN_HEADERS_MAX; i++) {
		type = behind;
		more = postern_header_skip(skb, &off, &behind);
		if (more < 0)
			return more;
		if (!more) {
			if (behind == NEXTHDR_FRAGMENT)
				*next = behind;
			return len;
		}
		if (type != NEXTHDR_DEST) {
			len = off;
			*next = behind;
		}
	}
	return -EINVAL;
}

/* The octets of the option at @opt, of @left; 0 when they are more. */
static unsigned int option_length(const u8 *opt, unsigned int left)
{
	unsigned int len;

	if (*opt == IPV6_TLV_PAD1)
		return 1;
	len = left < 2 ? 0 : opt[1] + 2;
	return len <= left ? len : 0;
}

/* Appendix A2: options that routers may change count by their type and length only. */
static int mask_options(u8 *header)
{
	unsigned int left = ipv6_optlen((struct ipv6_opt_hdr *)header) - 2, len;
	u8 *opt = header + 2;

	for (; left; opt += len, left -= len) {
		len = option_length(opt, left);
		if (!len)
			return -EINVAL;
		if (*opt & OPTION_MUTABLE && len > 2)
			memset(opt + 2, 0, len - 2);
	}
	return 0;
}

/* Does it ask to be known or else to be dropped (RFC 8200 section 4.2)?  Or is it broken? */
static bool options_insist(const u8 *header)
{
	unsigned int left = ipv6_optlen((struct ipv6_opt_hdr *)header) - 2, len;
	const u8 *opt = header + 2;

	for (; left; opt += len, left -= len) {
		len = option_length(opt, left);
		if (!len || *opt & OPTION_ACTION)
			return true;
	}
	return false;
}

/*
 * Appendix A2: the header as it will be at the receiver.  Each of the @left routers
 * swaps the destination with the next address.  Of types that are not known nobody
 * can tell.
 */
static int predict_route(struct ipv6hdr *ip6h, u8 *header)
{
	struct ipv6_rt_hdr *route = (struct ipv6_rt_hdr *)header;
	unsigned int left = route->segments_left, n = route->hdrlen / 2;
	struct in6_addr *addr = (struct in6_addr *)(header + ROUTE_HEADER), last;

	if (!left)
		return 0;
	if ((route->type != IPV6_SRCRT_TYPE_0 && route->type != IPV6_SRCRT_TYPE_2) ||
	    route->hdrlen % 2 || left > n)
		return -EINVAL;
	last = addr[n - 1];
	memmove(&addr[n - left + 1], &addr[n - left], (left - 1) * sizeof(*addr));
	addr[n - left] = ip6h->daddr;
	ip6h->daddr = last;
	route->segments_left = 0;
	return 0;
}

static int mask_ipv6(u8 *ip, unsigned int len)
{
	struct ipv6hdr *ip6h = (struct ipv6hdr *)ip;
	unsigned int off = sizeof(*ip6h), n;
	u8 next = ip6h->nexthdr;
	int err;

	*(__be32 *)ip = htonl(0x60000000);
	ip6h->hop_limit = 0;
	for (; unlikely(off < len); off += n) {
		/* who can still write to the pages of a packet may have changed it */
		n = ipv6_optlen((struct ipv6_opt_hdr *)(ip + off));
		if (n > len - off)
			return -EINVAL;
		err = next == NEXTHDR_ROUTING ? predict_route(ip6h, ip + off) :
						mask_options(ip + off);
		if (err)
			return err;
		next = ip[off];
	}
	return 0;
}

/* Appendix A1: the options that stay as they are; XFRM knows the same. */
static bool option_is_immutable(u8 type)
{
	switch (type) {
	case IPOPT_SEC:
	case IPOPT_COPY | 5:	/* extended security */
	case IPOPT_CIPSO:
	case IPOPT_RA:
	case IPOPT_COPY | 21:	/* sender directed delivery */
		return true;
	}
	return false;
}

/* Octets of the IPv4 option at @opt, of @left; 0 at the end, -EINVAL when they are more. */
static int ipv4_option_length(const u8 *opt, unsigned int left)
{
	if (!left || *opt == IPOPT_END)
		return 0;
	if (*opt == IPOPT_NOOP)
		return 1;
	return left < 2 || opt[1] < 2 || opt[1] > left ? -EINVAL : opt[1];
}

/*
 * Where a source route ends that is not used up yet (RFC 791 section 3.1: its pointer,
 * which counts from 1, is past its length when it is): the last whole address from there.
 */
static bool ends_source_route(const u8 *opt, unsigned int len, __be32 *to)
{
	unsigned int at;

	if ((*opt != IPOPT_LSRR && *opt != IPOPT_SSRR) || len < 7)
		return false;
	at = opt[2];
	if (at < 4 || at + sizeof(*to) - 1 > len)
		return false;
	at += round_down(len - at + 1, sizeof(*to)) - sizeof(*to);
	memcpy(to, opt + at - 1, sizeof(*to));
	return true;
}

static int mask_ipv4(u8 *ip, unsigned int len)
{
	struct iphdr *iph = (struct iphdr *)ip;
	unsigned int left = len - sizeof(*iph);
	u8 *opt = ip + sizeof(*iph);
	int n;

	iph->tos = 0;
	iph->frag_off = 0;
	iph->ttl = 0;
	iph->check = 0;
	while (unlikely((n = ipv4_option_length(opt, left)) > 0)) {
		if (n > 1 && !option_is_immutable(*opt)) {
			ends_source_route(opt, n, &iph->daddr);
			memset(opt, 0, n);
		}
		opt += n;
		left -= n;
	}
	return n;
}

/**
 * postern_front_mask - the front as both ends can know it (RFC 4302 section 3.3.3.1)
 * @ip: the front, changed in place: what may change is zero, and what changes in a
 *      known way is as the receiver will see it
 * @len: its octets, as they were counted; its headers may say otherwise by now
 *
 * Return: 0, or -EINVAL when options are cut off or a route is of an unknown kind.
 */
int postern_front_mask(u8 *ip, unsigned int len)
{
	return *ip >> 4 == 4 ? mask_ipv4(ip, len) : mask_ipv6(ip, len);
}

/**
 * postern_route_end - the last address of a routing header
 * @skb: packet
 * @off: of the header
 * @to: the address; left alone when the packet is there, or where it goes is not known
 *
 * Return: false for what hosts of its kind go by and is not read here.
 */
bool postern_route_end(const struct sk_buff *skb, int off, struct in6_addr *to)
{
	const struct ipv6_rt_hdr *route;
	const struct in6_addr *addr;
	struct ipv6_rt_hdr buf;
	struct in6_addr last;

	route = skb_header_pointer(skb, off, sizeof(buf), &buf);
	if (!route || !route->segments_left)
		return true;
	if (route->type == IPV6_SRCRT_TYPE_3)	/* compressed (RFC 6554) */
		return false;
	if (route->hdrlen < 2)
		return true;
	off += ROUTE_HEADER;
	switch (route->type) {
	case IPV6_SRCRT_TYPE_0:
	case IPV6_SRCRT_TYPE_2:
		off += (route->hdrlen / 2 - 1) * sizeof(last);
		break;
	case IPV6_SRCRT_TYPE_4:	/* from the last to the first (RFC 8754 section 2) */
		break;
	default:
		return true;
	}
	addr = skb_header_pointer(skb, off, sizeof(last), &last);
	if (addr)
		*to = *addr;
	return true;
}

/**
 * postern_source_route_end - the last address of a source route
 * @skb: packet
 * @off: of its options of IPv4
 * @left: octets of them
 * @to: as for postern_route_end()
 */
void postern_source_route_end(const struct sk_buff *skb, int off, unsigned int left,
			      __be32 *to)
{
	u8 buf[POSTERN_FRONT_PLAIN];
	const u8 *opt;
	int n;

	opt = skb_header_pointer(skb, off, left, buf);
	if (!opt)
		return;
	while ((n = ipv4_option_length(opt, left)) > 0) {
		if (n > 1 && ends_source_route(opt, n, to))
			return;
		opt += n;
		left -= n;
	}
}

/**
 * postern_front_arrived - is what follows this front for this host to open?
 * @ip: the front
 * @len: its octets, as they were counted; its headers may say otherwise by now
 * @ends_here: nobody will read it any more
 *
 * Return: false when a route has not come to its end, for jumbograms, and when options
 * that nobody would read want to be known.
 */
bool postern_front_arrived(const u8 *ip, unsigned int len, bool ends_here)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)ip;
	unsigned int off = sizeof(*ip6h), n;
	u8 next = ip6h->nexthdr;

	if (!ip6h->payload_len)
		return false;
	for (; off < len; off += n) {
		n = ipv6_optlen((struct ipv6_opt_hdr *)(ip + off));
		if (n > len - off)
			return false;
		if (next == NEXTHDR_ROUTING && ((struct ipv6_rt_hdr *)(ip + off))->segments_left)
			return false;
		if (next == NEXTHDR_DEST && ends_here && options_insist(ip + off))
			return false;
		next = ip[off];
	}
	return true;
}

/**
 * postern_front_last - the octet that says what follows a front
 * @ip: the front
 * @len: its octets, as they were counted; its headers may say otherwise by now
 */
u8 *postern_front_last(u8 *ip, unsigned int len)
{
	unsigned int off = sizeof(struct ipv6hdr), at;

	if (*ip >> 4 == 4)
		return &((struct iphdr *)ip)->protocol;
	if (likely(off == len))
		return &((struct ipv6hdr *)ip)->nexthdr;
	do {
		at = off;
		off += ipv6_optlen((struct ipv6_opt_hdr *)(ip + off));
	} while (off < len);
	return ip + at;
}
