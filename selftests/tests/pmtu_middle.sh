#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A link in the middle is smaller than those at the ends, and the gateway's route says so.
#
#	                 1500            1400
#	hosta ----- gwa ------ router ------ gwb ----- hostb
#	         192.0.2.1                198.51.100.2
#	          Postern                     XFRM
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

ns hosta gwa router gwb hostb
link hosta lan gwa lan
link gwa pub router west
link router east gwb pub
link gwb lan hostb lan
ip -n router link set east mtu 1400
ip -n gwb link set pub mtu 1400
addr hosta lan 10.1.0.2/24 fd01::2/64
addr gwa lan 10.1.0.1/24 fd01::1/64
addr gwa pub 192.0.2.1/24 2001:db8:1::1/64
addr router west 192.0.2.254/24 2001:db8:1::ff/64
addr router east 198.51.100.254/24 2001:db8:2::ff/64
addr gwb pub 198.51.100.2/24 2001:db8:2::2/64
addr gwb lan 10.2.0.1/24 fd02::1/64
addr hostb lan 10.2.0.2/24 fd02::2/64
for n in gwa router gwb; do
	forward $n
done
ip -n hosta route add default via 10.1.0.1
ip -n hosta route add default via fd01::1
ip -n hostb route add default via 10.2.0.1
ip -n hostb route add default via fd02::1
ip -n gwa route add default via 192.0.2.254
ip -n gwa route add default via 2001:db8:1::ff
ip -n gwb route add default via 198.51.100.254
ip -n gwb route add default via 2001:db8:2::ff
load_postern
tunnel gwa gwb xfrm 1 192.0.2.1 198.51.100.2 10.1.0.0/24 10.2.0.0/24
tunnel gwa gwb xfrm 2 2001:db8:1::1 2001:db8:2::2 fd01::/64 fd02::/64

run_in gwa ip route add 198.51.100.2 via 192.0.2.254 mtu 1400
run_in gwa ip route add 2001:db8:2::2 via 2001:db8:1::ff mtu 1400
check "a host is told" fits_exactly hosta 10.2.0.2 "$(esp_mtu 1400 20 8 16 4)"
check "an IPv6 host is told" fits_exactly hosta fd02::2 "$(esp_mtu 1400 40 8 16 4)"
forget_mtu hosta
check "TCP" tcp_fast hosta hostb 10.2.0.2
check "IPv6 TCP" tcp_fast hosta hostb fd02::2
check "1472 octets that may be fragmented" ping_ok hosta 10.2.0.2 -M dont -s 1472

# a route that changes while the SA lives
run_in gwa ip route replace 198.51.100.2 via 192.0.2.254 mtu 1300
check "a host is told of the new route" fits_exactly hosta 10.2.0.2 "$(esp_mtu 1300 20 8 16 4)"
