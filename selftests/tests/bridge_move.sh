#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# MOBIKE: gateway A loses its address and gets another. strongSwan moves its SAs
# by deleting and adding them; Postern goes on with their numbers at the new
# address, and none is sent twice.  With such a window it adds them with what it read of
# their numbers, and a kernel that knows directions refuses what does not fit them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

topo_sites
# shellcheck disable=SC2119
load_postern
bridge_start gwa
ike_start gwa
ike_start gwb
ike_load gwb 192.0.2.2 %any 10.2.0.0/24 10.1.0.0/24
ike_load gwa %any 192.0.2.2 10.1.0.0/24 10.2.0.0/24 'replay_window = 1024'
# It would find its way over IPv6 as well.
pp ip -n gwa -6 addr flush dev pub
pp ip -n gwb -6 addr flush dev pub
sw gwa --initiate --child net
ping_ok hosta 10.2.0.2 -c 10 -i 0.1
spi=$(sa_spis gwa out)

capture gwb pub "$RESULTS/pub.pcap" esp and dst 192.0.2.2
addr gwa pub 192.0.2.7/24
ping_ok hosta 10.2.0.2
pp ip -n gwa addr del 192.0.2.1/24 dev pub
# With the primary address its secondaries may go, and routes through it.
ip -n gwa addr show dev pub | grep -q 192.0.2.7 || addr gwa pub 192.0.2.7/24
ip -n gwa route replace 10.2.0.0/24 via 192.0.2.2

moved() { ip netns exec gwa postern -j state list | jq -e 'any(.[]; .src == "192.0.2.7") and all(.[]; .src != "192.0.2.1" and .dst != "192.0.2.1")'; }
check "the_sas_are_moved" busywait 30 moved
check "traffic_goes_on" busywait 20 ping_ok hosta 10.2.0.2 -c 5 -i 0.1
check "it_is_the_same_sa" expect spi "$spi" "$(sa_spis gwa out)"
check "numbers_were_continued" grep -q "^SA added: esp 0x$spi 192.0.2.7.*numbers continued" "$IKE/bridge.log"
check "ike_passes_at_the_new_address" expect "policies" 4 \
	"$(run_in gwa postern -j policy list | jq '[.[] | select(.action == "bypass" and (.sel.src, .sel.dst) == "192.0.2.7/32")] | length')"
capture_end
numbers() { tcpdump -n -r "$RESULTS/pub.pcap" 2>/dev/null | grep -o "spi=0x$spi,seq=0x[0-9a-f]*"; }
check "both_addresses_sent" expect senders 2 "$(tcpdump -n -r "$RESULTS/pub.pcap" 2>/dev/null | awk '{ print $3 }' | sort -u | wc -l)"
check "no_number_twice" expect "numbers sent twice" '' "$(numbers | sort | uniq -d)"
