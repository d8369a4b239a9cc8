/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one printing path: each call carries a key for JSON and a format for
 * text, and one of them is used. A NULL format is for JSON alone.
 *
 * A command prints records between out_begin() and out_end(). Each record is
 * written when it is closed, so that a long list needs no memory.
 */
#ifndef POSTERN_TOOL_OUT_H
#define POSTERN_TOOL_OUT_H

#include "sa.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * JSON: the array around the records of a list. A list that is not @complete
 * and has no record yet prints nothing.
 */
void out_begin(void);
void out_end(bool complete);

/* A record: an object of its own, or an element of the array. */
void out_record(void);
void out_record_end(void);

/* An object or array within a record; @key is NULL in an array. */
void out_object(const char *key);
void out_array(const char *key);
void out_close(void);

/* @fmt takes one string, or one unsigned long long. */
void out_string(const char *key, const char *fmt, const char *value);
void out_number(const char *key, const char *fmt, uint64_t value);
void out_addr(const char *key, const char *fmt, const struct addr *addr);

/* Text alone. */
void out_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Text alone: the end of a line, which -oneline makes a backslash. */
void out_line(void);

#endif
