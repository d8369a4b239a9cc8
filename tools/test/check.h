/* SPDX-License-Identifier: GPL-2.0 */
/* Counts what holds and prints what does not. */
#ifndef POSTERN_TOOL_TEST_CHECK_H
#define POSTERN_TOOL_TEST_CHECK_H

#include <stdbool.h>
#include <stdio.h>

static unsigned int passed, failed;

static void check(bool good, const char *what, const char *detail)
{
	if (good) {
		passed++;
		return;
	}
	failed++;
	printf("not ok: %s (%s)\n", what, detail);
}

#define CHECK(cond, what) check((cond), (what), #cond)

/* Return: the exit status. */
static int check_end(void)
{
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}

#endif
