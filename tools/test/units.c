// SPDX-License-Identifier: GPL-2.0
/*
 * The tool without a kernel: command lines are parsed by the real tables, and
 * what would go to the kernel is looked at here instead.
 */
#include "batch.h"
#include "check.h"
#include "cmd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options options;

/* The last request. */
static struct {
	unsigned int count;
	uint8_t cmd;
	union {
		struct sa sa;
		struct policy policy;
	};
} sent;

struct nl *cmd_nl(void)
{
	return NULL;
}

int cmd_send(uint8_t cmd, const struct fields *fields, const void *object,
	     nl_msg_cb cb, void *data)
{
	(void)cb;
	(void)data;
	sent.count++;
	sent.cmd = cmd;
	if (object)
		memcpy(&sent.sa, object, fields->struct_size);
	return EXIT_OK;
}

int cmd_delete(uint8_t cmd, const struct fields *fields, const void *object)
{
	return cmd_send(cmd, fields, object, NULL, NULL);
}

bool option_take(struct args *a)
{
	(void)a;
	return false;
}

int cmd_run(struct args *a)
{
	const char *object = args_take(a);

	return matches(object, "state") ? cmd_state(a) : cmd_policy(a);
}

union message {
	struct nlmsghdr nlh;
	char buf[NL_REQUEST_SIZE];
};

static size_t encode(union message *m, const struct fields *fields,
		     const void *object)
{
	mnl_nlmsg_put_header(m->buf);
	mnl_nlmsg_put_extra_header(&m->nlh, GENL_HDRLEN);
	if (!fields_put(&m->nlh, sizeof(*m), fields, object))
		return 0;
	return mnl_nlmsg_get_payload_len(&m->nlh) - GENL_HDRLEN;
}

static const char *attrs(const union message *m)
{
	return (const char *)mnl_nlmsg_get_payload(&m->nlh) + GENL_HDRLEN;
}

/* The policies of a dump, which is interrupted so many times before. */
static struct {
	unsigned int interrupts;
	unsigned int count;
	struct policy policy[8];
} dumped;

int cmd_dump(uint8_t cmd, const struct fields *fields, const void *object,
	     nl_msg_cb cb, void *data, void (*again)(void *data))
{
	static union message m;
	unsigned int i, n = again ? dumped.interrupts + 1 : 1;

	if (fields != &policy_fields)
		return cmd_send(cmd, fields, object, NULL, NULL);
	memcpy(&sent.policy, object, sizeof(sent.policy));
	for (; n; n--) {
		if (again)
			again(data);
		for (i = 0; i < dumped.count; i++)
			cb(cmd, attrs(&m),
			   encode(&m, fields, &dumped.policy[i]), data);
	}
	return EXIT_OK;
}

/* Run a line; errors go nowhere. */
static int run(const char *line)
{
	char copy[1024], *word[128];
	struct args a = { .word = word };
	FILE *keep = stderr;
	int ret;

	snprintf(copy, sizeof(copy), "%s", line);
	a.count = batch_split(copy, word, 128);
	if (a.count <= 0)
		return -1;
	sent.count = 0;
	stderr = fopen("/dev/null", "w");
	ret = cmd_run(&a);
	fclose(stderr);
	stderr = keep;
	return ret;
}

#define ID "src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1000 "
#define GCM "aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128 "
#define SEL "sel src 10.1.0.0/16 proto tcp dport 80-90 "
#define LIMITS "limit time-soft 60 limit byte-hard 1000 limit time-hard 0 "
#define MARK "output-mark 0x12 mask 0xff "
#define NUMBERS "replay-window 64 replay-oseq 9 "
#define ESN "flag esn replay-seq-hi 3 replay-seq 4 replay-oseq-hi 0xffffffff "
#define PRIORITY "priority 12 action allow ptype main "
#define TMPL "tmpl src 192.0.2.1 dst 192.0.2.2 proto ah reqid 3 mode tunnel "

static void numbers_of_64_bits_are_given_in_halves(void)
{
	const char *t = __func__;

	CHECK(run("state add " ID GCM ESN) == EXIT_OK, t);
	CHECK(sent.sa.flags == POSTERN_SA_FLAG_ESN, t);
	CHECK(sent.sa.replay.seq == 0x300000004, t);
	CHECK(sent.sa.replay.oseq == 0xffffffff00000000, t);
	CHECK(sent.sa.replay.has == (HAS(POSTERN_A_REPLAY_SEQ) |
				     HAS(POSTERN_A_REPLAY_OSEQ)), t);
}

static void state_add_takes_the_words_of_ip_xfrm(void)
{
	const char *t = __func__;
	const struct sa *sa = &sent.sa;

	CHECK(run("state add " ID "mode tunnel reqid 7 " GCM
		  "flag noecn af-unspec nopmtudisc " NUMBERS SEL LIMITS
		  "dir out") == EXIT_OK, t);
	CHECK(sent.cmd == POSTERN_CMD_SA_NEW, t);
	CHECK(sa->src.len == 4 && sa->src.b[3] == 1 && sa->dst.b[3] == 2, t);
	CHECK(sa->proto == 50 && ntohl(sa->spi) == 0x1000, t);
	CHECK(sa->mode == POSTERN_MODE_TUNNEL && sa->reqid == 7, t);
	CHECK(!strcmp(sa->aead.name, "rfc4106(gcm(aes))"), t);
	CHECK(sa->aead.key.len == 20 && sa->aead.key.b[19] == 0x13, t);
	CHECK(sa->aead.icv_bits == 128, t);
	CHECK(sa->flags == (POSTERN_SA_FLAG_NOECN |
			    POSTERN_SA_FLAG_NOPMTUDISC), t);
	CHECK(sa->replay_window == 64 && sa->replay.oseq == 9, t);
	CHECK(sa->has & HAS(POSTERN_A_SA_REPLAY), t);
	CHECK(sa->selector.src_len == 16 && sa->selector.dst_len == 0, t);
	CHECK(sa->selector.dst.len == 4, t);
	CHECK(sa->selector.dport_first == 80 && sa->selector.dport_last == 90,
	      t);
	CHECK(sa->lifetime.add_soft == 60, t);
	CHECK(sa->lifetime.byte_hard == 1000, t);
	CHECK(sa->lifetime.add_hard == POSTERN_UNLIMITED, t);
	CHECK(sa->dir == POSTERN_DIR_OUT, t);
}

static void outer_header_has_words(void)
{
	const char *t = __func__;
	const struct sa *sa = &sent.sa;

	CHECK(run("state add " ID "mode tunnel " GCM
		  MARK "extra-flag dont-encap-dscp flag noecn dir out") == EXIT_OK, t);
	CHECK(sa->flags == (POSTERN_SA_FLAG_NOECN |
			    POSTERN_SA_FLAG_DONT_ENCAP_DSCP), t);
	CHECK(sa->has & HAS(POSTERN_A_SA_FLAGS), t);
	CHECK(sa->output_mark == 0x12 && sa->output_mark_mask == 0xff, t);
	CHECK(sa->has & HAS(POSTERN_A_SA_OUTPUT_MARK_MASK), t);
	CHECK(sa->dir == POSTERN_DIR_OUT, t);
	CHECK(run("state add " ID "output-mark 7 tos 0xb8 ttl inherit flowlabel 0 flag set-df")
	      == EXIT_OK, t);
	CHECK(sa->output_mark == 7 && sa->tos == 0xb8 && !sa->ttl, t);
	CHECK(!(sa->has & HAS(POSTERN_A_SA_OUTPUT_MARK_MASK)), t);
	CHECK(sa->has & HAS(POSTERN_A_SA_TTL), t);
	CHECK(sa->has & HAS(POSTERN_A_SA_FLOW_LABEL), t);
	CHECK(sa->flags == POSTERN_SA_FLAG_SET_DF, t);
	CHECK(run("state add " ID "ttl 255") == EXIT_OK && sa->ttl == 255, t);
	CHECK(run("state add " ID "tfcpad 1400") == EXIT_OK && sa->tfcpad == 1400, t);
	CHECK(run("state dummy " ID "count 3 size 0") == EXIT_OK && sa->count == 3, t);
	CHECK(sa->has & HAS(POSTERN_A_SA_DUMMY_LEN) && !sa->dummy_len, t);
	CHECK(run("state dummy " ID "count 0") == EXIT_USAGE, t);
}

static void encap_has_ports(void)
{
	static const char * const bad[] = {
		"state add " ID "encap",
		"state add " ID "encap espintcp 4500 4500 0.0.0.0",
		"state add " ID "encap espinudp",
		"state add " ID "encap espinudp 4500",
		"state add " ID "encap espinudp 4500 4500",
		"state add " ID "encap espinudp 0 4500 0.0.0.0",
		"state add " ID "encap espinudp 4500 65536 0.0.0.0",
		"state add " ID "encap espinudp 4500 4500 10.0.0",
	};
	const char *t = __func__;
	const struct sa *sa = &sent.sa;
	unsigned int i;

	CHECK(run("state add " ID GCM "encap espinudp 4500 0x1194 0.0.0.0 dir in")
	      == EXIT_OK, t);
	CHECK(sa->has & HAS(POSTERN_A_SA_ENCAP), t);
	CHECK(sa->encap.sport == 4500 && sa->encap.dport == 4500, t);
	CHECK(sa->dir == POSTERN_DIR_IN, t);
	CHECK(run("state update " ID "encap espinudp 1 2 :: nat-keepalive-interval 20")
	      == EXIT_OK, t);
	CHECK(sa->nat_keepalive_interval == 20, t);
	CHECK(sa->encap.sport == 1 && sa->encap.dport == 2, t);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(run(bad[i]) == EXIT_USAGE, bad[i]);
}

static void defaults_are_those_of_ip_xfrm(void)
{
	const char *t = __func__;

	CHECK(run("state add " ID GCM) == EXIT_OK, t);
	CHECK(sent.sa.has & HAS(POSTERN_A_SA_MODE), t);
	CHECK(sent.sa.mode == POSTERN_MODE_TRANSPORT, t);
	CHECK(run("state update " ID) == EXIT_OK, t);
	CHECK(!(sent.sa.has & HAS(POSTERN_A_SA_MODE)), t);
	CHECK(run("policy add dir out tmpl proto esp") == EXIT_OK, t);
	CHECK(sent.policy.action == POSTERN_ACTION_PROTECT, t);
	CHECK(sent.policy.tmpls.tmpl[0].has & HAS(POSTERN_A_TMPL_MODE), t);
	CHECK(sent.policy.selector.src.len == 4, t);
	CHECK(run("policy add dir in") == EXIT_OK, t);
	CHECK(sent.policy.action == POSTERN_ACTION_BYPASS, t);
}

static void keys_may_be_text_or_hexadecimal(void)
{
	const char *t = __func__;

	CHECK(run("state add " ID "enc 'ecb(cipher_null)' '' auth hmac(sha256) secret")
	      == EXIT_OK, t);
	CHECK(sent.sa.crypt.key.len == 0, t);
	CHECK(sent.sa.auth.key.len == 6, t);
	CHECK(!memcmp(sent.sa.auth.key.b, "secret", 6), t);
	CHECK(run("state add " ID "auth-trunc hmac(sha256) 0xABcd 128")
	      == EXIT_OK, t);
	CHECK(sent.sa.auth.key.b[0] == 0xab && sent.sa.auth.icv_bits == 128, t);
}

static void policies_take_the_words_of_ip_xfrm(void)
{
	const char *t = __func__;
	const struct policy *p = &sent.policy;

	CHECK(run("p a dir fwd src 10.1.0.0/16 dst 10.2.0.1 proto udp sport 53 " PRIORITY TMPL
		  "level required") == EXIT_OK, t);
	CHECK(sent.cmd == POSTERN_CMD_POLICY_NEW, t);
	CHECK(p->dir == POSTERN_DIR_FWD && p->priority == 12, t);
	CHECK(p->selector.dst_len == 32 && p->selector.proto == 17, t);
	CHECK(p->tmpls.count == 1 && p->tmpls.tmpl[0].proto == 51, t);
	CHECK(p->tmpls.tmpl[0].reqid == 3, t);
	CHECK(run("policy update dir out action block tmpl proto esp")
	      == EXIT_OK, t);
	CHECK(p->action == POSTERN_ACTION_DISCARD, t);
	CHECK(!(p->has & HAS(POSTERN_A_POLICY_TMPL)), t);
	CHECK(run("policy del dir out src ::1") == EXIT_OK, t);
	CHECK(sent.cmd == POSTERN_CMD_POLICY_DEL, t);
	CHECK(p->selector.dst.len == 16, t);
	CHECK(run("policy delete index 9") == EXIT_OK && p->index == 9, t);
	CHECK(run("policy add dir out proto icmp type 8 code 0") == EXIT_OK, t);
	CHECK(p->selector.sport_first == 8 && p->selector.sport_last == 8, t);
	CHECK(run("policy add dir out flag icmp tcp-mss tmpl proto esp") == EXIT_OK, t);
	CHECK(p->flags == (POSTERN_POLICY_FLAG_TCP_MSS | POSTERN_POLICY_FLAG_ICMP), t);
	CHECK(run("policy add dir out dev if77") == EXIT_OK, t);
	CHECK(p->selector.has & HAS(POSTERN_A_SELECTOR_IFINDEX), t);
	CHECK(p->selector.ifindex == 77, t);
}

static void requests_carry_only_what_the_kernel_takes(void)
{
	const char *t = __func__;

	CHECK(run("state delete " ID) == EXIT_OK, t);
	CHECK(sent.sa.has == (HAS(POSTERN_A_SA_DST) | HAS(POSTERN_A_SA_PROTO) |
			      HAS(POSTERN_A_SA_SPI)), t);
	CHECK(run("state list dir in reqid 4 flag noecn") == EXIT_OK, t);
	CHECK(sent.sa.has == HAS(POSTERN_A_SA_REQID), t);
	CHECK(sent.cmd == POSTERN_CMD_SA_GET, t);
	CHECK(run("policy ls dir in src 10.0.0.0/8") == EXIT_OK, t);
	CHECK(sent.policy.has == HAS(POSTERN_A_POLICY_DIR), t);
}

static void bad_words_are_refused_and_send_nothing(void)
{
	static const char * const lines[] = {
		"state add",
		"state bogus",
		"state add " ID "bogus",
		"state add " ID "mode",
		"state add " ID "mode ro",
		"state add " ID "mode Tunnel",
		"state add " ID "spi 1",
		"state add src 10.0.0.1 dst 10.0.0.2 proto esp",
		"state add src 10.0.0.1 dst 10.0.0.2 proto 50 spi 1",
		"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0",
		"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi -1",
		"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi ' 1'",
		"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 1x",
		"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x100000000",
		"state add src 10.0.0 dst 10.0.0.2 proto esp spi 0x1000",
		"state add src 10.0.0.1/8 dst 10.0.0.2 proto esp spi 0x1000",
		"state add " ID "reqid 4294967296",
		"state add " ID "reqid 99999999999999999999999",
		"state add " ID "aead x 0x1 128",
		"state add " ID "aead x 0x1g 128",
		"state add " ID "aead x 0x11",
		"state add " ID "aead x 0x11 0",
		"state add " ID "aead '' 0x11 128",
		"state add " ID GCM GCM,
		"state add " ID "auth a b auth-trunc a b 96",
		"state add " ID "replay-window 16385",
		"state add " ID "replay-seq 0x100000000",
		"state add " ID "replay-seq-hi 0x100000000",
		"state add " ID "replay-oseq-hi 1 replay-oseq-hi 1",
		"state add " ID "flag",
		"state add " ID "flag noecn wildrecv",
		"state add " ID "extra-flag",
		"state add " ID "extra-flag noecn",
		"state add " ID "extra-flag oseq-may-wrap",
		"state add " ID "flag dont-encap-dscp",
		"state add " ID "ttl",
		"state add " ID "ttl 0",
		"state add " ID "ttl 256",
		"state add " ID "ttl inherited",
		"state add " ID "tos 3",
		"state add " ID "tos 256",
		"state add " ID "flowlabel 0x100000",
		"state add " ID "output-mark",
		"state add " ID "output-mark 0x100000000",
		"state add " ID "output-mark 1 mask",
		"state add " ID "mask 1",
		"state add " ID "sel",
		"state add " ID "sel sport 1",
		"state add " ID "sel src 10.0.0.0/33",
		"state add " ID "sel src 10.0.0.0/",
		"state add " ID "sel src ::/129",
		"state add " ID "sel src ::1 dst 10.0.0.1",
		"state add " ID "limit",
		"state add " ID "limit byte-soft 0",
		"state add " ID "limit byte-soft 18446744073709551615",
		"state add " ID "limit time-soft 1 limit time-soft 2",
		"state add " ID "if_id 1",
		"state add " ID "comp",
		"state delete dst 10.0.0.2 proto esp",
		"state flush proto hao",
		"state allocspi proto esp",
		"state allocspi dst 10.0.0.2 proto esp min 9 max 8",
		"state allocspi dst 10.0.0.2 proto esp spi 256 min 256 max 300",
		"state allocspi dst 10.0.0.2 proto esp spi 256 max 300",
		"state help bogus",
		"policy help bogus",
		"state count bogus",
		"policy add",
		"policy add dir sideways",
		"policy add dir out action protect",
		"policy add dir out action bypass tmpl proto esp",
		"policy add dir out action maybe",
		"policy add dir out tmpl",
		"policy add dir out tmpl reqid 1",
		"policy add dir out tmpl proto esp level unique",
		"policy add dir out dport 80",
		"policy add dir out proto tcp dport 80-70",
		"policy add dir out proto tcp dport 65536",
		"policy add dir out proto tcp dport 1-2-3",
		"policy add dir out proto icmp type 256",
		"policy add dir out proto tcp type 1",
		"policy add dir out proto 256",
		"policy add dir out dev no-such-device",
		"policy add dir out index 8",
		"policy add dir out mark 1",
		"policy add dir out flag localok",
		"policy add dir out flag af-unspec",
		"policy add dir out priority -1",
		"policy delete src 10.0.0.1",
		"policy delete index 0",
		"policy delete index 9 src 10.0.0.1",
		"policy get dir out src 10.0.0.1 dst ::1",
	};
	unsigned int i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		check(run(lines[i]) != EXIT_OK && !sent.count, __func__,
		      lines[i]);
}

/* A command line with its last words missing never does harm. */
static void cut_lines_are_refused_or_smaller(void)
{
	static const char whole[] = "state add " ID "mode tunnel " GCM
		"flag noecn " SEL LIMITS NUMBERS;
	char line[sizeof(whole)];
	size_t i;

	for (i = 1; i < sizeof(whole); i++) {
		memcpy(line, whole, i);
		line[i] = '\0';
		run(line);
	}
	CHECK(i == sizeof(whole), __func__);
}

static void attributes_survive_a_round_trip(void)
{
	static struct sa a, b;
	static union message m;
	const char *t = __func__;
	size_t len;

	CHECK(run("state add " ID "mode tunnel reqid 7 " GCM
		  SEL "limit byte-hard 1000 replay-seq 5") == EXIT_OK, t);
	a = sent.sa;
	a.has |= HAS(POSTERN_A_SA_DROP) | HAS(POSTERN_A_SA_ID);
	a.id = 0x123456789abcULL;
	a.replay.has |= HAS(POSTERN_A_REPLAY_BITMAP);
	a.replay.bitmap.len = 8;
	a.replay.bitmap.word[1] = 0xdeadbeef;
	a.drops.count = 2;
	a.drops.drop[1].has = HAS(POSTERN_A_DROP_REASON) |
			      HAS(POSTERN_A_DROP_PACKETS) |
			      HAS(POSTERN_A_DROP_NAME);
	a.drops.drop[1].reason = 3;
	a.drops.drop[1].packets = 99;
	strcpy(a.drops.drop[1].name, "in-replay");
	len = encode(&m, &sa_fields, &a);
	CHECK(len, t);
	CHECK(fields_parse(&sa_fields, &b, attrs(&m), len) == 0, t);
	CHECK(!memcmp(&a, &b, sizeof(a)), t);
	sa_wipe(&a);
	CHECK(!a.has && !a.aead.key.len && !a.aead.key.b[0], t);
}

static void attributes_that_lie_are_refused(void)
{
	static struct sa sa;
	static union message m;
	const char *t = __func__;
	unsigned int seed = 1, round;
	char *copy;
	size_t len, i;

	CHECK(run("state add " ID "mode tunnel reqid 7 " GCM
		  "sel src 10.1.0.0/16 limit byte-hard 1000") == EXIT_OK, t);
	len = encode(&m, &sa_fields, &sent.sa);
	/* Copies of the exact size, so that a sanitizer sees each overrun. */
	for (i = 0; i < len; i++) {
		copy = malloc(i ? i : 1);
		memcpy(copy, attrs(&m), i);
		fields_parse(&sa_fields, &sa, copy, i);
		free(copy);
	}
	copy = malloc(len);
	for (round = 0; round < 20000; round++) {
		memcpy(copy, attrs(&m), len);
		for (i = 0; i < 1 + round % 4; i++)
			copy[rand_r(&seed) % len] = rand_r(&seed);
		fields_parse(&sa_fields, &sa, copy, len);
		if (sa.aead.key.len > POSTERN_KEY_MAX ||
		    sa.dst.len > POSTERN_ADDR_MAX)
			break;
	}
	CHECK(round == 20000, t);
	free(copy);
}

static void a_full_message_is_noticed(void)
{
	static struct sa sa;
	static union message m;
	const char *t = __func__;

	sa.has = HAS(POSTERN_A_SA_DROP);
	sa.drops.count = DROPS_MAX;
	for (unsigned int i = 0; i < DROPS_MAX; i++) {
		sa.drops.drop[i].has = HAS(POSTERN_A_DROP_TEXT);
		memset(sa.drops.drop[i].text, 'x', 100);
	}
	CHECK(encode(&m, &sa_fields, &sa) == 0, t);
}

static void a_refused_attribute_is_named(void)
{
	static union message m;
	const char *t = __func__;
	const struct nlattr *attr, *inner;
	char path[64], expected[64];
	uint32_t offset;

	CHECK(run("state add " ID GCM) == EXIT_OK, t);
	CHECK(encode(&m, &sa_fields, &sent.sa), t);
	mnl_attr_for_each(attr, &m.nlh, GENL_HDRLEN) {
		offset = (const char *)attr - m.buf;
		fields_path(&sa_fields, &m.nlh, offset, path, sizeof(path));
		CHECK(!strcmp(path, fields_name(&sa_fields,
						mnl_attr_get_type(attr))), t);
		if (mnl_attr_get_type(attr) != POSTERN_A_SA_AEAD)
			continue;
		mnl_attr_for_each_nested(inner, attr) {
			offset = (const char *)inner - m.buf;
			fields_path(&sa_fields, &m.nlh, offset, path,
				    sizeof(path));
			snprintf(expected, sizeof(expected), "aead %s",
				 mnl_attr_get_type(inner) ==
				 POSTERN_A_ALGO_NAME ? "name" :
				 mnl_attr_get_type(inner) ==
				 POSTERN_A_ALGO_KEY ? "key" : "icv-bits");
			CHECK(!strcmp(path, expected), t);
		}
	}
	fields_path(&sa_fields, &m.nlh, 100000, path, sizeof(path));
	CHECK(!path[0], t);
}

static void lines_split_like_a_shell(void)
{
	static const struct {
		const char *line;
		int count;
		const char *last;
	} cases[] = {
		{ "", 0, NULL },
		{ "\t", 0, NULL },
		{ "# a b", 0, NULL },
		{ "a b # c", 2, "b" },
		{ "a b#c", 2, "b#c" },
		{ "a 'b c'", 2, "b c" },
		{ "a \"b 'c\"", 2, "b 'c" },
		{ "a ''", 2, "" },
		{ "a x'y z'w", 2, "xy zw" },
		{ "a 'b", -1, NULL },
		{ "a b c d e", -1, NULL },
	};
	char line[32], *word[4];
	unsigned int i;
	int n;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(line, cases[i].line);
		n = batch_split(line, word, 4);
		check(n == cases[i].count, __func__, cases[i].line);
		if (n > 0)
			check(!strcmp(word[n - 1], cases[i].last), __func__,
			      cases[i].line);
	}
}

/* Errors go nowhere; the number of requests comes in sent.count. */
static int run_file(const char *name)
{
	FILE *keep = stderr;
	int ret;

	sent.count = 0;
	stderr = fopen("/dev/null", "w");
	ret = batch_run(name);
	fclose(stderr);
	stderr = keep;
	return ret;
}

static int run_octets(const char *text, size_t len)
{
	char name[] = "/tmp/postern-units-XXXXXX";
	int fd = mkstemp(name), ret;

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		abort();
	close(fd);
	ret = run_file(name);
	unlink(name);
	return ret;
}

static int run_batch(const char *text)
{
	return run_octets(text, strlen(text));
}

static void batch_files_stop_at_the_first_error(void)
{
	const char *t = __func__;

	CHECK(run_batch("state flush\n# note\n\nxfrm policy flush\n") == 0, t);
	CHECK(sent.count == 2, t);
	CHECK(run_batch("state flush\nbogus bogus\npolicy flush\n")
	      == EXIT_USAGE, t);
	CHECK(sent.count == 1, t);
	options.force = true;
	CHECK(run_batch("state flush\nbogus bogus\npolicy flush\n")
	      == EXIT_USAGE, t);
	CHECK(sent.count == 2, t);
	options.force = false;
	CHECK(run_batch("policy add dir in action allow\n") == 0, t);
	CHECK(sent.cmd == POSTERN_CMD_POLICY_NEW, t);
	options.replace = true;
	CHECK(run_batch("policy add dir in action allow\n") == 0, t);
	CHECK(sent.cmd == POSTERN_CMD_POLICY_UPDATE, t);
	options.replace = false;
	CHECK(run_batch("state flush \\\nproto \\\nah\n") == 0, t);
	CHECK(sent.sa.proto == 51, t);
	CHECK(run_batch("state flush \\") == EXIT_USAGE, t);
	CHECK(run_batch("state flush 'x\n") == EXIT_USAGE, t);
	CHECK(run_file("/") == EXIT_USAGE, t);
	CHECK(run_octets("state flush\0 proto ah\n", 22) == EXIT_USAGE, t);
	CHECK(sent.count == 0, t);
}

static void prefixes_hold_addresses(void)
{
	const char *t = __func__;
	struct addr a, b;

	CHECK(address("10.1.2.3", &a) && address("10.1.0.0", &b), t);
	CHECK(addr_within(&a, &b, 16) && addr_within(&a, &b, 22), t);
	CHECK(!addr_within(&a, &b, 23) && !addr_within(&a, &b, 33), t);
	CHECK(addr_within(&a, &b, 0), t);
	CHECK(address("::1", &b) && !addr_within(&a, &b, 0), t);
	CHECK(!address("10.1.2", &a) && !address("", &a), t);
}

/* A dump of @nets; each is a source with its length in bits. */
static void set_dumped(const char * const *nets)
{
	char line[64];

	for (dumped.count = 0; nets[dumped.count]; dumped.count++) {
		snprintf(line, sizeof(line), "policy add dir out src %s",
			 nets[dumped.count]);
		if (run(line) != EXIT_OK)
			abort();
		sent.policy.has |= HAS(POSTERN_A_POLICY_INDEX);
		sent.policy.index = dumped.count + 1;
		dumped.policy[dumped.count] = sent.policy;
	}
}

static void filters_never_take_what_is_wider(void)
{
	static const char * const nets[] = { "10.0.0.0/8", "10.0.0.0/16",
					     "10.0.3.0/24", "11.0.0.0/16", NULL };
	const char *t = __func__;

	set_dumped(nets);
	CHECK(run("policy deleteall src 10.0.0.0/16") == EXIT_OK, t);
	CHECK(sent.count == 2 && sent.policy.index == 3, t);
	CHECK(run("policy deleteall src 10.0.0.0/8") == EXIT_OK, t);
	CHECK(sent.count == 3, t);
	CHECK(run("policy deleteall dst 10.0.0.0/8") == EXIT_OK, t);
	CHECK(sent.count == 0, t);
	CHECK(run("policy deleteall") == EXIT_OK && sent.count == 4, t);
}

static void interrupted_dumps_count_once(void)
{
	static const char * const nets[] = { "10.0.0.0/8", "10.1.0.0/16",
					     NULL };
	const char *t = __func__;

	set_dumped(nets);
	dumped.interrupts = 2;
	CHECK(run("policy deleteall") == EXIT_OK && sent.count == 2, t);
	dumped.interrupts = 0;
	dumped.count = 0;
}

int main(void)
{
	state_add_takes_the_words_of_ip_xfrm();
	numbers_of_64_bits_are_given_in_halves();
	outer_header_has_words();
	encap_has_ports();
	defaults_are_those_of_ip_xfrm();
	keys_may_be_text_or_hexadecimal();
	policies_take_the_words_of_ip_xfrm();
	requests_carry_only_what_the_kernel_takes();
	bad_words_are_refused_and_send_nothing();
	cut_lines_are_refused_or_smaller();
	attributes_survive_a_round_trip();
	attributes_that_lie_are_refused();
	a_full_message_is_noticed();
	a_refused_attribute_is_named();
	lines_split_like_a_shell();
	batch_files_stop_at_the_first_error();
	prefixes_hold_addresses();
	filters_never_take_what_is_wider();
	interrupted_dumps_count_once();
	return check_end();
}
