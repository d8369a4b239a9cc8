/* SPDX-License-Identifier: GPL-2.0 */
/* Options of IPv4 and extension headers of IPv6, in front of ESP and AH. */
#ifndef _POSTERN_HEADERS_H
#define _POSTERN_HEADERS_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

/* More headers than anybody should follow, and more octets than anybody sends. */
#define POSTERN_HEADERS_MAX	16
#define POSTERN_FRONT_MAX	256

/* The longest header of IPv4. */
#define POSTERN_FRONT_PLAIN	60

int postern_header_skip(const struct sk_buff *skb, int *off, u8 *next);
bool postern_route_end(const struct sk_buff *skb, int off, struct in6_addr *to);
void postern_source_route_end(const struct sk_buff *skb, int off, unsigned int left,
			      __be32 *to);
int postern_front_find(const struct sk_buff *skb, u8 *next);
int postern_front_length(const struct sk_buff *skb, u8 *next);
bool postern_front_arrived(const u8 *ip, unsigned int len, bool ends_here);
u8 *postern_front_last(u8 *ip, unsigned int len);
int postern_front_mask(u8 *ip, unsigned int len);

#endif
