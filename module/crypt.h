/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One packet on its way through a transform.
 *
 * Always out of place: the pages of job->in may belong to somebody else too and are
 * only read; what is written is fresh.
 */
#ifndef _POSTERN_CRYPT_H
#define _POSTERN_CRYPT_H

#include <crypto/aead.h>
#include <linux/scatterlist.h>
#include <linux/skbuff.h>
#include "postern.h"
#include "sa.h"

#define POSTERN_AAD_MAX		28	/* ESP header, ESN and the longest IV */
#define POSTERN_TRAILER_MAX	18	/* padding of a block, pad length, next header */

/**
 * struct postern_job - the whole state of a packet between stages
 * @in: the packet that came; its data is read only
 * @out: the packet that goes on
 * @sa: SA, referenced
 * @done: what follows when the transform is complete; 0 or a negative error
 * @seq: sequence number
 * @offset: in @in, of the payload (outbound) or the ESP or AH header (inbound)
 * @tfc: octets of padding between the payload and the trailer (RFC 4303 section 2.7)
 * @ip_len: octets of IP header in @out before what the transform writes
 * @next: protocol of what is inside
 * @ds: traffic class of the outer header (inbound)
 * @encap: it came in UDP (inbound)
 * @ifindex: device that the packet came in by
 * @policy: index of the policy (outbound)
 * @max: size of the fragments that @out may leave in, of IPv6; 0 when it may not
 * @late: the transform completed asynchronously
 * @others_count: of @others
 * @others: further SAs of a policy with several templates, referenced: those that @out
 *          goes through next, the innermost first (outbound), or that @in came
 *          through, the outermost first (inbound)
 * @size: octets of this object
 * @src: scatterlist of @nsrc entries
 * @dst: scatterlist of @ndst entries
 * @nsrc: entries
 * @ndst: entries
 * @req: request to the crypto API
 * @aad: additional authenticated data: ESP header and IV
 * @aad_out: their place in the output, which the crypto API may write to
 * @iv: as the crypto API wants it; it may be written to
 * @trailer: of ESP
 */
struct postern_job {
	struct sk_buff *in;
	struct sk_buff *out;
	struct postern_sa *sa;
	void (*done)(struct postern_job *job, int err);
	u64 seq;
	unsigned int offset;
	unsigned int tfc;
	unsigned int ip_len;
	u8 next;
	u8 ds;
	bool encap;
	bool late;
	u8 others_count;
	u16 max;
	u32 policy;
	int ifindex;
	unsigned int size;
	unsigned int nsrc;
	unsigned int ndst;
	struct scatterlist *src;
	struct scatterlist *dst;
	void *req;
	struct postern_sa *others[POSTERN_TMPL_MAX - 1];
	u8 aad[POSTERN_AAD_MAX] __aligned(8);
	u8 aad_out[POSTERN_AAD_MAX] __aligned(8);
	u8 iv[16] __aligned(8);
	u8 trailer[POSTERN_TRAILER_MAX];
};

/* A place for headers in front of AH, POSTERN_FRONT_MAX octets, of an SA with an AEAD. */
static inline u8 *postern_job_front(const struct postern_job *job)
{
	return job->req + sizeof(struct aead_request) +
	       crypto_aead_reqsize(job->sa->transform.aead);
}

int postern_crypt_init(void);
void postern_crypt_exit(void);
struct postern_job *postern_job_get(struct postern_sa *sa, struct sk_buff *in,
				    struct sk_buff *out);
bool postern_job_hold(struct postern_job *job, struct postern_sa *const *others,
		      unsigned int count);
void postern_job_put(struct postern_job *job);
struct sk_buff *postern_skb_alloc(unsigned int headroom, unsigned int len,
				  bool linear, bool inbound);
void postern_skb_move_owner(struct sk_buff *skb, struct sk_buff *out);
int postern_crypt(struct postern_job *job, bool encrypt, unsigned int assoclen,
		  unsigned int cryptlen);

#endif
