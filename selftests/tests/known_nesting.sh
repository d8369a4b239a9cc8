#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A tunnel whose own packets lead into it again: the way of a packet ends before the kernel's
# stack does, sooner where tunnels count as two devices (since 7.x), and also where no device
# is in the circle.  And what a tunnel of the kernel
# has brought, which bears its metadata_dst, is not taken for what came through an SA
# (known-bugs.md, "nesting" and "references").
#
#	a (Postern) ------ b
#
# timeout: 120
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

load_postern
topo_pair
addr a lo 10.9.0.1/32 fd09::1/128

# loop NAME KIND SELECTOR...: ESP to the other end of a tunnel goes into that tunnel
loop() {
	local name=$1 kind=$2 v=$3 from to far before loops

	from=10.0.0.1 to=10.0.0.2 far=10.9.0.2
	[[ $v = 4 ]] || from=fd00::1 to=fd00::2 far=fd09::2
	run_in a ip link add loop type "$kind" local $from remote $to ttl 64 "${@:4}"
	# with no address of its own it sends nothing by itself
	ip -n a link set loop addrgenmode none
	ip -n a link set loop up mtu 9000
	ip -n a route add $far dev loop
	run_in a postern state add src $from dst $far proto esp spi 0x1001 reqid 1 mode tunnel dir out \
		aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
	run_in a postern policy add dir out src $from dst $to \
		tmpl src $from dst $far proto esp reqid 1 mode tunnel
	before=$(stat_of a out-packets)
	check "$name: its way ends once" drops_by a out-nesting=1 out-stack='*' -- ping_lost a $far -s 100
	loops=$(($(stat_of a out-packets) - before))
	say "$name: $loops packets"
	check "$name: it came to Postern again" test "$loops" -gt 1
	check "$name: and not for ever" test "$loops" -le 4
	check "$name: each of them is sent or dropped" busywait 5 balance
	run_in a postern policy flush
	run_in a postern state flush
	ip -n a link del loop
	check "$name: the host still works" ping_ok a $to
}
balance() {
	local s

	s=$(ip netns exec a postern -j stats)
	jq -e '."out-packets" == ."out-sent" + ([.drops[] | select(.reason | startswith("out-")) | .packets] | add)' <<<"$s"
}
ip -n a link set veth0 mtu 9000
ip -n b link set veth0 mtu 9000
loop GRE gre 4
loop IPIP ipip 4
loop IP6TNL ip6tnl 6 mode ip6ip6 encaplimit none

# again NAME: what is protected comes to Postern again without any device in between
again() {
	local loops before

	before=$(stat_of a out-packets)
	check "$1: its way ends once" drops_by a out-nesting=1 out-stack='*' -- ping_lost a 10.0.0.2 -s 100
	loops=$(($(stat_of a out-packets) - before))
	say "$1: $loops packets"
	check "$1: it came to Postern again" test "$loops" -gt 1
	check "$1: and not for ever" test "$loops" -le 6
	check "$1: each of them is sent or dropped" busywait 5 balance
}
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x2001 reqid 2 mode tunnel dir out \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
run_in a postern policy add dir out tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 2 mode tunnel
run_in a nft 'table ip change { chain out { type filter hook output priority 0; meta l4proto esp @th,0,32 set 0x1; }; }'
again "an SPI that nftables changes"
run_in a nft delete table ip change
run_in a ip xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x3001 reqid 3 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
run_in a ip xfrm policy add dir out src 0.0.0.0/0 dst 0.0.0.0/0 \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 3 mode tunnel
again "XFRM, which protects all as well"
run_in a ip xfrm policy flush
run_in a ip xfrm state flush
run_in a postern policy flush
run_in a postern state flush
check "the host still works" ping_ok a 10.0.0.2

# a device that leaves the choice of tunnels to others hands them its metadata_dst
run_in a ip link add md type gre external
run_in b ip link add md type gre local 10.0.0.2 remote 10.0.0.1 key 7
for n in a b; do
	ip -n $n link set md up
done
addr a md 10.20.0.1/24
addr b md 10.20.0.2/24
echoes() { ip netns exec a nstat -asz IcmpInEchos | awk '/IcmpInEchos/ { print $2 }'; }
before=$(echoes)
ping_lost b 10.20.0.1		# a knows no way back
check "what a tunnel has brought is received" expect echoes 1 $(($(echoes) - before))
run_in a postern policy add dir in src 10.20.0.2 dst 10.20.0.1 \
	tmpl src 10.0.0.2 dst 10.0.0.1 proto esp reqid 1 mode tunnel
ping_lost b 10.20.0.1 -c 3 -i 0.2
check "it is cleartext to Postern" expect drops 3 "$(stat_of a in-cleartext)"
check "and not received" expect echoes 1 $(($(echoes) - before))
