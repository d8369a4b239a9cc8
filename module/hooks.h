/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _POSTERN_HOOKS_H
#define _POSTERN_HOOKS_H

struct postern_net;

int postern_hooks_enable(struct postern_net *pn);
void postern_hooks_disable(struct postern_net *pn);

#endif
