#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Mode beet between Postern and XFRM, all families: what the outer header stands for, options of
# IPv4 and their pseudo header, the path MTU.
#
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"
. "$(dirname "$0")/../interop.sh"

GCM=(aead 'rfc4106(gcm(aes))' KEY 128)
UDP=(encap espinudp 4500 4500 0.0.0.0)

# Options of 12, 40 and 36 octets: those of 12 have no padding behind the pseudo header.
options() { # FROM TO
	ping_ok "$1" "$2" -T tsonly &&
		ping_ok "$1" "$2" -R &&
		ping_ok "$1" "$2" -T tsprespec "$2" -s 1400
}

# fields FILE FILTER: hop limit and traffic class of a packet.
fields() {
	tcpdump -n -v -r "$1" "$2" 2>/dev/null | head -n 1 |
		sed -nE 's/.*tos 0x([0-9a-f]+).*ttl ([0-9]+).*/\2 \1/p; s/.*class 0x([0-9a-f]+).*hlim ([0-9]+).*/\2 \1/p'
}

# header FROM: what ping asked for is in the outer header, and in the inner one again.
header() {
	local out=$INTEROP_DIR/out in=$INTEROP_DIR/in one

	capture a veth0 "$out" -Q out 'ip proto 50 or ip6[6] == 50'
	one=$CAPTURE
	capture a veth0 "$in" -Q in 'icmp[0] == 8 or icmp6[0] == 128'
	ping_ok a "$IN_B" -t 17 -Q 0x88
	ping_ok b "$IN_A" -t 18 -Q 0x28
	capture_end
	CAPTURE=$one
	capture_end
	expect "ttl, tos of what a sends" '17 88' "$(fields "$out" '')" &&
		expect "ttl, tos of what a was sent" '18 28' "$(fields "$in" '')"
}

beet() { # NAME OUTER INNER [WORD...]
	local head=20 outer=20 n=$1

	[[ $3 = 4 ]] || head=40
	[[ $2 = 4 ]] || outer=40
	(($# == 3)) || outer=$((outer + 8))
	interop_up esp beet "$2" "$3" 20 "${GCM[@]}" "${@:4}"
	check "$n: ping" interop_pings 0 1 56 1400 5000
	if (($# == 3)); then
		check "$n: TCP" interop_tcp a b "$IN_B"
		check "$n: header" header
	fi
	if [[ $# = 3 && $3 = 4 ]]; then
		check "$n: options from a" options a "$IN_B"
		check "$n: options from b" options b "$IN_A"
	fi
	check "$n: accounts" interop_accounts
	check "$n: the sender is told what fits" fits_exactly a "$IN_B" $(($(esp_mtu 1500 $outer 8 16 4) + head))
	interop_down
	forget_mtu a b
}

interop_start 'udp port 4500 or ip[6:2] & 0x1fff != 0'
# XFRM takes ESP in UDP by a socket
background b /usr/bin/python3 "$(dirname "$0")/../py/encap.py" xfrm 4500 >/run/ike
wait_listen b udp 4500
for outer in 4 6; do
	for inner in 4 6; do
		beet "${inner}in$outer" $outer $inner
	done
done
beet "4in4 in UDP" 4 4 "${UDP[@]}"
interop_end
