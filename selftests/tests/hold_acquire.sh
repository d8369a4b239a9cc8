#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where somebody listens for acquires, packets wait for the SA that they ask for and go
# in their order when it comes; too many, or for too long, they are dropped and counted.
#
#	a (Postern) ===== b (XFRM)
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
key=$(hexkey 20)
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 proto udp \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode transport
run_in b ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1101 reqid 1 mode transport \
	replay-window 32 aead 'rfc4106(gcm(aes))' "$key" 128
sa() {
	run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1101 reqid 1 mode transport \
		dir out aead 'rfc4106(gcm(aes))' "$key" 128
}
# send FIRST LAST: numbered datagrams of one socket
send() { run_in a python -B py/t2_datagrams.py 10.0.0.2 7000 "$1" "$2"; }
asked() { [[ $(wc -l </run/acquires) = "$1" ]]; }
held() { stat_of a held; }
background b socat -u UDP4-RECV:7000 CREATE:/run/got
wait_listen b udp 7000

# nobody listens
send 1 3
check "without a listener none waits" expect held 0 "$(held)"
check "without a listener they are dropped at once" drops_are a out-no-sa=3

background a postern -j monitor acquire >>/run/acquires
listener=$BACKGROUND
wait_monitor a 1
send 101 110
check "with a listener they wait" expect held 10 "$(held)"
check "one acquire" busywait 3 asked 1
check "it names the SA that is wanted" expect acquire '10.0.0.1 10.0.0.2 esp transport 1' \
	"$(jq -r '.tmpl[0] | "\(.src) \(.dst) \(.proto) \(.mode) \(.reqid)"' /run/acquires)"
check "it shows the packet" expect packet '10.0.0.2/32 udp 7000' \
	"$(jq -r '.packet | "\(.dst) \(.proto) \(."dport-first")"' /run/acquires)"
check "nothing was received" expect file '' "$(cat /run/got)"
sa
check "they go when the SA comes" busywait 5 grep -qx 110 /run/got
check "in their order" expect datagrams "$(seq 101 110 | xargs)" "$(xargs </run/got)"
check "none waits any more" expect held 0 "$(held)"
send 111 112
check "and those behind them" expect datagrams "$(seq 101 112 | xargs)" "$(sleep 0.5; xargs </run/got)"
check "as many as were sent" expect packets 12 "$(stat_of a out-sent)"

# more than may wait
run_in a postern state delete dst 10.0.0.2 proto esp spi 0x1101
sleep 2.1
: >/run/acquires
send 201 300
check "64 wait" expect held 64 "$(held)"
check "the others are dropped" drops_are a out-no-sa=3 out-hold-full=36
check "asked once" busywait 3 asked 1
sleep 2.1
send 301 301
check "asked again after two seconds" busywait 3 asked 2
sa
check "the first 64 go" busywait 5 grep -qx 264 /run/got
check "and no other" expect datagrams "$(seq 201 264 | xargs)" "$(tail -n 64 /run/got | xargs)"
check "number 301 found no place" drops_are a out-no-sa=3 out-hold-full=37

# no SA comes
run_in a postern state delete dst 10.0.0.2 proto esp spi 0x1101
send 401 405
check "five wait" expect held 5 "$(held)"
none_held() { [[ $(held) = 0 ]]; }
check "not for ever" busywait 90 none_held
check "counted as without an SA" drops_are a out-no-sa=8 out-hold-full=37
sa
sleep 0.5
check "they are gone" expect_fail grep -qx 401 /run/got
run_in a postern state delete dst 10.0.0.2 proto esp spi 0x1101

# the policy goes while they wait: not in clear either
send 501 505
capture a veth0 /run/out.pcap -Q out udp
run_in a postern policy update dir out src 10.0.0.1 dst 10.0.0.2 proto udp action discard
sa
check "the policy has changed: none waits" busywait 5 none_held
capture_end
check "and none left in clear" expect packets 0 "$(packets_in /run/out.pcap)"
check "they are dropped" expect_fail grep -qx 501 /run/got
check "and counted" drops_are a out-no-sa=13 out-hold-full=37

# what waits is bounded by its memory as well: a megabyte for an SA
run_in a postern state flush
run_in a postern policy update dir out src 10.0.0.1 dst 10.0.0.2 proto udp \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode transport
for n in a b; do
	ip -n $n link set veth0 mtu 65535
done
large() {
	run_in a python -c 'import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, 32, 1 << 23)    # SO_SNDBUFFORCE
for _ in range(30):
    sock.sendto(bytes(60000), ("10.0.0.2", 7001))'
}
check "large ones: some find no place" drops_by a out-hold-full=+ -- large
waits=$(held)
say "$waits wait"
check "large ones: some wait" test "$waits" -ge 4
check "large ones: no more than a megabyte" test $((waits * 60000)) -le $((1 << 20))

# What the stack itself sends is charged to sockets of the whole host: they stay free.
run_in a postern policy add dir out src 10.0.0.1 dst 10.9.0.0/24 proto icmp tmpl proto esp reqid 3 mode transport
ip -n a route add 10.9.0.0/24 via 10.0.0.2
pings=()
for i in {1..8}; do
	addr b lo "10.9.0.$i/32"
	background b taskset -c 0 ping -q -f -c 60 -W 1 -I "10.9.0.$i" 10.0.0.1
	pings+=("$BACKGROUND")
done
wait "${pings[@]}" || true
check "answers to pings wait" test "$(held)" -ge 300
ns c
check "another namespace's do not" run_in c taskset -c 0 ping -q -c 3 -i 0.2 -W 3 127.0.0.1
kill "$listener"
