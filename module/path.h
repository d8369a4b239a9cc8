/* SPDX-License-Identifier: GPL-2.0 */
/* Entries of the paths: what hooks.c calls, and what they call of each other. */
#ifndef _POSTERN_PATH_H
#define _POSTERN_PATH_H

#include "net.h"

/**
 * struct postern_out - a packet on its way out, before it is transformed
 * @pn: namespace
 * @skb: packet, network header at its data
 * @policy: that said PROTECT; for the first SA only
 * @index: of the policy
 * @sa: of the policy
 * @next: SAs that the packet goes through after @sa, the innermost first
 * @next_count: of them
 * @flow: of the packet
 * @judged: what the policy was matched with: @flow, or what an ICMP error is about
 * @dst: route of the packet that leaves @sa, referenced
 * @last_dst: with @next, route of the packet that leaves the last SA, referenced
 * @ip_len: octets of IP header that stay in front (transport), or that the outer one
 *          stands for (BEET), else 0
 * @outer_len: octets of IP and UDP header in front of ESP or AH
 * @encap: ports of that UDP header, see struct postern_sa; 0 when there is none
 * @pad_to: octets, up to which the packet is padded, its IP header included
 * @path_mtu: of the path of the last protected packet
 * @fragment_to: it does not fit and is to be fragmented to this size before the
 *               transform; 0 when not
 * @dummy: made by us, to be discarded (RFC 4303 section 2.6)
 * @may_fragment: it does not fit and may be fragmented after the transform
 */
struct postern_out {
	struct postern_net *pn;
	struct sk_buff *skb;
	struct postern_policy *policy;
	u32 index;
	struct postern_sa *sa;
	struct postern_sa *next[POSTERN_TMPL_MAX - 1];
	unsigned int next_count;
	struct postern_flow flow;
	const struct postern_flow *judged;
	struct dst_entry *dst;
	struct dst_entry *last_dst;
	unsigned int ip_len;
	unsigned int outer_len;
	unsigned int pad_to;
	unsigned int path_mtu;
	__be32 encap;
	unsigned int fragment_to;
	bool may_fragment;
	bool dummy;
};

/*
 * What every host takes (RFC 791 section 3.1, RFC 8200 section 5): no sender is told
 * less, and what must be smaller is fragmented on the outside.
 */
static inline unsigned int postern_mtu_floor(u8 family)
{
	return family == AF_INET ? 576 : IPV6_MIN_MTU;
}

/* output.c */
void postern_output(struct postern_net *pn, struct sk_buff *skb,
		    const struct postern_flow *flow,
		    const struct postern_flow *judged,
		    struct postern_policy *policy);
void postern_output_again(struct postern_net *pn, struct sk_buff *skb,
			  enum postern_drop_reason otherwise);
int postern_output_dummy(struct postern_net *pn, struct postern_sa *sa,
			 unsigned int size);
bool postern_output_is_ours(const struct postern_net *pn, const struct sk_buff *skb,
			    const struct net_device *dev, bool ipv4);
void postern_output_keepalive(struct postern_sa *sa);
unsigned int postern_output_mtu(struct postern_net *pn, struct sk_buff *skb,
				const struct postern_flow *flow);

/* choose.c */
const struct postern_tmpl *postern_choose(struct postern_out *o,
					  struct postern_slot_key *key);
bool postern_choose_any(struct postern_net *pn, struct postern_policy *policy,
			const struct postern_flow *flow);

/* hold.c */
void postern_hold(struct postern_net *pn, struct sk_buff *skb,
		  const struct postern_policy *policy,
		  const struct postern_slot_key *want,
		  const struct postern_flow *flow);
void postern_hold_timer(struct work_struct *work);
void postern_hold_flush(struct postern_net *pn);

/* route.c */
struct dst_entry *postern_route(struct postern_net *pn, struct postern_sa *sa,
				u32 mark, __be32 encap);

/* pmtu.c */
unsigned int postern_pmtu_inner(struct postern_out *o);
struct dst_entry *postern_pmtu_plain(struct dst_entry *dst);
bool postern_pmtu_fits(struct postern_out *o);
void postern_pmtu_pad(struct postern_out *o);
void postern_pmtu_learn(struct postern_net *pn, struct sk_buff *skb, bool ipv4);

/* dummy.c */
struct sk_buff *postern_dummy_packet(const struct postern_sa *sa, unsigned int size);

/* mss.c */
bool postern_mss_lower(struct sk_buff *skb, const struct postern_flow *flow,
		       unsigned int mtu);
bool postern_mss_lower_in(struct postern_net *pn, struct sk_buff *skb,
			  const struct postern_flow *flow);

/* flowtable.c */
bool postern_flowtable_refuse(struct postern_net *pn, const struct sk_buff *skb,
			      const struct nf_hook_state *state);
void postern_flowtable_work(struct work_struct *work);
void postern_flowtable_recheck(struct postern_net *pn);

/* input.c */
unsigned int postern_input(struct postern_net *pn, struct sk_buff *skb,
			   bool ipv4, u8 proto, unsigned int offset,
			   __be16 port);
struct postern_sa *postern_input_sa(struct postern_net *pn,
				    const struct postern_sa_key *key,
				    const struct sk_buff *skb);
void postern_input_init(void);

/* deliver.c */
bool postern_deliver(struct sk_buff *skb);
int postern_deliver_init(void);
void postern_deliver_exit(void);

#endif
