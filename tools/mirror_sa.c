// SPDX-License-Identifier: GPL-2.0
/* The SAs of the mirror. */
#include "log.h"
#include "mirror.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool same_id(const struct xfrm_sa_id *a, const struct xfrm_sa_id *b)
{
	return a->info.id.spi == b->info.id.spi &&
	       a->info.id.proto == b->info.id.proto &&
	       a->info.family == b->info.family &&
	       !memcmp(&a->info.id.daddr, &b->info.id.daddr,
		       addr_len(a->info.family));
}

static struct shadow_sa **bucket(struct mirror *m, const struct xfrm_sa_id *id)
{
	uint32_t hash = mirror_hash(&id->info.id.daddr,
				    addr_len(id->info.family), 0);

	hash = mirror_hash(&id->info.id.spi, sizeof(id->info.id.spi), hash);
	return &m->sa[hash % MIRROR_BUCKETS];
}

/* The link that points to the SA, or to nothing where it should be put. */
static struct shadow_sa **find(struct mirror *m, const struct xfrm_sa_id *id)
{
	struct shadow_sa **link = bucket(m, id);

	while (*link && !same_id(&(*link)->id, id))
		link = &(*link)->next;
	return link;
}

static void name_sa(struct xfrm_sa_id *id, const struct sa *sa)
{
	memset(id, 0, sizeof(*id));
	id->info.family = sa->dst.len == 4 ? AF_INET : AF_INET6;
	id->info.id.spi = sa->spi;
	id->info.id.proto = sa->proto;
	memcpy(&id->info.id.daddr, sa->dst.b, sa->dst.len);
}

/* What names an SA in a request to Postern. */
static void name_shadow(struct sa *sa, const struct shadow_sa *s)
{
	const struct xfrm_usersa_info *info = &s->id.info;

	memset(sa, 0, sizeof(*sa));
	sa->has = HAS(POSTERN_A_SA_DST) | HAS(POSTERN_A_SA_PROTO) |
		  HAS(POSTERN_A_SA_SPI);
	sa->dst.len = addr_len(info->family);
	memcpy(sa->dst.b, &info->id.daddr, sa->dst.len);
	sa->src.len = sa->dst.len;
	memcpy(sa->src.b, &info->saddr, sa->src.len);
	sa->proto = info->id.proto;
	sa->spi = info->id.spi;
	/* others may send to a group by the same SPI */
	if (addr_multicast(&sa->dst))
		sa->has |= HAS(POSTERN_A_SA_SRC);
}

static const char *text_of(const struct shadow_sa *s, char *buf)
{
	struct sa sa;

	name_shadow(&sa, s);
	return log_sa(&sa, buf);
}

static void free_sa(struct shadow_sa *s)
{
	explicit_bzero(s, sizeof(*s));
	free(s);
}

static void refuse(struct mirror *m, struct shadow_sa *s, const char *why)
{
	char buf[LOG_TEXT];

	if (!s->refused[0])
		m->refused++;
	else if (!strcmp(s->refused, why))
		return;
	snprintf(s->refused, sizeof(s->refused), "%s", why);
	log_event("SA not mirrored: %s: %s", text_of(s, buf), why);
}

static void accept_sa(struct mirror *m, struct shadow_sa *s)
{
	if (s->refused[0])
		m->refused--;
	s->refused[0] = '\0';
	if (!s->mirrored)
		m->sas++;
	s->mirrored = true;
}

static void set_unmirrored(struct mirror *m, struct shadow_sa *s)
{
	if (s->mirrored)
		m->sas--;
	s->mirrored = false;
}

/* Postern says what is wrong, and of what: often of an algorithm. */
static void refuse_errno(struct mirror *m, struct shadow_sa *s, int err)
{
	const struct algo *algo[] = { &s->aead, &s->crypt, &s->auth };
	char why[sizeof(s->refused)];
	size_t i;
	int n;

	mirror_failed(m, err);
	n = snprintf(why, sizeof(why), "%s (it has",
		     m->nl->text[0] ? m->nl->text : strerror(-err));
	for (i = 0; i < 3 && n < (int)sizeof(why); i++)
		if (algo[i]->name[0])
			n += snprintf(why + n, sizeof(why) - n, " %s",
				      algo[i]->name);
	if (n < (int)sizeof(why))
		snprintf(why + n, sizeof(why) - n, ")");
	refuse(m, s, why);
}

static int copy_sa(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	(void)cmd;
	return fields_parse(&sa_fields, data, attrs, len);
}

/* Return: 0, -ESRCH when Postern has none, or another negative errno. */
static int get_sa(struct mirror *m, const struct shadow_sa *s, bool keys,
		  struct sa *out)
{
	struct sa name;
	int err;

	name_shadow(&name, s);
	if (keys)
		name.has |= HAS(POSTERN_A_SA_WITH_KEYS);
	out->has = 0;
	err = nl_send(m->nl, POSTERN_CMD_SA_GET, 0, &sa_fields, &name, copy_sa,
		      out);
	return err == -ENOENT || (!err && !out->has) ? -ESRCH : err;
}

static int delete_sa(struct mirror *m, const struct shadow_sa *s)
{
	struct sa name;

	name_shadow(&name, s);
	return nl_send(m->nl, POSTERN_CMD_SA_DEL, 0, &sa_fields, &name, NULL,
		       NULL);
}

static bool same_algo(const struct algo *a, const struct algo *b)
{
	return !strcmp(a->name, b->name) && a->icv_bits == b->icv_bits &&
	       a->key.len == b->key.len &&
	       !memcmp(a->key.b, b->key.b, a->key.len);
}

static bool same_keys(const struct shadow_sa *a, const struct shadow_sa *b)
{
	return a->id.info.id.spi == b->id.info.id.spi &&
	       a->id.info.id.proto == b->id.info.id.proto &&
	       same_algo(&a->aead, &b->aead) && same_algo(&a->auth, &b->auth) &&
	       same_algo(&a->crypt, &b->crypt);
}

/* An ICV may be named by default: then the other side does not count. */
static bool same_cipher(const struct algo *cur, const struct algo *want)
{
	struct algo a = *cur;
	bool same;

	if (!(want->has & HAS(POSTERN_A_ALGO_ICV_BITS)))
		a.icv_bits = want->icv_bits;
	same = same_algo(&a, want);
	explicit_bzero(&a, sizeof(a));
	return same;
}

static bool same_encap(const struct sa *a, const struct sa *b)
{
	return a->encap.sport == b->encap.sport &&
	       a->encap.dport == b->encap.dport &&
	       a->nat_keepalive_interval == b->nat_keepalive_interval;
}

/* What only a new SA can change; encapsulation can change, but not end. */
static bool same_making(const struct sa *cur, const struct sa *want)
{
	return addr_equal(&cur->src, &want->src) && cur->mode == want->mode &&
	       cur->reqid == want->reqid && cur->flags == want->flags &&
	       cur->replay_window == want->replay_window &&
	       cur->dir == want->dir &&
	       cur->output_mark == want->output_mark &&
	       cur->output_mark_mask == want->output_mark_mask &&
	       cur->tfcpad == want->tfcpad &&
	       (want->encap.has || !cur->encap.has) &&
	       addr_equal(&cur->encap.original, &want->encap.original) &&
	       same_cipher(&cur->aead, &want->aead) &&
	       same_cipher(&cur->auth, &want->auth) &&
	       same_cipher(&cur->crypt, &want->crypt) &&
	       same_cipher(&cur->comp, &want->comp);
}

static bool same_limit(uint64_t a, uint64_t b)
{
	return a == b || (!a && b == POSTERN_UNLIMITED) ||
	       (!b && a == POSTERN_UNLIMITED);
}

static bool same_lifetime(const struct lifetime *a, const struct lifetime *b)
{
	return same_limit(a->byte_soft, b->byte_soft) &&
	       same_limit(a->byte_hard, b->byte_hard) &&
	       same_limit(a->packet_soft, b->packet_soft) &&
	       same_limit(a->packet_hard, b->packet_hard) &&
	       same_limit(a->add_soft, b->add_soft) &&
	       same_limit(a->add_hard, b->add_hard) &&
	       same_limit(a->use_soft, b->use_soft) &&
	       same_limit(a->use_hard, b->use_hard);
}

static bool same_selector(const struct sa *a, const struct sa *b)
{
	bool any_a = !(a->has & HAS(POSTERN_A_SA_SELECTOR));
	bool any_b = !(b->has & HAS(POSTERN_A_SA_SELECTOR));

	if (any_a || any_b)
		return any_a == any_b;
	return mirror_same_selector(&a->selector, &b->selector);
}

/* The higher numbers of two observers of one SA are the newer ones. */
static void join_replay(struct replay *to, const struct replay *from)
{
	uint32_t i, n;

	if (from->oseq > to->oseq)
		to->oseq = from->oseq;
	if (from->seq > to->seq) {
		to->seq = from->seq;
		to->bitmap = from->bitmap;
	} else if (from->seq == to->seq) {
		n = from->bitmap.len < to->bitmap.len ? from->bitmap.len :
							to->bitmap.len;
		for (i = 0; i < n / 4; i++)
			to->bitmap.word[i] |= from->bitmap.word[i];
	}
}

static void join_usage(struct usage *to, const struct usage *from)
{
	if (from->bytes > to->bytes)
		to->bytes = from->bytes;
	if (from->packets > to->packets)
		to->packets = from->packets;
	if (from->use_time && (!to->use_time || from->use_time < to->use_time))
		to->use_time = from->use_time;
}

/* A bitmap as long as the window of the SA that it is for. */
static void fit_bitmap(struct sa *sa)
{
	uint32_t len = (sa->replay_window + 31) / 32 * 4;
	struct replay *replay = &sa->replay;

	if (replay->bitmap.len > len)
		memset((char *)replay->bitmap.word + len, 0,
		       replay->bitmap.len - len);
	replay->bitmap.len = len;
	if (!len)
		replay->has &= ~HAS(POSTERN_A_REPLAY_BITMAP);
}

static void write_as_they_are(struct mirror *m, struct shadow_sa *s,
			      const struct usage *usage,
			      const struct replay *replay)
{
	char buf[LOG_TEXT];
	int err;

	err = xfrm_set_numbers(m->xfrm, &s->id, usage, replay);
	/* An SA that was deleted a moment ago is told by an event. */
	if (err && err != -ESRCH && err != -EINVAL)
		log_event("counters not written: %s: %s", text_of(s, buf),
			  strerror(-err));
	s->usage = *usage;
	s->replay = *replay;
}

/*
 * Write numbers into XFRM. The sequence number is never 0 there once the SA
 * is in Postern: a dump that meets it later without finding the SA in Postern
 * then knows that numbers were used which nobody remembers. Of an inbound SA
 * it is that of the window, whose bitmap has nothing: a kernel takes none of
 * the other kind when the daemon adds the SA again with what it read.
 */
static void write_numbers(struct mirror *m, struct shadow_sa *s,
			  const struct usage *usage,
			  const struct replay *replay)
{
	struct replay marked = *replay;
	uint64_t *mark = s->dir == POSTERN_DIR_IN ? &marked.seq : &marked.oseq;

	if (!*mark)
		*mark = 1;
	write_as_they_are(m, s, usage, &marked);
	s->replay = *replay;
}

static bool was_used(const struct shadow_sa *s)
{
	return s->replay.oseq || s->replay.seq;
}

/* Numbers of an SA with these keys that was deleted: this one is its heir. */
static bool inherit(struct mirror *m, const struct shadow_sa *s, struct sa *sa)
{
	const struct shadow_sa *dead;
	bool found = false;

	for (dead = m->graveyard; dead; dead = dead->next) {
		if (!same_keys(dead, s))
			continue;
		join_replay(&sa->replay, &dead->replay);
		join_usage(&sa->usage, &dead->usage);
		found = true;
	}
	return found;
}

static void create(struct mirror *m, struct shadow_sa *s, struct sa *sa,
		   bool heir)
{
	struct replay replay = s->replay;
	struct usage usage = s->usage;
	char buf[LOG_TEXT];
	int err;

	if (inherit(m, s, sa))
		heir = true;
	/* After a hard expiry the daemon is without policies for a while. */
	if (m->dumping && !heir && was_used(s)) {
		refuse(m, s, "its sequence numbers are not known any more; the daemon is asked for another");
		xfrm_expire(m->xfrm, &s->id, false);
		return;
	}
	write_numbers(m, s, &sa->usage, &sa->replay);
	fit_bitmap(sa);
	err = nl_send(m->nl, POSTERN_CMD_SA_NEW, 0, &sa_fields, sa, NULL,
		      NULL);
	if (err) {
		refuse_errno(m, s, err);
		/* It never sent; a mark would say at the next dump that it did. */
		if (!heir)
			write_as_they_are(m, s, &usage, &replay);
		return;
	}
	accept_sa(m, s);
	s->told_soft = false;
	s->told_hard = false;
	log_event("SA added: %s reqid %u%s", log_sa(sa, buf), sa->reqid,
		  heir ? ", numbers continued" : "");
}

static void update(struct mirror *m, struct shadow_sa *s, const struct sa *want)
{
	struct sa sa = *want;
	char buf[LOG_TEXT];
	int err;

	/* Numbers are Postern's, and keys are as they were. */
	sa.has &= ~(HAS(POSTERN_A_SA_AEAD) | HAS(POSTERN_A_SA_AUTH) |
		    HAS(POSTERN_A_SA_CRYPT) | HAS(POSTERN_A_SA_REPLAY) |
		    HAS(POSTERN_A_SA_USAGE));
	err = nl_send(m->nl, POSTERN_CMD_SA_UPDATE, 0, &sa_fields, &sa, NULL,
		      NULL);
	sa_wipe(&sa);
	if (err)
		refuse_errno(m, s, err);
	else
		log_event("SA updated: %s", log_sa(want, buf));
}

static void place(struct mirror *m, struct shadow_sa *s, struct sa *want)
{
	char buf[LOG_TEXT];
	struct sa cur;
	int err;

	err = get_sa(m, s, true, &cur);
	if (err == -ESRCH) {
		create(m, s, want, false);
		return;
	}
	if (err) {
		refuse_errno(m, s, err);
	} else if (cur.owner != m->if_id) {
		refuse(m, s, "an SA that is not the bridge's is in its place");
	} else if (!same_making(&cur, want) || !same_selector(&cur, want)) {
		join_replay(&want->replay, &cur.replay);
		join_usage(&want->usage, &cur.usage);
		err = delete_sa(m, s);
		set_unmirrored(m, s);
		if (err)
			refuse_errno(m, s, err);
		else
			create(m, s, want, true);
	} else {
		accept_sa(m, s);
		if (same_lifetime(&cur.lifetime, &want->lifetime) &&
		    same_encap(&cur, want))
			log_detail("SA unchanged: %s", log_sa(want, buf));
		else
			update(m, s, want);
	}
	sa_wipe(&cur);
}

/* Take the SA out of Postern and remember its last numbers for a while. */
static void bury(struct mirror *m, struct shadow_sa **link, const char *why)
{
	struct shadow_sa *s = *link;
	char buf[LOG_TEXT];
	struct sa cur;
	int err;

	*link = s->next;
	if (s->refused[0])
		m->refused--;
	err = get_sa(m, s, false, &cur);
	mirror_failed(m, err);
	if (!err && cur.owner == m->if_id) {
		if (!s->mirrored)
			m->sas++;
		s->mirrored = true;
		join_replay(&s->replay, &cur.replay);
		join_usage(&s->usage, &cur.usage);
		err = delete_sa(m, s);
		mirror_failed(m, err);
		if (!err)
			log_event("SA deleted: %s: %s", text_of(s, buf), why);
	}
	if (!s->mirrored) {
		free_sa(s);
		return;
	}
	set_unmirrored(m, s);
	s->buried = time(NULL);
	s->next = m->graveyard;
	m->graveyard = s;
	/* The farewell has numbers that came after the look above. */
	mirror_drain_events(m);
}

static struct shadow_sa *find_or_make(struct mirror *m,
				      const struct xfrm_sa_id *id)
{
	struct shadow_sa **link = find(m, id);

	if (*link)
		return *link;
	*link = calloc(1, sizeof(**link));
	if (!*link) {
		log_event("out of memory");
		mirror_failed(m, -ENOMEM);
		return NULL;
	}
	(*link)->id = *id;
	return *link;
}

/* Daemons probe with the reserved SPIs. */
static bool is_candidate(const struct xfrm_sa *x)
{
	return !x->larval && ntohl(x->id.info.id.spi) >= SPI_LOWEST;
}

void mirror_see_sa(struct mirror *m, const struct xfrm_sa *x)
{
	struct shadow_sa *s;

	if (!is_candidate(x) || x->if_id != m->if_id)
		return;
	s = find_or_make(m, &x->id);
	if (s)
		s->seen = true;
}

void mirror_take_sa(struct mirror *m, const struct xfrm_sa *x)
{
	struct shadow_sa *s, **link;
	struct sa sa;

	if (!is_candidate(x))
		return;
	if (x->if_id != m->if_id) {
		link = find(m, &x->id);
		if (*link)
			bury(m, link, "it lost the interface id");
		return;
	}
	s = find_or_make(m, &x->id);
	if (!s)
		return;
	s->seen = true;
	s->id = x->id;
	s->aead = x->sa.aead;
	s->auth = x->sa.auth;
	s->crypt = x->sa.crypt;
	s->usage = x->sa.usage;
	s->replay = x->sa.replay;
	s->reqid = x->sa.reqid;
	s->dir = x->sa.dir;
	if (x->unsupported[0]) {
		refuse(m, s, x->unsupported);
		if (s->mirrored && !delete_sa(m, s))
			set_unmirrored(m, s);
		return;
	}
	sa = x->sa;
	sa.has |= HAS(POSTERN_A_SA_OWNER);
	sa.owner = m->if_id;
	if (m->allow_weak) {
		sa.has |= HAS(POSTERN_A_SA_FLAGS);
		sa.flags |= POSTERN_SA_FLAG_ALLOW_WEAK;
	}
	place(m, s, &sa);
	sa_wipe(&sa);
}

void mirror_drop_sa(struct mirror *m, const struct xfrm_sa *x, const char *why)
{
	struct shadow_sa **link = find(m, &x->id);

	if (*link)
		bury(m, link, why);
}

void mirror_unsee_sas(struct mirror *m)
{
	struct shadow_sa *s;
	unsigned int i;

	for (i = 0; i < MIRROR_BUCKETS; i++)
		for (s = m->sa[i]; s; s = s->next)
			s->seen = false;
}

struct strangers {
	struct mirror *m;
	struct shadow_sa *first;
};

static struct shadow_sa *make_stranger(const struct sa *sa)
{
	struct shadow_sa *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	name_sa(&s->id, sa);
	memcpy(&s->id.info.saddr, sa->src.b, sa->src.len);
	s->aead = sa->aead;
	s->auth = sa->auth;
	s->crypt = sa->crypt;
	s->usage = sa->usage;
	s->replay = sa->replay;
	s->dir = sa->dir;
	s->mirrored = true;
	return s;
}

/* SAs of ours in Postern that XFRM does not have. */
static int collect(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct strangers *list = data;
	struct xfrm_sa_id id;
	struct shadow_sa *s;
	struct sa sa;
	int err;

	(void)cmd;
	err = fields_parse(&sa_fields, &sa, attrs, len);
	if (err)
		goto out;
	name_sa(&id, &sa);
	if (sa.owner != list->m->if_id || *find(list->m, &id))
		goto out;
	s = make_stranger(&sa);
	if (s) {
		s->next = list->first;
		list->first = s;
	} else {
		err = -ENOMEM;
	}
out:
	sa_wipe(&sa);
	return err;
}

static void free_chain(struct shadow_sa **first)
{
	struct shadow_sa *s;

	while ((s = *first)) {
		*first = s->next;
		free_sa(s);
	}
}

static void adopt(struct mirror *m, struct shadow_sa *s)
{
	struct shadow_sa **link = find(m, &s->id);

	s->next = NULL;
	*link = s;
	m->sas++;
	bury(m, link, "the daemon no longer has it");
}

int mirror_sweep_sas(struct mirror *m)
{
	int err, tries = MIRROR_DUMP_TRIES;
	struct strangers list = { .m = m };
	struct shadow_sa *s, **link;
	unsigned int i;
	struct sa all;

	for (i = 0; i < MIRROR_BUCKETS; i++) {
		for (link = &m->sa[i]; *link;) {
			if ((*link)->seen)
				link = &(*link)->next;
			else
				bury(m, link, "the daemon no longer has it");
		}
	}
	memset(&all, 0, sizeof(all));
	all.has = HAS(POSTERN_A_SA_OWNER) | HAS(POSTERN_A_SA_WITH_KEYS);
	all.owner = m->if_id;
	do {
		free_chain(&list.first);
		err = nl_send(m->nl, POSTERN_CMD_SA_GET, NLM_F_DUMP, &sa_fields,
			      &all, collect, &list);
	} while (err == -EINTR && --tries);
	while ((s = list.first)) {
		list.first = s->next;
		adopt(m, s);
	}
	return err;
}

void mirror_forget_sas(struct mirror *m)
{
	time_t now = time(NULL);
	struct shadow_sa *s, **link;

	for (link = &m->graveyard; *link;) {
		s = *link;
		/* A clock that was set back must not make it eternal. */
		if (now - s->buried < MIRROR_REMEMBER && now >= s->buried) {
			link = &s->next;
			continue;
		}
		*link = s->next;
		free_sa(s);
	}
}

bool mirror_refuses_reqid(const struct mirror *m, uint32_t reqid)
{
	const struct shadow_sa *s;
	unsigned int i;

	if (!m->refused)
		return false;
	for (i = 0; i < MIRROR_BUCKETS; i++)
		for (s = m->sa[i]; s; s = s->next)
			if (s->refused[0] && s->reqid == reqid)
				return true;
	return false;
}

void mirror_sa_deleted(struct mirror *m, const struct sa *sa)
{
	struct xfrm_sa_id id;
	struct shadow_sa *s;

	name_sa(&id, sa);
	for (s = m->graveyard; s; s = s->next)
		if (same_id(&s->id, &id))
			break;
	/* Or somebody else deleted it. */
	if (!s)
		s = *find(m, &id);
	if (!s)
		return;
	join_replay(&s->replay, &sa->replay);
	join_usage(&s->usage, &sa->usage);
}

static bool is_due(uint64_t since, uint64_t limit)
{
	/* The clocks of the two need not tick together. */
	return since && limit && (uint64_t)time(NULL) + 1 >= since + limit;
}

/* XFRM measures time by itself; what it cannot see is the traffic. */
static bool by_time(const struct shadow_sa *s, const struct usage *usage,
		    bool hard)
{
	const struct xfrm_lifetime_cfg *lft = &s->id.info.lft;

	return is_due(usage->add_time, hard ? lft->hard_add_expires_seconds :
					      lft->soft_add_expires_seconds) ||
	       is_due(usage->use_time, hard ? lft->hard_use_expires_seconds :
					      lft->soft_use_expires_seconds);
}

static void tell_expiry(struct mirror *m, struct shadow_sa *s,
			const struct usage *usage, bool hard)
{
	bool *told = hard ? &s->told_hard : &s->told_soft;
	char buf[LOG_TEXT];
	int err;

	if (*told)
		return;
	*told = true;
	if (by_time(s, usage, hard)) {
		log_detail("SA expired (%s, time): %s", hard ? "hard" : "soft",
			   text_of(s, buf));
		return;
	}
	err = xfrm_expire(m->xfrm, &s->id, hard);
	log_event("SA expired (%s), the daemon was told: %s%s%s",
		  hard ? "hard" : "soft", text_of(s, buf), err ? ": " : "",
		  err ? strerror(-err) : "");
}

void mirror_sa_expired(struct mirror *m, const struct sa *sa)
{
	struct xfrm_sa_id id;
	struct shadow_sa *s;

	name_sa(&id, sa);
	s = *find(m, &id);
	if (!s || !s->mirrored)
		return;
	write_numbers(m, s, &sa->usage, &sa->replay);
	tell_expiry(m, s, &sa->usage, sa->hard);
}

/*
 * Only the kernel can say XFRM_MSG_MAPPING to a daemon: it takes no such message from
 * anybody, and daemons believe nobody else.  They hear of it by IKE, too.
 */
void mirror_sa_mapping(const struct sa *sa)
{
	char buf[LOG_TEXT], addr[INET6_ADDRSTRLEN] = "";

	inet_ntop(addr_family(&sa->new_src), sa->new_src.b, addr, sizeof(addr));
	log_event("peer has moved: %s: now %s port %u", log_sa(sa, buf), addr,
		  sa->new_sport);
}

static bool same_numbers(const struct shadow_sa *s, const struct sa *sa)
{
	const struct replay *a = &s->replay, *b = &sa->replay;
	uint32_t n = a->bitmap.len < b->bitmap.len ? a->bitmap.len :
						     b->bitmap.len;

	return s->usage.bytes == sa->usage.bytes &&
	       s->usage.packets == sa->usage.packets &&
	       s->usage.use_time == sa->usage.use_time &&
	       a->oseq == b->oseq && a->seq == b->seq &&
	       !memcmp(a->bitmap.word, b->bitmap.word, n);
}

static int write_one(uint8_t cmd, const void *attrs, size_t len, void *data)
{
	struct mirror *m = data;
	struct xfrm_sa_id id;
	struct shadow_sa *s;
	struct sa sa;
	int err;

	(void)cmd;
	err = fields_parse(&sa_fields, &sa, attrs, len);
	if (err)
		return err;
	name_sa(&id, &sa);
	s = *find(m, &id);
	if (!s || !s->mirrored || sa.owner != m->if_id)
		return 0;
	s->seen = true;
	if (!same_numbers(s, &sa))
		write_numbers(m, s, &sa.usage, &sa.replay);
	/* Usually told by an event before, unless that was lost. */
	if (sa.state == POSTERN_SA_STATE_DYING)
		tell_expiry(m, s, &sa.usage, false);
	else if (sa.state == POSTERN_SA_STATE_DEAD)
		tell_expiry(m, s, &sa.usage, true);
	return 0;
}

/*
 * A hard expiry whose event got lost, or an administrator's flush: nobody but
 * the daemon can make another SA. A soft expiry leaves it its policies. What is
 * known of the numbers stays known until the daemon has deleted the SA.
 */
static void tell_lost(struct mirror *m, struct shadow_sa *s)
{
	char buf[LOG_TEXT];
	int err;

	err = xfrm_expire(m->xfrm, &s->id, false);
	/* No SA of that name is as good as told. */
	s->told_hard = !err || err == -ENOENT || err == -EINVAL;
	log_event("SA lost, the daemon was told: %s%s%s", text_of(s, buf),
		  err ? ": " : "", err ? strerror(-err) : "");
}

int mirror_write_numbers(struct mirror *m)
{
	struct shadow_sa *s;
	unsigned int i;
	struct sa all;
	int err;

	mirror_forget_sas(m);
	mirror_unsee_sas(m);
	memset(&all, 0, sizeof(all));
	all.has = HAS(POSTERN_A_SA_OWNER);
	all.owner = m->if_id;
	err = nl_send(m->nl, POSTERN_CMD_SA_GET, NLM_F_DUMP, &sa_fields, &all,
		      write_one, m);
	/* One that was interrupted may have left out what is there. */
	if (err)
		return err;
	for (i = 0; i < MIRROR_BUCKETS; i++)
		for (s = m->sa[i]; s; s = s->next)
			if (s->mirrored && !s->seen && !s->told_hard)
				tell_lost(m, s);
	return 0;
}
