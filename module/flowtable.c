// SPDX-License-Identifier: GPL-2.0
/*
 * A flowtable sends the later packets of a flow straight from one device to another,
 * past all of us.  What a policy is about must not get there, and must leave it when
 * the policies change.
 */
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

/**
 * postern_flowtable_refuse - keep the connection of a packet out of flowtables
 * @pn: namespace
 * @skb: packet in POST_ROUTING
 *
 * A flowtable takes no flow that has a conntrack helper: a new one that a policy is
 * about gets the place of one, empty.  One that got into a flowtable all the same, with
 * a change of policies under way or with an entry that others made, ends, which takes
 * it out.
 *
 * Return: false without memory.
 */
bool postern_flowtable_refuse(struct postern_net *pn, const struct sk_buff *skb)
{
	enum ip_conntrack_info ctinfo;
	struct nf_conn *ct = nf_ct_get(skb, &ctinfo);

	if (!ct)
		return true;
	if (likely(nf_ct_is_confirmed(ct))) {
		if (unlikely(test_bit(IPS_OFFLOAD_BIT, &ct->status)) &&
		    is_concerned(pn, ct))
			nf_ct_kill(ct);
		return true;
	}
	if (nf_ct_is_template(ct) || nfct_help(ct) || !is_concerned(pn, ct))
		return true;
	return nf_ct_helper_ext_add(ct, GFP_ATOMIC);
}

/*
 * Connections older than a policy: those in a flowtable end, and the others are marked
 * as one that a flowtable refuses.
 */
static int leave_flowtable(struct nf_conn *ct, void *data)
{
	bool concerned;

	rcu_read_lock();
	concerned = is_concerned(data, ct);
	rcu_read_unlock();
	if (!concerned)
		return 0;
	set_bit(IPS_NAT_CLASH_BIT, &ct->status);
	return test_bit(IPS_OFFLOAD_BIT, &ct->status);
}

void postern_flowtable_work(struct work_struct *work)
{
	struct postern_net *pn = container_of(work, struct postern_net, recheck);

	/* a packet that met the policies before has confirmed its connection now */
	synchronize_rcu();
	postern_ct_iterate(pn->net, leave_flowtable, pn);
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
		queue_work(pn->wq, &pn->recheck);
}
