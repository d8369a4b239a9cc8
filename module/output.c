// SPDX-License-Identifier: GPL-2.0
/*
 * The way out: from hooks.c, a packet that a policy says to protect; to the stack's
 * ip_local_out(), the protected packets.
 *
 *   postern_output      SAs, route, size, segments            stage 1
 *   output_one          number, room, outer header, transform stages 1 and 2
 *   output_done         mark, send; or the next SA            stage 3
 *
 * What leaves an SA of a policy with several templates comes to output_one again, by
 * way of output_next: one after the other, nothing nested on the stack.
 *
 * Context: RCU read side.  Bottom halves are off for one segment at a time, so that
 * those of a super-packet do not pile up in the backlog of a virtual device, where
 * what another CPU sends would overtake them.  RFC 4301 section 5.1.
 */
#include <linux/random.h>
#include <linux/sched/task_stack.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>
#include "beet.h"
#include "compat.h"
#include "expire.h"
#include "flow.h"
#include "headers.h"
#include "outer.h"
#include "path.h"
#include "xform.h"

/*
 * What tells our own packets from others when they come by POST_ROUTING again: the
 * flag that the stack clears on receipt, and 8 octets at the end of the control block
 * that nobody can guess, another namespace neither, and that belong to this packet's
 * SPI and number.
 */
#define MARK_OFFSET	(sizeof_field(struct sk_buff, cb) - sizeof(u64))

/* All keepalives are alike; as an SPI with a number this is none. */
#define KEEPALIVE	0xff

static bool is_keepalive(const struct sk_buff *skb, unsigned int off)
{
	return skb->len - off == sizeof(struct udphdr) + 1;
}

/* SPI and number of an ESP or AH packet, and our secret; 0 when it can be neither. */
static u64 mark_of(const struct postern_net *pn, const struct sk_buff *skb, bool ipv4)
{
	int off = skb_network_offset(skb), front;
	u64 buf, *id;
	u8 proto;

	if (ipv4) {
		proto = ip_hdr(skb)->protocol;
		front = ip_hdrlen(skb);
	} else {
		front = postern_front_find(skb, &proto);
	}
	if (unlikely(front < 0))
		return 0;
	off += front;
	if (proto == IPPROTO_AH)
		off += 4;
	else if (proto == IPPROTO_UDP && is_keepalive(skb, off))
		return KEEPALIVE ^ pn->secret;
	else if (proto == IPPROTO_UDP)
		off += sizeof(struct udphdr);
	else if (proto != IPPROTO_ESP)
		return 0;
	id = skb_header_pointer(skb, off, sizeof(buf), &buf);
	return id ? get_unaligned(id) ^ pn->secret : 0;
}

/**
 * postern_output_is_ours - did this packet come out of a transform of ours?
 * @pn: namespace that it is in
 * @skb: packet in POST_ROUTING
 * @dev: device that it leaves by
 * @ipv4: family
 *
 * A VRF that was its device before has cleared the flag: then that nobody has received
 * it since speaks for it.
 */
bool postern_output_is_ours(const struct postern_net *pn, const struct sk_buff *skb,
			    const struct net_device *dev, bool ipv4)
{
	bool flag = ipv4 ? IPCB(skb)->flags & IPSKB_XFRM_TRANSFORMED :
			   IP6CB(skb)->flags & IP6SKB_XFRM_TRANSFORMED;
	u64 mark;

	if (likely(!flag && (!netif_is_l3_slave(dev) || skb->skb_iif)))
		return false;
	mark = mark_of(pn, skb, ipv4);
	return mark && mark == get_unaligned((u64 *)(skb->cb + MARK_OFFSET));
}

/* As a forwarded one, an IPv4 packet goes by the MTU of its route that nobody learned. */
static void mark_ours(const struct postern_net *pn, struct sk_buff *skb, bool ipv4,
		      u16 max)
{
	memset(skb->cb, 0, sizeof(skb->cb));
	if (ipv4) {
		IPCB(skb)->flags = IPSKB_XFRM_TRANSFORMED | IPSKB_FORWARDED;
		if (unlikely(max))	/* some only the first fragment has (RFC 791 section 3.1) */
			IPCB(skb)->opt.optlen = ip_hdrlen(skb) - sizeof(struct iphdr);
	} else {
		IP6CB(skb)->flags = IP6SKB_XFRM_TRANSFORMED;
		IP6CB(skb)->frag_max_size = max;
	}
	put_unaligned(mark_of(pn, skb, ipv4), (u64 *)(skb->cb + MARK_OFFSET));
}

/* The header in front, and all that the packet inherits.  Returns what is protected. */
static u8 output_header(const struct postern_out *o, const struct sk_buff *in,
			struct sk_buff *out)
{
	const struct postern_sa *sa = o->sa;
	u8 next;

	skb_reset_network_header(out);
	skb_set_transport_header(out, o->outer_len - postern_encap_len(o->encap));
	out->protocol = sa->ipv4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	out->dev = dst_dev(o->dst);
	out->mark = postern_sa_mark(sa, in->mark);
	out->priority = in->priority;
	/* one queue for an SA, so that its order is kept, and nobody dissects it */
	__skb_set_hash(out, sa->flow_hash, true, true);
	dst_hold(o->dst);
	skb_dst_set(out, o->dst);
	out->ignore_df = o->may_fragment;
	switch (sa->mode) {
	case POSTERN_MODE_TRANSPORT:
		next = postern_outer_transport(o->pn->net, sa, out, in, o->ip_len,
					       o->may_fragment);
		break;
	case POSTERN_MODE_BEET:
		next = postern_outer_beet(o->pn->net, sa, out, in, o->flow.family,
					  o->may_fragment);
		break;
	default:
		postern_outer_tunnel(o->pn->net, sa, out, in, o->flow.family,
				     o->dst, o->may_fragment);
		next = o->flow.family == AF_INET ? IPPROTO_IPIP : IPPROTO_IPV6;
		if (unlikely(o->dummy))
			next = IPPROTO_NONE;
	}
	if (o->encap)
		postern_outer_encap(out, sa->ipv4, o->encap);
	return next;
}

static void output_finish(struct postern_job *job, int err);

/*
 * One SA of one packet or segment; @skb is consumed.  Returns the job with @err when the
 * transform is complete, NULL when it is not, or the packet was dropped.
 */
static struct postern_job *output_one(const struct postern_out *o,
				      struct sk_buff *skb, int *err)
{
	const struct postern_xform *xform = postern_xform(o->sa);
	struct postern_sa *sa = o->sa;
	struct postern_drop_site site = postern_sa_site(o->pn->stats, sa);
	unsigned int payload = skb->len - o->ip_len, tfc = 0;
	enum postern_drop_reason reason;
	struct postern_job *job;
	struct sk_buff *out;
	unsigned int len;
	u64 seq;

	site.policy = o->index;
	reason = POSTERN_DROP_OUT_TOO_BIG;
	if (unlikely(o->pad_to > skb->len))
		tfc = o->pad_to - skb->len;
	len = o->outer_len + payload + tfc + xform->room(sa, payload + tfc);
	if (unlikely(len > IP_MAX_MTU + (sa->ipv4 ? 0 : sizeof(struct ipv6hdr))))
		goto drop;
	reason = POSTERN_DROP_OUT_OPTIONS;
	if (unlikely(o->next_count && o->encap))	/* only what is sent is in UDP */
		goto drop;
	reason = POSTERN_DROP_OUT_LIFETIME;
	if (unlikely(!postern_sa_spend(sa, skb->len)))
		goto drop;
	/*
	 * As late as can be: what another CPU sends between this and our sending
	 * must stay less than the window of the peer.
	 */
	reason = POSTERN_DROP_OUT_SEQUENCE;
	seq = postern_seqno_take(sa->seqno);
	if (unlikely(seq > U32_MAX) && seq > postern_sa_last_number(sa)) {
		postern_sa_exhausted(sa);
		goto drop;
	}

	reason = POSTERN_DROP_OUT_MEMORY;
	if (unlikely(sa->mode == POSTERN_MODE_BEET)) {
		out = postern_beet_options(skb, o->flow.family);
		if (unlikely(!out))
			goto drop;
		skb = out;
	}
	out = postern_skb_alloc(LL_RESERVED_SPACE(dst_dev(o->dst)), len,
				sa->key.proto != IPPROTO_ESP ||
				o->outer_len > POSTERN_FRONT_PLAIN, false);
	if (unlikely(!out))
		goto drop;
	job = postern_job_get(sa, skb, out);
	if (unlikely(!job)) {
		if (!postern_sa_usable(sa))
			reason = POSTERN_DROP_OUT_NO_SA;
		kfree_skb(out);
		goto drop;
	}
	if (unlikely(o->next_count) &&
	    !postern_job_hold(job, o->next, o->next_count)) {
		reason = POSTERN_DROP_OUT_NO_SA;
		postern_job_put(job);
		kfree_skb(out);
		goto drop;
	}
	job->done = output_finish;
	job->seq = seq;
	job->policy = o->index;
	job->max = o->may_fragment ? min_t(u32, o->path_mtu, U16_MAX) : 0;
	job->offset = o->ip_len;
	job->tfc = tfc;
	job->ip_len = o->outer_len;
	job->next = output_header(o, skb, out);
	*err = xform->output(job);
	return likely(*err != -EINPROGRESS) ? job : NULL;

drop:
	postern_drop(&site, skb, reason);
	return NULL;
}

/* Extension headers of IPv6: those that stay in front. */
static noinline enum postern_drop_reason check_extensions(struct postern_out *o)
{
	int len;
	u8 next;

	if (!ipv6_hdr(o->skb)->payload_len)	/* a jumbogram, or to be cut to segments */
		return POSTERN_DROP_OUT_OPTIONS;
	len = postern_front_length(o->skb, &next);
	if (len < 0 || len > POSTERN_FRONT_MAX)
		return POSTERN_DROP_OUT_OPTIONS;
	if (next == NEXTHDR_FRAGMENT)
		return POSTERN_DROP_OUT_FRAGMENT;
	o->ip_len = len;
	return 0;
}

/* Transport mode: only whole packets. */
static enum postern_drop_reason check_transport(struct postern_out *o)
{
	enum postern_drop_reason reason = 0;
	const struct sk_buff *skb = o->skb;

	if (skb_shinfo(skb)->gso_type & SKB_GSO_UDP)	/* will be fragments */
		return POSTERN_DROP_OUT_FRAGMENT;
	if (o->flow.family == AF_INET) {
		o->ip_len = ip_hdrlen(skb);
		if (ip_is_fragment(ip_hdr(skb)))
			return POSTERN_DROP_OUT_FRAGMENT;
	} else {
		o->ip_len = sizeof(struct ipv6hdr);
		if (unlikely(ipv6_ext_hdr(ipv6_hdr(skb)->nexthdr)) &&
		    ipv6_hdr(skb)->nexthdr != NEXTHDR_NONE)
			reason = check_extensions(o);
		/* what comes is looked for in datagrams behind no header but IP's */
		if (unlikely(o->encap && o->ip_len != sizeof(struct ipv6hdr)))
			reason = POSTERN_DROP_OUT_OPTIONS;
	}
	o->outer_len = o->ip_len + postern_encap_len(o->encap);
	return reason;
}

static enum postern_drop_reason find_route(struct postern_out *o)
{
	enum postern_drop_reason reason;
	struct postern_sa *sa = o->sa;
	struct dst_entry *dst;

	o->encap = READ_ONCE(sa->encap);
	if (sa->mode == POSTERN_MODE_TRANSPORT) {
		if (sa->key.family != o->flow.family ||
		    !postern_addr_equal(&sa->key.dst, &o->flow.dst) ||
		    !postern_sa_of_source(sa, &o->flow.src))
			return POSTERN_DROP_OUT_SELECTOR;
		dst = skb_dst(o->skb);
		/* what a bridge passes has a route that leads nowhere */
		if (unlikely(!dst || dst->flags & DST_FAKE_RTABLE))
			o->dst = postern_route(o->pn, sa, o->skb->mark, o->encap);
		else if (dst_hold_safe(dst))
			o->dst = postern_pmtu_plain(dst);
		return o->dst ? check_transport(o) : POSTERN_DROP_OUT_NO_ROUTE;
	}
	o->ip_len = 0;
	if (unlikely(sa->mode == POSTERN_MODE_BEET)) {
		reason = postern_beet_check(sa, o->skb, o->flow.family, o->dummy,
					    &o->ip_len);
		if (reason)
			return reason;
	}
	o->outer_len = postern_sa_outer_len(sa) + postern_encap_len(o->encap);
	o->dst = postern_route(o->pn, sa, o->skb->mark, o->encap);
	return o->dst ? 0 : POSTERN_DROP_OUT_NO_ROUTE;
}

/* The route of what leaves the last SA: that of the last tunnel's. */
static noinline enum postern_drop_reason find_last_route(struct postern_out *o)
{
	u32 mark = postern_sa_mark(o->sa, o->skb->mark), tunnel_mark = 0;
	struct postern_sa *sa, *tunnel = NULL;
	unsigned int i;

	for (i = 0; i < o->next_count; i++) {
		sa = o->next[i];
		if (sa->mode != POSTERN_MODE_TRANSPORT) {
			tunnel = sa;
			tunnel_mark = mark;
		}
		mark = postern_sa_mark(sa, mark);
	}
	if (tunnel)
		o->last_dst = postern_route(o->pn, tunnel, tunnel_mark,
					    READ_ONCE(tunnel->encap));
	else
		o->last_dst = dst_clone(o->dst);
	return o->last_dst ? 0 : POSTERN_DROP_OUT_NO_ROUTE;
}

static bool in_selector(const struct postern_sa *sa, const struct postern_flow *flow)
{
	const struct postern_sa_selector *selector = rcu_dereference(sa->selector);

	return likely(!selector) || postern_selector_match(&selector->sel, flow, false);
}

/* What a packet that goes through several SAs must fulfil besides. */
static noinline enum postern_drop_reason check_next(struct postern_out *o)
{
	unsigned int i;

	for (i = 0; i < o->next_count; i++)
		if (!in_selector(o->next[i], o->judged))
			return POSTERN_DROP_OUT_SELECTOR;
	return find_last_route(o);
}

/*
 * Devices whose sending functions have called one another, up to here, or packets of ours
 * in which this one is: what changes them between LOCAL_OUT and POST_ROUTING, so that they
 * are protected again, need no device.  The stack's own limit is 8, for which the kernel
 * stack would not do.
 */
#define NESTING_MAX	3

#ifndef CONFIG_PREEMPT_RT
static DEFINE_PER_CPU(unsigned int, sending);

static bool nests_too_deep(void)
{
	return dev_recursion_level() > NESTING_MAX ||
	       this_cpu_read(sending) > NESTING_MAX;
}

static void sending_begins(void)
{
	__this_cpu_inc(sending);
}

static void sending_ends(void)
{
	__this_cpu_dec(sending);
}
#else
/* Others come in between on the same CPU, but all runs on the stack of its task. */
static bool nests_too_deep(void)
{
	unsigned long left = (unsigned long)__builtin_frame_address(0) -
			     (unsigned long)task_stack_page(current);

	return dev_recursion_level() > NESTING_MAX || left < THREAD_SIZE / 3;
}

static void sending_begins(void) {}
static void sending_ends(void) {}
#endif

static enum postern_drop_reason check_packet(struct postern_out *o)
{
	enum postern_drop_reason reason;

	if (unlikely(nests_too_deep()))
		return POSTERN_DROP_OUT_NESTING;
	if (unlikely(o->judged->opaque) &&
	    !postern_selector_any_port(&o->policy->rule.sel))
		return POSTERN_DROP_OUT_FRAGMENT;
	if (!in_selector(o->sa, o->judged))
		return POSTERN_DROP_OUT_SELECTOR;
	reason = find_route(o);
	if (likely(!reason) && unlikely(o->next_count))
		reason = check_next(o);
	if (unlikely(reason))
		return reason;
	if (unlikely(!postern_pmtu_fits(o)))
		return POSTERN_DROP_OUT_TOO_BIG;
	if (unlikely(o->policy->flags & POSTERN_POLICY_FLAG_TCP_MSS) &&
	    !postern_mss_lower(o->skb, &o->flow, postern_pmtu_inner(o)))
		return POSTERN_DROP_OUT_MEMORY;
	return 0;
}

/* What leaves one SA comes to the next; as output_one. */
static struct postern_job *output_next(struct postern_job *job, int *err)
{
	struct postern_sa *before = job->sa;
	struct postern_out o = {
		.pn = before->pn,
		.skb = job->out,
		.index = job->policy,
		.sa = job->others[0],
		.next_count = job->others_count - 1,
		.flow = {
			.src = before->src,
			.dst = before->key.dst,
			.family = before->key.family,
		},
		.path_mtu = job->max,
		.may_fragment = job->max,
	};
	struct postern_drop_site site = postern_sa_site(o.pn->stats, o.sa);
	enum postern_drop_reason reason;

	site.policy = o.index;
	if (before->ipv4)	/* nobody else does, of what is not sent */
		ip_send_check(ip_hdr(o.skb));
	if (unlikely(postern_addr_any(&before->src)))
		postern_flow_source(&o.flow, o.skb);
	memcpy(o.next, job->others + 1, o.next_count * sizeof(o.next[0]));
	postern_job_put(job);	/* they live for a grace period */
	reason = find_route(&o);
	if (likely(!reason) && unlikely(o.sa->tfcpad)) {
		reason = find_last_route(&o);
		if (!reason)
			postern_pmtu_pad(&o);
	}
	if (unlikely(reason)) {
		postern_drop(&site, o.skb, reason);
		job = NULL;
	} else {
		job = output_one(&o, o.skb, err);
	}
	dst_release(o.last_dst);
	dst_release(o.dst);
	return job;
}

/* Whose settings count on the way: a packet socket, or one of elsewhere, has none. */
static struct sock *sender(const struct net *net, const struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	if (!sk || !sk_fullsock(sk) || !net_eq(sock_net(sk), net) ||
	    (sk->sk_family != AF_INET && sk->sk_family != AF_INET6))
		return NULL;
	return sk;
}

static void output_send(struct postern_job *job)
{
	struct sk_buff *out = job->out;
	struct postern_sa *sa = job->sa;
	struct postern_net *pn = sa->pn;
	int err;

	mark_ours(pn, out, sa->ipv4, job->max);
	if (sa->ipv4)
		err = ip_local_out(pn->net, sender(pn->net, out), out);
	else
		err = ip6_local_out(pn->net, sender(pn->net, out), out);
	if (unlikely(net_xmit_eval(err))) {
		postern_stat_inc(pn->stats, drops[POSTERN_DROP_OUT_STACK]);
		atomic64_inc(&sa->drops[POSTERN_DROP_OUT_STACK]);
	} else {
		postern_stat_inc(pn->stats, out_sent);
	}
	postern_job_put(job);
}

static enum postern_drop_reason failure_reason(int err)
{
	switch (err) {
	case -EPROTO:
		return POSTERN_DROP_OUT_OPTIONS;
	case -ENOMEM:
		return POSTERN_DROP_OUT_MEMORY;
	default:
		return POSTERN_DROP_OUT_CRYPTO;
	}
}

/* Stage 3. @job->in was read for the last time.  Returns as output_one. */
static struct postern_job *output_done(struct postern_job *job, int *err)
{
	struct postern_drop_site site = postern_sa_site(job->sa->pn->stats, job->sa);
	struct sk_buff *in = job->in, *out = job->out;

	if (unlikely(*err)) {
		if (job->late)
			in->dev = NULL;	/* it may be gone */
		site.policy = job->policy;
		postern_drop(&site, in, failure_reason(*err));
		kfree_skb(out);
		postern_job_put(job);
		return NULL;
	}
	postern_skb_move_owner(in, out);
	consume_skb(in);
	if (unlikely(job->late))	/* the device of the route may have changed */
		out->dev = dst_dev(skb_dst(out));
	if (unlikely(job->others_count))
		return output_next(job, err);
	output_send(job);
	return NULL;
}

static void output_finish(struct postern_job *job, int err)
{
	while (job)
		job = output_done(job, &err);
}

/* One packet or segment through all SAs; @skb is consumed. */
static void output_whole(const struct postern_out *o, struct sk_buff *skb)
{
	struct postern_job *job;
	int err = 0;

	local_bh_disable();
	sending_begins();
	job = output_one(o, skb, &err);
	output_finish(job, err);
	sending_ends();
	local_bh_enable();
}

/* The list of packets that a buffer stands for. */
static struct sk_buff *segments(struct sk_buff *skb)
{
	struct sk_buff *segs;

	/* in the memory of a device, or what only a device would make TLS of */
	if (unlikely(!skb_frags_readable(skb) || skb_is_decrypted(skb)))
		return NULL;
	if (!skb_is_gso(skb))
		return skb;
	/* page fragments may stay: whatever is written is fresh */
	segs = skb_gso_segment(skb, NETIF_F_SG);
	if (IS_ERR_OR_NULL(segs))
		return NULL;
	consume_skb(skb);
	return segs;
}

/* Segments of tunnels have one that is left to the device, too. */
static bool complete_checksum(struct sk_buff *skb)
{
	return skb->ip_summed != CHECKSUM_PARTIAL || !skb_csum_hwoffload_help(skb, 0);
}

static int output_fragment(struct net *net, struct sock *o, struct sk_buff *skb)
{
	const struct postern_out *out = (const struct postern_out *)o;

	postern_stat_inc(out->pn->stats, out_packets);
	output_whole(out, skb);
	return 0;
}

/*
 * Fragments before the transform.  The stack's function hands its socket argument on
 * to the output function and does nothing else with it.
 */
static void output_fragments(struct postern_out *o)
{
	struct postern_stats __percpu *stats = o->pn->stats;

	IP6CB(o->skb)->frag_max_size = o->fragment_to;
	o->skb->ignore_df = 1;
	postern_stat_add(stats, out_packets, (u64)-1);	/* its fragments count */
	if (postern_ip6_fragment(o->pn->net, (struct sock *)o, o->skb,
				 output_fragment)) {
		postern_stat_inc(stats, out_packets);
		postern_stat_inc(stats, drops[POSTERN_DROP_OUT_MEMORY]);
		atomic64_inc(&o->sa->drops[POSTERN_DROP_OUT_MEMORY]);
	}
}

static void output_protected(struct postern_out *o)
{
	struct postern_drop_site site = postern_sa_site(o->pn->stats, o->sa);
	unsigned int n = postern_drop_segs(o->skb), made = 0;
	struct sk_buff *skb, *next, *list;
	enum postern_drop_reason reason;

	site.policy = o->index;
	o->dst = NULL;
	o->last_dst = NULL;
	reason = likely(postern_strip_jumbo(o->skb)) ? check_packet(o) :
						       POSTERN_DROP_OUT_MEMORY;
	if (unlikely(reason))
		goto drop;
	if (unlikely(o->fragment_to)) {
		output_fragments(o);
		goto out;
	}
	list = segments(o->skb);
	reason = POSTERN_DROP_OUT_MEMORY;
	if (unlikely(!list))
		goto drop;
	for (skb = list; skb; skb = skb->next)
		made++;
	if (unlikely(made != n))	/* counted by what the sender thought */
		postern_stat_add(o->pn->stats, out_packets, (s64)made - n);
	skb_list_walk_safe(list, skb, next) {
		skb_mark_not_on_list(skb);
		if (likely(complete_checksum(skb)))
			output_whole(o, skb);
		else
			postern_drop(&site, skb, POSTERN_DROP_OUT_MEMORY);
	}
out:
	dst_release(o->last_dst);
	dst_release(o->dst);
	return;

drop:
	/* who could not cut it may have left another number of segments in it */
	postern_drop_count(&site, o->skb, reason, n);
	kfree_skb(o->skb);
	goto out;
}

/* An SA is missing, for a template and a packet that @key tells of. */
static void output_without_sa(struct postern_net *pn, struct sk_buff *skb,
			      const struct postern_policy *policy,
			      const struct postern_tmpl *tmpl,
			      const struct postern_slot_key *key,
			      const struct postern_flow *flow, bool error)
{
	struct postern_drop_site site = {
		.stats = pn->stats,
		.spi = tmpl->spi,
		.policy = policy->index,
	};

	/*
	 * Nobody can be asked for an SA of a given SPI; and nobody is for an error
	 * about other packets (RFC 4301 section 6.2).
	 */
	if (tmpl->spi || error)
		postern_drop(&site, skb, POSTERN_DROP_OUT_NO_SA);
	else
		postern_hold(pn, skb, policy, key, flow);
}

static void output_policy(struct postern_net *pn, struct sk_buff *skb,
			  const struct postern_flow *flow,
			  const struct postern_flow *judged,
			  struct postern_policy *policy)
{
	const struct postern_tmpl *lacks;
	struct postern_slot_key key;
	struct postern_out o;

	o.pn = pn;
	o.skb = skb;
	o.policy = policy;
	o.index = policy->index;
	o.flow = *flow;
	o.judged = judged;
	o.dummy = false;
	lacks = postern_choose(&o, &key);
	if (unlikely(lacks))	/* the last SA of optional ones has just gone */
		output_without_sa(pn, skb, policy, lacks, &key, flow,
				  judged != flow || lacks->optional);
	else
		output_protected(&o);
}

/**
 * postern_output - protect a packet
 * @pn: namespace
 * @skb: consumed
 * @flow: of the packet
 * @judged: what @policy was matched with
 * @policy: that says PROTECT
 *
 * Context: POST_ROUTING.
 */
void postern_output(struct postern_net *pn, struct sk_buff *skb,
		    const struct postern_flow *flow,
		    const struct postern_flow *judged,
		    struct postern_policy *policy)
{
	struct postern_drop_site site = {
		.stats = pn->stats,
		.policy = policy->index,
	};
	unsigned int n = postern_drop_segs(skb);

	postern_stat_add(pn->stats, out_packets, n);
	postern_policy_used(policy, n, skb->len);
	/* a bridge has told its port which tunnel it is for, in place of a route */
	if (unlikely(skb_dst(skb) && skb_dst(skb)->flags & DST_METADATA)) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_NO_ROUTE);
		return;
	}
	output_policy(pn, skb, flow, judged, policy);
}

/**
 * postern_output_again - protect a packet that waited for an SA
 * @pn: namespace
 * @skb: consumed
 * @otherwise: why it is dropped when no policy says PROTECT any more
 *
 * It is never let go in clear: what it waited for is not known to be void.
 */
void postern_output_again(struct postern_net *pn, struct sk_buff *skb,
			  enum postern_drop_reason otherwise)
{
	struct postern_drop_site site = { .stats = pn->stats };
	u8 family = skb->protocol == htons(ETH_P_IP) ? AF_INET : AF_INET6;
	struct net_device *dev = dst_dev(skb_dst(skb));
	const struct postern_flow *judged;
	struct postern_flow flow, about;
	struct postern_policy *policy;

	/* the device went away: what its routes have now leads to nowhere */
	if (dev == blackhole_netdev || !net_eq(dev_net(dev), pn->net)) {
		postern_drop(&site, skb, POSTERN_DROP_OUT_NO_ROUTE);
		return;
	}
	skb->dev = dev;
	if (postern_flow_read(&flow, skb, family)) {
		postern_flow_out(&flow, dev);
		judged = &flow;
		policy = postern_spd_judge(&pn->spd, POSTERN_SPD_OUT, skb,
					   &judged, &about);
		if (policy && policy->action == POSTERN_ACTION_PROTECT) {
			output_policy(pn, skb, &flow, judged, policy);
			return;
		}
	}
	postern_drop(&site, skb, otherwise);
}

/**
 * postern_output_mtu - the largest packet that is protected as one
 * @pn: namespace
 * @skb: packet of the other direction
 * @flow: of the packet that would be protected
 *
 * Return: octets, its IP header included; UINT_MAX when no SA would be taken.
 * Context: RCU read side.
 */
unsigned int postern_output_mtu(struct postern_net *pn, struct sk_buff *skb,
				const struct postern_flow *flow)
{
	struct postern_out o = {
		.pn = pn,
		.skb = skb,
		.flow = *flow,
		.dummy = true,	/* its addresses are those of the other direction */
	};
	struct postern_slot_key key;
	unsigned int mtu = UINT_MAX;

	o.policy = postern_spd_match(&pn->spd, POSTERN_SPD_OUT, flow);
	if (!o.policy || o.policy->action != POSTERN_ACTION_PROTECT ||
	    postern_choose(&o, &key))
		return mtu;
	if (!find_route(&o) && !(o.next_count && find_last_route(&o)))
		mtu = postern_pmtu_inner(&o);
	dst_release(o.last_dst);
	dst_release(o.dst);
	return mtu;
}

/**
 * postern_output_dummy - send a packet that its receiver discards
 * @pn: namespace
 * @sa: usable outbound SA of ESP with a source address
 * @size: octets of the packet that it pretends to be, its IP header included
 *
 * RFC 4303 section 2.6.
 *
 * Return: 0, -ENOMEM, -ENETUNREACH without a route, -EMSGSIZE when the path does not
 * take it.
 * Context: RCU read side.
 */
int postern_output_dummy(struct postern_net *pn, struct postern_sa *sa,
			 unsigned int size)
{
	struct postern_out o = {
		.pn = pn,
		.sa = sa,
		.dummy = true,
		.flow = {
			.family = sa->key.family,
			.src = sa->src,
			.dst = sa->key.dst,
			.proto = IPPROTO_NONE,
		},
	};
	int err;

	o.skb = postern_dummy_packet(sa, size);
	if (!o.skb)
		return -ENOMEM;
	err = -ENETUNREACH;
	if (find_route(&o))
		goto err_free;
	o.skb->dev = dst_dev(o.dst);
	err = -EMSGSIZE;
	if (o.skb->len > postern_pmtu_inner(&o))
		goto err_free;
	postern_stat_inc(pn->stats, out_packets);
	output_whole(&o, o.skb);
	dst_release(o.dst);
	return 0;

err_free:
	dst_release(o.dst);
	kfree_skb(o.skb);
	return err;
}

/**
 * postern_output_keepalive - send a NAT keepalive (RFC 3948 section 2.3)
 * @sa: outbound SA with encapsulation
 *
 * Context: process.
 */
void postern_output_keepalive(struct postern_sa *sa)
{
	unsigned int len = sa->ipv4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	struct postern_net *pn = sa->pn;
	struct postern_out o = {
		.pn = pn,
		.sa = sa,
		.encap = READ_ONCE(sa->encap),
	};
	struct sk_buff *skb;

	skb = alloc_skb(LL_MAX_HEADER + len + sizeof(struct udphdr) + 1, GFP_KERNEL);
	if (!skb)
		return;
	o.skb = skb;
	rcu_read_lock();
	o.dst = postern_route(o.pn, o.sa, 0, o.encap);
	if (!o.dst) {
		kfree_skb(skb);
		goto out;
	}
	skb_dst_set(skb, o.dst);
	skb->dev = dst_dev(o.dst);
	skb->mark = postern_sa_mark(sa, 0);
	skb->protocol = sa->ipv4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	skb_reserve(skb, LL_MAX_HEADER);
	skb_reset_network_header(skb);
	skb_set_transport_header(skb, len);
	skb_put(skb, len + sizeof(struct udphdr));
	skb_put_u8(skb, 0xff);
	postern_outer_keepalive(pn->net, sa, skb, o.dst);
	postern_outer_encap(skb, sa->ipv4, o.encap);
	mark_ours(o.pn, skb, sa->ipv4, 0);
	local_bh_disable();
	if (sa->ipv4)
		ip_local_out(pn->net, NULL, skb);
	else
		ip6_local_out(pn->net, NULL, skb);
	postern_stat_inc(pn->stats, out_keepalives);
	local_bh_enable();
out:
	rcu_read_unlock();
}
