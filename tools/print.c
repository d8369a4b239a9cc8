// SPDX-License-Identifier: GPL-2.0
#include "print.h"

#include "cmd.h"
#include "drops.h"
#include "out.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LIMIT(word_, parse_, usage_, member, attr_) \
	{ (word_), (parse_), (usage_), \
	  .offset = offsetof(struct lifetime, member), \
	  .attr = POSTERN_A_LIFETIME_##attr_, .width = 8, .min = 1, \
	  .max = POSTERN_UNLIMITED - 1 }

const struct word limit_words[] = {
	LIMIT("time-soft", parse_time, "SECONDS", add_soft, ADD_SOFT),
	LIMIT("time-hard", parse_time, "SECONDS", add_hard, ADD_HARD),
	LIMIT("time-use-soft", parse_time, "SECONDS", use_soft, USE_SOFT),
	LIMIT("time-use-hard", parse_time, "SECONDS", use_hard, USE_HARD),
	LIMIT("byte-soft", parse_number, "SIZE", byte_soft, BYTE_SOFT),
	LIMIT("byte-hard", parse_number, "SIZE", byte_hard, BYTE_HARD),
	LIMIT("packet-soft", parse_number, "COUNT", packet_soft, PACKET_SOFT),
	LIMIT("packet-hard", parse_number, "COUNT", packet_hard, PACKET_HARD),
	{ .word = NULL }
};

void name_print(const char *key, const char *fmt, const struct name *names,
		uint32_t value)
{
	const char *name = name_of(names, value);
	char text[16];

	if (!name) {
		snprintf(text, sizeof(text), "%u", value);
		name = text;
	}
	out_string(key, fmt, name);
}

void human_bytes(uint64_t bytes, char *buf, size_t size)
{
	static const char * const unit[] = { "KiB", "MiB", "GiB", "TiB" };
	double n = bytes;
	unsigned int i;

	if (bytes < 1024) {
		snprintf(buf, size, "%" PRIu64 " B", bytes);
		return;
	}
	n /= 1024;
	for (i = 0; n >= 1023.95 && i < 3; i++)
		n /= 1024;
	snprintf(buf, size, "%.1f %s", n, unit[i]);
}

void human_seconds(uint64_t seconds, char *buf, size_t size)
{
	if (seconds < 60)
		snprintf(buf, size, "%" PRIu64 "s", seconds);
	else if (seconds < 3600)
		snprintf(buf, size, "%" PRIu64 "m %" PRIu64 "s",
			 seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(buf, size, "%" PRIu64 "h %" PRIu64 "m",
			 seconds / 3600, seconds % 3600 / 60);
	else
		snprintf(buf, size, "%" PRIu64 "d %" PRIu64 "h",
			 seconds / 86400, seconds % 86400 / 3600);
}

static void prefix_print(const char *key, const struct addr *addr, uint8_t len)
{
	char text[INET6_ADDRSTRLEN + 4] = "any";
	size_t n;

	if (addr->len) {
		inet_ntop(addr_family(addr), addr->b, text, sizeof(text));
		n = strlen(text);
		snprintf(text + n, sizeof(text) - n, "/%u", len);
	}
	out_text("%s ", key);
	out_string(key, "%s ", text);
}

static void range_print(const char *word, const char *key_first,
			const char *key_last, uint16_t first, uint16_t last)
{
	out_text("%s ", word);
	out_number(key_first, "%llu", first);
	if (first == last)
		out_number(key_last, NULL, last);
	else
		out_number(key_last, "-%llu", last);
	out_text(" ");
}

void device_print(uint32_t ifindex)
{
	char name[IF_NAMESIZE];

	if (!if_indextoname(ifindex, name))
		snprintf(name, sizeof(name), "if%u", ifindex);
	out_text("dev ");
	out_string("dev", "%s ", name);
}

/* The members of an object, and for text all but the end of the line. */
void selector_print(const struct selector *sel)
{
	bool types = sel->proto == IPPROTO_ICMP ||
		     sel->proto == IPPROTO_ICMPV6 || sel->proto == IPPROTO_MH;

	prefix_print("src", &sel->src, sel->src_len);
	prefix_print("dst", &sel->dst, sel->dst_len);
	if (sel->proto) {
		out_text("proto ");
		name_print("proto", "%s ", upper_names, sel->proto);
	}
	if (sel->has & HAS(POSTERN_A_SELECTOR_SPORT_FIRST) &&
	    !(sel->sport_first == 0 && sel->sport_last == 65535))
		range_print(types ? "type" : "sport",
			    types ? "type-first" : "sport-first",
			    types ? "type-last" : "sport-last",
			    sel->sport_first, sel->sport_last);
	if (sel->has & HAS(POSTERN_A_SELECTOR_DPORT_FIRST) &&
	    !(sel->dport_first == 0 && sel->dport_last == 65535))
		range_print(types ? "code" : "dport",
			    types ? "code-first" : "dport-first",
			    types ? "code-last" : "dport-last",
			    sel->dport_first, sel->dport_last);
	if (sel->has & HAS(POSTERN_A_SELECTOR_IFINDEX))
		device_print(sel->ifindex);
}

static void key_print(const struct algo *algo)
{
	char text[2 + 2 * POSTERN_KEY_MAX + 1] = "0x";
	uint32_t i;

	for (i = 0; i < algo->key.len; i++)
		sprintf(text + 2 + 2 * i, "%02x", algo->key.b[i]);
	out_string("key", "%s", text);
	explicit_bzero(text, sizeof(text));
}

static void algo_print(const char *key, const char *word,
		       const struct algo *algo)
{
	bool has_key = algo->has & HAS(POSTERN_A_ALGO_KEY);
	uint32_t bits = algo->has & HAS(POSTERN_A_ALGO_KEY_BITS) ?
			algo->key_bits : algo->key.len * 8;

	out_object(key);
	out_text("\t%s ", word);
	out_string("name", "%s ", algo->name);
	if (has_key)
		key_print(algo);
	else if (bits)
		out_text("<<Keys hidden>>");
	out_number("key-bits", options.stats ? " (%llu bits)" : NULL, bits);
	if (algo->has & HAS(POSTERN_A_ALGO_ICV_BITS))
		out_number("icv-bits",
			   !strcmp(word, "enc") || !strcmp(word, "comp") ?
			   NULL : " %llu",
			   algo->icv_bits);
	out_line();
	out_close();
}

static void algos_print(const struct sa *sa)
{
	if (sa->has & HAS(POSTERN_A_SA_AEAD))
		algo_print("aead", "aead", &sa->aead);
	if (sa->has & HAS(POSTERN_A_SA_AUTH))
		algo_print("auth", sa->auth.icv_bits ? "auth-trunc" : "auth",
			   &sa->auth);
	if (sa->has & HAS(POSTERN_A_SA_CRYPT))
		algo_print("enc", "enc", &sa->crypt);
	if (sa->has & HAS(POSTERN_A_SA_COMP))
		algo_print("comp", "comp", &sa->comp);
}

static void bitmap_print(const struct sa *sa)
{
	uint32_t words = sa->replay.bitmap.len / 4, i;

	if (!words)
		return;
	out_array("bitmap");
	if (words == 1)
		out_text(", bitmap 0x%08x", sa->replay.bitmap.word[0]);
	else
		out_text(", bitmap-length %u", words);
	for (i = 0; i < words; i++) {
		if (words > 1 && options.stats) {
			if (i % 8 == 0) {
				out_line();
				out_text("\t");
			}
			out_text(" %08x", sa->replay.bitmap.word[i]);
		}
		out_number(NULL, NULL, sa->replay.bitmap.word[i]);
	}
	out_close();
}

static void replay_print(const struct sa *sa)
{
	out_object("replay");
	if (sa->flags & POSTERN_SA_FLAG_ESN)
		out_text("\tanti-replay esn context: seq-hi 0x%x, seq 0x%x, oseq-hi 0x%x, oseq 0x%x",
			 (uint32_t)(sa->replay.seq >> 32), (uint32_t)sa->replay.seq,
			 (uint32_t)(sa->replay.oseq >> 32), (uint32_t)sa->replay.oseq);
	else
		out_text("\tanti-replay context: seq 0x%x, oseq 0x%x",
			 (uint32_t)sa->replay.seq, (uint32_t)sa->replay.oseq);
	out_number("seq", NULL, sa->replay.seq);
	out_number("oseq", NULL, sa->replay.oseq);
	out_number("lost", options.stats ? ", lost %llu" : NULL, sa->replay.lost);
	bitmap_print(sa);
	out_line();
	out_close();
}

static uint64_t limit(const struct lifetime *l, const struct word *w)
{
	uint64_t n = POSTERN_UNLIMITED;

	if (l->has & HAS(w->attr))
		memcpy(&n, (const char *)l + w->offset, sizeof(n));
	return n;
}

static const char *volume(uint64_t n, char *buf, size_t size)
{
	if (n == POSTERN_UNLIMITED)
		return "(INF)";
	snprintf(buf, size, "%" PRIu64, n);
	return buf;
}

static void lifetime_print(const struct lifetime *l)
{
	uint64_t n[8];
	char soft[24], hard[24];
	unsigned int i;

	out_object("lifetime");
	for (i = 0; limit_words[i].word; i++) {
		n[i] = limit(l, &limit_words[i]);
		if (n[i] != POSTERN_UNLIMITED)
			out_number(limit_words[i].word, NULL, n[i]);
	}
	out_close();
	if (!options.stats)
		return;
	out_text("\tlifetime config:");
	out_line();
	out_text("\t  limit: soft %s(bytes), hard %s(bytes)",
		 volume(n[4], soft, sizeof(soft)),
		 volume(n[5], hard, sizeof(hard)));
	out_line();
	out_text("\t  limit: soft %s(packets), hard %s(packets)",
		 volume(n[6], soft, sizeof(soft)),
		 volume(n[7], hard, sizeof(hard)));
	out_line();
	for (i = 0; i < 4; i++)
		if (n[i] == POSTERN_UNLIMITED)
			n[i] = 0;
	out_text("\t  expire add: soft %" PRIu64 "(sec), hard %" PRIu64 "(sec)",
		 n[0], n[1]);
	out_line();
	out_text("\t  expire use: soft %" PRIu64 "(sec), hard %" PRIu64 "(sec)",
		 n[2], n[3]);
	out_line();
}

static void clock_print(const char *fmt, const char *key, uint64_t at)
{
	time_t t = at;
	struct tm tm;
	char text[32] = "-";

	if (at && localtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	out_number(key, NULL, at);
	if (options.stats && !options.json)
		out_string(NULL, fmt, text);
}

static void usage_print(const struct usage *u)
{
	bool text = options.stats;

	out_object("usage");
	if (text) {
		out_text("\tlifetime current:");
		out_line();
	}
	out_number("bytes", text ? "\t  %llu(bytes), " : NULL, u->bytes);
	out_number("packets", text ? "%llu(packets)" : NULL, u->packets);
	if (text) {
		out_line();
		out_text("\t  ");
	}
	clock_print("add %s ", "add-time", u->add_time);
	clock_print("use %s", "use-time", u->use_time);
	out_number("last-used", NULL, u->last_used);
	if (text)
		out_line();
	out_close();
}

void drops_print_json(const struct drops *drops, bool all)
{
	uint32_t i;

	out_array("drops");
	for (i = 0; i < drops->count; i++) {
		if (!all && !drops->drop[i].packets)
			continue;
		out_object(NULL);
		out_string("reason", NULL, drop_name(&drops->drop[i]));
		out_number("packets", NULL, drops->drop[i].packets);
		out_string("text", NULL, drop_text(&drops->drop[i]));
		out_close();
	}
	out_close();
}

static uint64_t dropped(const struct drops *drops, uint32_t reason)
{
	uint32_t i;

	for (i = 0; i < drops->count; i++)
		if (drops->drop[i].reason == reason)
			return drops->drop[i].packets;
	return 0;
}

static void sa_print_drops(const struct drops *drops)
{
	uint32_t i;

	drops_print_json(drops, false);
	if (!options.stats)
		return;
	out_text("\tstats:");
	out_line();
	out_text("\t  replay-window %" PRIu64 " replay %" PRIu64 " failed %" PRIu64,
		 dropped(drops, POSTERN_DROP_IN_WINDOW),
		 dropped(drops, POSTERN_DROP_IN_REPLAY),
		 dropped(drops, POSTERN_DROP_IN_ICV));
	out_line();
	for (i = 0; i < drops->count; i++) {
		if (!drops->drop[i].packets)
			continue;
		out_text("\t  drop %s %" PRIu64 " (%s)",
			 drop_name(&drops->drop[i]), drops->drop[i].packets,
			 drop_text(&drops->drop[i]));
		out_line();
	}
}

/* As "ip xfrm" does it, extra flags only with -s.  In JSON both are in one list. */
static void flags_print(const struct sa *sa)
{
	const char *word = "flag ", *extra = " extra_flag ";
	const struct name *n;

	out_array("flags");
	for (n = sa_flag_names; n->name; n++) {
		if (!(sa->flags & n->value))
			continue;
		out_text("%s", word);
		out_string(NULL, "%s", n->name);
		word = " ";
	}
	for (n = sa_extra_flag_names; n->name; n++) {
		if (!(sa->flags & n->value))
			continue;
		if (options.stats)
			out_text("%s", extra);
		out_string(NULL, options.stats ? "%s" : NULL, n->name);
		extra = " ";
	}
	if (options.stats)
		out_text(" (0x%08x)", sa->flags);
	out_close();
}

static void outer_print(const struct sa *sa)
{
	const char *tab = "\t";

	if (sa->has & HAS(POSTERN_A_SA_TFCPAD)) {
		out_number("tfcpad", "\ttfcpad %llu", sa->tfcpad);
		out_line();
	}
	if (sa->has & HAS(POSTERN_A_SA_OUTPUT_MARK)) {
		out_number("output-mark", "\toutput-mark 0x%llx",
			   sa->output_mark);
		out_number("output-mark-mask", "/0x%llx",
			   sa->output_mark_mask);
		out_line();
	}
	if (sa->has & HAS(POSTERN_A_SA_TTL)) {
		if (sa->ttl)
			out_number("ttl", "\tttl %llu", sa->ttl);
		else
			out_string("ttl", "\tttl %s", "inherit");
		tab = " ";
	}
	if (sa->has & HAS(POSTERN_A_SA_TOS)) {
		out_text("%s", tab);
		out_number("tos", "tos 0x%llx", sa->tos);
		tab = " ";
	}
	if (sa->has & HAS(POSTERN_A_SA_FLOW_LABEL)) {
		out_text("%s", tab);
		out_number("flowlabel", "flowlabel 0x%05llx", sa->flow_label);
		tab = " ";
	}
	if (*tab == ' ')
		out_line();
	if (sa->has & HAS(POSTERN_A_SA_PATH_MTU)) {
		out_number("path-mtu", "\tpath-mtu %llu", sa->path_mtu);
		out_number("path-mtu-expires", " expires %llusec",
			   sa->path_mtu_expires);
		out_line();
	}
}

/* As "ip xfrm" shows it. */
static void encap_print(const struct sa *sa)
{
	const char *none = addr_family(&sa->dst) == AF_INET ? "0.0.0.0" : "::";
	bool known = sa->encap.has & HAS(POSTERN_A_ENCAP_ORIGINAL);

	if (!(sa->has & HAS(POSTERN_A_SA_ENCAP)))
		return;
	out_object("encap");
	out_string("type", "\tencap type %s ", "espinudp");
	out_number("sport", "sport %llu ", sa->encap.sport);
	out_number("dport", "dport %llu ", sa->encap.dport);
	if (known)
		out_addr("addr", "addr %s", &sa->encap.original);
	else
		out_text("addr %s", none);
	out_line();
	out_close();
}

static void sa_print_head(const struct sa *sa)
{
	uint32_t spi = ntohl(sa->spi);

	out_addr("src", "src %s ", &sa->src);
	out_addr("dst", "dst %s", &sa->dst);
	out_line();
	name_print("proto", "\tproto %s ", xfrm_proto_names, sa->proto);
	out_number("spi", "spi 0x%08llx", spi);
	if (options.stats)
		out_text("(%u)", spi);
}

void sa_print_name(const struct sa *sa)
{
	sa_print_head(sa);
	out_line();
}

void sa_print_id(const struct sa *sa)
{
	sa_print_head(sa);
	out_number("reqid", " reqid %llu", sa->reqid);
	if (options.stats)
		out_text("(0x%08x)", sa->reqid);
	name_print("mode", " mode %s", mode_names, sa->mode);
	out_line();
}

void sa_print(const struct sa *sa)
{
	sa_print_id(sa);
	out_number("replay-window", "\treplay-window %llu ", sa->replay_window);
	flags_print(sa);
	out_line();
	outer_print(sa);
	algos_print(sa);
	encap_print(sa);
	if (sa->has & HAS(POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL)) {
		out_number("nat-keepalive-interval",
			   "\tnat-keepalive-interval %llu",
			   sa->nat_keepalive_interval);
		out_line();
	}
	if (sa->has & HAS(POSTERN_A_SA_REPLAY))
		replay_print(sa);
	if (sa->has & HAS(POSTERN_A_SA_SELECTOR)) {
		out_object("sel");
		out_text("\tsel ");
		selector_print(&sa->selector);
		out_line();
		out_close();
	}
	if (sa->has & HAS(POSTERN_A_SA_DIR)) {
		name_print("dir", "\tdir %s", dir_names, sa->dir);
		out_line();
	}
	lifetime_print(&sa->lifetime);
	usage_print(&sa->usage);
	sa_print_drops(&sa->drops);
	name_print("state", options.stats ? "\tstate %s " : NULL,
		   sa_state_names, sa->state);
	out_number("id", options.stats ? "id %llu " : NULL, sa->id);
	out_number("owner", options.stats ? "owner %llu " : NULL, sa->owner);
	if (options.stats)
		out_line();
}

/* A template without addresses takes any of its policy's family. */
static void tmpl_print(const struct tmpl *t, uint32_t addr_len)
{
	struct addr any = { .len = addr_len };

	out_object(NULL);
	out_addr("src", "\ttmpl src %s ", t->src.len ? &t->src : &any);
	out_addr("dst", "dst %s", t->dst.len ? &t->dst : &any);
	out_line();
	name_print("proto", "\t\tproto %s ", xfrm_proto_names, t->proto);
	if (t->spi || options.stats)
		out_number("spi", options.stats ? "spi 0x%08llx" :
			   "spi 0x%08llx ", ntohl(t->spi));
	if (options.stats)
		out_text("(%u) ", ntohl(t->spi));
	out_number("reqid", "reqid %llu", t->reqid);
	if (options.stats)
		out_text("(0x%08x)", t->reqid);
	name_print("mode", " mode %s", mode_names, t->mode);
	out_line();
	name_print("level", options.stats || t->level ? "\t\tlevel %s " : NULL,
		   level_names, t->level);
	if (options.stats)
		out_text("share any ");
	if (options.stats || t->level)
		out_line();
	out_close();
}

static void tmpls_print(const struct policy *p)
{
	uint32_t i;

	out_array("tmpl");
	for (i = 0; i < p->tmpls.count; i++)
		tmpl_print(&p->tmpls.tmpl[i], p->selector.src.len);
	out_close();
}

static const struct name action_json_names[] = {
	{ "protect", POSTERN_ACTION_PROTECT },
	{ "bypass", POSTERN_ACTION_BYPASS },
	{ "discard", POSTERN_ACTION_DISCARD },
	{ NULL, 0 }
};

static void policy_flags_print(const struct policy *p)
{
	const char *word = "flag ";
	const struct name *n;

	out_array("flags");
	for (n = policy_flag_names; n->name; n++) {
		if (!(p->flags & n->value))
			continue;
		out_text("%s", word);
		out_string(NULL, "%s", n->name);
		word = " ";
	}
	out_close();
}

void policy_print(const struct policy *p)
{
	out_object("sel");
	selector_print(&p->selector);
	out_line();
	out_close();
	name_print("dir", "\tdir %s ", dir_names, p->dir);
	name_print("action", NULL, action_json_names, p->action);
	if (p->action == POSTERN_ACTION_DISCARD)
		out_text("action block ");
	else if (options.stats)
		out_text("action allow ");
	out_number("index", options.stats ? "index %llu " : NULL, p->index);
	out_number("priority", "priority %llu ptype main ", p->priority);
	out_number("owner", options.stats ? "owner %llu " : NULL, p->owner);
	policy_flags_print(p);
	out_line();
	usage_print(&p->usage);
	tmpls_print(p);
}

void acquire_print(const struct policy *p)
{
	out_number("id", "acquire id %llu ", p->id);
	out_number("index", "index %llu", p->index);
	out_line();
	if (p->has & HAS(POSTERN_A_POLICY_PACKET)) {
		out_object("packet");
		out_text("\tpacket ");
		selector_print(&p->packet);
		out_line();
		out_close();
	}
	out_object("sel");
	out_text("\tsel ");
	selector_print(&p->selector);
	out_line();
	out_close();
	name_print("dir", "\tdir %s ", dir_names, p->dir);
	out_number("priority", "priority %llu ", p->priority);
	out_number("owner", "owner %llu", p->owner);
	out_line();
	tmpls_print(p);
}
