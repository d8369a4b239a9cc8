/* SPDX-License-Identifier: GPL-2.0 */
/* SAs and policies, in the layout of "ip xfrm" or as JSON. */
#ifndef POSTERN_TOOL_PRINT_H
#define POSTERN_TOOL_PRINT_H

#include "parse.h"

#include <stddef.h>

/* The members of an open object; text begins with a new line's first column. */
void sa_print(const struct sa *sa);
void policy_print(const struct policy *policy);
void acquire_print(const struct policy *policy);

void sa_print_id(const struct sa *sa);
/* No more than a packet tells of its SA. */
void sa_print_name(const struct sa *sa);
/* "dev NAME" of a text, or the member dev. */
void device_print(uint32_t ifindex);

void selector_print(const struct selector *sel);

/* An array "drops" of those that count something, or of @all. */
void drops_print_json(const struct drops *drops, bool all);

/* Print a number by its name in a table, or as a number when it has none. */
void name_print(const char *key, const char *fmt, const struct name *names,
		uint32_t value);

/* "1.2 MiB" */
void human_bytes(uint64_t bytes, char *buf, size_t size);
/* "1d 2h", "3m 4s" */
void human_seconds(uint64_t seconds, char *buf, size_t size);

/* Rows "time-soft" and so on, which "limit" takes and lists show. */
extern const struct word limit_words[];

#endif
