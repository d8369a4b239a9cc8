// SPDX-License-Identifier: GPL-2.0
/*
 * postern bridge: an IKE daemon that knows only the kernel's own IPsec keys
 * Postern. It labels its connections with an interface id that no interface
 * has, so that XFRM matches no traffic with them; the bridge copies what
 * carries that id into Postern and tells the daemon what becomes of it.
 */
#include "cmd.h"
#include "log.h"
#include "mirror.h"
#include "notify.h"

#include <errno.h>
#include <getopt.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* Datagrams of one socket before the other gets its turn. */
#define BATCH		64
/* Seconds until what there was no memory for is tried again. */
#define RETRY		10

enum { FD_XFRM, FD_POSTERN, FD_HOST, FD_SIGNAL, FD_TIMER, FD_COUNT };

struct bridge {
	struct mirror mirror;
	struct nl events;
	struct nlsock xfrm;	/* requests */
	struct nlsock xfrm_events;
	struct nlsock rt;	/* requests */
	struct nlsock rt_events;
	struct pollfd fd[FD_COUNT];
	bool resync;
	bool resync_later;	/* changes of others kept it from its end */
	uint64_t waited;	/* seconds, to try again what there was no memory for */
	bool routes_changed;
	bool stop;
};

static void report(struct bridge *b, const char *state)
{
	struct mirror *m = &b->mirror;

	notify("%sSTATUS=SAs: %u, policies: %u, not mirrored: %u", state, m->sas,
	       m->policies, m->refused);
}

static int resync(struct bridge *b)
{
	int err = mirror_resync(&b->mirror);

	b->resync = false;
	if (err == -EINTR) {
		log_event("resync to be done again: Postern changed under way");
		b->resync_later = true;
		return 0;
	}
	if (!err)
		err = mirror_follow_host(&b->mirror);
	if (mirror_may_pass(err)) {
		log_event("resync to be done again: %s", strerror(-err));
		b->mirror.again = true;
		return 0;
	}
	if (err) {
		log_event("resync failed: %s", strerror(-err));
		return err;
	}
	log_event("in step: SAs %u, policies %u, not mirrored %u",
		  b->mirror.sas, b->mirror.policies, b->mirror.refused);
	report(b, "READY=1\n");
	return 0;
}

static void read_xfrm(struct bridge *b)
{
	unsigned int i;
	int err;

	for (i = 0; i < BATCH && mirror_readable(b->fd[FD_XFRM].fd); i++) {
		err = nlsock_listen(&b->xfrm_events, mirror_xfrm_event,
				    &b->mirror);
		if (err) {
			log_detail("resync needed");
			b->resync = true;
		}
	}
}

static int on_host(const struct nlmsghdr *nlh, void *data)
{
	struct bridge *b = data;

	/* Routes, and links under them, may change all the time: that waits for the timer. */
	if (nlh->nlmsg_type == RTM_NEWADDR || nlh->nlmsg_type == RTM_DELADDR)
		b->mirror.host_changed = true;
	else
		b->routes_changed = true;
	return 0;
}

static void read_host(struct bridge *b)
{
	unsigned int i;

	for (i = 0; i < BATCH && mirror_readable(b->fd[FD_HOST].fd); i++)
		if (nlsock_listen(&b->rt_events, on_host, b))
			b->mirror.host_changed = true;
}

static void read_signal(struct bridge *b)
{
	struct signalfd_siginfo info;

	if (read(b->fd[FD_SIGNAL].fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo != SIGHUP) {
		b->stop = true;
		return;
	}
	notify_reloading();
	b->resync = true;
}

static int read_timer(struct bridge *b)
{
	uint64_t ticks;
	int err;

	if (read(b->fd[FD_TIMER].fd, &ticks, sizeof(ticks)) != sizeof(ticks))
		return 0;
	err = mirror_write_numbers(&b->mirror);
	/* A dump that changed under way has told enough: the rest comes next. */
	if (err && !mirror_may_pass(err)) {
		log_event("Postern does not answer: %s", strerror(-err));
		return err;
	}
	if (b->routes_changed) {
		b->routes_changed = false;
		b->mirror.host_changed = true;
	}
	if (b->mirror.again)
		b->waited += ticks;
	if (b->resync_later || b->waited >= RETRY) {
		b->resync_later = false;
		b->waited = 0;
		b->resync = true;
	}
	report(b, "WATCHDOG=1\n");
	return 0;
}

/*
 * Once an event was lost, the kernel drops all others without a word until the
 * queue is empty: a look at the whole before that would miss them for good.
 */
static bool is_drained(const struct bridge *b, unsigned int i)
{
	return !mirror_readable(b->fd[i].fd);
}

static int run(struct bridge *b)
{
	int err = 0;

	while (!b->stop && !err) {
		if (poll(b->fd, FD_COUNT, -1) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (b->fd[FD_XFRM].revents)
			read_xfrm(b);
		if (b->fd[FD_POSTERN].revents)
			mirror_drain_events(&b->mirror);
		if (b->fd[FD_HOST].revents)
			read_host(b);
		if (b->fd[FD_SIGNAL].revents)
			read_signal(b);
		if (b->resync && is_drained(b, FD_XFRM))
			err = resync(b);
		if (!err && b->fd[FD_TIMER].revents)
			err = read_timer(b);
		if (!err && b->mirror.host_changed && is_drained(b, FD_HOST))
			mirror_follow_host(&b->mirror);
	}
	return err;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_timer(void)
{
	struct itimerspec second = { { 1, 0 }, { 1, 0 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0)
		timerfd_settime(fd, 0, &second, NULL);
	return fd;
}

static int failed(const char *what, int err)
{
	fprintf(stderr, "Error: %s: %s.\n", what, strerror(-err));
	if (err == -EPERM)
		fprintf(stderr, "The bridge needs CAP_NET_ADMIN.\n");
	return EXIT_REFUSED;
}

/* Subscribed before the dump, so that nothing falls between the two. */
static int open_all(struct bridge *b)
{
	static const unsigned int groups[] = {
		XFRMNLGRP_SA, XFRMNLGRP_POLICY, XFRMNLGRP_EXPIRE,
		XFRMNLGRP_MIGRATE, 0
	};
	static const unsigned int host_groups[] = {
		RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK, 0
	};
	int err;

	b->mirror.nl = cmd_nl();
	if (!b->mirror.nl)
		return EXIT_REFUSED;
	err = nl_open(&b->events);
	if (err)
		return failed("postern: cannot reach the module", err);
	err = nl_join(&b->events, POSTERN_MCGRP_SA);
	if (!err)
		err = nl_join(&b->events, POSTERN_MCGRP_POLICY);
	if (!err)
		err = nl_join(&b->events, POSTERN_MCGRP_ACQUIRE);
	if (err)
		return failed("postern: cannot listen to its events", err);
	err = nlsock_open(&b->xfrm, NETLINK_XFRM, NULL);
	if (!err)
		err = nlsock_open(&b->xfrm_events, NETLINK_XFRM, groups);
	if (err)
		return failed("cannot listen to XFRM", err);
	err = nlsock_open(&b->rt, NETLINK_ROUTE, NULL);
	if (!err)
		err = nlsock_open(&b->rt_events, NETLINK_ROUTE, host_groups);
	if (err)
		return failed("cannot listen to rtnetlink", err);
	b->fd[FD_HOST].fd = nlsock_fd(&b->rt_events);
	b->fd[FD_XFRM].fd = nlsock_fd(&b->xfrm_events);
	b->fd[FD_POSTERN].fd = nl_fd(&b->events);
	b->fd[FD_SIGNAL].fd = open_signals();
	b->fd[FD_TIMER].fd = open_timer();
	if (b->fd[FD_SIGNAL].fd < 0 || b->fd[FD_TIMER].fd < 0)
		return failed("cannot set up signals and timer", -errno);
	return EXIT_OK;
}

static void close_all(struct bridge *b)
{
	if (b->fd[FD_SIGNAL].fd >= 0)
		close(b->fd[FD_SIGNAL].fd);
	if (b->fd[FD_TIMER].fd >= 0)
		close(b->fd[FD_TIMER].fd);
	nlsock_close(&b->rt_events);
	nlsock_close(&b->rt);
	nlsock_close(&b->xfrm_events);
	nlsock_close(&b->xfrm);
	nl_close(&b->events);
	mirror_free(&b->mirror);
}

/*
 * The peer may use a new SA as soon as the daemon has answered it: by then it
 * must be in Postern, so the bridge goes before the daemon that woke it. The
 * unit does the same for a bridge that may not.
 */
static void hurry(void)
{
	struct sched_param param = { .sched_priority = 1 };

	if (sched_getscheduler(0) == SCHED_FIFO)
		return;
	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		log_detail("no real-time priority: %s", strerror(errno));
}

static int serve(struct bridge *b)
{
	int err, rc = open_all(b);

	if (rc)
		return rc;
	hurry();
	b->mirror.events = &b->events;
	b->mirror.xfrm = &b->xfrm;
	b->mirror.rt = &b->rt;
	err = resync(b);
	if (!err)
		err = run(b);
	if (err)
		return EXIT_REFUSED;
	notify("STOPPING=1\n");
	mirror_write_numbers(&b->mirror);
	log_event("stopped; SAs and policies stay as they are");
	return EXIT_OK;
}

static const char usage_text[] =
"Usage: postern bridge --if-id ID [ --no-ike-bypass ] [ --no-routes ]\n"
"                      [ --allow-weak ] [ --verbose ]\n"
"\n"
"Mirrors the SAs and policies that an IKE daemon gives to the kernel's XFRM\n"
"under interface id ID into Postern, and tells the daemon of acquires, expiries\n"
"and counters. In strongSwan: if_id_in = ID, if_id_out = ID.\n"
"\n"
"  --if-id ID        1 to 4294967294; no XFRM interface may have it\n"
"  --no-ike-bypass   make no policies that let UDP ports 500 and 4500 of this\n"
"                    host pass\n"
"  --no-routes       make no routes in table 220; they give what this host\n"
"                    itself sends into a tunnel a source address that fits\n"
"  --allow-weak      mirror SAs whose algorithms RFC 8221 says MUST NOT or SHOULD\n"
"                    NOT be used\n"
"  --verbose         say also what is left as it is\n"
"\n"
"SIGHUP compares all again. SIGTERM ends the bridge and leaves the SAs and\n"
"policies in place; 'postern state flush owner ID' is for those who want more.\n";

static void usage(FILE *to)
{
	fputs(usage_text, to);
}

static bool parse_id(const char *word, uint32_t *id)
{
	uint64_t v;

	if (*id)
		return duplicate("--if-id");
	/* one more owns what closes the host while "postern load" is at work */
	if (!number(word, 1, UINT32_MAX - 1, &v))
		return wrong(word,
			     "\"--if-id\" takes a number from 1 to 4294967294");
	*id = v;
	return true;
}

int cmd_bridge(int argc, char **argv)
{
	static const struct option opts[] = {
		{ "if-id", required_argument, NULL, 'i' },
		{ "no-ike-bypass", no_argument, NULL, 'n' },
		{ "no-routes", no_argument, NULL, 'r' },
		{ "allow-weak", no_argument, NULL, 'w' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct bridge b;
	int c, rc;

	memset(&b, 0, sizeof(b));
	for (c = 0; c < FD_COUNT; c++) {
		b.fd[c].fd = -1;
		b.fd[c].events = POLLIN;
	}
	optind = 1;
	while ((c = getopt_long(argc, argv, "+i:nrwvh", opts, NULL)) != -1) {
		switch (c) {
		case 'i':
			if (!parse_id(optarg, &b.mirror.if_id))
				return EXIT_USAGE;
			break;
		case 'n':
			b.mirror.no_bypass = true;
			break;
		case 'r':
			b.mirror.no_routes = true;
			break;
		case 'w':
			b.mirror.allow_weak = true;
			break;
		case 'v':
			log_verbose = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_OK;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "Error: unexpected word \"%s\".\n",
			argv[optind]);
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!b.mirror.if_id) {
		fprintf(stderr, "Error: --if-id is missing.\n");
		usage(stderr);
		return EXIT_USAGE;
	}
	rc = serve(&b);
	close_all(&b);
	return rc;
}
