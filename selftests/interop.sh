# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh: Postern in namespace a talks to the stock kernel's XFRM in
# namespace b of topo_pair, which holds each packet to what its own code expects.
#
#	         a (Postern)                       b (XFRM)
#	inner    10.9.0.1, fd09::1                 10.9.0.2, fd09::2       on lo
#	outer    10.0.0.1, fd00::1  veth0 - veth0  10.0.0.2, fd00::2
#
# A tunnel carries the inner addresses, mode beet stands for them, transport mode has the
# outer ones.

# An ICMP size below, at, and far above what fits; 65000 is fragmented 40 times.
INTEROP_SIZES=(0 1 56 1400 1472 1473 8000 65000)
INTEROP_DIR=/run/interop
# Words that Postern's SAs have and XFRM's have not.
INTEROP_POSTERN=()

# interop_start [FILTER]: topology, data, and a capture of all that must not be on the cable;
# what FILTER says may.
interop_start() {
	local nd='icmp6 and ip6[40] >= 133 and ip6[40] <= 137' mld='ip6[6] == 0 and ip6[40] == 58'
	local esp='ip proto 50 or ip6[6] == 50 or (ip6[6] == 44 and ip6[40] == 50)'
	local ah='ip proto 51 or ip6[6] == 51 or (ip6[6] == 44 and ip6[40] == 51)' clear
	# behind one or two headers of options of 8 octets each, and a fragment header
	local at front='(ip6[6] == 0 or ip6[6] == 60) and (ip6[40] == 50 or ip6[40] == 51'

	for at in 48 56; do
		front+=" or ((ip6[40] == 44 or ip6[40] == 60) and (ip6[$at] == 50 or ip6[$at] == 51))"
	done
	front+=')'

	topo_pair
	addr a lo 10.9.0.1/32 fd09::1/128
	addr b lo 10.9.0.2/32 fd09::2/128
	ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
	ip -n a route add fd09::2 via fd00::2 src fd09::1
	ip -n b route add 10.9.0.1 via 10.0.0.1 src 10.9.0.2
	ip -n b route add fd09::1 via fd00::1 src fd09::2
	mkdir -p "$INTEROP_DIR"
	coproc TRAFFIC { exec /usr/bin/python3 -B "$(dirname "$0")/../py/traffic.py"; }
	# shellcheck disable=SC2119
	load_postern
	# what each end sends; what it receives, the capture would see decapsulated as well
	clear="not (arp or ($esp) or ($ah) or ($front) or ($nd) or ($mld)${1:+ or ($1)})"
	capture a veth0 "$INTEROP_DIR/clear.a" -Q out -s 200 -B 16384 "$clear"
	INTEROP_CAPTURES=("$CAPTURE")
	capture b veth0 "$INTEROP_DIR/clear.b" -Q out -s 200 -B 16384 "$clear"
	INTEROP_CAPTURES+=("$CAPTURE")
	# the captures see what is in clear
	ping_ok a 10.9.0.2
	ping_ok a fd09::2
	busywait 5 in_clear_are 4
}

in_clear() {
	local end

	for end in a b; do
		tcpdump -n -r "$INTEROP_DIR/clear.$end" 2>/dev/null | tail -n "+${1:-1}"
	done
}
in_clear_are() { [[ $(in_clear | wc -l) = "$1" ]]; }

# The same SA on both ends.  The cable has a queue for each CPU: when the host takes one
# away for a while, the packets in it arrive behind more than 32 of the other's.
interop_sa() { # PROTO MODE SRC DST SPI ALGORITHM...
	local proto=$1 mode=$2 src=$3 dst=$4 spi=$5 dir=in flags=()

	[[ $src != "$OUT_A" ]] || dir=out
	case $mode in
	tunnel) flags=(flag af-unspec) ;;
	beet)
		if [[ $dir = out ]]; then
			set -- "$@" sel src "$IN_A" dst "$IN_B"
		else
			set -- "$@" sel src "$IN_B" dst "$IN_A"
		fi
		;;
	esac
	run_in a postern state add src "$src" dst "$dst" proto "$proto" spi "$spi" reqid 1 mode "$mode" \
		dir $dir "${@:6}" "${INTEROP_POSTERN[@]}"
	run_in b ip xfrm state add src "$src" dst "$dst" proto "$proto" spi "$spi" reqid 1 mode "$mode" \
		replay-window 1024 "${flags[@]}" "${@:6}"
}

interop_policy() { # PROTO MODE SRC DST OUTER_SRC OUTER_DST
	local from=in to=out

	[[ $3 != "$IN_A" ]] || from=out to=in
	set -- src "$3" dst "$4" tmpl src "$5" dst "$6" proto "$1" reqid 1 mode "$2"
	run_in a postern policy add "${@:1:4}" dir $from "${@:5}"
	run_in b ip xfrm policy add "${@:1:4}" dir $to priority 10 "${@:5}"
}

# Sets OUT_A, OUT_B, IN_A, IN_B.
interop_addresses() { # MODE OUTER INNER
	OUT_A=10.0.0.1 OUT_B=10.0.0.2
	[[ $2 = 4 ]] || OUT_A=fd00::1 OUT_B=fd00::2
	IN_A=$OUT_A IN_B=$OUT_B
	[[ $1 != transport ]] || return 0
	IN_A=10.9.0.1 IN_B=10.9.0.2
	[[ $3 = 4 ]] || IN_A=fd09::1 IN_B=fd09::2
}

# interop_up PROTO MODE OUTER INNER KEYBYTES ALGORITHM...: SAs with fresh keys, policies.
# In ALGORITHM, KEY stands for a key of KEYBYTES octets, AUTH for one of 32.
interop_up() {
	local proto=$1 mode=$2 outer=$3 inner=$4 bytes=$5 i type words

	shift 5
	interop_addresses "$mode" "$outer" "$inner"
	for i in 1 2; do
		words=("$@")
		words=("${words[@]/#KEY/$( ((bytes == 0)) || hexkey "$bytes")}")
		words=("${words[@]/#AUTH/$(hexkey 32)}")
		if ((i == 1)); then
			interop_sa "$proto" "$mode" "$OUT_A" "$OUT_B" 0x1001 "${words[@]}"
		else
			interop_sa "$proto" "$mode" "$OUT_B" "$OUT_A" 0x1002 "${words[@]}"
		fi
	done
	# Postern lets neighbour discovery pass by itself; XFRM must be told
	if [[ $mode = transport && $outer = 6 ]]; then
		for type in 135 136; do
			for i in in out; do
				ip -n b xfrm policy add dir $i src ::/0 dst ::/0 proto ipv6-icmp type $type priority 1
			done
		done
	fi
	interop_policy "$proto" "$mode" "$IN_A" "$IN_B" "$OUT_A" "$OUT_B"
	interop_policy "$proto" "$mode" "$IN_B" "$IN_A" "$OUT_B" "$OUT_A"
}

interop_down() {
	run_in b ip xfrm policy flush
	run_in b ip xfrm state flush
	run_in a postern policy flush
	run_in a postern state flush
}

# traffic ORDER WORD...: see py/traffic.py
traffic() {
	local verdict=''

	printf '[traffic] %s\n' "$*" >&2
	echo "$*" >&"${TRAFFIC[1]}"
	read -r -t 1200 -u "${TRAFFIC[0]}" verdict || fail "no answer from traffic.py"
	[[ $verdict = ok ]] || { say "$verdict" && return 1; }
}

# interop_pings SIZE...: both ways
interop_pings() { traffic ping a "$IN_B" "$@" && traffic ping b "$IN_A" "$@"; }

# A million octets each way over one connection, opened by NS.
interop_tcp() { traffic tcp "$1" "$2" "$3" 1000000; } # NS PEER TO

# Datagrams that fit and datagrams that do not.
interop_udp() { traffic udp "$1" "$2" "$3" 40000 1200 8000; } # NS PEER TO

# shellcheck disable=SC2016 # awk's
xfrm_errors() { ip netns exec b awk '$2 { print $1 "=" $2 }' /proc/net/xfrm_stat; }

# Every packet that came or was to go is accounted for, and none was lost but those
# of which senders were told that they do not fit.
interop_accounts() {
	drops_are a out-too-big='*' && accounts_balance a &&
		expect "errors of XFRM" '' "$(xfrm_errors)"
}

# interop NAME PROTO MODE OUTER INNER KEYBYTES ALGORITHM...: all kinds of traffic.
interop() {
	interop_up "${@:2}"
	check "$1: ping" interop_pings "${INTEROP_SIZES[@]}"
	check "$1: TCP from a" interop_tcp a b "$IN_B"
	check "$1: TCP from b" interop_tcp b a "$IN_A"
	check "$1: UDP from a" interop_udp a b "$IN_B"
	check "$1: UDP from b" interop_udp b a "$IN_A"
	check "$1: accounts" interop_accounts
	interop_down
}

# interop_brief: as interop, pings only.
interop_brief() {
	interop_up "${@:2}"
	check "$1: ping" interop_pings 0 1 2 3 13 56 1400 5000
	check "$1: accounts" interop_accounts
	interop_down
}

# interop_all NAME PROTO KEYBYTES ALGORITHM...: both modes, all families.
interop_all() {
	interop "$1 tunnel 4in4" "$2" tunnel 4 4 "${@:3}"
	interop "$1 tunnel 6in6" "$2" tunnel 6 6 "${@:3}"
	interop "$1 tunnel 4in6" "$2" tunnel 6 4 "${@:3}"
	interop "$1 tunnel 6in4" "$2" tunnel 4 6 "${@:3}"
	interop "$1 transport 4" "$2" transport 4 4 "${@:3}"
	interop "$1 transport 6" "$2" transport 6 6 "${@:3}"
}

# interop_end: nothing but the pings of the beginning was in clear.
interop_end() {
	for CAPTURE in "${INTEROP_CAPTURES[@]}"; do
		capture_end
	done
	check "nothing in clear" expect "packets in clear" '' "$(in_clear 3 | head)"
}
