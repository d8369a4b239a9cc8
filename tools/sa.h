/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the messages of the family carry, as C structures.  "has" of each one
 * says which attributes are there: HAS(POSTERN_A_SA_SPI) and so on.
 */
#ifndef POSTERN_TOOL_SA_H
#define POSTERN_TOOL_SA_H

#include "fields.h"

#include "postern.h"
#include "postern_drop.h"

#include <stdbool.h>
#include <stdint.h>

#define SPI_LOWEST	0x100	/* RFC 4303 section 2.1: 1 to 255 are reserved */

struct addr {
	uint32_t len;			/* 4 or 16; 0 when there is none */
	uint8_t b[POSTERN_ADDR_MAX];
};

struct algo {
	uint64_t has;			/* POSTERN_A_ALGO_ */
	char name[POSTERN_NAME_MAX];
	struct {
		uint32_t len;
		uint8_t b[POSTERN_KEY_MAX];
	} key;
	uint32_t icv_bits;
	uint32_t key_bits;
};

struct selector {
	uint64_t has;			/* POSTERN_A_SELECTOR_ */
	struct addr src;
	struct addr dst;
	uint8_t src_len;
	uint8_t dst_len;
	uint8_t proto;
	uint16_t sport_first;
	uint16_t sport_last;
	uint16_t dport_first;
	uint16_t dport_last;
	uint32_t ifindex;
};

struct lifetime {
	uint64_t has;			/* POSTERN_A_LIFETIME_ */
	uint64_t byte_soft;
	uint64_t byte_hard;
	uint64_t packet_soft;
	uint64_t packet_hard;
	uint64_t add_soft;
	uint64_t add_hard;
	uint64_t use_soft;
	uint64_t use_hard;
};

struct usage {
	uint64_t has;			/* POSTERN_A_USAGE_ */
	uint64_t bytes;
	uint64_t packets;
	uint64_t add_time;
	uint64_t use_time;
	uint64_t last_used;
};

struct replay {
	uint64_t has;			/* POSTERN_A_REPLAY_ */
	uint64_t oseq;
	uint64_t seq;
	uint64_t lost;
	struct {
		uint32_t len;		/* octets */
		uint32_t word[512 / sizeof(uint32_t)];	/* as the contract has it */
	} bitmap;
};

struct drop {
	uint64_t has;			/* POSTERN_A_DROP_ */
	uint32_t reason;
	char name[32];
	char text[256];
	uint64_t packets;
};

/* A newer module may know reasons that this tool does not. */
#define DROPS_MAX	(POSTERN_DROP_COUNT + 32)

struct drops {
	uint32_t count;
	uint32_t pad;
	struct drop drop[DROPS_MAX];
};

struct encap {
	uint64_t has;			/* POSTERN_A_ENCAP_ */
	uint16_t sport;
	uint16_t dport;
	struct addr original;
};

struct sa {
	uint64_t has;			/* POSTERN_A_SA_ */
	struct addr dst;
	struct addr src;
	uint8_t proto;
	uint8_t mode;
	uint8_t dir;
	uint8_t state;
	uint8_t hard;
	uint8_t ttl;			/* 0: that of the inner packet */
	uint8_t tos;
	uint32_t spi;			/* network order */
	uint32_t reqid;
	uint32_t owner;
	uint32_t flags;
	uint32_t replay_window;
	uint32_t spi_min;
	uint32_t spi_max;
	uint32_t count;
	uint32_t flow_label;
	uint32_t output_mark;
	uint32_t output_mark_mask;
	uint16_t tfcpad;		/* octets */
	uint16_t dummy_len;
	uint32_t path_mtu;
	uint32_t path_mtu_expires;
	uint32_t nat_keepalive_interval;
	uint16_t new_sport;
	struct addr new_src;
	uint64_t id;
	struct algo aead;
	struct algo auth;
	struct algo crypt;
	struct algo comp;
	struct selector selector;
	struct encap encap;
	struct lifetime lifetime;
	struct usage usage;
	struct replay replay;
	struct drops drops;
};

extern const struct fields sa_fields;
extern const struct fields selector_fields;
extern const struct fields usage_fields;
extern const struct fields drop_fields;

/* Octets of an address of the family AF_INET or AF_INET6; 0 for others. */
uint32_t addr_len(int family);
int addr_family(const struct addr *addr);
bool addr_equal(const struct addr *a, const struct addr *b);

/* True when @addr lies in the first @bits of @net. */
bool addr_within(const struct addr *addr, const struct addr *net,
		 unsigned int bits);

bool addr_multicast(const struct addr *addr);

/* Overwrite a structure that held keys, in a way that is not optimised away. */
void sa_wipe(struct sa *sa);

#endif
