// SPDX-License-Identifier: GPL-2.0
/*
 * A flowtable sends the later packets of a flow straight from one device to another,
 * past all of us.  What a policy is about must not get there, and must leave it when
 * the policies change.
 */
#include <linux/if_arp.h>
#include <net/netfilter/nf_conntrack_helper.h>
#include "compat.h"
#include "flow.h"
#include "path.h"

static bool is_closed(struct postern_net *pn, const struct postern_flow *flow)
{
	struct postern_policy *policy;
	int side;

	for (side = 0; side < POSTERN_SPD_SIDES; side++) {
		policy = postern_spd_match(&pn->spd, side, flow);
		if (policy && policy->action != POSTERN_ACTION_BYPASS)
			return true;
	}
	return false;
}

/*
 * May a policy refuse packets of a connection, or send them another way?  NAT changes
 * either end between the hooks: all pairs of addresses count, in both directions.
 */
static bool is_concerned(struct postern_net *pn, const struct nf_conn *ct)
{
	const struct nf_conntrack_tuple *orig, *reply;
	bool nat = ct->status & IPS_NAT_MASK;
	struct postern_flow flow = {}, back;
	int i;

	orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	reply = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	flow.family = nf_ct_l3num(ct);
	flow.proto = nf_ct_protonum(ct);
	for (i = nat ? 0 : 3; i < 4; i++) {
		flow.src = i & 1 ? orig->src.u3 : reply->dst.u3;
		flow.sport = ntohs(i & 1 ? orig->src.u.all : reply->dst.u.all);
		flow.dst = i & 2 ? orig->dst.u3 : reply->src.u3;
		flow.dport = ntohs(i & 2 ? orig->dst.u.all : reply->src.u.all);
		postern_flow_reverse(&back, &flow);
		if (is_closed(pn, &flow) || is_closed(pn, &back))
			return true;
	}
	return false;
}

/*
 * A flowtable packs what leaves by a tunnel of IP in IP, and unpacks what comes: no hook
 * sees the outer packets either.  May a policy refuse those?
 */
static bool is_closed_tunnel(struct postern_net *pn, const struct net_device *dev)
{
	struct postern_flow flow = {}, back;
	unsigned int i;

	if (!POSTERN_FLOWTABLE_TUNNELS || !dev ||
	    (dev->type != ARPHRD_TUNNEL && dev->type != ARPHRD_TUNNEL6))
		return false;
	flow.family = dev->type == ARPHRD_TUNNEL ? AF_INET : AF_INET6;
	memcpy(&flow.src, dev->dev_addr, postern_addr_bits(flow.family) / 8);
	memcpy(&flow.dst, dev->broadcast, postern_addr_bits(flow.family) / 8);
	for (i = 0; i < 2; i++) {
		flow.proto = i ? IPPROTO_IPV6 : IPPROTO_IPIP;
		postern_flow_reverse(&back, &flow);
		if (is_closed(pn, &flow) || is_closed(pn, &back))
			return true;
	}
	return false;
}

/* By which device the packet has come; a VRF stands before it. */
static const struct net_device *came_by(const struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	if (!state->in || !netif_is_l3_master(state->in))
		return state->in;
	return dev_get_by_index_rcu(state->net, state->pf == NFPROTO_IPV4 ?
						IPCB(skb)->iif : IP6CB(skb)->iif);
}

static bool is_refused(struct postern_net *pn, const struct nf_conn *ct,
		       const struct sk_buff *skb, const struct nf_hook_state *state)
{
	return is_concerned(pn, ct) || is_closed_tunnel(pn, state->out) ||
	       is_closed_tunnel(pn, came_by(skb, state));
}

/**
 * postern_flowtable_refuse - keep the connection of a packet out of flowtables
 * @pn: namespace
 * @skb: packet
 * @state: POST_ROUTING, where it is
 *
 * A flowtable takes no flow that has a conntrack helper: a new one that a policy is
 * about gets the place of one, empty.  One whose answers alone go by a tunnel that a policy
 * is about is marked as one that a flowtable refuses.  One that got into a flowtable all the
 * same, with a change of policies under way or with an entry that others made, ends, which
 * takes it out.
 *
 * Return: false without memory.
 */
bool postern_flowtable_refuse(struct postern_net *pn, const struct sk_buff *skb,
			      const struct nf_hook_state *state)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (!ct)
		return true;
	if (likely(nf_ct_is_confirmed(ct))) {
		if (unlikely(test_bit(IPS_OFFLOAD_BIT, &ct->status)) &&
		    is_refused(pn, ct, skb, state))
			nf_ct_kill(ct);
		else if (!test_bit(IPS_NAT_CLASH_BIT, &ct->status) &&
			 is_closed_tunnel(pn, state->out))
			set_bit(IPS_NAT_CLASH_BIT, &ct->status);
		return true;
	}
	if (nf_ct_is_template(ct) || nfct_help(ct) || !is_refused(pn, ct, skb, state))
		return true;
	return nf_ct_helper_ext_add(ct, GFP_ATOMIC);
}

/**
 * struct walk - over all connections of a namespace
 * @pn: namespace
 * @all: none stays in a flowtable
 */
struct walk {
	struct postern_net *pn;
	bool all;
};

/*
 * Connections older than a policy: those in a flowtable end, and the others are marked
 * as one that a flowtable refuses.
 */
static int leave_flowtable(struct nf_conn *ct, void *data)
{
	const struct walk *walk = data;
	bool concerned = walk->all;

	rcu_read_lock();
	concerned = concerned || is_concerned(walk->pn, ct);
	rcu_read_unlock();
	if (!concerned)
		return 0;
	set_bit(IPS_NAT_CLASH_BIT, &ct->status);
	return test_bit(IPS_OFFLOAD_BIT, &ct->status);
}

/* By which device a connection goes, it does not tell. */
static bool has_closed_tunnel(struct postern_net *pn)
{
	struct net_device *dev;
	bool found = false;

	rcu_read_lock();
	for_each_netdev_rcu(pn->net, dev)
		found = found || is_closed_tunnel(pn, dev);
	rcu_read_unlock();
	return found;
}

/* All connections of the host wait for the lock of one: no user's policies are looked up. */
void postern_flowtable_work(struct work_struct *work)
{
	struct postern_net *pn = container_of(work, struct postern_net, recheck);
	struct walk walk = { .pn = pn };

	/* a packet that met the policies before has confirmed its connection now */
	synchronize_rcu();
	walk.all = pn->net->user_ns != &init_user_ns || has_closed_tunnel(pn);
	postern_ct_iterate(pn->net, leave_flowtable, &walk);
}

/**
 * postern_flowtable_recheck - fewer packets may pass in clear than before
 * @pn: namespace
 *
 * One walk over the connections, soon, for however many changes.
 * Context: process, configuration lock held.
 */
void postern_flowtable_recheck(struct postern_net *pn)
{
	if (!postern_spd_empty(&pn->spd))
		queue_work(pn->walks, &pn->recheck);
}
