/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _POSTERN_HOOKS_H
#define _POSTERN_HOOKS_H

#include <linux/skbuff.h>

struct postern_net;

int postern_hooks_enable(struct postern_net *pn);
void postern_hooks_disable(struct postern_net *pn);
void postern_hooks_exit(struct postern_net *pn);
void postern_marker_set(struct postern_net *pn, struct sk_buff *skb);

#endif
