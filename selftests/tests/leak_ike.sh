#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With everything protected, neighbour discovery works without a policy of its own, IKE
# by policies that say so, and nothing else passes in clear.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
all() { # NS ADDR PEER N ANY: everything, and IKE
	local port

	for port in 500 4500; do
		run_in "$1" postern policy add dir out src "$5" dst "$5" proto udp sport $port dport $port priority 1 action bypass
		run_in "$1" postern policy add dir in src "$5" dst "$5" proto udp sport $port dport $port priority 1 action bypass
	done
	policies "$1" postern "$4" "$5" "$5" "$2" "$3" transport priority 100
}
postern_sas a 1 10.0.0.1 10.0.0.2 transport
peer_sas b 1 10.0.0.1 10.0.0.2 transport postern
postern_sas a 2 fd00::1 fd00::2 transport
peer_sas b 2 fd00::1 fd00::2 transport postern
all a 10.0.0.1 10.0.0.2 1 0.0.0.0/0
all b 10.0.0.2 10.0.0.1 1 0.0.0.0/0
all a fd00::1 fd00::2 2 ::/0
all b fd00::2 fd00::1 2 ::/0

capture a veth0 /run/a.pcap -Q out
for n in 1 2; do
	run_in a ip -6 neigh flush dev veth0
	run_in b ip -6 neigh flush dev veth0
	check "IPv6 with an empty neighbour table ($n)" ping_ok a fd00::2
	check "IPv4 ($n)" ping_ok a 10.0.0.2
done
check "the neighbour was found" ip netns exec a ip -6 neigh show fd00::2 nud reachable

ike() { # PORT
	rm -f /run/ike
	background b socat -u UDP4-RECV:"$1" CREATE:/run/ike
	wait_listen b udp "$1"
	echo "IKE_SA_INIT" | run_in a socat -u STDIN UDP4-SENDTO:10.0.0.2:"$1",sourceport="$1"
	busywait 3 grep -q IKE_SA_INIT /run/ike
}
check "port 500" ike 500
check "port 4500" ike 4500
check "another port goes through the SA" ike 501
check "TCP goes through the SA" tcp_ok a b 10.0.0.2 20000
check "IPv6 TCP goes through the SA" tcp_ok a b fd00::2 20000
capture_end
check "IKE went in clear" expect packets 2 "$(packets_in /run/a.pcap 'udp port 500 or udp port 4500')"
check "nothing else did" expect packets 0 \
	"$(packets_in /run/a.pcap "not (udp port 500 or udp port 4500) and not ($NOT_CLEAR)")"
