/* SPDX-License-Identifier: GPL-2.0 */
/* The one file that reads the headers of inner packets. */
#ifndef _POSTERN_FLOW_H
#define _POSTERN_FLOW_H

#include <linux/skbuff.h>
#include "selector.h"

struct net;

bool postern_flow_read(struct postern_flow *flow, const struct sk_buff *skb,
		       u8 family);
bool postern_flow_read_upper(struct postern_flow *flow, int *upper,
			     const struct sk_buff *skb, u8 family);
void postern_flow_out(struct postern_flow *flow, const struct net_device *dev);
void postern_flow_in(struct postern_flow *flow, const struct sk_buff *skb,
		     bool ipv4, const struct net_device *dev);
bool postern_flow_read_quoted(struct postern_flow *quoted, int *upper,
			      const struct sk_buff *skb,
			      const struct postern_flow *flow);
bool postern_flow_is_redirect(const struct postern_flow *flow);
void postern_flow_source(struct postern_flow *flow, const struct sk_buff *skb);
bool postern_flow_is_local(struct net *net, const struct postern_flow *flow);
void postern_flow_hop(struct postern_flow *to, const struct postern_flow *from);
void postern_flow_reverse(struct postern_flow *to, const struct postern_flow *from);

#endif
