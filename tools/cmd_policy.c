// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"
#include "out.h"
#include "print.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define POLICY(member) offsetof(struct policy, member)
#define TMPL(member) offsetof(struct tmpl, member)

/*
 * The words of "ip xfrm" are allow and block; ours say which of the three
 * actions of RFC 4301 is meant. Allow is protect with a template and bypass
 * without.
 */
#define ACTION_ALLOW	0

static const struct name action_names[] = {
	{ "allow", ACTION_ALLOW },
	{ "block", POSTERN_ACTION_DISCARD },
	{ "protect", POSTERN_ACTION_PROTECT },
	{ "bypass", POSTERN_ACTION_BYPASS },
	{ "discard", POSTERN_ACTION_DISCARD },
	{ NULL, 0 }
};

/* The only value is the default. */
static const struct name ptype_names[] = { { "main", 0 }, { NULL, 0 } };

static const struct word tmpl_words[] = {
	{ "src", parse_addr, "ADDR", TMPL(src), .attr = POSTERN_A_TMPL_SRC },
	{ "dst", parse_addr, "ADDR", TMPL(dst), .attr = POSTERN_A_TMPL_DST },
	{ "proto", parse_name, "{ esp | ah | comp }", TMPL(proto),
	  .attr = POSTERN_A_TMPL_PROTO, .width = 1, .names = xfrm_proto_names },
	{ "spi", parse_spi, "SPI", TMPL(spi), .attr = POSTERN_A_TMPL_SPI, .width = 4 },
	{ "mode", parse_name, "{ transport | tunnel | beet }", TMPL(mode),
	  .attr = POSTERN_A_TMPL_MODE, .width = 1, .names = mode_names },
	{ "reqid", parse_number, "REQID", TMPL(reqid), .attr = POSTERN_A_TMPL_REQID,
	  .width = 4, .max = 0xffffffff },
	{ "level", parse_name, "{ required | use }", TMPL(level),
	  .attr = POSTERN_A_TMPL_LEVEL, .width = 1, .names = level_names },
	{ .word = NULL }
};

static bool parse_tmpl(struct args *a, const struct word *w, void *object)
{
	struct policy *p = object;
	unsigned int taken;
	struct tmpl *t;

	if (p->tmpls.count == TMPLS_MAX) {
		fputs("Error: a policy has at most 6 \"tmpl\".\n", stderr);
		return false;
	}
	t = &p->tmpls.tmpl[p->tmpls.count];
	if (!words_parse(a, tmpl_words, t, &taken))
		return false;
	if (!taken)
		return words_parse_one(a, tmpl_words, t, w->word);
	if (!(t->has & HAS(POSTERN_A_TMPL_PROTO))) {
		fputs("Error: \"tmpl\" needs \"proto\" esp, ah or comp.\n", stderr);
		return false;
	}
	/* As in "ip xfrm": transport unless said otherwise. */
	t->has |= HAS(POSTERN_A_TMPL_MODE);
	p->tmpls.count++;
	p->has |= HAS(POSTERN_A_POLICY_TMPL);
	return true;
}

#define DIR_WORD \
	{ "dir", parse_name, "{ in | out | fwd }", POLICY(dir), \
	  .attr = POSTERN_A_POLICY_DIR, .width = 1, .names = dir_names }
#define PRIORITY_WORD \
	{ "priority", parse_number, "PRIORITY", POLICY(priority), \
	  .attr = POSTERN_A_POLICY_PRIORITY, .width = 4, .max = 0xffffffff }
#define INDEX_WORD \
	{ "index", parse_number, "INDEX", POLICY(index), \
	  .attr = POSTERN_A_POLICY_INDEX, .width = 4, .min = 1, .max = 0xffffffff }
#define ACTION_WORD \
	{ "action", parse_name, "ACTION", POLICY(action), \
	  .attr = POSTERN_A_POLICY_ACTION, .width = 1, .names = action_names }
#define OWNER_WORD \
	{ "owner", parse_number, "OWNER", POLICY(owner), \
	  .attr = POSTERN_A_POLICY_OWNER, .width = 4, .max = 0xffffffff }
#define PTYPE_WORD \
	{ "ptype", parse_name, "main", .names = ptype_names }

/* What "ip xfrm policy" takes besides. */
#define FOREIGN_WORDS \
	{ .word = "mark" }, \
	{ .word = "if_id" }, \
	{ .word = "ctx" }, \
	{ .word = "limit" }, \
	{ .word = NULL }

static const struct word add_words[] = {
	DIR_WORD,
	PRIORITY_WORD,
	ACTION_WORD,
	OWNER_WORD,
	PTYPE_WORD,
	{ "tmpl", parse_tmpl, .usage = "TMPL [ tmpl TMPL ... ]" },
	{ "flag", parse_flags, "FLAG [ FLAG ... ]", POLICY(flags),
	  .attr = POSTERN_A_POLICY_FLAGS, .width = 4, .names = policy_flag_names },
	{ .word = "index" },
	{ .word = "offload" },
	FOREIGN_WORDS
};

static const struct word get_words[] = {
	DIR_WORD,
	INDEX_WORD,
	PRIORITY_WORD,
	OWNER_WORD,
	PTYPE_WORD,
	FOREIGN_WORDS
};

static const struct word list_words[] = {
	DIR_WORD,
	INDEX_WORD,
	PRIORITY_WORD,
	ACTION_WORD,
	OWNER_WORD,
	PTYPE_WORD,
	/* There are no policies of sockets to leave out. */
	{ "nosock", .parse = parse_presence },
	FOREIGN_WORDS
};

static const struct word flush_words[] = {
	DIR_WORD,
	OWNER_WORD,
	PTYPE_WORD,
	{ .word = NULL }
};

static bool parse_all(struct args *a, const struct word *table,
		      struct policy *p)
{
	const struct word_set sets[] = {
		{ table, p },
		{ selector_words, &p->selector },
		{ NULL, NULL }
	};

	return words_parse_all(a, sets);
}

static bool has_dir(const struct policy *p)
{
	if (p->has & HAS(POSTERN_A_POLICY_DIR))
		return true;
	fputs("Error: \"dir\" is missing: in, out or fwd.\n", stderr);
	return false;
}

static bool finish_action(struct policy *p)
{
	bool tmpl = p->tmpls.count;

	if (p->action == ACTION_ALLOW)
		p->action = tmpl ? POSTERN_ACTION_PROTECT :
				   POSTERN_ACTION_BYPASS;
	p->has |= HAS(POSTERN_A_POLICY_ACTION);
	switch (p->action) {
	case POSTERN_ACTION_PROTECT:
		if (tmpl)
			break;
		fputs("Error: action \"protect\" needs a \"tmpl\".\n", stderr);
		return false;
	case POSTERN_ACTION_BYPASS:
		if (!tmpl)
			break;
		fputs("Error: action \"bypass\" takes no \"tmpl\".\n", stderr);
		return false;
	case POSTERN_ACTION_DISCARD:
		/* "ip xfrm" takes a template there and never looks at it. */
		p->has &= ~HAS(POSTERN_A_POLICY_TMPL);
		break;
	}
	return true;
}

static int write_policy(struct args *a, uint8_t cmd)
{
	struct policy p = { 0 };

	if (!parse_all(a, add_words, &p) || !has_dir(&p) ||
	    !finish_action(&p) ||
	    !selector_finish(&p.selector, options.family))
		return EXIT_USAGE;
	p.has |= HAS(POSTERN_A_POLICY_SELECTOR) |
		 HAS(POSTERN_A_POLICY_PRIORITY);
	return cmd_send(cmd, &policy_fields, &p, NULL, NULL);
}

static int policy_add(struct args *a)
{
	return write_policy(a, options.replace ? POSTERN_CMD_POLICY_UPDATE :
						 POSTERN_CMD_POLICY_NEW);
}

static int policy_update(struct args *a)
{
	return write_policy(a, POSTERN_CMD_POLICY_UPDATE);
}

/* An index, or direction and selector. */
static bool finish_id(struct policy *p)
{
	if (p->has & HAS(POSTERN_A_POLICY_INDEX)) {
		if (!p->selector.has)
			return true;
		fputs("Error: \"index\" names a policy already; a selector does not go with it.\n",
		      stderr);
		return false;
	}
	if (!has_dir(p) || !selector_finish(&p->selector, options.family))
		return false;
	p->has |= HAS(POSTERN_A_POLICY_SELECTOR);
	return true;
}

static int policy_delete(struct args *a)
{
	struct policy p = { 0 };

	if (!parse_all(a, get_words, &p) || !finish_id(&p))
		return EXIT_USAGE;
	return cmd_send(POSTERN_CMD_POLICY_DEL, &policy_fields, &p, NULL,
			NULL);
}

static int print_one(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct policy p;
	int err;

	(void)cmd;
	(void)data;
	err = fields_parse(&policy_fields, &p, attrs, len);
	if (err)
		return err;
	out_record();
	policy_print(&p);
	out_record_end();
	return 0;
}

static int policy_get(struct args *a)
{
	struct policy p = { 0 };

	if (!parse_all(a, get_words, &p) || !finish_id(&p))
		return EXIT_USAGE;
	return cmd_send(POSTERN_CMD_POLICY_GET, &policy_fields, &p,
			print_one, NULL);
}

struct listing {
	struct policy filter;
	bool (*each)(struct listing *l, const struct policy *p);
	struct found {
		uint32_t index;
		int strictness;
	} *found;		/* for deleteall */
	size_t count;
	uint64_t per_dir[POSTERN_DIR_FWD + 1];
};

static bool ports_equal(const struct selector *f, const struct selector *s,
			uint16_t attr)
{
	if (!(f->has & HAS(attr)))
		return true;
	if (attr == POSTERN_A_SELECTOR_SPORT_FIRST)
		return f->sport_first == s->sport_first &&
		       f->sport_last == s->sport_last;
	return f->dport_first == s->dport_first &&
	       f->dport_last == s->dport_last;
}

/* Whether a filter, when there is one, holds all of a prefix. */
static bool net_within(const struct addr *addr, uint8_t len,
		       const struct addr *filter, uint8_t filter_len)
{
	return !filter->len || (len >= filter_len &&
				addr_within(addr, filter, filter_len));
}

static bool selected(const struct listing *l, const struct policy *p)
{
	const struct selector *f = &l->filter.selector, *s = &p->selector;
	uint64_t has = l->filter.has;
	uint8_t action = l->filter.action;

	if (options.family && addr_family(&s->src) != options.family)
		return false;
	if (has & HAS(POSTERN_A_POLICY_INDEX) && l->filter.index != p->index)
		return false;
	if (has & HAS(POSTERN_A_POLICY_PRIORITY) &&
	    l->filter.priority != p->priority)
		return false;
	if (has & HAS(POSTERN_A_POLICY_ACTION)) {
		if (action == ACTION_ALLOW ?
		    p->action == POSTERN_ACTION_DISCARD : p->action != action)
			return false;
	}
	if (!net_within(&s->src, s->src_len, &f->src, f->src_len) ||
	    !net_within(&s->dst, s->dst_len, &f->dst, f->dst_len))
		return false;
	if (f->proto && f->proto != s->proto)
		return false;
	if (f->ifindex && f->ifindex != s->ifindex)
		return false;
	return ports_equal(f, s, POSTERN_A_SELECTOR_SPORT_FIRST) &&
	       ports_equal(f, s, POSTERN_A_SELECTOR_DPORT_FIRST);
}

static bool each_print(struct listing *l, const struct policy *p)
{
	(void)l;
	out_record();
	policy_print(p);
	out_record_end();
	return true;
}

static bool each_collect(struct listing *l, const struct policy *p)
{
	struct found *more = realloc(l->found, (l->count + 1) * sizeof(*more));

	if (!more)
		return false;
	l->found = more;
	more[l->count].index = p->index;
	more[l->count++].strictness = policy_strictness(p);
	return true;
}

static bool each_count(struct listing *l, const struct policy *p)
{
	if (p->dir <= POSTERN_DIR_FWD)
		l->per_dir[p->dir]++;
	return true;
}

static int on_listed(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct listing *l = data;
	struct policy p;
	int err;

	(void)cmd;
	err = fields_parse(&policy_fields, &p, attrs, len);
	if (err)
		return err;
	if (!selected(l, &p) || l->each(l, &p))
		return 0;
	return -ENOMEM;
}

static void forget(void *data)
{
	struct listing *l = data;

	l->count = 0;
	memset(l->per_dir, 0, sizeof(l->per_dir));
}

static int list(struct listing *l)
{
	struct policy request = l->filter;

	request.has &= HAS(POSTERN_A_POLICY_DIR) | HAS(POSTERN_A_POLICY_OWNER);
	return cmd_dump(POSTERN_CMD_POLICY_GET, &policy_fields, &request,
			on_listed, l, l->each == each_print ? NULL : forget);
}

static int policy_list(struct args *a)
{
	struct listing l = { .each = each_print };
	int ret;

	if (!parse_all(a, list_words, &l.filter))
		return EXIT_USAGE;
	out_begin();
	ret = list(&l);
	out_end(ret == EXIT_OK);
	return ret;
}

static int policy_deleteall(struct args *a)
{
	struct policy p = { .has = HAS(POSTERN_A_POLICY_INDEX) };
	struct listing l = { .each = each_collect };
	int ret, strictness;
	size_t i;

	if (!parse_all(a, list_words, &l.filter))
		return EXIT_USAGE;
	ret = list(&l);
	for (strictness = 0; strictness <= POLICY_STRICTEST; strictness++) {
		for (i = 0; !ret && i < l.count; i++) {
			p.index = l.found[i].index;
			if (l.found[i].strictness == strictness)
				ret = cmd_delete(POSTERN_CMD_POLICY_DEL,
						 &policy_fields, &p);
		}
	}
	free(l.found);
	return ret;
}

static int policy_count(struct args *a)
{
	struct listing l = { .each = each_count };
	int ret;

	if (!words_parse_all(a, no_words))
		return EXIT_USAGE;
	ret = list(&l);
	if (ret)
		return ret;
	out_record();
	out_number("in", "\t SPD IN  %llu", l.per_dir[POSTERN_DIR_IN]);
	out_number("out", " OUT %llu", l.per_dir[POSTERN_DIR_OUT]);
	out_number("fwd", " FWD %llu", l.per_dir[POSTERN_DIR_FWD]);
	out_line();
	out_record_end();
	return EXIT_OK;
}

static int on_flushed(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct policy p;
	int err;

	(void)cmd;
	(void)data;
	err = fields_parse(&policy_fields, &p, attrs, len);
	if (err || !options.stats)
		return err;
	out_record();
	out_number("deleted", "Deleted %llu policies", p.count);
	out_line();
	out_record_end();
	return 0;
}

static int policy_flush(struct args *a)
{
	struct policy p = { 0 };
	const struct word_set sets[] = { { flush_words, &p }, { NULL, NULL } };

	if (!words_parse_all(a, sets))
		return EXIT_USAGE;
	return cmd_send(POSTERN_CMD_POLICY_FLUSH, &policy_fields, &p,
			on_flushed, NULL);
}

void help_policy(void)
{
	puts("Usage: postern policy { add | update } SELECTOR");
	words_usage(add_words, 15);
	puts("       postern policy { delete | get } { SELECTOR | index INDEX }");
	words_usage(get_words, 15);
	puts("       postern policy { list | deleteall } [ SELECTOR ]");
	words_usage(list_words, 15);
	puts("       postern policy flush");
	words_usage(flush_words, 15);
	puts("       postern policy count");
	puts("SELECTOR :=");
	words_usage(selector_words, 8);
	puts("ACTION := allow | block | protect | bypass | discard");
	puts("TMPL :=");
	words_usage(tmpl_words, 8);
}

static int policy_help(struct args *a)
{
	return help_run(a, help_policy);
}

static const struct command commands[] = {
	{ "add", policy_add },
	{ "update", policy_update },
	{ "delete", policy_delete },
	{ "deleteall", policy_deleteall },
	{ "delall", policy_deleteall },
	{ "list", policy_list },
	{ "show", policy_list },
	{ "lst", policy_list },
	{ "ls", policy_list },
	{ "get", policy_get },
	{ "flush", policy_flush },
	{ "count", policy_count },
	{ "help", policy_help },
	{ NULL, NULL }
};

int cmd_policy(struct args *a)
{
	return object_run(commands, "policy", a, policy_list);
}
