#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An ICMP error quotes the packet that it is about, which was protected: it takes the
# way of the answers to that packet, and it is let in for who sent that packet, and for
# nobody else (RFC 4301 section 6.2).
#
# timeout: 480
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

# Transport mode, UDP alone is protected: who gets a datagram for a closed port tells
# its sender, and does not tell the link what was in it.
#
#	a (Postern) ------ b (XFRM)
topo_pair
load_postern
for n in 1 2; do
	us=10.0.0.1 peer=10.0.0.2
	((n == 1)) || us=fd00::1 peer=fd00::2
	postern_sas a $n $us $peer transport
	peer_sas b $n $us $peer transport xfrm
	policies a postern $n $us $peer $us $peer transport proto udp
	policies b xfrm $n $peer $us $peer $us transport proto udp
done
capture a veth0 /run/a.pcap -Q out
protected() { [[ $(stat_of a out-sent) = "$1" ]]; }
run_in b python -B py/udp.py 10.0.0.1 9999 1
check "port unreachable goes through the SA" busywait 10 protected 1
run_in b python -B py/udp.py fd00::1 9999 1
check "port unreachable goes through the SA, IPv6" busywait 10 protected 2
capture_end
check "nothing in clear" only_protected /run/a.pcap

# Tunnel mode, UDP of one host is protected.
#
#	hosta ----- gwa (Postern) ===== gwb (XFRM) ----- hostb
topo_sites
addr hosta lan 10.1.0.3/24 fd01::3/64
for n in 3 4; do
	us=192.0.2.1 peer=192.0.2.2 host=10.1.0.2 net=10.1.0.0/24 far=10.2.0.0/24
	((n == 3)) || us=2001:db8::1 peer=2001:db8::2 host=fd01::2 net=fd01::/64 far=fd02::/64
	postern_sas gwa $n $us $peer tunnel
	peer_sas gwb $n $us $peer tunnel xfrm
	policies gwa postern $n $host $far $us $peer tunnel proto udp
	policies gwb xfrm $n $far $net $peer $us
done
# error NS SRC DST QUOTED_SRC QUOTED_DST
error() {
	run_in "$1" python -B - "${@:2}" <<-'PY'
		import socket
		import sys
		from scapy.layers.inet import ICMP, IP, UDP
		from scapy.layers.inet6 import ICMPv6DestUnreach, IPv6

		src, dst, qsrc, qdst = sys.argv[1:]
		udp = UDP(sport=1000, dport=2000) / (b"canary" * 4)
		if ":" in dst:
		    family = socket.AF_INET6
		    packet = IPv6(src=src, dst=dst) / ICMPv6DestUnreach(code=4) / IPv6(src=qsrc, dst=qdst) / udp
		else:
		    family = socket.AF_INET
		    packet = IP(src=src, dst=dst) / ICMP(type=3, code=3) / IP(src=qsrc, dst=qdst) / udp
		with socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
		    sock.sendto(bytes(packet), (dst, 0))
	PY
}
delivered() { [[ $(stat_of gwa in-delivered) = "$1" ]]; }
capture hosta lan /run/lan.pcap -Q in 'icmp or (icmp6 and ip6[40] < 128)'
error hostb 10.2.0.2 10.1.0.2 10.1.0.2 10.2.0.2
check "an error from the other end comes in" busywait 10 delivered 1
error hostb fd02::2 fd01::2 fd01::2 fd02::2
check "an error from the other end comes in, IPv6" busywait 10 delivered 2
error hostb 10.2.0.2 10.1.0.3 10.1.0.2 10.2.0.2
check "not to another host than the one it quotes" busywait 10 drops_are gwa in-no-policy=1
error hostb fd02::2 fd01::3 fd01::2 fd02::2
check "not to another host than the one it quotes, IPv6" busywait 10 drops_are gwa in-no-policy=2
error hostb 10.2.0.2 10.1.0.2 10.1.0.2 10.9.0.2
check "not about what no policy lets out" busywait 10 drops_are gwa in-no-policy=3
run_in gwa postern state update src 192.0.2.2 dst 192.0.2.1 proto esp spi "$(spi_of 3 2)" reqid 3 mode tunnel \
	sel src 10.2.0.0/24 dst 10.1.0.2/32 proto udp
error hostb 10.2.0.2 10.1.0.2 10.1.0.2 10.2.0.2
check "through an SA whose selector names UDP" busywait 10 delivered 3
capture_end
check "three came to the host" expect packets 3 "$(packets_in /run/lan.pcap)"

capture gwa pub /run/pub.pcap -Q out
sent() { [[ $(stat_of gwa out-sent) = "$1" ]]; }
error hosta 10.1.0.2 10.2.0.2 10.2.0.2 10.1.0.2
check "an error goes out through the SA" busywait 10 sent 1
error hosta fd01::2 fd02::2 fd02::2 fd01::2
check "an error goes out through the SA, IPv6" busywait 10 sent 2
error hosta 10.1.0.77 10.2.0.2 10.2.0.2 10.1.0.2
check "whatever its own source is" busywait 10 sent 3

# a key manager listens, and would be asked by any other packet
background gwa postern -j monitor acquire >/run/acquires
wait_monitor gwa 1
run_in gwa postern state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi "$(spi_of 3 1)"
error hosta 10.1.0.2 10.2.0.2 10.2.0.2 10.1.0.2
check "an error without an SA is dropped" busywait 10 drops_are gwa in-no-policy=3 out-no-sa=1
check "and makes none" expect acquires 0 "$(wc -l </run/acquires)"
run_in hosta python -B py/udp.py 10.2.0.2 9999 1
check "other packets ask for one" busywait 10 test -s /run/acquires
capture_end
check "none in clear" only_protected /run/pub.pcap
