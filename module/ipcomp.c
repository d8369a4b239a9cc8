// SPDX-License-Identifier: GPL-2.0
/*
 * IPComp (RFC 3173): one packet, compressed or restored.
 *
 *  | next header | flags | CPI | compressed payload |
 *
 * What does not become smaller goes as it is, without that header (section 2.2): in
 * transport mode nothing shows that it was to be compressed, in tunnel mode it is an IP
 * packet in an IP packet.
 *
 * Context of all functions: RCU read side, bottom halves off.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/ip.h>
#include "deflate.h"
#include "headers.h"
#include "xform.h"

/* Less than this does not become smaller. */
#define THRESHOLD	90

static unsigned int ipcomp_room(const struct postern_sa *sa, unsigned int payload)
{
	return 0;
}

static unsigned int ipcomp_fit(const struct postern_sa *sa, unsigned int len)
{
	return len;
}

static int ipcomp_output(struct postern_job *job)
{
	unsigned int len = job->in->len - job->offset;
	struct sk_buff *out = job->out;
	struct ip_comp_hdr *comp = (void *)out->data + job->ip_len;
	int n = -ENOSPC;

	if (len >= THRESHOLD)
		n = postern_deflate(job->in, job->offset, (u8 *)(comp + 1),
				    len - sizeof(*comp) - 1);
	if (n < 0) {
		*postern_front_last(out->data, job->ip_len) = job->next;
		return skb_copy_bits(job->in, job->offset, comp, len);
	}
	comp->nexthdr = job->next;
	comp->flags = 0;
	comp->cpi = htons(ntohl(job->sa->key.spi));
	__skb_trim(out, job->ip_len + sizeof(*comp) + n);
	if (job->sa->ipv4)
		ip_hdr(out)->tot_len = htons(out->len);
	else
		ipv6_hdr(out)->payload_len = htons(out->len - sizeof(struct ipv6hdr));
	return 0;
}

/* @out has room for what @in has, which is all that an uncompressed one needs. */
static int ipcomp_input(struct postern_job *job)
{
	struct sk_buff *in = job->in, *out = job->out;
	unsigned int len = in->len - job->offset, room;
	struct ip_comp_hdr buf, *comp;

	job->next = job->sa->ipv4 ? ip_hdr(in)->protocol : ipv6_hdr(in)->nexthdr;
	if (job->next != IPPROTO_COMP)
		return skb_copy_bits(in, job->offset, out->data + job->ip_len, len);
	comp = skb_header_pointer(in, job->offset, sizeof(buf), &buf);
	if (!comp)
		return -EMSGSIZE;
	job->next = comp->nexthdr;
	room = job->sa->ipv4 || !job->ip_len ? IP_MAX_MTU : U16_MAX + sizeof(struct ipv6hdr);
	return postern_inflate(in, job->offset + sizeof(*comp), out, job->ip_len,
			       room - job->ip_len);
}

static enum postern_drop_reason ipcomp_strip(struct postern_job *job)
{
	return 0;
}

const struct postern_xform postern_ipcomp = {
	.room = ipcomp_room,
	.fit = ipcomp_fit,
	.output = ipcomp_output,
	.input = ipcomp_input,
	.strip = ipcomp_strip,
};
