// SPDX-License-Identifier: GPL-2.0
#include <linux/udp.h>
#include "encap.h"

/* Datagrams to @port may be ESP from now on. Context: configuration lock held. */
void postern_encap_listen(struct postern_net *pn, __be16 port)
{
	set_bit(ntohs(port), pn->encap_ports);
}

/*
 * Non-ESP marker, keepalive and all that is shorter than an ESP header are not.  Left
 * to the UDP of the stack is also what says that it is longer than it is.
 */
static noinline bool is_esp(const struct sk_buff *skb, unsigned int offset)
{
	struct {
		struct udphdr udp;
		__be32 esp[2];
	} buf, *h;

	h = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	return h && h->esp[0] && ntohs(h->udp.len) >= sizeof(buf) &&
	       ntohs(h->udp.len) <= skb->len - offset;
}

/**
 * postern_encap_find - find ESP in a datagram
 * @pn: namespace
 * @skb: packet, network header at its data
 * @offset: of the UDP header
 * @port: result, the port that the datagram is for where that may get ESP, else 0
 *
 * Return: offset of the ESP header; 0 when there is none.
 */
unsigned int postern_encap_find(const struct postern_net *pn,
				const struct sk_buff *skb, unsigned int offset,
				__be16 *port)
{
	struct udphdr buf, *udp;

	udp = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (likely(!udp || !test_bit(ntohs(udp->dest), pn->encap_ports)))
		return 0;
	*port = udp->dest;
	return is_esp(skb, offset) ? offset + sizeof(*udp) : 0;
}

/**
 * postern_encap_keepalive - is this a NAT keepalive (RFC 3948 section 2.3)?
 * @skb: packet
 * @offset: of the UDP header
 * @port: as postern_encap_find() says
 *
 * Only at the port that is for nothing else: at others the owner of the socket knows.
 */
bool postern_encap_keepalive(const struct sk_buff *skb, unsigned int offset,
			     __be16 port)
{
	u8 buf, *octet;

	if (port != htons(POSTERN_ENCAP_PORT) ||
	    skb->len != offset + sizeof(struct udphdr) + 1)
		return false;
	octet = skb_header_pointer(skb, offset + sizeof(struct udphdr), 1, &buf);
	return octet && *octet == 0xff;
}
