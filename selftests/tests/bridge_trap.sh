#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# start_action = trap: traffic makes Postern ask for an SA, the bridge passes it
# on, strongSwan negotiates; the first packets wait and are not lost. After the
# SA is gone, the next packet brings another, also when Postern alone lost it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

topo_sites
# shellcheck disable=SC2119
load_postern
bridge_start gwa
ike_sites 'start_action = trap'
trapped() { [[ $(run_in gwa postern -j policy list | jq '[.[] | select(.action == "protect")] | length') = 6 ]]; }
busywait 10 trapped
expect "SAs before the first packet" 0 "$(run_in gwa postern -j state list | jq length)"

capture gwa pub "$RESULTS/pub.pcap" -Q out
run_in hosta ping -n -c 5 -i 0.2 -W 20 10.2.0.2 | tee "$IKE/ping"
check "first_packets_are_held_not_lost" grep -q ' 0% packet loss' "$IKE/ping"
check "acquire_was_passed_on" grep -q '^acquire passed on' "$IKE/bridge.log"
expect "SAs of one negotiation" 2 "$(run_in gwa postern -j state list | jq length)"

sw gwa --terminate --ike site
busywait 10 sas_are gwa 0
busywait 10 trapped
run_in hosta ping -n -c 3 -i 0.2 -W 20 fd02::2 | tee "$IKE/ping"
check "trap_springs_again" grep -q ' 0% packet loss' "$IKE/ping"

spi=$(sa_spis gwa out)
pp ip netns exec gwa postern state flush
gone() { ! sa_spis gwa out | grep -qx "$spi"; }
check "the_daemon_hears_of_a_lost_sa" busywait 20 gone
check "by_the_bridge" grep -q '^SA lost, the daemon was told' "$IKE/bridge.log"
check "and_makes_another" busywait 30 ping_ok hosta fd02::2
capture_end
check "nothing_in_clear" expect "packets in clear" 0 \
	"$(packets_in "$RESULTS/pub.pcap" 'src 10.1.0.2 or src fd01::2')"
