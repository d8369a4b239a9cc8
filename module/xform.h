/* SPDX-License-Identifier: GPL-2.0 */
/* The one thing that paths know of ESP, AH and IPComp. */
#ifndef _POSTERN_XFORM_H
#define _POSTERN_XFORM_H

#include <linux/in.h>
#include "crypt.h"
#include "sa.h"

/**
 * struct postern_xform - a protocol
 * @room: octets that the protocol adds to @payload octets behind the IP header
 * @fit: the most octets of payload that make no more than @len octets
 * @output: build job->out behind its IP header from job->in; returns 0, a negative
 *          error, or -EINPROGRESS when job->done will be called
 * @input: check job->in and leave what it protects in job->out behind
 *         job->ip_len octets; returns as @output, -EBADMSG for a wrong ICV, -ENODATA
 *         for what cannot be decompressed
 * @strip: what remains to be checked of job->out once @input is complete; sets
 *         job->next; returns a drop reason or 0
 */
struct postern_xform {
	unsigned int (*room)(const struct postern_sa *sa, unsigned int payload);
	unsigned int (*fit)(const struct postern_sa *sa, unsigned int len);
	int (*output)(struct postern_job *job);
	int (*input)(struct postern_job *job);
	enum postern_drop_reason (*strip)(struct postern_job *job);
};

extern const struct postern_xform postern_esp;
extern const struct postern_xform postern_ah;
extern const struct postern_xform postern_ipcomp;

static inline const struct postern_xform *postern_xform(const struct postern_sa *sa)
{
	if (likely(sa->key.proto == IPPROTO_ESP))
		return &postern_esp;
	return sa->key.proto == IPPROTO_AH ? &postern_ah : &postern_ipcomp;
}

#endif
