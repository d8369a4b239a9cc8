// SPDX-License-Identifier: GPL-2.0
/*
 * ESP (RFC 4303): one packet, built or checked.
 *
 *  |<-- aad ------->|<-- encrypted --------------------------->|
 *  | SPI | seq | IV | payload | padding | pad length | next hdr | ICV |
 *
 * With ESN the packet has the low half of the number, and the crypto API wants the
 * high half in front of it in the aad (RFC 4106 section 5); authencesn() moves it to
 * where RFC 4303 section 2.8 wants it, and writes to the aad and behind the ciphertext
 * of its output, which must have room for that.  An implicit IV (RFC 8750) is the
 * number, and the crypto API wants it in the aad as if it were in the packet.
 *
 * Context of all functions: RCU read side, bottom halves off.
 */
#include <linux/ip.h>
#include <linux/random.h>
#include "compat.h"
#include "xform.h"

#define ESP_HEADER	8
#define ESN_HIGH	4

static unsigned int esp_padding(const struct postern_sa *sa, unsigned int payload)
{
	return ALIGN(payload + 2, sa->transform.align) - payload - 2;
}

static unsigned int esp_room(const struct postern_sa *sa, unsigned int payload)
{
	return ESP_HEADER + sa->transform.iv_len + esp_padding(sa, payload) + 2 +
	       sa->transform.icv_len;
}

static unsigned int esp_fit(const struct postern_sa *sa, unsigned int len)
{
	unsigned int fixed = ESP_HEADER + sa->transform.iv_len +
			     sa->transform.icv_len;

	if (len < fixed + sa->transform.align)
		return 0;
	return ALIGN_DOWN(len - fixed, sa->transform.align) - 2;
}

/*
 * The IV: counter modes take the sequence number, which is never repeated with a
 * key (RFC 4106 section 3.1); CBC needs what nobody can guess (RFC 3602 section 3).
 */
static void esp_fill_iv(struct postern_job *job)
{
	const struct postern_transform *t = &job->sa->transform;

	if (t->iv_random)
		get_random_bytes(job->iv, t->iv_len);
	else
		put_unaligned_be64(job->seq, job->iv);
}

/* Is what the crypto API wants in front of the ciphertext not what packets have there? */
static bool esp_own_aad(const struct postern_transform *t)
{
	return t->esn || t->iv_implicit;
}

static unsigned int esp_aad_len(const struct postern_transform *t)
{
	return ESP_HEADER + (t->esn ? ESN_HIGH : 0) + t->iv_len + t->iv_implicit;
}

/* SPI, number and IV: as packets have them, or all that the ICV covers. */
static void esp_fill_header(const struct postern_job *job, u8 *to, bool covered)
{
	const struct postern_transform *t = &job->sa->transform;

	put_unaligned(job->sa->key.spi, (__be32 *)to);
	to += 4;
	if (covered && t->esn) {
		put_unaligned_be32(job->seq >> 32, to);
		to += ESN_HIGH;
	}
	put_unaligned_be32(job->seq, to);
	memcpy(to + 4, job->iv, t->iv_len + (covered ? t->iv_implicit : 0));
}

/*
 * Scatterlists: @aad, then @len octets of @skb from @offset, @zeros, the trailer.  Each
 * caller leaves something out, which then costs it nothing.
 */
static __always_inline int
map_data(struct scatterlist *sg, unsigned int entries, void *aad,
	 unsigned int aad_len, struct sk_buff *skb, unsigned int offset,
	 unsigned int len, unsigned int zeros, void *trailer,
	 unsigned int trailer_len)
{
	unsigned int part;
	int n = 0;

	sg_init_table(sg, entries);
	sg_set_buf(sg, aad, aad_len);
	if (len) {
		n = skb_to_sgvec_nomark(skb, sg + 1, offset, len);
		if (unlikely(n < 0))
			return n;
	}
	for (; unlikely(zeros); zeros -= part) {
		part = min_t(unsigned int, zeros, PAGE_SIZE);
		sg_set_page(sg + 1 + n++, ZERO_PAGE(0), part, 0);
	}
	if (trailer_len)
		sg_set_buf(sg + 1 + n++, trailer, trailer_len);
	sg_mark_end(sg + n);
	return 0;
}

static int map_whole(struct scatterlist *sg, unsigned int entries,
		     struct sk_buff *skb, unsigned int offset, unsigned int len)
{
	sg_init_table(sg, entries);
	return min(skb_to_sgvec(skb, sg, offset, len), 0);
}

static int esp_output(struct postern_job *job)
{
	struct postern_sa *sa = job->sa;
	const struct postern_transform *t = &sa->transform;
	unsigned int payload = job->in->len - job->offset;
	unsigned int padded = payload + job->tfc;
	unsigned int padding = esp_padding(sa, padded);
	unsigned int header = ESP_HEADER + t->iv_len;
	unsigned int aad_len = esp_aad_len(t);
	unsigned int crypt_len = padded + padding + 2;
	unsigned int i;
	int err;

	esp_fill_iv(job);
	esp_fill_header(job, job->out->data + job->ip_len, false);
	esp_fill_header(job, job->aad, true);

	for (i = 0; i < padding; i++)
		job->trailer[i] = i + 1;	/* section 2.4 */
	job->trailer[padding] = padding;
	job->trailer[padding + 1] = job->next;

	err = map_data(job->src, job->nsrc, job->aad, aad_len, job->in,
		       job->offset, payload, job->tfc, job->trailer, padding + 2);
	if (unlikely(err))
		return err;
	if (esp_own_aad(t))
		err = map_data(job->dst, job->ndst, job->aad_out, aad_len,
			       job->out, job->ip_len + header,
			       crypt_len + t->icv_len, 0, NULL, 0);
	else
		err = map_whole(job->dst, job->ndst, job->out, job->ip_len,
				aad_len + crypt_len + t->icv_len);
	if (unlikely(err))
		return err;
	return postern_crypt(job, true, aad_len, crypt_len);
}

static int esp_input(struct postern_job *job)
{
	const struct postern_transform *t = &job->sa->transform;
	unsigned int header = ESP_HEADER + t->iv_len;
	unsigned int aad_len = esp_aad_len(t);
	unsigned int crypt_len = job->in->len - job->offset - header;
	int err;

	if (t->iv_len &&
	    skb_copy_bits(job->in, job->offset + ESP_HEADER, job->iv, t->iv_len))
		return -EINVAL;
	if (t->iv_implicit)
		put_unaligned_be64(job->seq, job->iv);
	if (esp_own_aad(t)) {
		esp_fill_header(job, job->aad, true);
		err = map_data(job->src, job->nsrc, job->aad, aad_len, job->in,
			       job->offset + header, crypt_len, 0, NULL, 0);
	} else {
		err = map_whole(job->src, job->nsrc, job->in, job->offset,
				header + crypt_len);
	}
	if (unlikely(err))
		return err;
	err = map_data(job->dst, job->ndst, job->aad_out, aad_len, job->out,
		       job->ip_len, job->out->len - job->ip_len, 0, job->trailer,
		       t->esn ? ESN_HIGH : 0);
	if (unlikely(err))
		return err;
	return postern_crypt(job, false, aad_len, crypt_len);
}

/* Padding (section 2.4): 1, 2, 3 ... as many as the pad length says. */
static enum postern_drop_reason esp_strip(struct postern_job *job)
{
	struct sk_buff *skb = job->out;
	unsigned int len = skb->len - job->ip_len, padding, i;
	u8 buf[255], *pad;
	u8 tail[2];

	if (skb_copy_bits(skb, skb->len - 2, tail, 2))
		return POSTERN_DROP_IN_PADDING;
	padding = tail[0];
	if (padding + 2 > len)
		return POSTERN_DROP_IN_PADDING;
	pad = skb_header_pointer(skb, skb->len - 2 - padding, padding, buf);
	for (i = 0; i < padding; i++)
		if (!pad || pad[i] != i + 1)
			return POSTERN_DROP_IN_PADDING;
	job->next = tail[1];
	if (pskb_trim(skb, skb->len - 2 - padding))
		return POSTERN_DROP_IN_MEMORY;
	return 0;
}

const struct postern_xform postern_esp = {
	.room = esp_room,
	.fit = esp_fit,
	.output = esp_output,
	.input = esp_input,
	.strip = esp_strip,
};
