#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Killing the bridge changes nothing in the data plane, starting it again
# changes nothing in the databases, and it catches up with what it missed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

topo_sites
# shellcheck disable=SC2119
load_postern
bridge_start gwa
# shellcheck disable=SC2119
ike_sites
sw gwa --initiate --child net
ping_ok hosta 10.2.0.2

# All but what traffic moves; ids tell an SA from one that took its place.
databases() {
	run_in gwa postern -j -keys state list | jq -S 'map(del(.usage, .replay, .drops))'
	run_in gwa postern -j policy list | jq -S 'map(del(.usage))'
}
databases >"$IKE/before"

background hosta ping -n -i 0.05 -W 10 10.2.0.2 >"$IKE/ping"
ping=$BACKGROUND
busywait 10 grep -q icmp_seq=10 "$IKE/ping"
for signal in KILL TERM KILL; do
	bridge_kill $signal
	sleep 1
	bridge_start gwa
	databases >"$IKE/after"
	check "databases_equal_after_$signal" diff "$IKE/before" "$IKE/after"
done
pp kill -HUP "$BRIDGE"
sleep 1
databases >"$IKE/after"
check "databases_equal_after_HUP" diff "$IKE/before" "$IKE/after"
kill -INT "$ping"
wait "$ping" || true
tail -n 3 "$IKE/ping"
check "restart_loses_no_packet" grep -q ' 0% packet loss' "$IKE/ping"

# A rekey while nobody looks.
bridge_kill KILL
sw gwa --rekey --child net
busywait 20 children_are gwa 1
bridge_start gwa
check "catches_up_with_a_rekey" ping_ok hosta 10.2.0.2
expect "SAs after the rekey" 2 "$(run_in gwa postern -j state list | jq length)"

# A connection that ends while nobody looks.
bridge_kill KILL
sw gwa --terminate --ike site
expect "SAs that nobody deleted" 2 "$(run_in gwa postern -j state list | jq length)"
bridge_start gwa
check "catches_up_with_a_delete" expect SAs 0 "$(run_in gwa postern -j state list | jq length)"
check "policies_are_gone_too" expect policies 0 \
	"$(run_in gwa postern -j policy list | jq '[.[] | select(.action == "protect")] | length')"
sw gwa --initiate --child net
check "works_again" ping_ok hosta fd02::2
