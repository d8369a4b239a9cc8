#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Under traffic on both CPUs SAs and policies are replaced, deleted and flushed, keys
# change at every moment, many lifetimes end in one second, counters are read all the
# time and 64 dumps slowly, somebody listens and never reads, the path of each SA turns
# out narrow, the link goes and comes, and namespaces come and go: nothing leaves in
# clear, and afterwards all is as it was.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 180
# lanes: debug kcsan
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

ALG=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)

base() { # NS OUT-SRC OUT-DST
	run_in "$1" postern policy add dir out src "$2/32" dst "$3/32" priority 100 tmpl src "$2" dst "$3" proto esp reqid 1 mode tunnel
	run_in "$1" postern policy add dir in src "$3/32" dst "$2/32" tmpl src "$3" dst "$2" proto esp reqid 1 mode tunnel
	run_in "$1" postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel "${ALG[@]}"
	run_in "$1" postern state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x1002 reqid 1 mode tunnel "${ALG[@]}"
}

counts() { ip netns exec a postern -j stats | jq -c '[."sa-count", ."policy-count"]'; }
used_by() { grep -qx "$1" /sys/module/postern/refcnt; }

topo_pair
load_postern
base a 10.0.0.1 10.0.0.2
base b 10.0.0.2 10.0.0.1
ping_ok a 10.0.0.2
before=$(counts) held=$(cat /sys/module/postern/refcnt)
# what comes is seen there once more behind its SA; what no policy is about, in clear
addr b lo 10.0.9.2/32
ip -n a route add 10.0.9.2 via 10.0.0.2
capture a veth0 "$RESULTS/clear" src 10.0.0.1 and '(icmp or udp port 7000)'
ping_ok a 10.0.9.2
pings=()
for cpu in 0 1; do
	background a taskset -c $cpu ping -q -f -s 1000 10.0.0.2
	pings+=("$BACKGROUND")
	background b taskset -c $cpu ping -q -f -s 3000 10.0.0.1
	pings+=("$BACKGROUND")
done

pp /usr/bin/python3 -B py/race.py 300 &
race=$!
for i in {1..10}; do
	ip netns add "n$i"
	ip -n "n$i" link set lo up
	ip netns exec "n$i" postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel "${ALG[@]}"
	ip netns exec "n$i" postern policy add dir out src 10.0.0.1 dst 10.0.0.2 action discard
	ip -n a link set veth0 down
	ip -n a link set veth0 up
	ip netns del "n$i"
done
check "all programs go through" wait $race
kill "${pings[@]}"
wait "${pings[@]}" || true
run_in a postern state flush owner 7
run_in a postern policy flush owner 7
run_in b postern state flush owner 7
check "what was there before, and no more" expect "SAs and policies" "$before" "$(counts)"
check "namespaces that are gone hold nothing" busywait 20 used_by "$held"
check "packets add up" busywait 10 accounts_balance a
check "it works" ping_ok a 10.0.0.2
# the link came and went, and the capture still sees
ip -n a route replace 10.0.9.2 via 10.0.0.2
ping_ok a 10.0.9.2
capture_end
check "nothing left in clear but two that may" expect "packets" "2 2" \
	"$(packets_in "$RESULTS/clear") $(packets_in "$RESULTS/clear" dst 10.0.9.2)"
