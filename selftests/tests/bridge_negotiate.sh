#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Stock strongSwan negotiates with the stock kernel on the other side; the
# bridge copies what it installs, both families pass, and the daemon shows
# Postern's counters; what it deletes is deleted.
#
# lanes: stock debug matrix
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

topo_sites
# shellcheck disable=SC2119
load_postern
bridge_start gwa
# shellcheck disable=SC2119
ike_sites

bypass='[.[] | select(.action == "bypass" and .owner == 77)] | length'
# Four addresses, two ports, in and out.
expect "IKE passes by visible policies" 16 "$(run_in gwa postern -j policy list | jq "$bypass")"
sw gwa --initiate --child net

states() { run_in gwa postern -j state list | jq -r '[.[] | select(.owner == 77)] | '"$1"; }
policies() { run_in gwa postern -j policy list | jq -r '[.[] | select(.owner == 77 and .action == "protect")] | '"$1"; }
expect "SAs" 2 "$(states length)"
expect "policies" 6 "$(policies length)"

decimal() { while read -r n; do echo $((n)); done; }
spis() { sort | tr '\n' ' '; }
check "bridge_copies_the_spis" expect spis "$(ip -n gwa xfrm state | awk '/spi/ { print $4 }' | decimal | spis)" \
	"$(states '.[].spi' | spis)"
check "bridge_copies_the_keys" expect keys "$(ip -n gwa xfrm state | awk '/aead/ { print $3 }' | spis)" \
	"$(run_in gwa postern -j -keys state list | jq -r '.[].aead.key' | spis)"
check "bridge_copies_the_priorities" expect priorities \
	"$(ip -n gwa xfrm policy | awk '/dir (in|out|fwd)/ { print $4 }' | spis)" "$(policies '.[].priority' | spis)"
log_has_no_keys() {
	local key

	for key in $(ip -n gwa xfrm state | awk '/aead/ { print substr($3, 3, 16) }'); do
		! grep -q "$key" "$IKE/bridge.log" || return 1
	done
}
check "bridge_logs_no_keys" log_has_no_keys

for dir in 'hosta 10.2.0.2' 'hosta fd02::2' 'hostb 10.1.0.2' 'hostb fd01::2'; do
	# shellcheck disable=SC2086 # two words
	check "ping_${dir/ /_to_}" ping_ok $dir
done
# The gateway itself has an address in the tunnel only by the bridge's route.
check "gateway_uses_the_inner_address" expect "source address" 10.1.0.1 \
	"$(ip -n gwa route get 10.2.0.2 | sed -n 's/.* src \([^ ]*\).*/\1/p')"
check "gateway_pings_into_the_tunnel" ping_ok gwa 10.2.0.2
check "gateway_pings_into_the_tunnel_v6" ping_ok gwa fd02::2
check "ping_in_fragments" ping_ok hosta 10.2.0.2 -s 20000
capture gwa pub /run/pub.pcap -Q out -s 200
background hostb iperf3 -s -1
wait_listen hostb tcp 5201
check "tcp" run_in hosta iperf3 -c 10.2.0.2 -n 2M
capture_end
check "only_esp_from_a" expect "packets of gwa that are not ESP" 0 \
	"$(packets_in /run/pub.pcap 'src 192.0.2.1 and not esp and not (udp and (port 500 or port 4500)) and not arp')"

sleep 1.5
counters() {
	states '(map(select(.dst == "192.0.2.1") | .usage.packets) | add | tostring) + " " +
		(map(select(.dst == "192.0.2.2") | .usage.packets) | add | tostring)'
}
check "swanctl_shows_the_counters_of_postern" expect packets "$(counters)" "$(sa_packets gwa in) $(sa_packets gwa out)"
check "counters_moved" test "$(sa_packets gwa out)" -gt 100
# The shadow in XFRM has the numbers with which a daemon would go on.
check "xfrm_has_the_sequence_number" expect oseq "$(states '.[] | select(.dst == "192.0.2.2") | .replay.oseq')" \
	"$(ip -n gwa xfrm state | awk '/src 192.0.2.1/ { out = 1 } /src 192.0.2.2/ { out = 0 }
		out && /anti-replay context/ { sub(/,/, "", $6); print $6 }' | decimal)"


addr gwa pub 192.0.2.9/24
bypasses_are() { [[ $(ip netns exec gwa postern -j policy list | jq "$bypass") = "$1" ]]; }
check "ike_may_pass_by_a_new_address" busywait 3 bypasses_are 20
pp ip -n gwa addr del 192.0.2.9/24 dev pub

sw gwa --terminate --ike site
all_gone() { [[ $(states length) = 0 && $(policies length) = 0 ]]; }
check "deleted_with_the_daemons" busywait 5 all_gone
check "routes_are_gone" expect "routes in table 220" '' "$(ip -n gwa route show table 220)$(ip -n gwa -6 route show table 220)"
check "ike_may_still_pass" expect "policies of IKE" 16 "$(run_in gwa postern -j policy list | jq "$bypass")"
