// SPDX-License-Identifier: GPL-2.0
/*
 * Objects as attributes.  Each function returns 0 or -EMSGSIZE when the message is
 * full; the caller then cancels the message, open nests with it.
 */
#include "netlink.h"

int postern_nl_put_u64(struct sk_buff *skb, int attr, u64 value)
{
	return nla_put(skb, attr, sizeof(value), &value);
}

int postern_nl_put_addr(struct sk_buff *skb, int attr,
			const union nf_inet_addr *addr, u8 family)
{
	return nla_put(skb, attr, postern_addr_bits(family) / 8, addr);
}

static int put_ports(struct sk_buff *skb, int first_attr, int last_attr,
		     u16 first, u16 last)
{
	if (!first && last == U16_MAX)
		return 0;
	if (nla_put_u16(skb, first_attr, first) ||
	    nla_put_u16(skb, last_attr, last))
		return -EMSGSIZE;
	return 0;
}

int postern_nl_put_selector(struct sk_buff *skb, int attr,
			    const struct postern_selector *sel)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest ||
	    postern_nl_put_addr(skb, POSTERN_A_SELECTOR_SRC, &sel->src,
				sel->family) ||
	    nla_put_u8(skb, POSTERN_A_SELECTOR_SRC_LEN, sel->src_len) ||
	    postern_nl_put_addr(skb, POSTERN_A_SELECTOR_DST, &sel->dst,
				sel->family) ||
	    nla_put_u8(skb, POSTERN_A_SELECTOR_DST_LEN, sel->dst_len) ||
	    nla_put_u8(skb, POSTERN_A_SELECTOR_PROTO, sel->proto) ||
	    put_ports(skb, POSTERN_A_SELECTOR_SPORT_FIRST,
		      POSTERN_A_SELECTOR_SPORT_LAST, sel->sport_first,
		      sel->sport_last) ||
	    put_ports(skb, POSTERN_A_SELECTOR_DPORT_FIRST,
		      POSTERN_A_SELECTOR_DPORT_LAST, sel->dport_first,
		      sel->dport_last) ||
	    (sel->ifindex &&
	     nla_put_u32(skb, POSTERN_A_SELECTOR_IFINDEX, sel->ifindex)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int postern_nl_put_tmpl(struct sk_buff *skb, const struct postern_tmpl *tmpl)
{
	struct nlattr *nest = nla_nest_start(skb, POSTERN_A_POLICY_TMPL);

	if (!nest)
		return -EMSGSIZE;
	if (tmpl->family &&
	    (postern_nl_put_addr(skb, POSTERN_A_TMPL_SRC, &tmpl->src,
				 tmpl->family) ||
	     postern_nl_put_addr(skb, POSTERN_A_TMPL_DST, &tmpl->dst,
				 tmpl->family)))
		return -EMSGSIZE;
	if (nla_put_u8(skb, POSTERN_A_TMPL_PROTO, tmpl->proto) ||
	    nla_put_u8(skb, POSTERN_A_TMPL_MODE, tmpl->mode) ||
	    nla_put_u32(skb, POSTERN_A_TMPL_REQID, tmpl->reqid) ||
	    nla_put_be32(skb, POSTERN_A_TMPL_SPI, tmpl->spi) ||
	    nla_put_u8(skb, POSTERN_A_TMPL_LEVEL, tmpl->optional ?
		       POSTERN_LEVEL_USE : POSTERN_LEVEL_REQUIRED))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

int postern_nl_put_drop(struct sk_buff *skb, int attr,
			enum postern_drop_reason reason, u64 packets,
			bool with_text)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || nla_put_u32(skb, POSTERN_A_DROP_REASON, reason) ||
	    nla_put_string(skb, POSTERN_A_DROP_NAME,
			   postern_drop_names[reason]) ||
	    (with_text && nla_put_string(skb, POSTERN_A_DROP_TEXT,
					 postern_drop_texts[reason])) ||
	    postern_nl_put_u64(skb, POSTERN_A_DROP_PACKETS, packets))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_usage(struct sk_buff *skb, int attr,
		     const struct postern_usage *usage)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest ||
	    postern_nl_put_u64(skb, POSTERN_A_USAGE_BYTES, usage->bytes) ||
	    postern_nl_put_u64(skb, POSTERN_A_USAGE_PACKETS, usage->packets) ||
	    postern_nl_put_u64(skb, POSTERN_A_USAGE_ADD_TIME,
			       usage->add_time) ||
	    postern_nl_put_u64(skb, POSTERN_A_USAGE_USE_TIME,
			       usage->use_time) ||
	    postern_nl_put_u64(skb, POSTERN_A_USAGE_LAST_USED,
			       usage->last_used))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_sa_usage(struct sk_buff *skb, const struct postern_sa *sa)
{
	struct postern_usage usage;

	postern_sa_usage(sa, &usage);
	return put_usage(skb, POSTERN_A_SA_USAGE, &usage);
}

static int put_life(struct sk_buff *skb, const struct postern_lifetime *life)
{
	struct nlattr *nest = nla_nest_start(skb, POSTERN_A_SA_LIFETIME);

	if (!nest ||
	    postern_nl_put_u64(skb, POSTERN_A_LIFETIME_BYTE_SOFT,
			       life->byte_soft) ||
	    postern_nl_put_u64(skb, POSTERN_A_LIFETIME_BYTE_HARD,
			       life->byte_hard) ||
	    postern_nl_put_u64(skb, POSTERN_A_LIFETIME_PACKET_SOFT,
			       life->packet_soft) ||
	    postern_nl_put_u64(skb, POSTERN_A_LIFETIME_PACKET_HARD,
			       life->packet_hard) ||
	    postern_nl_put_u64(skb, POSTERN_A_LIFETIME_ADD_SOFT,
			       life->add_soft) ||
	    postern_nl_put_u64(skb, POSTERN_A_LIFETIME_ADD_HARD,
			       life->add_hard) ||
	    postern_nl_put_u64(skb, POSTERN_A_LIFETIME_USE_SOFT,
			       life->use_soft) ||
	    postern_nl_put_u64(skb, POSTERN_A_LIFETIME_USE_HARD,
			       life->use_hard))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_algo(struct sk_buff *skb, int attr,
		    const struct postern_algo_key *key, bool with_keys)
{
	struct nlattr *nest;

	if (!key->algo)
		return 0;
	nest = nla_nest_start(skb, attr);
	if (!nest ||
	    nla_put_string(skb, POSTERN_A_ALGO_NAME,
			   key->algo->name) ||
	    (with_keys &&
	     nla_put(skb, POSTERN_A_ALGO_KEY, key->key_len, key->key)) ||
	    (key->icv_bits &&
	     nla_put_u32(skb, POSTERN_A_ALGO_ICV_BITS, key->icv_bits)) ||
	    nla_put_u32(skb, POSTERN_A_ALGO_KEY_BITS, key->key_len * 8))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_algos(struct sk_buff *skb, const struct postern_sa *sa,
		     bool with_keys)
{
	if (put_algo(skb, POSTERN_A_SA_AEAD, &sa->keys[POSTERN_ALGO_AEAD],
		     with_keys) ||
	    put_algo(skb, POSTERN_A_SA_AUTH, &sa->keys[POSTERN_ALGO_AUTH],
		     with_keys) ||
	    put_algo(skb, POSTERN_A_SA_CRYPT, &sa->keys[POSTERN_ALGO_CRYPT],
		     with_keys) ||
	    put_algo(skb, POSTERN_A_SA_COMP, &sa->keys[POSTERN_ALGO_COMP],
		     with_keys))
		return -EMSGSIZE;
	return 0;
}

#define BITMAP_WORDS	128	/* a message with all of the largest window would be too long */

/* A larval SA has no numbers yet. */
static int put_replay(struct sk_buff *skb, struct postern_sa *sa)
{
	unsigned int words = min_t(unsigned int, DIV_ROUND_UP(sa->replay.window, 32),
				   BITMAP_WORDS);
	struct nlattr *nest, *bitmap = NULL;
	u64 oseq, seq, lost;

	if (!sa->seqno)
		return 0;
	nest = nla_nest_start(skb, POSTERN_A_SA_REPLAY);
	if (!nest)
		return -EMSGSIZE;
	if (words) {
		bitmap = nla_reserve(skb, POSTERN_A_REPLAY_BITMAP,
				     words * sizeof(u32));
		if (!bitmap)
			return -EMSGSIZE;
	}
	/* packets that found no number left have counted on */
	oseq = min_t(u64, atomic64_read(&sa->seqno->last),
		     postern_sa_last_number(sa));
	spin_lock_bh(&sa->lock);
	seq = sa->replay.top;
	lost = postern_replay_lost(&sa->replay);
	if (bitmap)
		postern_replay_export(&sa->replay, nla_data(bitmap), words);
	spin_unlock_bh(&sa->lock);
	if (postern_nl_put_u64(skb, POSTERN_A_REPLAY_OSEQ, oseq) ||
	    postern_nl_put_u64(skb, POSTERN_A_REPLAY_SEQ, seq) ||
	    postern_nl_put_u64(skb, POSTERN_A_REPLAY_LOST, lost))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_sa_drops(struct sk_buff *skb, const struct postern_sa *sa)
{
	u64 packets;
	u32 reason;

	for (reason = 1; reason < POSTERN_DROP_COUNT; reason++) {
		packets = atomic64_read(&sa->drops[reason]);
		if (packets && postern_nl_put_drop(skb, POSTERN_A_SA_DROP,
						   reason, packets, false))
			return -EMSGSIZE;
	}
	return 0;
}

static int put_sa_selector(struct sk_buff *skb, const struct postern_sa *sa)
{
	struct postern_sa_selector *selector;

	selector = rcu_dereference_protected(sa->selector,
					     lockdep_is_held(&sa->pn->lock));
	if (!selector)
		return 0;
	return postern_nl_put_selector(skb, POSTERN_A_SA_SELECTOR,
				       &selector->sel);
}

static int put_sa_identity(struct sk_buff *skb, const struct postern_sa *sa)
{
	if (postern_nl_put_u64(skb, POSTERN_A_SA_ID, sa->id) ||
	    postern_nl_put_addr(skb, POSTERN_A_SA_DST, &sa->key.dst,
				sa->key.family) ||
	    postern_nl_put_addr(skb, POSTERN_A_SA_SRC, &sa->src,
				sa->key.family) ||
	    nla_put_u8(skb, POSTERN_A_SA_PROTO, sa->key.proto) ||
	    nla_put_be32(skb, POSTERN_A_SA_SPI, sa->key.spi) ||
	    nla_put_u8(skb, POSTERN_A_SA_MODE, sa->mode) ||
	    (sa->dir && nla_put_u8(skb, POSTERN_A_SA_DIR, sa->dir)) ||
	    nla_put_u32(skb, POSTERN_A_SA_REQID, sa->reqid) ||
	    nla_put_u32(skb, POSTERN_A_SA_OWNER, sa->owner) ||
	    nla_put_u8(skb, POSTERN_A_SA_STATE, sa->state))
		return -EMSGSIZE;
	return 0;
}

static int put_outer(struct sk_buff *skb, const struct postern_outer *outer)
{
	if ((outer->ttl &&
	     nla_put_u8(skb, POSTERN_A_SA_TTL,
			outer->ttl == POSTERN_TTL_INHERIT ? 0 : outer->ttl)) ||
	    (outer->ds_set &&
	     nla_put_u8(skb, POSTERN_A_SA_TOS, outer->ds_set)) ||
	    (outer->flow_label &&
	     nla_put_u32(skb, POSTERN_A_SA_FLOW_LABEL,
			 outer->flow_label & ~POSTERN_LABEL_FIXED)))
		return -EMSGSIZE;
	if (outer->mark_mask &&
	    (nla_put_u32(skb, POSTERN_A_SA_OUTPUT_MARK, outer->mark) ||
	     nla_put_u32(skb, POSTERN_A_SA_OUTPUT_MARK_MASK, outer->mark_mask)))
		return -EMSGSIZE;
	return 0;
}

static int put_path_mtu(struct sk_buff *skb, const struct postern_sa *sa)
{
	unsigned int mtu = postern_sa_path_mtu(sa);
	long left = READ_ONCE(sa->path_mtu_end) - jiffies;

	if (!mtu)
		return 0;
	if (nla_put_u32(skb, POSTERN_A_SA_PATH_MTU, mtu) ||
	    nla_put_u32(skb, POSTERN_A_SA_PATH_MTU_EXPIRES, max(left, 0L) / HZ))
		return -EMSGSIZE;
	return 0;
}

static int put_encap(struct sk_buff *skb, const struct postern_sa *sa)
{
	__be32 encap = READ_ONCE(sa->encap);
	struct nlattr *nest;

	if (!encap)
		return 0;
	nest = nla_nest_start(skb, POSTERN_A_SA_ENCAP);
	if (!nest ||
	    nla_put_u16(skb, POSTERN_A_ENCAP_SPORT,
			ntohs(postern_encap_sport(encap))) ||
	    nla_put_u16(skb, POSTERN_A_ENCAP_DPORT,
			ntohs(postern_encap_dport(encap))) ||
	    (!postern_addr_any(&sa->original) &&
	     postern_nl_put_addr(skb, POSTERN_A_ENCAP_ORIGINAL, &sa->original,
				 sa->key.family)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/**
 * postern_nl_put_sa - an SA as sa-get shows it
 * @skb: message
 * @sa: SA
 * @with_keys: for who asked for keys; never in events
 *
 * Return: 0 or -EMSGSIZE. Context: process, configuration lock held.
 */
int postern_nl_put_sa(struct sk_buff *skb, struct postern_sa *sa,
		      bool with_keys)
{
	lockdep_assert_held(&sa->pn->lock);
	if (put_sa_identity(skb, sa) ||
	    nla_put_u32(skb, POSTERN_A_SA_FLAGS, sa->flags) ||
	    nla_put_u32(skb, POSTERN_A_SA_REPLAY_WINDOW, sa->replay.window) ||
	    (sa->tfcpad && nla_put_u16(skb, POSTERN_A_SA_TFCPAD, sa->tfcpad)) ||
	    put_outer(skb, &sa->outer) ||
	    put_path_mtu(skb, sa) ||
	    put_encap(skb, sa) ||
	    (sa->keepalive &&
	     nla_put_u32(skb, POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL,
			 sa->keepalive)) ||
	    put_algos(skb, sa, with_keys) ||
	    put_sa_selector(skb, sa) ||
	    put_life(skb, &sa->life) ||
	    put_sa_usage(skb, sa) ||
	    put_replay(skb, sa) ||
	    put_sa_drops(skb, sa))
		return -EMSGSIZE;
	return 0;
}

/**
 * postern_nl_put_sa_used - what SA it is, and how far it was used
 * @skb: message
 * @sa: SA
 *
 * Return: 0 or -EMSGSIZE. Context: process, configuration lock held.
 */
int postern_nl_put_sa_used(struct sk_buff *skb, struct postern_sa *sa)
{
	if (put_sa_identity(skb, sa) ||
	    put_sa_usage(skb, sa) ||
	    put_replay(skb, sa))
		return -EMSGSIZE;
	return 0;
}

/**
 * postern_nl_put_sa_mapping - what a mapping event tells
 * @skb: message
 * @sa: SA
 * @src: address of its peer
 * @sport: port of its peer
 *
 * Return: 0 or -EMSGSIZE. Context: any, RCU read side.
 */
int postern_nl_put_sa_mapping(struct sk_buff *skb, const struct postern_sa *sa,
			      const union nf_inet_addr *src, __be16 sport)
{
	if (put_sa_identity(skb, sa) ||
	    put_encap(skb, sa) ||
	    postern_nl_put_addr(skb, POSTERN_A_SA_NEW_SRC, src,
				sa->key.family) ||
	    nla_put_u16(skb, POSTERN_A_SA_NEW_SPORT, ntohs(sport)))
		return -EMSGSIZE;
	return 0;
}

/**
 * postern_nl_put_sa_expired - what an expire event tells
 * @skb: message
 * @sa: SA
 * @hard: which limit it has passed
 *
 * Return: 0 or -EMSGSIZE. Context: process, configuration lock held.
 */
int postern_nl_put_sa_expired(struct sk_buff *skb, struct postern_sa *sa,
			      bool hard)
{
	if (nla_put_u8(skb, POSTERN_A_SA_HARD, hard) ||
	    postern_nl_put_sa_used(skb, sa))
		return -EMSGSIZE;
	return 0;
}

static int put_tmpls(struct sk_buff *skb, const struct postern_policy *policy)
{
	int i;

	for (i = 0; i < policy->tmpl_count; i++)
		if (postern_nl_put_tmpl(skb, &policy->tmpl[i]))
			return -EMSGSIZE;
	return 0;
}

/**
 * postern_nl_put_policy - a policy as policy-get shows it
 * @skb: message
 * @policy: policy
 *
 * Return: 0 or -EMSGSIZE. Context: process, configuration lock held.
 */
int postern_nl_put_policy(struct sk_buff *skb,
			  const struct postern_policy *policy)
{
	struct postern_usage usage;

	postern_policy_usage(policy, &usage);
	if (nla_put_u32(skb, POSTERN_A_POLICY_INDEX, policy->index) ||
	    nla_put_u8(skb, POSTERN_A_POLICY_DIR, policy->dir) ||
	    nla_put_u8(skb, POSTERN_A_POLICY_ACTION, policy->action) ||
	    nla_put_u32(skb, POSTERN_A_POLICY_PRIORITY,
			policy->rule.priority) ||
	    nla_put_u32(skb, POSTERN_A_POLICY_OWNER, policy->owner) ||
	    nla_put_u32(skb, POSTERN_A_POLICY_FLAGS, policy->flags) ||
	    postern_nl_put_selector(skb, POSTERN_A_POLICY_SELECTOR,
				    &policy->rule.sel) ||
	    put_tmpls(skb, policy) ||
	    put_usage(skb, POSTERN_A_POLICY_USAGE, &usage))
		return -EMSGSIZE;
	return 0;
}
