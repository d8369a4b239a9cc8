/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM postern

#if !defined(_POSTERN_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _POSTERN_TRACE_H

#include <linux/skbuff.h>
#include <linux/tracepoint.h>
#include "postern_drop.h"

#define POSTERN_TRACE_REASON(sym, name, text) { POSTERN_DROP_##sym, name },

TRACE_EVENT(postern_drop,
	TP_PROTO(const struct sk_buff *skb, __be32 spi, u32 policy,
		 enum postern_drop_reason reason),
	TP_ARGS(skb, spi, policy, reason),

	TP_STRUCT__entry(
		__field(const void *, skbaddr)
		__field(unsigned int, len)
		__field(u32, spi)
		__field(u32, policy)
		__field(u32, reason)
	),

	TP_fast_assign(
		__entry->skbaddr = skb;
		__entry->len = skb->len;
		__entry->spi = be32_to_cpu(spi);
		__entry->policy = policy;
		__entry->reason = reason;
	),

	TP_printk("skbaddr=%p len=%u spi=0x%08x policy=%u reason=%s",
		  __entry->skbaddr, __entry->len, __entry->spi, __entry->policy,
		  __print_symbolic(__entry->reason,
				   POSTERN_DROP_REASONS(POSTERN_TRACE_REASON)
				   { 0, "" }))
);

#endif /* _POSTERN_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
