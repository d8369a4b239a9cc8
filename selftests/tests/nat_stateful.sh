#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A stateful firewall on the gateway sees the flows inside of the tunnel, and those of
# the tunnel itself, as established: one entry each, never one per packet.
#
#	hosta ----- gwa (Postern, firewall) ===== gwb (XFRM) ----- hostb
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
# a flow is remembered for as long as this takes
modprobe nf_conntrack
run_in gwa sysctl -qw net.netfilter.nf_conntrack_icmp_timeout=600 net.netfilter.nf_conntrack_icmpv6_timeout=600
tunnel gwa gwb xfrm 1 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24
tunnel gwa gwb xfrm 2 2001:db8::1 2001:db8::2 fd01::/64 fd02::/64
run_in gwa nft -f - <<'NFT'
table inet fw {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related counter name "in_old" accept
		meta l4proto esp counter name "in_esp" accept
		icmpv6 type { 133, 134, 135, 136 } accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related counter name "fwd_old" accept
		iifname "lan" ct state new counter name "fwd_new" accept
	}
	chain output {
		type filter hook output priority filter; policy drop;
		ct state established,related,new accept
		icmpv6 type { 133, 134, 135, 136 } accept
	}
	counter in_old {}
	counter in_esp {}
	counter fwd_old {}
	counter fwd_new {}
}
NFT
background gwa conntrack -E -e NEW >/run/events 2>/dev/null
sleep 1

count_of() { ip netns exec gwa nft -j list counter inet fw "$1" | jq '.nftables[] | select(.counter) | .counter.packets'; }
entries() { ip netns exec gwa conntrack -L -f "${2:-ipv4}" 2>/dev/null | grep -c "$1" || true; }
new_events() { grep -c "$1" /run/events || true; }

check "five pings from a" run_in hosta ping -n -q -c 5 -i 0.2 -W 10 10.2.0.2
check "five IPv6 pings from a" run_in hosta ping -n -q -c 5 -i 0.2 -W 10 fd02::2
check "TCP from a" tcp_ok hosta hostb 10.2.0.2
check "IPv6 TCP from a" tcp_ok hosta hostb fd02::2
ip netns exec gwa conntrack -L
ip netns exec gwa conntrack -L -f ipv6
cat /run/events

# -L lists confirmed entries only
check "an entry of the ping" expect entries 1 "$(entries '^icmp .*src=10.1.0.2 dst=10.2.0.2 ')"
check "an entry of the IPv6 ping" expect entries 1 "$(entries '^icmpv6 .*src=fd01::2 dst=fd02::2 ' ipv6)"
check "an entry of the connection" expect entries 1 "$(entries '^tcp .*src=10.1.0.2 dst=10.2.0.2 .*ASSURED')"
check "an entry of the tunnel" expect entries 1 "$(entries '^unknown *50 .*src=192.0.2.1 dst=192.0.2.2 ')"
check "an entry of the IPv6 tunnel" expect entries 1 "$(entries '^unknown *50 .*src=2001:db8::1 dst=2001:db8::2 ' ipv6)"
check "replies were seen" expect "entries without reply" 0 "$(entries 'UNREPLIED')"
check "no IPv6 entry without reply" expect entries 0 "$(entries 'UNREPLIED' ipv6)"

# each flow was new once
check "one new ping" expect events 1 "$(new_events 'icmp .*src=10.1.0.2')"
check "one new connection" expect events 1 "$(new_events 'tcp .*src=10.1.0.2')"
check "one new tunnel" expect events 1 "$(new_events ' 50 .*src=192.0.2')"
check "one new IPv6 tunnel" expect events 1 "$(new_events ' 50 .*src=2001')"
check "four flows were new to the forward chain" expect packets 4 "$(count_of fwd_new)"
check "ESP of an established flow" expect packets 0 "$(count_of in_esp)"

# the kernel's own count includes entries that nobody confirmed
total() { ip netns exec gwa sysctl -n net.netfilter.nf_conntrack_count; }
before=$(total)
run_in hosta ping -n -q -c 30 -i 0.02 -W 10 10.2.0.2
check "no entry per packet" [ "$(total)" -le $((before + 1)) ]

# from the other side nothing may begin, but what is ESP is let in
run_in gwa conntrack -F
run_in gwa conntrack -F -f ipv6 || lacking "a family to flush: all have gone"
check "a flow from b is refused" ping_lost hostb 10.1.0.2
check "a connection from b is refused" expect_fail run_in hostb socat -u /dev/null TCP4:10.1.0.2:5000,connect-timeout=1
# nobody has answered, so that each still counts as the first of its flow
check "its ESP was let in as new" [ "$(count_of in_esp)" -ge 2 ]
check "no entry of what was refused" expect entries 0 "$(entries 'src=10.2.0.2 ')"
check "the tunnel's entry began with b" expect entries 1 "$(entries '^unknown *50 .*src=192.0.2.2 dst=192.0.2.1 ')"
check "and still a may begin" ping_ok hosta 10.2.0.2
check "a flow begun by a carries on" tcp_ok hosta hostb 10.2.0.2 50000
check "no drop but of what was too big" drops_are gwa out-too-big='*'
