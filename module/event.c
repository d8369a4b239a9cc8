// SPDX-License-Identifier: GPL-2.0
/*
 * A message is built only when somebody listens, or when the requester asked for an
 * echo.  Who listens and gets none for want of memory is told so (ENOBUFS), as with
 * a full socket buffer.
 */
#include <linux/ratelimit.h>
#include "event.h"

static bool wants_echo(const struct genl_info *info)
{
	return info && info->nlhdr->nlmsg_flags & NLM_F_ECHO;
}

static bool has_listeners(struct postern_net *pn, unsigned int group)
{
	return genl_has_listeners(&postern_nl_family, pn->net, group) > 0;
}

static void event_lost(struct postern_net *pn, unsigned int group)
{
	genl_set_err(&postern_nl_family, pn->net, 0, group, -ENOBUFS);
}

/*
 * @info is that of the request which caused the event, NULL for none.  Returns NULL
 * when nothing is to be sent.
 */
static struct sk_buff *event_begin(struct postern_net *pn,
				   const struct genl_info *info,
				   unsigned int group, u8 cmd, gfp_t gfp,
				   void **hdr)
{
	struct sk_buff *skb;

	if (!has_listeners(pn, group) && !wants_echo(info))
		return NULL;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, gfp);
	if (!skb) {
		event_lost(pn, group);
		return NULL;
	}
	*hdr = genlmsg_put(skb, 0, wants_echo(info) ? info->snd_seq : 0,
			   &postern_nl_family, 0, cmd);
	return skb;
}

/*
 * @err is that of filling the message; consumes @skb.  Returns -ESRCH when nobody was
 * there.
 */
static int event_end(struct postern_net *pn, struct genl_info *info,
		     unsigned int group, gfp_t gfp, struct sk_buff *skb,
		     void *hdr, int err)
{
	if (err) {
		nlmsg_free(skb);
		event_lost(pn, group);
		return err;
	}
	genlmsg_end(skb, hdr);
	if (!info)
		return genlmsg_multicast_netns(&postern_nl_family, pn->net, skb,
					       0, group, gfp);
	genl_notify(&postern_nl_family, skb, info, group, gfp);
	return 0;
}

/**
 * postern_event_sa - tell of an SA
 * @pn: namespace
 * @info: request that caused it, or NULL
 * @cmd: POSTERN_CMD_SA_NEW_NTF, _UPDATE_NTF or _DEL_NTF
 * @sa: SA
 *
 * Context: process, configuration lock held.
 */
void postern_event_sa(struct postern_net *pn, struct genl_info *info, u8 cmd,
		      struct postern_sa *sa)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(pn, info, POSTERN_NLGRP_SA, cmd, GFP_KERNEL, &hdr);
	if (skb)
		event_end(pn, info, POSTERN_NLGRP_SA, GFP_KERNEL, skb, hdr,
			  postern_nl_put_sa(skb, sa, false));
}

/**
 * postern_event_sa_flush - tell that SAs were flushed
 * @pn: namespace
 * @info: request that caused it
 * @flush: which, and how many
 *
 * Context: process.
 */
void postern_event_sa_flush(struct postern_net *pn, struct genl_info *info,
			    const struct postern_nl_flush *flush)
{
	struct sk_buff *skb;
	int err = 0;
	void *hdr;

	skb = event_begin(pn, info, POSTERN_NLGRP_SA, POSTERN_CMD_SA_FLUSH_NTF,
			  GFP_KERNEL, &hdr);
	if (!skb)
		return;
	if (flush->owner)
		err |= nla_put_u32(skb, POSTERN_A_SA_OWNER,
				   nla_get_u32(flush->owner));
	if (flush->kind)
		err |= nla_put_u8(skb, POSTERN_A_SA_PROTO,
				  nla_get_u8(flush->kind));
	err |= nla_put_u32(skb, POSTERN_A_SA_COUNT, flush->count);
	event_end(pn, info, POSTERN_NLGRP_SA, GFP_KERNEL, skb, hdr, err);
}

/**
 * postern_event_policy - tell of a policy
 * @pn: namespace
 * @info: request that caused it, or NULL
 * @cmd: POSTERN_CMD_POLICY_NEW_NTF, _UPDATE_NTF or _DEL_NTF
 * @policy: policy
 *
 * Context: process, configuration lock held.
 */
void postern_event_policy(struct postern_net *pn, struct genl_info *info,
			  u8 cmd, const struct postern_policy *policy)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(pn, info, POSTERN_NLGRP_POLICY, cmd, GFP_KERNEL,
			  &hdr);
	if (skb)
		event_end(pn, info, POSTERN_NLGRP_POLICY, GFP_KERNEL, skb, hdr,
			  postern_nl_put_policy(skb, policy));
}

/**
 * postern_event_policy_flush - tell that policies were flushed
 * @pn: namespace
 * @info: request that caused it
 * @flush: which, and how many
 *
 * Context: process.
 */
void postern_event_policy_flush(struct postern_net *pn, struct genl_info *info,
				const struct postern_nl_flush *flush)
{
	struct sk_buff *skb;
	int err = 0;
	void *hdr;

	skb = event_begin(pn, info, POSTERN_NLGRP_POLICY,
			  POSTERN_CMD_POLICY_FLUSH_NTF, GFP_KERNEL, &hdr);
	if (!skb)
		return;
	if (flush->owner)
		err |= nla_put_u32(skb, POSTERN_A_POLICY_OWNER,
				   nla_get_u32(flush->owner));
	if (flush->kind)
		err |= nla_put_u8(skb, POSTERN_A_POLICY_DIR,
				  nla_get_u8(flush->kind));
	err |= nla_put_u32(skb, POSTERN_A_POLICY_COUNT, flush->count);
	event_end(pn, info, POSTERN_NLGRP_POLICY, GFP_KERNEL, skb, hdr, err);
}

static void event_sa_deleted(struct postern_net *pn, struct postern_sa *sa)
{
	postern_event_sa(pn, NULL, POSTERN_CMD_SA_DEL_NTF, sa);
}

static void event_sa_expired(struct postern_net *pn, struct postern_sa *sa,
			     bool hard)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(pn, NULL, POSTERN_NLGRP_SA,
			  POSTERN_CMD_SA_EXPIRE_NTF, GFP_KERNEL, &hdr);
	if (skb)
		event_end(pn, NULL, POSTERN_NLGRP_SA, GFP_KERNEL, skb, hdr,
			  postern_nl_put_sa_expired(skb, sa, hard));
}

static void event_sa_used(struct postern_net *pn, struct postern_sa *sa)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(pn, NULL, POSTERN_NLGRP_SA, POSTERN_CMD_SA_USED_NTF,
			  GFP_KERNEL, &hdr);
	if (skb)
		event_end(pn, NULL, POSTERN_NLGRP_SA, GFP_KERNEL, skb, hdr,
			  postern_nl_put_sa_used(skb, sa));
}

/* Context: softirq, RCU read side. */
static void event_mapping(struct postern_net *pn, struct postern_sa *sa,
			  const union nf_inet_addr *src, __be16 sport)
{
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(pn, NULL, POSTERN_NLGRP_SA,
			  POSTERN_CMD_SA_MAPPING_NTF, GFP_ATOMIC, &hdr);
	if (skb)
		event_end(pn, NULL, POSTERN_NLGRP_SA, GFP_ATOMIC, skb, hdr,
			  postern_nl_put_sa_mapping(skb, sa, src, sport));
}

/* Context: softirq, RCU read side. */
static void event_spi_unknown(struct postern_net *pn,
			      const struct postern_sa_key *key,
			      const union nf_inet_addr *src)
{
	struct sk_buff *skb;
	int err = 0;
	void *hdr;

	if (!has_listeners(pn, POSTERN_NLGRP_SA) || !__ratelimit(&pn->unknown))
		return;
	skb = event_begin(pn, NULL, POSTERN_NLGRP_SA,
			  POSTERN_CMD_SA_UNKNOWN_NTF, GFP_ATOMIC, &hdr);
	if (!skb)
		return;
	err |= postern_nl_put_addr(skb, POSTERN_A_SA_DST, &key->dst, key->family);
	err |= postern_nl_put_addr(skb, POSTERN_A_SA_SRC, src, key->family);
	err |= nla_put_u8(skb, POSTERN_A_SA_PROTO, key->proto);
	err |= nla_put_be32(skb, POSTERN_A_SA_SPI, key->spi);
	event_end(pn, NULL, POSTERN_NLGRP_SA, GFP_ATOMIC, skb, hdr, err);
}

/* The template of an acquire names the addresses that the SA must have. */
static int put_wanted(struct sk_buff *skb, const struct postern_slot_key *want)
{
	struct postern_tmpl tmpl = {
		.src = want->src,
		.dst = want->dst,
		.family = want->family,
		.proto = want->proto,
		.mode = want->mode,
		.reqid = want->reqid,
	};

	return postern_nl_put_tmpl(skb, &tmpl);
}

/* Ports that the packet does not have or show are any. */
static int put_packet(struct sk_buff *skb, const struct postern_flow *flow)
{
	bool any = flow->opaque || !postern_nl_has_ports(flow->proto);
	bool no_dport = any || flow->proto == IPPROTO_MH;
	u8 bits = postern_addr_bits(flow->family);
	struct postern_selector sel = {
		.src = flow->src,
		.dst = flow->dst,
		.family = flow->family,
		.src_len = bits,
		.dst_len = bits,
		.proto = flow->proto,
		.sport_first = any ? 0 : flow->sport,
		.sport_last = any ? U16_MAX : flow->sport,
		.dport_first = no_dport ? 0 : flow->dport,
		.dport_last = no_dport ? U16_MAX : flow->dport,
	};

	return postern_nl_put_selector(skb, POSTERN_A_POLICY_PACKET, &sel);
}

static int put_acquire(struct sk_buff *skb, u64 id,
		       const struct postern_policy *policy,
		       const struct postern_slot_key *want,
		       const struct postern_flow *flow)
{
	if (postern_nl_put_u64(skb, POSTERN_A_POLICY_ID, id) ||
	    nla_put_u32(skb, POSTERN_A_POLICY_INDEX, policy->index) ||
	    nla_put_u8(skb, POSTERN_A_POLICY_DIR, policy->dir) ||
	    nla_put_u32(skb, POSTERN_A_POLICY_OWNER, policy->owner) ||
	    nla_put_u32(skb, POSTERN_A_POLICY_PRIORITY,
			policy->rule.priority) ||
	    postern_nl_put_selector(skb, POSTERN_A_POLICY_SELECTOR,
				    &policy->rule.sel) ||
	    put_wanted(skb, want) ||
	    put_packet(skb, flow))
		return -EMSGSIZE;
	return 0;
}

/* The bits of who listens are those of all namespaces. Context: any. */
static bool event_listening(struct postern_net *pn)
{
	return has_listeners(pn, POSTERN_NLGRP_ACQUIRE);
}

/* Context: softirq, RCU read side. */
static bool event_acquire(struct postern_net *pn,
			  const struct postern_policy *policy,
			  const struct postern_slot_key *want,
			  const struct postern_flow *flow)
{
	u64 id = atomic64_inc_return(&pn->sad.acquires);
	struct sk_buff *skb;
	void *hdr;

	skb = event_begin(pn, NULL, POSTERN_NLGRP_ACQUIRE,
			  POSTERN_CMD_ACQUIRE_NTF, GFP_ATOMIC, &hdr);
	return !skb ||
	       event_end(pn, NULL, POSTERN_NLGRP_ACQUIRE, GFP_ATOMIC, skb, hdr,
			 put_acquire(skb, id, policy, want, flow)) != -ESRCH;
}

/* What the layers below tell. */
const struct postern_notify postern_event_notify = {
	.sa_deleted = event_sa_deleted,
	.sa_expired = event_sa_expired,
	.sa_used = event_sa_used,
	.spi_unknown = event_spi_unknown,
	.mapping = event_mapping,
	.listening = event_listening,
	.acquire = event_acquire,
};
