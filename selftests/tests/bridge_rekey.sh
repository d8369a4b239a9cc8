#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The CHILD_SA is rekeyed, by either side, under a running ping: nothing is lost.
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

background hosta ping -n -i 0.05 -W 10 10.2.0.2 >"$IKE/ping"
ping=$BACKGROUND
busywait 10 grep -q icmp_seq=10 "$IKE/ping"

other_spi() { [[ $(sa_spis gwa out | tail -n 1) != "$1" ]]; }
for by in gwa gwb gwa gwb gwa; do
	old=$(sa_spis gwa out | tail -n 1)
	sw $by --rekey --child net
	busywait 20 other_spi "$old"
	# Long enough for traffic on the new one while the old one is still there.
	sleep 1
done
busywait 30 children_are gwa 1
kill -INT "$ping"
wait "$ping" || true
tail -n 3 "$IKE/ping"
expect "rekeyed SAs left in Postern" 2 "$(run_in gwa postern -j state list | jq length)"
check "rekey_loses_no_packet" grep -q ' 0% packet loss' "$IKE/ping"
check "pings_went_through_all_of_it" test "$(awk '/packets transmitted/ { print $1 }' "$IKE/ping")" -gt 100
