#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Killing the bridge changes nothing in the data plane, starting it again
# changes nothing in the databases, and it catches up with what it missed.
# Nothing goes out in clear when it, the daemon, or both are dead, nor when
# they come back.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"
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

# What all of this sends by the outside link; IKE may.
talk() {
	background hosta ping -n -q -i 0.05 fd02::2 >/dev/null
	TALK=$BACKGROUND
	capture gwa pub "/run/$1.pcap" -Q out -s 200
}
clear_of() { packets_in "/run/$1.pcap" "not (udp port 500 or udp port 4500) and not ($NOT_CLEAR)"; }
talk bridge
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
check "catches_up_with_a_rekey" busywait 20 ping_ok hosta 10.2.0.2 -W 1
busywait 20 sas_are gwa 2

# A connection that ends while nobody looks.
bridge_kill KILL
sw gwa --terminate --ike site
expect "SAs that nobody deleted" 2 "$(run_in gwa postern -j state list | jq length)"
kill -INT "$TALK"
wait "$TALK" || true
bridge_start gwa
check "catches_up_with_a_delete" expect SAs 0 "$(run_in gwa postern -j state list | jq length)"
check "policies_are_gone_too" expect policies 0 \
	"$(run_in gwa postern -j policy list | jq '[.[] | select(.action == "protect")] | length')"
# the capture sees what no policy is about any more
ping_lost hosta 10.2.0.3
capture_end
check "bridge: nothing in clear while there were policies" expect packets 1 "$(clear_of bridge)"
check "bridge: and that was after it" expect packets 1 "$(packets_in /run/bridge.pcap dst 10.2.0.3)"
sw gwa --initiate --child net
check "works_again" ping_ok hosta fd02::2

daemon_start() {
	ike_start gwa
	ike_load gwa 192.0.2.1 192.0.2.2 10.1.0.0/24,fd01::/64 10.2.0.0/24,fd02::/64
	sw gwa --initiate --child net
}
daemon_kill() {
	pp kill -KILL "${CHARON[gwa]}"
	wait "${CHARON[gwa]}" || true
}
talk daemon
daemon_kill
check "the daemon is dead: protected traffic goes on" ping_ok hosta 10.2.0.2
daemon_start
check "the daemon is back" busywait 20 ping_ok hosta 10.2.0.2
daemon_kill
bridge_kill KILL
check "both are dead: protected traffic goes on" ping_ok hosta 10.2.0.2
bridge_start gwa
daemon_start
check "both are back" busywait 20 ping_ok hosta 10.2.0.2
daemon_kill
bridge_kill KILL
daemon_start
bridge_start gwa
check "the daemon is back before the bridge" busywait 20 ping_ok hosta 10.2.0.2
kill -INT "$TALK"
capture_end
check "daemon: nothing in clear" expect packets 0 "$(clear_of daemon)"
check "daemon: what was protected" [ "$(packets_in /run/daemon.pcap 'ip proto 50')" -ge 20 ]
