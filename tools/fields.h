/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Netlink attributes to C structures and back, driven by one table a set.
 *
 * Every structure that a table describes begins with a uint64_t, "has", in
 * which bit N says that attribute number N is there.
 */
#ifndef POSTERN_TOOL_FIELDS_H
#define POSTERN_TOOL_FIELDS_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_kind {
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,	/* also network order: the octets are not touched */
	FIELD_U64,
	FIELD_FLAG,	/* lives in "has" alone */
	FIELD_STRING,	/* char[size] */
	FIELD_BINARY,	/* uint32_t length, then size octets */
	FIELD_NEST,	/* a structure of another table */
	FIELD_LIST,	/* uint32_t count, padding, then size structures */
};

struct fields;

struct field {
	const char *name;		/* as in the YAML */
	uint16_t attr;
	uint8_t kind;
	uint32_t offset;
	uint32_t size;
	const struct fields *nested;
};

struct fields {
	const struct field *field;
	unsigned int count;
	uint32_t struct_size;
};

/* The elements of a FIELD_LIST begin where a uint64_t may. */
#define FIELD_LIST_HEAD		8

/* Rows of a table. @type: structure, @member: where in it the value lives. */
#define FIELD(type, kind_, attr_, name_, member) \
	{ .name = (name_), .attr = (attr_), .kind = (kind_), \
	  .offset = offsetof(struct type, member), \
	  .size = sizeof(((struct type *)0)->member) }
#define FIELD_BIN(type, attr_, name_, member) \
	{ .name = (name_), .attr = (attr_), .kind = FIELD_BINARY, \
	  .offset = offsetof(struct type, member), \
	  .size = sizeof(((struct type *)0)->member) - sizeof(uint32_t) }
#define FIELD_NESTED(type, attr_, name_, member, table) \
	{ .name = (name_), .attr = (attr_), .kind = FIELD_NEST, \
	  .offset = offsetof(struct type, member), .nested = &(table) }
#define FIELD_LISTED(type, attr_, name_, member, max, table) \
	{ .name = (name_), .attr = (attr_), .kind = FIELD_LIST, \
	  .offset = offsetof(struct type, member), .size = (max), \
	  .nested = &(table) }
#define FIELDS(type, table) { \
	.field = (table), \
	.count = sizeof(table) / sizeof((table)[0]), \
	.struct_size = sizeof(struct type), \
}

#define HAS(attr)		(1ULL << (attr))

/**
 * fields_put() - append the attributes that @object has to a message
 * @nlh: message
 * @room: octets of the buffer that @nlh begins
 * @fields: table of the set
 * @object: structure of the table
 *
 * Return: false when the buffer is too small.
 */
bool fields_put(struct nlmsghdr *nlh, size_t room, const struct fields *fields,
		const void *object);

/**
 * fields_parse() - fill a structure from attributes
 * @fields: table of the set
 * @object: structure of the table; overwritten as a whole
 * @attrs: first attribute
 * @len: octets of attributes
 *
 * Attributes that the table does not know are skipped, so that a newer module
 * may say more. Lengths are checked.
 *
 * Return: 0 or -EBADMSG.
 */
int fields_parse(const struct fields *fields, void *object, const void *attrs,
		 size_t len);

/**
 * fields_path() - name the attribute at an offset of a message
 * @fields: table of the message
 * @nlh: message
 * @offset: octets from @nlh, as in NLMSGERR_ATTR_OFFS
 * @path: receives the names from the outermost on, with spaces between
 * @size: octets of @path
 */
void fields_path(const struct fields *fields, const struct nlmsghdr *nlh,
		 uint32_t offset, char *path, size_t size);

/* Name of attribute @attr of a set, NULL when unknown. */
const char *fields_name(const struct fields *fields, uint16_t attr);

#endif
