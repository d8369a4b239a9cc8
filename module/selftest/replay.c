// SPDX-License-Identifier: GPL-2.0
/* Included by ../replay.c: the window against a list of all numbers ever seen. */
#include <linux/prandom.h>
#include <linux/printk.h>
#include <linux/vmalloc.h>

#define REPLAY_SPACE	(1U << 15)

static enum postern_replay_verdict model_advance(u8 *seen, u64 *top, u32 window,
						 u64 seq)
{
	if (!seq || (seq <= *top && *top - seq >= window))
		return POSTERN_REPLAY_LATE;
	if (seen[seq])
		return POSTERN_REPLAY_SEEN;
	seen[seq] = 1;
	*top = max(*top, seq);
	return POSTERN_REPLAY_OK;
}

static int replay_against_model(u32 window, struct rnd_state *rnd)
{
	u8 *seen = vzalloc(REPLAY_SPACE);
	struct postern_replay r;
	u64 top = 0, seq;
	int i, bad = 0;

	if (!seen || postern_replay_init(&r, window)) {
		vfree(seen);
		return -ENOMEM;
	}
	for (i = 0; i < 100000 && !bad; i++) {
		u32 dice = prandom_u32_state(rnd);

		if (dice % 16 == 0)	/* a jump */
			seq = top + dice / 16 % (2 * window + 130);
		else			/* around the window, both edges in reach */
			seq = top + 4 - min_t(u64, top + 4,
					      dice / 16 % (window + 70));
		if (seq >= REPLAY_SPACE)
			break;
		if (postern_replay_advance(&r, seq) !=
		    model_advance(seen, &top, window, seq) || r.top != top) {
			pr_err("replay selftest: window %u, number %llu, top %llu\n",
			       window, seq, top);
			bad = -EINVAL;
		}
	}
	postern_replay_free(&r);
	vfree(seen);
	return bad;
}

int postern_replay_selftest(void)
{
	static const u32 windows[] = { 1, 31, 32, 33, 63, 64, 65, 127, 1024, 4096 };
	struct rnd_state rnd;
	unsigned int i;
	int err = 0;

	prandom_seed_state(&rnd, 4303);
	for (i = 0; i < ARRAY_SIZE(windows) && !err; i++)
		err = replay_against_model(windows[i], &rnd);
	return err;
}
