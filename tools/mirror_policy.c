// SPDX-License-Identifier: GPL-2.0
/* The policies of the mirror. */
#include "log.h"
#include "mirror.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A selector in which what is left out is written out, to be compared. */
struct plain {
	uint32_t family;
	uint8_t src[POSTERN_ADDR_MAX];
	uint8_t dst[POSTERN_ADDR_MAX];
	uint8_t src_len;
	uint8_t dst_len;
	uint8_t proto;
	uint8_t pad;
	uint16_t port[4];
	uint32_t ifindex;
};

static void set_plain(struct plain *p, const struct selector *sel)
{
	memset(p, 0, sizeof(*p));
	p->family = sel->src.len ? sel->src.len : sel->dst.len;
	memcpy(p->src, sel->src.b, sel->src.len);
	memcpy(p->dst, sel->dst.b, sel->dst.len);
	p->src_len = sel->src_len;
	p->dst_len = sel->dst_len;
	p->proto = sel->proto;
	p->ifindex = sel->ifindex;
	p->port[1] = UINT16_MAX;
	p->port[3] = UINT16_MAX;
	if (sel->has & HAS(POSTERN_A_SELECTOR_SPORT_FIRST)) {
		p->port[0] = sel->sport_first;
		p->port[1] = sel->sport_last;
	}
	if (sel->has & HAS(POSTERN_A_SELECTOR_DPORT_FIRST)) {
		p->port[2] = sel->dport_first;
		p->port[3] = sel->dport_last;
	}
}

bool mirror_same_selector(const struct selector *a, const struct selector *b)
{
	struct plain pa, pb;

	set_plain(&pa, a);
	set_plain(&pb, b);
	return !memcmp(&pa, &pb, sizeof(pa));
}

static struct shadow_policy **bucket(struct mirror *m, uint8_t dir,
				     const struct selector *sel)
{
	struct plain plain;

	set_plain(&plain, sel);
	return &m->policy[mirror_hash(&plain, sizeof(plain), dir) %
			  MIRROR_BUCKETS];
}

/*
 * XFRM has one policy of a direction, selector, mark and security context, whatever its
 * priority, and no event tells of the context: what replaces a policy has its index. Of
 * some of them Postern has but one.
 */
static struct shadow_policy **find(struct mirror *m,
				   const struct xfrm_policy *x)
{
	struct shadow_policy **link = bucket(m, x->policy.dir,
					     &x->policy.selector);

	while (*link && ((*link)->xfrm.policy.dir != x->policy.dir ||
			 (*link)->xfrm.info.index != x->info.index ||
			 memcmp(&(*link)->xfrm.info.sel, &x->info.sel,
				sizeof(x->info.sel)) ||
			 memcmp(&(*link)->xfrm.mark, &x->mark,
				sizeof(x->mark))))
		link = &(*link)->next;
	return link;
}

/* An allowance may be left out, a restriction must not. */
static bool is_left_out(const struct xfrm_policy *x)
{
	return x->ignored[0] && x->policy.action == POSTERN_ACTION_BYPASS;
}

static bool is_about(const struct shadow_policy *s, const struct policy *p)
{
	return s->xfrm.policy.dir == p->dir &&
	       mirror_same_selector(&s->xfrm.policy.selector, &p->selector);
}

/* Whose place in Postern that is, of one or of several: of a restriction first. */
static struct shadow_policy *find_place(struct mirror *m,
					const struct policy *p)
{
	struct shadow_policy *s, *found = NULL;

	for (s = *bucket(m, p->dir, &p->selector); s; s = s->next) {
		if (is_left_out(&s->xfrm) || !is_about(s, p) ||
		    s->xfrm.policy.priority != p->priority)
			continue;
		found = s;
		if (s->xfrm.policy.action != POSTERN_ACTION_BYPASS)
			break;
	}
	return found;
}

static const char *text_of(const struct policy *p, char *buf)
{
	return log_policy(p->dir, &p->selector, buf);
}

static void refuse(struct mirror *m, struct shadow_policy *s, const char *why)
{
	char buf[LOG_TEXT];

	if (!s->refused[0])
		m->refused++;
	else if (!strcmp(s->refused, why))
		return;
	snprintf(s->refused, sizeof(s->refused), "%s", why);
	log_event("policy not mirrored: %s: %s", text_of(&s->xfrm.policy, buf),
		  why);
}

static int copy_policy(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	return fields_parse(&policy_fields, data, attrs, len);
}

static void name_policy(struct policy *name, const struct policy *p)
{
	memset(name, 0, sizeof(*name));
	name->has = HAS(POSTERN_A_POLICY_DIR) | HAS(POSTERN_A_POLICY_PRIORITY) |
		    HAS(POSTERN_A_POLICY_SELECTOR);
	name->dir = p->dir;
	name->priority = p->priority;
	name->selector = p->selector;
}

/* Return: 0, -ESRCH when Postern has none, or another negative errno. */
static int get_policy(struct mirror *m, const struct policy *p,
		      struct policy *out)
{
	struct policy name;
	int err;

	name_policy(&name, p);
	out->has = 0;
	err = nl_send(m->nl, POSTERN_CMD_POLICY_GET, 0, &policy_fields, &name,
		      copy_policy, out);
	return err == -ENOENT || (!err && !out->has) ? -ESRCH : err;
}

static bool same_policy(const struct policy *a, const struct policy *b)
{
	const struct tmpl *ta, *tb;
	uint32_t i;

	if (a->action != b->action || a->flags != b->flags ||
	    a->tmpls.count != b->tmpls.count)
		return false;
	for (i = 0; i < a->tmpls.count; i++) {
		ta = &a->tmpls.tmpl[i];
		tb = &b->tmpls.tmpl[i];
		if (ta->proto != tb->proto || ta->mode != tb->mode ||
		    ta->reqid != tb->reqid || ta->spi != tb->spi ||
		    ta->level != tb->level ||
		    !addr_equal(&ta->src, &tb->src) ||
		    !addr_equal(&ta->dst, &tb->dst))
			return false;
	}
	return true;
}

static int send_policy(struct mirror *m, uint8_t cmd, const struct policy *p)
{
	return nl_send(m->nl, cmd, 0, &policy_fields, p, NULL, NULL);
}

/*
 * Put a policy into Postern.
 *
 * Return: 0; 1 when it was there already; -EEXIST when that of another owner
 * is in its place, or another negative errno.
 */
static int place(struct mirror *m, const struct policy *want)
{
	struct policy cur;
	int err;

	err = get_policy(m, want, &cur);
	if (err == -ESRCH)
		return send_policy(m, POSTERN_CMD_POLICY_NEW, want);
	if (err)
		return err;
	if (cur.owner != m->if_id)
		return -EEXIST;
	if (same_policy(&cur, want))
		return 1;
	return send_policy(m, POSTERN_CMD_POLICY_UPDATE, want);
}

static void remove_policy(struct mirror *m, const struct policy *p,
			  const char *why)
{
	struct policy name, cur;
	char buf[LOG_TEXT];
	int err;

	err = get_policy(m, p, &cur);
	mirror_failed(m, err);
	if (err || cur.owner != m->if_id)
		return;
	name_policy(&name, p);
	err = send_policy(m, POSTERN_CMD_POLICY_DEL, &name);
	mirror_failed(m, err);
	if (!err)
		log_event("policy deleted: %s priority %u: %s",
			  text_of(p, buf), p->priority, why);
	else if (err != -ENOENT)
		log_event("policy not deleted: %s priority %u: %s",
			  text_of(p, buf), p->priority,
			  m->nl->text[0] ? m->nl->text : strerror(-err));
}

static const char *action_name(uint8_t action)
{
	switch (action) {
	case POSTERN_ACTION_PROTECT:
		return "protect";
	case POSTERN_ACTION_BYPASS:
		return "bypass";
	}
	return "discard";
}

/* What should be protected and cannot be must not pass unprotected. */
static int discard_instead(struct mirror *m, const struct policy *want)
{
	struct policy p = *want;

	p.action = POSTERN_ACTION_DISCARD;
	p.has &= ~(HAS(POSTERN_A_POLICY_TMPL) | HAS(POSTERN_A_POLICY_FLAGS));
	p.flags = 0;
	p.tmpls.count = 0;
	return place(m, &p);
}

/* A policy of before that lets pass what the new one would not. */
static void close_place(struct mirror *m, struct shadow_policy *s)
{
	const struct policy *p = &s->xfrm.policy;
	struct policy want = *p;
	char buf[LOG_TEXT];
	int err;

	want.has |= HAS(POSTERN_A_POLICY_OWNER);
	want.owner = m->if_id;
	err = discard_instead(m, &want);
	mirror_failed(m, err);
	s->open = err < 0;
	if (err < 0)
		log_event("policy still lets pass: %s: %s", text_of(p, buf),
			  m->nl->text[0] ? m->nl->text : strerror(-err));
	else
		log_event("policy made discard instead: %s", text_of(p, buf));
}

/* Return: whether one is in Postern now, be it that which discards instead. */
static bool place_shadow(struct mirror *m, struct shadow_policy *s)
{
	struct policy want = s->xfrm.policy;
	struct shadow_policy *other;
	char buf[LOG_TEXT];
	int err;

	other = find_place(m, &want);
	if (want.action == POSTERN_ACTION_BYPASS && other &&
	    other->xfrm.policy.action != POSTERN_ACTION_BYPASS) {
		refuse(m, s, "a restriction is in its place");
		return false;
	}
	want.has |= HAS(POSTERN_A_POLICY_OWNER);
	want.owner = m->if_id;
	err = place(m, &want);
	if (err == -EEXIST) {
		refuse(m, s, "a policy that is not the bridge's is in its place");
		return false;
	}
	if (err < 0) {
		mirror_failed(m, err);
		refuse(m, s, m->nl->text[0] ? m->nl->text : strerror(-err));
		if (want.action != POSTERN_ACTION_PROTECT)
			return false;
		err = discard_instead(m, &want);
		mirror_failed(m, err);
		if (!err)
			log_event("policy made discard instead: %s",
				  text_of(&want, buf));
		return err >= 0;
	}
	if (s->refused[0]) {
		m->refused--;
		s->refused[0] = '\0';
	}
	if (!s->mirrored)
		m->policies++;
	s->mirrored = true;
	if (!err)
		m->host_changed = true;
	if (err)
		log_detail("policy unchanged: %s", text_of(&want, buf));
	else
		log_event("policy set: %s %s priority %u%s%s",
			  text_of(&want, buf), action_name(want.action),
			  want.priority,
			  s->xfrm.ignored[0] ? ", ignoring " : "",
			  s->xfrm.ignored);
	return true;
}

/* A place is not needed any more, unless for another. */
static void vacate(struct mirror *m, const struct policy *p, const char *why)
{
	struct shadow_policy *other = find_place(m, p);

	if (other)
		place_shadow(m, other);
	else
		remove_policy(m, p, why);
}

static void forget(struct mirror *m, struct shadow_policy **link,
		   const char *why)
{
	struct shadow_policy *s = *link;

	*link = s->next;
	if (s->refused[0])
		m->refused--;
	if (s->mirrored)
		m->policies--;
	m->host_changed = true;
	vacate(m, &s->xfrm.policy, why);
	free(s);
}

static struct shadow_policy *find_or_make(struct mirror *m,
					  const struct xfrm_policy *x)
{
	struct shadow_policy **link = find(m, x);

	if (*link)
		return *link;
	*link = calloc(1, sizeof(**link));
	if (!*link) {
		log_event("out of memory");
		mirror_failed(m, -ENOMEM);
		return NULL;
	}
	(*link)->xfrm = *x;
	return *link;
}

void mirror_see_policy(struct mirror *m, const struct xfrm_policy *x)
{
	struct shadow_policy *s;

	if (!x->is_main || x->if_id != m->if_id)
		return;
	s = find_or_make(m, x);
	if (s)
		s->seen = true;
}

static void take(struct mirror *m, struct shadow_policy *s,
		 const struct xfrm_policy *x)
{
	struct policy old = s->xfrm.policy;
	bool open = s->open ||
		    (s->mirrored && old.action == POSTERN_ACTION_BYPASS);

	s->xfrm = *x;
	s->open = false;
	if (is_left_out(x)) {
		refuse(m, s, x->ignored);
		if (s->mirrored)
			m->policies--;
		s->mirrored = false;
		vacate(m, &old, "what is allowed instead is left out");
		return;
	}
	/* Without a successor the old one stays, and stays known, unless it lets pass. */
	if (!place_shadow(m, s)) {
		s->xfrm.policy.priority = old.priority;
		if (open && x->policy.action != POSTERN_ACTION_BYPASS)
			close_place(m, s);
	} else if (old.priority != x->policy.priority) {
		vacate(m, &old, "it has another priority now");
	}
}

void mirror_take_policy(struct mirror *m, const struct xfrm_policy *x)
{
	struct shadow_policy *s;

	if (!x->is_main || x->if_id != m->if_id)
		return;
	s = find_or_make(m, x);
	if (!s)
		return;
	s->seen = true;
	s->order = ++m->taken;
	take(m, s, x);
}

static void take_again(struct mirror *m, struct shadow_policy *s)
{
	struct xfrm_policy x = s->xfrm;

	/* In Postern may be one of before. */
	x.policy.priority = x.info.priority;
	take(m, s, &x);
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_precedence(const void *a, const void *b)
{
	const struct shadow_policy *sa = *(void *const *)a;
	const struct shadow_policy *sb = *(void *const *)b;
	int ret = compare(sa->xfrm.info.priority, sb->xfrm.info.priority);

	return ret ? ret : compare(sa->order, sb->order);
}

/*
 * Policies come in this order and go in the other one: meanwhile none decides on packets
 * of one that precedes it.
 *
 * Return: how many, to be freed, or -ENOMEM.
 */
static int in_order(struct mirror *m, struct shadow_policy ***list)
{
	struct shadow_policy *s;
	unsigned int i;
	int n = 0;

	for (i = 0; i < MIRROR_BUCKETS; i++)
		for (s = m->policy[i]; s; s = s->next)
			n++;
	*list = malloc((n + 1) * sizeof(s));
	if (!*list)
		return -ENOMEM;
	n = 0;
	for (i = 0; i < MIRROR_BUCKETS; i++)
		for (s = m->policy[i]; s; s = s->next)
			(*list)[n++] = s;
	qsort(*list, n, sizeof(s), by_precedence);
	return n;
}

void mirror_take_policies_again(struct mirror *m)
{
	struct shadow_policy **list;
	int i, n = in_order(m, &list);

	mirror_failed(m, n);
	for (i = 0; i < n; i++)
		take_again(m, list[i]);
	free(list);
}

void mirror_drop_policy(struct mirror *m, const struct xfrm_policy *x)
{
	struct shadow_policy **link;

	if (!x->is_main || x->if_id != m->if_id)
		return;
	link = find(m, x);
	if (*link)
		forget(m, link, "the daemon deleted it");
}

void mirror_unsee_policies(struct mirror *m)
{
	struct shadow_policy *s;
	unsigned int i;

	for (i = 0; i < MIRROR_BUCKETS; i++)
		for (s = m->policy[i]; s; s = s->next)
			s->seen = false;
}

static bool is_bypass(const struct mirror *m, const struct policy *p)
{
	unsigned int i;

	for (i = 0; i < m->bypasses; i++)
		if (p->dir == m->bypass[i].dir &&
		    p->priority == m->bypass[i].priority &&
		    mirror_same_selector(&p->selector,
					 &m->bypass[i].selector))
			return true;
	return false;
}

static bool is_wanted(struct mirror *m, const struct policy *p)
{
	return find_place(m, p) || is_bypass(m, p);
}

struct strangers {
	struct mirror *m;
	unsigned int count;
	struct policy *policy;
};

/* Policies of ours in Postern that XFRM does not have. */
static int collect(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct strangers *list = data;
	struct policy p, *more;
	int err;

	(void)cmd;
	err = fields_parse(&policy_fields, &p, attrs, len);
	if (err)
		return err;
	if (p.owner != list->m->if_id || is_wanted(list->m, &p))
		return 0;
	more = realloc(list->policy, (list->count + 1) * sizeof(p));
	if (!more)
		return -ENOMEM;
	list->policy = more;
	more[list->count++] = p;
	return 0;
}

static int last_first(const void *a, const void *b)
{
	const struct policy *pa = a, *pb = b;

	return compare(pb->priority, pa->priority);
}

static int sweep_shadows(struct mirror *m, int strictness)
{
	struct shadow_policy **list;
	int i, n = in_order(m, &list);

	for (i = n - 1; i >= 0; i--)
		if (!list[i]->seen &&
		    policy_strictness(&list[i]->xfrm.policy) == strictness)
			forget(m, find(m, &list[i]->xfrm),
			       "the daemon no longer has it");
	free(list);
	return n < 0 ? n : 0;
}

static int sweep(struct mirror *m, const struct strangers *list, int strictness)
{
	int err = sweep_shadows(m, strictness);
	unsigned int i;

	for (i = 0; !err && i < list->count; i++)
		if (policy_strictness(&list->policy[i]) == strictness)
			remove_policy(m, &list->policy[i],
				      "the daemon no longer has it");
	return err;
}

int mirror_sweep_policies(struct mirror *m)
{
	int err, strictness, tries = MIRROR_DUMP_TRIES;
	struct strangers list = { .m = m };
	struct policy all;

	memset(&all, 0, sizeof(all));
	all.has = HAS(POSTERN_A_POLICY_OWNER);
	all.owner = m->if_id;
	do {
		list.count = 0;
		err = nl_send(m->nl, POSTERN_CMD_POLICY_GET, NLM_F_DUMP,
			      &policy_fields, &all, collect, &list);
	} while (err == -EINTR && --tries);
	if (list.count)
		qsort(list.policy, list.count, sizeof(*list.policy), last_first);
	for (strictness = 0; !err && strictness <= POLICY_STRICTEST; strictness++)
		err = sweep(m, &list, strictness);
	free(list.policy);
	return err;
}

/* Somebody else lets IKE pass there: that serves as well. */
static bool passes_anyway(struct mirror *m, const struct policy *p)
{
	struct policy cur;

	return !get_policy(m, p, &cur) && cur.action == POSTERN_ACTION_BYPASS;
}

/* What stood in a place is not there any more. */
void mirror_place_changed(struct mirror *m, const struct policy *p)
{
	struct shadow_policy *s;

	if (is_bypass(m, p))
		m->host_changed = true;
	/* What is ours was taken away by us, or by who wants it so. */
	if (p->owner == m->if_id)
		return;
	for (s = *bucket(m, p->dir, &p->selector); s; s = s->next)
		if (is_about(s, p) && s->xfrm.info.priority == p->priority)
			take_again(m, s);
}

/* @old: those for the addresses that the host had before. */
void mirror_place_bypass(struct mirror *m, const struct policy *old,
			 unsigned int olds)
{
	char buf[LOG_TEXT];
	unsigned int i;
	int err;

	for (i = 0; i < m->bypasses; i++) {
		err = place(m, &m->bypass[i]);
		mirror_failed(m, err);
		if (err == -EEXIST && passes_anyway(m, &m->bypass[i]))
			continue;
		if (err < 0)
			log_event("IKE may not pass: %s: %s",
				  text_of(&m->bypass[i], buf),
				  m->nl->text[0] ? m->nl->text :
						   strerror(-err));
		else if (!err)
			log_event("policy set: %s bypass priority %u",
				  text_of(&m->bypass[i], buf),
				  m->bypass[i].priority);
	}
	for (i = 0; i < olds; i++)
		if (!is_wanted(m, &old[i]))
			remove_policy(m, &old[i], "the host lost the address");
}

void mirror_policies_do(const struct mirror *m,
			void (*cb)(const struct policy *p, void *arg),
			void *arg)
{
	const struct shadow_policy *s;
	unsigned int i;

	for (i = 0; i < MIRROR_BUCKETS; i++)
		for (s = m->policy[i]; s; s = s->next)
			if (s->mirrored)
				cb(&s->xfrm.policy, arg);
}

void mirror_acquire(struct mirror *m, const struct policy *acquire)
{
	struct shadow_policy *s = find_place(m, acquire);
	time_t now = time(NULL);
	char buf[LOG_TEXT];
	int err;

	/* The daemon is busy with the first one for longer than that. */
	if (!s || !s->xfrm.tmpls || s->acquired == now)
		return;
	s->acquired = now;
	/* It would only make more SAs of the kind that is of no use. */
	if (mirror_refuses_reqid(m, s->xfrm.tmpl[0].reqid)) {
		log_detail("acquire not passed on, its SAs are not mirrored: %s",
			   text_of(acquire, buf));
		return;
	}
	err = xfrm_acquire(m->xfrm, &s->xfrm, &acquire->packet);
	log_event("acquire passed on: %s%s%s", text_of(acquire, buf),
		  err ? ": " : "", err ? strerror(-err) : "");
}

void mirror_free(struct mirror *m)
{
	struct shadow_policy *p;
	struct shadow_sa *s;
	unsigned int i;

	for (i = 0; i < MIRROR_BUCKETS; i++) {
		while ((p = m->policy[i])) {
			m->policy[i] = p->next;
			free(p);
		}
		while ((s = m->sa[i])) {
			m->sa[i] = s->next;
			explicit_bzero(s, sizeof(*s));
			free(s);
		}
	}
	free(m->bypass);
	while ((s = m->graveyard)) {
		m->graveyard = s->next;
		explicit_bzero(s, sizeof(*s));
		free(s);
	}
}
