// SPDX-License-Identifier: GPL-2.0
/*
 * Inside of ESP is what follows the inner IP header.  Options of IPv4 stand in front of
 * that, behind a pseudo header that says how long they are; extension headers of IPv6
 * are part of it.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "beet.h"

#define OPTIONS_MAX	(60 - sizeof(struct iphdr))

/* Both of them, so that pseudo header and options are a multiple of 8 octets. */
static unsigned int pseudo_len(unsigned int options)
{
	return sizeof(struct ip_beet_phdr) + 4 - (options & 4);
}

static unsigned int options_len(const struct sk_buff *skb)
{
	return ip_hdrlen(skb) - sizeof(struct iphdr);
}

/*
 * Octets that the outer header stands for, of an IPv4 header of @len: options stay, and
 * the pseudo header in front of them takes the last octets before.
 */
unsigned int postern_beet_replaced(unsigned int len)
{
	return sizeof(struct iphdr) - (likely(len == sizeof(struct iphdr)) ? 0 :
				       pseudo_len(len - sizeof(struct iphdr)));
}

/* Has it the addresses that the peer will restore? */
static bool has_addresses(const struct sk_buff *skb, u8 family,
			  const struct postern_selector *sel)
{
	if (family != sel->family)
		return false;
	if (family == AF_INET)
		return ip_hdr(skb)->saddr == sel->src.ip &&
		       ip_hdr(skb)->daddr == sel->dst.ip;
	return ipv6_addr_equal(&ipv6_hdr(skb)->saddr, &sel->src.in6) &&
	       ipv6_addr_equal(&ipv6_hdr(skb)->daddr, &sel->dst.in6);
}

/**
 * postern_beet_check - can the peer restore this packet?
 * @sa: SA of mode beet
 * @skb: packet, network header set
 * @family: of @skb
 * @dummy: nobody will look at its addresses
 * @replaced: result, octets of it that the outer header stands for
 *
 * An ICMP error may be outside the SA though what it is about is not.  Fragments of IPv4
 * have their offset in the header.
 *
 * Return: 0 or why the packet must be dropped.  Context: RCU read side.
 */
enum postern_drop_reason postern_beet_check(const struct postern_sa *sa,
					    const struct sk_buff *skb, u8 family,
					    bool dummy, unsigned int *replaced)
{
	if (!dummy &&
	    !has_addresses(skb, family, &rcu_dereference(sa->selector)->sel))
		return POSTERN_DROP_OUT_SELECTOR;
	if (family == AF_INET6) {
		*replaced = sizeof(struct ipv6hdr);
		return 0;
	}
	if (ip_is_fragment(ip_hdr(skb)) || skb_shinfo(skb)->gso_type & SKB_GSO_UDP)
		return POSTERN_DROP_OUT_FRAGMENT;
	*replaced = postern_beet_replaced(ip_hdrlen(skb));
	return 0;
}

/**
 * postern_beet_options - put a pseudo header before options of IPv4
 * @skb: packet, network header at its data; consumed when another is returned
 * @family: of @skb
 *
 * In a copy of the packet's header it is in place of addresses, which nobody reads any
 * more.
 *
 * Return: @skb when it has no options, else the copy, or NULL without memory.
 */
struct sk_buff *postern_beet_options(struct sk_buff *skb, u8 family)
{
	struct ip_beet_phdr *ph;
	struct sk_buff *copy;
	unsigned int len;

	if (family != AF_INET || likely(!options_len(skb)))
		return skb;
	copy = pskb_copy(skb, GFP_ATOMIC);
	if (!copy)
		return NULL;
	postern_skb_move_owner(skb, copy);
	consume_skb(skb);
	len = pseudo_len(options_len(copy));
	ph = (void *)copy->data + sizeof(struct iphdr) - len;
	memset(ph, IPOPT_NOP, len);
	ph->nexthdr = ip_hdr(copy)->protocol;
	ph->hdrlen = options_len(copy) / 8;
	ph->padlen = len - sizeof(*ph);
	ph->reserved = 0;
	return copy;
}

static u8 outer_ttl(const struct postern_job *job)
{
	return job->sa->ipv4 ? ip_hdr(job->in)->ttl : ipv6_hdr(job->in)->hop_limit;
}

/* @options: octets of them at the data of @skb */
static void write_ipv4(const struct postern_job *job, struct sk_buff *skb,
		       const struct postern_selector *sel, unsigned int options)
{
	const struct iphdr *outer = job->sa->ipv4 ? ip_hdr(job->in) : NULL;
	struct iphdr *iph = __skb_push(skb, sizeof(*iph));

	iph->version = 4;
	iph->ihl = (sizeof(*iph) + options) / 4;
	iph->tos = job->ds;
	iph->tot_len = htons(skb->len);
	iph->id = outer ? outer->id : 0;
	iph->frag_off = outer ? outer->frag_off & htons(IP_DF) : htons(IP_DF);
	iph->ttl = outer_ttl(job);
	iph->protocol = job->next;
	iph->saddr = sel->src.ip;
	iph->daddr = sel->dst.ip;
	ip_send_check(iph);
	skb->protocol = htons(ETH_P_IP);
}

static void write_ipv6(const struct postern_job *job, struct sk_buff *skb,
		       const struct postern_selector *sel)
{
	__be32 label = job->sa->ipv4 ? 0 : ip6_flowlabel(ipv6_hdr(job->in));
	unsigned int payload = skb->len;
	struct ipv6hdr *ip6h = __skb_push(skb, sizeof(*ip6h));

	ip6_flow_hdr(ip6h, job->ds, label);
	ip6h->payload_len = htons(payload);
	ip6h->nexthdr = job->next;
	ip6h->hop_limit = outer_ttl(job);
	ip6h->saddr = sel->src.in6;
	ip6h->daddr = sel->dst.in6;
	skb->protocol = htons(ETH_P_IPV6);
}

/* Takes the pseudo header away.  @options will be the octets behind it. */
static enum postern_drop_reason strip_pseudo(struct postern_job *job,
					     unsigned int *options)
{
	struct ip_beet_phdr buf, *ph;
	unsigned int len;

	ph = skb_header_pointer(job->out, 0, sizeof(buf), &buf);
	if (!ph || ph->padlen & ~4)
		return POSTERN_DROP_IN_INNER;
	len = sizeof(*ph) + ph->padlen;
	*options = ph->hdrlen * 8 + 4 - ph->padlen;
	if (*options > OPTIONS_MAX || !pskb_may_pull(job->out, len + *options))
		return POSTERN_DROP_IN_INNER;
	job->next = ((struct ip_beet_phdr *)job->out->data)->nexthdr;
	__skb_pull(job->out, len);
	return 0;
}

/**
 * postern_beet_strip - restore the inner header
 * @job: complete, its out has POSTERN_BEET_ROOM octets before what was inside
 *
 * Return: 0 or why the packet must be dropped.  Context: RCU read side.
 */
enum postern_drop_reason postern_beet_strip(struct postern_job *job)
{
	const struct postern_selector *sel = &rcu_dereference(job->sa->selector)->sel;
	bool ipv4 = sel->family == AF_INET;
	struct sk_buff *skb = job->out;
	enum postern_drop_reason reason;
	unsigned int options = 0;

	__skb_pull(skb, job->ip_len);
	if (job->next == IPPROTO_BEETPH && ipv4) {
		reason = strip_pseudo(job, &options);
		if (reason)
			return reason;
	}
	if (job->next == NEXTHDR_NONE)
		return POSTERN_DROP_IN_DUMMY;
	if (job->next == IPPROTO_BEETPH)
		return POSTERN_DROP_IN_NEXT_HEADER;
	if (skb->len > IP_MAX_MTU - (ipv4 ? sizeof(struct iphdr) : 0))
		return POSTERN_DROP_IN_INNER;
	if (ipv4)
		write_ipv4(job, skb, sel, options);
	else
		write_ipv6(job, skb, sel);
	skb_reset_network_header(skb);
	return 0;
}
