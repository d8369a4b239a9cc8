#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who sends to 10^5 hosts for which there is no SA, 10^5 SPIs that nobody knows, or halves
# of packets whose other half never comes costs the host no more memory than a bound and
# its listeners no more than a few events, and a flow through an SA keeps most of its
# packets (known-bugs.md, "exhaustion").
#
#	a (Postern) ===== b (Postern)
#
# timeout: 300
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

N=100000
load_postern
topo_pair
ip -n a route add 10.64.0.0/10 via 10.0.0.2
addr a lo 10.9.0.1/32
addr b lo 10.9.0.2/32
ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
ip -n b route add 10.9.0.1 via 10.0.0.1 src 10.9.0.2
tunnel a b postern 1 10.0.0.1 10.0.0.2 10.9.0.1/32 10.9.0.2/32
# each destination its own SA
run_in a postern policy add dir out src 0.0.0.0/0 dst 10.64.0.0/10 tmpl proto esp mode transport
ping_ok a 10.9.0.2

slab() { awk '$1 == "Slab:" { print $2 }' /proc/meminfo; }
# under NS KIND TO COUNT [WORD...]: of 300 packets through the SA while a flood lasts, how
# many are answered
under() {
	ip netns exec "$1" /usr/bin/python3 -B py/flood.py "$2" "$3" "$4" 3 "${@:5}" >/run/flood &
	local flood=$!

	ip netns exec a ping -n -q -c 300 -i 0.01 -W 5 10.9.0.2 | sed -n 's/.* \([0-9]*\) received.*/\1/p'
	wait $flood
}
most() {
	say "$1 of 300"
	(($1 >= 200))
}
unknown() { [[ $(stat_of a unknown-spi) = "$sent" ]]; }

background a postern -j monitor acquire >/run/acquires
wait_monitor a 1
before=$(slab)
answered=$(under a udp 10.64.0.0 $N)
sent=$(</run/flood)
say "$sent flows, slab grew by $(($(slab) - before)) KiB"
check "flows without an SA leave the other its packets" most "$answered"
# on a slow machine the first have waited long enough already
stats=$(ip netns exec a postern -j stats)
check "4096 of them wait at most" jq -e '.held <= 4096 and any(.drops[]; .reason == "out-hold-full" and .packets > 0)' <<<"$stats"
check "the others are counted" expect flows "$sent" "$(jq '.held + ([.drops[] |
	select(.reason == "out-hold-full" or .reason == "out-no-sa") | .packets] | add)' <<<"$stats")"
check "memory is bounded" test $(($(slab) - before)) -lt 80000
before=$(slab)
asked=$(wc -l </run/acquires)
run_in a python -B py/flood.py udp 10.96.0.0 $N 0
say "as many once more, slab grew by $(($(slab) - before)) KiB, asked $asked, then $(($(wc -l </run/acquires) - asked))"
check "as many flows once more need none" test $(($(slab) - before)) -lt 8000

MAC=$(ip -n a -j link show veth0 | jq -r '.[0].address')
background a postern -j monitor sa >/run/events
wait_monitor a 2
before=$(slab) begun=$SECONDS
answered=$(under b esp 10.0.0.1 $N veth0 "$MAC")
sent=$(</run/flood)
say "$sent SPIs, slab grew by $(($(slab) - before)) KiB"
check "unknown SPIs leave the other its packets" most "$answered"
check "each is counted" busywait 10 unknown
check "they need no memory" test $(($(slab) - before)) -lt 8000
check "listeners hear of few" test "$(wc -l </run/events)" -le $((10 * (SECONDS - begun + 2)))

# halves of ESP and of UDP, and halves of what an SA brings
reassembly() { ip netns exec a sed -n 's/^FRAG: .* memory //p' /proc/net/sockstat; }
bounded() { # WHAT
	say "$(</run/flood), slab grew by $(($(slab) - before)) KiB, reassembly holds $(reassembly)"
	check "$1 leave the other its packets" most "$answered"
	check "$1: what waits is bounded" test "$(reassembly)" -le $(($(ip netns exec a sysctl -n net.ipv4.ipfrag_high_thresh) + 4096))
	check "$1: memory is bounded" test $(($(slab) - before)) -lt 25000
}
taken() { [[ $(($(stat_of a in-fragments) + $(stat_of a in-memory))) = "$(</run/flood)" ]]; }
before=$(slab)
answered=$(under b halves 10.0.0.1 $((N / 5)) veth0 "$MAC")
bounded "halves of packets"
answered=$(under b inner 10.9.0.1 $((N / 10)))
bounded "halves through an SA"
check "each of these waits or is counted" busywait 10 taken
