/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POSTERN_TOOL_CMD_H
#define POSTERN_TOOL_CMD_H

#include "nl.h"
#include "parse.h"

#include <stdbool.h>

/* Exit statuses, as iproute2 has them. */
enum {
	EXIT_OK,
	EXIT_USAGE,
	EXIT_REFUSED,
};

/* What the global options say. */
struct options {
	bool stats;		/* -s */
	bool json;		/* -j */
	bool pretty;		/* -p */
	bool oneline;		/* -o */
	bool keys;		/* -k */
	bool force;		/* -force */
	bool replace;		/* -replace */
	int family;		/* -4, -6: AF_; else AF_UNSPEC */
};

extern struct options options;

/* If a->word is a global option without a value: obey and step over it. */
bool option_take(struct args *a);

/* The socket, opened at its first use; NULL with an error printed. */
struct nl *cmd_nl(void);

/*
 * One request of the tool: returns an exit status, and prints what the kernel
 * says against it.
 */
int cmd_send(uint8_t cmd, const struct fields *fields, const void *object,
	     nl_msg_cb cb, void *data);

/* The same for one of a list; nothing is said when it is not there any more. */
int cmd_delete(uint8_t cmd, const struct fields *fields, const void *object);

/**
 * cmd_dump() - one request that is answered by many messages
 * @again: called before each try, to forget what @cb was told; with it, a dump
 *	that changes under way is tried again and fails in the end; without it,
 *	that is only said
 *
 * Return: an exit status; what the kernel says against it is printed.
 */
int cmd_dump(uint8_t cmd, const struct fields *fields, const void *object,
	     nl_msg_cb cb, void *data, void (*again)(void *data));

/* A word of a dispatch table; an abbreviation takes the first that fits. */
struct command {
	const char *name;
	int (*run)(struct args *a);
};

/* Return: the command, or NULL with an error printed that lists them all. */
const struct command *command_find(const struct command *table,
				   const char *what, const char *word);

/* Run the command that the next word names; @bare when there is no word. */
int object_run(const struct command *table, const char *what, struct args *a,
	       int (*bare)(struct args *a));

/* Print help, behind which no word is expected. Returns an exit status. */
int help_run(struct args *a, void (*help)(void));

int cmd_state(struct args *a);
int cmd_policy(struct args *a);
int cmd_monitor(struct args *a);
int cmd_guard(struct args *a);
int cmd_stats(struct args *a);
int cmd_algs(struct args *a);
int cmd_status(struct args *a);
int cmd_bridge(int argc, char **argv);

void help_state(void);
void help_policy(void);
void help_monitor(void);
void help_guard(void);
void help_stats(void);
void help_algs(void);
void help_status(void);

#endif
