// SPDX-License-Identifier: GPL-2.0
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "replay.h"

/**
 * postern_replay_init - make an empty window
 * @r: to be filled
 * @window: packets, 0 to POSTERN_WINDOW_MAX
 *
 * The ring has a block more than the window covers, so that moving right only
 * ever clears whole blocks (RFC 6479 section 3).
 *
 * Return: 0 or -ENOMEM. Context: process.
 */
int postern_replay_init(struct postern_replay *r, u32 window)
{
	r->top = 0;
	r->known = 0;
	r->lost = 0;
	r->window = window;
	r->blocks = 0;
	r->bitmap = NULL;
	if (!window)
		return 0;
	r->blocks = roundup_pow_of_two(DIV_ROUND_UP(window, BITS_PER_LONG) + 1);
	r->bitmap = kcalloc(r->blocks, sizeof(*r->bitmap), GFP_KERNEL_ACCOUNT);
	return r->bitmap ? 0 : -ENOMEM;
}

void postern_replay_free(struct postern_replay *r)
{
	kfree(r->bitmap);
	r->bitmap = NULL;
}

static unsigned long *block_of(const struct postern_replay *r, u64 seq)
{
	return &r->bitmap[(seq / BITS_PER_LONG) & (r->blocks - 1)];
}

static unsigned long bit_of(u64 seq)
{
	return 1UL << (seq % BITS_PER_LONG);
}

/**
 * postern_replay_check - may a packet of this number be accepted?
 * @r: window
 * @seq: number, whole: see postern_replay_recover()
 *
 *        top - window + 1            top
 *   LATE         |  SEEN or OK        |     OK
 *
 * May run without the lock before the costly integrity check; the answer that
 * counts is that of postern_replay_advance().
 */
enum postern_replay_verdict
postern_replay_check(const struct postern_replay *r, u64 seq)
{
	u64 top = READ_ONCE(r->top);

	if (!r->window)
		return POSTERN_REPLAY_OK;
	if (unlikely(!seq))
		return POSTERN_REPLAY_LATE;
	if (likely(seq > top))
		return POSTERN_REPLAY_OK;
	if (top - seq >= r->window)
		return POSTERN_REPLAY_LATE;
	if (READ_ONCE(*block_of(r, seq)) & bit_of(seq))
		return POSTERN_REPLAY_SEEN;
	return POSTERN_REPLAY_OK;
}

/**
 * postern_replay_recover - the whole of a number of which a packet has the low half
 * @r: window
 * @low: what the packet has
 *
 * The one whose low half this is among the 2^32 that begin with the left end of the
 * window (RFC 4303 appendix A2.2), which is never left of 0.
 */
u64 postern_replay_recover(const struct postern_replay *r, u32 low)
{
	u64 top = READ_ONCE(r->top);
	u64 bottom = top < r->window ? 0 : top - r->window + 1;

	return bottom + (u32)(low - (u32)bottom);
}

/* How many numbers from @first to @last, of which the ring has all, did not come. */
static u64 count_missing(const struct postern_replay *r, u64 first, u64 last)
{
	u64 missing = 0, next;
	unsigned long bits;

	if (last <= r->known)
		return 0;
	for (first = max(first, r->known + 1); first <= last; first = next) {
		next = min(first | (BITS_PER_LONG - 1), last) + 1;
		bits = ~*block_of(r, first) >> first % BITS_PER_LONG;
		missing += hweight_long(bits & (~0UL >> (BITS_PER_LONG - (next - first))));
	}
	return missing;
}

/* The ring moves right up to the block of @seq; what it leaves behind is counted. */
static void move_ring(struct postern_replay *r, u64 seq)
{
	u64 block = r->top / BITS_PER_LONG;
	u64 end = seq / BITS_PER_LONG;
	u64 last = min(end, block + r->blocks);
	u64 old;

	r->lost += (end - last) * BITS_PER_LONG;	/* it never had them */
	while (block++ < last) {
		if (block >= r->blocks) {
			old = (block - r->blocks) * BITS_PER_LONG;
			r->lost += count_missing(r, old, old + BITS_PER_LONG - 1);
		}
		WRITE_ONCE(r->bitmap[block & (r->blocks - 1)], 0);
	}
}

/**
 * postern_replay_lost - numbers that left the window without having come
 * @r: window; the caller excludes others
 *
 * A window of 0 knows none.
 */
u64 postern_replay_lost(const struct postern_replay *r)
{
	u64 block = r->top / BITS_PER_LONG;
	u64 oldest = block < r->blocks ? 0 :
		     (block - r->blocks + 1) * BITS_PER_LONG;

	if (!r->window || r->top < r->window)
		return 0;
	return r->lost + count_missing(r, oldest, r->top - r->window);
}

/**
 * postern_replay_advance - check again and note an authenticated packet
 * @r: window; the caller excludes others
 * @seq: its number
 */
enum postern_replay_verdict
postern_replay_advance(struct postern_replay *r, u64 seq)
{
	enum postern_replay_verdict verdict = postern_replay_check(r, seq);

	if (verdict != POSTERN_REPLAY_OK)
		return verdict;
	if (seq > r->top) {
		if (r->window)
			move_ring(r, seq);
		WRITE_ONCE(r->top, seq);
	}
	if (r->window)
		WRITE_ONCE(*block_of(r, seq), *block_of(r, seq) | bit_of(seq));
	return POSTERN_REPLAY_OK;
}

/**
 * postern_replay_export - the window in the form of the contract
 * @r: window; the caller excludes others
 * @bitmap: bit i tells whether number top - i was received
 * @words: length of @bitmap in u32
 */
void postern_replay_export(const struct postern_replay *r, u32 *bitmap,
			   unsigned int words)
{
	u32 n = min_t(u64, min(r->window, words * 32), r->top), i;

	memset(bitmap, 0, words * sizeof(*bitmap));
	for (i = 0; i < n; i++)
		if (*block_of(r, r->top - i) & bit_of(r->top - i))
			bitmap[i / 32] |= 1U << (i % 32);
}

/**
 * postern_replay_import - move a window right, never left
 * @r: window; the caller excludes others
 * @top: highest number received
 * @bitmap: as in postern_replay_export()
 * @words: length of @bitmap in u32
 *
 * What the window already has stays: a number once seen is never forgotten.  Numbers
 * that it does not tell of are not lost.
 */
void postern_replay_import(struct postern_replay *r, u64 top,
			   const u32 *bitmap, unsigned int words)
{
	u32 n = min_t(u64, min(r->window, words * 32), top);
	u64 lost = postern_replay_lost(r);
	bool moves = top > r->top;
	u64 known = top - n;

	while (n--)
		if (bitmap[n / 32] & (1U << (n % 32)))
			postern_replay_advance(r, top - n);
	if (top > r->top)
		postern_replay_advance(r, top);
	if (moves) {
		r->known = known;
		r->lost = lost;
	}
}

#ifdef DEBUG
#include "selftest/replay.c"
#endif
