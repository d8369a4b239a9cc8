/* SPDX-License-Identifier: GPL-2.0 */
/* What says of a packet, until it is routed, that it came through an SA. */
#ifndef _POSTERN_MARKER_H
#define _POSTERN_MARKER_H

#include <linux/skbuff.h>

struct postern_net;

int postern_markers_alloc(struct postern_net *pn);
void postern_markers_free(struct postern_net *pn);
void postern_marker_set(struct postern_net *pn, struct sk_buff *skb);
bool postern_marker_is_ours(const struct postern_net *pn,
			    const struct sk_buff *skb);

#endif
