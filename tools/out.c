// SPDX-License-Identifier: GPL-2.0
#include "out.h"

#include "cmd.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEPTH_MAX	8

static struct {
	struct json_object *level[DEPTH_MAX];
	unsigned int depth;
	bool in_list;
	bool first;
} out;

static void push(struct json_object *o)
{
	if (!o || out.depth == DEPTH_MAX)
		abort();
	out.level[out.depth++] = o;
}

/* json-c takes over the reference. */
static void add(const char *key, struct json_object *o)
{
	struct json_object *top = out.level[out.depth - 1];
	int err;

	if (json_object_is_type(top, json_type_array))
		err = json_object_array_add(top, o);
	else
		err = json_object_object_add(top, key, o);
	if (err || !o)
		abort();
}

void out_begin(void)
{
	out.in_list = true;
	out.first = true;
}

void out_end(bool complete)
{
	out.in_list = false;
	if (!options.json || (out.first && !complete))
		return;
	if (out.first)
		putchar('[');
	else if (options.pretty)
		putchar('\n');
	puts("]");
}

void out_record(void)
{
	if (options.json)
		push(json_object_new_object());
}

void out_record_end(void)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	struct json_object *o;

	if (!options.json) {
		if (options.oneline)
			putchar('\n');
		return;
	}
	if (options.pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	o = out.level[--out.depth];
	if (out.in_list) {
		putchar(out.first ? '[' : ',');
		if (options.pretty)
			putchar('\n');
	}
	fputs(json_object_to_json_string_ext(o, flags), stdout);
	if (!out.in_list)
		putchar('\n');
	json_object_put(o);
	out.first = false;
}

void out_object(const char *key)
{
	struct json_object *o;

	if (!options.json)
		return;
	o = json_object_new_object();
	add(key, o);
	push(o);
}

void out_array(const char *key)
{
	struct json_object *o;

	if (!options.json)
		return;
	o = json_object_new_array();
	add(key, o);
	push(o);
}

void out_close(void)
{
	if (options.json)
		out.depth--;
}

void out_string(const char *key, const char *fmt, const char *value)
{
	if (options.json)
		add(key, json_object_new_string(value));
	else if (fmt)
		printf(fmt, value);
}

void out_number(const char *key, const char *fmt, uint64_t value)
{
	if (options.json)
		add(key, json_object_new_uint64(value));
	else if (fmt)
		printf(fmt, (unsigned long long)value);
}

void out_addr(const char *key, const char *fmt, const struct addr *addr)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (addr->len)
		inet_ntop(addr_family(addr), addr->b, text, sizeof(text));
	out_string(key, fmt, text);
}

void out_text(const char *fmt, ...)
{
	va_list ap;

	if (options.json)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
}

void out_line(void)
{
	if (!options.json)
		putchar(options.oneline ? '\\' : '\n');
}
