// SPDX-License-Identifier: GPL-2.0
#include "parse.h"

#include "cmd.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct name mode_names[] = {
	{ "transport", POSTERN_MODE_TRANSPORT },
	{ "tunnel", POSTERN_MODE_TUNNEL },
	{ "beet", POSTERN_MODE_BEET },
	{ NULL, 0 }
};

const struct name level_names[] = {
	{ "required", POSTERN_LEVEL_REQUIRED },
	{ "use", POSTERN_LEVEL_USE },
	{ NULL, 0 }
};

const struct name dir_names[] = {
	{ "in", POSTERN_DIR_IN },
	{ "out", POSTERN_DIR_OUT },
	{ "fwd", POSTERN_DIR_FWD },
	{ NULL, 0 }
};

const struct name sa_dir_names[] = {
	{ "in", POSTERN_DIR_IN },
	{ "out", POSTERN_DIR_OUT },
	{ NULL, 0 }
};

const struct name sa_state_names[] = {
	{ "larval", POSTERN_SA_STATE_LARVAL },
	{ "valid", POSTERN_SA_STATE_VALID },
	{ "dying", POSTERN_SA_STATE_DYING },
	{ "dead", POSTERN_SA_STATE_DEAD },
	{ NULL, 0 }
};

/*
 * The first, of which there are SA_FLAGS_OF_ALL, no list can ask for: an SA without a
 * selector serves both families, and any carries errors.
 */
const struct name sa_flag_names[] = {
	{ "af-unspec", 0 },
	{ "icmp", 0 },
	{ "noecn", POSTERN_SA_FLAG_NOECN },
	{ "decap-dscp", POSTERN_SA_FLAG_DECAP_DSCP },
	{ "nopmtudisc", POSTERN_SA_FLAG_NOPMTUDISC },
	{ "set-df", POSTERN_SA_FLAG_SET_DF },
	{ "esn", POSTERN_SA_FLAG_ESN },
	{ "align4", POSTERN_SA_FLAG_ALIGN4 },
	{ NULL, 0 }
};

const struct name sa_extra_flag_names[] = {
	{ "dont-encap-dscp", POSTERN_SA_FLAG_DONT_ENCAP_DSCP },
	{ "allow-weak", POSTERN_SA_FLAG_ALLOW_WEAK },
	{ "iiv", POSTERN_SA_FLAG_IIV },
	{ "flowlabel-hash", POSTERN_SA_FLAG_FLOWLABEL_HASH },
	{ NULL, 0 }
};

const struct name policy_flag_names[] = {
	{ "icmp", POSTERN_POLICY_FLAG_ICMP },
	{ "tcp-mss", POSTERN_POLICY_FLAG_TCP_MSS },
	{ NULL, 0 }
};

const struct name xfrm_proto_names[] = {
	{ "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },
	{ "comp", IPPROTO_COMP },
	{ NULL, 0 }
};

/* As in /etc/protocols, which small systems lack. */
const struct name upper_names[] = {
	{ "any", 0 },
	{ "icmp", IPPROTO_ICMP },
	{ "igmp", IPPROTO_IGMP },
	{ "ipencap", IPPROTO_IPIP },
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "dccp", IPPROTO_DCCP },
	{ "ipv6", IPPROTO_IPV6 },
	{ "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },
	{ "ipv6-icmp", IPPROTO_ICMPV6 },
	{ "ospf", 89 },
	{ "vrrp", 112 },
	{ "l2tp", 115 },
	{ "sctp", IPPROTO_SCTP },
	{ "mobility-header", 135 },
	{ "udplite", IPPROTO_UDPLITE },
	{ NULL, 0 }
};

const char *name_of(const struct name *names, uint32_t value)
{
	for (; names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

static const struct name *name_find(const struct name *names, const char *s)
{
	for (; names->name; names++)
		if (!strcmp(names->name, s))
			return names;
	return NULL;
}

/* "a, b or c" */
static void name_list(const struct name *names, char *buf, size_t size)
{
	size_t used = 0;

	buf[0] = '\0';
	for (; names->name && used < size; names++)
		used += snprintf(buf + used, size - used, "%s%s", names->name,
				 !names[1].name ? "" :
				 !names[2].name ? " or " : ", ");
}

bool matches(const char *word, const char *name)
{
	return *word && !strncmp(word, name, strlen(word));
}

bool wrong(const char *value, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "Error: argument \"%s\" is wrong: ", value);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(".\n", stderr);
	return false;
}

bool duplicate(const char *word)
{
	fprintf(stderr, "Error: duplicate \"%s\": it was given before.\n",
		word);
	return false;
}

bool unsupported(const char *word)
{
	fprintf(stderr,
		"Error: \"%s\" is not supported by this version of postern.\n",
		word);
	return false;
}

char *args_take(struct args *a)
{
	a->count--;
	return *a->word++;
}

char *args_value(struct args *a, const char *word)
{
	if (a->count)
		return args_take(a);
	fprintf(stderr, "Error: \"%s\" needs a value after it.\n", word);
	return NULL;
}

bool number(const char *s, uint64_t min, uint64_t max, uint64_t *value)
{
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)s[0]))
		return false;
	errno = 0;
	n = strtoull(s, &end, 0);
	if (errno || *end || n < min || n > max)
		return false;
	*value = n;
	return true;
}

bool address(const char *s, struct addr *addr)
{
	if (inet_pton(AF_INET, s, addr->b) == 1)
		addr->len = 4;
	else if (inet_pton(AF_INET6, s, addr->b) == 1)
		addr->len = 16;
	else
		return false;
	return true;
}

static void store(const struct word *w, void *object, uint64_t n)
{
	unsigned char *at = (unsigned char *)object + w->offset;
	uint8_t n8 = n;
	uint16_t n16 = n;
	uint32_t n32 = n;

	switch (w->width) {
	case 1:
		memcpy(at, &n8, 1);
		break;
	case 2:
		memcpy(at, &n16, 2);
		break;
	case 4:
		memcpy(at, &n32, 4);
		break;
	case 8:
		memcpy(at, &n, 8);
		break;
	}
}

/* A word that says it all by being there, or means what is so anyway. */
bool parse_presence(struct args *a, const struct word *w, void *object)
{
	(void)a;
	(void)w;
	(void)object;
	return true;
}

bool parse_number(struct args *a, const struct word *w, void *object)
{
	const char *s = args_value(a, w->word);
	uint64_t n;

	if (!s)
		return false;
	if (!number(s, w->min, w->max, &n))
		return wrong(s, "\"%s\" takes a number from %llu to %llu",
			     w->word, (unsigned long long)w->min,
			     (unsigned long long)w->max);
	store(w, object, n);
	return true;
}

/* "ip xfrm" writes 0 for no limit in time. */
bool parse_time(struct args *a, const struct word *w, void *object)
{
	const char *s = args_value(a, w->word);
	uint64_t n;

	if (!s)
		return false;
	if (!number(s, 0, w->max, &n))
		return wrong(s, "\"%s\" takes seconds, 0 (no limit) to %llu",
			     w->word, (unsigned long long)w->max);
	store(w, object, n ? n : POSTERN_UNLIMITED);
	return true;
}

/* Values that "ip xfrm" knows and this version does not. */
static bool is_foreign(const char *s)
{
	static const char * const foreign[] = {
		"ro", "in_trigger", "iptfs", "route2", "hao",
		"wildrecv", "localok", "sub",
		"oseq-may-wrap",
	};
	unsigned int i;

	for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (!strcmp(s, foreign[i]))
			return true;
	return false;
}

static bool wrong_name(const char *s, const struct word *w)
{
	char list[512];

	if (is_foreign(s))
		return unsupported(s);
	name_list(w->names, list, sizeof(list));
	return wrong(s, "\"%s\" must be %s", w->word, list);
}

bool parse_name(struct args *a, const struct word *w, void *object)
{
	const char *s = args_value(a, w->word);
	const struct name *n;

	if (!s)
		return false;
	n = name_find(w->names, s);
	if (!n)
		return wrong_name(s, w);
	store(w, object, n->value);
	return true;
}

bool parse_flags(struct args *a, const struct word *w, void *object)
{
	const struct name *n;
	bool taken = false;
	uint32_t flags;

	/* "flag" and "extra-flag" fill one field. */
	memcpy(&flags, (char *)object + w->offset, sizeof(flags));
	for (; a->count; args_take(a), taken = true) {
		n = name_find(w->names, a->word[0]);
		if (!n && taken && !is_foreign(a->word[0]))
			break;
		if (!n)
			return wrong_name(a->word[0], w);
		flags |= n->value;
	}
	if (!taken)
		return args_value(a, w->word);
	store(w, object, flags);
	return true;
}

bool parse_spi(struct args *a, const struct word *w, void *object)
{
	const char *s = args_value(a, w->word);
	uint64_t n;

	if (!s)
		return false;
	if (!number(s, 1, 0xffffffff, &n))
		return wrong(s, "\"%s\" takes a number from 1 to 0xffffffff",
			     w->word);
	store(w, object, htonl(n));
	return true;
}

bool parse_addr(struct args *a, const struct word *w, void *object)
{
	struct addr *addr = (void *)((char *)object + w->offset);
	const char *s = args_value(a, w->word);

	if (!s)
		return false;
	if (!address(s, addr))
		return wrong(s, "\"%s\" takes an IPv4 or IPv6 address",
			     w->word);
	return true;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 0x and hexadecimal digits, or the octets of the word itself. */
static bool parse_key(char *s, struct algo *algo)
{
	size_t len = strlen(s), i;
	int high, low;

	if (strncmp(s, "0x", 2)) {
		if (len > POSTERN_KEY_MAX)
			return false;
		memcpy(algo->key.b, s, len);
		algo->key.len = len;
		return true;
	}
	s += 2;
	len -= 2;
	if (len % 2 || len / 2 > POSTERN_KEY_MAX)
		return false;
	for (i = 0; i < len / 2; i++) {
		high = digit(s[2 * i]);
		low = digit(s[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		algo->key.b[i] = high << 4 | low;
	}
	algo->key.len = len / 2;
	return true;
}

/* w->max says whether a length in bits follows the key. */
bool parse_algo(struct args *a, const struct word *w, void *object)
{
	struct algo *algo = (void *)((char *)object + w->offset);
	char *s = args_value(a, w->word);
	bool good;
	uint64_t n;

	if (!s)
		return false;
	if (!s[0] || strlen(s) >= sizeof(algo->name))
		return wrong(s,
			     "\"%s\" takes the name of an algorithm, 1 to %zu letters",
			     w->word, sizeof(algo->name) - 1);
	strcpy(algo->name, s);
	s = args_value(a, algo->name);
	if (!s)
		return false;
	good = parse_key(s, algo);
	/* Out of the list of processes, too. */
	explicit_bzero(s, strlen(s));
	if (!good) {
		/* The key is not repeated: it may be nearly right. */
		fprintf(stderr,
			"Error: the key of \"%s\" is wrong: 0x and an even number of hexadecimal digits, or text; at most %u octets.\n",
			w->word, POSTERN_KEY_MAX);
		return false;
	}
	algo->has = HAS(POSTERN_A_ALGO_NAME) | HAS(POSTERN_A_ALGO_KEY);
	if (!w->max)
		return true;
	s = args_value(a, algo->name);
	if (!s)
		return false;
	if (!number(s, w->min, w->max, &n))
		return wrong(s,
			     "\"%s\" takes an ICV length from %llu to %llu bits",
			     w->word, (unsigned long long)w->min,
			     (unsigned long long)w->max);
	algo->icv_bits = n;
	algo->has |= HAS(POSTERN_A_ALGO_ICV_BITS);
	return true;
}

bool parse_comp(struct args *a, const struct word *w, void *object)
{
	struct algo *algo = (void *)((char *)object + w->offset);
	char *s = args_value(a, w->word);

	if (!s)
		return false;
	if (!s[0] || strlen(s) >= sizeof(algo->name))
		return wrong(s,
			     "\"%s\" takes the name of an algorithm, 1 to %zu letters",
			     w->word, sizeof(algo->name) - 1);
	strcpy(algo->name, s);
	algo->has = HAS(POSTERN_A_ALGO_NAME);
	return true;
}

static const struct word *word_find(const struct word *table, const char *s)
{
	for (; table->word; table++)
		if (!strcmp(table->word, s))
			return table;
	return NULL;
}

static bool take(struct args *a, const struct word *w, void *object)
{
	uint64_t *has = object;

	args_take(a);
	if (!w->parse)
		return unsupported(w->word);
	if (w->attr && *has & HAS(w->attr))
		return duplicate(w->word);
	if (!w->parse(a, w, object))
		return false;
	if (w->attr)
		*has |= HAS(w->attr);
	return true;
}

bool words_parse(struct args *a, const struct word *table, void *object,
		 unsigned int *taken)
{
	const struct word *w;
	unsigned int n = 0;

	while (a->count) {
		w = word_find(table, a->word[0]);
		if (!w)
			break;
		if (!take(a, w, object))
			return false;
		n++;
	}
	if (taken)
		*taken = n;
	return true;
}

static void list_words(const struct word *table)
{
	for (; table->word; table++)
		if (table->parse)
			fprintf(stderr, " %s", table->word);
}

bool words_parse_one(struct args *a, const struct word *table, void *object,
		     const char *before)
{
	const struct word *w = NULL;

	if (a->count)
		w = word_find(table, a->word[0]);
	if (w)
		return take(a, w, object);
	fprintf(stderr, "Error: argument \"%s\" is wrong: \"%s\" takes one of",
		a->count ? a->word[0] : "", before);
	list_words(table);
	fputs(".\n", stderr);
	return false;
}

const struct word_set no_words[] = { { NULL, NULL } };

bool words_parse_all(struct args *a, const struct word_set *sets)
{
	const struct word_set *s;
	const struct word *w;

	while (a->count) {
		if (option_take(a))
			continue;
		w = NULL;
		for (s = sets; s->table; s++) {
			w = word_find(s->table, a->word[0]);
			if (w)
				break;
		}
		if (!w)
			break;
		if (!take(a, w, s->object))
			return false;
	}
	if (!a->count)
		return true;
	fprintf(stderr, "Error: unknown argument \"%s\"; %s", a->word[0],
		sets->table ? "known are" : "none is expected");
	for (s = sets; s->table; s++)
		list_words(s->table);
	fputs(".\n", stderr);
	return false;
}

void words_usage(const struct word *table, unsigned int indent)
{
	unsigned int column = indent;
	char item[96];
	int n;

	printf("%*s", (int)indent, "");
	for (; table->word; table++) {
		if (!table->parse)
			continue;
		n = snprintf(item, sizeof(item), "[ %s%s%s ]", table->word,
			     table->usage ? " " : "",
			     table->usage ? table->usage : "");
		if (column > indent && column + 1 + n > 78) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		}
		column += printf("%s%s", column > indent ? " " : "", item);
	}
	putchar('\n');
}

static bool parse_prefix(struct args *a, const struct word *w, void *object)
{
	bool is_src = w->attr == POSTERN_A_SELECTOR_SRC;
	struct selector *sel = object;
	struct addr *addr = is_src ? &sel->src : &sel->dst;
	uint8_t *len = is_src ? &sel->src_len : &sel->dst_len;
	const char *s = args_value(a, w->word), *slash;
	char text[INET6_ADDRSTRLEN];
	uint64_t n;

	if (!s)
		return false;
	if (!strcmp(s, "any") || !strcmp(s, "all") || !strcmp(s, "default"))
		return true;	/* selector_finish() chooses the family */
	slash = strchr(s, '/');
	n = slash ? (size_t)(slash - s) : strlen(s);
	if (n >= sizeof(text))
		goto bad;
	memcpy(text, s, n);
	text[n] = '\0';
	if (!address(text, addr))
		goto bad;
	n = addr->len * 8;
	if (slash && !number(slash + 1, 0, addr->len * 8, &n))
		goto bad;
	*len = n;
	return true;
bad:
	return wrong(s,
		     "\"%s\" takes ADDRESS[/LENGTH], length 0 to 32 (IPv4) or 128 (IPv6), or any",
		     w->word);
}

static bool parse_upper(struct args *a, const struct word *w, void *object)
{
	const char *s = args_value(a, w->word);
	struct selector *sel = object;
	const struct name *n;
	uint64_t value;
	char list[512];

	if (!s)
		return false;
	n = name_find(w->names, s);
	if (n) {
		sel->proto = n->value;
	} else if (number(s, 0, 255, &value)) {
		sel->proto = value;
	} else {
		name_list(w->names, list, sizeof(list));
		return wrong(s, "\"%s\" takes a number from 0 to 255 or %s",
			     w->word, list);
	}
	return true;
}

/* Bits of a selector's "has" behind the attributes: which words were used. */
#define WORD_PORT	(1ULL << 62)
#define WORD_TYPE	(1ULL << 63)

/* N or N-M into two numbers that lie side by side. */
static bool parse_range(struct args *a, const struct word *w, void *object)
{
	const char *s = args_value(a, w->word);
	uint64_t first, last;
	uint16_t range[2];
	char text[16], *dash;

	if (!s)
		return false;
	if (strlen(s) >= sizeof(text))
		goto bad;
	strcpy(text, s);
	dash = strchr(text, '-');
	if (dash)
		*dash++ = '\0';
	if (!number(text, 0, w->max, &first))
		goto bad;
	last = first;
	if (dash && !number(dash, first, w->max, &last))
		goto bad;
	range[0] = first;
	range[1] = last;
	memcpy((char *)object + w->offset, range, sizeof(range));
	/* w->attr is the first one; the last one has the next number. */
	*(uint64_t *)object |= HAS(w->attr + 1) |
			       (w->max > 255 ? WORD_PORT : WORD_TYPE);
	return true;
bad:
	return wrong(s, "\"%s\" takes NUMBER or FIRST-LAST, 0 to %llu",
		     w->word, (unsigned long long)w->max);
}

/* By name, or as ip shows one that is gone: if and its number. */
bool parse_device(struct args *a, const struct word *w, void *object)
{
	uint32_t *ifindex = (void *)((char *)object + w->offset);
	const char *s = args_value(a, w->word);
	uint64_t n;

	if (!s)
		return false;
	*ifindex = if_nametoindex(s);
	if (*ifindex)
		return true;
	if (strncmp(s, "if", 2) || !number(s + 2, 1, INT32_MAX, &n))
		return wrong(s, "\"%s\" takes the name of a device of this namespace",
			     w->word);
	*ifindex = n;
	return true;
}

#define SELECTOR(member) offsetof(struct selector, member)

const struct word selector_words[] = {
	{ "src", parse_prefix, "ADDR[/PLEN]",
	  .attr = POSTERN_A_SELECTOR_SRC },
	{ "dst", parse_prefix, "ADDR[/PLEN]",
	  .attr = POSTERN_A_SELECTOR_DST },
	{ "proto", parse_upper, "PROTO", .attr = POSTERN_A_SELECTOR_PROTO,
	  .names = upper_names },
	{ "sport", parse_range, "PORT[-PORT]", SELECTOR(sport_first),
	  .attr = POSTERN_A_SELECTOR_SPORT_FIRST, .max = 65535 },
	{ "dport", parse_range, "PORT[-PORT]", SELECTOR(dport_first),
	  .attr = POSTERN_A_SELECTOR_DPORT_FIRST, .max = 65535 },
	{ "type", parse_range, "NUMBER", SELECTOR(sport_first),
	  .attr = POSTERN_A_SELECTOR_SPORT_FIRST, .max = 255 },
	{ "code", parse_range, "NUMBER", SELECTOR(dport_first),
	  .attr = POSTERN_A_SELECTOR_DPORT_FIRST, .max = 255 },
	{ "dev", parse_device, "DEV", SELECTOR(ifindex), .attr = POSTERN_A_SELECTOR_IFINDEX },
	{ .word = "key" },
	{ .word = "uid" },
	{ .word = NULL }
};

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP ||
	       proto == IPPROTO_SCTP || proto == IPPROTO_DCCP ||
	       proto == IPPROTO_UDPLITE;
}

static bool has_types(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6 ||
	       proto == IPPROTO_MH;
}

bool selector_finish(struct selector *sel, int family)
{
	const struct addr *known = sel->src.len ? &sel->src : &sel->dst;

	if (sel->src.len && sel->dst.len && sel->src.len != sel->dst.len) {
		fputs("Error: \"src\" and \"dst\" of a selector must be of one family.\n",
		      stderr);
		return false;
	}
	if (sel->has & WORD_PORT && !has_ports(sel->proto)) {
		fputs("Error: \"sport\" and \"dport\" need \"proto\" tcp, udp, sctp, dccp or udplite.\n",
		      stderr);
		return false;
	}
	if (sel->has & WORD_TYPE && !has_types(sel->proto)) {
		fputs("Error: \"type\" and \"code\" need \"proto\" icmp, ipv6-icmp or mobility-header.\n",
		      stderr);
		return false;
	}
	if (!sel->src.len)
		sel->src.len = known->len ? known->len :
			       family == AF_INET6 ? 16 : 4;
	if (!sel->dst.len)
		sel->dst.len = sel->src.len;
	sel->has &= ~(WORD_PORT | WORD_TYPE);
	sel->has |= HAS(POSTERN_A_SELECTOR_SRC) |
		    HAS(POSTERN_A_SELECTOR_SRC_LEN) |
		    HAS(POSTERN_A_SELECTOR_DST) |
		    HAS(POSTERN_A_SELECTOR_DST_LEN);
	return true;
}
