// SPDX-License-Identifier: GPL-2.0
/* The bridge: events and answers of XFRM, Postern and the host, of any content. */
#include "kernel.h"

#include "cmd.h"
#include "log.h"
#include "mirror.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IF_ID	77

struct options options;

bool option_take(struct args *a)
{
	(void)a;
	return false;
}

int cmd_run(struct args *a)
{
	(void)a;
	return EXIT_USAGE;
}

/* Nothing can be read past its end. */
static void *exactly(const char *buf, size_t head, size_t len)
{
	char *copy = calloc(1, head + len + !(head + len));

	memcpy(copy + head, buf, len);
	return copy;
}

static void step(struct mirror *m)
{
	uint8_t what = kernel_octet();
	struct nlmsghdr *nlh = NULL;
	static char buf[8192];
	size_t len;

	switch (what) {
	case 0:
		break;
	case 1:
		mirror_follow_host(m);
		break;
	case 2:
		mirror_write_numbers(m);
		break;
	case 3:
		mirror_drain_events(m);
		break;
	case 5:
		mirror_resync(m);
		break;
	case 4:
		what = kernel_octet();
		len = kernel_octets(buf, sizeof(buf));
		nlh = exactly(buf, 0, len);
		mirror_postern_event(what, nlh, len, m);
		break;
	default:
		len = kernel_octets(buf, sizeof(buf));
		nlh = exactly(buf, MNL_NLMSG_HDRLEN, len);
		nlh->nlmsg_len = MNL_NLMSG_HDRLEN + len;
		nlh->nlmsg_type = what;
		mirror_xfrm_event(nlh, m);
		break;
	}
	free(nlh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl nl, events;
	struct nlsock xfrm, rt;
	struct mirror m = { .if_id = IF_ID, .nl = &nl, .events = &events,
			    .xfrm = &xfrm, .rt = &rt };
	static FILE *devnull;
	FILE *out = stdout, *err = stderr;

	if (!devnull)
		devnull = fopen("/dev/null", "w");
	if (nl_open(&nl) || nl_open(&events) ||
	    nlsock_open(&xfrm, NETLINK_XFRM, NULL) ||
	    nlsock_open(&rt, NETLINK_ROUTE, NULL))
		abort();
	stdout = devnull;
	stderr = devnull;
	kernel_feed(data, size);
	while (kernel_more())
		step(&m);
	mirror_free(&m);
	stdout = out;
	stderr = err;
	nlsock_close(&rt);
	nlsock_close(&xfrm);
	nl_close(&events);
	nl_close(&nl);
	return 0;
}
