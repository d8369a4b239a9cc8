// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's zlib and not its crypto API: that has two interfaces for it, of which one
 * ended with 6.15, and the other takes a lock before that which softirqs must not wait
 * for.  And here a packet needs no copy, and what it becomes has a limit.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/zlib.h>
#include "deflate.h"

#if IS_ENABLED(CONFIG_ZLIB_DEFLATE) && IS_ENABLED(CONFIG_ZLIB_INFLATE)

#define SEND_WINDOW	(-11)	/* raw, as small as XFRM takes it */
#define TAKE_WINDOW	(-MAX_WBITS)
#define MEM_LEVEL	8

/* Of the largest packet there is, IPv6. */
#define DATA_MAX	(U16_MAX + sizeof(struct ipv6hdr))

/**
 * struct context - of a CPU
 * @lock: on PREEMPT_RT others run on this CPU while bottom halves are off
 * @stream: zlib's
 * @workspace: zlib's, for either direction
 * @data: what was unpacked
 */
struct context {
	spinlock_t lock;	/* all of it */
	struct z_stream_s stream;
	void *workspace;
	u8 data[DATA_MAX];
};

static DEFINE_MUTEX(lock);		/* users, and who makes or frees contexts */
static unsigned int users;
static DEFINE_PER_CPU(struct context *, contexts);

bool postern_deflate_works(void)
{
	return true;
}

static void free_contexts(void)
{
	struct context *c;
	int cpu;

	for_each_possible_cpu(cpu) {
		c = per_cpu(contexts, cpu);
		per_cpu(contexts, cpu) = NULL;
		if (c)
			kvfree(c->workspace);
		kvfree(c);
	}
}

static int make_contexts(void)
{
	size_t size = max_t(size_t, zlib_inflate_workspacesize(),
			    zlib_deflate_workspacesize(SEND_WINDOW, MEM_LEVEL));
	struct context *c;
	int cpu;

	for_each_possible_cpu(cpu) {
		c = kvzalloc(sizeof(*c), GFP_KERNEL);
		per_cpu(contexts, cpu) = c;
		if (!c)
			return -ENOMEM;
		spin_lock_init(&c->lock);
		c->workspace = kvzalloc(size, GFP_KERNEL);
		if (!c->workspace)
			return -ENOMEM;
		c->stream.workspace = c->workspace;
	}
	return 0;
}

/**
 * postern_deflate_get - be a user
 *
 * Return: 0 or -ENOMEM.  Context: process.
 */
int postern_deflate_get(void)
{
	int err = 0;

	mutex_lock(&lock);
	if (!users)
		err = make_contexts();
	if (err)
		free_contexts();
	else
		users++;
	mutex_unlock(&lock);
	return err;
}

/* No packet of this user is in flight.  Context: process. */
void postern_deflate_put(void)
{
	mutex_lock(&lock);
	if (!--users)
		free_contexts();
	mutex_unlock(&lock);
}

/* All of @skb behind @offset through one of zlib's functions.  Returns what it said last. */
static int feed(struct z_stream_s *stream, struct sk_buff *skb, unsigned int offset,
		int (*pass)(struct z_stream_s *stream, int flush))
{
	unsigned int len, used = 0;
	struct skb_seq_state seq;
	const u8 *data;
	int ret = Z_OK;

	skb_prepare_seq_read(skb, offset, skb->len, &seq);
	while (ret == Z_OK && (len = skb_seq_read(used, &data, &seq))) {
		used += len;
		stream->next_in = data;
		stream->avail_in = len;
		ret = pass(stream, pass == zlib_deflate && offset + used >= skb->len ?
				   Z_FINISH : Z_NO_FLUSH);
		if (stream->avail_in)
			break;
	}
	skb_abort_seq_read(&seq);
	return ret;
}

static int pack(struct z_stream_s *stream, struct sk_buff *skb, unsigned int offset,
		u8 *to, unsigned int room)
{
	if (zlib_deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, SEND_WINDOW,
			      MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOSPC;
	stream->next_out = to;
	stream->avail_out = room;
	if (feed(stream, skb, offset, zlib_deflate) != Z_STREAM_END)
		return -ENOSPC;
	return stream->total_out;
}

/**
 * postern_deflate - pack the end of a packet
 * @skb: packet; only read
 * @offset: where it begins
 * @to: result
 * @room: octets of @to
 *
 * Return: octets written, or -ENOSPC when they do not fit.
 * Context: bottom halves off; there is a user.
 */
int postern_deflate(struct sk_buff *skb, unsigned int offset, u8 *to, unsigned int room)
{
	struct context *c = this_cpu_read(contexts);
	int n;

	spin_lock(&c->lock);
	n = pack(&c->stream, skb, offset, to, room);
	spin_unlock(&c->lock);
	return n;
}

static int unpack(struct context *c, struct sk_buff *skb, unsigned int offset,
		  unsigned int room)
{
	struct z_stream_s *stream = &c->stream;
	u8 zero = 0;
	int ret;

	if (zlib_inflateInit2(stream, TAKE_WINDOW) != Z_OK)
		return -ENODATA;
	stream->next_out = c->data;
	stream->avail_out = min_t(unsigned int, room, sizeof(c->data));
	ret = feed(stream, skb, offset, zlib_inflate);
	if (ret == Z_OK && !stream->avail_in && stream->avail_out) {
		/* of a raw stream zlib may want to see an octet more */
		stream->next_in = &zero;
		stream->avail_in = 1;
		ret = zlib_inflate(stream, Z_FINISH);
	}
	return ret == Z_STREAM_END ? (int)stream->total_out : -ENODATA;
}

/* @out is linear; what it has from @at on becomes @n octets of @data. */
static int put_data(struct sk_buff *out, unsigned int at, const u8 *data, unsigned int n)
{
	unsigned int len = out->len - at;
	int err;

	if (n > len) {
		err = pskb_expand_head(out, 0, n - len, GFP_ATOMIC);
		if (err)
			return err;
		__skb_put(out, n - len);
	} else {
		__skb_trim(out, at + n);
	}
	memcpy(out->data + at, data, n);
	return 0;
}

/**
 * postern_inflate - unpack the end of a packet
 * @skb: packet; only read
 * @offset: where it begins
 * @out: linear packet that takes it
 * @at: where in @out; what is behind that goes
 * @room: the most octets that it may become
 *
 * Return: 0, -ENODATA when it is broken or becomes more, -ENOMEM.
 * Context: bottom halves off; there is a user.
 */
int postern_inflate(struct sk_buff *skb, unsigned int offset, struct sk_buff *out,
		    unsigned int at, unsigned int room)
{
	struct context *c = this_cpu_read(contexts);
	int n;

	spin_lock(&c->lock);
	n = unpack(c, skb, offset, room);
	if (n >= 0)
		n = put_data(out, at, c->data, n);
	spin_unlock(&c->lock);
	return n;
}

#else

bool postern_deflate_works(void)
{
	return false;
}

int postern_deflate_get(void)
{
	return -ENOENT;
}

void postern_deflate_put(void)
{
}

int postern_deflate(struct sk_buff *skb, unsigned int offset, u8 *to, unsigned int room)
{
	return -ENOSPC;
}

int postern_inflate(struct sk_buff *skb, unsigned int offset, struct sk_buff *out,
		    unsigned int at, unsigned int room)
{
	return -ENODATA;
}

#endif
