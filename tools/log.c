// SPDX-License-Identifier: GPL-2.0
#include "log.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

bool log_verbose;

void log_event(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void log_detail(const char *fmt, ...)
{
	va_list ap;

	if (!log_verbose)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static const char *text_of(const struct addr *addr, char *buf)
{
	if (!addr->len)
		return "any";
	return inet_ntop(addr->len == 4 ? AF_INET : AF_INET6, addr->b, buf,
			 INET6_ADDRSTRLEN);
}

const char *log_sa(const struct sa *sa, char *buf)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	const char *proto = sa->proto == IPPROTO_AH ? "ah" : "esp";

	snprintf(buf, LOG_TEXT, "%s 0x%08x %s -> %s", proto, ntohl(sa->spi),
		 text_of(&sa->src, src), text_of(&sa->dst, dst));
	return buf;
}

static int add_ports(char *buf, size_t size, const char *word, uint16_t first,
		     uint16_t last)
{
	if (first == last)
		return snprintf(buf, size, " %s %u", word, first);
	return snprintf(buf, size, " %s %u-%u", word, first, last);
}

const char *log_policy(uint8_t dir, const struct selector *sel, char *buf)
{
	static const char * const dirs[] = {
		[POSTERN_DIR_IN] = "in",
		[POSTERN_DIR_OUT] = "out",
		[POSTERN_DIR_FWD] = "fwd",
	};
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	int n;

	n = snprintf(buf, LOG_TEXT, "%s %s/%u -> %s/%u",
		     dir <= POSTERN_DIR_FWD && dirs[dir] ? dirs[dir] : "?",
		     text_of(&sel->src, src), sel->src_len,
		     text_of(&sel->dst, dst), sel->dst_len);
	if (sel->has & HAS(POSTERN_A_SELECTOR_PROTO))
		n += snprintf(buf + n, LOG_TEXT - n, " proto %u", sel->proto);
	if (sel->has & HAS(POSTERN_A_SELECTOR_SPORT_FIRST))
		n += add_ports(buf + n, LOG_TEXT - n, "sport",
			       sel->sport_first, sel->sport_last);
	if (sel->has & HAS(POSTERN_A_SELECTOR_DPORT_FIRST))
		n += add_ports(buf + n, LOG_TEXT - n, "dport",
			       sel->dport_first, sel->dport_last);
	if (sel->has & HAS(POSTERN_A_SELECTOR_IFINDEX))
		snprintf(buf + n, LOG_TEXT - n, " dev %u", sel->ifindex);
	return buf;
}
