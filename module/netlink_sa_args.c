// SPDX-License-Identifier: GPL-2.0
/* Keys go from the message straight to where they are wiped when freed. */
#include <crypto/algapi.h>
#include <linux/slab.h>
#include <linux/ktime.h>
#include <net/inet_ecn.h>
#include <net/ipv6.h>
#include "netlink_sa_args.h"

/* Destination and protocol of @key. */
static int get_dst(struct nlattr **tb, struct postern_sa_key *key,
		   struct netlink_ext_ack *extack)
{
	int err;

	if (postern_nl_missing(extack, NULL, tb, POSTERN_A_SA_DST, "dst") ||
	    postern_nl_missing(extack, NULL, tb, POSTERN_A_SA_PROTO, "proto"))
		return -EINVAL;
	err = postern_nl_get_addr(tb[POSTERN_A_SA_DST], &key->dst, &key->family,
				  extack);
	if (err)
		return err;
	/* it has no routes of IPv6, and not the tables either that it would look in */
	if (key->family == AF_INET6 && !ipv6_mod_enabled()) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_DST],
				    "this host has no IPv6 (ipv6.disable=1)");
		return -EAFNOSUPPORT;
	}
	if (postern_addr_any(&key->dst)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_DST],
				    "dst must not be the unspecified address");
		return -EINVAL;
	}
	return postern_nl_get_proto(tb[POSTERN_A_SA_PROTO], &key->proto, extack);
}

/* Of a multicast group the sender is part of @key. */
static int get_src(const struct nlattr *attr, struct postern_sa_key *key,
		   union nf_inet_addr *src, struct netlink_ext_ack *extack)
{
	u8 family;
	int err;

	err = postern_nl_get_addr(attr, src, &family, extack);
	if (err)
		return err;
	if (family != key->family) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "src and dst must be of one family");
		return -EINVAL;
	}
	if (postern_addr_multicast(src, family)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "src must not be a multicast address");
		return -EINVAL;
	}
	if (postern_addr_multicast(&key->dst, key->family))
		key->src = *src;
	return 0;
}

/**
 * postern_sa_args_key - which SA?
 * @tb: attributes dst, proto and spi, and src
 * @key: result
 * @extack: says what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int postern_sa_args_key(struct nlattr **tb, struct postern_sa_key *key,
			struct netlink_ext_ack *extack)
{
	union nf_inet_addr src;
	int err;

	memset(key, 0, sizeof(*key));
	err = get_dst(tb, key, extack);
	if (err)
		return err;
	if (postern_nl_missing(extack, NULL, tb, POSTERN_A_SA_SPI, "spi"))
		return -EINVAL;
	if (tb[POSTERN_A_SA_SRC]) {
		err = get_src(tb[POSTERN_A_SA_SRC], key, &src, extack);
		if (err)
			return err;
	}
	return postern_nl_get_spi(tb[POSTERN_A_SA_SPI], key->proto, &key->spi,
				  extack);
}

static int get_limit(struct nlattr **tb, int soft_attr, int hard_attr,
		     u64 *soft, u64 *hard, struct netlink_ext_ack *extack)
{
	*soft = tb[soft_attr] ? nla_get_u64(tb[soft_attr]) : POSTERN_UNLIMITED;
	*hard = tb[hard_attr] ? nla_get_u64(tb[hard_attr]) : POSTERN_UNLIMITED;
	if (!*soft || !*hard) {
		NL_SET_ERR_MSG_ATTR(extack, tb[*soft ? hard_attr : soft_attr],
				    "a limit is 1 or more; leave it out for none");
		return -EINVAL;
	}
	if (*soft != POSTERN_UNLIMITED && *soft > *hard) {
		NL_SET_ERR_MSG_ATTR(extack, tb[soft_attr],
				    "the soft limit is above the hard one");
		return -EINVAL;
	}
	return 0;
}

/* All limits together: what is left out has none. */
static int get_life(const struct nlattr *nest, struct postern_lifetime *life,
		    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[POSTERN_A_LIFETIME_USE_HARD + 1] = {};
	int err;

	if (nest) {
		err = nla_parse_nested(tb, POSTERN_A_LIFETIME_USE_HARD, nest,
				       postern_lifetime_nl_policy, extack);
		if (err)
			return err;
	}
	err = get_limit(tb, POSTERN_A_LIFETIME_BYTE_SOFT,
			POSTERN_A_LIFETIME_BYTE_HARD, &life->byte_soft,
			&life->byte_hard, extack);
	if (err)
		return err;
	err = get_limit(tb, POSTERN_A_LIFETIME_PACKET_SOFT,
			POSTERN_A_LIFETIME_PACKET_HARD, &life->packet_soft,
			&life->packet_hard, extack);
	if (err)
		return err;
	err = get_limit(tb, POSTERN_A_LIFETIME_ADD_SOFT,
			POSTERN_A_LIFETIME_ADD_HARD, &life->add_soft,
			&life->add_hard, extack);
	if (err)
		return err;
	return get_limit(tb, POSTERN_A_LIFETIME_USE_SOFT,
			 POSTERN_A_LIFETIME_USE_HARD, &life->use_soft,
			 &life->use_hard, extack);
}

static u64 get_u64_or_0(const struct nlattr *attr)
{
	return attr ? nla_get_u64(attr) : 0;
}

/* Seconds since the epoch; a clock that was set back must not cost an SA. */
static u64 get_time(const struct nlattr *attr)
{
	return min_t(u64, get_u64_or_0(attr), ktime_get_real_seconds());
}

static int get_usage(const struct nlattr *nest, struct postern_usage *usage,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[POSTERN_A_USAGE_LAST_USED + 1];
	int err;

	if (!nest)
		return 0;
	err = nla_parse_nested(tb, POSTERN_A_USAGE_LAST_USED, nest,
			       postern_usage_nl_policy, extack);
	if (err)
		return err;
	usage->bytes = get_u64_or_0(tb[POSTERN_A_USAGE_BYTES]);
	usage->packets = get_u64_or_0(tb[POSTERN_A_USAGE_PACKETS]);
	usage->add_time = get_time(tb[POSTERN_A_USAGE_ADD_TIME]);
	usage->use_time = get_time(tb[POSTERN_A_USAGE_USE_TIME]);
	usage->last_used = get_time(tb[POSTERN_A_USAGE_LAST_USED]);
	return 0;
}

static int get_replay(const struct nlattr *nest, struct postern_sa_args *args,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[POSTERN_A_REPLAY_LOST + 1], *bitmap;
	int err;

	if (!nest)
		return 0;
	err = nla_parse_nested(tb, POSTERN_A_REPLAY_LOST, nest,
			       postern_replay_nl_policy, extack);
	if (err)
		return err;
	args->oseq_attr = tb[POSTERN_A_REPLAY_OSEQ];
	args->oseq = get_u64_or_0(args->oseq_attr);
	args->seq_attr = tb[POSTERN_A_REPLAY_SEQ];
	args->seq = get_u64_or_0(args->seq_attr);
	bitmap = tb[POSTERN_A_REPLAY_BITMAP];
	if (!bitmap)
		return 0;
	if (postern_nl_missing(extack, nest, tb, POSTERN_A_REPLAY_SEQ, "seq"))
		return -EINVAL;
	if (nla_len(bitmap) % sizeof(u32)) {
		NL_SET_ERR_MSG_ATTR(extack, bitmap,
				    "a bitmap has a multiple of 4 octets, at most 512");
		return -EINVAL;
	}
	args->bitmap = nla_data(bitmap);
	args->words = nla_len(bitmap) / sizeof(u32);
	return 0;
}

static int get_tos(struct nlattr **tb, struct postern_sa_args *args,
		   struct netlink_ext_ack *extack)
{
	struct nlattr *attr = tb[POSTERN_A_SA_TOS];

	args->outer.ds_keep = 0xff;
	if (args->flags & POSTERN_SA_FLAG_NOECN)
		args->outer.ds_keep &= ~INET_ECN_MASK;
	if (attr || args->flags & POSTERN_SA_FLAG_DONT_ENCAP_DSCP)
		args->outer.ds_keep &= INET_ECN_MASK;
	if (!attr)
		return 0;
	args->outer.ds_set = nla_get_u8(attr);
	if (args->outer.ds_set & INET_ECN_MASK) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "tos is a multiple of 4: its two lowest bits are ECN, which flag noecn is about");
		return -EINVAL;
	}
	if (args->flags & POSTERN_SA_FLAG_DONT_ENCAP_DSCP) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "tos and flag dont-encap-dscp exclude each other");
		return -EINVAL;
	}
	return 0;
}

static int get_flow_label(struct nlattr **tb, struct postern_sa_args *args,
			  struct netlink_ext_ack *extack)
{
	const struct nlattr *attr = tb[POSTERN_A_SA_FLOW_LABEL];
	u32 label;

	if (args->flags & POSTERN_SA_FLAG_FLOWLABEL_HASH &&
	    (attr || args->key.family == AF_INET)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_FLAGS],
				    "flag flowlabel-hash is of IPv6 without a flow-label");
		return -EINVAL;
	}
	if (!attr)
		return 0;
	if (args->key.family == AF_INET) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "IPv4 has no flow-label: src and dst are IPv4");
		return -EINVAL;
	}
	label = nla_get_u32(attr);
	if (label > ntohl(IPV6_FLOWLABEL_MASK)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a flow-label is 0 to 0xfffff");
		return -EINVAL;
	}
	args->outer.flow_label = label | POSTERN_LABEL_FIXED;
	return 0;
}

static int get_mark(struct nlattr **tb, struct postern_outer *outer,
		    struct netlink_ext_ack *extack)
{
	if (tb[POSTERN_A_SA_OUTPUT_MARK_MASK] &&
	    postern_nl_missing(extack, NULL, tb, POSTERN_A_SA_OUTPUT_MARK,
			       "output-mark"))
		return -EINVAL;
	if (!tb[POSTERN_A_SA_OUTPUT_MARK])
		return 0;
	outer->mark_mask = U32_MAX;
	if (tb[POSTERN_A_SA_OUTPUT_MARK_MASK])
		outer->mark_mask = nla_get_u32(tb[POSTERN_A_SA_OUTPUT_MARK_MASK]);
	outer->mark = nla_get_u32(tb[POSTERN_A_SA_OUTPUT_MARK]) &
		      outer->mark_mask;
	return 0;
}

/* In transport mode what a checksum behind ESP has covered. */
static int get_original(const struct nlattr *attr, struct postern_sa_args *args,
			struct netlink_ext_ack *extack)
{
	u8 family;
	int err;

	if (!attr)
		return 0;
	err = postern_nl_get_addr(attr, &args->original, &family, extack);
	if (err || postern_addr_any(&args->original))
		return err;
	if (family == args->key.family && args->mode == POSTERN_MODE_TRANSPORT)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, attr,
			    "original is of transport mode, and of the family of dst");
	return -EINVAL;
}

/* ESP in UDP; AH covers the addresses that a NAT changes (RFC 3948 section 1). */
static int get_encap(const struct nlattr *nest, struct postern_sa_args *args,
		     struct netlink_ext_ack *extack)
{
	struct nlattr *tb[POSTERN_A_ENCAP_ORIGINAL + 1];
	int err;

	if (!nest)
		return 0;
	err = nla_parse_nested(tb, POSTERN_A_ENCAP_ORIGINAL, nest,
			       postern_encap_nl_policy, extack);
	if (err)
		return err;
	if (postern_nl_missing(extack, nest, tb, POSTERN_A_ENCAP_SPORT, "sport") ||
	    postern_nl_missing(extack, nest, tb, POSTERN_A_ENCAP_DPORT, "dport"))
		return -EINVAL;
	if (args->key.proto != IPPROTO_ESP) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "encap is of ESP only");
		return -EINVAL;
	}
	if (postern_addr_multicast(&args->key.dst, args->key.family)) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "encap is between two hosts: dst is a multicast address");
		return -EINVAL;
	}
	args->encap = htonl(nla_get_u16(tb[POSTERN_A_ENCAP_SPORT]) << 16 |
			    nla_get_u16(tb[POSTERN_A_ENCAP_DPORT]));
	return get_original(tb[POSTERN_A_ENCAP_ORIGINAL], args, extack);
}

static int get_outer(struct nlattr **tb, struct postern_sa_args *args,
		     struct netlink_ext_ack *extack)
{
	int err;

	if (tb[POSTERN_A_SA_TTL])
		args->outer.ttl = nla_get_u8(tb[POSTERN_A_SA_TTL]) ?:
				  POSTERN_TTL_INHERIT;
	err = get_flow_label(tb, args, extack);
	if (err)
		return err;
	if (args->flags & POSTERN_SA_FLAG_SET_DF &&
	    args->flags & POSTERN_SA_FLAG_NOPMTUDISC) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_FLAGS],
				    "flags set-df and nopmtudisc exclude each other");
		return -EINVAL;
	}
	err = get_tos(tb, args, extack);
	return err ? err : get_mark(tb, &args->outer, extack);
}

/**
 * postern_sa_args_get - read all but the keys of sa-new or sa-update
 * @tb: attributes
 * @args: result; what is left out is 0 or its default
 * @extack: says what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int postern_sa_args_get(struct nlattr **tb, struct postern_sa_args *args,
			struct netlink_ext_ack *extack)
{
	int err;

	memset(args, 0, sizeof(*args));
	err = postern_sa_args_key(tb, &args->key, extack);
	if (err)
		return err;
	if (tb[POSTERN_A_SA_SRC]) {
		err = get_src(tb[POSTERN_A_SA_SRC], &args->key, &args->src,
			      extack);
		if (err)
			return err;
	}
	if (tb[POSTERN_A_SA_MODE])
		args->mode = nla_get_u8(tb[POSTERN_A_SA_MODE]);
	if (tb[POSTERN_A_SA_DIR])
		args->dir = nla_get_u8(tb[POSTERN_A_SA_DIR]);
	if (args->dir == POSTERN_DIR_FWD) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_DIR],
				    "dir of an SA is 1 (in) or 2 (out), or left out for both");
		return -EINVAL;
	}
	if (tb[POSTERN_A_SA_REQID])
		args->reqid = nla_get_u32(tb[POSTERN_A_SA_REQID]);
	if (tb[POSTERN_A_SA_OWNER])
		args->owner = nla_get_u32(tb[POSTERN_A_SA_OWNER]);
	if (tb[POSTERN_A_SA_FLAGS])
		args->flags = nla_get_u32(tb[POSTERN_A_SA_FLAGS]);
	if (tb[POSTERN_A_SA_TFCPAD])
		args->tfcpad = nla_get_u16(tb[POSTERN_A_SA_TFCPAD]);
	err = get_outer(tb, args, extack);
	if (err)
		return err;
	err = get_encap(tb[POSTERN_A_SA_ENCAP], args, extack);
	if (err)
		return err;
	if (tb[POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL])
		args->keepalive = nla_get_u32(tb[POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL]);
	args->window = args->key.proto == IPPROTO_COMP ? 0 : POSTERN_WINDOW_DEFAULT;
	if (tb[POSTERN_A_SA_REPLAY_WINDOW])
		args->window = nla_get_u32(tb[POSTERN_A_SA_REPLAY_WINDOW]);
	if (tb[POSTERN_A_SA_SELECTOR]) {
		err = postern_nl_get_selector(tb[POSTERN_A_SA_SELECTOR],
					      &args->sel, extack);
		if (err)
			return err;
	}
	err = get_life(tb[POSTERN_A_SA_LIFETIME], &args->life, extack);
	if (err)
		return err;
	err = get_usage(tb[POSTERN_A_SA_USAGE], &args->base, extack);
	if (err)
		return err;
	return get_replay(tb[POSTERN_A_SA_REPLAY], args, extack);
}

/*
 * In transport mode the packet and its outer header are of one family.  In mode beet
 * packets do not carry the inner addresses.
 */
static int check_selector(struct nlattr **tb, const struct postern_sa_args *args,
			  u8 mode, struct netlink_ext_ack *extack)
{
	unsigned int bits = postern_addr_bits(args->sel.family);

	if (mode == POSTERN_MODE_BEET) {
		if (!tb[POSTERN_A_SA_SELECTOR] ||
		    (args->sel.src_len == bits && args->sel.dst_len == bits))
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_SELECTOR],
				    "in mode beet src and dst of the selector must be one address each");
		return -EINVAL;
	}
	if (!tb[POSTERN_A_SA_SELECTOR] || mode != POSTERN_MODE_TRANSPORT ||
	    args->sel.family == args->key.family)
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_SELECTOR],
			    "in transport mode the selector must be of the SA's family");
	return -EINVAL;
}

/* Numbers of 64 bits are for SAs with @esn only. */
static int check_numbers(const struct postern_sa_args *args, bool esn,
			 struct netlink_ext_ack *extack)
{
	if (!esn && (args->oseq > U32_MAX || args->seq > U32_MAX)) {
		NL_SET_ERR_MSG_ATTR(extack, args->oseq > U32_MAX ?
				    args->oseq_attr : args->seq_attr,
				    "a sequence number is 0 to 4294967295 without flag esn");
		return -EINVAL;
	}
	if (args->oseq > POSTERN_SEQNO_ESN_LAST) {
		NL_SET_ERR_MSG_ATTR(extack, args->oseq_attr,
				    "the last number sent is at most 0xffffffff00000000");
		return -EINVAL;
	}
	return 0;
}

/* The window tells the high half of a number (RFC 4303 section 3.3.3). */
static int check_window(struct nlattr **tb, const struct postern_sa_args *args,
			struct netlink_ext_ack *extack)
{
	if (args->window || args->dir == POSTERN_DIR_OUT ||
	    !(args->flags & POSTERN_SA_FLAG_ESN))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_REPLAY_WINDOW],
			    "flag esn needs a replay-window unless dir is 2 (out)");
	return -EINVAL;
}

/* What the outer header may be; in transport mode it is the packet's own. */
static int check_outer(struct nlattr **tb, const struct postern_sa_args *args,
		       struct netlink_ext_ack *extack)
{
	static const u8 types[] = { POSTERN_A_SA_TTL, POSTERN_A_SA_TOS,
				    POSTERN_A_SA_FLOW_LABEL };
	int i;

	if (args->flags & POSTERN_SA_FLAG_ALIGN4 &&
	    (args->key.proto != IPPROTO_AH || args->key.family != AF_INET)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_FLAGS],
				    "flag align4 is of AH over IPv4");
		return -EINVAL;
	}
	if (args->mode == POSTERN_MODE_TUNNEL)
		return 0;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		if (!tb[types[i]])
			continue;
		NL_SET_ERR_MSG_ATTR(extack, tb[types[i]],
				    "ttl, tos and flow-label are of tunnel mode: in other modes the packet has its own");
		return -EINVAL;
	}
	if (args->flags & POSTERN_SA_FLAG_SET_DF) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_FLAGS],
				    "flag set-df is of tunnel mode");
		return -EINVAL;
	}
	if (args->flags & POSTERN_SA_FLAG_FLOWLABEL_HASH) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_FLAGS],
				    "flag flowlabel-hash is of tunnel mode");
		return -EINVAL;
	}
	return 0;
}

/* Who is behind a NAT sends them, from an address. */
static int check_keepalive(struct nlattr **tb, const struct postern_sa_args *args,
			   bool encap, u8 dir, const union nf_inet_addr *src,
			   struct netlink_ext_ack *extack)
{
	if (!args->keepalive || (encap && dir != POSTERN_DIR_IN &&
				 !postern_addr_any(src)))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL],
			    "nat-keepalive-interval is of an outbound SA that has encap and src");
	return -EINVAL;
}

/**
 * postern_sa_args_check_new - is this enough to make an SA?
 * @tb: attributes
 * @args: the same, read
 * @extack: says what is missing or does not fit together
 *
 * Return: 0 or -EINVAL.
 */
int postern_sa_args_check_new(struct nlattr **tb,
			      const struct postern_sa_args *args,
			      struct netlink_ext_ack *extack)
{
	if (postern_nl_missing(extack, NULL, tb, POSTERN_A_SA_SRC, "src") ||
	    postern_nl_missing(extack, NULL, tb, POSTERN_A_SA_MODE, "mode"))
		return -EINVAL;
	if (args->mode != POSTERN_MODE_TRANSPORT && args->dir != POSTERN_DIR_IN &&
	    postern_addr_any(&args->src)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_SRC],
				    "src of a tunnel must not be the unspecified address unless dir is 1 (in)");
		return -EINVAL;
	}
	if (args->mode == POSTERN_MODE_BEET && args->key.proto != IPPROTO_ESP) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_MODE],
				    "mode beet is of ESP only");
		return -EINVAL;
	}
	if (args->key.proto == IPPROTO_COMP &&
	    (args->window || args->flags & POSTERN_SA_FLAG_ESN)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[args->window ?
					       POSTERN_A_SA_REPLAY_WINDOW :
					       POSTERN_A_SA_FLAGS],
				    "replay-window and flag esn are not of IPComp: it has no numbers");
		return -EINVAL;
	}
	if (args->mode == POSTERN_MODE_BEET && !tb[POSTERN_A_SA_SELECTOR]) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_MODE],
				    "mode beet needs a selector, which has the inner addresses");
		return -EINVAL;
	}
	if (args->flags & POSTERN_SA_FLAG_IIV &&
	    postern_addr_multicast(&args->key.dst, args->key.family)) {
		/* RFC 8750 section 7: senders must not share numbers */
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_FLAGS],
				    "flag iiv must not be used with multicast");
		return -EINVAL;
	}
	if (args->tfcpad && args->key.proto != IPPROTO_ESP) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_TFCPAD],
				    "tfcpad is of ESP: AH hides nothing");
		return -EINVAL;
	}
	return check_outer(tb, args, extack) ?:
	       check_window(tb, args, extack) ?:
	       check_numbers(args, args->flags & POSTERN_SA_FLAG_ESN, extack) ?:
	       check_keepalive(tb, args, args->encap, args->dir, &args->src,
			       extack) ?:
	       check_selector(tb, args, args->mode, extack);
}

static int get_algo(const struct nlattr *nest, enum postern_algo_kind kind,
		    struct postern_algo_key *key,
		    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[POSTERN_A_ALGO_KEY_BITS + 1];
	int err;

	if (!nest)
		return 0;
	err = nla_parse_nested(tb, POSTERN_A_ALGO_KEY_BITS, nest,
			       postern_algo_nl_policy, extack);
	if (err)
		return err;
	if (postern_nl_missing(extack, nest, tb, POSTERN_A_ALGO_NAME, "name"))
		return -EINVAL;
	key->algo = postern_algo_find(kind, nla_data(tb[POSTERN_A_ALGO_NAME]));
	if (!key->algo) {
		postern_algo_unknown(kind, tb[POSTERN_A_ALGO_NAME], extack);
		return -EINVAL;
	}
	key->attr = nest;
	if (tb[POSTERN_A_ALGO_KEY]) {
		key->key_len = nla_len(tb[POSTERN_A_ALGO_KEY]);
		memcpy(key->key, nla_data(tb[POSTERN_A_ALGO_KEY]),
		       key->key_len);
	}
	if (tb[POSTERN_A_ALGO_KEY_BITS] &&
	    nla_get_u32(tb[POSTERN_A_ALGO_KEY_BITS]) != key->key_len * 8) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_ALGO_KEY_BITS],
				    "key-bits is not the length of the key");
		return -EINVAL;
	}
	if (tb[POSTERN_A_ALGO_ICV_BITS])
		key->icv_bits = nla_get_u32(tb[POSTERN_A_ALGO_ICV_BITS]);
	return 0;
}

/**
 * postern_sa_args_algos - read algorithms and keys
 * @tb: attributes
 * @keys: zeroed, by kind; the caller wipes it
 * @extack: says what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int postern_sa_args_algos(struct nlattr **tb, struct postern_algo_key *keys,
			  struct netlink_ext_ack *extack)
{
	int err;

	err = get_algo(tb[POSTERN_A_SA_AEAD], POSTERN_ALGO_AEAD,
		       &keys[POSTERN_ALGO_AEAD], extack);
	if (err)
		return err;
	err = get_algo(tb[POSTERN_A_SA_AUTH], POSTERN_ALGO_AUTH,
		       &keys[POSTERN_ALGO_AUTH], extack);
	if (err)
		return err;
	err = get_algo(tb[POSTERN_A_SA_CRYPT], POSTERN_ALGO_CRYPT,
		       &keys[POSTERN_ALGO_CRYPT], extack);
	if (err)
		return err;
	return get_algo(tb[POSTERN_A_SA_COMP], POSTERN_ALGO_COMP,
			&keys[POSTERN_ALGO_COMP], extack);
}

static bool key_equal(const struct postern_algo_key *a,
		      const struct postern_algo_key *b)
{
	return a->algo == b->algo && a->key_len == b->key_len &&
	       (!b->icv_bits || a->icv_bits == b->icv_bits) &&
	       !crypto_memneq(a->key, b->key, b->key_len);
}

/* Are these the algorithms and keys that the SA has?  None at all are, too. */
static int check_keys(const struct postern_sa *sa, struct nlattr **tb,
		      struct netlink_ext_ack *extack)
{
	struct postern_algo_key *keys;
	int i, err;

	if (!tb[POSTERN_A_SA_AEAD] && !tb[POSTERN_A_SA_AUTH] &&
	    !tb[POSTERN_A_SA_CRYPT] && !tb[POSTERN_A_SA_COMP])
		return 0;
	keys = kcalloc(POSTERN_ALGO_KINDS, sizeof(*keys), GFP_KERNEL_ACCOUNT);
	if (!keys)
		return -ENOMEM;
	err = postern_sa_args_algos(tb, keys, extack);
	for (i = 0; !err && i < POSTERN_ALGO_KINDS; i++) {
		if (!keys[i].algo || key_equal(&sa->keys[i], &keys[i]))
			continue;
		NL_SET_ERR_MSG_ATTR(extack, keys[i].attr,
				    "aead, auth, crypt and comp of a valid SA cannot be changed");
		err = -EINVAL;
	}
	kfree_sensitive(keys);
	return err;
}

#define REFUSE_CHANGE(extack, tb, type, name)				\
	NL_SET_ERR_MSG_ATTR(extack, (tb)[type],				\
			    name " of a valid SA cannot be changed")

/**
 * postern_sa_args_check_change - may a valid SA become so?
 * @tb: attributes
 * @args: the same, read
 * @sa: SA
 * @extack: says what cannot change
 *
 * An attribute that cannot change may be given with the value that it has.
 *
 * Return: 0, -EINVAL, -ENOMEM. Context: process, configuration lock held.
 */
int postern_sa_args_check_change(struct nlattr **tb,
				 const struct postern_sa_args *args,
				 const struct postern_sa *sa,
				 struct netlink_ext_ack *extack)
{
	int err = -EINVAL;

	if (tb[POSTERN_A_SA_SRC] && !postern_addr_equal(&sa->src, &args->src))
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_SRC, "src");
	else if (tb[POSTERN_A_SA_MODE] && sa->mode != args->mode)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_MODE, "mode");
	else if (tb[POSTERN_A_SA_DIR] && sa->dir != args->dir)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_DIR, "dir");
	else if (tb[POSTERN_A_SA_REQID] && sa->reqid != args->reqid)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_REQID, "reqid");
	else if (tb[POSTERN_A_SA_FLAGS] && sa->flags != args->flags)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_FLAGS, "flags");
	else if (tb[POSTERN_A_SA_TTL] && sa->outer.ttl != args->outer.ttl)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_TTL, "ttl");
	else if (tb[POSTERN_A_SA_TOS] && sa->outer.ds_set != args->outer.ds_set)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_TOS, "tos");
	else if (tb[POSTERN_A_SA_FLOW_LABEL] &&
		 sa->outer.flow_label != args->outer.flow_label)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_FLOW_LABEL, "flow-label");
	else if (tb[POSTERN_A_SA_OUTPUT_MARK] &&
		 (sa->outer.mark != args->outer.mark ||
		  sa->outer.mark_mask != args->outer.mark_mask))
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_OUTPUT_MARK,
			      "output-mark");
	else if (tb[POSTERN_A_SA_TFCPAD] && sa->tfcpad != args->tfcpad)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_TFCPAD, "tfcpad");
	else if (!postern_addr_any(&args->original) &&
		 !postern_addr_equal(&sa->original, &args->original))
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_ENCAP,
			      "the original address");
	else if (tb[POSTERN_A_SA_REPLAY_WINDOW] &&
		 sa->replay.window != args->window)
		REFUSE_CHANGE(extack, tb, POSTERN_A_SA_REPLAY_WINDOW,
			      "replay-window");
	else
		err = check_numbers(args, sa->flags & POSTERN_SA_FLAG_ESN, extack) ?:
		      check_selector(tb, args, sa->mode, extack) ?:
		      check_keepalive(tb, args, args->encap || sa->encap,
				      sa->dir, &sa->src, extack);
	return err ? err : check_keys(sa, tb, extack);
}

static int get_spi_range(struct nlattr **tb, u8 proto, u32 *min, u32 *max,
			 struct netlink_ext_ack *extack)
{
	*min = POSTERN_SPI_RESERVED + 1;
	*max = proto == IPPROTO_COMP ? U16_MAX : U32_MAX;
	if (tb[POSTERN_A_SA_SPI_MIN])
		*min = nla_get_u32(tb[POSTERN_A_SA_SPI_MIN]);
	if (tb[POSTERN_A_SA_SPI_MAX])
		*max = nla_get_u32(tb[POSTERN_A_SA_SPI_MAX]);
	if (*min <= POSTERN_SPI_RESERVED) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_SPI_MIN],
				    "spi-min is 256 or more, lower ones are reserved (RFC 4303 section 2.1)");
		return -EINVAL;
	}
	if (proto == IPPROTO_COMP && *max > U16_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_SPI_MAX],
				    "the spi of IPComp is at most 65535");
		return -EINVAL;
	}
	if (*max < *min) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_SPI_MAX],
				    "spi-max is below spi-min (256 when left out)");
		return -EINVAL;
	}
	return 0;
}

/**
 * postern_sa_args_larval - read sa-allocspi
 * @tb: attributes
 * @args: result, its SPI 0
 * @min: result, lowest SPI
 * @max: result, highest SPI
 * @extack: says what is wrong
 *
 * Return: 0 or -EINVAL.
 */
int postern_sa_args_larval(struct nlattr **tb, struct postern_sa_args *args,
			   u32 *min, u32 *max, struct netlink_ext_ack *extack)
{
	int err;

	memset(args, 0, sizeof(*args));
	err = get_dst(tb, &args->key, extack);
	if (err)
		return err;
	if (tb[POSTERN_A_SA_SRC]) {
		err = get_src(tb[POSTERN_A_SA_SRC], &args->key, &args->src,
			      extack);
		if (err)
			return err;
	}
	if (tb[POSTERN_A_SA_MODE])
		args->mode = nla_get_u8(tb[POSTERN_A_SA_MODE]);
	if (tb[POSTERN_A_SA_REQID])
		args->reqid = nla_get_u32(tb[POSTERN_A_SA_REQID]);
	if (tb[POSTERN_A_SA_OWNER])
		args->owner = nla_get_u32(tb[POSTERN_A_SA_OWNER]);
	return get_spi_range(tb, args->key.proto, min, max, extack);
}
