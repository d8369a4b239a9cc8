/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POSTERN_TOOL_STATS_H
#define POSTERN_TOOL_STATS_H

#include "policy.h"

/* Ask for the counters; every reason is in stats->drops. Returns an exit status. */
int stats_get(struct stats *stats);

/* The members of an open object, or lines of text. */
void stats_print(const struct stats *stats);

#endif
