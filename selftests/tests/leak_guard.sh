#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What does not come from the IP stack passes the policies unseen; a guard on the device
# stops it, and counts it, and nothing else.
#
#	c port ---- port a (Postern; bridge of port and veth0) veth0 ---- veth0 b (XFRM)
#	                            macvlan in d, on veth0 of a
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
ns c d
link c port a port
addr c port 10.0.0.3/24 fd00::3/64
addr d lo 10.0.0.4/32
# with br_netfilter a bridge shows what it passes, as leak_br_netfilter has it
[[ ! -e /proc/sys/net/bridge ]] || ip netns exec a sysctl -qw net.bridge.bridge-nf-call-iptables=0
load_postern
MAC=$(ip -n b -j link show veth0 | jq -r '.[0].address')
guard() { run_in a postern guard "$@"; }
guards() { ip netns exec a postern -j guard list | jq -r 'map(.dev) | join(" ")'; }

if ! ip netns exec a postern guard add dev veth0 2>/run/why; then
	cat /run/why
	check "a kernel without the hook says so" grep -q '5.16' /run/why
	exit
fi
check "a device with a guard" expect devices veth0 "$(guards)"
ip netns exec a postern -j guard list >/run/json
check "JSON follows the schema" python "$(dirname "$0")/../../tools/test/schema.py" guard-list /run/json
check "one is enough" guard add dev veth0
check "and there is one" expect devices veth0 "$(guards)"
check "a device that shows no IP" expect_fail -m 'Ethernet' guard add dev lo
check "one is asked for" expect devices '' "$(ip netns exec a postern -j guard list dev port | jq -r '.[].dev')"
check "no such device" expect_fail -m 'ifindex' guard add dev if77
check "nothing to take away" expect_fail -m 'has a guard' guard delete dev port
check "a word is required" expect_fail -m 'dev' guard delete
modprobe tun
ip -n a tuntap add tun0 mode tun
guard add dev tun0
guard delete dev veth0
guard add dev veth0
check "in the order of their numbers" expect devices 'veth0 tun0' "$(guards)"
# TUNSETLINK to ARPHRD_ETHER
retype() { run_in a python -c '
import fcntl, struct
tun = open("/dev/net/tun", "r+b", 0)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))
fcntl.ioctl(tun, 0x400454CD, 1)'; }
check "the device stays of its kind" expect_fail -m 'busy' retype
guard delete dev tun0
check "without a guard it need not" retype
ip -n a link del tun0
guard delete dev veth0
check "taken away" expect devices '' "$(guards)"

# What is about b is protected, on whatever way; there is no SA yet.
WORDS=() GUARDED=0
protect=(priority 10 tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode transport)
run_in a postern policy add dir out src 10.0.0.0/24 dst 10.0.0.2 "${protect[@]}"
run_in a postern policy add dir out src 10.0.0.0/24 dst 10.0.0.2 proto udp dport 67 priority 0 action bypass
run_in a postern policy add dir out src fd00::/64 dst fd00::2 action discard
capture b veth0 /run/b.pcap -Q in
word() { WORD=canary$RANDOM$RANDOM; }
seen() { busywait 3 grep -qa "$WORD" /run/b.pcap; }
# from_socket HOW...: into the device, by a packet socket
from_socket() { run_in a python -B py/frame.py veth0 "$MAC" 10.0.0.1 10.0.0.2 "$WORD" "$@" || true; }
from_socket6() { run_in a python -B py/frame.py veth0 "$MAC" fd00::1 fd00::2 "$WORD" "$@" || true; }
from_bridge() { run_in c python -B py/frame.py port "$MAC" 10.0.0.3 10.0.0.2 "$WORD" "$@"; }
from_macvlan() { # which no port of a bridge can have
	ip -n a link set veth0 nomaster
	ip -n a link add mv link veth0 netns d type macvlan
	ip -n d link set mv up
	run_in d python -B py/frame.py mv "$MAC" 10.0.0.4 10.0.0.2 "$WORD" || true
	ip -n d link del mv
	ip -n a link set veth0 master br0
}

ip -n a link add br0 type bridge
ip -n a link set br0 up
ip -n a link set port master br0
ip -n a link set veth0 master br0
# which the debug kernel has not
by_rule() { # WORD...: in the stead of the bridge
	run_in a nft "add table netdev by; add chain netdev by in { type filter hook ingress device port priority 0; }"
	run_in a nft add rule netdev by in ip daddr 10.0.0.2 "$@"
	from_bridge
	run_in a nft delete table netdev by
}
from_srv6() {
	run_in c python -B py/frame.py port "$MAC" 10.0.0.3 10.0.0.2 "$WORD" \
		srv6 "$(ip -n a -j link show br0 | jq -r '.[0].address')"
}
if [[ $LANE = debug ]]; then
	ways=('from_socket' 'from_socket6' 'from_socket dgram' 'from_socket6 dgram' 'from_socket bypass'
		'from_socket vlan' 'from_socket6 vlan vlan' 'from_bridge' 'from_bridge vlan' 'from_macvlan')
else
	ways=('from_socket' 'from_socket6 vlan vlan' 'from_bridge' 'from_macvlan'
		'by_rule fwd to veth0' 'by_rule dup to veth0 drop' 'from_srv6')
	ip -n a -6 route add fd05::1 encap seg6local action End.DX2 oif veth0 dev br0
fi
for way in "${ways[@]}"; do
	word
	$way
	check "without a guard: $way: seen" seen
done

guard add dev veth0
guarded() { drops_are a out-guard="$GUARDED" out-no-sa='*' in-cleartext='*' out-discard='*'; }
for way in "${ways[@]}"; do
	word
	WORDS+=("$WORD")
	$way
	GUARDED=$((GUARDED + 1))
	check "$way: counted" busywait 3 guarded
done
word
from_socket cut
GUARDED=$((GUARDED + 1))
check "a header that is cut off" busywait 3 guarded
from_socket vlan vlan vlan vlan vlan vlan vlan vlan vlan
GUARDED=$((GUARDED + 1))
check "more tags than anybody sends" busywait 3 guarded
WORDS+=("$WORD")

# what passes: by policy, for other addresses, of other types
word
from_socket port 67
check "bypass: seen" seen
word
run_in a python -B py/frame.py veth0 "$MAC" 10.0.0.1 10.0.0.99 "$WORD"
check "no policy: seen" seen
for way in from_socket from_bridge; do
	run_in a postern policy update dir out src 10.0.0.0/24 dst 10.0.0.2 priority 10 action bypass
	word
	$way
	check "$way: all bypasses: seen" seen
	run_in a postern policy update dir out src 10.0.0.0/24 dst 10.0.0.2 "${protect[@]}"
done
check "these were not counted" guarded
# neighbour discovery of the bridge is none of its business
run_in c ip neigh flush dev port
run_in c ping -q -n -c 1 -W 0.2 fd00::2 >/dev/null || true
knows() { ip -n c -6 neigh show fd00::2 | grep -q lladdr; }
check "neighbour discovery through the bridge" busywait 5 knows
GUARDED=$(stat_of a out-guard)

# what tc redirects, the kernel does not show: a limit, as the manual says
tc -n a qdisc add dev port clsact
if tc -n a filter add dev port ingress matchall action mirred egress redirect dev veth0 2>/dev/null; then
	word
	from_bridge
	check "tc redirect: seen" seen
	tc -n a filter del dev port ingress
fi
tc -n a qdisc del dev port clsact

# The protected flow passes, whole and in pieces: from a bridge and from a VLAN on top of the
# device, and from itself, plain and in UDP.
arrived() { [[ $(packets_in /run/esp.pcap) = "$1" ]]; }
flows() { # NAME ADDRESS FILTER
	capture b veth0 /run/esp.pcap -Q in "$3"
	run_in a ping -q -n -c 3 -i 0.1 -W 0.1 "$2" || true
	run_in a ping -q -n -c 1 -W 0.1 -s 4000 "$2" || true
	check "$1: 3 packets and one in 3 pieces" busywait 5 arrived 6
	capture_end
	check "$1: none was stopped" guarded
}
sa() { # DST [WORD...]
	run_in a postern state add src "${1%.2}.1" dst "$1" proto esp spi 0x1001 reqid 1 mode transport dir out \
		"${@:2}" aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
}
first=$CAPTURE
sa 10.0.0.2
ip -n a addr del 10.0.0.1/24 dev veth0
addr a br0 10.0.0.1/24
flows "by a bridge" 10.0.0.2 'ip proto 50'
stopped() { # N: ways
	CAPTURE=$first
	capture_end
	for WORD in "${WORDS[@]}"; do
		! grep -qa "$WORD" /run/b.pcap || fail "$WORD was seen behind the guard"
	done
	check "nothing was seen of what was stopped" expect ways "$1" ${#WORDS[@]}
}
if [[ $LANE != debug ]]; then
	stopped 8
	exit
fi
ip -n a link set veth0 nomaster
ip -n a link del br0
addr a veth0 10.0.0.1/24
flows "by the device" 10.0.0.2 'ip proto 50'
# the route is lost on the way: the SA speaks for what it has made
ip -n a addr del 10.0.0.1/24 dev veth0
ip -n a link add va type veth peer name vb
ip -n a link add br1 type bridge
for dev in va vb br1; do ip -n a link set $dev up; done
ip -n a link set vb master br1
ip -n a link set veth0 master br1
addr a va 10.0.0.1/24
flows "by a pair and a bridge" 10.0.0.2 'ip proto 50'
run_in a postern state flush
ip -n a link del br1
ip -n a link del va
addr a veth0 10.0.0.1/24
sa 10.0.0.2 encap espinudp 4500 4500 0.0.0.0
flows "in UDP" 10.0.0.2 'udp port 4500 or ip[6:2] & 0x1fff != 0'
ip -n a link add link veth0 name v5 type vlan id 5
ip -n a link set v5 up
addr a v5 10.0.5.1/24
ip -n a neigh add 10.0.5.2 lladdr "$MAC" dev v5
run_in a postern policy add dir out src 10.0.5.0/24 dst 10.0.5.2 tmpl src 10.0.5.1 dst 10.0.5.2 \
	proto esp reqid 1 mode transport
sa 10.0.5.2
flows "by a VLAN" 10.0.5.2 'vlan 5 and ip proto 50'
stopped 11

# A route that has died while the packet waited for a neighbour is nobody's, though the device
# in its stead is in the first namespace: with a guard there, too, that judges by itself.
ip link add first type veth peer name first netns b
ip link set first up
ip -n b link set first up
ip link add mv link first netns d type macvlan
ip netns exec d sysctl -qw net.ipv4.neigh.mv.mcast_solicit=100
ip -n d link set mv up
ip -n d route add 10.0.6.2 dev mv src 10.0.0.4
postern policy add dir out src 10.0.0.4 dst 10.0.6.2 action discard
postern guard add dev first
ip netns exec d bash -c 'echo canary >/dev/udp/10.0.6.2/7000'
ip -n d route del 10.0.6.2
# what RCU frees is gone when a device is
ip -n d link add gone type dummy
ip -n d link del gone
check "a packet waits" grep -q INCOMPLETE <(ip -n d neigh show 10.0.6.2 dev mv)
ip -n d neigh replace 10.0.6.2 lladdr "$MAC" dev mv
first_guarded() { postern -j stats | jq -e '.drops[] | select(.reason == "out-guard" and .packets == 1)'; }
check "its route has died: counted" busywait 3 first_guarded
postern policy flush
ip link del first

# the device goes, and with it the guard, or the guard with the module
ip -n a link set veth0 down
ip -n a link set veth0 name out0 up
ip -n a link add dm0 type dummy
ip -n a link add dm1 type dummy
guard add dev dm0
guard add dev dm1
check "another name, and two more" expect devices 'out0 dm0 dm1' "$(guards)"
ip -n a link del dm0
ip -n a link set dm1 netns d
check "one is gone, one in another namespace" expect devices out0 "$(guards)"
check "where it has none" expect devices '' "$(ip netns exec d postern -j guard list | jq -r '.[].dev')"
word
run_in a python -B py/frame.py out0 "$MAC" 10.0.0.1 10.0.0.2 "$WORD" || true
GUARDED=$((GUARDED + 1))
check "another name: it stands" busywait 3 guarded
run_in a postern policy flush
check "the module goes" rmmod postern
load_postern
check "and has none when it comes back" expect devices '' "$(guards)"
guard add dev out0
