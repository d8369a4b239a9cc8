// SPDX-License-Identifier: GPL-2.0
/*
 * The way in: from hooks.c, an ESP or AH packet for this host; to the stack, by
 * deliver.c, what it protects.
 *
 *   postern_input       SA, lengths, replay                        stage 1
 *   input_transform     room, transform                            stage 2
 *   input_done          replay again, strip, policy, deliver       stage 3
 *
 * What is ESP or AH again for an SA of ours, and no policy lets in as it is, comes to
 * input_transform again by way of input_next, and the policy of what is inside names
 * all SAs: one after the other, nothing nested on the stack.
 *
 * Context: RCU read side, bottom halves off.  RFC 4301 section 5.2.
 */
#include <linux/etherdevice.h>
#include <linux/jhash.h>
#include <linux/random.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack_core.h>
#include "beet.h"
#include "compat.h"
#include "encap.h"
#include "expire.h"
#include "flow.h"
#include "headers.h"
#include "marker.h"
#include "notify.h"
#include "outer.h"
#include "path.h"
#include "xform.h"

/*
 * Inner fragments are reassembled before the policy check, each way of SAs by itself and
 * apart from what the stack reassembles: a fragment in clear can never complete a
 * packet that came through an SA (RFC 4301 section 7), nor a peer that of another one:
 * which ways are alike nobody can tell.
 */
static u32 defrag_secret __read_mostly;

static u32 defrag_user(struct postern_sa *const *sas, unsigned int count)
{
	u64 ids[POSTERN_TMPL_MAX];
	unsigned int i;

	for (i = 0; i < count; i++)
		ids[i] = sas[i]->id;
	return 0x80000000U | jhash(ids, count * sizeof(ids[0]), defrag_secret);
}

/* Then what is inside can be IPv6 all the same, and no part of the stack may see it. */
static bool no_ipv6 __ro_after_init;

void __init postern_input_init(void)
{
	no_ipv6 = !ipv6_mod_enabled();
	get_random_bytes(&defrag_secret, sizeof(defrag_secret));
}

static enum postern_drop_reason replay_reason(enum postern_replay_verdict verdict)
{
	switch (verdict) {
	case POSTERN_REPLAY_SEEN:
		return POSTERN_DROP_IN_REPLAY;
	case POSTERN_REPLAY_LATE:
		return POSTERN_DROP_IN_WINDOW;
	default:
		return 0;
	}
}

static enum postern_drop_reason replay_advance(struct postern_sa *sa, u64 seq)
{
	enum postern_replay_verdict verdict;

	spin_lock(&sa->lock);
	verdict = postern_replay_advance(&sa->replay, seq);
	spin_unlock(&sa->lock);
	return replay_reason(verdict);
}

/* Tunnel mode: the inner header must hold together; what is behind it is TFC padding. */
static enum postern_drop_reason inner_header(struct sk_buff *skb, u8 next)
{
	unsigned int len;

	skb_reset_network_header(skb);
	switch (next) {
	case IPPROTO_IPIP:
		if (!pskb_may_pull(skb, sizeof(struct iphdr)) ||
		    ip_hdr(skb)->version != 4 || ip_hdr(skb)->ihl < 5 ||
		    !pskb_may_pull(skb, ip_hdrlen(skb)))
			return POSTERN_DROP_IN_INNER;
		len = ntohs(ip_hdr(skb)->tot_len);
		if (len < ip_hdrlen(skb) || len > skb->len)
			return POSTERN_DROP_IN_INNER;
		skb->protocol = htons(ETH_P_IP);
		break;
	case IPPROTO_IPV6:
		if (!pskb_may_pull(skb, sizeof(struct ipv6hdr)) ||
		    ipv6_hdr(skb)->version != 6)
			return POSTERN_DROP_IN_INNER;
		len = sizeof(struct ipv6hdr) + ntohs(ipv6_hdr(skb)->payload_len);
		if (len > skb->len)
			return POSTERN_DROP_IN_INNER;
		skb->protocol = htons(ETH_P_IPV6);
		break;
	case NEXTHDR_NONE:
		return POSTERN_DROP_IN_DUMMY;
	default:
		return POSTERN_DROP_IN_NEXT_HEADER;
	}
	return pskb_trim(skb, len) ? POSTERN_DROP_IN_MEMORY : 0;
}

/* What the stack has recorded in options on receipt it will record once more. */
static void unrecord(struct postern_job *job)
{
	const struct ip_options *opt = &IPCB(job->in)->opt;
	u8 *ip = job->out->data;

	if (opt->rr_needaddr && opt->rr + IPOPT_OFFSET < job->ip_len)
		ip[opt->rr + IPOPT_OFFSET] -= sizeof(__be32);
	if (opt->ts_needtime && opt->ts + IPOPT_OFFSET < job->ip_len)
		ip[opt->ts + IPOPT_OFFSET] -=
			(ip[opt->ts + 3] & 0xf) == IPOPT_TS_TSONLY ?
			sizeof(__be32) : 2 * sizeof(__be32);
}

/* Transport mode: the headers in front, as if ESP or AH had never been there. */
static enum postern_drop_reason rebuild_header(struct postern_job *job)
{
	struct sk_buff *skb = job->out;

	if (job->next == NEXTHDR_NONE)
		return POSTERN_DROP_IN_DUMMY;
	skb_reset_network_header(skb);
	*postern_front_last(skb->data, job->ip_len) = job->next;
	if (job->sa->ipv4) {
		if (unlikely(job->ip_len > sizeof(struct iphdr)))
			unrecord(job);
		ip_hdr(skb)->tot_len = htons(skb->len);
		ip_send_check(ip_hdr(skb));
		skb->protocol = htons(ETH_P_IP);
	} else {
		ipv6_hdr(skb)->payload_len = htons(skb->len -
						   sizeof(struct ipv6hdr));
		skb->protocol = htons(ETH_P_IPV6);
	}
	return 0;
}

/*
 * A NAT has changed the source that the checksum behind the header covers; the ICV has
 * covered the rest, so that nobody need look at it (RFC 3948 section 3.1.2).  Where the
 * peer's own address is known it is made right for who does, on the way to elsewhere.
 */
static void fix_checksum(const struct postern_sa *sa, struct sk_buff *skb, u8 next)
{
	unsigned int len = skb_transport_offset(skb);
	__sum16 *check;

	skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (likely(postern_addr_any(&sa->original)))
		return;
	if (next == IPPROTO_TCP && pskb_may_pull(skb, len + sizeof(struct tcphdr)))
		check = &tcp_hdr(skb)->check;
	else if (next == IPPROTO_UDP &&
		 pskb_may_pull(skb, len + sizeof(struct udphdr)) &&
		 udp_hdr(skb)->check)
		check = &udp_hdr(skb)->check;
	else
		return;
	if (sa->ipv4)
		inet_proto_csum_replace4(check, skb, sa->original.ip,
					 ip_hdr(skb)->saddr, true);
	else
		inet_proto_csum_replace16(check, skb, sa->original.ip6,
					  ipv6_hdr(skb)->saddr.s6_addr32, true);
	if (next == IPPROTO_UDP && !*check)
		*check = CSUM_MANGLED_0;
}

static enum postern_drop_reason strip(struct postern_job *job)
{
	const struct postern_sa *sa = job->sa;
	struct sk_buff *skb = job->out;
	enum postern_drop_reason reason;

	reason = postern_xform(sa)->strip(job);
	if (reason)
		return reason;
	if (sa->mode == POSTERN_MODE_TRANSPORT) {
		reason = rebuild_header(job);
		if (!reason && job->encap) {
			skb_set_transport_header(skb, job->ip_len);
			fix_checksum(sa, skb, job->next);
		}
		return reason;
	}
	if (unlikely(sa->mode == POSTERN_MODE_BEET))
		return postern_beet_strip(job);
	__skb_pull(skb, job->ip_len);
	reason = inner_header(skb, job->next);
	if (reason)
		return reason;
	return postern_outer_decap(sa, skb,
				   job->next == IPPROTO_IPIP ? AF_INET : AF_INET6,
				   job->ds);
}

/* A link layer header as the device would have left it: GRO compares it. */
static void rebuild_mac(struct sk_buff *skb, const struct sk_buff *in)
{
	unsigned int len = skb->dev->hard_header_len;

	if (len > skb_headroom(skb))
		len = 0;
	skb_set_mac_header(skb, -len);
	if (skb_mac_header_was_set(in) &&
	    skb_network_header(in) - skb_mac_header(in) == len)
		memcpy(skb_mac_header(skb), skb_mac_header(in), len);
	else
		memset(skb_mac_header(skb), 0, len);
	if (len == ETH_HLEN)
		eth_hdr(skb)->h_proto = skb->protocol;
	skb->mac_len = len;
}

/*
 * Reassembly of inner fragments.  Returns true when @skb is a whole packet, false
 * when it was taken.
 */
static bool defragment(struct postern_net *pn, struct postern_sa *const *sas,
		       unsigned int count, struct sk_buff *skb)
{
	enum postern_drop_reason reason;
	int err = 0;

	memset(skb->cb, 0, sizeof(skb->cb));
	if (skb->protocol == htons(ETH_P_IP)) {
		if (likely(!ip_is_fragment(ip_hdr(skb))))
			return true;
		err = ip_defrag(pn->net, skb, defrag_user(sas, count));
		if (!err)
			skb->ignore_df = 1;	/* may be fragmented again */
	} else if (unlikely(no_ipv6)) {
		err = -EAFNOSUPPORT;
		kfree_skb(skb);
	} else if (unlikely(ipv6_ext_hdr(ipv6_hdr(skb)->nexthdr))) {
		err = nf_ct_frag6_gather(pn->net, skb, defrag_user(sas, count));
		if (err && err != -EINPROGRESS)
			kfree_skb(skb);
	}
	if (err == -EINPROGRESS) {
		postern_stat_inc(pn->stats, in_fragments);
	} else if (err) {
		reason = err == -ENOMEM ? POSTERN_DROP_IN_MEMORY : POSTERN_DROP_IN_INNER;
		postern_stat_inc(pn->stats, drops[reason]);
		atomic64_inc(&sas[count - 1]->drops[reason]);
	}
	return !err;
}

static union nf_inet_addr source_of(const struct sk_buff *skb, u8 family)
{
	union nf_inet_addr src = {};

	if (family == AF_INET)
		src.ip = ip_hdr(skb)->saddr;
	else
		src.in6 = ipv6_hdr(skb)->saddr;
	return src;
}

/* A NAT between has forgotten the peer, or the peer has moved (RFC 7296 section 2.23). */
static noinline void tell_mapping(struct postern_sa *sa,
				  const union nf_inet_addr *src, __be16 sport)
{
	unsigned long now = jiffies;

	/* two CPUs at once tell it twice */
	if (time_before(now, READ_ONCE(sa->mapping_told) + HZ))
		return;
	WRITE_ONCE(sa->mapping_told, now);
	postern_notify->mapping(sa->pn, sa, src, sport);
}

/* Is the datagram around this ESP from where the SA has its peer? */
static void check_mapping(struct postern_sa *sa, const struct sk_buff *skb,
			  unsigned int offset)
{
	__be32 buf, *ports, encap = READ_ONCE(sa->encap);
	union nf_inet_addr src;

	ports = skb_header_pointer(skb, offset - sizeof(struct udphdr),
				   sizeof(buf), &buf);
	if (!encap || !ports)
		return;
	src = source_of(skb, sa->key.family);
	if (unlikely(postern_encap_sport(*ports) != postern_encap_sport(encap) ||
		     (!postern_addr_any(&sa->src) &&
		      !postern_addr_equal(&src, &sa->src))))
		tell_mapping(sa, &src, postern_encap_sport(*ports));
}

/* Octets of ciphertext, or negative when the packet is too short or uneven. */
static int esp_plain_len(const struct postern_sa *sa, const struct sk_buff *skb,
			 unsigned int offset)
{
	const struct postern_transform *t = &sa->transform;
	int len = (int)skb->len - (int)offset - 8 - t->iv_len - t->icv_len;

	return len >= t->align && len % t->align == 0 ? len : -1;
}

static void input_finish(struct postern_job *job, int err);

/*
 * Stage 2. @skb is consumed; it came through @count SAs before.  Returns the job with
 * @err when the transform is complete, NULL when it is not, or the packet was dropped.
 */
static struct postern_job *input_transform(struct postern_net *pn,
					   struct postern_sa *sa,
					   struct sk_buff *skb,
					   unsigned int offset, u64 seq,
					   bool encap,
					   struct postern_sa *const *before,
					   unsigned int count, int *err)
{
	struct postern_drop_site site = postern_sa_site(pn->stats, sa);
	bool transport = sa->mode == POSTERN_MODE_TRANSPORT;
	bool esp = sa->key.proto == IPPROTO_ESP;
	bool ah = sa->key.proto == IPPROTO_AH;
	enum postern_drop_reason reason;
	struct postern_job *job;
	unsigned int ip_len;
	struct sk_buff *out;
	int len;

	ip_len = 0;
	if (ah || transport)
		ip_len = offset - (encap ? sizeof(struct udphdr) : 0);
	else if (unlikely(sa->mode == POSTERN_MODE_BEET))
		ip_len = POSTERN_BEET_ROOM;
	reason = POSTERN_DROP_IN_TRUNCATED;
	if (likely(esp))
		len = esp_plain_len(sa, skb, offset);
	else
		len = skb->len - offset;
	if (len < 12 && (ah || len < 0))
		goto drop;

	reason = POSTERN_DROP_IN_MEMORY;
	if (unlikely(!skb_frags_readable(skb)))
		goto drop;
	/* the cipher reads what the ICV has covered: nobody may write between */
	if (unlikely(skb_has_shared_frag(skb) || skb_has_frag_list(skb)) &&
	    skb_linearize(skb))
		goto drop;
	out = postern_skb_alloc(ALIGN(skb->dev->hard_header_len, 16),
				ip_len + len, !esp || ip_len > POSTERN_FRONT_PLAIN,
				true);
	if (unlikely(!out))
		goto drop;
	if (transport)
		skb_copy_bits(skb, 0, out->data, ip_len);
	job = postern_job_get(sa, skb, out);
	if (unlikely(!job)) {
		if (!postern_sa_usable(sa))
			reason = POSTERN_DROP_IN_SA_STATE;
		kfree_skb(out);
		goto drop;
	}
	if (unlikely(!postern_job_hold(job, before, count))) {
		reason = POSTERN_DROP_IN_SA_STATE;
		postern_job_put(job);
		kfree_skb(out);
		goto drop;
	}
	job->done = input_finish;
	job->seq = seq;
	job->offset = offset;
	job->ip_len = ip_len;
	job->ds = postern_outer_ds(skb, sa->ipv4);
	job->encap = encap;
	job->ifindex = skb->dev->ifindex;
	*err = postern_xform(sa)->input(job);
	return likely(*err != -EINPROGRESS) ? job : NULL;

drop:
	postern_drop(&site, skb, reason);
	return NULL;
}

/* Extension headers of IPv6 in front. */
static noinline enum postern_drop_reason
check_extensions(const struct postern_sa *sa, struct sk_buff *skb, unsigned int offset)
{
	if (offset > POSTERN_FRONT_MAX)
		return POSTERN_DROP_IN_OPTIONS;
	if (!pskb_may_pull(skb, offset))
		return POSTERN_DROP_IN_MEMORY;
	return postern_front_arrived(skb->data, offset,
				     sa->mode != POSTERN_MODE_TRANSPORT) ?
	       0 : POSTERN_DROP_IN_OPTIONS;
}

/* Stage 1, of the SA that the packet names: may it be so?  @seq will be the number. */
static enum postern_drop_reason check_sa(const struct postern_sa *sa,
					 struct sk_buff *skb, unsigned int offset,
					 __be32 number, bool encap, u64 *seq)
{
	enum postern_drop_reason reason;

	if (unlikely(!sa->ipv4 && !encap && offset != sizeof(struct ipv6hdr))) {
		reason = check_extensions(sa, skb, offset);
		if (reason)
			return reason;
	}
	*seq = ntohl(number);
	if (sa->transform.esn)
		*seq = postern_replay_recover(&sa->replay, *seq);
	return replay_reason(postern_replay_check(&sa->replay, *seq));
}

static bool serves_inbound(const struct postern_sa *sa)
{
	return sa->dir != POSTERN_DIR_OUT && postern_sa_usable(sa);
}

/* SPI and number of ESP or AH, or CPI of IPComp, at @offset of a packet. */
static bool read_id(const struct sk_buff *skb, u8 proto, unsigned int offset, __be32 id[2])
{
	struct ip_comp_hdr buf, *comp;

	if (proto != IPPROTO_COMP)
		return !skb_copy_bits(skb, offset + (proto == IPPROTO_AH ? 4 : 0), id,
				      2 * sizeof(id[0]));
	comp = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (!comp)
		return false;
	id[0] = htonl(ntohs(comp->cpi));
	return true;
}

/*
 * The SA of ours that an inner packet is for, or NULL.  @flow is that of the packet,
 * which came through an SA of @reqid, @id will be SPI and number, @offset that of its
 * ESP, AH or IPComp header, or of the packet that IPComp could not make smaller.
 */
static struct postern_sa *next_sa(struct postern_net *pn, const struct sk_buff *skb,
				  const struct postern_flow *flow, u32 reqid,
				  unsigned int *offset, __be32 id[2])
{
	struct postern_sa_key key = {
		.dst = flow->dst,
		.proto = flow->proto,
		.family = flow->family,
	};
	struct postern_sa *sa;

	if (flow->opaque)
		return NULL;
	id[1] = 0;
	*offset = flow->family == AF_INET ? ip_hdrlen(skb) : sizeof(struct ipv6hdr);
	if (flow->family == AF_INET6 && ipv6_hdr(skb)->nexthdr != key.proto)
		return NULL;
	switch (key.proto) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		sa = postern_sad_stored(&pn->sad, flow, reqid);
		break;
	case IPPROTO_ESP:
	case IPPROTO_AH:
	case IPPROTO_COMP:
		if (!read_id(skb, key.proto, *offset, id))
			return NULL;
		key.spi = id[0];
		sa = postern_sad_lookup(&pn->sad, &key);
		break;
	default:
		return NULL;
	}
	return sa && serves_inbound(sa) && postern_flow_is_local(pn->net, flow) ?
	       sa : NULL;
}

/* @skb came through @count SAs and is for @sa; as input_transform. */
static struct postern_job *input_next(struct postern_net *pn, struct postern_sa *sa,
				      struct sk_buff *skb, unsigned int offset,
				      __be32 number, struct postern_sa *const *before,
				      unsigned int count, int *err)
{
	struct postern_drop_site site = postern_sa_site(pn->stats, sa);
	enum postern_drop_reason reason = POSTERN_DROP_IN_NESTING;
	u64 seq = 0;

	if (likely(count < POSTERN_TMPL_MAX))
		reason = check_sa(sa, skb, offset, number, false, &seq);
	if (unlikely(reason)) {
		postern_drop(&site, skb, reason);
		return NULL;
	}
	return input_transform(pn, sa, skb, offset, seq, false, before, count, err);
}

/* With a route in it, a packet goes to its first hop, and is then for the end. */
static bool selects(const struct postern_selector *sel,
		    const struct postern_flow *flow, bool hidden)
{
	struct postern_flow hop;

	if (!postern_selector_match(sel, flow, hidden))
		return false;
	if (likely(!flow->routed))
		return true;
	postern_flow_hop(&hop, flow);
	return postern_selector_match(sel, &hop, hidden);
}

/* RFC 4301 section 5.2 step 4, of a packet that came through @count SAs. */
static enum postern_drop_reason check_policy(struct postern_net *pn,
					     struct postern_sa *const *sas,
					     unsigned int count,
					     struct sk_buff *skb,
					     const struct postern_flow *flow,
					     struct postern_policy **met)
{
	const struct postern_sa_selector *selector;
	const struct postern_flow *judged = flow;
	struct postern_policy *policy;
	struct postern_flow about;
	unsigned int i;

	policy = postern_spd_judge(&pn->spd, POSTERN_SPD_IN, skb, &judged, &about);
	*met = policy;
	for (i = 0; i < count; i++) {
		selector = rcu_dereference(sas[i]->selector);
		if (unlikely(selector) && !selects(&selector->sel, judged, false))
			return POSTERN_DROP_IN_SELECTOR;
	}
	if (!policy || (unlikely(judged->routed) &&
			!selects(&policy->rule.sel, judged, true)))
		return POSTERN_DROP_IN_NO_POLICY;
	if (policy->action == POSTERN_ACTION_DISCARD)
		return POSTERN_DROP_IN_INNER_DISCARD;
	if (judged->opaque && !postern_selector_any_port(&policy->rule.sel))
		return POSTERN_DROP_IN_NO_POLICY;
	if (!postern_policy_fits(policy, sas, count))
		return POSTERN_DROP_IN_TEMPLATE;
	return 0;
}

/* @in has brought @skb, and is at the same device. */
static enum postern_drop_reason read_flow(const struct postern_sa *sa,
					  const struct sk_buff *skb,
					  const struct sk_buff *in,
					  struct postern_flow *flow)
{
	u8 family = skb->protocol == htons(ETH_P_IP) ? AF_INET : AF_INET6;

	if (!postern_flow_read(flow, skb, family))
		return POSTERN_DROP_IN_INNER;
	postern_flow_in(flow, in, sa->ipv4, skb->dev);
	if (sa->mode == POSTERN_MODE_TRANSPORT &&
	    !postern_sa_of_source(sa, &flow->src))
		return POSTERN_DROP_IN_SELECTOR;
	return 0;
}

/* Consumes @skb. */
static void deliver(struct postern_net *pn, struct postern_sa *sa, struct sk_buff *skb)
{
	skb_reset_transport_header(skb);
	postern_marker_set(pn, skb);
	if (unlikely(!postern_deliver(skb))) {
		postern_stat_inc(pn->stats, drops[POSTERN_DROP_IN_BACKLOG]);
		atomic64_inc(&sa->drops[POSTERN_DROP_IN_BACKLOG]);
		return;
	}
	postern_stat_inc(pn->stats, in_delivered);
}

/* The job is done, what was inside it goes on.  Returns as input_transform. */
static struct postern_job *input_inner(struct postern_job *job,
				       struct net_device *dev, int *err)
{
	struct postern_sa *sas[POSTERN_TMPL_MAX], *sa = job->sa, *next = NULL;
	struct postern_drop_site site = postern_sa_site(sa->pn->stats, sa);
	struct sk_buff *in = job->in, *skb = job->out;
	unsigned int count = job->others_count, offset;
	struct postern_policy *policy = NULL;
	struct postern_net *pn = sa->pn;
	enum postern_drop_reason reason;
	struct postern_flow flow;
	__be32 id[2];

	memcpy(sas, job->others, count * sizeof(sas[0]));
	sas[count++] = sa;
	postern_job_put(job);	/* SAs live for a grace period */

	skb->dev = dev;
	skb->mark = postern_sa_mark(sa, in->mark);
	skb->priority = in->priority;
	skb->pkt_type = PACKET_HOST;
	if (!defragment(pn, sas, count, skb))
		goto out;
	reason = read_flow(sa, skb, in, &flow);
	if (likely(!reason)) {
		reason = check_policy(pn, sas, count, skb, &flow, &policy);
		/* what an optional template left to others may be for it after all */
		if (unlikely(reason || policy->tmpl_count != count))
			next = next_sa(pn, skb, &flow, sa->reqid, &offset, id);
		if (unlikely(!reason && !next &&
			     policy->flags & POSTERN_POLICY_FLAG_TCP_MSS) &&
		    !postern_mss_lower_in(pn, skb, &flow))
			reason = POSTERN_DROP_IN_MEMORY;
	}
	if (unlikely(reason && !next)) {
		site.policy = policy ? policy->index : 0;
		postern_drop(&site, skb, reason);
		goto out;
	}
	rebuild_mac(skb, in);
	if (likely(!next)) {
		postern_policy_used(policy, 1, skb->len);
		deliver(pn, sa, skb);
	}
out:
	consume_skb(in);
	if (likely(!next))
		return NULL;
	/* it brings what is inside, and has come by the same device */
	if (skb->protocol == htons(ETH_P_IP))
		IPCB(skb)->iif = flow.ifindex;
	else
		IP6CB(skb)->iif = flow.ifindex;
	return input_next(pn, next, skb, offset, id[1], sas, count, err);
}

/* Stage 3.  Returns as input_transform. */
static struct postern_job *input_done(struct postern_job *job, int *err)
{
	struct postern_sa *sa = job->sa;
	struct postern_net *pn = sa->pn;
	struct postern_drop_site site = postern_sa_site(pn->stats, sa);
	struct sk_buff *in = job->in, *out = job->out;
	enum postern_drop_reason reason;
	struct net_device *dev = in->dev;

	if (unlikely(job->late)) {
		/* the device may be gone; the number cannot have a new owner unseen */
		dev = dev_get_by_index_rcu(pn->net, job->ifindex);
		in->dev = dev;
	}
	reason = POSTERN_DROP_IN_ICV;
	if (*err == -EBADMSG)
		goto drop;
	reason = POSTERN_DROP_IN_TRUNCATED;
	if (*err == -EMSGSIZE)
		goto drop;
	reason = POSTERN_DROP_IN_OPTIONS;
	if (*err == -EPROTO)
		goto drop;
	reason = POSTERN_DROP_IN_DECOMPRESS;
	if (*err == -ENODATA)
		goto drop;
	reason = POSTERN_DROP_IN_MEMORY;
	if (*err == -ENOMEM)
		goto drop;
	reason = POSTERN_DROP_IN_CRYPTO;
	if (*err)
		goto drop;
	reason = POSTERN_DROP_IN_BACKLOG;
	if (!dev)
		goto drop;
	reason = replay_advance(sa, job->seq);
	if (reason)
		goto drop;
	if (unlikely(!READ_ONCE(sa->heard)))
		postern_sa_heard(sa);
	if (job->encap)
		check_mapping(sa, in, job->offset);
	reason = strip(job);
	if (reason)
		goto drop;
	reason = POSTERN_DROP_IN_LIFETIME;
	if (!postern_sa_spend(sa, out->len))
		goto drop;

	return input_inner(job, dev, err);

drop:
	postern_drop(&site, in, reason);
	kfree_skb(out);
	postern_job_put(job);
	return NULL;
}

static void input_finish(struct postern_job *job, int err)
{
	while (job)
		job = input_done(job, &err);
}

/* What the datagram does not count as its own is no part of ESP. */
static int trim_datagram(struct sk_buff *skb, unsigned int offset)
{
	struct udphdr buf, *udp;

	udp = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	return pskb_trim(skb, offset + ntohs(udp->len));
}

static noinline void tell_unknown(struct postern_net *pn,
				  const struct postern_sa_key *key,
				  const struct sk_buff *skb)
{
	union nf_inet_addr src = source_of(skb, key->family);

	postern_notify->spi_unknown(pn, key, &src);
}

/*
 * A VRF puts itself in place of the device that a packet has come by.  What is inside
 * comes by that device again, so that sockets and link-local addresses which belong to
 * it are found.
 */
static void leave_vrf(const struct postern_net *pn, struct sk_buff *skb, bool ipv4)
{
	struct net_device *dev;

	if (likely(!netif_is_l3_master(skb->dev)))
		return;
	dev = dev_get_by_index_rcu(pn->net, ipv4 ? IPCB(skb)->iif : IP6CB(skb)->iif);
	if (dev)
		skb->dev = dev;
}

/**
 * postern_input_sa - which SA is named?
 * @pn: namespace
 * @key: what @skb says
 * @skb: packet, its network header set
 *
 * Return: the SA or NULL. Context: RCU read side.
 */
struct postern_sa *postern_input_sa(struct postern_net *pn,
				    const struct postern_sa_key *key,
				    const struct sk_buff *skb)
{
	union nf_inet_addr src;

	if (likely(!postern_addr_multicast(&key->dst, key->family)))
		return postern_sad_lookup(&pn->sad, key);
	src = source_of(skb, key->family);
	return postern_sad_lookup_from(&pn->sad, key, &src);
}

/**
 * postern_input - an ESP or AH packet for this host
 * @pn: namespace
 * @skb: packet, network header at its data
 * @ipv4: family
 * @proto: IPPROTO_ESP or IPPROTO_AH
 * @offset: of the ESP or AH header
 * @port: of the datagram that it came in; 0 when it came in none
 *
 * Return: NF_STOLEN, or NF_ACCEPT when no SA of ours is named.
 * Context: LOCAL_IN.
 */
unsigned int postern_input(struct postern_net *pn, struct sk_buff *skb,
			   bool ipv4, u8 proto, unsigned int offset,
			   __be16 port)
{
	unsigned int spi_offset = offset + (proto == IPPROTO_AH ? 4 : 0);
	struct postern_drop_site site = { .stats = pn->stats };
	enum postern_drop_reason reason;
	struct postern_sa_key key = {
		.proto = proto,
		.family = ipv4 ? AF_INET : AF_INET6,
	};
	struct postern_job *job;
	struct postern_sa *sa;
	__be32 number, *id;
	u64 seq;
	int err = 0;

	/* read where the ICV will be looked for, not in pages that a sender may still write */
	if (unlikely(!pskb_may_pull(skb, spi_offset + 2 * sizeof(*id)))) {
		postern_stat_inc(pn->stats, in_packets);
		postern_drop(&site, skb, skb->len < spi_offset + 2 * sizeof(*id) ?
			     POSTERN_DROP_IN_TRUNCATED : POSTERN_DROP_IN_MEMORY);
		return NF_STOLEN;
	}
	id = (__be32 *)(skb->data + spi_offset);
	key.spi = id[0];
	number = id[1];	/* the head may move below */
	if (ipv4)
		key.dst.ip = ip_hdr(skb)->daddr;
	else
		key.dst.in6 = ipv6_hdr(skb)->daddr;
	sa = postern_input_sa(pn, &key, skb);
	if (unlikely(sa && !postern_encap_takes(sa, port)))
		sa = NULL;
	if (unlikely(!sa && !postern_encap_is_esp(port)))
		return NF_ACCEPT;
	postern_stat_inc(pn->stats, in_packets);
	if (unlikely(!sa)) {
		site.spi = key.spi;
		postern_drop_count(&site, skb, POSTERN_DROP_UNKNOWN_SPI, 1);
		tell_unknown(pn, &key, skb);
		return NF_ACCEPT;
	}

	site = postern_sa_site(pn->stats, sa);
	reason = POSTERN_DROP_IN_SA_STATE;
	if (unlikely(!serves_inbound(sa)))
		goto drop;
	reason = POSTERN_DROP_IN_CONNTRACK;
	if (unlikely(nf_conntrack_confirm(skb) != NF_ACCEPT))
		goto drop;
	reason = POSTERN_DROP_IN_MEMORY;
	if (unlikely(port && trim_datagram(skb, offset - sizeof(struct udphdr))))
		goto drop;
	reason = check_sa(sa, skb, offset, number, port != 0, &seq);
	if (unlikely(reason))
		goto drop;
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb_orphan(skb);	/* early demultiplexing lends a socket without a reference */
	leave_vrf(pn, skb, ipv4);
	job = input_transform(pn, sa, skb, offset, seq, port != 0, NULL, 0, &err);
	input_finish(job, err);
	return NF_STOLEN;

drop:
	postern_drop(&site, skb, reason);
	return NF_STOLEN;
}
