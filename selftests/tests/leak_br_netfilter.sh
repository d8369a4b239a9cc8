#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# With br_netfilter, packets that a bridge merely passes meet the hooks of IP as well,
# with a route that leads nowhere.  Whatever a policy makes of them, the kernel stands
# and nothing leaves in clear.
#
#	a ------- bridge (Postern, bridge-nf-call-iptables) ------- b
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

ns a bridge b
link a veth0 bridge port1
link b veth0 bridge port2
addr a veth0 10.0.0.1/24 fd00::1/64
addr b veth0 10.0.0.2/24 fd00::2/64
ip -n bridge link add br0 type bridge
ip -n bridge link set port1 master br0
ip -n bridge link set port2 master br0
ip -n bridge link set br0 up
addr bridge br0 10.0.0.254/24 fd00::ff/64
modprobe br_netfilter 2>/dev/null || skip "this kernel has no br_netfilter"
cleanup_more() { modprobe -r br_netfilter 2>/dev/null; }
ip netns exec bridge sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
load_postern
ping_ok a 10.0.0.2
ping_ok a fd00::2

for mode in transport tunnel; do
	postern_sas bridge 1 10.0.0.1 10.0.0.2 $mode
	postern_sas bridge 2 fd00::1 fd00::2 $mode
	run_in bridge postern policy add dir out src 10.0.0.1 dst 10.0.0.2 \
		tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode $mode
	run_in bridge postern policy add dir out src fd00::1 dst fd00::2 \
		tmpl src fd00::1 dst fd00::2 proto esp reqid 2 mode $mode
	capture bridge port2 /run/b.pcap -Q out
	check "$mode" ping_lost a 10.0.0.2 -W 0.4
	check "$mode, IPv6" ping_lost a fd00::2 -W 0.4
	check "$mode, large" ping_lost a 10.0.0.2 -W 0.4 -s 3000
	capture_end
	check "$mode: nothing in clear" expect packets 0 "$(packets_in /run/b.pcap "not ($NOT_CLEAR)")"
	run_in bridge postern policy flush
	run_in bridge postern state flush
done

# what a bridge passes to a group is nobody's own: not looped, and not sent in clear
for sas in 0 1; do
	((!sas)) || postern_sas bridge 3 fd00::ff fd00::2 tunnel
	run_in bridge postern policy add dir out src ::/0 dst ::/0 \
		tmpl src fd00::ff dst fd00::2 proto esp reqid 3 mode tunnel
	came() { [[ $(packets_in /run/a.pcap 'icmp6 and ip6[40] == 128') -ge 3 ]]; }
	capture bridge port1 /run/a.pcap -Q in
	CAPTURE_A=$CAPTURE
	capture bridge port2 /run/b.pcap -Q out
	pp ip netns exec a ping -n -q -c 3 -i 0.2 -W 0.2 -I veth0 ff05::123 || true
	check "multicast came" busywait 10 came
	capture_end
	CAPTURE=$CAPTURE_A
	capture_end
	check "SAs $sas: no multicast in clear" expect packets 0 "$(packets_in /run/b.pcap 'icmp6 and ip6[40] == 128')"
	run_in bridge postern policy flush
done
run_in bridge postern state flush

# a key manager listens: who passes a bridge does not wait, for the bridge may go away
background bridge postern monitor acquire >/run/acquires
run_in bridge postern policy add dir out src 10.0.0.1 dst 10.0.0.2 \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel
asked() {
	ip netns exec a ping -q -n -c 1 -W 0.2 10.0.0.2
	[[ -s /run/acquires ]]
}
check "an SA is asked for" busywait 20 asked
check "nothing waits" expect packets 0 "$(stat_of bridge held)"
run_in bridge postern policy flush
check "without policies as before" ping_ok a 10.0.0.2

# the bridges of User-Mode Linux know no VLANs
case $LANE in debug | kcsan) exit 0 ;; esac
# a port to a tunnel device: the bridge puts the tunnel's id in the place of the route
ip -n bridge link set br0 type bridge vlan_filtering 1
run_in bridge ip link add vx0 type vxlan dstport 4789 external
run_in bridge ip link set vx0 master br0 up
run_in bridge bridge link set dev vx0 vlan_tunnel on learning off
run_in bridge bridge vlan add dev vx0 vid 1
run_in bridge bridge vlan add dev vx0 vid 1 tunnel_info id 1000
# as seen from a, who is behind it
run_in bridge bridge fdb add 02:00:00:00:00:77 dev vx0 master static vlan 1
ip -n a neigh replace 10.0.0.77 lladdr 02:00:00:00:00:77 dev veth0
for mode in transport tunnel; do
	for sas in 0 1; do
		((!sas)) || postern_sas bridge 4 10.0.0.1 10.0.0.77 $mode
		run_in bridge postern policy add dir out src 10.0.0.1 dst 10.0.0.77 \
			tmpl src 10.0.0.1 dst 10.0.0.77 proto esp reqid 4 mode $mode
		check "to a tunnel device, $mode, SAs $sas" drops_by bridge out-no-route=1 -- ping_lost a 10.0.0.77
		run_in bridge postern policy flush
		run_in bridge postern state flush
	done
done
check "the kernel stands" ping_ok a 10.0.0.2
