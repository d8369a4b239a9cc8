#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A namespace's packets meet us from its first SA or policy on, not before: neither
# loading the module, nor reading, nor a refused request costs it a hook.  Probes at
# the hook functions count who comes.
#
#	a ------ b
#
# timeout: 240
# lanes: stock
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

TRACE=/sys/kernel/tracing
HOOKS=({pre_routing,local_in,post_routing,post_nat}_ipv{4,6})
topo_pair
load_postern
mount -t tracefs none $TRACE 2>/dev/null || true
for h in "${HOOKS[@]}"; do
	pp eval "echo 'p:postern/$h postern:$h' >>$TRACE/kprobe_events"
done
echo 1 >$TRACE/events/postern/enable
cleanup_more() {
	echo 0 >$TRACE/events/postern/enable
	echo >$TRACE/kprobe_events
}
pings() { # packets between a and b, and how often they met a hook
	local before

	before=$(awk '{ n += $2 } END { print n + 0 }' $TRACE/kprobe_profile)
	ping_ok a 10.0.0.2 >&2
	ping_ok a fd00::2 >&2
	awk -v b="$before" '{ n += $2 } END { print n - b }' $TRACE/kprobe_profile
}

run_in a postern
run_in a postern stats
run_in a postern state list
run_in a postern policy list
run_in a postern state flush
run_in a postern policy flush
expect_fail run_in a postern state get dst 10.0.0.2 proto esp spi 0x1101
expect_fail run_in a postern policy delete dir out src 10.0.0.1 dst 10.0.0.2
expect_fail run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1101 reqid 1 auth 'hmac(sha256)' 0x00
check "what only reads, or is refused, adds no hook" expect "meetings" 0 "$(pings)"

run_in a postern policy add dir out src 192.0.2.1 dst 192.0.2.2 action bypass
one=$(pings)
check "the first policy does, in both families" [ "$one" -gt 0 ]
run_in a postern policy flush
postern_sas b 1 192.0.2.2 192.0.2.1 transport
both=$(pings)
check "the first SA does as well, in its own namespace" [ "$both" -gt "$one" ]
met() { grep -Eq "^ *$1 +[1-9]" $TRACE/kprobe_profile; }
for h in {pre_routing,local_in,post_routing}_ipv{4,6}; do
	check "$h was met" met "$h"
done
