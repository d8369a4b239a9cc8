// SPDX-License-Identifier: GPL-2.0
/*
 * window WINDOW ESN TOP: the module's anti-replay window, driven by lines on its input.
 *
 *   NUMBER   a packet comes: of its number the window is shown what a packet has, and
 *            the packet is authentic if what the window makes of it is its number
 *   move     another window takes over
 *   lost     tell how many numbers were lost
 */
#include "../../module/replay.c"

#include <inttypes.h>
#include <stdio.h>

#define WORDS	128

static const char *packet(struct postern_replay *r, bool esn, u64 number)
{
	static const char * const verdicts[] = {
		[POSTERN_REPLAY_OK] = "ok",
		[POSTERN_REPLAY_SEEN] = "seen",
		[POSTERN_REPLAY_LATE] = "late",
	};
	u64 seq = esn ? postern_replay_recover(r, number) : (u32)number;
	enum postern_replay_verdict verdict = postern_replay_check(r, seq);

	if (verdict == POSTERN_REPLAY_OK) {
		if (seq != number)
			return "forged";
		verdict = postern_replay_advance(r, seq);
	}
	return verdicts[verdict];
}

static void move(struct postern_replay *r)
{
	unsigned int words = DIV_ROUND_UP(r->window, 32);
	u32 bitmap[WORDS], window = r->window;
	u64 top = r->top;

	postern_replay_export(r, bitmap, words);
	postern_replay_free(r);
	if (postern_replay_init(r, window))
		abort();
	postern_replay_import(r, top, bitmap, words);
}

int main(int argc, char **argv)
{
	struct postern_replay r;
	char line[64];

	if (argc != 4 || strtoul(argv[1], NULL, 0) > WORDS * 32 ||
	    postern_replay_init(&r, strtoul(argv[1], NULL, 0)))
		return 2;
	postern_replay_import(&r, strtoull(argv[3], NULL, 0), NULL, 0);
	while (fgets(line, sizeof(line), stdin)) {
		if (line[0] == 'l')
			printf("lost %" PRIu64 "\n", postern_replay_lost(&r));
		else if (line[0] == 'm')
			move(&r);
		else
			puts(packet(&r, argv[2][0] == '1',
				    strtoull(line, NULL, 0)));
	}
	postern_replay_free(&r);
	return 0;
}
