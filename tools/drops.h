/* SPDX-License-Identifier: GPL-2.0 */
#ifndef POSTERN_TOOL_DROPS_H
#define POSTERN_TOOL_DROPS_H

#include "sa.h"

/* What the module says, or what this tool was built with where it does not. */
const char *drop_name(const struct drop *drop);
const char *drop_text(const struct drop *drop);

/* Add the known reasons that are not there, with no packets. */
void drops_complete(struct drops *drops);

#endif
