// SPDX-License-Identifier: GPL-2.0
/* Commands on guards. They run under RTNL, as all that is about devices. */
#include <linux/rtnetlink.h>
#include "guard.h"
#include "netlink.h"

/* The ifindex of a request; 0 with an error said. */
static int get_ifindex(struct genl_info *info)
{
	if (postern_nl_missing(info->extack, NULL, info->attrs,
			       POSTERN_A_GUARD_IFINDEX, "ifindex"))
		return 0;
	return nla_get_u32(info->attrs[POSTERN_A_GUARD_IFINDEX]);
}

static int guard_add(struct genl_info *info, int ifindex)
{
	struct net *net = genl_info_net(info);
	struct net_device *dev = __dev_get_by_index(net, ifindex);

	NL_SET_BAD_ATTR(info->extack, info->attrs[POSTERN_A_GUARD_IFINDEX]);
	if (!dev) {
		NL_SET_ERR_MSG(info->extack, "no device has this ifindex");
		return -ENODEV;
	}
	return postern_guard_add(postern_net(net), dev, info->extack);
}

/* POSTERN_CMD_GUARD_NEW: Set a guard on a device. */
int postern_nl_guard_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	int ifindex = get_ifindex(info), err;

	if (!ifindex)
		return -EINVAL;
	rtnl_lock();
	err = guard_add(info, ifindex);
	rtnl_unlock();
	return err;
}

/* POSTERN_CMD_GUARD_DEL: Take the guard from a device. */
int postern_nl_guard_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct postern_guard *guard;
	int ifindex = get_ifindex(info);

	if (!ifindex)
		return -EINVAL;
	rtnl_lock();
	guard = postern_guard_find(pn, ifindex);
	if (guard)
		postern_guard_remove(pn, guard);
	rtnl_unlock();
	if (guard)
		return 0;
	NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[POSTERN_A_GUARD_IFINDEX],
			    "no device of this ifindex has a guard");
	return -ENOENT;
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb, int ifindex)
{
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &postern_nl_family, NLM_F_MULTI, POSTERN_CMD_GUARD_GET);
	if (!hdr)
		return -EMSGSIZE;
	if (nla_put_u32(skb, POSTERN_A_GUARD_IFINDEX, ifindex)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* POSTERN_CMD_GUARD_GET: Show all devices that have a guard, or one. */
int postern_nl_guard_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct postern_net *pn = postern_net(sock_net(cb->skb->sk));
	const struct nlattr *one = genl_info_dump(cb)->attrs[POSTERN_A_GUARD_IFINDEX];
	unsigned long *last = (unsigned long *)cb->ctx, ifindex;
	struct postern_guard *guard;
	int err = 0;

	rtnl_lock();
	xa_for_each_start(&pn->guards, ifindex, guard, *last + 1) {
		if (one && nla_get_u32(one) != ifindex)
			continue;
		err = dump_one(skb, cb, ifindex);
		if (err)
			break;
		*last = ifindex;
	}
	rtnl_unlock();
	return skb->len ? skb->len : err;
}
