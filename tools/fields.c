// SPDX-License-Identifier: GPL-2.0
#include "fields.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <stdio.h>
#include <string.h>

static const struct field *find(const struct fields *fields, uint16_t attr)
{
	unsigned int i;

	for (i = 0; i < fields->count; i++)
		if (fields->field[i].attr == attr)
			return &fields->field[i];
	return NULL;
}

const char *fields_name(const struct fields *fields, uint16_t attr)
{
	const struct field *f = find(fields, attr);

	return f ? f->name : NULL;
}

static bool put_nest(struct nlmsghdr *nlh, size_t room, uint16_t attr,
		     const struct fields *fields, const void *object)
{
	struct nlattr *nest = mnl_attr_nest_start_check(nlh, room, attr);

	if (!nest)
		return false;
	if (!fields_put(nlh, room, fields, object)) {
		mnl_attr_nest_cancel(nlh, nest);
		return false;
	}
	mnl_attr_nest_end(nlh, nest);
	return true;
}

static bool put_one(struct nlmsghdr *nlh, size_t room, const struct field *f,
		    const unsigned char *at)
{
	uint32_t i, n;

	switch (f->kind) {
	case FIELD_U8:
		return mnl_attr_put_check(nlh, room, f->attr, 1, at);
	case FIELD_U16:
		return mnl_attr_put_check(nlh, room, f->attr, 2, at);
	case FIELD_U32:
		return mnl_attr_put_check(nlh, room, f->attr, 4, at);
	case FIELD_U64:
		return mnl_attr_put_check(nlh, room, f->attr, 8, at);
	case FIELD_FLAG:
		return mnl_attr_put_check(nlh, room, f->attr, 0, NULL);
	case FIELD_STRING:
		return mnl_attr_put_strz_check(nlh, room, f->attr,
					       (const char *)at);
	case FIELD_BINARY:
		memcpy(&n, at, sizeof(n));
		if (n > f->size)
			return false;
		return mnl_attr_put_check(nlh, room, f->attr, n,
					  at + sizeof(n));
	case FIELD_NEST:
		return put_nest(nlh, room, f->attr, f->nested, at);
	case FIELD_LIST:
		memcpy(&n, at, sizeof(n));
		if (n > f->size)
			return false;
		at += FIELD_LIST_HEAD;
		for (i = 0; i < n; i++, at += f->nested->struct_size)
			if (!put_nest(nlh, room, f->attr, f->nested, at))
				return false;
		return true;
	}
	return false;
}

bool fields_put(struct nlmsghdr *nlh, size_t room, const struct fields *fields,
		const void *object)
{
	const struct field *f;
	uint64_t has;
	unsigned int i;

	memcpy(&has, object, sizeof(has));
	for (i = 0; i < fields->count; i++) {
		f = &fields->field[i];
		if (!(has & HAS(f->attr)))
			continue;
		if (!put_one(nlh, room, f,
			     (const unsigned char *)object + f->offset))
			return false;
	}
	return true;
}

static bool parse_number(unsigned char *at, const void *data, size_t len,
			 size_t want)
{
	if (len != want)
		return false;
	memcpy(at, data, want);
	return true;
}

static bool parse_one(const struct field *f, unsigned char *at,
		      const void *data, size_t len)
{
	const char *s = data;
	uint32_t n;

	switch (f->kind) {
	case FIELD_U8:
		return parse_number(at, data, len, 1);
	case FIELD_U16:
		return parse_number(at, data, len, 2);
	case FIELD_U32:
		return parse_number(at, data, len, 4);
	case FIELD_U64:
		return parse_number(at, data, len, 8);
	case FIELD_FLAG:
		return len == 0;
	case FIELD_STRING:
		n = strnlen(s, len);
		if (n >= f->size)
			n = f->size - 1;
		memcpy(at, s, n);
		at[n] = '\0';
		return true;
	case FIELD_BINARY:
		if (len > f->size)
			return false;
		n = len;
		memcpy(at, &n, sizeof(n));
		memcpy(at + sizeof(n), data, len);
		return true;
	case FIELD_NEST:
		return fields_parse(f->nested, at, data, len) == 0;
	case FIELD_LIST:
		memcpy(&n, at, sizeof(n));
		/* More than this tool has room for: keep the first ones. */
		if (n == f->size)
			return true;
		if (fields_parse(f->nested,
				 at + FIELD_LIST_HEAD +
				 (size_t)n * f->nested->struct_size,
				 data, len))
			return false;
		n++;
		memcpy(at, &n, sizeof(n));
		return true;
	}
	return false;
}

int fields_parse(const struct fields *fields, void *object, const void *attrs,
		 size_t len)
{
	const struct nlattr *attr;
	const struct field *f;
	unsigned char *base = object;
	uint64_t has = 0;

	memset(object, 0, fields->struct_size);
	mnl_attr_for_each_payload(attrs, len) {
		f = find(fields, mnl_attr_get_type(attr));
		if (!f)
			continue;
		if (!parse_one(f, base + f->offset, mnl_attr_get_payload(attr),
			       mnl_attr_get_payload_len(attr)))
			return -EBADMSG;
		has |= HAS(f->attr);
	}
	memcpy(object, &has, sizeof(has));
	return (const char *)attr < (const char *)attrs + len ? -EBADMSG : 0;
}

void fields_path(const struct fields *fields, const struct nlmsghdr *nlh,
		 uint32_t offset, char *path, size_t size)
{
	const char *base = (const char *)nlh;
	uint32_t end = nlh->nlmsg_len, at = MNL_NLMSG_HDRLEN + GENL_HDRLEN;
	const struct nlattr *attr;
	const struct field *f;
	size_t used = 0;

	path[0] = '\0';
	while (fields && at + MNL_ATTR_HDRLEN <= end && at <= offset) {
		attr = (const struct nlattr *)(base + at);
		if (!mnl_attr_ok(attr, end - at))
			return;
		if (offset >= at + MNL_ALIGN(attr->nla_len)) {
			at += MNL_ALIGN(attr->nla_len);
			continue;
		}
		f = find(fields, mnl_attr_get_type(attr));
		if (!f)
			return;
		used += snprintf(path + used, size - used, "%s%s",
				 used ? " " : "", f->name);
		if (used >= size || offset == at)
			return;
		fields = f->nested;
		end = at + attr->nla_len;
		at += MNL_ATTR_HDRLEN;
	}
}
