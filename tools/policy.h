/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POSTERN_TOOL_POLICY_H
#define POSTERN_TOOL_POLICY_H

#include "sa.h"

#define TMPLS_MAX	POSTERN_TMPL_MAX

struct tmpl {
	uint64_t has;			/* POSTERN_A_TMPL_ */
	struct addr src;
	struct addr dst;
	uint8_t proto;
	uint8_t mode;
	uint8_t level;
	uint32_t reqid;
	uint32_t spi;			/* network order */
};

struct policy {
	uint64_t has;			/* POSTERN_A_POLICY_ */
	uint32_t index;
	uint8_t dir;
	uint8_t action;
	uint32_t priority;
	uint32_t owner;
	uint32_t flags;			/* POSTERN_POLICY_FLAG_ */
	uint32_t count;
	uint64_t id;
	struct selector selector;
	struct {
		uint32_t count;
		uint32_t pad;
		struct tmpl tmpl[TMPLS_MAX];
	} tmpls;
	struct usage usage;
	struct selector packet;
};

struct stats {
	uint64_t has;			/* POSTERN_A_STATS_ */
	char version[32];
	uint32_t sa_count;
	uint32_t policy_count;
	uint64_t in_packets;
	uint64_t in_delivered;
	uint64_t in_fragments;
	uint64_t in_ecn_unused;
	uint64_t in_keepalives;
	uint64_t out_keepalives;
	uint64_t out_packets;
	uint64_t out_sent;
	uint32_t held;
	struct drops drops;
};

/*
 * Lets it pass all in clear (0), some, or nothing (POLICY_STRICTEST)?  Those that go together
 * go in this order, or what one of them protected would meet one that lets it pass.
 */
#define POLICY_STRICTEST	2
int policy_strictness(const struct policy *p);

extern const struct fields policy_fields;
extern const struct fields stats_fields;

#endif
