// SPDX-License-Identifier: GPL-2.0
/* The page for a person: what is set up, what goes through, what is lost. */
#include "cmd.h"
#include "drops.h"
#include "out.h"
#include "print.h"
#include "stats.h"
#include "postern_version.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ADDR_TEXT	INET6_ADDRSTRLEN

static const char *addr_text(const struct addr *addr, char *buf)
{
	if (!addr->len)
		return "any";
	return inet_ntop(addr_family(addr), addr->b, buf, ADDR_TEXT);
}

static bool is_local(const struct addr *addr, const struct ifaddrs *ifs)
{
	const void *b;

	for (; ifs; ifs = ifs->ifa_next) {
		if (!ifs->ifa_addr ||
		    ifs->ifa_addr->sa_family != addr_family(addr))
			continue;
		if (addr->len == 4)
			b = &((struct sockaddr_in *)(void *)ifs->ifa_addr)->sin_addr;
		else
			b = &((struct sockaddr_in6 *)(void *)ifs->ifa_addr)->sin6_addr;
		if (!memcmp(b, addr->b, addr->len))
			return true;
	}
	return false;
}

static void algo_text(const struct sa *sa, char *buf, size_t size)
{
	if (sa->has & HAS(POSTERN_A_SA_AEAD))
		snprintf(buf, size, "%s", sa->aead.name);
	else if (sa->has & HAS(POSTERN_A_SA_CRYPT))
		snprintf(buf, size, "%s + %s", sa->crypt.name, sa->auth.name);
	else if (sa->has & HAS(POSTERN_A_SA_COMP))
		snprintf(buf, size, "%s", sa->comp.name);
	else
		snprintf(buf, size, "%s", sa->auth.name);
}

static void sa_row(const struct sa *sa, const struct ifaddrs *ifs)
{
	char src[ADDR_TEXT], dst[ADDR_TEXT], bytes[24], age[24] = "-";
	char algo[2 * POSTERN_NAME_MAX + 4];
	const char *dir = name_of(dir_names, sa->dir);
	const char *proto = name_of(xfrm_proto_names, sa->proto);
	const char *state = name_of(sa_state_names, sa->state);
	const char *mode = name_of(mode_names, sa->mode);
	uint64_t now = time(NULL);

	if (!dir)
		dir = is_local(&sa->dst, ifs) ? "in" : "out";
	if (sa->usage.add_time && now >= sa->usage.add_time)
		human_seconds(now - sa->usage.add_time, age, sizeof(age));
	human_bytes(sa->usage.bytes, bytes, sizeof(bytes));
	algo_text(sa, algo, sizeof(algo));
	out_text("  %-4s %s -> %s\n", dir, addr_text(&sa->src, src),
		 addr_text(&sa->dst, dst));
	out_text("       %s 0x%08x %s, %s, reqid %u, %s\n",
		 proto ? proto : "?", ntohl(sa->spi), mode ? mode : "?",
		 state ? state : "?", sa->reqid, algo);
	out_text("       up %s, %s in %" PRIu64 " packets\n", age, bytes,
		 sa->usage.packets);
}

static int on_sa(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct sa sa;
	int err;

	(void)cmd;
	err = fields_parse(&sa_fields, &sa, attrs, len);
	if (err)
		return err;
	if (options.json) {
		out_object(NULL);
		sa_print(&sa);
		out_close();
	} else {
		sa_row(&sa, data);
	}
	return 0;
}

static void tmpl_row(const struct tmpl *t, const char *word)
{
	const char *proto = name_of(xfrm_proto_names, t->proto);
	const char *mode = name_of(mode_names, t->mode);
	char src[ADDR_TEXT], dst[ADDR_TEXT];

	out_text(" %s %s%s %s %s -> %s, reqid %u", word,
		 t->level == POSTERN_LEVEL_USE ? "where there is an SA " : "", proto ? proto : "?",
		 mode ? mode : "?", addr_text(&t->src, src),
		 addr_text(&t->dst, dst), t->reqid);
}

static void policy_row(const struct policy *p)
{
	const char *dir = name_of(dir_names, p->dir);
	uint32_t i;

	out_text("  %-4s ", dir ? dir : "?");
	selector_print(&p->selector);
	out_text("priority %u\n       ", p->priority);
	if (p->action == POSTERN_ACTION_DISCARD)
		out_text("discard");
	else if (p->action == POSTERN_ACTION_BYPASS)
		out_text("bypass");
	else
		out_text("protect");
	for (i = 0; i < p->tmpls.count; i++)
		tmpl_row(&p->tmpls.tmpl[i], i ? "\n       and" : "by");
	out_text(", used for %" PRIu64 " packets\n", p->usage.packets);
}

static int on_policy(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct policy p;
	int err;

	(void)cmd;
	(void)data;
	err = fields_parse(&policy_fields, &p, attrs, len);
	if (err)
		return err;
	if (options.json) {
		out_object(NULL);
		policy_print(&p);
		out_close();
	} else {
		policy_row(&p);
	}
	return 0;
}

static void traffic_rows(const struct stats *s)
{
	uint32_t i, shown = 0;

	out_text("Traffic\n");
	out_text("  in   %" PRIu64 " ESP and AH packets, %" PRIu64 " delivered\n",
		 s->in_packets, s->in_delivered);
	out_text("  out  %" PRIu64 " packets to protect, %" PRIu64 " sent, %u wait for an SA\n",
		 s->out_packets, s->out_sent, s->held);
	out_text("Dropped\n");
	for (i = 0; i < s->drops.count; i++) {
		if (!s->drops.drop[i].packets)
			continue;
		out_text("  %" PRIu64 " %s: %s\n", s->drops.drop[i].packets,
			 drop_name(&s->drops.drop[i]),
			 drop_text(&s->drops.drop[i]));
		shown++;
	}
	if (!shown)
		out_text("  nothing\n");
}

void help_status(void)
{
	puts("Usage: postern [ OPTIONS ]");
	puts("Without a command: SAs, policies, traffic and drops of the network namespace.");
}

static int print_page(const struct stats *stats, struct ifaddrs *ifs)
{
	int ret;

	out_string("version", "postern %s", POSTERN_VERSION);
	out_string("module-version", ", module %s\n", stats->version);
	out_text("%u SAs\n", stats->sa_count);
	out_array("states");
	ret = cmd_dump(POSTERN_CMD_SA_GET, &sa_fields, NULL, on_sa, ifs, NULL);
	out_close();
	if (ret)
		return ret;
	out_text("%u policies\n", stats->policy_count);
	out_array("policies");
	ret = cmd_dump(POSTERN_CMD_POLICY_GET, &policy_fields, NULL, on_policy,
		       NULL, NULL);
	out_close();
	if (ret)
		return ret;
	traffic_rows(stats);
	out_object("stats");
	if (options.json)
		stats_print(stats);
	out_close();
	return EXIT_OK;
}

int cmd_status(struct args *a)
{
	struct ifaddrs *ifs = NULL;
	static struct stats stats;
	int ret;

	(void)a;
	ret = stats_get(&stats);
	if (ret)
		return ret;
	if (getifaddrs(&ifs))
		ifs = NULL;
	out_record();
	ret = print_page(&stats, ifs);
	out_record_end();
	freeifaddrs(ifs);
	return ret;
}
