#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A selector may name a device: a policy is about what leaves or comes by it, and about
# nothing else.  The same flow takes one cable or the other.
#
#	        a (Postern)                        b (XFRM)
#	lo      10.9.0.1, fd09::1                  10.9.0.2, fd09::2
#	veth0   10.0.0.1, fd00::1  --------------  10.0.0.2, fd00::2
#	veth1   10.0.1.1, fd01::1  --------------  10.0.1.2, fd01::2
#
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
link a veth1 b veth1
addr a veth1 10.0.1.1/24 fd01::1/64
addr b veth1 10.0.1.2/24 fd01::2/64
addr a lo 10.9.0.1/32 fd09::1/128
addr b lo 10.9.0.2/32 fd09::2/128
load_postern

# by N: the flow takes cable N in both directions
by() {
	ip -n a route replace 10.9.0.2 via "10.0.$1.2" src 10.9.0.1
	ip -n b route replace 10.9.0.1 via "10.0.$1.1" src 10.9.0.2
	ip -n a route replace fd09::2 via "fd0$1::2" src fd09::1
	ip -n b route replace fd09::1 via "fd0$1::1" src fd09::2
}

# on_cable ADDRESS: sets PROTECTED and CLEAR to what a sent for a ping, by cables.
on_cable() {
	local dev pids=()

	for dev in veth0 veth1; do
		capture a $dev /run/$dev.pcap -Q out
		pids+=("$CAPTURE")
	done
	ping_ok a "$1" || return 1
	for CAPTURE in "${pids[@]}"; do
		capture_end
	done
	PROTECTED='' CLEAR=''
	for dev in veth0 veth1; do
		PROTECTED+=$(packets_in /run/$dev.pcap 'ip proto 50 or ip6[6] == 50')/
		CLEAR+=$(packets_in /run/$dev.pcap "icmp or (ip6[6] == 58 and ip6[40] == 128)")/
	done
}

goes() { # ADDRESS PROTECTED CLEAR
	on_cable "$1" && expect "ESP by cable" "$2" "$PROTECTED" && expect "cleartext by cable" "$3" "$CLEAR"
}

for v in 4 6; do
	if ((v == 4)); then
		in=10.9.0 net=10.0.0 via=10.0.1
	else
		in=fd09: net=fd00: via=fd01:
	fi
	j=.
	((v == 4)) || j=:
	postern_sas a $v "$net${j}1" "$net${j}2" tunnel
	peer_sas b $v "$net${j}1" "$net${j}2" tunnel xfrm
	policies a postern $v "$in${j}1" "$in${j}2" "$net${j}1" "$net${j}2" tunnel dev veth0
	# XFRM's word means something else on the way in
	run_in b ip xfrm policy add dir out src "$in${j}2" dst "$in${j}1" dev veth0 \
		tmpl src "$net${j}2" dst "$net${j}1" proto esp reqid $v mode tunnel
	run_in b ip xfrm policy add dir in src "$in${j}1" dst "$in${j}2" \
		tmpl src "$net${j}1" dst "$net${j}2" proto esp reqid $v mode tunnel level use

	by 0
	check "IPv$v: by the device: protected" goes "$in${j}2" 1/0/ 0/0/
	by 1
	check "IPv$v: by another: in clear" goes "$in${j}2" 0/0/ 0/1/
	check "IPv$v: an answer in clear by another device may come" ping_ok b "$in${j}1"
	by 0
	run_in b ip xfrm policy flush
	check "IPv$v: cleartext by the device is dropped" drops_by a in-cleartext=1 -- ping_lost b "$in${j}1"
	by 1
	check "IPv$v: cleartext by another passes" ping_ok b "$in${j}1"

	# what came through an SA has come by the device of the protected packet
	by 0
	run_in b ip xfrm policy add dir out src "$in${j}2" dst "$in${j}1" \
		tmpl src "$net${j}2" dst "$net${j}1" proto esp reqid $v mode tunnel
	run_in b ip xfrm policy add dir in src "$in${j}1" dst "$in${j}2" \
		tmpl src "$net${j}1" dst "$net${j}2" proto esp reqid $v mode tunnel
	check "IPv$v: through the SA, by the device" ping_ok b "$in${j}1"
	ip -n b route add "$net${j}1" via "$via${j}1"
	check "IPv$v: through the SA, by another device" drops_by a in-no-policy=1 -- ping_lost b "$in${j}1"
	ip -n b route del "$net${j}1"
	run_in b ip xfrm policy flush

	# the SA's own selector
	run_in a postern policy flush
	policies a postern $v "$in${j}1" "$in${j}2" "$net${j}1" "$net${j}2" tunnel
	run_in a postern state update dst "$net${j}2" proto esp spi "$(spi_of $v 1)" \
		src "$net${j}1" mode tunnel reqid $v dir out sel src "$in${j}1" dst "$in${j}2" dev veth1
	check "IPv$v: an SA of another device" drops_by a out-selector=1 -- ping_lost a "$in${j}2"
	run_in a postern policy flush
	run_in a postern state flush
	run_in b ip xfrm state flush
done

# Of two policies that differ in their device alone, each is about its own.
run_in a postern policy add dir out src 10.9.0.1 dst 10.9.0.2 dev veth0 action block
run_in a postern policy add dir out src 10.9.0.1 dst 10.9.0.2 dev veth1 action allow
expect_fail -m 'exists' run_in a postern policy add dir out src 10.9.0.1 dst 10.9.0.2 dev veth1 action block
by 0
check "two policies: the one of the device drops" drops_by a out-discard=1 -- ping_lost a 10.9.0.2
by 1
check "two policies: the one of the other lets pass" ping_ok a 10.9.0.2
check "listed with its name" expect dev veth1 \
	"$(run_in a postern -j policy list dev veth1 | jq -r '.[] | select(.action == "bypass") | .sel.dev')"
ip -n a link set veth1 down
ip -n a link set veth1 name other
ip -n a link set other up
ip -n a -6 addr add fd01::1/64 dev other nodad
check "a policy keeps to a device that is renamed" expect dev other \
	"$(run_in a postern -j policy list dev other | jq -r '.[0].sel.dev')"
index=$(ip -n a -j link show other | jq '.[0].ifindex')
run_in a postern policy delete dir out src 10.9.0.1 dst 10.9.0.2 dev veth0
ip -n a link del other
check "a device that is gone is shown by its number" expect dev "if$index" \
	"$(run_in a postern -j policy list | jq -r '.[0].sel.dev')"
run_in a postern policy delete dir out src 10.9.0.1 dst 10.9.0.2 dev "if$index"
check "and its policy can be deleted" expect policies '[]' "$(run_in a postern -j policy list | jq -c .)"

# A VRF stands for its devices.
ip -n a link add red type vrf table 10
ip -n a link set red up
ip -n a link set veth0 master red
addr a veth0 fd00::1/64
for to in 10.0.0.2 fd00::2; do
	from=10.0.0.1
	[[ $to != *:* ]] || from=fd00::1
	for dev in red veth0; do
		run_in a postern policy add dir out src $from dst $to dev $dev action block
		check "out, VRF, dev $dev, to $to" drops_by a out-discard=1 -- ping_lost a $to -I red
		run_in a postern policy flush
		run_in a postern policy add dir in src $to dst $from dev $dev action block
		check "in, VRF, dev $dev, from $to" drops_by a in-discard=1 -- ping_lost b $from
		run_in a postern policy flush
	done
	# the VRF shows a packet to the hook again, which is still the same packet
	run_in a postern policy add dir in src $to dst $from dev veth0 action allow priority 1
	run_in a postern policy add dir in src $to dst $from action block priority 2
	check "in, VRF, from $to: one that may pass passes" ping_ok b $from
	run_in a postern policy flush
done
