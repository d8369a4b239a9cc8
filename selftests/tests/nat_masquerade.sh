#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A gateway that masquerades everything, without an exemption, neither breaks the
# tunnel nor lets an inner packet out in clear.  What no policy matches is
# masqueraded as ever, and NAT into a tunnel works.
#
#	hosta ----- gwa (Postern, MASQUERADE) ===== gwb (XFRM) ----- hostb
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
tunnel gwa gwb xfrm 1 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24
tunnel gwa gwb xfrm 2 2001:db8::1 2001:db8::2 fd01::/64 fd02::/64
run_in gwa nft -f - <<'NFT'
table inet nat {
	chain post {
		type nat hook postrouting priority srcnat
		oifname "pub" masquerade
	}
}
NFT

through_the_tunnel() {
	# what was decrypted is shown as received by either device: look at what is sent
	capture gwa pub /run/pub.pcap -Q out -s 200
	check "ping from a" ping_ok hosta 10.2.0.2
	check "ping from b" ping_ok hostb 10.1.0.2
	check "IPv6 ping from a" ping_ok hosta fd02::2
	check "IPv6 ping from b" ping_ok hostb fd01::2
	check "ping from the gateway" ping_ok gwa 10.2.0.2 -I 10.1.0.1
	check "TCP from a" tcp_ok hosta hostb 10.2.0.2
	check "TCP from b" tcp_ok hostb hosta 10.1.0.2
	check "IPv6 TCP from a" tcp_ok hosta hostb fd02::2
	capture_end
	check "only ESP on the link" only_protected /run/pub.pcap
}
through_the_tunnel

# hostb sees the host itself, not the gateway
capture hostb lan /run/lan.pcap icmp
ping_ok hosta 10.2.0.2
capture_end
check "the inner source is not translated" expect "packets from 10.1.0.2" 1 \
	"$(packets_in /run/lan.pcap src 10.1.0.2)"

# outside of the policies
capture gwb pub /run/clear.pcap icmp or icmp6
check "ping to what is not protected" ping_ok hosta 192.0.2.2
check "IPv6 ping to what is not protected" ping_ok hosta 2001:db8::2
capture_end
check "it is masqueraded" expect "packets from the gateway" 2 \
	"$(packets_in /run/clear.pcap "src 192.0.2.1 or (src 2001:db8::1 and ip6[40] == 128)")"
check "nothing else is seen" expect "packets of 10.1 or fd01" 0 \
	"$(packets_in /run/clear.pcap net 10.1.0.0/16 or net fd01::/64)"

# A policy that matches only what NAT has made of a packet.
run_in gwa postern policy flush
run_in gwb ip xfrm policy flush
policies gwa postern 1 10.99.0.1 10.2.0.0/24 192.0.2.1 192.0.2.2
policies gwb xfrm 1 10.2.0.0/24 10.99.0.1 192.0.2.2 192.0.2.1
policies gwa postern 2 fd99::1 fd02::/64 2001:db8::1 2001:db8::2
policies gwb xfrm 2 fd02::/64 fd99::1 2001:db8::2 2001:db8::1
run_in gwa nft -f - <<'NFT'
flush table inet nat
table inet nat {
	chain post {
		oifname "pub" ip daddr 10.2.0.0/24 snat ip to 10.99.0.1
		oifname "pub" ip6 daddr fd02::/64 snat ip6 to fd99::1
	}
}
NFT
# where the translated address lives; errors for its owner are sent there
addr gwa lo 10.99.0.1/32 fd99::1/128
ip -n gwb route add 10.99.0.1 via 192.0.2.1
ip -n gwb route add fd99::1 via 2001:db8::1
run_in gwa conntrack -F
capture gwa pub /run/snat.pcap -Q out -s 200
check "ping through NAT and tunnel" ping_ok hosta 10.2.0.2
check "IPv6 ping through NAT and tunnel" ping_ok hosta fd02::2
check "TCP through NAT and tunnel" tcp_ok hosta hostb 10.2.0.2
check "IPv6 TCP through NAT and tunnel" tcp_ok hosta hostb fd02::2
capture_end
check "only ESP on the link after NAT" only_protected /run/snat.pcap
check "no other drop than of what was too big" drops_are gwa out-too-big='*'
