// SPDX-License-Identifier: GPL-2.0
/* What the commands of all objects share. */
#include "cmd.h"

#include <stdio.h>

const struct command *command_find(const struct command *table,
				   const char *what, const char *word)
{
	const struct command *c;

	for (c = table; c->name; c++)
		if (matches(word, c->name))
			return c;
	fprintf(stderr, "Error: unknown %s command \"%s\"; known are", what,
		word);
	for (c = table; c->name; c++)
		fprintf(stderr, " %s", c->name);
	fputs(".\n", stderr);
	return NULL;
}

int object_run(const struct command *table, const char *what, struct args *a,
	       int (*bare)(struct args *a))
{
	const struct command *c;

	while (a->count && option_take(a))
		;
	if (!a->count)
		return bare(a);
	c = command_find(table, what, a->word[0]);
	if (!c)
		return EXIT_USAGE;
	args_take(a);
	return c->run(a);
}

int help_run(struct args *a, void (*help)(void))
{
	if (!words_parse_all(a, no_words))
		return EXIT_USAGE;
	help();
	return EXIT_OK;
}
