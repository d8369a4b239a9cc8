// SPDX-License-Identifier: GPL-2.0
#include <net/dst_metadata.h>
#include "marker.h"
#include "net.h"

/**
 * postern_marker_set - note that a packet came through an SA
 * @pn: namespace
 * @skb: inner packet without a route
 *
 * The marker is no valid route, so that the stack looks one up as usual.  One per
 * CPU, so that its reference count is no shared cache line.
 */
void postern_marker_set(struct postern_net *pn, struct sk_buff *skb)
{
	struct dst_entry *dst = &pn->marker[smp_processor_id()]->dst;

	dst_hold(dst);
	skb_dst_set(skb, dst);
}

/* The type that no tunnel looks at, and our namespace where a device would be. */
bool postern_marker_is_ours(const struct postern_net *pn,
			    const struct sk_buff *skb)
{
	const struct metadata_dst *md = skb_metadata_dst(skb);

	return md && md->type == METADATA_HW_PORT_MUX &&
	       md->u.port_info.lower_dev == (void *)pn;
}

/* The last packet through an SA has gone its way. */
void postern_markers_free(struct postern_net *pn)
{
	unsigned int cpu;

	if (!pn->marker)
		return;
	for (cpu = 0; cpu < nr_cpu_ids; cpu++)
		if (pn->marker[cpu])
			dst_release(&pn->marker[cpu]->dst);
	kfree(pn->marker);
	pn->marker = NULL;
}

/* Context: process, configuration lock held. */
int postern_markers_alloc(struct postern_net *pn)
{
	unsigned int cpu;

	pn->marker = kcalloc(nr_cpu_ids, sizeof(*pn->marker), GFP_KERNEL);
	if (!pn->marker)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct metadata_dst *md;

		md = metadata_dst_alloc(0, METADATA_HW_PORT_MUX, GFP_KERNEL);
		if (!md) {
			postern_markers_free(pn);
			return -ENOMEM;
		}
		md->u.port_info.lower_dev = (void *)pn;
		pn->marker[cpu] = md;
	}
	return 0;
}
