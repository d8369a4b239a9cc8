#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the router before a narrow link says of Postern's packets is kept with their SA,
# and senders are told what fits (RFC 4301 section 8.2): see path.sh for the drawing.
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"
. "$(dirname "$0")/../path.sh"

topo_path
load_postern

# A datagram of OCTETS gets there, sooner or later: the first may tell of the MTU.
udp_gets_there() { # FROM TO ADDRESS OCTETS
	local pf=4 to=$3 rc=0

	[[ $to != *:* ]] || pf=6 to=[$to]
	rm -f /run/udp.got
	head -c "$4" /dev/urandom >/run/udp.sent
	background "$2" socat -u -b 65536 UDP$pf-RECV:5001 CREATE:/run/udp.got
	wait_listen "$2" udp 5001 || return 1
	busywait 15 udp_once "$1" "UDP$pf-SENDTO:$to:5001" "$4" || rc=1
	kill "$BACKGROUND" 2>/dev/null || true
	wait "$BACKGROUND" 2>/dev/null || true
	return $rc
}
udp_once() {
	ip netns exec "$1" socat -u -b 65536 /run/udp.sent "$2"
	sleep 0.2
	(($(stat -c %s /run/udp.got) >= $3)) && cmp -n "$3" /run/udp.sent /run/udp.got
}

# sites NAME PROTO A B NET_A NET_B TO BACK N
sites() {
	up "$2" tunnel "$3" "$4" "$5" "$6"
	capture router west /run/west.pcap -Q in -s 200
	check "$1: nothing is known yet" path_mtu_is ''
	check "$1: TCP, of which the first packets are too big" tcp_fast hosta hostb "$7"
	check "$1: the SA knows" path_mtu_is 1400
	forget_mtu hosta
	check "$1: a host is told $9" fits_exactly hosta "$7" "$9"
	check "$1: UDP" udp_gets_there hosta hostb "$7" 1452
	check "$1: UDP in fragments" udp_gets_there hosta hostb "$7" 5000
	check "$1: a large packet that may be fragmented" ping_ok hosta "$7" -M dont -s 1472 -c 3 -i 0.3
	capture_end
	check "$1: nothing in clear" only_protected /run/west.pcap
	down
}
sites "esp 4in4" esp "${OUT4[@]}" "${N4[@]}" "$(esp_mtu 1400 20 8 16 4)"
sites "esp 6in6" esp "${OUT6[@]}" "${N6[@]}" "$(esp_mtu 1400 40 8 16 4)"
# what the kernel's version has to do with it has shown by now
if [[ $LANE = debug ]]; then
	sites "esp 4in6" esp "${OUT6[@]}" "${N4[@]}" "$(esp_mtu 1400 40 8 16 4)"
	sites "esp 6in4" esp "${OUT4[@]}" "${N6[@]}" "$(esp_mtu 1400 20 8 16 4)"
	# RFC 4302 section 2: 12 octets and the ICV, padded
	sites "ah 4in4" ah "${OUT4[@]}" "${N4[@]}" $((1400 - 20 - 32))
	sites "ah 6in6" ah "${OUT6[@]}" "${N6[@]}" $((1400 - 40 - 32))
fi

# ends NAME PROTO MODE A B N: the gateways themselves
ends() {
	local type d

	up "$2" "$3" "$4" "$5" "$4" "$5"
	# Postern lets neighbour discovery pass by itself; XFRM must be told
	for type in 135 136; do
		for d in in out; do
			ip -n gwb xfrm policy add dir $d src ::/0 dst ::/0 proto ipv6-icmp type $type priority 1
		done
	done
	ip -n gwa route replace 198.51.100.2 via 192.0.2.254 src 192.0.2.1
	ip -n gwa route replace 2001:db8:2::2 via 2001:db8:1::ff src 2001:db8:1::1
	capture router west /run/west.pcap -Q in -s 200
	check "$1: TCP, of which the first packets are too big" tcp_fast gwa gwb "$5"
	check "$1: the SA knows" path_mtu_is 1400
	check "$1: a socket is told $6" fits_exactly gwa "$5" "$6"
	forget_mtu gwa
	check "$1: TCP" tcp_fast gwa gwb "$5"
	capture_end
	check "$1: nothing in clear" only_protected /run/west.pcap
	check "$1: no packet was a fragment" expect fragments 0 \
		"$(packets_in /run/west.pcap 'ip[6:2] & 0x3fff != 0 or ip6[6] == 44')"
	check "$1: UDP in fragments" udp_gets_there gwa gwb "$5" 5000
	down
}
ends "esp transport over IPv4" esp transport "${OUT4[@]}" $(($(esp_mtu 1400 20 8 16 4) + 20))
ends "esp transport over IPv6" esp transport "${OUT6[@]}" $(($(esp_mtu 1400 40 8 16 4) + 40))
if [[ $LANE = debug ]]; then
	ends "esp tunnel, ends of it, over IPv6" esp tunnel "${OUT6[@]}" "$(esp_mtu 1400 40 8 16 4)"
	ends "ah transport over IPv6" ah transport "${OUT6[@]}" $((1400 - 32))
fi

# in_udp NAME A B NET_A NET_B TO BACK N: the SA's packets are datagrams
in_udp() {
	# shellcheck disable=SC2034 # of path.sh
	local WORDS=(encap espinudp 4500 4500 0.0.0.0)

	up esp tunnel "$2" "$3" "$4" "$5"
	check "$1: TCP, of which the first packets are too big" tcp_fast hosta hostb "$6"
	check "$1: the SA knows" path_mtu_is 1400
	forget_mtu hosta
	check "$1: a host is told $8" fits_exactly hosta "$6" "$8"
	down
}
background gwb /usr/bin/python3 "$(dirname "$0")/../py/encap.py" xfrm 4500
wait_listen gwb udp 4500
in_udp "esp in UDP 4in4" "${OUT4[@]}" "${N4[@]}" "$(esp_mtu 1400 28 8 16 4)"
in_udp "esp in UDP 6in6" "${OUT6[@]}" "${N6[@]}" "$(esp_mtu 1400 48 8 16 4)"
