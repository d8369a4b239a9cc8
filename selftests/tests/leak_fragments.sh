#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A policy for ports sees whole packets, so that no piece of one passes it; and a piece
# that came through an SA is never completed by one that came in clear (RFC 4301
# section 7).
#
#	hosta ----- gwa (Postern) ===== gwb (XFRM) ----- hostb
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
frag() { run_in "$1" python -B py/t2_fragment.py "${@:2}"; }
PIECES='udp or ip[6:2] & 0x3fff != 0 or ip6[6] == 44'
CAPTURES=()
both_captures() {
	CAPTURES=()
	capture gwa pub /run/pub.pcap -Q out "$PIECES"
	CAPTURES+=("$CAPTURE")
	capture hosta lan /run/lan.pcap -Q in "$PIECES"
	CAPTURES+=("$CAPTURE")
}
both_end() {
	sleep 0.3
	for CAPTURE in "${CAPTURES[@]}"; do
		capture_end
	done
}

# outbound and inbound, port 7000 only; no SA, so that whatever passes is a leak
for v in 4 6; do
	net=10.1.0.0/24 far=10.2.0.0/24 src=192.0.2.1 dst=192.0.2.2 a=10.1.0.2 b=10.2.0.2 gw=10.1.0.1
	((v == 4)) || net=fd01::/64 far=fd02::/64 src=2001:db8::1 dst=2001:db8::2 a=fd01::2 b=fd02::2 gw=fd01::1
	policies gwa postern 1 $net $far $src $dst tunnel proto udp dport 7000
	ping_ok hosta $b
	both_captures
	frag hosta $a $b 7000 1 1 2
	frag hosta $a $b 7000 2 2 1
	frag gwa $gw $b 7000 3 1 2
	frag hostb $b $a 7000 4 1 2
	frag hostb $b $a 7000 5 2 1
	frag hostb $b $gw 7000 6 1 2
	frag hosta $a $b 7000 7 1	# nothing but the first
	frag hosta $a $b 7000 8 2	# nothing but the last
	frag hostb $b $a 7000 9 2
	both_end
	check "IPv$v: no piece leaves" expect packets 0 "$(packets_in /run/pub.pcap)"
	check "IPv$v: no piece enters" expect packets 0 "$(packets_in /run/lan.pcap)"
	check "IPv$v: each packet counted" drops_are gwa {in-cleartext,out-no-sa}=$((3 * (v / 2 - 1)))
	both_captures
	frag hosta $a $b 7001 10 1 2
	frag hostb $b $a 7001 11 1 2
	both_end
	check "IPv$v: pieces for another port leave" expect packets 2 "$(packets_in /run/pub.pcap)"
	check "IPv$v: and enter" [ "$(packets_in /run/lan.pcap)" -ge 1 ]
	run_in gwa postern policy flush
done

# a local program that keeps its pieces from being reassembled
policies gwa postern 1 10.1.0.0/24 10.2.0.0/24 192.0.2.1 192.0.2.2 tunnel proto udp dport 7000
both_captures
frag gwa -n 10.1.0.1 10.2.0.2 7000 20 1 2
both_end
check "not to be reassembled: no piece leaves" expect packets 0 "$(packets_in /run/pub.pcap)"
# a rule that hides packets from connection tracking, reassembly included
run_in gwa nft -f - <<'NFT'
table inet raw {
	chain pre { type filter hook prerouting priority -450; notrack; }
	chain outward { type filter hook output priority -450; notrack; }
}
NFT
both_captures
frag hosta 10.1.0.2 10.2.0.2 7000 21 1 2
frag hostb 10.2.0.2 10.1.0.2 7000 22 1 2
both_end
check "notrack: no piece leaves" expect packets 0 "$(packets_in /run/pub.pcap)"
check "notrack: no piece enters" expect packets 0 "$(packets_in /run/lan.pcap)"
run_in gwa nft delete table inet raw
run_in gwa postern policy flush

# mixed: one piece through the tunnel, its partner in clear
tunnel gwa gwb xfrm 1 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24
tunnel gwa gwb xfrm 2 2001:db8::1 2001:db8::2 fd01::/64 fd02::/64
mac=$(ip -n gwa -j link show pub | jq -r '.[0].address')
for v in 4 6; do
	a=10.1.0.2 b=10.2.0.2 pf=4
	((v == 4)) || a=fd01::2 b=fd02::2 pf=6
	rm -f /run/got
	background hosta socat -u UDP$pf-RECV:7000 CREATE:/run/got
	wait_listen hosta udp 7000
	id=$((v * 100))
	for pair in '1 2' '2 1'; do
		frag hostb $b $a 7000 $id "${pair% *}"
		frag gwb -d pub "$mac" $b $a 7000 $id "${pair#* }"
		frag gwb -d pub "$mac" $b $a 7000 $((id + 1)) "${pair% *}"
		frag hostb $b $a 7000 $((id + 1)) "${pair#* }"
		id=$((id + 2))
	done
	sleep 0.5
	check "IPv$v: halves of the two never meet" expect file '' "$(head -c 20 /run/got)"
	frag hostb $b $a 7000 $id 1 2
	check "IPv$v: both through the tunnel" busywait 3 grep -q fragment /run/got
	kill "$BACKGROUND"
done
