// SPDX-License-Identifier: GPL-2.0
#include <linux/ktime.h>
#include "expire.h"
#include "net.h"
#include "notify.h"

/**
 * postern_sa_schedule - look at the limits of an SA
 * @sa: SA
 * @delay: jiffies from now
 *
 * A pending look is moved, and keeps the reference that it has.
 * Context: any.
 */
void postern_sa_schedule(struct postern_sa *sa, unsigned long delay)
{
	if (!postern_sa_hold(sa))
		return;
	if (mod_delayed_work(sa->pn->wq, &sa->timer, delay))
		postern_sa_put(sa);
}

/* As above, from within a look: one that was asked for meanwhile is not put off. */
static void look_again(struct postern_sa *sa, unsigned long delay)
{
	if (postern_sa_hold(sa) && !queue_delayed_work(sa->pn->wq, &sa->timer, delay))
		postern_sa_put(sa);
}

void postern_sa_unschedule(struct postern_sa *sa)
{
	if (cancel_delayed_work(&sa->timer))
		postern_sa_put(sa);
}

static noinline bool spend_counted(struct postern_sa *sa, unsigned int bytes)
{
	u64 packets = atomic64_inc_return(&sa->spent_packets);
	u64 total = atomic64_add_return(bytes, &sa->spent_bytes);
	bool fits = packets - 1 < READ_ONCE(sa->life.packet_hard) &&
		    total - bytes < READ_ONCE(sa->life.byte_hard);

	if (packets >= READ_ONCE(sa->life.packet_hard) ||
	    total >= READ_ONCE(sa->life.byte_hard) ||
	    (!READ_ONCE(sa->soft_told) &&
	     (packets >= READ_ONCE(sa->life.packet_soft) ||
	      total >= READ_ONCE(sa->life.byte_soft))))
		postern_sa_schedule(sa, 0);
	return fits;
}

/*
 * Once a second.  Timers stand still while the host sleeps: it may be later than they
 * know.
 */
static noinline void new_second(struct postern_sa *sa, time64_t second)
{
	time64_t now = ktime_get_boottime_seconds();

	WRITE_ONCE(sa->second, second);
	WRITE_ONCE(sa->last_used, now);
	if (!READ_ONCE(sa->use_time))
		WRITE_ONCE(sa->use_time, now);
	else if (now < READ_ONCE(sa->next_limit))
		return;
	postern_sa_schedule(sa, 0);
}

/**
 * postern_sa_spend - count a packet
 * @sa: SA that transforms it
 * @bytes: octets of the inner packet
 *
 * Without byte or packet limits this writes nothing that another CPU writes but
 * the time of last use, once a second.
 *
 * Return: false when the packet is past a hard limit.
 * Context: softirq, or bottom halves off.
 */
bool postern_sa_spend(struct postern_sa *sa, unsigned int bytes)
{
	time64_t second = ktime_get_seconds();

	if (unlikely(READ_ONCE(sa->counted)) && !spend_counted(sa, bytes))
		return false;
	this_cpu_add(sa->stats->bytes, bytes);
	this_cpu_inc(sa->stats->packets);
	if (unlikely(READ_ONCE(sa->second) != second))
		new_second(sa, second);
	return true;
}

/* The first authentic packet came. Context: softirq. */
void postern_sa_heard(struct postern_sa *sa)
{
	WRITE_ONCE(sa->heard, true);
	postern_sa_schedule(sa, 0);
}

/* The last outbound number was used. Context: softirq. */
void postern_sa_exhausted(struct postern_sa *sa)
{
	if (READ_ONCE(sa->exhausted))
		return;
	WRITE_ONCE(sa->exhausted, true);
	postern_sa_schedule(sa, 0);
}

/**
 * postern_sa_set_life - set or change the limits
 * @sa: SA
 * @life: limits, soft ones not above hard ones
 *
 * Context: process, configuration lock held.
 */
void postern_sa_set_life(struct postern_sa *sa,
			 const struct postern_lifetime *life)
{
	bool counted = life->byte_soft != POSTERN_UNLIMITED ||
		       life->byte_hard != POSTERN_UNLIMITED ||
		       life->packet_soft != POSTERN_UNLIMITED ||
		       life->packet_hard != POSTERN_UNLIMITED;
	struct postern_usage usage;

	if (counted && !sa->counted) {
		postern_sa_usage(sa, &usage);
		atomic64_set(&sa->spent_bytes, usage.bytes);
		atomic64_set(&sa->spent_packets, usage.packets);
	}
	WRITE_ONCE(sa->life.byte_soft, life->byte_soft);
	WRITE_ONCE(sa->life.byte_hard, life->byte_hard);
	WRITE_ONCE(sa->life.packet_soft, life->packet_soft);
	WRITE_ONCE(sa->life.packet_hard, life->packet_hard);
	sa->life.add_soft = life->add_soft;
	sa->life.add_hard = life->add_hard;
	sa->life.use_soft = life->use_soft;
	sa->life.use_hard = life->use_hard;
	WRITE_ONCE(sa->soft_told, false);
	WRITE_ONCE(sa->counted, counted);
}

/*
 * Seconds until @limit seconds after @since, 0 when over; @next takes the
 * smallest.
 */
static bool time_over(time64_t since, u64 limit, time64_t now, u64 *next)
{
	u64 age = max_t(time64_t, now - since, 0);

	if (limit == POSTERN_UNLIMITED)
		return false;
	if (age >= limit)
		return true;
	*next = min(*next, limit - age);
	return false;
}

/* A NAT forgets who is silent (RFC 3948 section 4); @next as above. */
static void keep_alive(struct postern_sa *sa, time64_t now, u64 *next)
{
	time64_t last = max3(READ_ONCE(sa->last_used), sa->keepalive_sent,
			     sa->add_time);

	if (!sa->keepalive)
		return;
	if (time_over(last, sa->keepalive, now, next)) {
		sa->keepalive_sent = now;
		sa->pn->sad.keepalive(sa);
		*next = min_t(u64, *next, sa->keepalive);
	}
}

static bool spent_over(const struct postern_sa *sa, u64 bytes, u64 packets)
{
	return sa->counted && ((u64)atomic64_read(&sa->spent_bytes) >= bytes ||
			       (u64)atomic64_read(&sa->spent_packets) >= packets);
}

static void sa_expire(struct postern_sa *sa, struct postern_net *pn)
{
	const struct postern_lifetime *life = &sa->life;
	time64_t now = ktime_get_boottime_seconds();
	time64_t used = READ_ONCE(sa->use_time);
	u64 next = POSTERN_UNLIMITED;
	bool hard, soft;

	if (sa->state == POSTERN_SA_STATE_LARVAL) {
		postern_notify->sa_deleted(pn, sa);
		postern_sad_remove(&pn->sad, sa);
		pn->generation++;
		return;
	}

	if (READ_ONCE(sa->heard) && !sa->heard_told) {
		sa->heard_told = true;
		postern_notify->sa_used(pn, sa);
	}
	hard = READ_ONCE(sa->exhausted) ||
	       spent_over(sa, life->byte_hard, life->packet_hard) ||
	       time_over(sa->add_time, life->add_hard, now, &next) ||
	       (used && time_over(used, life->use_hard, now, &next));
	if (hard) {
		/* unpublished first: a listener that acts finds no dead SA */
		postern_sad_remove(&pn->sad, sa);
		pn->generation++;
		postern_notify->sa_expired(pn, sa, true);
		return;
	}
	if (!sa->soft_told) {
		soft = spent_over(sa, life->byte_soft, life->packet_soft) ||
		       time_over(sa->add_time, life->add_soft, now, &next) ||
		       (used && time_over(used, life->use_soft, now, &next));
		if (soft) {
			WRITE_ONCE(sa->soft_told, true);
			WRITE_ONCE(sa->state, POSTERN_SA_STATE_DYING);
			postern_notify->sa_expired(pn, sa, false);
		}
	}
	keep_alive(sa, now, &next);
	next = min_t(u64, next, MAX_JIFFY_OFFSET / HZ);
	WRITE_ONCE(sa->next_limit, now + next);
	if (next < MAX_JIFFY_OFFSET / HZ)
		look_again(sa, next * HZ);
}

/*
 * Who keeps the lock of a namespace must not keep the workers that others wait for; its
 * timers wait for each other, and none of them for that lock.
 */
void postern_sa_timer(struct work_struct *work)
{
	struct postern_sa *sa = container_of(to_delayed_work(work),
					     struct postern_sa, timer);
	struct postern_net *pn = sa->pn;

	mutex_lock(&pn->timers);
	if (mutex_trylock(&pn->lock)) {
		if (sa->state != POSTERN_SA_STATE_DEAD)
			sa_expire(sa, pn);
		mutex_unlock(&pn->lock);
	} else {
		look_again(sa, HZ / 8);
	}
	mutex_unlock(&pn->timers);
	postern_sa_put(sa);
}
