/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * Why a packet was not delivered.  The one list from which the enum, the
 * counters, the tracepoint, the tool's output and the man page are made.
 * Numbers are part of the contract: add at the end, never renumber.
 *
 * R(symbol, name, sentence)
 */
#ifndef _UAPI_POSTERN_DROP_H
#define _UAPI_POSTERN_DROP_H

#define POSTERN_DROP_REASONS(R) \
	R(UNKNOWN_SPI, "unknown-spi", \
	  "no SA has this destination, protocol and SPI; left to the rest of the stack unless a policy protects its addresses") \
	R(IN_SA_STATE, "in-sa-state", \
	  "the inbound SA is larval, expired, or serves the other direction") \
	R(IN_TRUNCATED, "in-truncated", \
	  "the packet is shorter than its headers, IV and ICV") \
	R(IN_REPLAY, "in-replay", \
	  "the sequence number was already received") \
	R(IN_WINDOW, "in-window", \
	  "the sequence number is left of the anti-replay window or zero") \
	R(IN_ICV, "in-icv", \
	  "the integrity check failed: wrong key or a modified packet") \
	R(IN_PADDING, "in-padding", \
	  "authentic, but the pad length or pad bytes are wrong") \
	R(IN_NEXT_HEADER, "in-next-header", \
	  "authentic, but the next header does not fit the mode of the SA") \
	R(IN_INNER, "in-inner", \
	  "authentic, but the inner IP header is malformed") \
	R(IN_OPTIONS, "in-options", \
	  "IPv4 options or IPv6 extension headers before AH or ESP that are broken, too long, of an unknown kind, or a route that has not come to its end") \
	R(IN_SELECTOR, "in-selector", \
	  "the inner packet is outside the selector of its SA") \
	R(IN_NO_POLICY, "in-no-policy", \
	  "the inner packet matches no inbound protect policy") \
	R(IN_TEMPLATE, "in-template", \
	  "the inner packet matches a policy that wants another SA") \
	R(IN_CLEARTEXT, "in-cleartext", \
	  "cleartext arrived where a policy requires protection") \
	R(IN_MALFORMED, "in-malformed", \
	  "cleartext whose headers cannot be followed to an upper layer, so that no policy can judge it") \
	R(IN_DISCARD, "in-discard", \
	  "an inbound policy says discard what came in clear") \
	R(IN_INNER_DISCARD, "in-inner-discard", \
	  "an inbound policy says discard the inner packet") \
	R(IN_DUMMY, "in-dummy", \
	  "a dummy packet (next header 59), discarded as it should be") \
	R(IN_LIFETIME, "in-lifetime", \
	  "the inbound SA has reached a hard limit") \
	R(IN_MEMORY, "in-memory", \
	  "no memory for an inbound packet, or it is in memory of a device") \
	R(IN_CRYPTO, "in-crypto", \
	  "the crypto API failed or its queue is full for an inbound packet") \
	R(IN_BACKLOG, "in-backlog", \
	  "the queue of decapsulated packets is full, or their device is going") \
	R(IN_CONNTRACK, "in-conntrack", \
	  "connection tracking refused the entry of an inbound ESP or AH packet") \
	R(OUT_NO_SA, "out-no-sa", \
	  "no SA is there, and none came before the packet had waited its time") \
	R(OUT_HOLD_FULL, "out-hold-full", \
	  "no SA is there and the queue of packets that wait for one is full") \
	R(OUT_DISCARD, "out-discard", \
	  "an outbound policy says discard") \
	R(OUT_SEQUENCE, "out-sequence", \
	  "the outbound SA has used its last sequence number") \
	R(OUT_LIFETIME, "out-lifetime", \
	  "the outbound SA has reached a hard limit") \
	R(OUT_SELECTOR, "out-selector", \
	  "the packet is outside the selector of its SA") \
	R(OUT_TOO_BIG, "out-too-big", \
	  "the packet does not fit the path and must not be fragmented, and its sender was told; or it is too long for IP once it is protected") \
	R(OUT_FRAGMENT, "out-fragment", \
	  "a fragment cannot be protected in transport mode, or by a policy about ports that it does not show") \
	R(OUT_OPTIONS, "out-options", \
	  "IPv4 options or IPv6 extension headers that would stand before AH or ESP and are broken, too long, or of an unknown kind") \
	R(OUT_MALFORMED, "out-malformed", \
	  "the packet's own headers are malformed") \
	R(OUT_NO_ROUTE, "out-no-route", \
	  "no route to the SA's destination; or a bridge is to hand the packet to a tunnel device") \
	R(OUT_MEMORY, "out-memory", \
	  "no memory for an outbound packet; or it is in memory of a device, or of a socket whose TLS a device does, or cannot be cut") \
	R(OUT_CRYPTO, "out-crypto", \
	  "the crypto API failed or its queue is full for an outbound packet") \
	R(OUT_CONNTRACK, "out-conntrack", \
	  "connection tracking refused the entry of a packet to protect") \
	R(OUT_STACK, "out-stack", \
	  "the stack refused the protected packet: a firewall rule or a full device queue") \
	R(OUT_LOOPBACK, "out-loopback", \
	  "the looped copy of an own protected multicast packet; it stays here in clear") \
	R(IN_ECN, "in-ecn", \
	  "congestion was marked on the way, and the sender of the inner packet only notices loss (Not-ECT)") \
	R(IN_NESTING, "in-nesting", \
	  "ESP or AH inside ESP or AH, more of them than a policy can name") \
	R(IN_DECOMPRESS, "in-decompress", \
	  "authentic, but the compressed data is broken, or becomes more than a packet can be") \
	R(OUT_GUARD, "out-guard", \
	  "a frame that did not come from the IP stack was to leave in clear where a policy says protect or discard, and a guard stands") \
	R(OUT_NESTING, "out-nesting", \
	  "devices or protected packets in one another, deeper than the kernel's stack may hold: a route in a circle, or what changes each of them")

enum postern_drop_reason {
	POSTERN_DROP_UNSPEC,
#define POSTERN_DROP_ENUM(sym, name, text) POSTERN_DROP_##sym,
	POSTERN_DROP_REASONS(POSTERN_DROP_ENUM)
#undef POSTERN_DROP_ENUM
	__POSTERN_DROP_LAST
};

#define POSTERN_DROP_COUNT __POSTERN_DROP_LAST

#endif /* _UAPI_POSTERN_DROP_H */
