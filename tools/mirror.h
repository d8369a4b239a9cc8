/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A copy, inside Postern, of the SAs and policies of XFRM that carry one
 * interface id. What the mirror made is marked by the owner attribute, and
 * nothing else is ever touched.
 */
#ifndef POSTERN_TOOL_MIRROR_H
#define POSTERN_TOOL_MIRROR_H

#include "nl.h"
#include "nlsock.h"
#include "policy.h"
#include "xfrm.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define MIRROR_BUCKETS		1024
/* Seconds for which an SA that was deleted is remembered: a move is quick. */
#define MIRROR_REMEMBER		120
/* A dump of Postern that changes under way is begun again, so many times. */
#define MIRROR_DUMP_TRIES	8
/* Precedence of the policies that let IKE pass. */
#define MIRROR_BYPASS_PRIORITY	1

/* An SA of XFRM with our id, or, in the graveyard, one that was. */
struct shadow_sa {
	struct shadow_sa *next;
	struct xfrm_sa_id id;
	struct algo aead;
	struct algo auth;
	struct algo crypt;
	struct usage usage;	/* as XFRM last heard them */
	struct replay replay;
	uint32_t reqid;
	uint8_t dir;		/* 0 when the daemon did not say */
	bool seen;		/* by the dump under way */
	bool mirrored;
	bool told_soft;
	bool told_hard;
	time_t buried;
	char refused[256];	/* why it is not mirrored */
};

struct shadow_policy {
	struct shadow_policy *next;
	struct xfrm_policy xfrm;
	uint64_t order;		/* in which they were taken */
	bool seen;
	bool mirrored;
	bool open;		/* what was to be closed still lets pass */
	time_t acquired;	/* when the daemon was last asked */
	char refused[256];
};

struct mirror {
	uint32_t if_id;
	struct nl *nl;
	struct nlsock *xfrm;
	struct nlsock *rt;
	struct nl *events;	/* joined to the groups of Postern */
	bool no_bypass;
	bool no_routes;
	bool allow_weak;	/* algorithms */
	bool host_changed;	/* bypass policies and routes are to be looked at */
	bool again;		/* what the kernel refused now it may take soon */
	unsigned int sas;
	unsigned int policies;
	unsigned int refused;
	uint64_t taken;		/* policies */
	bool dumping;
	struct shadow_sa *sa[MIRROR_BUCKETS];
	struct shadow_sa *graveyard;
	struct shadow_policy *policy[MIRROR_BUCKETS];
	unsigned int bypasses;	/* policies that let IKE pass */
	struct policy *bypass;
};

/**
 * mirror_resync() - make Postern equal to XFRM by dump and difference
 *
 * Return: 0 or a negative errno of a dump; what concerns one SA or policy is
 * logged.
 */
int mirror_resync(struct mirror *m);

/**
 * mirror_xfrm_event() - follow one event of XFRM
 * @data: struct mirror
 *
 * Return: 0, or -ENOBUFS when only a resync tells what happened.
 */
int mirror_xfrm_event(const struct nlmsghdr *nlh, void *data);

/* Follow one event of Postern. @data: struct mirror. Return: 0. */
int mirror_postern_event(uint8_t cmd, const void *attrs, size_t len,
			 void *data);

/**
 * mirror_write_numbers() - bring counters and expiries back to XFRM
 *
 * Return: 0 or a negative errno of the dump.
 */
int mirror_write_numbers(struct mirror *m);

/**
 * mirror_follow_host() - bypass policies and routes for the host's addresses
 *
 * Return: 0 or a negative errno.
 */
int mirror_follow_host(struct mirror *m);

/* Follow what is queued of the events of Postern, without waiting. */
void mirror_drain_events(struct mirror *m);
bool mirror_readable(int fd);

void mirror_free(struct mirror *m);

/* Errors that may be of the moment; of a dump that was cut short the rest is in the way. */
static inline bool mirror_may_pass(int err)
{
	return err == -ENOMEM || err == -ENOBUFS || err == -EINTR ||
	       err == -EBUSY;
}

/* For the parts of the mirror. */
void mirror_failed(struct mirror *m, int err);
uint32_t mirror_hash(const void *data, size_t len, uint32_t hash);

bool mirror_same_selector(const struct selector *a, const struct selector *b);

void mirror_see_sa(struct mirror *m, const struct xfrm_sa *x);
void mirror_take_sa(struct mirror *m, const struct xfrm_sa *x);
void mirror_drop_sa(struct mirror *m, const struct xfrm_sa *x,
		    const char *why);
int mirror_sweep_sas(struct mirror *m);
void mirror_unsee_sas(struct mirror *m);
void mirror_forget_sas(struct mirror *m);
bool mirror_refuses_reqid(const struct mirror *m, uint32_t reqid);
void mirror_sa_deleted(struct mirror *m, const struct sa *sa);
void mirror_sa_expired(struct mirror *m, const struct sa *sa);
void mirror_sa_mapping(const struct sa *sa);

void mirror_see_policy(struct mirror *m, const struct xfrm_policy *x);
void mirror_take_policy(struct mirror *m, const struct xfrm_policy *x);
void mirror_drop_policy(struct mirror *m, const struct xfrm_policy *x);
int mirror_sweep_policies(struct mirror *m);
void mirror_unsee_policies(struct mirror *m);
void mirror_place_bypass(struct mirror *m, const struct policy *old,
			 unsigned int olds);
void mirror_policies_do(const struct mirror *m,
			void (*cb)(const struct policy *p, void *data),
			void *data);
void mirror_take_policies_again(struct mirror *m);
void mirror_place_changed(struct mirror *m, const struct policy *p);
void mirror_acquire(struct mirror *m, const struct policy *acquire);

#endif
