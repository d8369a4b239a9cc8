#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Policies with flag tcp-mss: TCP goes through a path whose small link in the middle tells
# nobody that packets are too big.
#
#	              1500          1400         1500
#	hosta ---- gwa ---- router ------- mid ------- gwb ---- hostb
#	         192.0.2.1     .254       203.0.113.2  198.51.100.2
#	          Postern    silent                      XFRM
#
# timeout: 240
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"
. "$(dirname "$0")/../path.sh"

topo_path
load_postern
# router and gwb drop what is too big and say nothing, and hosts hear nothing
for n in router mid gwb hosta hostb; do
	run_in $n nft -f - <<-'NFT'
		table inet silent {
			chain inward { type filter hook input priority 0; icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }
			chain outward { type filter hook output priority 0; icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }
		}
	NFT
done
tunnel gwa gwb xfrm 1 "${OUT4[@]}" "${N4[@]:0:2}"
tunnel gwa gwb xfrm 2 "${OUT6[@]}" "${N6[@]:0:2}"

# What the administrator knows of the path.
mtu() {
	run_in gwa ip route replace 198.51.100.2 via 192.0.2.254 mtu "$1"
	run_in gwa ip route replace 2001:db8:2::2 via 2001:db8:1::ff mtu "$1"
}
flags() {
	local v i d net far src dst

	for v in 4 6; do
		local -n n=N$v out=OUT$v
		net=${n[0]} far=${n[1]} src=${out[0]} dst=${out[1]} i=$((v / 2 - 1)) d=out
		for d in out in; do
			run_in gwa postern policy update dir $d src "$net" dst "$far" "$@" \
				tmpl src "$src" dst "$dst" proto esp reqid $i mode tunnel
			net=${n[1]} far=${n[0]} src=${out[1]} dst=${out[0]}
		done
	done
}
# A transfer that stalls when its segments are too large, to an address of ours or theirs.
stalls() { ! run_in "$1" timeout 4 socat -u -t 3 /run/data "TCP:$2:5001,connect-timeout=3"; }
mss4=$(($(esp_mtu 1400 20 8 16 4) - 40)) mss6=$(($(esp_mtu 1400 40 8 16 4) - 60))
# mss_of FILE FILTER: sizes that SYNs of a capture ask for
mss_of() { tcpdump -n -v -r "$1" "tcp[tcpflags] & tcp-syn != 0" 2>/dev/null | grep -o 'mss [0-9]*' | sort -u | paste -sd, ; }
mss6_of() { tcpdump -n -v -r "$1" "ip6 and ip6[53] & 2 != 0" 2>/dev/null | grep -o 'mss [0-9]*' | sort -u | paste -sd, ; }

mtu 1400
head -c 100000 /dev/urandom >/run/data
background hostb socat -u TCP-LISTEN:5001,reuseaddr,fork OPEN:/dev/null
wait_listen hostb tcp 5001
check "without the flag TCP stalls" busywait 1 stalls hosta 10.2.0.2
flags flag tcp-mss
check "the flag is shown" expect flags 4 "$(ip netns exec gwa postern policy list | grep -c 'flag tcp-mss')"

capture hostb lan /run/b.pcap -Q in -s 200 tcp or ip6 proto 6
capture_b=$CAPTURE
capture hosta lan /run/a.pcap -Q in -s 200 tcp or ip6 proto 6
check "TCP" tcp_ok hosta hostb 10.2.0.2 100000
check "TCP from the other side" tcp_ok hostb hosta 10.1.0.2 100000
check "TCP of the gateway itself" tcp_ok gwa hostb 10.2.0.2 100000
check "IPv6 TCP" tcp_ok hosta hostb fd02::2 100000
check "IPv6 TCP from the other side" tcp_ok hostb hosta fd01::2 100000
capture_end
CAPTURE=$capture_b
capture_end
check "the far end is asked for what fits" expect mss "mss $mss4" "$(mss_of /run/b.pcap)"
check "the near end as well" expect mss "mss $mss4" "$(mss_of /run/a.pcap)"
check "IPv6: the far end" expect mss "mss $mss6" "$(mss6_of /run/b.pcap)"
check "IPv6: the near end" expect mss "mss $mss6" "$(mss6_of /run/a.pcap)"

# Options of all kinds, of another path now; then a path that takes less than every host.
cases() {
	capture hostb lan /run/syn.pcap -Q in tcp or ip6 proto 6
	run_in hosta python -B py/syn.py send 10.1.0.2 10.2.0.2
	run_in hosta python -B py/syn.py send fd01::2 fd02::2
	capture_end
	run_in hosta python -B py/syn.py check /run/syn.pcap "$1" "$2"
}
mtu 1380
check "options of all kinds" cases $(($(esp_mtu 1380 20 8 16 4) - 40)) $(($(esp_mtu 1380 40 8 16 4) - 60))
mtu 1280
check "never less than every host takes: IPv6" cases $(($(esp_mtu 1280 20 8 16 4) - 40)) 1220
run_in gwa ip route replace 198.51.100.2 via 192.0.2.254 mtu 560
check "and IPv4" cases 536 1220
flags
check "without the flag nothing changes" cases 65535 65535
