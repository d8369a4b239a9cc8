// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"
#include "out.h"
#include "print.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SA(member) offsetof(struct sa, member)

static bool parse_sel(struct args *a, const struct word *w, void *object)
{
	struct selector *sel = (void *)((char *)object + w->offset);
	unsigned int taken;

	if (!words_parse(a, selector_words, sel, &taken))
		return false;
	if (!taken)
		return words_parse_one(a, selector_words, sel, w->word);
	return selector_finish(sel, options.family);
}

static bool parse_limit(struct args *a, const struct word *w, void *object)
{
	struct sa *sa = object;

	sa->has |= HAS(POSTERN_A_SA_LIFETIME);
	return words_parse_one(a, limit_words, &sa->lifetime, w->word);
}

static bool parse_sa_flags(struct args *a, const struct word *w, void *object)
{
	struct sa *sa = object;

	sa->has |= HAS(POSTERN_A_SA_FLAGS);
	return parse_flags(a, w, object);
}

static bool parse_ttl(struct args *a, const struct word *w, void *object)
{
	const char *s = args_value(a, w->word);
	struct sa *sa = object;
	uint64_t n = 0;

	if (!s)
		return false;
	if (strcmp(s, "inherit") && !number(s, 1, 255, &n))
		return wrong(s, "\"%s\" takes inherit or a number from 1 to 255",
			     w->word);
	sa->ttl = n;
	return true;
}

static bool parse_mark(struct args *a, const struct word *w, void *object)
{
	static const struct word mask = {
		"mask", .offset = SA(output_mark_mask), .width = 4,
		.max = 0xffffffff
	};
	struct sa *sa = object;

	if (!parse_number(a, w, object))
		return false;
	if (!a->count || strcmp(a->word[0], mask.word))
		return true;
	args_take(a);
	sa->has |= HAS(POSTERN_A_SA_OUTPUT_MARK_MASK);
	return parse_number(a, &mask, object);
}

/* "espinudp SPORT DPORT OADDR"; 0.0.0.0 is no address, also with an SA of IPv6. */
static bool parse_encap(struct args *a, const struct word *w, void *object)
{
	const char *type = args_value(a, w->word), *s = NULL;
	struct sa *sa = object;
	uint64_t port[2];
	unsigned int i;

	if (!type)
		return false;
	if (strcmp(type, "espinudp"))
		return wrong(type, "\"%s\" takes espinudp SPORT DPORT OADDR",
			     w->word);
	for (i = 0; i < 2; i++) {
		s = args_value(a, w->word);
		if (!s)
			return false;
		if (!number(s, 1, 65535, &port[i]))
			return wrong(s, "a port is a number from 1 to 65535");
	}
	s = args_value(a, w->word);
	if (!s || !address(s, &sa->encap.original))
		return s && wrong(s, "OADDR is an address, 0.0.0.0 for none");
	sa->encap.has = HAS(POSTERN_A_ENCAP_SPORT) | HAS(POSTERN_A_ENCAP_DPORT);
	sa->encap.sport = port[0];
	sa->encap.dport = port[1];
	for (i = 0; i < sa->encap.original.len; i++)
		if (sa->encap.original.b[i])
			sa->encap.has |= HAS(POSTERN_A_ENCAP_ORIGINAL);
	return true;
}

static bool parse_keys(struct args *a, const struct word *w, void *object)
{
	options.keys = true;
	return parse_presence(a, w, object);
}

#define ID_WORDS \
	{ "src", parse_addr, "ADDR", SA(src), .attr = POSTERN_A_SA_SRC }, \
	{ "dst", parse_addr, "ADDR", SA(dst), .attr = POSTERN_A_SA_DST }, \
	{ "proto", parse_name, "{ esp | ah | comp }", SA(proto), .attr = POSTERN_A_SA_PROTO, \
	  .width = 1, .names = xfrm_proto_names }, \
	{ "spi", parse_spi, "SPI", SA(spi), .attr = POSTERN_A_SA_SPI, .width = 4 }

#define COMMON_WORDS \
	ID_WORDS, \
	{ "mode", parse_name, "{ transport | tunnel | beet }", SA(mode), \
	  .attr = POSTERN_A_SA_MODE, .width = 1, .names = mode_names }, \
	{ "reqid", parse_number, "REQID", SA(reqid), .attr = POSTERN_A_SA_REQID, \
	  .width = 4, .max = 0xffffffff }, \
	{ "owner", parse_number, "OWNER", SA(owner), .attr = POSTERN_A_SA_OWNER, \
	  .width = 4, .max = 0xffffffff }

/* What "ip xfrm state" takes besides. */
#define FOREIGN_WORDS \
	{ .word = "seq" }, \
	{ .word = "mark" }, \
	{ .word = "if_id" }, \
	{ .word = "coa" }, \
	{ .word = "ctx" }, \
	{ .word = NULL }

static const struct word add_words[] = {
	COMMON_WORDS,
	{ "aead", parse_algo, "NAME KEY ICV-BITS", SA(aead),
	  .attr = POSTERN_A_SA_AEAD, .min = 1, .max = 512 },
	{ "auth", parse_algo, "NAME KEY", SA(auth), .attr = POSTERN_A_SA_AUTH },
	{ "auth-trunc", parse_algo, "NAME KEY ICV-BITS", SA(auth),
	  .attr = POSTERN_A_SA_AUTH, .min = 1, .max = 512 },
	{ "enc", parse_algo, "NAME KEY", SA(crypt), .attr = POSTERN_A_SA_CRYPT },
	{ "comp", parse_comp, "NAME", SA(comp), .attr = POSTERN_A_SA_COMP },
	{ "dir", parse_name, "{ in | out }", SA(dir), .attr = POSTERN_A_SA_DIR,
	  .width = 1, .names = sa_dir_names },
	{ "replay-window", parse_number, "PACKETS", SA(replay_window),
	  .attr = POSTERN_A_SA_REPLAY_WINDOW, .width = 4, .max = POSTERN_WINDOW_MAX },
	{ "flag", parse_sa_flags, "FLAG-LIST", SA(flags), .width = 4,
	  .names = sa_flag_names },
	{ "extra-flag", parse_sa_flags, "EXTRA-FLAG-LIST", SA(flags), .width = 4,
	  .names = sa_extra_flag_names },
	{ "ttl", parse_ttl, "{ TTL | inherit }", .attr = POSTERN_A_SA_TTL },
	{ "tos", parse_number, "TOS", SA(tos), .attr = POSTERN_A_SA_TOS, .width = 1,
	  .min = 4, .max = 252 },
	{ "flowlabel", parse_number, "LABEL", SA(flow_label),
	  .attr = POSTERN_A_SA_FLOW_LABEL, .width = 4, .max = 0xfffff },
	{ "output-mark", parse_mark, "MARK [ mask MASK ]", SA(output_mark),
	  .attr = POSTERN_A_SA_OUTPUT_MARK, .width = 4, .max = 0xffffffff },
	{ "tfcpad", parse_number, "OCTETS", SA(tfcpad), .attr = POSTERN_A_SA_TFCPAD,
	  .width = 2, .max = 65535 },
	{ "encap", parse_encap, "espinudp SPORT DPORT OADDR",
	  .attr = POSTERN_A_SA_ENCAP },
	{ "nat-keepalive-interval", parse_number, "SECONDS",
	  SA(nat_keepalive_interval), .attr = POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL,
	  .width = 4, .max = 0xffffffff },
	{ "sel", parse_sel, "SELECTOR", SA(selector), .attr = POSTERN_A_SA_SELECTOR },
	{ "limit", parse_limit, .usage = "LIMIT" },
	{ .word = "offload" },
	{ .word = "pcpu-num" },
	{ .word = "iptfs-opts" },
	FOREIGN_WORDS
};

#define REPLAY(member) offsetof(struct replay, member)

static const struct word replay_words[] = {
	{ "replay-seq", parse_number, "SEQ", REPLAY(seq),
	  .attr = POSTERN_A_REPLAY_SEQ, .width = 8, .max = 0xffffffff },
	{ "replay-oseq", parse_number, "SEQ", REPLAY(oseq),
	  .attr = POSTERN_A_REPLAY_OSEQ, .width = 8, .max = 0xffffffff },
	{ .word = NULL }
};

/* The same numbers, divided by 2^32. */
static const struct word replay_high_words[] = {
	{ "replay-seq-hi", parse_number, "SEQ", REPLAY(seq),
	  .attr = POSTERN_A_REPLAY_SEQ, .width = 8, .max = 0xffffffff },
	{ "replay-oseq-hi", parse_number, "SEQ", REPLAY(oseq),
	  .attr = POSTERN_A_REPLAY_OSEQ, .width = 8, .max = 0xffffffff },
	{ .word = NULL }
};

static const struct word allocspi_words[] = {
	COMMON_WORDS,
	{ "min", parse_number, "SPI", SA(spi_min), .attr = POSTERN_A_SA_SPI_MIN,
	  .width = 4, .min = 1, .max = 0xffffffff },
	{ "max", parse_number, "SPI", SA(spi_max), .attr = POSTERN_A_SA_SPI_MAX,
	  .width = 4, .min = 1, .max = 0xffffffff },
	FOREIGN_WORDS
};

static const struct word get_words[] = {
	ID_WORDS,
	{ "keys", .parse = parse_keys },
	{ "nokeys", .parse = parse_presence },
	FOREIGN_WORDS
};

static const struct word dummy_words[] = {
	ID_WORDS,
	{ "count", parse_number, "PACKETS", SA(count), .attr = POSTERN_A_SA_COUNT,
	  .width = 4, .min = 1, .max = 1000 },
	{ "size", parse_number, "OCTETS", SA(dummy_len), .attr = POSTERN_A_SA_DUMMY_LEN,
	  .width = 2, .max = 65535 },
	FOREIGN_WORDS
};

static const struct word list_words[] = {
	COMMON_WORDS,
	{ "dir", parse_name, "{ in | out }", SA(dir), .attr = POSTERN_A_SA_DIR,
	  .width = 1, .names = sa_dir_names },
	{ "flag", parse_flags, "FLAG-LIST", SA(flags), .attr = POSTERN_A_SA_FLAGS,
	  .width = 4, .names = sa_flag_names + SA_FLAGS_OF_ALL },
	{ "keys", .parse = parse_keys },
	{ "nokeys", .parse = parse_presence },
	FOREIGN_WORDS
};

static const struct word flush_words[] = {
	{ "proto", parse_name, "{ esp | ah }", SA(proto), .attr = POSTERN_A_SA_PROTO,
	  .width = 1, .names = xfrm_proto_names },
	{ "owner", parse_number, "OWNER", SA(owner), .attr = POSTERN_A_SA_OWNER,
	  .width = 4, .max = 0xffffffff },
	{ .word = NULL }
};

static bool parse_all(struct args *a, const struct word *table, struct sa *sa)
{
	const struct word_set sets[] = { { table, sa }, { NULL, NULL } };

	return words_parse_all(a, sets);
}

/* The identity of an SA; a source address is no part of it but to a group. */
static bool has_id(const struct sa *sa)
{
	static const struct {
		uint16_t attr;
		const char *word;
	} need[] = {
		{ POSTERN_A_SA_DST, "dst" },
		{ POSTERN_A_SA_PROTO, "proto" },
		{ POSTERN_A_SA_SPI, "spi" },
	};
	unsigned int i;

	for (i = 0; i < sizeof(need) / sizeof(need[0]); i++) {
		if (sa->has & HAS(need[i].attr))
			continue;
		fprintf(stderr, "Error: \"%s\" is missing: an SA is named by dst, proto and spi.\n",
			need[i].word);
		return false;
	}
	return true;
}

#define ID_HAS (HAS(POSTERN_A_SA_DST) | HAS(POSTERN_A_SA_PROTO) | \
		HAS(POSTERN_A_SA_SPI))

/* Senders to a group may have an SA each. */
static uint64_t id_of(const struct sa *sa)
{
	return ID_HAS | (addr_multicast(&sa->dst) ?
			 sa->has & HAS(POSTERN_A_SA_SRC) : 0);
}

static int write_sa(struct args *a, uint8_t cmd)
{
	struct replay high = { 0 };
	struct sa sa = { 0 };
	const struct word_set sets[] = {
		{ add_words, &sa },
		{ replay_words, &sa.replay },
		{ replay_high_words, &high },
		{ NULL, NULL }
	};
	int ret = EXIT_USAGE;

	if (!words_parse_all(a, sets) || !has_id(&sa))
		goto out;
	sa.replay.has |= high.has;
	sa.replay.seq |= high.seq << 32;
	sa.replay.oseq |= high.oseq << 32;
	if (sa.replay.has)
		sa.has |= HAS(POSTERN_A_SA_REPLAY);
	/* As in "ip xfrm": transport unless said otherwise. */
	if (cmd == POSTERN_CMD_SA_NEW)
		sa.has |= HAS(POSTERN_A_SA_MODE);
	ret = cmd_send(cmd, &sa_fields, &sa, NULL, NULL);
out:
	sa_wipe(&sa);
	return ret;
}

static int state_add(struct args *a)
{
	return write_sa(a, POSTERN_CMD_SA_NEW);
}

static int state_update(struct args *a)
{
	return write_sa(a, POSTERN_CMD_SA_UPDATE);
}

static int state_delete(struct args *a)
{
	struct sa sa = { 0 };

	if (!parse_all(a, get_words, &sa) || !has_id(&sa))
		return EXIT_USAGE;
	sa.has &= id_of(&sa);
	return cmd_send(POSTERN_CMD_SA_DEL, &sa_fields, &sa, NULL, NULL);
}

static int print_one(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct sa sa;
	int err;

	(void)cmd;
	(void)data;
	err = fields_parse(&sa_fields, &sa, attrs, len);
	if (!err) {
		out_record();
		sa_print(&sa);
		out_record_end();
	}
	sa_wipe(&sa);
	return err;
}

static int state_get(struct args *a)
{
	struct sa sa = { 0 };

	if (!parse_all(a, get_words, &sa) || !has_id(&sa))
		return EXIT_USAGE;
	sa.has &= id_of(&sa);
	if (options.keys)
		sa.has |= HAS(POSTERN_A_SA_WITH_KEYS);
	return cmd_send(POSTERN_CMD_SA_GET, &sa_fields, &sa, print_one,
			NULL);
}

static int state_dummy(struct args *a)
{
	struct sa sa = { 0 };

	if (!parse_all(a, dummy_words, &sa) || !has_id(&sa))
		return EXIT_USAGE;
	if (!addr_multicast(&sa.dst))
		sa.has &= ~HAS(POSTERN_A_SA_SRC);
	return cmd_send(POSTERN_CMD_SA_DUMMY, &sa_fields, &sa, NULL, NULL);
}

static int state_allocspi(struct args *a)
{
	struct sa sa = { 0 };

	if (!parse_all(a, allocspi_words, &sa))
		return EXIT_USAGE;
	/* An SPI by name is a range of one. */
	if (sa.has & HAS(POSTERN_A_SA_SPI)) {
		if (sa.has & (HAS(POSTERN_A_SA_SPI_MIN) |
			      HAS(POSTERN_A_SA_SPI_MAX))) {
			fputs("Error: \"spi\" names one SPI; \"min\" and \"max\" do not go with it.\n",
			      stderr);
			return EXIT_USAGE;
		}
		sa.spi_min = ntohl(sa.spi);
		sa.spi_max = sa.spi_min;
		sa.has |= HAS(POSTERN_A_SA_SPI_MIN) |
			  HAS(POSTERN_A_SA_SPI_MAX);
		sa.has &= ~HAS(POSTERN_A_SA_SPI);
	}
	if (!(sa.has & HAS(POSTERN_A_SA_DST)) ||
	    !(sa.has & HAS(POSTERN_A_SA_PROTO))) {
		fprintf(stderr, "Error: \"%s\" is missing: allocspi needs dst and proto.\n",
			sa.has & HAS(POSTERN_A_SA_DST) ? "proto" : "dst");
		return EXIT_USAGE;
	}
	if (sa.has & HAS(POSTERN_A_SA_SPI_MIN) &&
	    sa.has & HAS(POSTERN_A_SA_SPI_MAX) && sa.spi_min > sa.spi_max) {
		fputs("Error: \"min\" is greater than \"max\".\n", stderr);
		return EXIT_USAGE;
	}
	return cmd_send(POSTERN_CMD_SA_ALLOCSPI, &sa_fields, &sa, print_one,
			NULL);
}

/* What the kernel has already selected, and the rest. */
struct listing {
	struct sa filter;
	struct sa *found;	/* identities, for deleteall */
	size_t count;
	bool collect;
};

static bool selected(const struct listing *l, const struct sa *sa)
{
	const struct sa *f = &l->filter;

	if (options.family && addr_family(&sa->dst) != options.family)
		return false;
	if (f->has & HAS(POSTERN_A_SA_DIR) && f->dir != sa->dir)
		return false;
	return !(f->has & HAS(POSTERN_A_SA_FLAGS)) ||
	       (sa->flags & f->flags) == f->flags;
}

static int collect(struct listing *l, const struct sa *sa)
{
	struct sa *more;

	more = realloc(l->found, (l->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	l->found = more;
	more[l->count] = *sa;
	more[l->count++].has = id_of(sa);
	return 0;
}

static int on_listed(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct listing *l = data;
	struct sa sa;
	int err;

	(void)cmd;
	err = fields_parse(&sa_fields, &sa, attrs, len);
	if (err)
		goto out;
	if (!selected(l, &sa))
		goto out;
	if (l->collect) {
		err = collect(l, &sa);
		goto out;
	}
	out_record();
	sa_print(&sa);
	out_record_end();
out:
	sa_wipe(&sa);
	return err;
}

static void forget(void *data)
{
	struct listing *l = data;

	l->count = 0;
}

static int list(struct listing *l)
{
	struct sa request = l->filter;

	request.has &= ~(HAS(POSTERN_A_SA_DIR) | HAS(POSTERN_A_SA_FLAGS));
	if (options.keys && !l->collect)
		request.has |= HAS(POSTERN_A_SA_WITH_KEYS);
	return cmd_dump(POSTERN_CMD_SA_GET, &sa_fields, &request, on_listed, l,
			l->collect ? forget : NULL);
}

static int state_list(struct args *a)
{
	struct listing l = { 0 };
	int ret;

	if (!parse_all(a, list_words, &l.filter))
		return EXIT_USAGE;
	out_begin();
	ret = list(&l);
	out_end(ret == EXIT_OK);
	return ret;
}

static int state_deleteall(struct args *a)
{
	struct listing l = { .collect = true };
	int ret;
	size_t i;

	if (!parse_all(a, list_words, &l.filter))
		return EXIT_USAGE;
	ret = list(&l);
	for (i = 0; !ret && i < l.count; i++)
		ret = cmd_delete(POSTERN_CMD_SA_DEL, &sa_fields, &l.found[i]);
	free(l.found);
	return ret;
}

static int on_flushed(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct sa sa;
	int err;

	(void)cmd;
	(void)data;
	err = fields_parse(&sa_fields, &sa, attrs, len);
	if (err || !options.stats)
		return err;
	out_record();
	out_number("deleted", "Deleted %llu SAs", sa.count);
	out_line();
	out_record_end();
	return 0;
}

static int state_flush(struct args *a)
{
	struct sa sa = { 0 };

	if (!parse_all(a, flush_words, &sa))
		return EXIT_USAGE;
	return cmd_send(POSTERN_CMD_SA_FLUSH, &sa_fields, &sa, on_flushed,
			NULL);
}

static int on_stats(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	return fields_parse(&stats_fields, data, attrs, len);
}

static int state_count(struct args *a)
{
	struct stats stats = { 0 };
	int ret;

	if (!words_parse_all(a, no_words))
		return EXIT_USAGE;
	ret = cmd_send(POSTERN_CMD_STATS_GET, &stats_fields, NULL, on_stats,
		       &stats);
	if (ret)
		return ret;
	out_record();
	out_number("sa-count", "\t SAD count %llu", stats.sa_count);
	out_line();
	out_record_end();
	return EXIT_OK;
}

void help_state(void)
{
	puts("Usage: postern state { add | update }");
	words_usage(add_words, 15);
	words_usage(replay_words, 15);
	words_usage(replay_high_words, 15);
	puts("       postern state allocspi");
	words_usage(allocspi_words, 15);
	puts("       postern state { delete | get }");
	words_usage(get_words, 15);
	puts("       postern state dummy");
	words_usage(dummy_words, 15);
	puts("       postern state { list | deleteall }");
	words_usage(list_words, 15);
	puts("       postern state flush");
	words_usage(flush_words, 15);
	puts("       postern state count");
	puts("FLAG-LIST := [ noecn ] [ decap-dscp ] [ nopmtudisc ] [ set-df ] [ esn ]");
	puts("             [ align4 ]");
	puts("EXTRA-FLAG-LIST := [ dont-encap-dscp ] [ allow-weak ] [ iiv ]");
	puts("                   [ flowlabel-hash ]");
	puts("SELECTOR :=");
	words_usage(selector_words, 8);
	puts("LIMIT := one of");
	words_usage(limit_words, 8);
}

static int state_help(struct args *a)
{
	return help_run(a, help_state);
}

static const struct command commands[] = {
	{ "add", state_add },
	{ "update", state_update },
	{ "allocspi", state_allocspi },
	{ "delete", state_delete },
	{ "deleteall", state_deleteall },
	{ "delall", state_deleteall },
	{ "list", state_list },
	{ "show", state_list },
	{ "lst", state_list },
	{ "ls", state_list },
	{ "get", state_get },
	{ "flush", state_flush },
	{ "count", state_count },
	{ "dummy", state_dummy },
	{ "help", state_help },
	{ NULL, NULL }
};

int cmd_state(struct args *a)
{
	return object_run(commands, "state", a, state_list);
}
