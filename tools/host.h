/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses and routes of this host, over rtnetlink. */
#ifndef POSTERN_TOOL_HOST_H
#define POSTERN_TOOL_HOST_H

#include "nlsock.h"
#include "sa.h"

#include <stdbool.h>
#include <stdint.h>

/* The table that strongSwan makes, and looks up before all others. */
#define HOST_TABLE	220

struct host_route {
	struct addr dst;
	uint8_t dst_len;
	struct addr via;	/* len 0: on the link */
	struct addr src;	/* that the host uses; len 0: it chooses */
	uint32_t oif;
	uint32_t metric;
};

struct host {
	unsigned int addrs;
	struct addr *addr;
	unsigned int routes;	/* not those of HOST_TABLE */
	struct host_route *route;
	unsigned int own;	/* in HOST_TABLE, made by host_add_route() */
	struct host_route *own_route;
};

/**
 * host_load_addrs() - all addresses that others can reach this host by
 * @rt: socket of NETLINK_ROUTE
 * @host: addrs and addr are set; host_free() frees
 *
 * Return: 0 or a negative errno.
 */
int host_load_addrs(struct nlsock *rt, struct host *host);

/**
 * host_load_routes() - routes, and apart those that the bridge made
 * @mark: which bridge
 *
 * Return: 0 or a negative errno.
 */
int host_load_routes(struct nlsock *rt, struct host *host, uint32_t mark);
void host_free(struct host *host);

/* How to reach @dst? Return: the route with the longest prefix, or NULL. */
const struct host_route *host_find_route(const struct host *host,
					 const struct addr *dst);

bool host_same_route(const struct host_route *a, const struct host_route *b);

/* Add to HOST_TABLE, or delete from it. Return: 0 or a negative errno. */
int host_add_route(struct nlsock *rt, const struct host_route *route,
		   uint32_t mark);
int host_delete_route(struct nlsock *rt, const struct host_route *route,
		      uint32_t mark);

#endif
