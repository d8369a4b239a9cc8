// SPDX-License-Identifier: GPL-2.0
#include "xfrm.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Of kernels newer than the headers that this may be built with. */
#define ATTR_SA_DIR	33
#define ATTR_SA_KEEPALIVE	34
#define ATTR_SA_PCPU	35
#define SA_DIR_IN	1
#define SA_DIR_OUT	2

/* All flags of an SA that Postern honours or that ask for what it does. */
#define FLAGS_KNOWN	(XFRM_STATE_NOECN | XFRM_STATE_DECAP_DSCP | \
			 XFRM_STATE_NOPMTUDISC | XFRM_STATE_ICMP | \
			 XFRM_STATE_AF_UNSPEC | XFRM_STATE_ALIGN4 | \
			 XFRM_STATE_ESN)

/* The payload of an attribute that must have at least @size octets. */
static const void *payload(const struct attrs *attrs, uint16_t type,
			   size_t size, int *err)
{
	const struct nlattr *attr = attrs->a[type];

	if (!attr)
		return NULL;
	if (mnl_attr_get_payload_len(attr) < size) {
		*err = -EBADMSG;
		return NULL;
	}
	return mnl_attr_get_payload(attr);
}

static uint32_t get_u32(const struct attrs *attrs, uint16_t type, int *err)
{
	const uint32_t *p = payload(attrs, type, sizeof(*p), err);
	uint32_t v = 0;

	if (p)
		memcpy(&v, p, sizeof(v));
	return v;
}

static void set_addr(struct addr *addr, uint16_t family,
		     const xfrm_address_t *from)
{
	addr->len = addr_len(family);
	memcpy(addr->b, from, addr->len);
}

/*
 * XFRM names ports by value and mask. Only a mask whose zeros are all on the
 * right makes a range; for any other the widest one is taken.
 */
static bool set_ports(uint16_t *first, uint16_t *last, uint16_t port,
		      uint16_t mask)
{
	uint16_t v = ntohs(port), m = ntohs(mask), host = ~m;

	if (host & (host + 1)) {
		*first = 0;
		*last = UINT16_MAX;
		return false;
	}
	*first = v & m;
	*last = (v & m) | host;
	return true;
}

static void set_net(struct addr *addr, uint8_t *len, uint16_t family,
		    const xfrm_address_t *from, uint8_t bits)
{
	uint32_t i;

	set_addr(addr, family, from);
	*len = bits < addr->len * 8 ? bits : addr->len * 8;
	for (i = *len; i < addr->len * 8; i++)
		addr->b[i / 8] &= ~(0x80 >> i % 8);
}

/* Ports, or type and code; Postern takes them only where it reads them. */
static bool has_ports(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_MH:
		return true;
	}
	return false;
}

/* Postern takes the code of ICMP only with a single type, and none of MH. */
static bool takes_code(const struct selector *sel)
{
	if (sel->proto != IPPROTO_ICMP && sel->proto != IPPROTO_ICMPV6)
		return sel->proto != IPPROTO_MH;
	return sel->has & HAS(POSTERN_A_SELECTOR_SPORT_FIRST) &&
	       sel->sport_first == sel->sport_last;
}

/* Return: false when the result is wider than @from. */
static bool set_selector(struct selector *sel, const struct xfrm_selector *from)
{
	bool exact = true;

	memset(sel, 0, sizeof(*sel));
	sel->has = HAS(POSTERN_A_SELECTOR_SRC) |
		   HAS(POSTERN_A_SELECTOR_SRC_LEN) |
		   HAS(POSTERN_A_SELECTOR_DST) |
		   HAS(POSTERN_A_SELECTOR_DST_LEN);
	set_net(&sel->src, &sel->src_len, from->family, &from->saddr,
		from->prefixlen_s);
	set_net(&sel->dst, &sel->dst_len, from->family, &from->daddr,
		from->prefixlen_d);
	if (from->proto) {
		sel->has |= HAS(POSTERN_A_SELECTOR_PROTO);
		sel->proto = from->proto;
	}
	if (from->ifindex > 0) {
		sel->has |= HAS(POSTERN_A_SELECTOR_IFINDEX);
		sel->ifindex = from->ifindex;
	}
	if (!has_ports(from->proto))
		return !from->sport_mask && !from->dport_mask;
	if (from->sport_mask) {
		sel->has |= HAS(POSTERN_A_SELECTOR_SPORT_FIRST) |
			    HAS(POSTERN_A_SELECTOR_SPORT_LAST);
		exact &= set_ports(&sel->sport_first, &sel->sport_last,
				   from->sport, from->sport_mask);
	}
	if (from->dport_mask && !takes_code(sel)) {
		exact = false;
	} else if (from->dport_mask) {
		sel->has |= HAS(POSTERN_A_SELECTOR_DPORT_FIRST) |
			    HAS(POSTERN_A_SELECTOR_DPORT_LAST);
		exact &= set_ports(&sel->dport_first, &sel->dport_last,
				   from->dport, from->dport_mask);
	}
	return exact;
}

/* @bits of key follow @head octets of payload. */
static int set_algo(struct algo *algo, const struct nlattr *attr, size_t head,
		    const char *name, uint32_t bits)
{
	uint64_t octets = ((uint64_t)bits + 7) / 8;
	size_t len = mnl_attr_get_payload_len(attr);

	if (len < head || octets > len - head ||
	    octets > sizeof(algo->key.b))
		return -EBADMSG;
	memset(algo, 0, sizeof(*algo));
	algo->has = HAS(POSTERN_A_ALGO_NAME) | HAS(POSTERN_A_ALGO_KEY);
	snprintf(algo->name, sizeof(algo->name), "%.*s",
		 (int)(sizeof(algo->name) - 1), name);
	algo->key.len = octets;
	memcpy(algo->key.b, (const char *)mnl_attr_get_payload(attr) + head,
	       octets);
	return 0;
}

static int parse_aead(const struct attrs *attrs, struct xfrm_sa *out)
{
	const struct xfrm_algo_aead *a;
	int err = 0;

	a = payload(attrs, XFRMA_ALG_AEAD, sizeof(*a), &err);
	if (!a)
		return err;
	err = set_algo(&out->sa.aead, attrs->a[XFRMA_ALG_AEAD], sizeof(*a),
		       a->alg_name, a->alg_key_len);
	out->sa.aead.has |= HAS(POSTERN_A_ALGO_ICV_BITS);
	out->sa.aead.icv_bits = a->alg_icv_len;
	out->sa.has |= HAS(POSTERN_A_SA_AEAD);
	return err;
}

static int parse_auth(const struct attrs *attrs, struct xfrm_sa *out)
{
	const struct xfrm_algo_auth *a;
	int err = 0;

	a = payload(attrs, XFRMA_ALG_AUTH_TRUNC, sizeof(*a), &err);
	if (!a)
		return err;
	err = set_algo(&out->sa.auth, attrs->a[XFRMA_ALG_AUTH_TRUNC],
		       sizeof(*a), a->alg_name, a->alg_key_len);
	out->sa.auth.has |= HAS(POSTERN_A_ALGO_ICV_BITS);
	out->sa.auth.icv_bits = a->alg_trunc_len;
	out->sa.has |= HAS(POSTERN_A_SA_AUTH);
	return err;
}

/* Without an ICV: of a cipher, or of IPComp, which has no key. */
static int parse_algo(const struct attrs *attrs, uint16_t type, struct algo *to,
		      struct sa *sa, uint16_t attr)
{
	const struct xfrm_algo *a;
	int err = 0;

	a = payload(attrs, type, sizeof(*a), &err);
	if (!a)
		return err;
	sa->has |= HAS(attr);
	return set_algo(to, attrs->a[type], sizeof(*a), a->alg_name,
			type == XFRMA_ALG_COMP ? 0 : a->alg_key_len);
}

static void bit_set(struct replay *replay, uint32_t bit)
{
	replay->bitmap.word[bit / 32] |= 1U << bit % 32;
}

static bool bit_get(const struct replay *replay, uint32_t bit)
{
	return bit / 8 < replay->bitmap.len &&
	       replay->bitmap.word[bit / 32] >> bit % 32 & 1;
}

/*
 * XFRM keeps the bit of the highest number n at (n - 1) modulo the window, by the low
 * half of n, and those of the others on from there; Postern at their distance from n.
 */
static uint32_t bit_of_xfrm(uint32_t seq, uint32_t window, uint32_t distance)
{
	return ((seq - 1) % window + window - distance) % window;
}

static int parse_replay_esn(const struct attrs *attrs, struct xfrm_sa *out)
{
	const struct nlattr *attr = attrs->a[XFRMA_REPLAY_ESN_VAL];
	const struct xfrm_replay_state_esn *r;
	struct replay *replay = &out->sa.replay;
	uint32_t i, pos, words, window;
	bool esn = out->id.info.flags & XFRM_STATE_ESN;
	int err = 0;

	r = payload(attrs, XFRMA_REPLAY_ESN_VAL, sizeof(*r), &err);
	if (!r)
		return err;
	words = (mnl_attr_get_payload_len(attr) - sizeof(*r)) / 4;
	window = r->replay_window;
	if (r->bmp_len > words || window > (uint64_t)r->bmp_len * 32 ||
	    window > sizeof(replay->bitmap.word) * 8)
		return -EBADMSG;
	out->id.esn_val = true;
	out->id.bmp_len = r->bmp_len;
	out->id.esn_window = window;
	out->sa.replay_window = window;
	replay->oseq = r->oseq | (esn ? (uint64_t)r->oseq_hi << 32 : 0);
	replay->seq = r->seq | (esn ? (uint64_t)r->seq_hi << 32 : 0);
	replay->bitmap.len = (window + 31) / 32 * 4;
	for (i = 0; i < window && i < replay->seq; i++) {
		pos = bit_of_xfrm(r->seq, window, i);
		if (r->bmp[pos / 32] >> pos % 32 & 1)
			bit_set(replay, i);
	}
	return 0;
}

static int parse_replay(const struct attrs *attrs, struct xfrm_sa *out)
{
	const struct xfrm_replay_state *r;
	struct replay *replay = &out->sa.replay;
	int err = 0;

	out->sa.has |= HAS(POSTERN_A_SA_REPLAY) |
		       HAS(POSTERN_A_SA_REPLAY_WINDOW);
	replay->has = HAS(POSTERN_A_REPLAY_OSEQ) | HAS(POSTERN_A_REPLAY_SEQ) |
		      HAS(POSTERN_A_REPLAY_BITMAP);
	out->sa.replay_window = out->id.info.replay_window;
	if (attrs->a[XFRMA_REPLAY_ESN_VAL])
		return parse_replay_esn(attrs, out);

	replay->bitmap.len = 4;
	r = payload(attrs, XFRMA_REPLAY_VAL, sizeof(*r), &err);
	if (!r)
		return err;
	replay->oseq = r->oseq;
	replay->seq = r->seq;
	replay->bitmap.word[0] = r->bitmap;
	return 0;
}

static void set_limit(struct lifetime *lft, uint16_t attr, uint64_t *to,
		      uint64_t from)
{
	/* XFRM says 0 for no limit of time and all ones for none of traffic. */
	if (!from || from == XFRM_INF)
		return;
	*to = from;
	lft->has |= HAS(attr);
}

/* XFRM takes a soft limit behind the hard one, and never comes to it. */
static void set_limits(struct lifetime *lft, uint16_t soft, uint64_t *soft_to,
		       uint64_t soft_from, uint16_t hard, uint64_t *hard_to,
		       uint64_t hard_from)
{
	set_limit(lft, hard, hard_to, hard_from);
	if (!(lft->has & HAS(hard)) || soft_from <= hard_from)
		set_limit(lft, soft, soft_to, soft_from);
}

static void set_lifetime(struct sa *sa, const struct xfrm_lifetime_cfg *from)
{
	struct lifetime *l = &sa->lifetime;

	sa->has |= HAS(POSTERN_A_SA_LIFETIME);
	set_limits(l, POSTERN_A_LIFETIME_BYTE_SOFT, &l->byte_soft,
		   from->soft_byte_limit, POSTERN_A_LIFETIME_BYTE_HARD,
		   &l->byte_hard, from->hard_byte_limit);
	set_limits(l, POSTERN_A_LIFETIME_PACKET_SOFT, &l->packet_soft,
		   from->soft_packet_limit, POSTERN_A_LIFETIME_PACKET_HARD,
		   &l->packet_hard, from->hard_packet_limit);
	set_limits(l, POSTERN_A_LIFETIME_ADD_SOFT, &l->add_soft,
		   from->soft_add_expires_seconds, POSTERN_A_LIFETIME_ADD_HARD,
		   &l->add_hard, from->hard_add_expires_seconds);
	set_limits(l, POSTERN_A_LIFETIME_USE_SOFT, &l->use_soft,
		   from->soft_use_expires_seconds, POSTERN_A_LIFETIME_USE_HARD,
		   &l->use_hard, from->hard_use_expires_seconds);
}

static void set_usage(struct sa *sa, const struct xfrm_lifetime_cur *from)
{
	struct usage *u = &sa->usage;

	sa->has |= HAS(POSTERN_A_SA_USAGE);
	u->has = HAS(POSTERN_A_USAGE_BYTES) | HAS(POSTERN_A_USAGE_PACKETS) |
		 HAS(POSTERN_A_USAGE_ADD_TIME) | HAS(POSTERN_A_USAGE_USE_TIME);
	u->bytes = from->bytes;
	u->packets = from->packets;
	u->add_time = from->add_time;
	u->use_time = from->use_time;
}

static void set_outer(const struct attrs *attrs, struct xfrm_sa *out, int *err)
{
	struct sa *sa = &out->sa;
	uint32_t mark, mask = 0xffffffff, pad;

	if (get_u32(attrs, XFRMA_SA_EXTRA_FLAGS, err) &
	    XFRM_SA_XFLAG_DONT_ENCAP_DSCP)
		sa->flags |= POSTERN_SA_FLAG_DONT_ENCAP_DSCP;
	/* strongSwan says 0xffffffff for all that the path takes */
	pad = get_u32(attrs, XFRMA_TFCPAD, err);
	sa->tfcpad = pad < 65535 ? pad : 65535;
	if (pad)
		sa->has |= HAS(POSTERN_A_SA_TFCPAD);
	if (!attrs->a[XFRMA_SET_MARK])
		return;
	mark = get_u32(attrs, XFRMA_SET_MARK, err);
	if (attrs->a[XFRMA_SET_MARK_MASK])
		mask = get_u32(attrs, XFRMA_SET_MARK_MASK, err);
	/* Libreswan sets the output mark to the id that it works with. */
	if (!mask || (mark == out->if_id && mask == 0xffffffff))
		return;
	sa->has |= HAS(POSTERN_A_SA_OUTPUT_MARK) |
		   HAS(POSTERN_A_SA_OUTPUT_MARK_MASK);
	sa->output_mark = mark & mask;
	sa->output_mark_mask = mask;
}

/* The original address says something in transport mode only. */
static void set_encap(const struct attrs *attrs, struct sa *sa, int *err)
{
	static const uint8_t none[POSTERN_ADDR_MAX];
	const struct xfrm_encap_tmpl *encap;

	encap = payload(attrs, XFRMA_ENCAP, sizeof(*encap), err);
	if (!encap)
		return;
	sa->has |= HAS(POSTERN_A_SA_ENCAP);
	sa->encap.has = HAS(POSTERN_A_ENCAP_SPORT) | HAS(POSTERN_A_ENCAP_DPORT);
	sa->encap.sport = ntohs(encap->encap_sport);
	sa->encap.dport = ntohs(encap->encap_dport);
	set_addr(&sa->encap.original, sa->dst.len == 4 ? AF_INET : AF_INET6,
		 &encap->encap_oa);
	if (sa->mode == POSTERN_MODE_TRANSPORT &&
	    memcmp(sa->encap.original.b, none, sa->dst.len))
		sa->encap.has |= HAS(POSTERN_A_ENCAP_ORIGINAL);
	else
		memset(&sa->encap.original, 0, sizeof(sa->encap.original));
	/* of inbound ones XFRM takes it and does nothing */
	sa->nat_keepalive_interval = get_u32(attrs, ATTR_SA_KEEPALIVE, err);
	if (sa->dir != POSTERN_DIR_IN)
		sa->has |= HAS(POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL);
}

static bool key_is_hidden(const struct algo *algo)
{
	uint32_t i;

	for (i = 0; i < algo->key.len; i++)
		if (algo->key.b[i])
			return false;
	return algo->key.len > 0;
}

static const char *find_unsupported(const struct attrs *attrs,
				    const struct xfrm_sa *sa, char *buf,
				    size_t size)
{
	const struct xfrm_usersa_info *info = &sa->id.info;
	const struct xfrm_encap_tmpl *encap;
	const struct xfrm_mark *mark;
	uint32_t v;
	int err = 0;

	if (info->id.proto != IPPROTO_ESP && info->id.proto != IPPROTO_AH &&
	    info->id.proto != IPPROTO_COMP)
		return "a protocol other than ESP, AH and IPComp";
	if (info->mode != XFRM_MODE_TRANSPORT && info->mode != XFRM_MODE_TUNNEL &&
	    info->mode != XFRM_MODE_BEET)
		return "a mode other than tunnel, transport and beet";
	if (info->flags & ~FLAGS_KNOWN) {
		snprintf(buf, size, "flags 0x%x", info->flags & ~FLAGS_KNOWN);
		return buf;
	}
	v = get_u32(attrs, XFRMA_SA_EXTRA_FLAGS, &err) &
	    ~XFRM_SA_XFLAG_DONT_ENCAP_DSCP;
	if (v) {
		snprintf(buf, size, "extra flags 0x%x", v);
		return buf;
	}
	encap = payload(attrs, XFRMA_ENCAP, sizeof(*encap), &err);
	if (encap && encap->encap_type != UDP_ENCAP_ESPINUDP)
		return "encapsulation in TCP";
	if (attrs->a[XFRMA_COADDR])
		return "a care-of address";
	if (attrs->a[XFRMA_OFFLOAD_DEV])
		return "hardware offload";
	if (attrs->a[ATTR_SA_PCPU])
		return "a CPU of its own";
	mark = payload(attrs, XFRMA_MARK, sizeof(*mark), &err);
	if (mark && mark->m)
		return "a mark";
	if (attrs->a[XFRMA_SEC_CTX])
		return "a security context";
	if (attrs->a[XFRMA_ALG_AUTH] && !attrs->a[XFRMA_ALG_AUTH_TRUNC])
		return "an ICV of unknown length";
	if (sa->sa.replay_window > sizeof(sa->sa.replay.bitmap.word) * 8)
		return "a replay window of this size";
	if (key_is_hidden(&sa->sa.aead) || key_is_hidden(&sa->sa.auth) ||
	    key_is_hidden(&sa->sa.crypt))
		return "keys that the kernel hides (lockdown)";
	return "";
}

/* Find struct xfrm_usersa_info and where the attributes begin. */
static int find_info(const struct nlmsghdr *nlh, struct attrs *attrs,
		     struct xfrm_usersa_info *info)
{
	const struct xfrm_usersa_info *p;
	size_t head;
	int err;

	switch (nlh->nlmsg_type) {
	case XFRM_MSG_DELSA:
		head = MNL_ALIGN(sizeof(struct xfrm_usersa_id));
		break;
	case XFRM_MSG_EXPIRE:
		head = MNL_ALIGN(sizeof(struct xfrm_user_expire));
		break;
	default:
		head = MNL_ALIGN(sizeof(*info));
		break;
	}
	err = attrs_parse(nlh, head, attrs);
	if (err)
		return err;
	if (nlh->nlmsg_type == XFRM_MSG_DELSA) {
		p = payload(attrs, XFRMA_SA, sizeof(*p), &err);
		if (!p)
			return -EBADMSG;
	} else {
		/* In all others it is what the message begins with. */
		p = mnl_nlmsg_get_payload(nlh);
	}
	memcpy(info, p, sizeof(*info));
	return 0;
}

/* Of others there are no SAs in Postern: what wants them is not let out. */
static uint8_t mode_of(uint8_t mode)
{
	switch (mode) {
	case XFRM_MODE_TRANSPORT:
		return POSTERN_MODE_TRANSPORT;
	case XFRM_MODE_BEET:
		return POSTERN_MODE_BEET;
	}
	return POSTERN_MODE_TUNNEL;
}

static void set_identity(struct xfrm_sa *out)
{
	const struct xfrm_usersa_info *info = &out->id.info;
	struct sa *sa = &out->sa;

	sa->has = HAS(POSTERN_A_SA_DST) | HAS(POSTERN_A_SA_SRC) |
		  HAS(POSTERN_A_SA_PROTO) | HAS(POSTERN_A_SA_SPI) |
		  HAS(POSTERN_A_SA_MODE) | HAS(POSTERN_A_SA_REQID) |
		  HAS(POSTERN_A_SA_FLAGS);
	set_addr(&sa->dst, info->family, &info->id.daddr);
	set_addr(&sa->src, info->family, &info->saddr);
	sa->proto = info->id.proto;
	sa->spi = info->id.spi;
	sa->mode = mode_of(info->mode);
	sa->reqid = info->reqid;
	if (info->flags & XFRM_STATE_NOECN)
		sa->flags |= POSTERN_SA_FLAG_NOECN;
	if (info->flags & XFRM_STATE_DECAP_DSCP)
		sa->flags |= POSTERN_SA_FLAG_DECAP_DSCP;
	if (info->flags & XFRM_STATE_NOPMTUDISC)
		sa->flags |= POSTERN_SA_FLAG_NOPMTUDISC;
	if (info->flags & XFRM_STATE_ESN)
		sa->flags |= POSTERN_SA_FLAG_ESN;
	if (info->flags & XFRM_STATE_ALIGN4 && sa->proto == IPPROTO_AH &&
	    info->family == AF_INET)
		sa->flags |= POSTERN_SA_FLAG_ALIGN4;
}

static bool is_wild(const struct xfrm_usersa_info *info)
{
	const struct xfrm_selector *sel = &info->sel;

	return (info->flags & XFRM_STATE_AF_UNSPEC ||
		!addr_len(sel->family)) &&
	       !sel->prefixlen_d && !sel->prefixlen_s && !sel->proto &&
	       !sel->dport_mask && !sel->sport_mask && !sel->ifindex;
}

int xfrm_parse_sa(const struct nlmsghdr *nlh, struct xfrm_sa *out)
{
	const uint8_t *dir;
	struct attrs attrs;
	bool exact = true;
	char buf[32];
	int err;

	memset(out, 0, sizeof(*out));
	err = find_info(nlh, &attrs, &out->id.info);
	if (err)
		return err;
	if (!addr_len(out->id.info.family))
		return -EBADMSG;
	out->if_id = get_u32(&attrs, XFRMA_IF_ID, &err);
	set_identity(out);
	set_lifetime(&out->sa, &out->id.info.lft);
	set_usage(&out->sa, &out->id.info.curlft);
	dir = payload(&attrs, ATTR_SA_DIR, sizeof(*dir), &err);
	if (dir) {
		out->sa.has |= HAS(POSTERN_A_SA_DIR);
		out->sa.dir = *dir == SA_DIR_OUT ? POSTERN_DIR_OUT :
						   POSTERN_DIR_IN;
	}
	if (!is_wild(&out->id.info)) {
		out->sa.has |= HAS(POSTERN_A_SA_SELECTOR);
		exact = set_selector(&out->sa.selector, &out->id.info.sel);
	}
	/* An EXPIRE names the SA and says nothing more of it. */
	if (nlh->nlmsg_type == XFRM_MSG_EXPIRE)
		return err;
	set_outer(&attrs, out, &err);
	set_encap(&attrs, &out->sa, &err);
	if (!err)
		err = parse_aead(&attrs, out);
	if (!err)
		err = parse_auth(&attrs, out);
	if (!err)
		err = parse_algo(&attrs, XFRMA_ALG_CRYPT, &out->sa.crypt,
				 &out->sa, POSTERN_A_SA_CRYPT);
	if (!err)
		err = parse_algo(&attrs, XFRMA_ALG_COMP, &out->sa.comp,
				 &out->sa, POSTERN_A_SA_COMP);
	if (!err)
		err = parse_replay(&attrs, out);
	if (err)
		return err;
	out->larval = !out->id.info.id.spi ||
		      !(attrs.a[XFRMA_ALG_AEAD] || attrs.a[XFRMA_ALG_AUTH] ||
			attrs.a[XFRMA_ALG_AUTH_TRUNC] ||
			attrs.a[XFRMA_ALG_CRYPT] || attrs.a[XFRMA_ALG_COMP]);
	snprintf(out->unsupported, sizeof(out->unsupported), "%s",
		 exact ? find_unsupported(&attrs, out, buf, sizeof(buf)) :
			 "a selector with such a port mask or code");
	return 0;
}

static void set_tmpl(struct tmpl *tmpl, const struct xfrm_user_tmpl *from)
{
	tmpl->has = HAS(POSTERN_A_TMPL_PROTO) | HAS(POSTERN_A_TMPL_MODE) |
		    HAS(POSTERN_A_TMPL_REQID) | HAS(POSTERN_A_TMPL_SPI) |
		    HAS(POSTERN_A_TMPL_LEVEL);
	tmpl->proto = from->id.proto;
	tmpl->mode = mode_of(from->mode);
	tmpl->reqid = from->reqid;
	tmpl->spi = from->id.spi;
	tmpl->level = from->optional ? POSTERN_LEVEL_USE : POSTERN_LEVEL_REQUIRED;
	if (tmpl->mode == POSTERN_MODE_TRANSPORT)
		return;
	tmpl->has |= HAS(POSTERN_A_TMPL_SRC) | HAS(POSTERN_A_TMPL_DST);
	set_addr(&tmpl->src, from->family, &from->saddr);
	set_addr(&tmpl->dst, from->family, &from->id.daddr);
}

static void note(struct xfrm_policy *out, const char *text)
{
	snprintf(out->ignored, sizeof(out->ignored), "%s", text);
}

static int parse_tmpls(const struct attrs *attrs, struct xfrm_policy *out)
{
	const struct nlattr *attr = attrs->a[XFRMA_TMPL];
	struct policy *policy = &out->policy;
	const struct xfrm_user_tmpl *from;
	size_t len, i;

	if (!attr)
		return 0;
	len = mnl_attr_get_payload_len(attr);
	if (len % sizeof(*from) || len / sizeof(*from) > XFRM_TMPLS)
		return -EBADMSG;
	out->tmpls = len / sizeof(*from);
	memcpy(out->tmpl, mnl_attr_get_payload(attr), len);
	for (i = 0; i < out->tmpls; i++) {
		from = &out->tmpl[i];
		if (!addr_len(from->family))
			return -EBADMSG;
		if (from->id.proto != IPPROTO_ESP &&
		    from->id.proto != IPPROTO_AH &&
		    from->id.proto != IPPROTO_COMP) {
			note(out, "a template that is neither ESP, AH nor IPComp");
			continue;
		}
		if (policy->tmpls.count == TMPLS_MAX)
			return -EBADMSG;
		set_tmpl(&policy->tmpls.tmpl[policy->tmpls.count++], from);
	}
	return 0;
}

/*
 * Outbound XFRM asks for the SA that a template could do without, and uses those that
 * Postern cannot take: here it is required.  So it is where something was ignored, be it
 * of what else is demanded or of the packets that it is for.
 */
static void set_levels(struct xfrm_policy *out)
{
	struct policy *policy = &out->policy;
	bool raised = false;
	size_t i;

	if (policy->dir != POSTERN_DIR_OUT && !out->ignored[0])
		return;
	for (i = 0; i < policy->tmpls.count; i++) {
		raised |= policy->tmpls.tmpl[i].level == POSTERN_LEVEL_USE;
		policy->tmpls.tmpl[i].level = POSTERN_LEVEL_REQUIRED;
	}
	if (raised && !out->ignored[0])
		note(out, "that a template is optional");
}

static void set_action(struct xfrm_policy *out)
{
	struct policy *policy = &out->policy;

	if (out->info.action == XFRM_POLICY_BLOCK) {
		policy->action = POSTERN_ACTION_DISCARD;
	} else if (!out->tmpls) {
		policy->action = POSTERN_ACTION_BYPASS;
	} else if (!policy->tmpls.count) {
		policy->action = POSTERN_ACTION_DISCARD;
	} else {
		policy->action = POSTERN_ACTION_PROTECT;
		set_levels(out);
		policy->has |= HAS(POSTERN_A_POLICY_TMPL) |
			       HAS(POSTERN_A_POLICY_FLAGS);
		if (out->info.flags & XFRM_POLICY_ICMP)
			policy->flags = POSTERN_POLICY_FLAG_ICMP;
	}
	if (policy->action != POSTERN_ACTION_PROTECT)
		policy->tmpls.count = 0;
}

static int set_dir(struct xfrm_policy *out, uint8_t dir)
{
	static const uint8_t dirs[] = {
		[XFRM_POLICY_IN] = POSTERN_DIR_IN,
		[XFRM_POLICY_OUT] = POSTERN_DIR_OUT,
		[XFRM_POLICY_FWD] = POSTERN_DIR_FWD,
	};

	/* Those of sockets come after. */
	if (dir >= sizeof(dirs))
		return -ENOENT;
	out->policy.dir = dirs[dir];
	return 0;
}

int xfrm_parse_policy(const struct nlmsghdr *nlh, struct xfrm_policy *out)
{
	bool del = nlh->nlmsg_type == XFRM_MSG_DELPOLICY;
	size_t head = del ? sizeof(struct xfrm_userpolicy_id) :
			    sizeof(struct xfrm_userpolicy_info);
	const struct xfrm_userpolicy_info *p;
	const struct xfrm_userpolicy_type *type;
	const struct xfrm_mark *mark;
	struct policy *policy;
	struct attrs attrs;
	int err;

	memset(out, 0, sizeof(*out));
	err = attrs_parse(nlh, MNL_ALIGN(head), &attrs);
	if (err)
		return err;
	p = del ? payload(&attrs, XFRMA_POLICY, sizeof(*p), &err) :
		  mnl_nlmsg_get_payload(nlh);
	if (!p)
		return -EBADMSG;
	memcpy(&out->info, p, sizeof(out->info));
	out->if_id = get_u32(&attrs, XFRMA_IF_ID, &err);
	type = payload(&attrs, XFRMA_POLICY_TYPE, sizeof(*type), &err);
	mark = payload(&attrs, XFRMA_MARK, sizeof(*mark), &err);
	if (err)
		return err;
	if ((type && type->type != XFRM_POLICY_TYPE_MAIN) ||
	    set_dir(out, out->info.dir) ||
	    !addr_len(out->info.sel.family))
		return 0;
	out->is_main = true;
	policy = &out->policy;
	policy->has = HAS(POSTERN_A_POLICY_DIR) |
		      HAS(POSTERN_A_POLICY_ACTION) |
		      HAS(POSTERN_A_POLICY_PRIORITY) |
		      HAS(POSTERN_A_POLICY_SELECTOR);
	policy->priority = out->info.priority;
	if (mark)
		out->mark = *mark;
	if (out->mark.m)
		note(out, "its mark");
	if (attrs.a[XFRMA_SEC_CTX])
		note(out, "its security context");
	if (!set_selector(&policy->selector, &out->info.sel))
		note(out, "its port mask or code");
	err = parse_tmpls(&attrs, out);
	if (err)
		return err;
	set_action(out);
	return 0;
}

int xfrm_dump(struct nlsock *xfrm, uint16_t type, nlsock_cb cb, void *data)
{
	char buf[NLSOCK_REQUEST];

	return nlsock_talk(xfrm, nlsock_begin(xfrm, buf, type, NLM_F_DUMP), cb,
			   data);
}

static bool put_replay(struct nlmsghdr *nlh, const struct xfrm_sa_id *id,
		       const struct replay *replay)
{
	struct xfrm_replay_state_esn *esn;
	struct xfrm_replay_state r = {
		.oseq = replay->oseq, .seq = replay->seq,
		.bitmap = replay->bitmap.word[0],
	};
	size_t len = sizeof(*esn) + (size_t)id->bmp_len * 4;
	uint32_t i, pos;
	bool fits;

	if (!id->esn_val)
		return mnl_attr_put_check(nlh, NLSOCK_REQUEST, XFRMA_REPLAY_VAL,
					  sizeof(r), &r);
	esn = calloc(1, len);
	if (!esn)
		return false;
	esn->bmp_len = id->bmp_len;
	esn->replay_window = id->esn_window;
	esn->oseq = replay->oseq;
	esn->oseq_hi = replay->oseq >> 32;
	esn->seq = replay->seq;
	esn->seq_hi = replay->seq >> 32;
	for (i = 0; i < id->esn_window && i < replay->seq; i++) {
		if (!bit_get(replay, i))
			continue;
		pos = bit_of_xfrm(esn->seq, id->esn_window, i);
		esn->bmp[pos / 32] |= 1U << pos % 32;
	}
	fits = mnl_attr_put_check(nlh, NLSOCK_REQUEST, XFRMA_REPLAY_ESN_VAL, len,
				  esn);
	free(esn);
	return fits;
}

int xfrm_set_numbers(struct nlsock *xfrm, const struct xfrm_sa_id *id,
		     const struct usage *usage, const struct replay *replay)
{
	struct xfrm_lifetime_cur lft = {
		.bytes = usage->bytes, .packets = usage->packets,
		.add_time = id->info.curlft.add_time,
		.use_time = usage->use_time,
	};
	struct xfrm_aevent_id *ae;
	char buf[NLSOCK_REQUEST];
	struct nlmsghdr *nlh;

	nlh = nlsock_begin(xfrm, buf, XFRM_MSG_NEWAE, NLM_F_ACK | NLM_F_REPLACE);
	ae = mnl_nlmsg_put_extra_header(nlh, sizeof(*ae));
	ae->sa_id.daddr = id->info.id.daddr;
	ae->sa_id.spi = id->info.id.spi;
	ae->sa_id.proto = id->info.id.proto;
	ae->sa_id.family = id->info.family;
	ae->saddr = id->info.saddr;
	ae->reqid = id->info.reqid;
	ae->flags = XFRM_AE_LVAL | XFRM_AE_RVAL;
	mnl_attr_put(nlh, XFRMA_LTIME_VAL, sizeof(lft), &lft);
	if (!put_replay(nlh, id, replay))
		return -EMSGSIZE;
	return nlsock_talk(xfrm, nlh, NULL, NULL);
}

int xfrm_expire(struct nlsock *xfrm, const struct xfrm_sa_id *id, bool hard)
{
	struct xfrm_user_expire *expire;
	char buf[NLSOCK_REQUEST];
	struct nlmsghdr *nlh;

	nlh = nlsock_begin(xfrm, buf, XFRM_MSG_EXPIRE, NLM_F_ACK);
	expire = mnl_nlmsg_put_extra_header(nlh, sizeof(*expire));
	expire->state = id->info;
	expire->hard = hard;
	return nlsock_talk(xfrm, nlh, NULL, NULL);
}

static void put_selector(struct xfrm_selector *to, uint16_t family,
			 const struct selector *from)
{
	to->family = family;
	memcpy(&to->saddr, from->src.b, from->src.len);
	memcpy(&to->daddr, from->dst.b, from->dst.len);
	to->prefixlen_s = from->src_len;
	to->prefixlen_d = from->dst_len;
	to->proto = from->proto;
	if (from->has & HAS(POSTERN_A_SELECTOR_SPORT_FIRST)) {
		to->sport = htons(from->sport_first);
		to->sport_mask = htons(UINT16_MAX);
	}
	if (from->has & HAS(POSTERN_A_SELECTOR_DPORT_FIRST)) {
		to->dport = htons(from->dport_first);
		to->dport_mask = htons(UINT16_MAX);
	}
}

int xfrm_acquire(struct nlsock *xfrm, const struct xfrm_policy *policy,
		 const struct selector *packet)
{
	struct xfrm_userpolicy_type type = { .type = XFRM_POLICY_TYPE_MAIN };
	struct xfrm_user_acquire *acquire;
	char buf[NLSOCK_REQUEST];
	struct nlmsghdr *nlh;

	if (!policy->tmpls)
		return -EINVAL;
	nlh = nlsock_begin(xfrm, buf, XFRM_MSG_ACQUIRE, NLM_F_ACK);
	acquire = mnl_nlmsg_put_extra_header(nlh, sizeof(*acquire));
	acquire->id = policy->tmpl[0].id;
	acquire->saddr = policy->tmpl[0].saddr;
	acquire->policy = policy->info;
	acquire->aalgos = UINT32_MAX;
	acquire->ealgos = UINT32_MAX;
	acquire->calgos = UINT32_MAX;
	put_selector(&acquire->sel, policy->info.sel.family, packet);
	mnl_attr_put(nlh, XFRMA_TMPL,
		     policy->tmpls * sizeof(policy->tmpl[0]), policy->tmpl);
	mnl_attr_put(nlh, XFRMA_POLICY_TYPE, sizeof(type), &type);
	mnl_attr_put_u32(nlh, XFRMA_IF_ID, policy->if_id);
	return nlsock_talk(xfrm, nlh, NULL, NULL);
}
