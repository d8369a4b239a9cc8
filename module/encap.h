/* SPDX-License-Identifier: GPL-2.0 */
/* Which UDP datagrams for this host are ESP (RFC 3948). */
#ifndef _POSTERN_ENCAP_H
#define _POSTERN_ENCAP_H

#include <linux/skbuff.h>
#include "net.h"

#define POSTERN_ENCAP_PORT	4500

void postern_encap_listen(struct postern_net *pn, __be16 port);
unsigned int postern_encap_find(const struct postern_net *pn,
				const struct sk_buff *skb, unsigned int offset,
				__be16 *port);
bool postern_encap_keepalive(const struct sk_buff *skb, unsigned int offset,
			     __be16 port);

/* Is a datagram to this port, 0 for plain ESP, ESP whatever its SPI? */
static inline bool postern_encap_is_esp(__be16 port)
{
	return likely(!port) || port == htons(POSTERN_ENCAP_PORT);
}

/*
 * Does the SA take what came to this port, 0 for plain ESP?  One SA takes both (RFC 7296
 * section 2.23), whether it sends the one or the other.
 */
static inline bool postern_encap_takes(const struct postern_sa *sa, __be16 port)
{
	return postern_encap_is_esp(port) ||
	       port == postern_encap_dport(READ_ONCE(sa->encap));
}

#endif
