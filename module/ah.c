// SPDX-License-Identifier: GPL-2.0
/*
 * AH (RFC 4302): one packet, built or checked.
 *
 *  | headers in front, mutable fields as zero | AH, ICV as zero | payload | ESN, high half |
 *  |<-- covered by the ICV ---------------------------------------------------------------->|
 *
 * The packet is copied first, and the copy is what is checked and goes on, so that
 * nobody can change it in between.  Context: RCU read side, bottom halves off.
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <net/ah.h>
#include "compat.h"
#include "headers.h"
#include "xform.h"

#define AH_FIXED	12
#define AH_ICV_MAX	64
#define ESN_HIGH	4

/*
 * The crypto API's GMAC covers additional data and plaintext alike, of which it wants so
 * much to be the former.
 */
#define GMAC_AAD	16
#define GMAC_ICV	16

/*
 * Length of the header: RFC 4302 section 2.6 wants multiples of 8 octets for IPv6 and
 * of 4 for IPv4.  XFRM takes 8 for IPv4 too unless told otherwise, and nothing else
 * on receipt, so we must be told as well.
 */
static unsigned int ah_header(const struct postern_sa *sa)
{
	return ALIGN(AH_FIXED + sa->transform.icv_len,
		     sa->flags & POSTERN_SA_FLAG_ALIGN4 ? 4 : 8);
}

static unsigned int ah_room(const struct postern_sa *sa, unsigned int payload)
{
	return ah_header(sa);
}

static unsigned int ah_fit(const struct postern_sa *sa, unsigned int len)
{
	unsigned int header = ah_header(sa);

	return len > header ? len - header : 0;
}

/*
 * GMAC (RFC 4543 section 4): the ICV field holds the IV, then the ICV, and all of it is
 * zero in what is covered.  @job->out is linear; only its ICV is written.
 */
static int ah_gmac(struct postern_job *job, bool output)
{
	const struct postern_transform *t = &job->sa->transform;
	u8 *ah = job->out->data + job->ip_len, *front = postern_job_front(job);
	unsigned int fields = AH_FIXED + t->icv_len;
	unsigned int rest = job->out->len - job->ip_len - fields;
	unsigned int len = job->out->len + (t->esn ? ESN_HIGH : 0);
	u8 *icv = ah + fields - GMAC_ICV;
	struct scatterlist *sg = job->src;

	memcpy(front, job->out->data, job->ip_len);
	if (unlikely(postern_front_mask(front, job->ip_len)))
		return -EPROTO;
	if (output)
		put_unaligned_be64(job->seq, ah + AH_FIXED);
	memcpy(job->iv, ah + AH_FIXED, t->icv_len - GMAC_ICV);
	memset(job->aad_out, 0, t->icv_len);
	put_unaligned_be32(job->seq >> 32, job->trailer);

	/* both lists are one, and the shortest have room for that */
	job->dst = job->src;
	sg_init_table(sg, job->nsrc + job->ndst);
	sg_set_buf(sg++, front, job->ip_len);
	sg_set_buf(sg++, ah, AH_FIXED);
	sg_set_buf(sg++, job->aad_out, t->icv_len);
	if (rest)
		sg_set_buf(sg++, ah + fields, rest);
	if (t->esn)
		sg_set_buf(sg++, job->trailer, ESN_HIGH);
	sg_set_buf(sg, icv, GMAC_ICV);
	sg_mark_end(sg);
	return postern_crypt(job, output, GMAC_AAD,
			     len - GMAC_AAD + (output ? 0 : GMAC_ICV));
}

/*
 * ICV of a linear packet whose own ICV field is zero; -EPROTO when the headers in front
 * are not such that both ends can know them.
 */
static int ah_digest(struct postern_job *job, u8 *icv)
{
	struct crypto_shash *shash = job->sa->transform.shash;
	SHASH_DESC_ON_STACK(desc, shash);
	u8 ip[POSTERN_FRONT_MAX] __aligned(8);
	const struct sk_buff *skb = job->out;
	__be32 high = htonl(job->seq >> 32);
	int err;

	desc->tfm = shash;
	memcpy(ip, skb->data, job->ip_len);
	if (unlikely(postern_front_mask(ip, job->ip_len)))
		return -EPROTO;
	err = crypto_shash_init(desc) ?:
	      crypto_shash_update(desc, ip, job->ip_len) ?:
	      crypto_shash_update(desc, skb->data + job->ip_len,
				  skb->len - job->ip_len) ?:
	      crypto_shash_finup(desc, (u8 *)&high,
				 job->sa->transform.esn ? sizeof(high) : 0, icv);
	shash_desc_zero(desc);
	return err;
}

static int ah_output(struct postern_job *job)
{
	struct postern_sa *sa = job->sa;
	struct ip_auth_hdr *ah = (void *)job->out->data + job->ip_len;
	unsigned int header = ah_header(sa);
	u8 icv[AH_ICV_MAX];
	int err;

	memset(ah, 0, header);
	ah->nexthdr = job->next;
	ah->hdrlen = header / 4 - 2;
	ah->spi = sa->key.spi;
	ah->seq_no = htonl(job->seq);
	err = skb_copy_bits(job->in, job->offset,
			    job->out->data + job->ip_len + header,
			    job->in->len - job->offset);
	if (err)
		return err;
	if (unlikely(sa->transform.aead))
		return ah_gmac(job, true);
	err = ah_digest(job, icv);
	if (!err)
		memcpy((u8 *)ah + AH_FIXED, icv, sa->transform.icv_len);
	return err;
}

static int ah_input(struct postern_job *job)
{
	unsigned int icv_len = job->sa->transform.icv_len;
	u8 got[AH_ICV_MAX], want[AH_ICV_MAX];
	struct ip_auth_hdr *ah;
	unsigned int header;
	int err;

	err = skb_copy_bits(job->in, 0, job->out->data, job->in->len);
	if (err)
		return err;
	ah = (void *)job->out->data + job->ip_len;
	header = (ah->hdrlen + 2) * 4;
	/* section 2.2: padding of the ICV up to the alignment, and no more */
	if (header < AH_FIXED + icv_len ||
	    header > ALIGN(AH_FIXED + icv_len, 8) ||
	    job->ip_len + header > job->out->len)
		return -EMSGSIZE;
	if (unlikely(job->sa->transform.aead))
		return ah_gmac(job, false);
	memcpy(got, (u8 *)ah + AH_FIXED, icv_len);
	memset((u8 *)ah + AH_FIXED, 0, icv_len);
	err = ah_digest(job, want);
	if (err)
		return err;
	return crypto_memneq(got, want, icv_len) ? -EBADMSG : 0;
}

/* The IP header moves up to the payload. */
static enum postern_drop_reason ah_strip(struct postern_job *job)
{
	struct ip_auth_hdr *ah = (void *)job->out->data + job->ip_len;
	unsigned int header = (ah->hdrlen + 2) * 4;

	job->next = ah->nexthdr;
	memmove(job->out->data + header, job->out->data, job->ip_len);
	skb_pull(job->out, header);
	return 0;
}

const struct postern_xform postern_ah = {
	.room = ah_room,
	.fit = ah_fit,
	.output = ah_output,
	.input = ah_input,
	.strip = ah_strip,
};
