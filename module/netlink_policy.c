// SPDX-License-Identifier: GPL-2.0
/*
 * Commands on policies.  A request is read and checked whole before anything
 * changes.  A change stands also when its reply does not reach the requester any
 * more.
 */
#include "event.h"
#include "hooks.h"
#include "netlink.h"
#include "path.h"

/**
 * struct policy_args - a policy as a request tells it
 * @sel: selector
 * @priority: 0 when not given
 * @owner: 0 when not given
 * @flags: POSTERN_POLICY_FLAG_*
 * @dir: enum postern_dir
 * @action: enum postern_action
 * @tmpl_count: templates; 0 but for PROTECT
 * @open: all templates are optional
 * @tmpl: for PROTECT
 */
struct policy_args {
	struct postern_selector sel;
	u32 priority;
	u32 owner;
	u32 flags;
	u8 dir;
	u8 action;
	u8 tmpl_count;
	bool open;
	struct postern_tmpl tmpl[POSTERN_TMPL_MAX];
};

static int get_tmpl_addrs(const struct nlattr *nest, struct nlattr **tb,
			  struct postern_tmpl *tmpl,
			  struct netlink_ext_ack *extack)
{
	u8 src_family = 0, dst_family = 0;
	int err;

	if (tb[POSTERN_A_TMPL_SRC]) {
		err = postern_nl_get_addr(tb[POSTERN_A_TMPL_SRC], &tmpl->src,
					  &src_family, extack);
		if (err)
			return err;
	}
	if (tb[POSTERN_A_TMPL_DST]) {
		err = postern_nl_get_addr(tb[POSTERN_A_TMPL_DST], &tmpl->dst,
					  &dst_family, extack);
		if (err)
			return err;
	}
	if (src_family && dst_family && src_family != dst_family) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_TMPL_SRC],
				    "src and dst of a template must be of one family");
		return -EINVAL;
	}
	if (src_family && postern_addr_multicast(&tmpl->src, src_family)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_TMPL_SRC],
				    "src of a template must not be a multicast address");
		return -EINVAL;
	}
	if (postern_addr_any(&tmpl->src) != postern_addr_any(&tmpl->dst)) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "a template needs both src and dst, or in transport mode neither");
		return -EINVAL;
	}
	if (!postern_addr_any(&tmpl->dst))
		tmpl->family = dst_family;
	return 0;
}

/* @family: of the packets that come to it */
static int get_tmpl(const struct nlattr *nest, u8 dir, u8 family,
		    struct postern_tmpl *tmpl, struct netlink_ext_ack *extack)
{
	struct nlattr *tb[POSTERN_A_TMPL_LEVEL + 1];
	int err;

	err = nla_parse_nested(tb, POSTERN_A_TMPL_LEVEL, nest,
			       postern_tmpl_nl_policy, extack);
	if (err)
		return err;
	if (postern_nl_missing(extack, nest, tb, POSTERN_A_TMPL_PROTO, "proto") ||
	    postern_nl_missing(extack, nest, tb, POSTERN_A_TMPL_MODE, "mode"))
		return -EINVAL;
	err = postern_nl_get_proto(tb[POSTERN_A_TMPL_PROTO], &tmpl->proto, extack);
	if (err)
		return err;
	tmpl->mode = nla_get_u8(tb[POSTERN_A_TMPL_MODE]);
	if (tb[POSTERN_A_TMPL_LEVEL])
		tmpl->optional = nla_get_u8(tb[POSTERN_A_TMPL_LEVEL]) ==
				 POSTERN_LEVEL_USE;
	if (tmpl->optional && dir == POSTERN_DIR_OUT &&
	    tmpl->mode != POSTERN_MODE_TRANSPORT) {
		/* what follows would meet packets of other addresses, as XFRM has it */
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_TMPL_LEVEL],
				    "level use is of transport mode when dir is 2 (out)");
		return -EINVAL;
	}
	if (tb[POSTERN_A_TMPL_REQID])
		tmpl->reqid = nla_get_u32(tb[POSTERN_A_TMPL_REQID]);
	if (tb[POSTERN_A_TMPL_SPI] && nla_get_be32(tb[POSTERN_A_TMPL_SPI])) {
		err = postern_nl_get_spi(tb[POSTERN_A_TMPL_SPI], tmpl->proto,
					 &tmpl->spi, extack);
		if (err)
			return err;
	}
	err = get_tmpl_addrs(nest, tb, tmpl, extack);
	if (err)
		return err;
	if (tmpl->mode != POSTERN_MODE_TRANSPORT && !tmpl->family) {
		NL_SET_ERR_MSG_ATTR(extack, nest,
				    "a template of mode tunnel or beet needs src and dst");
		return -EINVAL;
	}
	if (tmpl->mode == POSTERN_MODE_BEET && tmpl->proto != IPPROTO_ESP) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_TMPL_MODE],
				    "mode beet is of ESP only");
		return -EINVAL;
	}
	if (tmpl->mode == POSTERN_MODE_TRANSPORT && tmpl->family &&
	    tmpl->family != family) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_TMPL_DST],
				    "in transport mode the template must be of the family of the selector, or of the tunnel before it");
		return -EINVAL;
	}
	return 0;
}

/* The innermost first; attrs[] holds the last one only. */
static int get_tmpls(struct genl_info *info, struct policy_args *args)
{
	const struct nlattr *attr, *bare = NULL;
	u8 family = args->sel.family;
	struct postern_tmpl *tmpl;
	int rem, err;

	args->open = true;
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != POSTERN_A_POLICY_TMPL)
			continue;
		if (args->tmpl_count == POSTERN_TMPL_MAX) {
			NL_SET_ERR_MSG_ATTR(info->extack, attr,
					    "a policy takes at most 6 templates");
			return -EINVAL;
		}
		tmpl = &args->tmpl[args->tmpl_count++];
		err = get_tmpl(attr, args->dir, family, tmpl, info->extack);
		if (err)
			return err;
		args->open &= tmpl->optional;
		if (tmpl->proto == IPPROTO_COMP)
			bare = attr;
		else if (!tmpl->optional)
			bare = NULL;
		if (tmpl->family)
			family = tmpl->family;
	}
	if (bare) {
		NL_SET_ERR_MSG_ATTR(info->extack, bare,
				    "IPComp protects nothing: a template of ESP or AH that is required must follow");
		return -EINVAL;
	}
	return 0;
}

static int get_action(struct genl_info *info, struct policy_args *args)
{
	const struct nlattr *tmpl = info->attrs[POSTERN_A_POLICY_TMPL];
	struct netlink_ext_ack *extack = info->extack;

	args->action = nla_get_u8(info->attrs[POSTERN_A_POLICY_ACTION]);
	if (args->action != POSTERN_ACTION_PROTECT) {
		if (args->flags) {
			NL_SET_ERR_MSG_ATTR(extack, info->attrs[POSTERN_A_POLICY_FLAGS],
					    "flags go with action 1 (protect) only");
			return -EINVAL;
		}
		if (!tmpl)
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, tmpl,
				    "a template goes with action 1 (protect) only");
		return -EINVAL;
	}
	if (!tmpl) {
		postern_nl_missing(extack, NULL, info->attrs,
				   POSTERN_A_POLICY_TMPL, "tmpl");
		return -EINVAL;
	}
	return get_tmpls(info, args);
}

static int get_args(struct genl_info *info, struct policy_args *args)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr **tb = info->attrs;
	int err;

	memset(args, 0, sizeof(*args));
	if (postern_nl_missing(extack, NULL, tb, POSTERN_A_POLICY_DIR, "dir") ||
	    postern_nl_missing(extack, NULL, tb, POSTERN_A_POLICY_ACTION,
			       "action") ||
	    postern_nl_missing(extack, NULL, tb, POSTERN_A_POLICY_SELECTOR,
			       "selector"))
		return -EINVAL;
	args->dir = nla_get_u8(tb[POSTERN_A_POLICY_DIR]);
	if (tb[POSTERN_A_POLICY_PRIORITY])
		args->priority = nla_get_u32(tb[POSTERN_A_POLICY_PRIORITY]);
	if (tb[POSTERN_A_POLICY_OWNER])
		args->owner = nla_get_u32(tb[POSTERN_A_POLICY_OWNER]);
	if (tb[POSTERN_A_POLICY_FLAGS])
		args->flags = nla_get_u32(tb[POSTERN_A_POLICY_FLAGS]);
	err = postern_nl_get_selector(tb[POSTERN_A_POLICY_SELECTOR], &args->sel,
				      extack);
	if (err)
		return err;
	return get_action(info, args);
}

/* A policy as the reply to @info; consumes @reply. */
static int policy_reply(struct sk_buff *reply, struct genl_info *info, u8 cmd,
			const struct postern_policy *policy)
{
	void *hdr = genlmsg_put_reply(reply, info, &postern_nl_family, 0, cmd);

	if (!hdr || postern_nl_put_policy(reply, policy)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* Consumes @reply when it succeeds. */
static int policy_write(struct postern_net *pn, struct genl_info *info,
			const struct policy_args *args, bool replace,
			struct sk_buff *reply)
{
	struct postern_policy *old, *policy;
	int err;

	old = postern_spd_find(&pn->spd, args->dir, &args->sel, &args->priority,
			       NULL);
	if (old && !replace) {
		NL_SET_ERR_MSG(info->extack,
			       "a policy of this dir, selector and priority exists");
		return -EEXIST;
	}
	policy = postern_policy_alloc(&pn->spd);
	if (!policy)
		return -ENOMEM;
	policy->rule.sel = args->sel;
	policy->rule.priority = args->priority;
	policy->dir = args->dir;
	policy->action = args->action;
	policy->owner = args->owner;
	policy->flags = args->flags;
	policy->tmpl_count = args->tmpl_count;
	policy->open = args->open;
	memcpy(policy->tmpl, args->tmpl, sizeof(policy->tmpl));

	err = postern_hooks_enable(pn);
	if (!err)
		err = postern_spd_add(pn, policy, old);
	if (err) {
		postern_policy_free_unpublished(policy);
		return err;
	}
	pn->generation++;
	if (policy->action != POSTERN_ACTION_BYPASS)
		postern_flowtable_recheck(pn);
	postern_event_policy(pn, info, old ? POSTERN_CMD_POLICY_UPDATE_NTF :
					     POSTERN_CMD_POLICY_NEW_NTF, policy);
	policy_reply(reply, info, replace ? POSTERN_CMD_POLICY_UPDATE :
					    POSTERN_CMD_POLICY_NEW, policy);
	return 0;
}

static int policy_write_doit(struct genl_info *info, bool replace)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct policy_args args;
	struct sk_buff *reply;
	int err;

	err = get_args(info, &args);
	if (err)
		return err;
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	if (postern_lock(pn)) {
		err = -EINTR;
	} else {
		err = policy_write(pn, info, &args, replace, reply);
		mutex_unlock(&pn->lock);
	}
	if (err)
		nlmsg_free(reply);
	return err;
}

/* POSTERN_CMD_POLICY_NEW: Add a policy. */
int postern_nl_policy_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return policy_write_doit(info, false);
}

/* POSTERN_CMD_POLICY_UPDATE: Add a policy, or replace one. */
int postern_nl_policy_update_doit(struct sk_buff *skb, struct genl_info *info)
{
	return policy_write_doit(info, true);
}

/**
 * struct policy_name - what tells one policy from others
 * @index: 0 when not given
 * @dir: 0 when not given
 * @has_sel: @sel is given
 * @has_priority: @priority is given
 * @sel: selector
 * @priority: of the policy
 * @has_owner: @owner is given
 * @owner: who made it
 */
struct policy_name {
	u32 index;
	u8 dir;
	bool has_sel;
	bool has_priority;
	struct postern_selector sel;
	u32 priority;
	bool has_owner;
	u32 owner;
};

/* By index, or by dir and selector; more than that narrows it. */
static int check_name(struct nlattr **tb, struct netlink_ext_ack *extack)
{
	if (tb[POSTERN_A_POLICY_INDEX]) {
		if (nla_get_u32(tb[POSTERN_A_POLICY_INDEX]))
			return 0;
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_POLICY_INDEX],
				    "an index is 1 or more");
		return -EINVAL;
	}
	if (!tb[POSTERN_A_POLICY_DIR] && !tb[POSTERN_A_POLICY_SELECTOR]) {
		NL_SET_ERR_MSG(extack,
			       "attribute index is required, or dir and selector");
		return -EINVAL;
	}
	if (postern_nl_missing(extack, NULL, tb, POSTERN_A_POLICY_DIR, "dir") ||
	    postern_nl_missing(extack, NULL, tb, POSTERN_A_POLICY_SELECTOR,
			       "selector"))
		return -EINVAL;
	return 0;
}

static int get_name(struct genl_info *info, struct policy_name *name)
{
	struct nlattr **tb = info->attrs;
	int err;

	memset(name, 0, sizeof(*name));
	err = check_name(tb, info->extack);
	if (err)
		return err;
	if (tb[POSTERN_A_POLICY_INDEX])
		name->index = nla_get_u32(tb[POSTERN_A_POLICY_INDEX]);
	if (tb[POSTERN_A_POLICY_DIR])
		name->dir = nla_get_u8(tb[POSTERN_A_POLICY_DIR]);
	if (tb[POSTERN_A_POLICY_PRIORITY]) {
		name->has_priority = true;
		name->priority = nla_get_u32(tb[POSTERN_A_POLICY_PRIORITY]);
	}
	if (tb[POSTERN_A_POLICY_OWNER]) {
		name->has_owner = true;
		name->owner = nla_get_u32(tb[POSTERN_A_POLICY_OWNER]);
	}
	if (!tb[POSTERN_A_POLICY_SELECTOR])
		return 0;
	name->has_sel = true;
	return postern_nl_get_selector(tb[POSTERN_A_POLICY_SELECTOR],
				       &name->sel, info->extack);
}

/* Everything that is given must be so. */
static bool name_match(const struct policy_name *name,
		       const struct postern_policy *policy)
{
	return (!name->dir || name->dir == policy->dir) &&
	       (!name->has_owner || name->owner == policy->owner) &&
	       (!name->has_priority ||
		name->priority == policy->rule.priority) &&
	       (!name->has_sel ||
		postern_selector_equal(&name->sel, &policy->rule.sel));
}

static struct postern_policy *policy_named(struct postern_net *pn,
					   const struct policy_name *name,
					   struct netlink_ext_ack *extack)
{
	struct postern_policy *policy;

	if (name->index) {
		policy = postern_spd_get(&pn->spd, name->index);
		if (policy && name_match(name, policy))
			return policy;
		NL_SET_ERR_MSG(extack,
			       "no policy has this index and what else is given");
		return NULL;
	}
	policy = postern_spd_find(&pn->spd, name->dir, &name->sel,
				  name->has_priority ? &name->priority : NULL,
				  name->has_owner ? &name->owner : NULL);
	if (!policy)
		NL_SET_ERR_MSG(extack,
			       "no policy has this dir, selector and, where given, priority and owner");
	return policy;
}

/* POSTERN_CMD_POLICY_DEL: Delete one policy. */
int postern_nl_policy_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct postern_policy *policy;
	struct policy_name name;
	int err;

	err = get_name(info, &name);
	if (err)
		return err;
	if (postern_lock(pn))
		return -EINTR;
	policy = policy_named(pn, &name, info->extack);
	if (policy) {
		postern_spd_await_unseen(&pn->spd, policy);
		postern_event_policy(pn, info, POSTERN_CMD_POLICY_DEL_NTF,
				     policy);
		postern_spd_remove(pn, policy);
		postern_flowtable_recheck(pn);
		pn->generation++;
	}
	mutex_unlock(&pn->lock);
	return policy ? 0 : -ENOENT;
}

/* POSTERN_CMD_POLICY_GET: Show one policy. */
int postern_nl_policy_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct postern_policy *policy;
	struct policy_name name;
	struct sk_buff *reply;
	int err;

	err = get_name(info, &name);
	if (err)
		return err;
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	if (postern_lock(pn)) {
		nlmsg_free(reply);
		return -EINTR;
	}
	policy = policy_named(pn, &name, info->extack);
	if (policy) {
		err = policy_reply(reply, info, POSTERN_CMD_POLICY_GET, policy);
	} else {
		nlmsg_free(reply);
		err = -ENOENT;
	}
	mutex_unlock(&pn->lock);
	return err;
}

/* Both may be absent, for all policies. */
static bool filter_match(const struct nlattr *owner, const struct nlattr *dir,
			 const struct postern_policy *policy)
{
	return (!owner || nla_get_u32(owner) == policy->owner) &&
	       (!dir || nla_get_u8(dir) == policy->dir);
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb,
		    const struct postern_policy *policy)
{
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &postern_nl_family, NLM_F_MULTI,
			  POSTERN_CMD_POLICY_GET);
	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (postern_nl_put_policy(skb, policy)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* POSTERN_CMD_POLICY_GET: Show all policies, or those of an owner or direction. */
int postern_nl_policy_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct postern_net *pn = postern_net(sock_net(cb->skb->sk));
	struct nlattr **tb = genl_info_dump(cb)->attrs;
	struct postern_policy *policy;
	u32 *last = (u32 *)cb->ctx;
	int err = 0;

	if (tb[POSTERN_A_POLICY_INDEX] || tb[POSTERN_A_POLICY_SELECTOR] ||
	    tb[POSTERN_A_POLICY_PRIORITY]) {
		NL_SET_ERR_MSG(cb->extack,
			       "owner and dir narrow a dump; index, selector and priority name one policy");
		return -EINVAL;
	}
	if (postern_lock(pn))
		return -EINTR;
	cb->seq = pn->generation;
	while ((policy = postern_spd_next(&pn->spd, *last))) {
		if (filter_match(tb[POSTERN_A_POLICY_OWNER],
				 tb[POSTERN_A_POLICY_DIR], policy)) {
			err = dump_one(skb, cb, policy);
			if (err)
				break;
		}
		*last = policy->index;
	}
	mutex_unlock(&pn->lock);
	return skb->len ? skb->len : err;
}

static void flush_reply(struct sk_buff *reply, struct genl_info *info,
			u32 count)
{
	void *hdr = genlmsg_put_reply(reply, info, &postern_nl_family, 0,
				      POSTERN_CMD_POLICY_FLUSH);

	if (!hdr || nla_put_u32(reply, POSTERN_A_POLICY_COUNT, count)) {
		nlmsg_free(reply);
		return;
	}
	genlmsg_end(reply, hdr);
	genlmsg_reply(reply, info);
}

static void flush_those(struct postern_net *pn, struct postern_nl_flush *flush,
			unsigned int strictness)
{
	struct postern_policy *policy;
	u32 last = 0;

	while ((policy = postern_spd_next(&pn->spd, last))) {
		last = policy->index;
		if (postern_policy_strictness(policy) != strictness ||
		    !filter_match(flush->owner, flush->kind, policy))
			continue;
		postern_spd_await_unseen(&pn->spd, policy);
		postern_spd_remove(pn, policy);
		flush->count++;
		cond_resched();
	}
}

/* POSTERN_CMD_POLICY_FLUSH: Delete all policies, or those of an owner or direction. */
int postern_nl_policy_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct postern_nl_flush flush = {
		.owner = info->attrs[POSTERN_A_POLICY_OWNER],
		.kind = info->attrs[POSTERN_A_POLICY_DIR],
	};
	unsigned int strictness;
	struct sk_buff *reply;

	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	if (postern_lock(pn)) {
		nlmsg_free(reply);
		return -EINTR;
	}
	/* in this order two grace periods are enough */
	for (strictness = 0; strictness <= POSTERN_STRICTEST; strictness++)
		flush_those(pn, &flush, strictness);
	if (flush.count) {
		postern_flowtable_recheck(pn);
		pn->generation++;
		postern_event_policy_flush(pn, info, &flush);
	}
	mutex_unlock(&pn->lock);
	flush_reply(reply, info, flush.count);
	return 0;
}
