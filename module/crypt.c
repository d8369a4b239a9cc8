// SPDX-License-Identifier: GPL-2.0
#include <crypto/aead.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "compat.h"
#include "crypt.h"
#include "headers.h"

/* Jobs up to this size are kept for the next packet, one per CPU. */
#define JOB_SIZE	2048

/* Of the request; kmalloc() gives at least that. */
#define REQ_ALIGN	max_t(size_t, __alignof__(struct aead_request), 64)

/* Behind the fragments: additional data, trailer. */
#define EXTRA_SG	2

/* Above this a packet's data goes to pages, so that no high order is needed. */
#define LINEAR_MAX	SKB_WITH_OVERHEAD(16384)
#define LINEAR_HEAD	128

static DEFINE_PER_CPU(struct postern_job *, spare_job);

int postern_crypt_init(void)
{
	struct postern_job *job;
	int cpu;

	for_each_possible_cpu(cpu) {
		job = kzalloc_node(JOB_SIZE, GFP_KERNEL, cpu_to_node(cpu));
		if (!job) {
			postern_crypt_exit();
			return -ENOMEM;
		}
		job->size = JOB_SIZE;
		per_cpu(spare_job, cpu) = job;
	}
	return 0;
}

/* No packet is in flight. */
void postern_crypt_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree_sensitive(per_cpu(spare_job, cpu));
		per_cpu(spare_job, cpu) = NULL;
	}
}

static unsigned int count_sg(const struct sk_buff *skb)
{
	const struct sk_buff *frag;
	unsigned int n = 1 + skb_shinfo(skb)->nr_frags;

	skb_walk_frags(skb, frag)
		n += count_sg(frag);
	return n;
}

/* Memory for @size octets: this CPU's spare, or fresh when it is away or too small. */
static struct postern_job *job_alloc(unsigned int size)
{
	struct postern_job *job;

	if (likely(size <= JOB_SIZE)) {
		job = this_cpu_xchg(spare_job, NULL);
		if (likely(job))
			return job;
		size = JOB_SIZE;
	}
	job = kmalloc(size, GFP_ATOMIC | __GFP_NOWARN);
	if (job)
		job->size = size;
	return job;
}

/**
 * postern_job_get - a job for a packet
 * @sa: SA; a reference is taken
 * @in: packet that comes; the job does not own it before the caller says so
 * @out: packet that goes on; likewise
 *
 * A transform that completes at once gives the job back before the next packet asks
 * for one, so that one per CPU serves all.  One that completes later keeps it, and
 * the next packet allocates.
 *
 * Return: job, or NULL without memory or when the SA is about to go.
 * Context: bottom halves off.
 */
struct postern_job *postern_job_get(struct postern_sa *sa, struct sk_buff *in,
				    struct sk_buff *out)
{
	unsigned int nsrc = count_sg(in) + EXTRA_SG +
			    DIV_ROUND_UP(sa->tfcpad, PAGE_SIZE);
	unsigned int ndst = count_sg(out) + EXTRA_SG;
	unsigned int sg = ALIGN(sizeof(struct postern_job), 64);
	unsigned int req = ALIGN(sg + (nsrc + ndst) * sizeof(struct scatterlist),
				 REQ_ALIGN);
	struct postern_job *job;

	if (!postern_sa_hold(sa))
		return NULL;
	job = job_alloc(req + (sa->transform.aead ?
			       sizeof(struct aead_request) +
			       crypto_aead_reqsize(sa->transform.aead) : 0) +
			(unlikely(sa->key.proto == IPPROTO_AH) ? POSTERN_FRONT_MAX : 0));
	if (unlikely(!job)) {
		postern_sa_put(sa);
		return NULL;
	}
	job->in = in;
	job->out = out;
	job->sa = sa;
	job->late = false;
	job->others_count = 0;
	job->nsrc = nsrc;
	job->ndst = ndst;
	job->src = (void *)job + sg;
	job->dst = job->src + nsrc;
	job->req = (void *)job + req;
	return job;
}

/**
 * postern_job_hold - the further SAs that a packet goes or came through
 * @job: job; it takes references
 * @others: SAs
 * @count: of them, less than POSTERN_TMPL_MAX
 *
 * Return: false when one of them is about to go.
 */
bool postern_job_hold(struct postern_job *job, struct postern_sa *const *others,
		      unsigned int count)
{
	while (job->others_count < count) {
		struct postern_sa *sa = others[job->others_count];

		if (!postern_sa_hold(sa))
			return false;
		job->others[job->others_count++] = sa;
	}
	return true;
}

/* Context: bottom halves off. The packets are the caller's. */
void postern_job_put(struct postern_job *job)
{
	while (unlikely(job->others_count))
		postern_sa_put(job->others[--job->others_count]);
	postern_sa_put(job->sa);
	if (likely(job->size == JOB_SIZE))
		job = this_cpu_xchg(spare_job, job);
	if (unlikely(job))
		kfree_sensitive(job);
}

/**
 * postern_skb_alloc - a fresh packet
 * @headroom: octets before the data
 * @len: octets of data, which the packet has on return
 * @linear: all data must be in one piece
 * @inbound: its head may become a page fragment of another: GRO and sockets merge
 *
 * The first LINEAR_HEAD octets are always in one piece.
 *
 * Return: packet or NULL. Context: any.
 */
struct sk_buff *postern_skb_alloc(unsigned int headroom, unsigned int len,
				  bool linear, bool inbound)
{
	struct sk_buff *skb;
	int err;

	if (likely(linear || headroom + len <= LINEAR_MAX)) {
		skb = inbound ? dev_alloc_skb(headroom + len) :
				alloc_skb(headroom + len,
					  GFP_ATOMIC | __GFP_NOWARN);
		if (unlikely(!skb))
			return NULL;
		skb_reserve(skb, headroom);
		__skb_put(skb, len);
		return skb;
	}
	skb = alloc_skb_with_frags(headroom + LINEAR_HEAD, len - LINEAR_HEAD, 2,
				   &err, GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	__skb_put(skb, LINEAR_HEAD);
	skb->data_len = len - LINEAR_HEAD;
	skb->len += skb->data_len;
	return skb;
}

/**
 * postern_skb_move_owner - what a packet was charged for goes on to its successor
 * @skb: packet that came; it has no owner any more
 * @out: packet that goes on, without an owner
 *
 * TSQ and SO_SNDBUF go by it.  Context: any.
 */
void postern_skb_move_owner(struct sk_buff *skb, struct sk_buff *out)
{
	struct sock *sk = skb->sk;
	int delta;

	if (!sk || !is_skb_wmem(skb))
		return;
#ifdef CONFIG_SOCK_VALIDATE_XMIT
	/* the device would take it for the socket's TCP, and encrypt it as TLS */
	if (sk_fullsock(sk) && READ_ONCE(sk->sk_validate_xmit_skb))
		return;
#endif
	out->sk = sk;
	out->destructor = skb->destructor;
	skb->sk = NULL;
	skb->destructor = NULL;
	delta = out->truesize - skb->truesize;
	if (delta >= 0)
		refcount_add(delta, &sk->sk_wmem_alloc);
	else
		WARN_ON_ONCE(refcount_sub_and_test(-delta, &sk->sk_wmem_alloc));
}

static POSTERN_CRYPTO_DONE(crypt_done, arg)
{
	struct postern_job *job = postern_crypto_data(arg);

	if (err == -EINPROGRESS)	/* left a backlog, not complete */
		return;
	local_bh_disable();
	rcu_read_lock();
	job->late = true;
	job->done(job, err);
	rcu_read_unlock();
	local_bh_enable();
}

/**
 * postern_crypt - encrypt or decrypt
 * @job: src, dst, aad and iv are set
 * @encrypt: direction
 * @assoclen: octets of additional data at the start of src and dst
 * @cryptlen: octets behind them; on decryption with the ICV
 *
 * Return: 0, a negative error, or -EINPROGRESS: job->done will be called, or was.
 */
int postern_crypt(struct postern_job *job, bool encrypt, unsigned int assoclen,
		  unsigned int cryptlen)
{
	struct aead_request *req = job->req;

	aead_request_set_tfm(req, job->sa->transform.aead);
	aead_request_set_callback(req, 0, crypt_done, job);
	aead_request_set_crypt(req, job->src, job->dst, cryptlen, job->iv);
	aead_request_set_ad(req, assoclen);
	return encrypt ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req);
}
