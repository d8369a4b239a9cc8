// SPDX-License-Identifier: GPL-2.0
/* Dumps and events, and who gets them. */
#include "log.h"
#include "mirror.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* Of kernels newer than the headers that this may be built with. */
#define MSG_MIGRATE_STATE	0x29

/*
 * Events of Postern that are read in one go: more than a queue holds, so that
 * the one that is looked for is among them.
 */
#define BATCH		16384

uint32_t mirror_hash(const void *data, size_t len, uint32_t hash)
{
	const uint8_t *b = data;

	/* FNV-1a */
	hash ^= 2166136261U;
	while (len--)
		hash = (hash ^ *b++) * 16777619U;
	return hash;
}

bool mirror_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) > 0;
}

void mirror_drain_events(struct mirror *m)
{
	bool lost = false;
	unsigned int i;

	for (i = 0; i < BATCH && mirror_readable(nl_fd(m->events)); i++)
		if (nl_listen(m->events, mirror_postern_event, m) == -ENOBUFS)
			lost = true;
	if (!lost)
		return;
	m->host_changed = true;
	mirror_take_policies_again(m);
}

static void bad_message(const struct nlmsghdr *nlh)
{
	log_event("XFRM message of type %u not understood", nlh->nlmsg_type);
}

static int see_sa(const struct nlmsghdr *nlh, void *data)
{
	struct xfrm_sa x;

	if (nlh->nlmsg_type == XFRM_MSG_NEWSA && !xfrm_parse_sa(nlh, &x))
		mirror_see_sa(data, &x);
	explicit_bzero(&x, sizeof(x));
	return 0;
}

static int take_sa(const struct nlmsghdr *nlh, void *data)
{
	struct xfrm_sa x;

	if (xfrm_parse_sa(nlh, &x))
		bad_message(nlh);
	else
		mirror_take_sa(data, &x);
	explicit_bzero(&x, sizeof(x));
	return 0;
}

static int drop_sa(const struct nlmsghdr *nlh, void *data)
{
	struct xfrm_sa x;

	if (xfrm_parse_sa(nlh, &x))
		bad_message(nlh);
	else
		mirror_drop_sa(data, &x, "the daemon deleted it");
	explicit_bzero(&x, sizeof(x));
	return 0;
}

static int expire_sa(const struct nlmsghdr *nlh, void *data)
{
	const struct xfrm_user_expire *expire = mnl_nlmsg_get_payload(nlh);
	struct xfrm_sa x;

	if (xfrm_parse_sa(nlh, &x))
		bad_message(nlh);
	else if (expire->hard)
		mirror_drop_sa(data, &x, "it expired");
	return 0;
}

static int see_policy(const struct nlmsghdr *nlh, void *data)
{
	struct xfrm_policy x;

	if (nlh->nlmsg_type == XFRM_MSG_NEWPOLICY &&
	    !xfrm_parse_policy(nlh, &x))
		mirror_see_policy(data, &x);
	return 0;
}

static int take_policy(const struct nlmsghdr *nlh, void *data)
{
	struct xfrm_policy x;

	if (xfrm_parse_policy(nlh, &x))
		bad_message(nlh);
	else
		mirror_take_policy(data, &x);
	return 0;
}

static int drop_policy(const struct nlmsghdr *nlh, void *data)
{
	struct xfrm_policy x;

	if (xfrm_parse_policy(nlh, &x))
		bad_message(nlh);
	else
		mirror_drop_policy(data, &x);
	return 0;
}

int mirror_xfrm_event(const struct nlmsghdr *nlh, void *data)
{
	switch (nlh->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
		return take_sa(nlh, data);
	case XFRM_MSG_DELSA:
		return drop_sa(nlh, data);
	case XFRM_MSG_EXPIRE:
		return expire_sa(nlh, data);
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
		return take_policy(nlh, data);
	case XFRM_MSG_DELPOLICY:
		return drop_policy(nlh, data);
	case XFRM_MSG_POLEXPIRE:
	case XFRM_MSG_FLUSHSA:
	case XFRM_MSG_FLUSHPOLICY:
	case XFRM_MSG_MIGRATE:
	case MSG_MIGRATE_STATE:
		/* These do not say of each object what became of it. */
		return -ENOBUFS;
	}
	return 0;
}

/* It may have been of the moment: without memory no policy is as good as none. */
void mirror_failed(struct mirror *m, int err)
{
	if (mirror_may_pass(err))
		m->again = true;
}

struct kept {
	uint32_t priority;
	size_t order;
	struct nlmsghdr *nlh;
};

struct keeper {
	struct kept *kept;
	size_t count;
	size_t room;
	int err;
};

static uint32_t priority_of(const struct nlmsghdr *nlh)
{
	const struct xfrm_userpolicy_info *info = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type != XFRM_MSG_NEWPOLICY ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*info))
		return 0;
	return info->priority;
}

/* Whatever happens, the rest has to be read. */
static int keep(const struct nlmsghdr *nlh, void *data)
{
	struct keeper *keeper = data;
	struct kept *k;

	if (keeper->err)
		return 0;
	keeper->err = -ENOMEM;
	if (keeper->count == keeper->room) {
		k = realloc(keeper->kept,
			    (keeper->room * 2 + 64) * sizeof(*k));
		if (!k)
			return 0;
		keeper->kept = k;
		keeper->room = keeper->room * 2 + 64;
	}
	k = &keeper->kept[keeper->count];
	k->nlh = malloc(nlh->nlmsg_len);
	if (!k->nlh)
		return 0;
	memcpy(k->nlh, nlh, nlh->nlmsg_len);
	k->priority = priority_of(nlh);
	k->order = keeper->count++;
	keeper->err = 0;
	return 0;
}

static int by_priority_and_age(const void *a, const void *b)
{
	const struct kept *ka = a, *kb = b;

	if (ka->priority != kb->priority)
		return ka->priority < kb->priority ? -1 : 1;
	/* what came last is dumped first */
	return ka->order > kb->order ? -1 : 1;
}

/*
 * Postern, like XFRM, prefers the older of two policies of one priority and the newer of
 * two SAs, so it must get them in the order of their age. What precedes comes first, or a
 * policy would meanwhile decide on packets that are not its own.
 */
static int dump(struct mirror *m, uint16_t type, nlsock_cb cb)
{
	struct keeper keeper = { .kept = NULL };
	struct kept *k;
	int err;

	err = xfrm_dump(m->xfrm, type, keep, &keeper);
	if (!err)
		err = keeper.err;
	if (err)
		log_event("dump of XFRM failed: %s", strerror(-err));
	if (keeper.count)
		qsort(keeper.kept, keeper.count, sizeof(*k),
		      by_priority_and_age);
	for (k = keeper.kept; keeper.count--; k++) {
		if (!err)
			err = cb(k->nlh, m);
		explicit_bzero(k->nlh, k->nlh->nlmsg_len);
		free(k->nlh);
	}
	free(keeper.kept);
	return err;
}

/*
 * Twice: what is gone makes room first and leaves its numbers to its heirs.
 * SAs come before the policies that would ask the daemon for them.
 */
int mirror_resync(struct mirror *m)
{
	int err;

	m->dumping = true;
	m->again = false;
	/* First of all, IKE: the daemon may be at it. */
	err = mirror_follow_host(m);
	mirror_unsee_sas(m);
	mirror_unsee_policies(m);
	if (!err)
		err = dump(m, XFRM_MSG_GETSA, see_sa);
	if (!err)
		err = mirror_sweep_sas(m);
	if (!err)
		err = dump(m, XFRM_MSG_GETSA, take_sa);
	if (!err)
		err = dump(m, XFRM_MSG_GETPOLICY, see_policy);
	if (!err)
		err = dump(m, XFRM_MSG_GETPOLICY, take_policy);
	if (!err)
		err = mirror_sweep_policies(m);
	m->dumping = false;
	return err;
}

int mirror_postern_event(uint8_t cmd, const void *attrs, size_t len,
			 void *data)
{
	struct mirror *m = data;
	struct policy policy;
	struct sa sa;

	switch (cmd) {
	case POSTERN_CMD_SA_DEL_NTF:
		if (!fields_parse(&sa_fields, &sa, attrs, len) &&
		    sa.owner == m->if_id)
			mirror_sa_deleted(m, &sa);
		break;
	case POSTERN_CMD_SA_EXPIRE_NTF:
		if (!fields_parse(&sa_fields, &sa, attrs, len) &&
		    sa.owner == m->if_id)
			mirror_sa_expired(m, &sa);
		break;
	case POSTERN_CMD_SA_MAPPING_NTF:
		if (!fields_parse(&sa_fields, &sa, attrs, len) &&
		    sa.owner == m->if_id)
			mirror_sa_mapping(&sa);
		break;
	case POSTERN_CMD_POLICY_DEL_NTF:
	case POSTERN_CMD_POLICY_UPDATE_NTF:
		if (!fields_parse(&policy_fields, &policy, attrs, len))
			mirror_place_changed(m, &policy);
		break;
	case POSTERN_CMD_POLICY_FLUSH_NTF:
		m->host_changed = true;
		/* Who flushes all, or what is ours, wants it so. */
		if (!fields_parse(&policy_fields, &policy, attrs, len) &&
		    policy.has & HAS(POSTERN_A_POLICY_OWNER) &&
		    policy.owner != m->if_id)
			mirror_take_policies_again(m);
		break;
	case POSTERN_CMD_ACQUIRE_NTF:
		if (!fields_parse(&policy_fields, &policy, attrs, len) &&
		    policy.owner == m->if_id)
			mirror_acquire(m, &policy);
		break;
	}
	return 0;
}
