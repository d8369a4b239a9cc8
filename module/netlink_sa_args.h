/* SPDX-License-Identifier: GPL-2.0 */
/* Requests on SAs, read and checked before anything changes. */
#ifndef _POSTERN_NETLINK_SA_ARGS_H
#define _POSTERN_NETLINK_SA_ARGS_H

#include "netlink.h"

/**
 * struct postern_sa_args - a request but for its keys
 * @key: which SA
 * @src: source address
 * @mode: enum postern_mode
 * @dir: enum postern_dir, 0 for both
 * @flags: POSTERN_SA_FLAG_*
 * @outer: outer header and output mark
 * @encap: ports of UDP, see struct postern_sa; 0 when not given
 * @original: address of the peer before a NAT
 * @keepalive: seconds, 0 when not given
 * @reqid: 0 when not given
 * @owner: 0 when not given
 * @tfcpad: octets, 0 when not given
 * @window: anti-replay window in packets
 * @sel: selector, where one is given
 * @life: limits
 * @base: usage of an SA that this one continues
 * @oseq: last number sent
 * @seq: highest number received
 * @seq_attr: where @seq is from
 * @oseq_attr: where @oseq is from
 * @bitmap: numbers received up to @seq, in the message
 * @words: length of @bitmap in u32
 */
struct postern_sa_args {
	struct postern_sa_key key;
	union nf_inet_addr src;
	u8 mode;
	u8 dir;
	u32 flags;
	struct postern_outer outer;
	__be32 encap;
	union nf_inet_addr original;
	u32 keepalive;
	u32 reqid;
	u32 owner;
	u16 tfcpad;
	u32 window;
	struct postern_selector sel;
	struct postern_lifetime life;
	struct postern_usage base;
	u64 oseq;
	u64 seq;
	const struct nlattr *oseq_attr;
	const struct nlattr *seq_attr;
	const u32 *bitmap;
	unsigned int words;
};

int postern_sa_args_key(struct nlattr **tb, struct postern_sa_key *key,
			struct netlink_ext_ack *extack);
int postern_sa_args_get(struct nlattr **tb, struct postern_sa_args *args,
			struct netlink_ext_ack *extack);
int postern_sa_args_larval(struct nlattr **tb, struct postern_sa_args *args,
			   u32 *min, u32 *max, struct netlink_ext_ack *extack);
int postern_sa_args_check_new(struct nlattr **tb,
			      const struct postern_sa_args *args,
			      struct netlink_ext_ack *extack);
int postern_sa_args_check_change(struct nlattr **tb,
				 const struct postern_sa_args *args,
				 const struct postern_sa *sa,
				 struct netlink_ext_ack *extack);
int postern_sa_args_algos(struct nlattr **tb, struct postern_algo_key *keys,
			  struct netlink_ext_ack *extack);

#endif
