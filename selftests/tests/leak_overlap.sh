#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A policy for one port is not deceived by first fragments of 8 octets, by pieces that
# overlap, nor by two that say different things of the same octets (RFC 4301 section 7).
#
#	hosta ----- gwa (Postern) ===== gwb (XFRM) ----- hostb
#
# timeout: 120
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
pieces() { run_in "$1" python -B py/overlap.py "${@:2}"; }
# to_port FILE PORT: packets that show it, be it as a first fragment
to_port() { packets_in "$1" "udp dst port $2 or (ip6[6] == 44 and ip6[42:2] & 0xfff8 == 0 and ip6[50:2] == $2)"; }
hidden() { ! grep -qa "$2" "$1"; }
PIECES='udp or ip[6:2] & 0x3fff != 0 or ip6[6] == 44'
refused() { expect in-no-policy "$1" "$(stat_of gwa in-no-policy)"; }

# no SA, so that whatever passes is a leak
for v in 4 6; do
	net=10.1.0.0/24 far=10.2.0.0/24 src=192.0.2.1 dst=192.0.2.2 a=10.1.0.2 b=10.2.0.2 n=3
	((v == 4)) || net=fd01::/64 far=fd02::/64 src=2001:db8::1 dst=2001:db8::2 a=fd01::2 b=fd02::2 n=6
	policies gwa postern 1 $net $far $src $dst tunnel proto udp dport 7000
	capture gwa pub /run/pub.pcap -Q out "$PIECES"
	first=$CAPTURE
	capture hosta lan /run/lan.pcap -Q in "$PIECES"
	pieces hosta $a $b 100
	pieces hostb $b $a 100
	check "IPv$v: what is whole is refused, and nothing else" busywait 5 drops_are gwa in-cleartext=$n out-no-sa=$n
	capture_end
	CAPTURE=$first
	capture_end
	for dir in pub lan; do
		check "IPv$v: nothing passes in clear at $dir" hidden /run/$dir.pcap canary
		check "IPv$v: no first piece passes at $dir" expect packets 0 "$(to_port /run/$dir.pcap 7000)"
		check "IPv$v: what is for another port passes at $dir" expect packets 3 "$(to_port /run/$dir.pcap 7001)"
	done
	run_in gwa postern policy flush
done

# the pieces through an SA, each by itself
for v in 4 6; do
	net=10.1.0.0/24 far=10.2.0.0/24 src=192.0.2.1 dst=192.0.2.2 a=10.1.0.2 b=10.2.0.2 n=3
	((v == 4)) || net=fd01::/64 far=fd02::/64 src=2001:db8::1 dst=2001:db8::2 a=fd01::2 b=fd02::2 n=6
	postern_sas gwa $v $src $dst tunnel
	peer_sas gwb $v $src $dst tunnel xfrm
	policies gwa postern $v $net $far $src $dst tunnel proto udp dport 7000
	policies gwb xfrm $v $far $net $dst $src
	capture hosta lan /run/lan.pcap -Q in "$PIECES"
	pieces hostb $b $a 200
	check "IPv$v through the SA: the other port is refused" busywait 5 refused $n
	capture_end
	check "IPv$v through the SA: what is whole comes" expect packets 3 "$(to_port /run/lan.pcap 7000)"
	check "IPv$v through the SA: and nothing else" hidden /run/lan.pcap another
done
check "each overlap is counted or forgotten" drops_are gwa in-no-policy=6 in-cleartext=6 out-no-sa=6 in-inner='*'
