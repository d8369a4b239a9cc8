// SPDX-License-Identifier: GPL-2.0
/*
 * What the host itself needs beside the copies: IKE must pass, and what it
 * sends into a tunnel must have a source address that the tunnel takes.
 */
#include "host.h"
#include "log.h"
#include "mirror.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORT_IKE	500
#define PORT_NATT	4500

/* Addresses times ports times directions. */
#define BYPASSES(addrs)	((addrs) * 4)

static void set_bypass(struct mirror *m, struct policy *p,
		       const struct addr *addr, uint16_t port, uint8_t dir)
{
	struct selector *sel = &p->selector;

	memset(p, 0, sizeof(*p));
	p->has = HAS(POSTERN_A_POLICY_DIR) | HAS(POSTERN_A_POLICY_ACTION) |
		 HAS(POSTERN_A_POLICY_PRIORITY) | HAS(POSTERN_A_POLICY_OWNER) |
		 HAS(POSTERN_A_POLICY_SELECTOR);
	p->dir = dir;
	p->action = POSTERN_ACTION_BYPASS;
	p->priority = MIRROR_BYPASS_PRIORITY;
	p->owner = m->if_id;
	sel->has = HAS(POSTERN_A_SELECTOR_SRC) |
		   HAS(POSTERN_A_SELECTOR_SRC_LEN) |
		   HAS(POSTERN_A_SELECTOR_DST) |
		   HAS(POSTERN_A_SELECTOR_DST_LEN) |
		   HAS(POSTERN_A_SELECTOR_PROTO);
	sel->proto = IPPROTO_UDP;
	sel->src.len = addr->len;
	sel->dst.len = addr->len;
	if (dir == POSTERN_DIR_OUT) {
		sel->src = *addr;
		sel->src_len = addr->len * 8;
		sel->has |= HAS(POSTERN_A_SELECTOR_SPORT_FIRST) |
			    HAS(POSTERN_A_SELECTOR_SPORT_LAST);
		sel->sport_first = port;
		sel->sport_last = port;
	} else {
		sel->dst = *addr;
		sel->dst_len = addr->len * 8;
		sel->has |= HAS(POSTERN_A_SELECTOR_DPORT_FIRST) |
			    HAS(POSTERN_A_SELECTOR_DPORT_LAST);
		sel->dport_first = port;
		sel->dport_last = port;
	}
}

/*
 * Only to and from addresses of this host: what it forwards from or to such a
 * port of somebody else is no business of its IKE daemon.
 */
static int update_bypass(struct mirror *m, const struct host *host)
{
	struct policy *list = calloc(BYPASSES((size_t)host->addrs) + 1,
				     sizeof(*list));
	struct policy *old = m->bypass;
	unsigned int i, n = 0, olds = m->bypasses;

	if (!list)
		return -ENOMEM;
	for (i = 0; i < host->addrs; i++) {
		set_bypass(m, &list[n++], &host->addr[i], PORT_IKE,
			   POSTERN_DIR_IN);
		set_bypass(m, &list[n++], &host->addr[i], PORT_IKE,
			   POSTERN_DIR_OUT);
		set_bypass(m, &list[n++], &host->addr[i], PORT_NATT,
			   POSTERN_DIR_IN);
		set_bypass(m, &list[n++], &host->addr[i], PORT_NATT,
			   POSTERN_DIR_OUT);
	}
	m->bypass = list;
	m->bypasses = n;
	mirror_place_bypass(m, old, olds);
	free(old);
	return 0;
}

static const struct addr *find_inner(const struct host *host,
				     const struct selector *sel)
{
	unsigned int i;

	for (i = 0; i < host->addrs; i++)
		if (host->addr[i].len == sel->src.len &&
		    addr_within(&host->addr[i], &sel->src, sel->src_len))
			return &host->addr[i];
	return NULL;
}

struct wants {
	const struct host *host;
	unsigned int count;
	struct host_route *route;
};

/* A destination has one route, however many selectors lead there. */
static bool is_routed(const struct wants *wants, const struct selector *sel)
{
	unsigned int i;

	for (i = 0; i < wants->count; i++)
		if (wants->route[i].dst_len == sel->dst_len &&
		    addr_equal(&wants->route[i].dst, &sel->dst))
			return true;
	return false;
}

/* The route that strongSwan makes when there is no interface id. */
static void want_route(const struct policy *p, void *data)
{
	const struct tmpl *tmpl = &p->tmpls.tmpl[0];
	struct host_route route, *more;
	struct wants *wants = data;
	const struct host_route *to;
	const struct addr *src;

	if (p->dir != POSTERN_DIR_OUT || p->action != POSTERN_ACTION_PROTECT ||
	    tmpl->mode == POSTERN_MODE_TRANSPORT || p->selector.proto)
		return;
	if (is_routed(wants, &p->selector))
		return;
	src = find_inner(wants->host, &p->selector);
	to = host_find_route(wants->host, &tmpl->dst);
	if (!src || !to)
		return;
	memset(&route, 0, sizeof(route));
	route.dst = p->selector.dst;
	route.dst_len = p->selector.dst_len;
	route.src = *src;
	route.oif = to->oif;
	/* Of another family the packet needs no neighbour: it is taken before. */
	if (route.dst.len == tmpl->dst.len)
		route.via = to->via.len ? to->via : tmpl->dst;
	more = realloc(wants->route, (wants->count + 1) * sizeof(route));
	if (!more)
		return;
	wants->route = more;
	more[wants->count++] = route;
}

static bool has_route(const struct host_route *list, unsigned int n,
		      const struct host_route *route)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (host_same_route(&list[i], route))
			return true;
	return false;
}

static void log_route(const char *what, const struct host_route *r, int err)
{
	int family = r->dst.len == 4 ? AF_INET : AF_INET6;
	char dst[INET6_ADDRSTRLEN], src[INET6_ADDRSTRLEN];

	inet_ntop(family, r->dst.b, dst, sizeof(dst));
	inet_ntop(family, r->src.b, src, sizeof(src));
	log_event("route %s: %s/%u src %s table %u%s%s", what, dst, r->dst_len,
		  src, HOST_TABLE, err ? ": " : "", err ? strerror(-err) : "");
}

static void update_routes(struct mirror *m, const struct host *host)
{
	struct wants wants = { .host = host };
	unsigned int i;
	int err;

	mirror_policies_do(m, want_route, &wants);
	for (i = 0; i < host->own; i++) {
		if (has_route(wants.route, wants.count, &host->own_route[i]))
			continue;
		err = host_delete_route(m->rt, &host->own_route[i], m->if_id);
		log_route("deleted", &host->own_route[i], err);
	}
	for (i = 0; i < wants.count; i++) {
		if (has_route(host->own_route, host->own, &wants.route[i]))
			continue;
		err = host_add_route(m->rt, &wants.route[i], m->if_id);
		log_route("added", &wants.route[i], err);
	}
	free(wants.route);
}

int mirror_follow_host(struct mirror *m)
{
	struct host host = { 0 };
	int err;

	m->host_changed = false;
	if (m->no_bypass && m->no_routes)
		return 0;
	err = host_load_addrs(m->rt, &host);
	if (!err && !m->no_bypass)
		err = update_bypass(m, &host);
	if (!err && !m->no_routes) {
		err = host_load_routes(m->rt, &host, m->if_id);
		if (!err)
			update_routes(m, &host);
	}
	host_free(&host);
	if (err) {
		mirror_failed(m, err);
		log_event("addresses and routes of the host not read: %s",
			  strerror(-err));
	}
	return err;
}
