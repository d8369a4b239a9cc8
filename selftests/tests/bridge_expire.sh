#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Limits of traffic are Postern's to see: a soft one makes strongSwan rekey, a
# hard one makes it replace the SA. No packet is lost in the first case.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

topo_sites
# shellcheck disable=SC2119
load_postern
bridge_start gwa
ike_sites 'rekey_packets = 40
	life_packets = 400
	rand_packets = 0
	start_action = trap'
sw gwa --initiate --child net
first=$(sa_spis gwa out)
run_in hosta ping -n -c 100 -i 0.05 -W 10 10.2.0.2 >"$IKE/ping"
tail -n 2 "$IKE/ping"
other_spi() { [[ $(sa_spis gwa out | tail -n 1) != "$1" ]]; }
check "soft_limit_makes_the_daemon_rekey" busywait 20 other_spi "$first"
check "soft_limit_was_told" grep -q '^SA expired (soft), the daemon was told' "$IKE/bridge.log"
check "nothing_was_lost" grep -q ' 0% packet loss' "$IKE/ping"

# The daemon is too slow: it is stopped until the hard limit has passed.
busywait 30 children_are gwa 1
second=$(sa_spis gwa out)
run_in hosta ping -n -q -c 1 10.2.0.2
daemon=$(pgrep -f "STRONGSWAN_CONF=$IKE/gwa|/usr/sbin/charon-systemd" | while read -r p; do
	[[ $(ip netns identify "$p") != gwa || $(readlink "/proc/$p/exe") != */charon-systemd ]] || echo "$p"
done | head -n 1)
kill -STOP "$daemon"
run_in hosta ping -n -q -c 500 -i 0.005 -W 1 10.2.0.2 || true
check "hard_limit_was_told" busywait 5 grep -q '^SA expired (hard)' "$IKE/bridge.log"
kill -CONT "$daemon"
check "the_daemon_replaces_the_sa" busywait 30 ping_ok hosta 10.2.0.2
check "by_another" other_spi "$second"
