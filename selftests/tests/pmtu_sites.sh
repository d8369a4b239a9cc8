#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Nobody sets an MTU or MSS anywhere: hosts behind the gateway, and sockets on it, are
# told the largest packet that fits a tunnel over links of 1500 octets, and TCP flows.
#
#	hosta ----- gwa (Postern) ===== gwb (XFRM) ----- hostb
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
# so that sockets on the gateway use the address that the policy knows
ip -n gwa route replace 10.2.0.0/24 via 192.0.2.2 src 10.1.0.1
ip -n gwa route replace fd02::/64 via 2001:db8::2 src fd01::1

# both NAME ADDR PEER NET PEER_NET FAR OUTER_HEADER
both() {
	local n

	n=$(esp_mtu 1500 "$7" 8 16 4)
	tunnel gwa gwb xfrm 1 "$2" "$3" "$4" "$5"
	capture gwa pub /run/pub.pcap -Q out -s 200
	check "$1: a host behind the gateway is told $n" fits_exactly hosta "$6" "$n"
	check "$1: a socket on the gateway is told $n" fits_exactly gwa "$6" "$n"
	forget_mtu hosta gwa gwb hostb
	check "$1: TCP from a" tcp_fast hosta hostb "$6"
	check "$1: TCP from b" tcp_fast hostb hosta "${8}"
	check "$1: TCP from the gateway" tcp_fast gwa hostb "$6"
	check "$1: TCP to the gateway" tcp_fast hostb gwa "${9}"
	capture_end
	check "$1: nothing in clear" only_protected /run/pub.pcap
	check "$1: no packet on the link was a fragment" expect fragments 0 \
		"$(packets_in /run/pub.pcap 'ip[6:2] & 0x3fff != 0 or ip6[6] == 44')"
	check "$1: drops" drops_are gwa out-too-big=+
	run_in gwa postern policy flush
	run_in gwa postern state flush
	run_in gwb ip xfrm policy flush
	run_in gwb ip xfrm state flush
}
both 4in4 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24 10.2.0.2 20 10.1.0.2 10.1.0.1
both 6in6 2001:db8::1 2001:db8::2 fd01::/64 fd02::/64 fd02::2 40 fd01::2 fd01::1
both 4in6 2001:db8::1 2001:db8::2 10.1.0.0/24 10.2.0.0/24 10.2.0.2 40 10.1.0.2 10.1.0.1
both 6in4 192.0.2.1 192.0.2.2 fd01::/64 fd02::/64 fd02::2 20 fd01::2 fd01::1
