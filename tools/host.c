// SPDX-License-Identifier: GPL-2.0
#include "host.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Who made a route of ours: the protocol says a bridge, the metric says which
 * one, so that a bridge that was killed finds its routes again.
 */
#define PROTOCOL	80

static bool get_addr(const struct attrs *attrs, uint16_t type, uint32_t len,
		     struct addr *out)
{
	const struct nlattr *attr = attrs->a[type];

	if (!attr || mnl_attr_get_payload_len(attr) != len)
		return false;
	out->len = len;
	memcpy(out->b, mnl_attr_get_payload(attr), len);
	return true;
}

static uint32_t get_u32(const struct attrs *attrs, uint16_t type, uint32_t none)
{
	const struct nlattr *attr = attrs->a[type];

	if (!attr || mnl_attr_get_payload_len(attr) != sizeof(uint32_t))
		return none;
	return mnl_attr_get_u32(attr);
}

static void *grow(void *array, unsigned int count, size_t size)
{
	/* Doubled when full: a full routing table is long. */
	if (count & (count - 1))
		return array;
	return realloc(array, (count ? 2 * (size_t)count : 1) * size);
}

static int take_addr(const struct nlmsghdr *nlh, void *data)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct host *host = data;
	struct attrs attrs;
	struct addr addr, *more;
	uint32_t len;

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    attrs_parse(nlh, sizeof(*ifa), &attrs))
		return 0;
	len = addr_len(ifa->ifa_family);
	memset(&addr, 0, sizeof(addr));
	if (!len || ifa->ifa_scope >= RT_SCOPE_LINK ||
	    (!get_addr(&attrs, IFA_LOCAL, len, &addr) &&
	     !get_addr(&attrs, IFA_ADDRESS, len, &addr)))
		return 0;
	more = grow(host->addr, host->addrs, sizeof(addr));
	if (!more)
		return -ENOMEM;
	host->addr = more;
	host->addr[host->addrs++] = addr;
	return 0;
}

static int dump(struct nlsock *rt, uint16_t type, size_t head, nlsock_cb cb,
		void *data)
{
	char buf[NLSOCK_REQUEST];
	struct nlmsghdr *nlh = nlsock_begin(rt, buf, type, NLM_F_DUMP);
	int err;

	mnl_nlmsg_put_extra_header(nlh, head);
	err = nlsock_talk(rt, nlh, cb, data);
	/* What changed under way is told by an event as well. */
	return err == -EINTR ? 0 : err;
}

int host_load_addrs(struct nlsock *rt, struct host *host)
{
	return dump(rt, RTM_GETADDR, sizeof(struct ifaddrmsg), take_addr, host);
}

/* Of several next hops the first whose device is there. */
static void take_hop(const struct nlattr *hops, struct host_route *route)
{
	const char *at = mnl_attr_get_payload(hops);
	size_t left = mnl_attr_get_payload_len(hops), len;
	const struct rtnexthop *hop;
	struct attrs attrs;

	for (; left >= sizeof(*hop); at += len, left -= len) {
		hop = (const void *)at;
		len = NLMSG_ALIGN(hop->rtnh_len);
		if (hop->rtnh_len < sizeof(*hop) || len > left)
			return;
		if (hop->rtnh_flags & RTNH_F_DEAD)
			continue;
		attrs_parse_list(hop + 1, hop->rtnh_len - sizeof(*hop), &attrs);
		get_addr(&attrs, RTA_GATEWAY, route->dst.len, &route->via);
		route->oif = hop->rtnh_ifindex;
		return;
	}
}

struct load {
	struct host *host;
	uint32_t mark;
};

static int append(struct host_route **array, unsigned int *count,
		  const struct host_route *route)
{
	struct host_route *more = grow(*array, *count, sizeof(*route));

	if (!more)
		return -ENOMEM;
	*array = more;
	more[(*count)++] = *route;
	return 0;
}

static int take_route(const struct nlmsghdr *nlh, void *data)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct load *load = data;
	struct host *host = load->host;
	struct host_route route;
	struct attrs attrs;
	uint32_t len, table;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    attrs_parse(nlh, sizeof(*rtm), &attrs))
		return 0;
	len = addr_len(rtm->rtm_family);
	if (!len || rtm->rtm_type != RTN_UNICAST ||
	    rtm->rtm_flags & RTM_F_CLONED)
		return 0;
	memset(&route, 0, sizeof(route));
	route.dst_len = rtm->rtm_dst_len;
	route.dst.len = len;
	get_addr(&attrs, RTA_DST, len, &route.dst);
	get_addr(&attrs, RTA_GATEWAY, len, &route.via);
	get_addr(&attrs, RTA_PREFSRC, len, &route.src);
	route.oif = get_u32(&attrs, RTA_OIF, 0);
	if (attrs.a[RTA_MULTIPATH])
		take_hop(attrs.a[RTA_MULTIPATH], &route);
	route.metric = get_u32(&attrs, RTA_PRIORITY, 0);
	table = get_u32(&attrs, RTA_TABLE, rtm->rtm_table);
	if (table != HOST_TABLE)
		return append(&host->route, &host->routes, &route);
	if (rtm->rtm_protocol == PROTOCOL && route.metric == load->mark)
		return append(&host->own_route, &host->own, &route);
	return 0;
}

int host_load_routes(struct nlsock *rt, struct host *host, uint32_t mark)
{
	struct load load = { .host = host, .mark = mark };

	return dump(rt, RTM_GETROUTE, sizeof(struct rtmsg), take_route, &load);
}

void host_free(struct host *host)
{
	free(host->addr);
	free(host->route);
	free(host->own_route);
	memset(host, 0, sizeof(*host));
}

const struct host_route *host_find_route(const struct host *host,
					 const struct addr *dst)
{
	const struct host_route *r, *best = NULL;
	unsigned int i;

	for (i = 0; i < host->routes; i++) {
		r = &host->route[i];
		if (r->dst.len != dst->len || !r->oif ||
		    !addr_within(dst, &r->dst, r->dst_len))
			continue;
		if (!best || r->dst_len > best->dst_len ||
		    (r->dst_len == best->dst_len && r->metric < best->metric))
			best = r;
	}
	return best;
}

bool host_same_route(const struct host_route *a, const struct host_route *b)
{
	return a->dst_len == b->dst_len && a->oif == b->oif &&
	       addr_equal(&a->dst, &b->dst) && addr_equal(&a->via, &b->via) &&
	       addr_equal(&a->src, &b->src);
}

static int send_route(struct nlsock *rt, uint16_t type, uint16_t flags,
		      const struct host_route *route, uint32_t mark)
{
	char buf[NLSOCK_REQUEST];
	struct nlmsghdr *nlh;
	struct rtmsg *rtm;

	nlh = nlsock_begin(rt, buf, type, NLM_F_ACK | flags);
	rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	rtm->rtm_family = route->dst.len == 4 ? AF_INET : AF_INET6;
	rtm->rtm_dst_len = route->dst_len;
	rtm->rtm_table = HOST_TABLE;
	rtm->rtm_protocol = PROTOCOL;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = route->via.len || route->dst.len == 16 ?
			 RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	if (route->dst_len)
		mnl_attr_put(nlh, RTA_DST, route->dst.len, route->dst.b);
	if (route->via.len)
		mnl_attr_put(nlh, RTA_GATEWAY, route->via.len, route->via.b);
	mnl_attr_put(nlh, RTA_PREFSRC, route->src.len, route->src.b);
	mnl_attr_put_u32(nlh, RTA_OIF, route->oif);
	mnl_attr_put_u32(nlh, RTA_PRIORITY, mark);
	return nlsock_talk(rt, nlh, NULL, NULL);
}

int host_add_route(struct nlsock *rt, const struct host_route *route,
		   uint32_t mark)
{
	return send_route(rt, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route,
			  mark);
}

int host_delete_route(struct nlsock *rt, const struct host_route *route,
		      uint32_t mark)
{
	return send_route(rt, RTM_DELROUTE, 0, route, mark);
}
