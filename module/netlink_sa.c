// SPDX-License-Identifier: GPL-2.0
/*
 * Commands on SAs.  A request is read and checked whole before anything changes.  A
 * change stands also when its reply does not reach the requester any more.
 */
#include <linux/security.h>
#include <linux/slab.h>
#include "compat.h"
#include "encap.h"
#include "event.h"
#include "expire.h"
#include "hooks.h"
#include "netlink_sa_args.h"
#include "path.h"

static struct postern_sa_selector *
selector_make(const struct postern_selector *sel)
{
	struct postern_sa_selector *selector;

	selector = kzalloc(sizeof(*selector), GFP_KERNEL_ACCOUNT);
	if (selector)
		selector->sel = *sel;
	return selector;
}

/* All that a larval SA has as well. */
static struct postern_sa *sa_make(struct postern_net *pn,
				  const struct postern_sa_args *args)
{
	struct postern_sa *sa = postern_sa_alloc(pn);

	if (!sa)
		return NULL;
	sa->key = args->key;
	sa->src = args->src;
	sa->mode = args->mode;
	sa->dir = args->dir;
	sa->ipv4 = args->key.family == AF_INET;
	sa->flags = args->flags;
	sa->outer = args->outer;
	sa->tfcpad = args->tfcpad;
	sa->encap = args->encap;
	sa->original = args->original;
	sa->keepalive = args->keepalive;
	sa->reqid = args->reqid;
	sa->owner = args->owner;
	sa->base = args->base;
	return sa;
}

static void sa_forward(struct postern_sa *sa, const struct postern_sa_args *args)
{
	spin_lock_bh(&sa->lock);
	postern_replay_import(&sa->replay, args->seq, args->bitmap,
			      args->words);
	spin_unlock_bh(&sa->lock);
	postern_seqno_raise(sa->seqno, args->oseq);
}

/*
 * An SA of any source has many senders, each of which counts by itself: their IVs
 * must not be their counts (RFC 4552 section 6).
 */
static bool repeats_ivs(const struct postern_sa *sa)
{
	return postern_addr_any(&sa->src) && sa->dir != POSTERN_DIR_IN &&
	       (sa->keys[POSTERN_ALGO_AEAD].algo ||
		(sa->transform.iv_len && !sa->transform.iv_random));
}

/* Keys, limits and numbers. */
static int sa_complete(struct postern_sa *sa, struct nlattr **tb,
		       const struct postern_sa_args *args,
		       struct netlink_ext_ack *extack)
{
	struct postern_sa_selector *selector;
	int i, err;

	if (tb[POSTERN_A_SA_SELECTOR]) {
		selector = selector_make(&args->sel);
		if (!selector)
			return -ENOMEM;
		RCU_INIT_POINTER(sa->selector, selector);
	}
	err = postern_sa_args_algos(tb, sa->keys, extack);
	if (err)
		return err;
	postern_sa_set_life(sa, &args->life);
	err = postern_sa_arm(sa, args->window, extack);
	if (err)
		return err;
	if (repeats_ivs(sa)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_SRC],
				    "a counter mode needs src: senders that share a key would share its IVs");
		return -EINVAL;
	}
	for (i = 0; i < POSTERN_ALGO_KINDS; i++)
		sa->keys[i].attr = NULL;
	return 0;
}

static int sa_create(struct postern_net *pn, struct genl_info *info,
		     const struct postern_sa_args *args, struct postern_sa *larval,
		     u8 event)
{
	struct postern_sa *sa;
	int err;

	err = postern_sa_args_check_new(info->attrs, args, info->extack);
	if (err)
		return err;
	sa = sa_make(pn, args);
	if (!sa)
		return -ENOMEM;
	err = sa_complete(sa, info->attrs, args, info->extack);
	if (err)
		goto err_free;
	err = postern_hooks_enable(pn);
	if (err)
		goto err_free;
	sa_forward(sa, args);
	if (sa->encap && sa->dir != POSTERN_DIR_OUT)
		postern_encap_listen(pn, postern_encap_dport(sa->encap));
	err = postern_sad_add(&pn->sad, sa, larval);
	if (err)
		goto err_free;
	pn->generation++;
	postern_event_sa(pn, info, event, sa);
	return 0;

err_free:
	postern_sa_free_unpublished(sa);
	return err;
}

static int selector_change(struct postern_sa *sa,
			   const struct postern_selector *sel)
{
	struct postern_sa_selector *selector, *old;

	old = rcu_dereference_protected(sa->selector,
					lockdep_is_held(&sa->pn->lock));
	if (old && postern_selector_equal(&old->sel, sel))
		return 0;
	selector = selector_make(sel);
	if (!selector)
		return -ENOMEM;
	rcu_assign_pointer(sa->selector, selector);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* Packets that leave meanwhile have the old ports or the new ones. */
static void encap_change(struct postern_sa *sa, __be32 encap)
{
	if (sa->encap == encap)
		return;
	if (sa->dir != POSTERN_DIR_OUT)
		postern_encap_listen(sa->pn, postern_encap_dport(encap));
	WRITE_ONCE(sa->encap, encap);
	smp_mb();	/* pairs with remembered() in route.c */
	dst_cache_reset(&sa->route);
}

/* Usage that the request tells is not taken: a valid SA counts itself. */
static int sa_change(struct postern_net *pn, struct genl_info *info,
		     struct postern_sa *sa, const struct postern_sa_args *args)
{
	struct nlattr **tb = info->attrs;
	int err;

	err = postern_sa_args_check_change(tb, args, sa, info->extack);
	if (err)
		return err;
	if (tb[POSTERN_A_SA_SELECTOR]) {
		err = selector_change(sa, &args->sel);
		if (err)
			return err;
	}
	if (tb[POSTERN_A_SA_OWNER])
		sa->owner = args->owner;
	if (tb[POSTERN_A_SA_ENCAP])
		encap_change(sa, args->encap);
	if (tb[POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL])
		sa->keepalive = args->keepalive;
	if (tb[POSTERN_A_SA_LIFETIME])
		postern_sa_set_life(sa, &args->life);
	if (tb[POSTERN_A_SA_LIFETIME] || tb[POSTERN_A_SA_NAT_KEEPALIVE_INTERVAL])
		postern_sa_schedule(sa, 0);
	sa_forward(sa, args);
	pn->generation++;
	postern_event_sa(pn, info, POSTERN_CMD_SA_UPDATE_NTF, sa);
	return 0;
}

static int sa_not_found(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG(extack, "no SA has this dst, proto and spi");
	return -ESRCH;
}

static bool is_larval(const struct postern_sa *sa)
{
	return sa->state == POSTERN_SA_STATE_LARVAL;
}

/* The request leaves no keys behind, of a type that it has twice neither. */
static void wipe_keys(struct genl_info *info)
{
	struct nlattr *attr;
	int rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem)
		switch (nla_type(attr)) {
		case POSTERN_A_SA_AEAD:
		case POSTERN_A_SA_CRYPT:
		case POSTERN_A_SA_AUTH:
			memzero_explicit(nla_data(attr), nla_len(attr));
		}
}

static int sa_new(struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct postern_sa *old;
	struct postern_sa_args args;
	int err;

	err = postern_sa_args_get(info->attrs, &args, info->extack);
	if (err)
		return err;
	if (postern_lock(pn))
		return -EINTR;
	old = postern_sad_lookup(&pn->sad, &args.key);
	if (old && !is_larval(old)) {
		NL_SET_ERR_MSG(info->extack,
			       "an SA of this dst, proto and spi exists");
		err = -EEXIST;
	} else {
		err = sa_create(pn, info, &args, old, POSTERN_CMD_SA_NEW_NTF);
	}
	mutex_unlock(&pn->lock);
	return err;
}

/* POSTERN_CMD_SA_NEW: Add an SA, or give a larval one its keys. */
int postern_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = sa_new(info);

	wipe_keys(info);
	return err;
}

/* A sender that is named is meant, the unspecified one too. */
static struct postern_sa *find_sa(struct postern_net *pn, struct nlattr **tb,
				  const struct postern_sa_key *key)
{
	return tb[POSTERN_A_SA_SRC] ? postern_sad_lookup(&pn->sad, key) :
				      postern_sad_find(&pn->sad, key);
}

static int sa_update(struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct postern_sa *old;
	struct postern_sa_args args;
	int err;

	err = postern_sa_args_get(info->attrs, &args, info->extack);
	if (err)
		return err;
	if (postern_lock(pn))
		return -EINTR;
	old = find_sa(pn, info->attrs, &args.key);
	if (!old)
		err = sa_not_found(info->extack);
	else if (is_larval(old))
		err = sa_create(pn, info, &args, old,
				POSTERN_CMD_SA_UPDATE_NTF);
	else
		err = sa_change(pn, info, old, &args);
	mutex_unlock(&pn->lock);
	return err;
}

/* POSTERN_CMD_SA_UPDATE: Change an SA, or give a larval one its keys. */
int postern_nl_sa_update_doit(struct sk_buff *skb, struct genl_info *info)
{
	int err = sa_update(info);

	wipe_keys(info);
	return err;
}

/* @src: valid, or NULL for any */
static bool is_from(const struct postern_sa *sa, const struct nlattr *src)
{
	union nf_inet_addr addr;
	u8 family;

	return !src || (!postern_nl_get_addr(src, &addr, &family, NULL) &&
			postern_addr_equal(&addr, &sa->src));
}

/* POSTERN_CMD_SA_DEL: Delete one SA. */
int postern_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct postern_sa_key key;
	struct postern_sa *sa;
	int err;

	err = postern_sa_args_key(info->attrs, &key, info->extack);
	if (err)
		return err;
	if (postern_lock(pn))
		return -EINTR;
	sa = find_sa(pn, info->attrs, &key);
	if (sa && is_from(sa, info->attrs[POSTERN_A_SA_SRC])) {
		postern_event_sa(pn, info, POSTERN_CMD_SA_DEL_NTF, sa);
		postern_sad_remove(&pn->sad, sa);
		pn->generation++;
	} else {
		err = sa_not_found(info->extack);
	}
	mutex_unlock(&pn->lock);
	return err;
}

/* What an SA must have to be shown; an address of family 0 is not given. */
struct sa_filter {
	struct nlattr **tb;
	union nf_inet_addr src;
	union nf_inet_addr dst;
	u8 src_family;
	u8 dst_family;
};

/*
 * The end of a dump carries words, but, before 6.9, no offset of an attribute:
 * the words name it.
 */
static int filter_init(struct sa_filter *filter, struct nlattr **tb,
		       struct netlink_ext_ack *extack)
{
	memset(filter, 0, sizeof(*filter));
	filter->tb = tb;
	if (tb[POSTERN_A_SA_SRC] &&
	    postern_nl_get_addr(tb[POSTERN_A_SA_SRC], &filter->src,
				&filter->src_family, NULL)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_SRC],
				    "src: an address has 4 octets (IPv4) or 16 (IPv6)");
		return -EINVAL;
	}
	if (tb[POSTERN_A_SA_DST] &&
	    postern_nl_get_addr(tb[POSTERN_A_SA_DST], &filter->dst,
				&filter->dst_family, NULL)) {
		NL_SET_ERR_MSG_ATTR(extack, tb[POSTERN_A_SA_DST],
				    "dst: an address has 4 octets (IPv4) or 16 (IPv6)");
		return -EINVAL;
	}
	return 0;
}

static bool filter_match(const struct sa_filter *filter,
			 const struct postern_sa *sa)
{
	struct nlattr **tb = filter->tb;

	if (filter->src_family && (filter->src_family != sa->key.family ||
				   !postern_addr_equal(&filter->src, &sa->src)))
		return false;
	if (filter->dst_family &&
	    (filter->dst_family != sa->key.family ||
	     !postern_addr_equal(&filter->dst, &sa->key.dst)))
		return false;
	return (!tb[POSTERN_A_SA_OWNER] ||
		nla_get_u32(tb[POSTERN_A_SA_OWNER]) == sa->owner) &&
	       (!tb[POSTERN_A_SA_PROTO] ||
		nla_get_u8(tb[POSTERN_A_SA_PROTO]) == sa->key.proto) &&
	       (!tb[POSTERN_A_SA_SPI] ||
		nla_get_be32(tb[POSTERN_A_SA_SPI]) == sa->key.spi) &&
	       (!tb[POSTERN_A_SA_MODE] ||
		nla_get_u8(tb[POSTERN_A_SA_MODE]) == sa->mode) &&
	       (!tb[POSTERN_A_SA_REQID] ||
		nla_get_u32(tb[POSTERN_A_SA_REQID]) == sa->reqid);
}

/* An SA as the reply to @info; consumes @reply. */
static int sa_reply(struct sk_buff *reply, struct genl_info *info, u8 cmd,
		    struct postern_sa *sa, bool with_keys)
{
	void *hdr = genlmsg_put_reply(reply, info, &postern_nl_family, 0, cmd);

	if (!hdr || postern_nl_put_sa(reply, sa, with_keys)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

/* A kernel that is locked down for confidentiality shows keys to nobody. */
static bool shows_keys(struct nlattr **tb)
{
	return tb[POSTERN_A_SA_WITH_KEYS] && !security_locked_down(POSTERN_LOCKDOWN_KEYS);
}

/* POSTERN_CMD_SA_GET: Show one SA. */
int postern_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct sa_filter filter;
	struct postern_sa_key key;
	struct sk_buff *reply;
	struct postern_sa *sa;
	int err;

	err = postern_sa_args_key(info->attrs, &key, info->extack);
	if (err)
		return err;
	err = filter_init(&filter, info->attrs, info->extack);
	if (err)
		return err;
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	if (postern_lock(pn)) {
		nlmsg_free(reply);
		return -EINTR;
	}
	sa = find_sa(pn, info->attrs, &key);
	if (sa && filter_match(&filter, sa)) {
		err = sa_reply(reply, info, POSTERN_CMD_SA_GET, sa,
			       shows_keys(info->attrs));
	} else {
		nlmsg_free(reply);
		err = sa_not_found(info->extack);
	}
	mutex_unlock(&pn->lock);
	return err;
}

static int dump_one(struct sk_buff *skb, struct netlink_callback *cb,
		    struct postern_sa *sa, bool with_keys)
{
	void *hdr;

	hdr = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
			  &postern_nl_family, NLM_F_MULTI, POSTERN_CMD_SA_GET);
	if (!hdr)
		return -EMSGSIZE;
	genl_dump_check_consistent(cb, hdr);
	if (postern_nl_put_sa(skb, sa, with_keys)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* POSTERN_CMD_SA_GET: Show all SAs that a filter lets through. */
int postern_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct postern_net *pn = postern_net(sock_net(cb->skb->sk));
	struct nlattr **tb = genl_info_dump(cb)->attrs;
	u64 *last = (u64 *)cb->ctx;
	bool keys = shows_keys(tb);
	struct sa_filter filter;
	struct postern_sa *sa;
	int err;

	err = filter_init(&filter, tb, cb->extack);
	if (err)
		return err;
	if (postern_lock(pn))
		return -EINTR;
	cb->seq = pn->generation;
	while ((sa = postern_sad_next(&pn->sad, *last))) {
		if (filter_match(&filter, sa)) {
			err = dump_one(skb, cb, sa, keys);
			if (err)
				break;
		}
		*last = sa->id;
	}
	mutex_unlock(&pn->lock);
	return skb->len ? skb->len : err;
}

static void flush_reply(struct sk_buff *reply, struct genl_info *info, u32 count)
{
	void *hdr = genlmsg_put_reply(reply, info, &postern_nl_family, 0,
				      POSTERN_CMD_SA_FLUSH);

	if (!hdr || nla_put_u32(reply, POSTERN_A_SA_COUNT, count)) {
		nlmsg_free(reply);
		return;
	}
	genlmsg_end(reply, hdr);
	genlmsg_reply(reply, info);
}

/* POSTERN_CMD_SA_FLUSH: Delete all SAs, or those of an owner or protocol. */
int postern_nl_sa_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct postern_nl_flush flush = {
		.owner = info->attrs[POSTERN_A_SA_OWNER],
		.kind = info->attrs[POSTERN_A_SA_PROTO],
	};
	struct sk_buff *reply;
	struct postern_sa *sa;
	u64 last = 0;

	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	if (postern_lock(pn)) {
		nlmsg_free(reply);
		return -EINTR;
	}
	while ((sa = postern_sad_next(&pn->sad, last))) {
		last = sa->id;
		if ((flush.owner && nla_get_u32(flush.owner) != sa->owner) ||
		    (flush.kind && nla_get_u8(flush.kind) != sa->key.proto))
			continue;
		postern_sad_remove(&pn->sad, sa);
		flush.count++;
		cond_resched();
	}
	if (flush.count) {
		pn->generation++;
		postern_event_sa_flush(pn, info, &flush);
	}
	mutex_unlock(&pn->lock);
	flush_reply(reply, info, flush.count);
	return 0;
}

/* Consumes @reply when it succeeds. */
static int allocspi(struct postern_net *pn, struct genl_info *info,
		    const struct postern_sa_args *args, u32 min, u32 max,
		    struct sk_buff *reply)
{
	struct postern_sa *sa;
	int err;

	err = postern_hooks_enable(pn);
	if (err)
		return err;
	sa = sa_make(pn, args);
	if (!sa)
		return -ENOMEM;
	err = postern_sad_reserve(&pn->sad, sa, min, max);
	if (err == -ENOSPC) {
		NL_SET_ERR_MSG(info->extack,
			       "no SPI from spi-min to spi-max is free");
		err = -ENOENT;
	}
	if (err) {
		postern_sa_free_unpublished(sa);
		return err;
	}
	pn->generation++;
	postern_event_sa(pn, info, POSTERN_CMD_SA_NEW_NTF, sa);
	sa_reply(reply, info, POSTERN_CMD_SA_ALLOCSPI, sa, false);
	return 0;
}

/* POSTERN_CMD_SA_ALLOCSPI: Reserve an SPI by making a larval SA. */
int postern_nl_sa_allocspi_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct sk_buff *reply;
	struct postern_sa_args args;
	u32 min, max;
	int err;

	err = postern_sa_args_larval(info->attrs, &args, &min, &max,
				     info->extack);
	if (err)
		return err;
	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	if (postern_lock(pn)) {
		err = -EINTR;
	} else {
		err = allocspi(pn, info, &args, min, max, reply);
		mutex_unlock(&pn->lock);
	}
	if (err)
		nlmsg_free(reply);
	return err;
}

/* In one request, for which all others of generic netlink may have to wait. */
#define DUMMIES_MAX	1000

static int dummy_refused(const struct postern_sa *sa,
			 struct netlink_ext_ack *extack)
{
	if (sa->dir == POSTERN_DIR_IN)
		NL_SET_ERR_MSG(extack, "dummy packets are sent: dir of the SA is 1 (in)");
	else if (!postern_sa_usable(sa))
		NL_SET_ERR_MSG(extack, "the SA has no keys yet, or is at its end");
	else if (postern_addr_any(&sa->src))
		NL_SET_ERR_MSG(extack, "dummy packets need a source: src of the SA is the unspecified address");
	else
		return 0;
	return -EINVAL;
}

/* Only for the time of a packet, so that others are not kept from their work. */
static int send_dummy(struct postern_net *pn, const struct postern_sa_key *key,
		      const struct nlattr *len, struct netlink_ext_ack *extack)
{
	struct postern_sa *sa;
	int err;

	rcu_read_lock();
	sa = postern_sad_lookup(&pn->sad, key);
	if (sa)
		err = dummy_refused(sa, extack) ?:
		      postern_output_dummy(pn, sa, len ? nla_get_u16(len) :
							 sa->tfcpad);
	else
		err = sa_not_found(extack);
	rcu_read_unlock();
	if (err == -EMSGSIZE)
		NL_SET_ERR_MSG_ATTR(extack, len, "the path of the SA does not take such long packets");
	else if (err == -ENETUNREACH)
		NL_SET_ERR_MSG(extack, "there is no route to dst");
	return err;
}

/* POSTERN_CMD_SA_DUMMY: Send dummy packets. */
int postern_nl_sa_dummy_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct postern_net *pn = postern_net(genl_info_net(info));
	struct nlattr **tb = info->attrs;
	struct postern_sa_key key;
	u32 count = 1;
	int err;

	err = postern_sa_args_key(tb, &key, info->extack);
	if (err)
		return err;
	if (key.proto != IPPROTO_ESP) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[POSTERN_A_SA_PROTO],
				    "dummy packets are of ESP (proto 50)");
		return -EINVAL;
	}
	if (tb[POSTERN_A_SA_COUNT])
		count = nla_get_u32(tb[POSTERN_A_SA_COUNT]);
	if (count > DUMMIES_MAX) {
		NL_SET_ERR_MSG_ATTR(info->extack, tb[POSTERN_A_SA_COUNT],
				    "count is at most 1000 in one request");
		return -EINVAL;
	}
	for (; !err && count; count--) {
		err = send_dummy(pn, &key, tb[POSTERN_A_SA_DUMMY_LEN],
				 info->extack);
		/* netlink answers nothing to who is interrupted */
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return err;
}
