// SPDX-License-Identifier: GPL-2.0
/*
 * The mirror between a Postern, an XFRM and a host that are tables of this
 * program: what becomes of each, also when Postern refuses or forgets.
 */
#include "check.h"
#include "cmd.h"
#include "host.h"
#include "log.h"
#include "mirror.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define IF_ID	77
#define MAX	16

struct options options;

static struct {
	unsigned int sas;
	struct sa sa[MAX];
	unsigned int policies;
	struct policy policy[MAX];
	unsigned int deletions;		/* of policies, by priority */
	uint32_t deleted[MAX];
	unsigned int interrupts;	/* dumps that will be interrupted */
	bool forgetful;			/* those leave out everything */
	bool refuse_sas;
	unsigned int refuse_policies;	/* requests, from the next on */
	bool short_of_memory;		/* is why it refuses */
} postern;

static struct {
	struct replay replay;
	unsigned int hard_expiries;
	unsigned int soft_expiries;
} xfrm;

static struct {
	unsigned int addrs;
	struct addr addr[MAX];
	unsigned int routes_added;
	unsigned int routes_deleted;
	unsigned int own;
	struct host_route route[MAX];
} host;

bool option_take(struct args *a)
{
	(void)a;
	return false;
}

/* Postern */

int nl_fd(const struct nl *nl)
{
	(void)nl;
	return -1;
}

int nl_listen(struct nl *nl, nl_msg_cb cb, void *data)
{
	(void)nl;
	(void)cb;
	(void)data;
	return 0;
}

static int answer(uint8_t cmd, const struct fields *fields, const void *object,
		  nl_msg_cb cb, void *data)
{
	static union {
		struct nlmsghdr nlh;
		char buf[16384];
	} m;
	const char *payload;

	mnl_nlmsg_put_header(m.buf);
	mnl_nlmsg_put_extra_header(&m.nlh, GENL_HDRLEN);
	if (!fields_put(&m.nlh, sizeof(m), fields, object))
		abort();
	payload = mnl_nlmsg_get_payload(&m.nlh);
	return cb(cmd, payload + GENL_HDRLEN,
		  mnl_nlmsg_get_payload_len(&m.nlh) - GENL_HDRLEN, data);
}

static int refusal(void)
{
	return postern.short_of_memory ? -ENOMEM : -EINVAL;
}

static unsigned int find_sa(const struct sa *sa)
{
	unsigned int i;

	for (i = 0; i < postern.sas; i++)
		if (postern.sa[i].spi == sa->spi)
			break;
	return i;
}

static unsigned int find_policy(const struct policy *p)
{
	unsigned int i;

	for (i = 0; i < postern.policies; i++)
		if (postern.policy[i].dir == p->dir &&
		    postern.policy[i].priority == p->priority &&
		    mirror_same_selector(&postern.policy[i].selector,
					 &p->selector))
			break;
	return i;
}

static int dump(uint8_t cmd, const struct fields *fields, nl_msg_cb cb,
		void *data)
{
	bool sas = cmd == POSTERN_CMD_SA_GET, interrupted = postern.interrupts;
	unsigned int i, n = sas ? postern.sas : postern.policies;
	int err = 0;

	if (interrupted)
		postern.interrupts--;
	if (interrupted && postern.forgetful)
		n = 0;
	for (i = 0; !err && i < n; i++)
		err = answer(cmd, fields, sas ? (void *)&postern.sa[i] :
						(void *)&postern.policy[i],
			     cb, data);
	return err ? err : interrupted ? -EINTR : 0;
}

static int on_sa(uint8_t cmd, const struct fields *fields, const struct sa *sa,
		 nl_msg_cb cb, void *data)
{
	unsigned int i = find_sa(sa);

	switch (cmd) {
	case POSTERN_CMD_SA_NEW:
		if (postern.refuse_sas)
			return refusal();
		postern.sa[postern.sas++] = *sa;
		return 0;
	case POSTERN_CMD_SA_DEL:
		if (i < postern.sas)
			postern.sa[i] = postern.sa[--postern.sas];
		return 0;
	}
	return i == postern.sas ? -ENOENT :
	       answer(cmd, fields, &postern.sa[i], cb, data);
}

static int on_policy(uint8_t cmd, const struct fields *fields,
		     const struct policy *p, nl_msg_cb cb, void *data)
{
	unsigned int i = find_policy(p);

	switch (cmd) {
	case POSTERN_CMD_POLICY_NEW:
	case POSTERN_CMD_POLICY_UPDATE:
		if (postern.refuse_policies) {
			postern.refuse_policies--;
			return refusal();
		}
		postern.policy[i] = *p;
		if (i == postern.policies)
			postern.policies++;
		return 0;
	case POSTERN_CMD_POLICY_DEL:
		if (i < postern.policies)
			postern.policy[i] = postern.policy[--postern.policies];
		postern.deleted[postern.deletions++] = p->priority;
		return 0;
	}
	return i == postern.policies ? -ENOENT :
	       answer(cmd, fields, &postern.policy[i], cb, data);
}

int nl_send(struct nl *nl, uint8_t cmd, uint16_t flags,
	    const struct fields *fields, const void *object, nl_msg_cb cb,
	    void *data)
{
	nl->text[0] = '\0';
	if (flags & NLM_F_DUMP)
		return dump(cmd, fields, cb, data);
	if (fields == &sa_fields)
		return on_sa(cmd, fields, object, cb, data);
	return on_policy(cmd, fields, object, cb, data);
}

/* XFRM */

int xfrm_dump(struct nlsock *sock, uint16_t type, nlsock_cb cb, void *data)
{
	(void)sock;
	(void)type;
	(void)cb;
	(void)data;
	return 0;
}

int xfrm_parse_sa(const struct nlmsghdr *nlh, struct xfrm_sa *out)
{
	(void)nlh;
	(void)out;
	return -EBADMSG;
}

int xfrm_parse_policy(const struct nlmsghdr *nlh, struct xfrm_policy *out)
{
	(void)nlh;
	(void)out;
	return -EBADMSG;
}

int xfrm_set_numbers(struct nlsock *sock, const struct xfrm_sa_id *id,
		     const struct usage *usage, const struct replay *replay)
{
	(void)sock;
	(void)id;
	(void)usage;
	xfrm.replay = *replay;
	return 0;
}

int xfrm_expire(struct nlsock *sock, const struct xfrm_sa_id *id, bool hard)
{
	(void)sock;
	(void)id;
	xfrm.hard_expiries += hard;
	xfrm.soft_expiries += !hard;
	return 0;
}

int xfrm_acquire(struct nlsock *sock, const struct xfrm_policy *policy,
		 const struct selector *packet)
{
	(void)sock;
	(void)policy;
	(void)packet;
	return 0;
}

/* The host */

int host_load_addrs(struct nlsock *rt, struct host *to)
{
	(void)rt;
	to->addr = host.addr;
	to->addrs = host.addrs;
	return 0;
}

int host_load_routes(struct nlsock *rt, struct host *to, uint32_t mark)
{
	(void)rt;
	(void)mark;
	to->own_route = host.route;
	to->own = host.own;
	return 0;
}

void host_free(struct host *to)
{
	memset(to, 0, sizeof(*to));
}

const struct host_route *host_find_route(const struct host *from,
					 const struct addr *dst)
{
	static const struct host_route route = { .oif = 2 };

	(void)from;
	(void)dst;
	return &route;
}

bool host_same_route(const struct host_route *a, const struct host_route *b)
{
	return a->dst_len == b->dst_len && addr_equal(&a->dst, &b->dst) &&
	       addr_equal(&a->src, &b->src);
}

int host_add_route(struct nlsock *rt, const struct host_route *route,
		   uint32_t mark)
{
	unsigned int i;

	(void)rt;
	(void)mark;
	host.routes_added++;
	/* As with NLM_F_REPLACE. */
	for (i = 0; i < host.own; i++)
		if (host.route[i].dst_len == route->dst_len &&
		    addr_equal(&host.route[i].dst, &route->dst))
			break;
	host.route[i] = *route;
	if (i == host.own)
		host.own++;
	return 0;
}

int host_delete_route(struct nlsock *rt, const struct host_route *route,
		      uint32_t mark)
{
	(void)rt;
	(void)route;
	(void)mark;
	host.routes_deleted++;
	return 0;
}

/* The tests */

/* A mirror that knows nothing, as after a restart of the bridge. */
static struct mirror *restarted(void)
{
	static struct mirror mirror;
	static struct nl nl;

	mirror_free(&mirror);
	memset(&mirror, 0, sizeof(mirror));
	mirror.if_id = IF_ID;
	mirror.nl = &nl;
	mirror.events = &nl;
	return &mirror;
}

static struct mirror *fresh(void)
{
	memset(&postern, 0, sizeof(postern));
	memset(&xfrm, 0, sizeof(xfrm));
	memset(&host, 0, sizeof(host));
	return restarted();
}

static struct xfrm_sa make_sa(uint32_t spi)
{
	struct xfrm_sa x = { .if_id = IF_ID };
	struct xfrm_usersa_info *info = &x.id.info;
	struct sa *sa = &x.sa;

	address("192.0.2.1", &sa->src);
	address("192.0.2.2", &sa->dst);
	info->family = AF_INET;
	info->id.proto = IPPROTO_ESP;
	info->id.spi = htonl(spi);
	memcpy(&info->saddr, sa->src.b, 4);
	memcpy(&info->id.daddr, sa->dst.b, 4);
	sa->has = HAS(POSTERN_A_SA_SRC) | HAS(POSTERN_A_SA_DST) |
		  HAS(POSTERN_A_SA_PROTO) | HAS(POSTERN_A_SA_SPI) |
		  HAS(POSTERN_A_SA_AEAD) | HAS(POSTERN_A_SA_REPLAY);
	sa->proto = IPPROTO_ESP;
	sa->spi = htonl(spi);
	sa->aead.has = HAS(POSTERN_A_ALGO_NAME) | HAS(POSTERN_A_ALGO_KEY);
	strcpy(sa->aead.name, "rfc4106(gcm(aes))");
	sa->aead.key.len = 20;
	sa->replay.has = HAS(POSTERN_A_REPLAY_OSEQ) | HAS(POSTERN_A_REPLAY_SEQ);
	sa->replay.oseq = xfrm.replay.oseq;
	return x;
}

static struct xfrm_policy make_policy(const char *src, const char *dst,
				      uint32_t priority)
{
	struct xfrm_policy x = { .if_id = IF_ID, .is_main = true };
	struct policy *p = &x.policy;
	struct selector *sel = &p->selector;
	struct tmpl *tmpl = &p->tmpls.tmpl[0];

	p->has = HAS(POSTERN_A_POLICY_DIR) | HAS(POSTERN_A_POLICY_ACTION) |
		 HAS(POSTERN_A_POLICY_PRIORITY) |
		 HAS(POSTERN_A_POLICY_SELECTOR) | HAS(POSTERN_A_POLICY_TMPL);
	p->dir = POSTERN_DIR_OUT;
	p->action = POSTERN_ACTION_PROTECT;
	p->priority = priority;
	x.info.priority = priority;
	x.info.sel.saddr.a4 = inet_addr(src);
	x.info.sel.daddr.a4 = inet_addr(dst);
	sel->has = HAS(POSTERN_A_SELECTOR_SRC) |
		   HAS(POSTERN_A_SELECTOR_SRC_LEN) |
		   HAS(POSTERN_A_SELECTOR_DST) |
		   HAS(POSTERN_A_SELECTOR_DST_LEN);
	address(src, &sel->src);
	address(dst, &sel->dst);
	sel->src_len = 24;
	sel->dst_len = 24;
	p->tmpls.count = 1;
	tmpl->has = HAS(POSTERN_A_TMPL_PROTO) | HAS(POSTERN_A_TMPL_MODE) |
		    HAS(POSTERN_A_TMPL_SRC) | HAS(POSTERN_A_TMPL_DST);
	tmpl->proto = IPPROTO_ESP;
	tmpl->mode = POSTERN_MODE_TUNNEL;
	address("192.0.2.1", &tmpl->src);
	address("192.0.2.2", &tmpl->dst);
	return x;
}

static void a_lost_sa_is_told_once(void)
{
	struct xfrm_sa x = make_sa(0x2000);
	struct mirror *m = fresh();
	const char *t = __func__;

	mirror_take_sa(m, &x);
	CHECK(postern.sas == 1, t);
	CHECK(!mirror_write_numbers(m) && !xfrm.soft_expiries, t);
	postern.interrupts = 1;
	postern.forgetful = true;
	CHECK(mirror_write_numbers(m) == -EINTR && !xfrm.soft_expiries, t);
	postern.sas = 0;
	CHECK(!mirror_write_numbers(m) && xfrm.soft_expiries == 1, t);
	CHECK(!mirror_write_numbers(m) && xfrm.soft_expiries == 1, t);
}

static void a_lost_sa_leaves_its_numbers(void)
{
	struct xfrm_sa x = make_sa(0x2000);
	struct mirror *m = fresh();
	const char *t = __func__;
	struct sa farewell;

	mirror_take_sa(m, &x);
	farewell = postern.sa[0];
	farewell.replay.oseq = 9;
	postern.sas = 0;
	mirror_sa_deleted(m, &farewell);
	CHECK(!mirror_write_numbers(m), t);
	mirror_drop_sa(m, &x, "it expired");
	x.sa.replay.oseq = 0;
	mirror_take_sa(m, &x);
	CHECK(postern.sas == 1 && postern.sa[0].replay.oseq == 9, t);
}

static void interrupted_sweeps_are_repeated(void)
{
	struct xfrm_policy p = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct xfrm_sa x = make_sa(0x2000);
	struct mirror *m = fresh();
	const char *t = __func__;

	mirror_take_sa(m, &x);
	mirror_take_policy(m, &p);
	CHECK(postern.sas == 1 && postern.policies == 1, t);
	m = restarted();
	postern.interrupts = 2;
	CHECK(!mirror_sweep_sas(m) && !postern.sas, t);
	CHECK(m->graveyard && !m->graveyard->next, t);
	postern.interrupts = 2;
	CHECK(!mirror_sweep_policies(m) && !postern.policies, t);
	postern.interrupts = 1000;
	CHECK(mirror_sweep_sas(m) == -EINTR, t);
	CHECK(mirror_sweep_policies(m) == -EINTR, t);
}

static void a_refused_sa_gets_its_numbers_back(void)
{
	struct mirror *m = fresh();
	const char *t = __func__;
	struct xfrm_sa x;

	x = make_sa(0x2000);
	postern.refuse_sas = true;
	mirror_take_sa(m, &x);
	CHECK(m->refused == 1 && xfrm.replay.oseq == 0, t);
	/* As when the bridge compares again. */
	x = make_sa(0x2000);
	m->dumping = true;
	mirror_take_sa(m, &x);
	CHECK(!xfrm.hard_expiries, t);
	postern.refuse_sas = false;
	mirror_take_sa(m, &x);
	CHECK(postern.sas == 1 && !m->refused && xfrm.replay.oseq == 1, t);
}

static void want_of_memory_asks_for_another_try(void)
{
	struct xfrm_policy p = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct xfrm_sa x = make_sa(0x2000);
	struct mirror *m = fresh();
	const char *t = __func__;

	postern.refuse_sas = true;
	postern.refuse_policies = 2;
	mirror_take_sa(m, &x);
	mirror_take_policy(m, &p);
	CHECK(m->refused == 2 && !m->again, t);
	m = fresh();
	x = make_sa(0x2000);
	postern.refuse_sas = true;
	postern.short_of_memory = true;
	mirror_take_sa(m, &x);
	CHECK(m->refused == 1 && m->again, t);
	CHECK(!mirror_resync(m) && !m->again, t);
	postern.refuse_policies = 2;
	mirror_take_policy(m, &p);
	CHECK(!postern.policies && m->again, t);
}

/* A kernel refuses to add an inbound SA that has sent. */
static void a_mark_is_of_the_direction(void)
{
	struct mirror *m = fresh();
	const char *t = __func__;
	struct xfrm_sa x;

	x = make_sa(0x2000);
	x.sa.has |= HAS(POSTERN_A_SA_DIR);
	x.sa.dir = POSTERN_DIR_IN;
	mirror_take_sa(m, &x);
	CHECK(xfrm.replay.oseq == 0 && xfrm.replay.seq == 1, t);
	CHECK(!xfrm.replay.bitmap.word[0], t);
	CHECK(!postern.sa[0].replay.oseq && !postern.sa[0].replay.seq, t);
	postern.sa[0].usage.packets = 1;
	CHECK(!mirror_write_numbers(m), t);
	CHECK(xfrm.replay.oseq == 0 && xfrm.replay.seq == 1, t);
	/* Postern has forgotten. */
	postern.sas = 0;
	m = restarted();
	m->dumping = true;
	x.sa.replay = xfrm.replay;
	mirror_take_sa(m, &x);
	CHECK(!postern.sas && xfrm.soft_expiries == 1, t);

	m = fresh();
	x = make_sa(0x2000);
	x.sa.has |= HAS(POSTERN_A_SA_DIR);
	x.sa.dir = POSTERN_DIR_OUT;
	mirror_take_sa(m, &x);
	CHECK(xfrm.replay.oseq == 1 && xfrm.replay.seq == 0, t);
}

static void a_policy_goes_when_its_successor_is_there(void)
{
	struct xfrm_policy x = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct mirror *m = fresh();
	const char *t = __func__;

	mirror_take_policy(m, &x);
	x = make_policy("10.1.0.0", "10.2.0.0", 6);
	/* What discards instead is refused as well. */
	postern.refuse_policies = 2;
	mirror_take_policy(m, &x);
	CHECK(postern.policies == 1 && postern.policy[0].priority == 5, t);
	x.policy.priority = 6;
	mirror_take_policy(m, &x);
	CHECK(postern.policies == 1 && postern.policy[0].priority == 6, t);
	x.policy.priority = 7;
	postern.refuse_policies = 2;
	mirror_take_policy(m, &x);
	mirror_drop_policy(m, &x);
	CHECK(!postern.policies, t);
}

/* What precedes comes first and goes last, of equal ones the older; bypasses go before. */
static void policies_come_and_go_by_precedence(void)
{
	static const uint32_t priority[] = { 9, 5, 5, 7, 2 };
	struct xfrm_policy x[5];
	struct mirror *m = fresh();
	const char *t = __func__;
	char dst[16];
	int i;

	for (i = 0; i < 5; i++) {
		snprintf(dst, sizeof(dst), "10.%d.0.0", 9 - i);
		x[i] = make_policy("10.1.0.0", dst, priority[i]);
		if (i == 3)
			x[i].policy.action = POSTERN_ACTION_BYPASS;
		mirror_take_policy(m, &x[i]);
	}
	CHECK(postern.policies == 5 && postern.policy[0].priority == 9, t);
	/* as when another bridge has flushed */
	postern.policies = 0;
	mirror_take_policies_again(m);
	CHECK(postern.policies == 5, t);
	for (i = 1; i < 5; i++)
		CHECK(postern.policy[i - 1].priority <=
		      postern.policy[i].priority, t);
	CHECK(mirror_same_selector(&postern.policy[1].selector,
				   &x[1].policy.selector), t);
	mirror_unsee_policies(m);
	CHECK(!mirror_sweep_policies(m) && postern.deletions == 5, t);
	CHECK(postern.deleted[0] == 7 && postern.deleted[1] == 9 &&
	      postern.deleted[4] == 2, t);
	/* what is found there goes likewise */
	for (i = 0; i < 5; i++)
		mirror_take_policy(m, &x[i]);
	m = restarted();
	postern.deletions = 0;
	CHECK(!mirror_sweep_policies(m) && postern.deletions == 5, t);
	CHECK(postern.deleted[0] == 7 && postern.deleted[1] == 9 &&
	      postern.deleted[4] == 2, t);
}

static void a_bypass_is_closed_when_its_successor_is_refused(void)
{
	struct xfrm_policy x = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct mirror *m = fresh();
	const char *t = __func__;

	x.policy.action = POSTERN_ACTION_BYPASS;
	mirror_take_policy(m, &x);
	x = make_policy("10.1.0.0", "10.2.0.0", 6);
	postern.refuse_policies = 2;
	mirror_take_policy(m, &x);
	CHECK(postern.policies == 1 && postern.policy[0].priority == 5 &&
	      postern.policy[0].action == POSTERN_ACTION_DISCARD, t);
	/* the first time that was refused, too */
	m = fresh();
	x = make_policy("10.1.0.0", "10.2.0.0", 5);
	x.policy.action = POSTERN_ACTION_BYPASS;
	mirror_take_policy(m, &x);
	x = make_policy("10.1.0.0", "10.2.0.0", 6);
	postern.refuse_policies = 3;
	postern.short_of_memory = true;
	mirror_take_policy(m, &x);
	CHECK(postern.policy[0].action == POSTERN_ACTION_BYPASS && m->again, t);
	postern.refuse_policies = 2;
	mirror_take_policy(m, &x);
	CHECK(postern.policies == 1 &&
	      postern.policy[0].action == POSTERN_ACTION_DISCARD, t);
	x.policy.priority = 6;
	mirror_take_policy(m, &x);
	CHECK(postern.policies == 1 && postern.policy[0].priority == 6 &&
	      postern.policy[0].action == POSTERN_ACTION_PROTECT, t);
}

static void set_marked(struct xfrm_policy *x)
{
	x->mark.v = 7;
	x->mark.m = 7;
	strcpy(x->ignored, "its mark");
}

static void set_allowance(struct xfrm_policy *x)
{
	x->policy.action = POSTERN_ACTION_BYPASS;
	x->policy.has &= ~HAS(POSTERN_A_POLICY_TMPL);
	x->policy.tmpls.count = 0;
}

/* To XFRM the mark makes another policy, and here it is the same one. */
static void policies_that_differ_by_a_mark_have_one_place(void)
{
	struct xfrm_policy plain = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct xfrm_policy marked = plain;
	struct mirror *m = fresh();
	const char *t = __func__;

	set_marked(&marked);
	mirror_take_policy(m, &plain);
	mirror_take_policy(m, &marked);
	CHECK(postern.policies == 1 && m->policies == 2, t);
	mirror_drop_policy(m, &marked);
	CHECK(postern.policies == 1 && m->policies == 1, t);
	mirror_take_policy(m, &marked);
	mirror_drop_policy(m, &plain);
	CHECK(postern.policies == 1 && m->policies == 1, t);
	CHECK(!mirror_sweep_policies(restarted()) && !postern.policies, t);
}

/* Events do not tell which security context a policy has. */
static void policies_that_differ_by_a_context_have_one_place(void)
{
	struct xfrm_policy one = make_policy("10.1.0.0", "10.2.0.0", 5), two = one;
	struct mirror *m = fresh();
	const char *t = __func__;

	two.info.index = one.info.index + 8;
	mirror_take_policy(m, &one);
	mirror_take_policy(m, &two);
	mirror_drop_policy(m, &two);
	CHECK(postern.policies == 1 && m->policies == 1, t);
	mirror_drop_policy(m, &one);
	CHECK(!postern.policies && !m->policies, t);
}

static void an_allowance_that_is_left_out_is_nowhere(void)
{
	struct xfrm_policy plain = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct xfrm_policy allowance = plain, marked = plain;
	struct mirror *m = fresh();
	const char *t = __func__;

	set_marked(&allowance);
	set_allowance(&allowance);
	mirror_take_policy(m, &plain);
	mirror_take_policy(m, &allowance);
	CHECK(postern.policies == 1 && m->refused == 1, t);
	CHECK(postern.policy[0].action == POSTERN_ACTION_PROTECT, t);
	mirror_drop_policy(m, &allowance);
	CHECK(postern.policies == 1 && !m->refused, t);
	mirror_take_policy(m, &allowance);
	mirror_drop_policy(m, &plain);
	CHECK(!postern.policies && !m->policies && m->refused == 1, t);
	mirror_drop_policy(m, &allowance);

	/* What it takes the place of is gone, also at another priority. */
	set_marked(&marked);
	mirror_take_policy(m, &marked);
	allowance.policy.priority = 4;
	mirror_take_policy(m, &allowance);
	CHECK(!postern.policies && !m->policies && m->refused == 1, t);
	mirror_drop_policy(m, &allowance);
	CHECK(!postern.policies && !m->refused, t);
}

static void of_two_in_one_place_the_restriction_counts(void)
{
	struct xfrm_policy marked = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct xfrm_policy allowance = marked;
	struct mirror *m = fresh();
	const char *t = __func__;

	set_marked(&marked);
	set_allowance(&allowance);
	mirror_take_policy(m, &marked);
	mirror_take_policy(m, &allowance);
	CHECK(postern.policies == 1 && m->refused == 1, t);
	CHECK(postern.policy[0].action == POSTERN_ACTION_PROTECT, t);
	mirror_drop_policy(m, &marked);
	CHECK(postern.policies == 1 && !m->refused, t);
	CHECK(postern.policy[0].action == POSTERN_ACTION_BYPASS, t);
	mirror_take_policy(m, &marked);
	CHECK(postern.policy[0].action == POSTERN_ACTION_PROTECT, t);
	mirror_take_policies_again(m);
	CHECK(postern.policy[0].action == POSTERN_ACTION_PROTECT, t);
}

/* Postern tells of a policy. */
static void tell(struct mirror *m, uint8_t cmd, const struct policy *p)
{
	answer(cmd, &policy_fields, p, mirror_postern_event, m);
}

static bool is_ours(unsigned int priority)
{
	return postern.policies == 1 && postern.policy[0].owner == IF_ID &&
	       postern.policy[0].priority == priority;
}

static void a_policy_gets_its_place_when_it_is_free(void)
{
	struct xfrm_policy x = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct policy flush = { 0 }, other;
	struct mirror *m = fresh();
	const char *t = __func__;

	mirror_take_policy(m, &x);
	CHECK(is_ours(5), t);
	/* Somebody else replaces it. */
	postern.policy[0].owner = IF_ID + 1;
	other = postern.policy[0];
	tell(m, POSTERN_CMD_POLICY_UPDATE_NTF, &other);
	CHECK(m->refused == 1 && !is_ours(5), t);
	postern.policies = 0;
	tell(m, POSTERN_CMD_POLICY_DEL_NTF, &other);
	CHECK(!m->refused && is_ours(5), t);

	/* One stands at another priority and cannot move to where it should be. */
	other.priority = 6;
	postern.policy[postern.policies++] = other;
	x = make_policy("10.1.0.0", "10.2.0.0", 6);
	mirror_take_policy(m, &x);
	CHECK(m->refused == 1 && postern.policies == 2, t);
	postern.policies = 1;
	tell(m, POSTERN_CMD_POLICY_DEL_NTF, &other);
	CHECK(!m->refused && is_ours(6), t);

	postern.policy[0].owner = IF_ID + 1;
	mirror_take_policy(m, &x);
	CHECK(m->refused == 1, t);
	postern.policies = 0;
	flush.has = HAS(POSTERN_A_POLICY_OWNER);
	flush.owner = IF_ID + 1;
	tell(m, POSTERN_CMD_POLICY_FLUSH_NTF, &flush);
	CHECK(!m->refused && is_ours(6), t);

	/* The administrator's word. */
	postern.policies = 0;
	flush.owner = IF_ID;
	tell(m, POSTERN_CMD_POLICY_FLUSH_NTF, &flush);
	flush.has = 0;
	tell(m, POSTERN_CMD_POLICY_FLUSH_NTF, &flush);
	CHECK(!postern.policies, t);
	mirror_take_policies_again(m);
	CHECK(is_ours(6), t);
}

static void one_destination_has_one_route(void)
{
	struct xfrm_policy a = make_policy("10.1.0.0", "10.2.0.0", 5);
	struct xfrm_policy b = make_policy("10.5.0.0", "10.2.0.0", 5);
	struct mirror *m = fresh();
	const char *t = __func__;

	m->no_bypass = true;
	address("10.1.0.1", &host.addr[0]);
	address("10.5.0.1", &host.addr[1]);
	host.addrs = 2;
	mirror_take_policy(m, &a);
	mirror_take_policy(m, &b);
	CHECK(!mirror_follow_host(m) && host.own == 1, t);
	CHECK(!mirror_follow_host(m) && !mirror_follow_host(m), t);
	CHECK(host.routes_added == 1 && !host.routes_deleted, t);
}

static void a_bypass_of_somebody_else_serves(void)
{
	struct mirror *m = fresh();
	const char *t = __func__;
	struct policy p;

	m->no_routes = true;
	address("192.0.2.1", &host.addr[0]);
	host.addrs = 1;
	CHECK(!mirror_follow_host(m) && postern.policies == 4, t);
	p = postern.policy[0];
	postern.policy[0].owner = 0;
	CHECK(!mirror_follow_host(m) && postern.policies == 4, t);
	CHECK(postern.policy[0].owner == 0, t);
	postern.policy[0] = postern.policy[--postern.policies];
	mirror_place_changed(m, &p);
	CHECK(m->host_changed, t);
	CHECK(!mirror_follow_host(m) && postern.policies == 4, t);
	p.priority++;
	mirror_place_changed(m, &p);
	CHECK(!m->host_changed, t);
}

/* What these did to each object only a dump tells; 0x29 is MIGRATE_STATE. */
static void what_tells_too_little_asks_for_a_dump(void)
{
	static const uint16_t types[] = {
		XFRM_MSG_POLEXPIRE, XFRM_MSG_FLUSHSA, XFRM_MSG_FLUSHPOLICY,
		XFRM_MSG_MIGRATE, 0x29
	};
	struct nlmsghdr nlh = { .nlmsg_len = sizeof(nlh) };
	struct mirror *m = fresh();
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		nlh.nlmsg_type = types[i];
		CHECK(mirror_xfrm_event(&nlh, m) == -ENOBUFS, __func__);
	}
	nlh.nlmsg_type = XFRM_MSG_MAPPING;
	CHECK(!mirror_xfrm_event(&nlh, m), __func__);
}

int main(void)
{
	/* The log of the bridge is no result. */
	if (!freopen("/dev/null", "w", stderr))
		return 1;
	a_lost_sa_is_told_once();
	a_lost_sa_leaves_its_numbers();
	interrupted_sweeps_are_repeated();
	a_refused_sa_gets_its_numbers_back();
	want_of_memory_asks_for_another_try();
	a_mark_is_of_the_direction();
	a_policy_goes_when_its_successor_is_there();
	policies_come_and_go_by_precedence();
	a_bypass_is_closed_when_its_successor_is_refused();
	policies_that_differ_by_a_mark_have_one_place();
	policies_that_differ_by_a_context_have_one_place();
	of_two_in_one_place_the_restriction_counts();
	an_allowance_that_is_left_out_is_nowhere();
	a_policy_gets_its_place_when_it_is_free();
	one_destination_has_one_route();
	a_bypass_of_somebody_else_serves();
	what_tells_too_little_asks_for_a_dump();
	return check_end();
}
