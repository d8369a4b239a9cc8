#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Multicast and broadcast pass the output hooks twice, once for the copy that stays on
# this host.  Under a policy neither leaves in clear, and each packet is protected once.
#
#	a (Postern) ------ b (listens to the cable only)
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
GROUP4=239.1.2.3 GROUP6=ff05::123

# send ADDRESS LOOP [HOPS]: 5 datagrams; what a member on this host got is in GOT.
send() { GOT=$(run_in a python -B py/t2_mcast.py veth0 "$1" "$2" 5 "${@:3}"); }
cap_begin() { capture a veth0 /run/out.pcap -Q out; }
on_wire() { packets_in /run/out.pcap "$1"; }

# what the stack does with none of our policies
for to in $GROUP4 10.0.0.255 $GROUP6; do
	cap_begin
	send "$to" 1
	capture_end
	check "$to without policies: sent" expect datagrams 5 "$(on_wire 'udp port 7000')"
	check "$to without policies: looped" expect datagrams 5 "$GOT"
done

# of an interface, or with no hop left (RFC 4291 section 2.7): for this host alone
node() { # NAME
	local words

	for words in 'ff01::123 1' "$GROUP6 1 0"; do
		cap_begin
		# shellcheck disable=SC2086 # words
		send $words
		capture_end
		check "$1, $words: nothing is sent" expect packets 0 "$(on_wire 'udp port 7000 or ip6[6] == 50')"
		check "$1, $words: looped" expect datagrams 5 "$GOT"
	done
}
node "without policies"

# round ACTION ESP LOCAL4: what is on the wire, and what a local member gets
round() {
	local loop to

	for loop in 0 1; do
		for to in $GROUP4 $GROUP6; do
			cap_begin
			send "$to" $loop
			capture_end
			check "$1, $to, loop $loop: nothing in clear" expect datagrams 0 "$(on_wire 'udp')"
			check "$1, $to, loop $loop: protected once" expect packets "$2" \
				"$(on_wire 'ip proto 50 or ip6[6] == 50')"
			[[ $to = *:* ]] || check "$1, $to, loop $loop: local member" \
				expect datagrams $((loop ? $3 : 0)) "$GOT"
		done
	done
	cap_begin
	send 10.0.0.255 1
	capture_end
	check "$1, broadcast: nothing in clear" expect datagrams 0 "$(on_wire 'udp')"
	check "$1, broadcast: protected once" expect packets "$2" "$(on_wire 'ip proto 50')"
	check "$1, broadcast: local listener" expect datagrams "$3" "$GOT"
}

run_in a postern policy add dir out src 0.0.0.0/0 dst 0.0.0.0/0 action discard
run_in a postern policy add dir out src ::/0 dst ::/0 proto udp action discard
run_in a postern policy add dir in src 0.0.0.0/0 dst 0.0.0.0/0 action discard
round discard 0 5
check "discard: counted" [ "$(stat_of a out-discard)" -ge 25 ]
run_in a postern policy flush

for n in 1 2; do
	run_in a postern policy add dir out src 0.0.0.0/0 dst 0.0.0.0/0 proto udp \
		tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel
	run_in a postern policy add dir in src 0.0.0.0/0 dst 0.0.0.0/0 proto udp \
		tmpl src 10.0.0.2 dst 10.0.0.1 proto esp reqid 1 mode tunnel
	run_in a postern policy add dir out src ::/0 dst ::/0 proto udp \
		tmpl src fd00::1 dst fd00::2 proto esp reqid 2 mode tunnel
	if ((n == 1)); then
		round "no SA" 0 5
		check "no SA: counted" [ "$(stat_of a out-no-sa)" -ge 25 ]
		run_in a postern policy flush
	fi
	((n == 2)) || {
		postern_sas a 1 10.0.0.1 10.0.0.2 tunnel
		postern_sas a 2 fd00::1 fd00::2 tunnel
	}
done
round tunnel 5 5
node tunnel

# an SA of transport mode for the group itself
run_in a postern policy flush
run_in a postern state flush
for to in $GROUP4 $GROUP6; do
	src=10.0.0.1
	[[ $to != *:* ]] || src=fd00::1
	run_in a postern state add src "$src" dst "$to" proto esp spi 0x3000 reqid 3 dir out \
		aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
	run_in a postern policy add dir out src "$src" dst "$to" tmpl proto esp reqid 3
	cap_begin
	send "$to" 1
	capture_end
	check "transport, $to: nothing in clear" expect datagrams 0 "$(on_wire 'udp')"
	check "transport, $to: protected once" expect packets 5 "$(on_wire 'ip proto 50 or ip6[6] == 50')"
	check "transport, $to: nothing came" expect packets 0 "$(stat_of a in-sa-state)"
done
