/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Anti-replay window of RFC 4303 section 3.4.3 as a ring of blocks (RFC 6479).
 * Knows nothing of packets or locks: the caller orders check and advance.
 */
#ifndef _POSTERN_REPLAY_H
#define _POSTERN_REPLAY_H

#include <linux/types.h>

enum postern_replay_verdict {
	POSTERN_REPLAY_OK,
	POSTERN_REPLAY_SEEN,	/* inside the window and received before */
	POSTERN_REPLAY_LATE,	/* left of the window, or zero */
};

/**
 * struct postern_replay - what was received
 * @top: highest number received and authenticated; 0 for none
 * @known: of numbers up to this nobody told whether they came
 * @lost: numbers that left the ring without having come
 * @window: packets, 0 turns the check off
 * @blocks: unsigned longs in @bitmap, a power of 2, one more than the window needs
 * @bitmap: bit (n mod ring size) tells whether number n was received
 */
struct postern_replay {
	u64 top;
	u64 known;
	u64 lost;
	u32 window;
	u32 blocks;
	unsigned long *bitmap;
};

int postern_replay_init(struct postern_replay *r, u32 window);
void postern_replay_free(struct postern_replay *r);
enum postern_replay_verdict
postern_replay_check(const struct postern_replay *r, u64 seq);
u64 postern_replay_recover(const struct postern_replay *r, u32 low);
enum postern_replay_verdict
postern_replay_advance(struct postern_replay *r, u64 seq);
u64 postern_replay_lost(const struct postern_replay *r);
void postern_replay_export(const struct postern_replay *r, u32 *bitmap,
			   unsigned int words);
void postern_replay_import(struct postern_replay *r, u64 top,
			   const u32 *bitmap, unsigned int words);
int postern_replay_selftest(void);

#endif
