/* SPDX-License-Identifier: GPL-2.0 */
/* DEFLATE (RFC 1951) of packets. */
#ifndef _POSTERN_DEFLATE_H
#define _POSTERN_DEFLATE_H

#include <linux/skbuff.h>

bool postern_deflate_works(void);
int postern_deflate_get(void);
void postern_deflate_put(void);
int postern_deflate(struct sk_buff *skb, unsigned int offset, u8 *to, unsigned int room);
int postern_inflate(struct sk_buff *skb, unsigned int offset, struct sk_buff *out,
		    unsigned int at, unsigned int room);

#endif
