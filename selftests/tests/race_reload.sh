#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module goes and comes again and again, under traffic on both CPUs, while programs
# configure it, dump it and listen.  As long as a policy says PROTECT it stays, and nothing
# leaves in clear; what was configured before is not there afterwards.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 180
# lanes: debug kcsan
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

ROUNDS=3
topo_pair
# who asks for the family does not bring it back
sysctl -qw kernel.modprobe=
pings=()
for cpu in 0 1; do
	background a taskset -c $cpu ping -q -i 0.01 -s 1000 10.0.0.2
	pings+=("$BACKGROUND")
	background b taskset -c $cpu ping -q -i 0.01 -s 3000 10.0.0.1
	pings+=("$BACKGROUND")
done
background a /usr/bin/python3 -B py/reload.py >/run/programs
programs=$BACKGROUND
canaries() {
	# shellcheck disable=SC2016
	ip netns exec a bash -c 'for i in {1..50}; do echo canary >/dev/udp/10.0.0.2/7000; done'
}
# of a, where what comes through an SA is seen once more
capture a veth0 /run/clear src 10.0.0.1 and udp port 7000
in_clear() { [[ $(packets_in /run/clear) = "$1" ]]; }
canaries
busywait 5 in_clear 50
for ((i = 1; i <= ROUNDS; i++)); do
	load_postern
	check "$i: configured anew" transport a b postern 1 10.0.0.1 10.0.0.2
	ping_ok a 10.0.0.2
	canaries &
	for try in {1..5}; do
		check "$i: stays, $try" expect_fail -m 'in use' rmmod postern
	done
	wait $!
	for ns in a b; do
		run_in $ns postern policy flush
	done
	check "$i: goes" busywait 20 rmmod postern
done
kill -TERM "$programs"
check "nothing else was refused" wait "$programs"
cat /run/programs
kill "${pings[@]}"
wait "${pings[@]}" || true
capture_end
check "all programs went through, and met the module's absence" expect programs 4 \
	"$(jq -s '[.[] | select(.through > 0 and .away > 0)] | length' /run/programs)"
check "nothing left in clear but what was sent before" expect packets 50 "$(packets_in /run/clear)"
check "afterwards all is plain" ping_ok a 10.0.0.2
