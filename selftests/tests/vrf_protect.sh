#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# VRFs: what is sent within one is protected once, with and without a qdisc on the VRF,
# and what it receives comes by the device of the protected packet; and the public side
# of a gateway may be in one VRF with the inner side in another, where marks of the SAs
# and rules lead from one to the other.
#
#	a, VRF red ----------- b            10.0.0.0/24 fd00::/64, transport and tunnels
#
#	hosta --- gwa ======== gwb --- hostb             gwa: pub in VRF red, lan in VRF blue
#
# timeout: 400
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

vrf() { # NS NAME TABLE DEV ADDRESS...
	pp ip -n "$1" link add "$2" type vrf table "$3"
	ip -n "$1" link set "$2" up
	ip -n "$1" link set "$4" master "$2"
	# leaving its old table costs IPv6 its addresses
	for address in "${@:5}"; do
		ip -n "$1" addr replace "$address" dev "$4" nodad
	done
}

# rule NS MARK TABLE: for outer packets and for what is delivered
rule() {
	ip -n "$1" rule add fwmark "$2" lookup "$3" pref "$3"
	ip -n "$1" -6 rule add fwmark "$2" lookup "$3" pref "$3"
}

# once PING...: of 3 packets each is one packet of ESP on the cable, and none in clear
once() {
	local sent

	sent=$(stat_of a out-sent)
	capture a veth0 /run/once -Q out
	run_in a ping -n -q -c 3 -i 0.05 -W 10 "$@" || return 1
	capture_end
	expect "packets of ESP" 3 "$(packets_in /run/once 'ip proto 50 or ip6[6] == 50')" &&
		expect "packets in clear" 0 "$(packets_in /run/once "not ($NOT_CLEAR)")" &&
		expect "packets sent" $((sent + 3)) "$(stat_of a out-sent)"
}

# carry FROM TO DEVICE_FROM DEVICE_TO ADDRESS: random octets, by sockets of these devices
carry() {
	local pf=4 to=$5 rc=0

	[[ $to != *:* ]] || pf=6 to=[$to]
	[[ -s /run/data ]] || head -c 200000 /dev/urandom >/run/data
	rm -f /run/data.got
	background "$2" socat -u "TCP$pf-LISTEN:5000,reuseaddr${4:+,so-bindtodevice=$4}" CREATE:/run/data.got
	wait_listen "$2" tcp 5000 || return 1
	run_in "$1" timeout 120 socat -u -t 60 /run/data \
		"TCP$pf:$to:5000,connect-timeout=10${3:+,so-bindtodevice=$3}" || rc=1
	busywait 5 cmp -s /run/data /run/data.got || rc=1
	kill "$BACKGROUND" 2>/dev/null || true
	wait "$BACKGROUND" 2>/dev/null || true
	return $rc
}

# bundle US THEM: ESP, and AH around it, of which each SA serves both directions
bundle() {
	local us=$1 them=$2 src=$1 dst=$2 key spi

	postern_sas a 5 "$us" "$them" transport
	peer_sas b 5 "$us" "$them" transport xfrm
	for spi in 0x5001 0x5002; do
		key=$(hexkey 32)
		set -- src "$src" dst "$dst" proto ah spi $spi reqid 6 mode transport auth-trunc 'hmac(sha256)' "$key" 128
		run_in a postern state add "$@"
		run_in b ip xfrm state add "$@" replay-window 32
		src=$them dst=$us
	done
	set -- src "$us" dst "$them" tmpl src "$us" dst "$them" proto esp reqid 5 mode transport \
		tmpl src "$us" dst "$them" proto ah reqid 6 mode transport
	run_in a postern policy add dir out "$@"
	run_in b ip xfrm policy add dir in "$@"
	set -- src "$them" dst "$us" tmpl src "$them" dst "$us" proto esp reqid 5 mode transport \
		tmpl src "$them" dst "$us" proto ah reqid 6 mode transport
	run_in a postern policy add dir in "$@"
	run_in b ip xfrm policy add dir out "$@"
}

# cut_off: packets of 20 and 59 octets, whose headers should have 60
cut_off() {
	run_in a python -B - <<-'PY'
		import socket
		import struct

		with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
		    s.bind(("red", 0x800))
		    mac = s.getsockname()[4]
		    for octets in 20, 59:
		        head = struct.pack("!BBHHHBBH4s4s", 0x4f, 0, octets, 1, 0, 64, 253, 0,
		                           socket.inet_aton("10.0.0.1"), socket.inet_aton("10.0.0.2"))
		        s.send(mac + mac + b"\x08\x00" + head + bytes(octets - 20))
	PY
}

flush() {
	run_in "$1" postern policy flush
	run_in "$1" postern state flush
	run_in "$2" ip xfrm policy flush
	run_in "$2" ip xfrm state flush
}

clean() {
	drops_are "$1" "${@:2}" && accounts_balance "$1"
}

topo_pair
load_postern
vrf a red 10 veth0 fd00::1/64
addr a red 10.9.0.1/32 fd09::1/128
addr b lo 10.9.0.2/32 fd09::2/128
ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1 table 10
ip -n a route add fd09::2 via fd00::2 src fd09::1 table 10
ip -n b route add 10.9.0.1 via 10.0.0.1
ip -n b route add fd09::1 via fd00::1
# Kernel 5.10 binds no ping to an IPv6 address of a VRF and does not answer its own.
bound=(4 6) own=(4 6)
run_in a ping -n -q -c 1 -W 10 -I red -I fd09::1 fd09::2 || bound=(4)
run_in a ping -n -q -c 1 -W 10 -I red 10.9.0.1 || own=(6)
for qdisc in '' pfifo; do
	[[ -z $qdisc ]] || run_in a tc qdisc add dev red root $qdisc
	name=${qdisc:-no qdisc}
	transport a b xfrm 1 10.0.0.1 10.0.0.2
	transport a b xfrm 2 fd00::1 fd00::2
	for v in 4 6; do
		us=10.0.0.1 them=10.0.0.2
		((v == 4)) || us=fd00::1 them=fd00::2
		check "$name, IPv$v, transport: once" once -I red $them
		check "$name, IPv$v, transport: data" carry a b red '' $them
		[[ -n $qdisc ]] ||
			check "IPv$v, transport: data to a socket of the device" carry b a '' veth0 $us
	done
	[[ -n $qdisc ]] || check "headers longer than their packets" drops_by a out-malformed=2 -- cut_off
	flush a b

	# the outer route by a mark of the SA, or by a route that names the VRF
	ways=(mark)
	[[ -n $qdisc ]] || ways+=(route)
	for way in "${ways[@]}"; do
		mark=()
		if [[ $way = mark ]]; then
			mark=(output-mark 0xa)
			rule a 0xa 10
		else
			ip -n a route add 10.0.0.2 dev red
			ip -n a route add fd00::2 dev red
		fi
		postern_sas a 3 10.0.0.1 10.0.0.2 tunnel "${mark[@]}"
		peer_sas b 3 10.0.0.1 10.0.0.2 tunnel xfrm
		postern_sas a 4 fd00::1 fd00::2 tunnel "${mark[@]}"
		peer_sas b 4 fd00::1 fd00::2 tunnel xfrm
		# whatever leaves: an outer packet that was taken for another would match, too
		policies a postern 3 0.0.0.0/0 0.0.0.0/0 10.0.0.1 10.0.0.2
		policies b xfrm 3 10.9.0.2 10.9.0.1 10.0.0.2 10.0.0.1
		policies a postern 4 ::/0 ::/0 fd00::1 fd00::2
		policies b xfrm 4 fd09::2 fd09::1 fd00::2 fd00::1
		for v in 4 6; do
			us=10.9.0.1 them=10.9.0.2
			((v == 4)) || us=fd09::1 them=fd09::2
			[[ ${bound[*]} != *$v* ]] ||
				check "$name, IPv$v, tunnel by $way: once" once -I red -I $us $them
			[[ $way != route || ${own[*]} != *$v* ]] ||
				check "IPv$v: what stays in the VRF stays as it is" ping_ok a $us -I red
		done
		flush a b
		if [[ $way = mark ]]; then
			ip -n a rule del pref 10
			ip -n a -6 rule del pref 10
		else
			ip -n a route del 10.0.0.2 dev red
			ip -n a route del fd00::2 dev red
		fi
	done
done
addr a veth0 fe80::a/64
addr b veth0 fe80::b/64
transport a b xfrm 1 fe80::a fe80::b
check "link-local addresses" once -I fe80::a%veth0 fe80::b%veth0
flush a b
bundle 10.0.0.1 10.0.0.2
check "IPv4, ESP inside AH: data" carry a b red '' 10.0.0.2
flush a b
bundle fd00::1 fd00::2
check "IPv6, ESP inside AH: data" carry a b red '' fd00::2
check "a: nothing else dropped" clean a out-malformed=2 out-too-big='*'

# One VRF outside, one inside; no route of the one is in the other.
topo_sites
vrf gwa red 10 pub 2001:db8::1/64
vrf gwa blue 20 lan fd01::1/64
rule gwa 0xa 10
rule gwa 0x14 20
ip -n gwa route add 10.2.0.0/24 dev blue table 20
ip -n gwa -6 route add fd02::/64 dev blue table 20
n=10
for outer in 4 6; do
	us=192.0.2.1 them=192.0.2.2
	((outer == 4)) || us=2001:db8::1 them=2001:db8::2
	n=$((n + 1))
	postern_sas gwa $n $us $them tunnel output-mark 0xa
	peer_sas gwb $n $us $them tunnel xfrm
	# the inner packet goes by another mark than the outer one
	run_in gwa postern state delete dst $us proto esp spi "$(spi_of $n 2)"
	run_in gwa postern state add src $them dst $us proto esp spi "$(spi_of $n 2)" reqid $n mode tunnel dir in \
		aead 'rfc4106(gcm(aes))' "$KEY_IN" 128 output-mark 0x14
	for net in 10.1.0.0/24=10.2.0.0/24 fd01::/64=fd02::/64; do
		policies gwa postern $n "${net%=*}" "${net#*=}" $us $them
		policies gwb xfrm $n "${net#*=}" "${net%=*}" $them $us
	done
	capture gwa pub /run/pub -Q out -s 200
	if ((outer == 4)); then
		check "two VRFs, outer IPv$outer: IPv6 data" tcp_ok hostb hosta fd01::2
	else
		check "two VRFs, outer IPv$outer: IPv4 data" tcp_ok hosta hostb 10.2.0.2
	fi
	capture_end
	check "two VRFs, outer IPv$outer: all is protected" only_protected /run/pub
	flush gwa gwb
done
check "gwa: nothing dropped" clean gwa out-too-big='*'
