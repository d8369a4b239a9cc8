#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What its sender lets be fragmented goes through a tunnel at any size, and no packet
# on the link is larger than the link.
#
#	hosta ----- gwa (Postern) ===== gwb (XFRM) ----- hostb
#
# timeout: 480
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
tunnel gwa gwb xfrm 1 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24
tunnel gwa gwb xfrm 2 2001:db8::1 2001:db8::2 fd01::/64 fd02::/64
ip -n gwa route replace 10.2.0.0/24 via 192.0.2.2 src 10.1.0.1
ip -n gwa route replace fd02::/64 via 2001:db8::2 src fd01::1

capture gwa pub /run/pub.pcap -Q out
# 1418 + 28 fit the tunnel; 1472 + 28 fit the link only; the rest not even that
for size in 1418 1419 1472 1473 3000 20000 65000; do
	check "$size octets from a host" ping_ok hosta 10.2.0.2 -M dont -s $size
	check "$size octets from the gateway" ping_ok gwa 10.2.0.2 -M dont -s $size
done
# of IPv6 the sender alone makes fragments: the first may be lost to tell it of the MTU,
# here or at the gateway of the other side
six() { # NAME SIZE...
	local size

	for size in "${@:2}"; do
		check "$1: $size octets from a host" ping_ok hosta fd02::2 -M dont -s "$size" -c 4 -i 0.3
		check "$1: $size octets from the gateway" ping_ok gwa fd02::2 -M dont -s "$size" -c 4 -i 0.3
	done
}
six "IPv6" 1378 3000 65000
capture_end
check "nothing in clear" only_protected /run/pub.pcap
check "nothing above 1500 octets" expect packets 0 "$(packets_in /run/pub.pcap greater 1515)"

# on a path of the least MTU not even the fragments fit
pp ip -n gwa route add 2001:db8::2/128 dev pub mtu 1280
ip -n gwa -6 route flush cache
capture gwa pub /run/pub.pcap -Q out
six "IPv6, a path of 1280" 1200 1232 3000
capture_end
check "nothing in clear" only_protected /run/pub.pcap
check "nothing above 1280 octets" expect packets 0 "$(packets_in /run/pub.pcap greater 1295)"
