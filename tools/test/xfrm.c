// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of XFRM: what they become, and that none of any length or content
 * is read past its end. The latter is worth most under SANITIZE=1.
 */
#include "check.h"
#include "xfrm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IF_ID		77
#define MUTATIONS	100000

union message {
	struct nlmsghdr nlh;
	char buf[4096];
};

static void put_algo(struct nlmsghdr *nlh, uint16_t type, size_t head,
		     const char *name, uint32_t octets, uint32_t icv_bits)
{
	char buf[256] = { 0 };
	uint32_t bits = octets * 8;

	snprintf(buf, 64, "%s", name);
	memcpy(buf + 64, &bits, sizeof(bits));
	if (head > 68)
		memcpy(buf + 68, &icv_bits, sizeof(icv_bits));
	memset(buf + head, 0x5a, octets);
	mnl_attr_put(nlh, type, head + octets, buf);
}

static void set_info(struct xfrm_usersa_info *info)
{
	info->family = AF_INET;
	info->saddr.a4 = inet_addr("192.0.2.1");
	info->id.daddr.a4 = inet_addr("192.0.2.2");
	info->id.spi = htonl(0x1001);
	info->id.proto = IPPROTO_ESP;
	info->mode = XFRM_MODE_TUNNEL;
	info->reqid = 5;
	info->replay_window = 32;
	info->flags = XFRM_STATE_AF_UNSPEC;
	info->lft.soft_byte_limit = XFRM_INF;
	info->lft.hard_byte_limit = XFRM_INF;
	info->lft.soft_packet_limit = XFRM_INF;
	info->lft.hard_packet_limit = 1000;
	info->lft.hard_add_expires_seconds = 60;
}

static void put_sa_attrs(struct nlmsghdr *nlh, bool esn)
{
	struct xfrm_replay_state replay = { .oseq = 7, .seq = 9, .bitmap = 3 };
	char buf[sizeof(struct xfrm_replay_state_esn) + 16] = { 0 };
	struct xfrm_replay_state_esn *r = (void *)buf;

	put_algo(nlh, XFRMA_ALG_AEAD, sizeof(struct xfrm_algo_aead),
		 "rfc4106(gcm(aes))", 20, 128);
	mnl_attr_put_u32(nlh, XFRMA_IF_ID, IF_ID);
	if (!esn) {
		mnl_attr_put(nlh, XFRMA_REPLAY_VAL, sizeof(replay), &replay);
		return;
	}
	r->bmp_len = 4;
	r->replay_window = 100;
	r->oseq = 11;
	r->seq = 205;
	/* Numbers 205 and 203: positions (n - 1) mod 100, 4 and 2. */
	r->bmp[0] = 1U << 4 | 1U << 2;
	mnl_attr_put(nlh, XFRMA_REPLAY_ESN_VAL, sizeof(buf), r);
}

static void make_sa(union message *m, uint16_t type, bool esn)
{
	struct xfrm_usersa_info info = { 0 }, *p;
	struct xfrm_user_expire *expire;
	struct xfrm_usersa_id *id;

	memset(m, 0, sizeof(*m));
	set_info(&info);
	mnl_nlmsg_put_header(m->buf);
	m->nlh.nlmsg_type = type;
	switch (type) {
	case XFRM_MSG_DELSA:
		id = mnl_nlmsg_put_extra_header(&m->nlh, sizeof(*id));
		id->spi = info.id.spi;
		mnl_attr_put(&m->nlh, XFRMA_SA, sizeof(info), &info);
		break;
	case XFRM_MSG_EXPIRE:
		expire = mnl_nlmsg_put_extra_header(&m->nlh, sizeof(*expire));
		expire->state = info;
		expire->hard = 1;
		break;
	default:
		p = mnl_nlmsg_put_extra_header(&m->nlh, sizeof(*p));
		*p = info;
		break;
	}
	put_sa_attrs(&m->nlh, esn);
}

static void make_policy(union message *m, uint16_t type)
{
	struct xfrm_userpolicy_info info = { 0 }, *p;
	struct xfrm_userpolicy_type main = { .type = XFRM_POLICY_TYPE_MAIN };
	struct xfrm_user_tmpl tmpl = { 0 };

	memset(m, 0, sizeof(*m));
	info.sel.family = AF_INET;
	info.sel.saddr.a4 = inet_addr("10.1.2.3");
	info.sel.prefixlen_s = 16;
	info.sel.daddr.a4 = inet_addr("10.2.0.0");
	info.sel.prefixlen_d = 24;
	info.sel.proto = IPPROTO_TCP;
	info.sel.dport = htons(0x1230);
	info.sel.dport_mask = htons(0xfff0);
	info.dir = XFRM_POLICY_OUT;
	info.priority = 99;
	tmpl.family = AF_INET;
	tmpl.id.proto = IPPROTO_ESP;
	tmpl.mode = XFRM_MODE_TUNNEL;
	tmpl.reqid = 5;
	tmpl.saddr.a4 = inet_addr("192.0.2.1");
	tmpl.id.daddr.a4 = inet_addr("192.0.2.2");
	mnl_nlmsg_put_header(m->buf);
	m->nlh.nlmsg_type = type;
	if (type == XFRM_MSG_DELPOLICY) {
		mnl_nlmsg_put_extra_header(&m->nlh,
					   sizeof(struct xfrm_userpolicy_id));
		mnl_attr_put(&m->nlh, XFRMA_POLICY, sizeof(info), &info);
	} else {
		p = mnl_nlmsg_put_extra_header(&m->nlh, sizeof(*p));
		*p = info;
	}
	mnl_attr_put(&m->nlh, XFRMA_TMPL, sizeof(tmpl), &tmpl);
	mnl_attr_put(&m->nlh, XFRMA_POLICY_TYPE, sizeof(main), &main);
	mnl_attr_put_u32(&m->nlh, XFRMA_IF_ID, IF_ID);
}

/* Numbers on both sides of 2^32, of which 100 is no divisor. */
static void check_esn(void)
{
	char buf[sizeof(struct xfrm_replay_state_esn) + 16] = { 0 };
	struct xfrm_replay_state_esn *r = (void *)buf;
	struct xfrm_usersa_info *info;
	union message m;
	struct xfrm_sa x;

	make_sa(&m, XFRM_MSG_NEWSA, false);
	info = mnl_nlmsg_get_payload(&m.nlh);
	info->flags |= XFRM_STATE_ESN;
	r->bmp_len = 4;
	r->replay_window = 100;
	r->oseq = 5;
	r->oseq_hi = 2;
	r->seq = 3;
	r->seq_hi = 1;
	/* The highest number at 3 - 1, that 5 before it at (2 - 5) mod 100. */
	r->bmp[0] = 1U << 2;
	r->bmp[97 / 32] |= 1U << 97 % 32;
	mnl_attr_put(&m.nlh, XFRMA_REPLAY_ESN_VAL, sizeof(buf), r);
	CHECK(!xfrm_parse_sa(&m.nlh, &x) && !x.unsupported[0],
	      "ESN is understood");
	CHECK(x.sa.flags & POSTERN_SA_FLAG_ESN && x.id.esn_val, "ESN is told");
	CHECK(x.sa.replay.seq == 0x100000003 && x.sa.replay.oseq == 0x200000005,
	      "numbers have both halves");
	CHECK(x.sa.replay.bitmap.word[0] == (1U | 1U << 5) &&
	      !x.sa.replay.bitmap.word[3], "window reaches over 2^32");
}

static void check_sas(void)
{
	static const uint16_t types[] = { XFRM_MSG_NEWSA, XFRM_MSG_UPDSA,
					  XFRM_MSG_DELSA };
	struct xfrm_usersa_info *info;
	union message m;
	struct xfrm_sa x;
	size_t i;

	for (i = 0; i < 3; i++) {
		make_sa(&m, types[i], false);
		CHECK(!xfrm_parse_sa(&m.nlh, &x), "SA is understood");
		CHECK(x.if_id == IF_ID && !x.larval && !x.unsupported[0],
		      "SA is ours");
		CHECK(x.sa.spi == htonl(0x1001) && x.sa.reqid == 5 &&
		      x.sa.mode == POSTERN_MODE_TUNNEL, "SA has its identity");
		CHECK(x.sa.aead.key.len == 20 && x.sa.aead.key.b[19] == 0x5a &&
		      x.sa.aead.icv_bits == 128, "SA has its key");
		CHECK(x.sa.lifetime.has ==
		      (HAS(POSTERN_A_LIFETIME_PACKET_HARD) |
		       HAS(POSTERN_A_LIFETIME_ADD_HARD)),
		      "SA has the limits that are some");
		CHECK(x.sa.replay.oseq == 7 && x.sa.replay.seq == 9 &&
		      x.sa.replay.bitmap.word[0] == 3, "SA has its numbers");
		CHECK(!(x.sa.has & HAS(POSTERN_A_SA_SELECTOR)),
		      "no selector where anything goes");
	}
	make_sa(&m, XFRM_MSG_NEWSA, true);
	CHECK(!xfrm_parse_sa(&m.nlh, &x), "long window is understood");
	CHECK(x.sa.replay_window == 100 && x.sa.replay.seq == 205 &&
	      x.sa.replay.bitmap.word[0] == 5 && !x.sa.replay.bitmap.word[1],
	      "long window is turned to begin at the highest number");
	check_esn();
	make_sa(&m, XFRM_MSG_NEWSA, false);
	mnl_attr_put_u32(&m.nlh, XFRMA_SA_EXTRA_FLAGS,
			 XFRM_SA_XFLAG_DONT_ENCAP_DSCP);
	mnl_attr_put_u32(&m.nlh, XFRMA_SET_MARK, 0x123);
	mnl_attr_put_u32(&m.nlh, XFRMA_SET_MARK_MASK, 0xff);
	mnl_attr_put_u32(&m.nlh, XFRMA_TFCPAD, 0xffffffff);
	CHECK(!xfrm_parse_sa(&m.nlh, &x) && !x.unsupported[0],
	      "outer header and mark are understood");
	CHECK(x.sa.flags == POSTERN_SA_FLAG_DONT_ENCAP_DSCP &&
	      x.sa.output_mark == 0x23 && x.sa.output_mark_mask == 0xff,
	      "outer header and mark are those of the SA");
	CHECK(x.sa.tfcpad == 65535, "padding without limit is the most that there is");
	make_sa(&m, XFRM_MSG_NEWSA, false);
	mnl_attr_put_u32(&m.nlh, XFRMA_SET_MARK, IF_ID);
	CHECK(!xfrm_parse_sa(&m.nlh, &x) && !x.unsupported[0] &&
	      !(x.sa.has & HAS(POSTERN_A_SA_OUTPUT_MARK)),
	      "the mark that names the interface marks nothing");
	make_sa(&m, XFRM_MSG_NEWSA, false);
	info = mnl_nlmsg_get_payload(&m.nlh);
	info->lft.soft_packet_limit = 1001;
	info->lft.soft_add_expires_seconds = 60;
	CHECK(!xfrm_parse_sa(&m.nlh, &x) && x.sa.lifetime.has ==
	      (HAS(POSTERN_A_LIFETIME_PACKET_HARD) |
	       HAS(POSTERN_A_LIFETIME_ADD_SOFT) |
	       HAS(POSTERN_A_LIFETIME_ADD_HARD)),
	      "a soft limit behind the hard one is none");
	make_sa(&m, XFRM_MSG_EXPIRE, false);
	CHECK(!xfrm_parse_sa(&m.nlh, &x) && x.sa.spi == htonl(0x1001),
	      "expire is understood");
}

static void check_policies(void)
{
	static const uint16_t types[] = { XFRM_MSG_NEWPOLICY,
					  XFRM_MSG_UPDPOLICY,
					  XFRM_MSG_DELPOLICY };
	struct xfrm_policy x;
	union message m;
	size_t i;

	for (i = 0; i < 3; i++) {
		make_policy(&m, types[i]);
		CHECK(!xfrm_parse_policy(&m.nlh, &x), "policy is understood");
		CHECK(x.is_main && x.if_id == IF_ID && !x.ignored[0],
		      "policy is ours");
		CHECK(x.policy.dir == POSTERN_DIR_OUT &&
		      x.policy.action == POSTERN_ACTION_PROTECT &&
		      x.policy.priority == 99 && x.policy.tmpls.count == 1,
		      "policy has its sense");
		CHECK(x.policy.selector.src.b[2] == 0 &&
		      x.policy.selector.src_len == 16,
		      "bits behind the prefix are gone");
		CHECK(x.policy.selector.dport_first == 0x1230 &&
		      x.policy.selector.dport_last == 0x123f,
		      "mask of a port is a range");
	}
	make_policy(&m, XFRM_MSG_NEWPOLICY);
	((struct xfrm_userpolicy_info *)mnl_nlmsg_get_payload(&m.nlh))
		->sel.dport_mask = htons(0xf0f0);
	CHECK(!xfrm_parse_policy(&m.nlh, &x) && x.ignored[0] &&
	      x.policy.selector.dport_last == UINT16_MAX,
	      "mask that is no range is widened and told");
	make_policy(&m, XFRM_MSG_NEWPOLICY);
	((struct xfrm_userpolicy_info *)mnl_nlmsg_get_payload(&m.nlh))
		->sel.ifindex = 9;
	((struct xfrm_userpolicy_info *)mnl_nlmsg_get_payload(&m.nlh))
		->flags = XFRM_POLICY_ICMP;
	CHECK(!xfrm_parse_policy(&m.nlh, &x) &&
	      x.policy.flags == POSTERN_POLICY_FLAG_ICMP,
	      "errors by what they quote");
	make_policy(&m, XFRM_MSG_NEWPOLICY);
	((struct xfrm_userpolicy_info *)mnl_nlmsg_get_payload(&m.nlh))
		->sel.proto = IPPROTO_ICMP;
	CHECK(!xfrm_parse_policy(&m.nlh, &x) && x.ignored[0] &&
	      !(x.policy.selector.has & HAS(POSTERN_A_SELECTOR_DPORT_FIRST)),
	      "a code without a type is left out and told");
	make_policy(&m, XFRM_MSG_NEWPOLICY);
	((struct xfrm_userpolicy_info *)mnl_nlmsg_get_payload(&m.nlh))
		->sel.ifindex = 9;
	CHECK(!xfrm_parse_policy(&m.nlh, &x) && !x.ignored[0] &&
	      x.policy.selector.has & HAS(POSTERN_A_SELECTOR_IFINDEX) &&
	      x.policy.selector.ifindex == 9,
	      "device of a selector is understood");
}

/* In memory of its own, so that a look past the end is seen. */
static void parse(const struct nlmsghdr *nlh, uint32_t len)
{
	bool policy = nlh->nlmsg_type == XFRM_MSG_NEWPOLICY ||
		      nlh->nlmsg_type == XFRM_MSG_UPDPOLICY ||
		      nlh->nlmsg_type == XFRM_MSG_DELPOLICY;
	struct nlmsghdr *copy = malloc(len);
	union {
		struct xfrm_sa sa;
		struct xfrm_policy policy;
	} x;

	if (!copy)
		abort();
	memcpy(copy, nlh, len);
	copy->nlmsg_len = len;
	if (policy)
		xfrm_parse_policy(copy, &x.policy);
	else
		xfrm_parse_sa(copy, &x.sa);
	free(copy);
}

static void make(union message *m, unsigned int kind)
{
	static const uint16_t types[] = {
		XFRM_MSG_NEWSA, XFRM_MSG_DELSA, XFRM_MSG_EXPIRE,
		XFRM_MSG_NEWPOLICY, XFRM_MSG_DELPOLICY,
	};

	if (kind < 6)
		make_sa(m, types[kind / 2], kind & 1);
	else
		make_policy(m, types[kind / 2]);
}

static void check_lengths(void)
{
	unsigned int kind;
	union message m;
	uint32_t len;

	for (kind = 0; kind < 10; kind++) {
		make(&m, kind);
		for (len = MNL_NLMSG_HDRLEN; len <= m.nlh.nlmsg_len; len++)
			parse(&m.nlh, len);
	}
	CHECK(true, "messages of every length");
}

static void check_mutations(void)
{
	unsigned int i, n, at;
	union message m;

	srand(1);
	for (i = 0; i < MUTATIONS; i++) {
		make(&m, rand() % 10);
		for (n = rand() % 4 + 1; n; n--) {
			at = MNL_NLMSG_HDRLEN +
			     rand() % (m.nlh.nlmsg_len - MNL_NLMSG_HDRLEN);
			m.buf[at] = rand() % 3 ? rand() : 0xff;
		}
		parse(&m.nlh, m.nlh.nlmsg_len);
	}
	CHECK(true, "messages of any content");
}

int main(void)
{
	check_sas();
	check_policies();
	check_lengths();
	check_mutations();
	return check_end();
}
