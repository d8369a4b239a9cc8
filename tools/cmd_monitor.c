// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"
#include "out.h"
#include "print.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

static const char *sa_event(uint8_t cmd)
{
	switch (cmd) {
	case POSTERN_CMD_SA_NEW_NTF:
		return "sa-new";
	case POSTERN_CMD_SA_UPDATE_NTF:
		return "sa-update";
	case POSTERN_CMD_SA_DEL_NTF:
		return "sa-del";
	case POSTERN_CMD_SA_EXPIRE_NTF:
		return "sa-expire";
	case POSTERN_CMD_SA_FLUSH_NTF:
		return "sa-flush";
	case POSTERN_CMD_SA_USED_NTF:
		return "sa-used";
	case POSTERN_CMD_SA_UNKNOWN_NTF:
		return "sa-unknown";
	case POSTERN_CMD_SA_MAPPING_NTF:
		return "sa-mapping";
	}
	return NULL;
}

static const char *policy_event(uint8_t cmd)
{
	switch (cmd) {
	case POSTERN_CMD_POLICY_NEW_NTF:
		return "policy-new";
	case POSTERN_CMD_POLICY_UPDATE_NTF:
		return "policy-update";
	case POSTERN_CMD_POLICY_DEL_NTF:
		return "policy-del";
	case POSTERN_CMD_POLICY_FLUSH_NTF:
		return "policy-flush";
	case POSTERN_CMD_ACQUIRE_NTF:
		return "acquire";
	}
	return NULL;
}

static void print_mapping(const struct sa *sa)
{
	out_text("Mapping ");
	out_object("sa");
	sa_print_id(sa);
	out_close();
	out_number("sport", "\tsport %llu", sa->encap.sport);
	out_addr("new-src", " now src %s ", &sa->new_src);
	out_number("new-sport", "sport %llu", sa->new_sport);
	out_line();
}

static void print_sa_event(uint8_t cmd, const struct sa *sa)
{
	switch (cmd) {
	case POSTERN_CMD_SA_FLUSH_NTF:
		out_number("deleted", NULL, sa->count);
		out_text("Flushed state proto %u owner %u", sa->proto,
			 sa->owner);
		if (sa->has & HAS(POSTERN_A_SA_PROTO))
			name_print("proto", NULL, xfrm_proto_names, sa->proto);
		if (sa->has & HAS(POSTERN_A_SA_OWNER))
			out_number("owner", NULL, sa->owner);
		out_line();
		return;
	case POSTERN_CMD_SA_EXPIRE_NTF:
		out_text("Expired ");
		out_object("sa");
		sa_print_id(sa);
		out_close();
		out_number("hard", "\thard %llu", sa->hard);
		out_line();
		return;
	case POSTERN_CMD_SA_USED_NTF:
		out_text("Used ");
		out_object("sa");
		sa_print_id(sa);
		out_close();
		return;
	case POSTERN_CMD_SA_UNKNOWN_NTF:
		out_text("Unknown ");
		out_object("sa");
		sa_print_name(sa);
		out_close();
		return;
	case POSTERN_CMD_SA_MAPPING_NTF:
		print_mapping(sa);
		return;
	case POSTERN_CMD_SA_UPDATE_NTF:
		out_text("Updated ");
		break;
	case POSTERN_CMD_SA_DEL_NTF:
		out_text("Deleted ");
		break;
	}
	out_object("sa");
	sa_print(sa);
	out_close();
}

static void print_policy_event(uint8_t cmd, const struct policy *p)
{
	switch (cmd) {
	case POSTERN_CMD_ACQUIRE_NTF:
		acquire_print(p);
		return;
	case POSTERN_CMD_POLICY_FLUSH_NTF:
		out_number("deleted", NULL, p->count);
		out_text("Flushed policy");
		if (p->has & HAS(POSTERN_A_POLICY_DIR))
			name_print("dir", " dir %s", dir_names, p->dir);
		if (p->has & HAS(POSTERN_A_POLICY_OWNER))
			out_number("owner", " owner %llu", p->owner);
		out_line();
		return;
	case POSTERN_CMD_POLICY_UPDATE_NTF:
		out_text("Updated ");
		break;
	case POSTERN_CMD_POLICY_DEL_NTF:
		out_text("Deleted ");
		break;
	}
	out_object("policy");
	policy_print(p);
	out_close();
}

static int on_event(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	const char *event = sa_event(cmd);
	struct policy p;
	struct sa sa;
	int err;

	(void)data;
	if (event) {
		err = fields_parse(&sa_fields, &sa, attrs, len);
	} else {
		event = policy_event(cmd);
		if (!event)
			return 0;	/* of a newer module */
		err = fields_parse(&policy_fields, &p, attrs, len);
	}
	if (err)
		return err;
	out_record();
	out_string("event", NULL, event);
	if (sa_event(cmd))
		print_sa_event(cmd, &sa);
	else
		print_policy_event(cmd, &p);
	out_record_end();
	fflush(stdout);
	return ferror(stdout) ? -EPIPE : 0;
}

static void print_overrun(void)
{
	out_record();
	out_string("event", NULL, "overrun");
	out_text("Messages were lost: they came faster than they were read");
	out_line();
	out_record_end();
	fflush(stdout);
}

enum {
	GROUP_SA = 1,
	GROUP_POLICY = 2,
	GROUP_ACQUIRE = 4,
	GROUP_ALL = 7,
};

static const struct {
	const char *word;
	const char *group;
	unsigned int bits;
} objects[] = {
	{ "sa", POSTERN_MCGRP_SA, GROUP_SA },
	{ "policy", POSTERN_MCGRP_POLICY, GROUP_POLICY },
	{ "acquire", POSTERN_MCGRP_ACQUIRE, GROUP_ACQUIRE },
	/* Other names for the above. */
	{ "state", NULL, GROUP_SA },
	{ "expire", NULL, GROUP_SA },
	{ "all", NULL, GROUP_ALL },
};

#define OBJECTS (sizeof(objects) / sizeof(objects[0]))

void help_monitor(void)
{
	puts("Usage: postern monitor [ all | LIST ]");
	puts("LIST := [ sa ] [ policy ] [ acquire ]");
	puts("\"state\" and \"expire\" are other words for sa.");
}

static bool parse_objects(struct args *a, unsigned int *bits)
{
	unsigned int i;

	while (a->count) {
		if (option_take(a))
			continue;
		/* "ip xfrm monitor" writes SA in capitals. */
		for (i = 0; i < OBJECTS; i++)
			if (!strcasecmp(a->word[0], objects[i].word))
				break;
		if (i == OBJECTS)
			return wrong(a->word[0],
				     "monitor takes sa, policy, acquire or all");
		*bits |= objects[i].bits;
		args_take(a);
	}
	if (!*bits)
		*bits = GROUP_ALL;
	return true;
}

int cmd_monitor(struct args *a)
{
	unsigned int bits = 0, i;
	struct nl *nl;
	int err = 0;

	if (a->count && matches(a->word[0], "help")) {
		args_take(a);
		return help_run(a, help_monitor);
	}
	if (!parse_objects(a, &bits))
		return EXIT_USAGE;
	nl = cmd_nl();
	if (!nl)
		return EXIT_REFUSED;
	for (i = 0; !err && i < OBJECTS; i++)
		if (objects[i].group && bits & objects[i].bits)
			err = nl_join(nl, objects[i].group);
	while (!err) {
		err = nl_listen(nl, on_event, NULL);
		if (err == -ENOBUFS) {
			print_overrun();
			err = 0;
		} else if (err == -EINTR) {
			err = 0;
		}
	}
	nl_perror(nl, err);
	return EXIT_REFUSED;
}
