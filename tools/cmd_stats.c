// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"
#include "drops.h"
#include "out.h"
#include "print.h"
#include "stats.h"

#include <stdio.h>
#include <string.h>

static int on_stats(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	return fields_parse(&stats_fields, data, attrs, len);
}

int stats_get(struct stats *stats)
{
	int ret;

	memset(stats, 0, sizeof(*stats));
	ret = cmd_send(POSTERN_CMD_STATS_GET, &stats_fields, NULL, on_stats,
		       stats);
	if (!ret)
		drops_complete(&stats->drops);
	return ret;
}

void stats_print(const struct stats *s)
{
	uint32_t i, shown = 0;

	out_string("version", "module version %s\n", s->version);
	out_number("sa-count", "%20llu SAs\n", s->sa_count);
	out_number("policy-count", "%20llu policies\n", s->policy_count);
	out_number("in-packets",
		   "%20llu ESP and AH packets came for this host\n",
		   s->in_packets);
	out_number("in-delivered",
		   "%20llu inner packets handed back to the stack\n",
		   s->in_delivered);
	out_number("in-ecn-unused",
		   "%20llu inner packets with ECN marks that no tunnel makes\n",
		   s->in_ecn_unused);
	out_number("in-keepalives",
		   "%20llu NAT keepalives came for this host\n",
		   s->in_keepalives);
	out_number("in-fragments",
		   "%20llu inner fragments that reassembly has taken\n",
		   s->in_fragments);
	out_number("out-packets", "%20llu packets to protect\n",
		   s->out_packets);
	out_number("out-sent", "%20llu ESP and AH packets sent\n",
		   s->out_sent);
	out_number("out-keepalives", "%20llu NAT keepalives sent\n",
		   s->out_keepalives);
	out_number("held", "%20llu packets wait for an SA\n", s->held);
	drops_print_json(&s->drops, true);
	out_text("dropped:\n");
	for (i = 0; i < s->drops.count; i++) {
		if (!s->drops.drop[i].packets && !options.stats)
			continue;
		out_text("%20llu %-16s %s\n",
			 (unsigned long long)s->drops.drop[i].packets,
			 drop_name(&s->drops.drop[i]),
			 drop_text(&s->drops.drop[i]));
		shown++;
	}
	if (!shown)
		out_text("%20s nothing\n", "");
}

void help_stats(void)
{
	puts("Usage: postern [ -s ] [ -j [ -p ] ] stats");
	puts("Counters of the network namespace; -s shows reasons that never dropped, too.");
}

int cmd_stats(struct args *a)
{
	static struct stats stats;
	int ret;

	if (a->count && matches(a->word[0], "help")) {
		args_take(a);
		return help_run(a, help_stats);
	}
	if (!words_parse_all(a, no_words))
		return EXIT_USAGE;
	ret = stats_get(&stats);
	if (ret)
		return ret;
	out_record();
	stats_print(&stats);
	out_record_end();
	return EXIT_OK;
}
