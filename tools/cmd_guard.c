// SPDX-License-Identifier: GPL-2.0
/* Guards: devices by which nothing leaves past the policies. */
#include "cmd.h"
#include "out.h"
#include "print.h"

#include <stdio.h>

struct guard {
	uint64_t has;			/* POSTERN_A_GUARD_ */
	uint32_t ifindex;
};

static const struct field guard_table[] = {
	FIELD(guard, FIELD_U32, POSTERN_A_GUARD_IFINDEX, "dev", ifindex),
};

static const struct fields guard_fields = FIELDS(guard, guard_table);

static const struct word guard_words[] = {
	{ "dev", parse_device, "DEV", offsetof(struct guard, ifindex),
	  .attr = POSTERN_A_GUARD_IFINDEX },
	{ .word = NULL }
};

static int guard_change(struct args *a, uint8_t cmd)
{
	struct guard guard = {};
	const struct word_set sets[] = { { guard_words, &guard }, { NULL, NULL } };

	if (!words_parse_all(a, sets))
		return EXIT_USAGE;
	if (!guard.has) {
		fputs("Error: \"dev\" is required.\n", stderr);
		return EXIT_USAGE;
	}
	return cmd_send(cmd, &guard_fields, &guard, NULL, NULL);
}

static int guard_add(struct args *a)
{
	return guard_change(a, POSTERN_CMD_GUARD_NEW);
}

static int guard_delete(struct args *a)
{
	return guard_change(a, POSTERN_CMD_GUARD_DEL);
}

static int on_guard(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct guard guard;
	int err;

	(void)cmd;
	(void)data;
	err = fields_parse(&guard_fields, &guard, attrs, len);
	if (err)
		return err;
	out_record();
	device_print(guard.ifindex);
	if (!options.oneline)
		out_text("\n");
	out_record_end();
	return 0;
}

static int guard_list(struct args *a)
{
	struct guard guard = {};
	const struct word_set sets[] = { { guard_words, &guard }, { NULL, NULL } };
	int ret;

	if (!words_parse_all(a, sets))
		return EXIT_USAGE;
	out_begin();
	ret = cmd_dump(POSTERN_CMD_GUARD_GET, &guard_fields, &guard, on_guard,
		       NULL, NULL);
	out_end(ret == EXIT_OK);
	return ret;
}

void help_guard(void)
{
	puts("Usage: postern guard { add | delete } dev DEV");
	puts("       postern guard [ list [ dev DEV ] ]");
	puts("Devices by which no frame leaves that outbound policies protect or discard, also when\n"
	     "it does not come from the IP stack of this namespace.");
}

static int guard_help(struct args *a)
{
	return help_run(a, help_guard);
}

static const struct command commands[] = {
	{ "add", guard_add },
	{ "delete", guard_delete },
	{ "list", guard_list },
	{ "show", guard_list },
	{ "lst", guard_list },
	{ "ls", guard_list },
	{ "help", guard_help },
	{ NULL, NULL }
};

int cmd_guard(struct args *a)
{
	return object_run(commands, "guard", a, guard_list);
}
