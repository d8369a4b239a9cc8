/* SPDX-License-Identifier: GPL-2.0 */
/* The header in front of ESP and AH (RFC 4301 section 5.1.2), and what it leaves inside. */
#ifndef _POSTERN_OUTER_H
#define _POSTERN_OUTER_H

#include <linux/skbuff.h>
#include "sa.h"

struct dst_entry;
struct net;

void postern_outer_tunnel(struct net *net, const struct postern_sa *sa,
			  struct sk_buff *out, const struct sk_buff *in,
			  u8 inner_family, const struct dst_entry *dst,
			  bool may_fragment);
u8 postern_outer_beet(struct net *net, const struct postern_sa *sa,
		      struct sk_buff *out, const struct sk_buff *in, u8 family,
		      bool may_fragment);
u8 postern_outer_transport(struct net *net, const struct postern_sa *sa,
			   struct sk_buff *out,
			   const struct sk_buff *in, unsigned int ip_len,
			   bool may_fragment);
void postern_outer_keepalive(struct net *net, const struct postern_sa *sa,
			     struct sk_buff *out, const struct dst_entry *dst);
void postern_outer_encap(struct sk_buff *out, bool ipv4, __be32 ports);
u8 postern_outer_ds(const struct sk_buff *skb, bool ipv4);
enum postern_drop_reason postern_outer_decap(const struct postern_sa *sa,
					     struct sk_buff *skb, u8 family,
					     u8 outer_ds);

#endif
