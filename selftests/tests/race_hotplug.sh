#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A CPU goes off and comes back under traffic on both: what waited on it goes on elsewhere,
# nothing is lost uncounted, and it works afterwards as before.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 120
# lanes: stock
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
transport a b postern 1 10.0.0.1 10.0.0.2
online=/sys/devices/system/cpu/cpu1/online
[[ -w $online ]] || skip "CPU 1 cannot go off"
before=0
delivers() { (($(stat_of a in-delivered) > before + 50)); }
for i in {1..4}; do
	pings=()
	for cpu in 0 1; do
		background a taskset -c $cpu ping -q -f -l 50 -s 500 10.0.0.2
		pings+=("$BACKGROUND")
		background b taskset -c $cpu ping -q -f -l 50 -s 3000 10.0.0.1
		pings+=("$BACKGROUND")
	done
	before=$(stat_of a in-delivered)
	check "$i: under traffic" busywait 10 delivers
	check "$i: goes" pp tee $online <<<0
	before=$(stat_of a in-delivered)
	check "$i: it goes on" busywait 10 delivers
	check "$i: comes" pp tee $online <<<1
	kill "${pings[@]}"
	wait "${pings[@]}" || true
	for ns in a b; do
		check "$i: $ns has lost nothing" busywait 10 accounts_balance $ns
	done
	check "$i: works on CPU 0" ping_ok a 10.0.0.2 -i 0.2
	check "$i: works on CPU 1" run_in a taskset -c 1 ping -n -q -c 3 -i 0.2 -W 10 10.0.0.2
done
