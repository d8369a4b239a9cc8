#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A tunnel in a tunnel learns what is left for it; and gateways that send packets to each
# other do so until their TTL ends, without more errors than packets: see path.sh.
#
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"
. "$(dirname "$0")/../path.sh"

topo_path
load_postern

# the gateway of the outer one tells that of the inner one
up esp tunnel "${OUT4[@]}" "${N4[@]:0:2}"
tunnel router mid xfrm 2 203.0.113.1 203.0.113.2 192.0.2.0/24 198.51.100.0/24
tunnel_mtu=$(esp_mtu 1400 20 8 16 4)
check "tunnel in tunnel: TCP" tcp_fast hosta hostb 10.2.0.2
check "tunnel in tunnel: the inner SA knows" path_mtu_is "$tunnel_mtu"
check "tunnel in tunnel: a host is told" fits_exactly hosta 10.2.0.2 "$(esp_mtu "$tunnel_mtu" 20 8 16 4)"
down

# Two gateways that send the same packets to each other through tunnels: they go round
# until their TTL ends, and one that is too large for one of the two makes one error.
run_in gwa sysctl -qw net.ipv4.conf.all.accept_local=1
ip -n router route add 10.3.0.0/24 via 192.0.2.1
ip -n router route add 10.1.0.0/24 via 192.0.2.1
postern_sas gwa 1 192.0.2.1 192.0.2.254 tunnel
peer_sas router 1 192.0.2.1 192.0.2.254 tunnel postern
there=(src 192.0.2.1 dst 192.0.2.254 proto esp reqid 1 mode tunnel)
back=(src 192.0.2.254 dst 192.0.2.1 proto esp reqid 1 mode tunnel)
for d in out in; do
	run_in gwa postern policy add dir $d src 10.1.0.0/24 dst 10.3.0.0/24 tmpl "${there[@]}"
	run_in router postern policy add dir $d src 10.1.0.0/24 dst 10.3.0.0/24 tmpl "${back[@]}"
	there_now=("${there[@]}") there=("${back[@]}") back=("${there_now[@]}")
done
capture gwa pub /run/pub.pcap
ping_lost gwa 10.3.0.9 -t 64
capture_end
check "a packet goes round until its TTL ends" expect packets 64 "$(packets_in /run/pub.pcap ip proto 50)"
run_in gwa python -B "$(dirname "$0")/../py/toobig.py" router=192.0.2.1 src=192.0.2.254 dst=192.0.2.1 \
	proto=50 spi="$(spi_of 1 2)" seq=1 mtu=1300
ping_ok gwa 192.0.2.254
capture gwa pub /run/pub.pcap
ping_lost gwa 10.3.0.9 -t 64 -M "do" -s 1372
capture_end
check "one that is too large on the way back goes there once" expect packets 1 \
	"$(packets_in /run/pub.pcap ip proto 50)"
check "and is reported once" expect errors 1 "$(packets_in /run/pub.pcap 'icmp[0] == 3')"
down
