/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POSTERN_TOOL_BATCH_H
#define POSTERN_TOOL_BATCH_H

#include "parse.h"

/* Run the lines of @file, "-" for standard input. Returns an exit status. */
int batch_run(const char *file);

/**
 * batch_split() - cut a line into words, in place
 *
 * White space parts words, quotes keep it, and # begins a comment where a
 * word might begin.
 *
 * Return: number of words, or -1 for an open quote or too many words.
 */
int batch_split(char *line, char **word, int max);

/* One command; postern.c. */
int cmd_run(struct args *a);

#endif
