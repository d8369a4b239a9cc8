#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An ICMP error that a gateway itself sends about a packet that came through an SA goes back
# through the tunnel, though its source is in no policy (RFC 4301 section 6.2).  Flag icmp
# says so where a policy lets all bypass that is the gateway's own.
#
#	hosta ----- gwa (Postern) ===== gwb ----- hostb
#	      1300
#
# timeout: 150
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
ip -n gwa link set lan mtu 1300
ip netns exec gwa sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
# a network behind gwa that it has no route to
run_in gwb ip route add 10.1.9.0/24 via 192.0.2.1
run_in gwb ip route add fd01:0:9::/64 via 2001:db8::1

# hears REGEX WORD...: what the ping of hostb says
hears() {
	local out

	forget_mtu hostb
	out=$(run_in hostb ping -n -c 1 -W 3 "${@:2}" 2>&1) || true
	printf '%s\n' "$out"
	[[ $out =~ $1 ]]
}
sent() { expect "errors sent" "$1" "$(stat_of gwa out-sent)"; }

# older than the tunnels, but of another type or code than the answer to what errors quote
for i in '0.0.0.0/0 icmp' '::/0 ipv6-icmp'; do
	read -r net v <<<"$i"
	run_in gwa postern policy add dir out src "$net" dst "$net" proto "$v" type 0 code 1-255 action discard
done
run_in gwa postern policy add dir out src 0.0.0.0/0 dst 0.0.0.0/0 proto icmp type 13 action discard
run_in gwa postern policy add dir out src ::/0 dst ::/0 proto ipv6-icmp type 140 action discard
for v in 4 6; do
	us=192.0.2.1 peer=192.0.2.2 net=10.1.0.0/16 far=10.2.0.0/24
	((v == 4)) || us=2001:db8::1 peer=2001:db8::2 net=fd01::/32 far=fd02::/64
	tunnel gwa gwb xfrm $v $us $peer $net $far
	# what it lets in names the gateway too
	for d in in fwd; do
		run_in gwb ip xfrm policy add dir $d src $us dst $far tmpl src $us dst $peer proto esp reqid $v mode tunnel
	done
done
capture gwa pub /run/pub.pcap -Q out
check "hop limit" hears '192.0.2.1 .*Time to live exceeded' -t 2 10.1.0.2
check "no route" hears '192.0.2.1 .*Net Unreachable' 10.1.9.1
check "too big" hears '192.0.2.1 .*mtu ?= ?1300' -M "do" -s 1322 10.1.0.2
check "IPv6: hop limit" hears '2001:db8::1 .*Hop limit' -t 2 fd01::2
check "IPv6: no route" hears '2001:db8::1 .*No route' fd01:0:9::1
check "IPv6: too big" hears '2001:db8::1 .*mtu ?= ?1300' -M "do" -s 1302 fd01::2
capture_end
check "each of them through an SA" sent 6
check "nothing in clear" only_protected /run/pub.pcap
check "what is too big for the tunnel is told as well" hears 'mtu ?= ?1[34]' -M "do" -s 1472 10.1.0.2

# Who came through an SA and goes on by the same link hears of it by a Redirect.
tunnel gwa gwb xfrm 7 2001:db8::1 2001:db8::2 2001:db8::3/128 2001:db8::2/128
run_in gwa postern policy add dir out src 2001:db8::2 dst 2001:db8::3 action block
n=$(stat_of gwa out-sent)
capture gwa pub /run/pub.pcap -Q out
ping_lost gwb 2001:db8::3
redirected() { (($(stat_of gwa out-sent) > n)); }
check "a Redirect goes through the tunnel" busywait 10 redirected
capture_end
check "and not in clear" only_protected /run/pub.pcap

# Who takes a piece away on the path would choose what is quoted.
run_in gwa postern policy add dir out src 192.0.2.1 dst 10.2.0.0/24 action bypass
run_in gwa postern policy add dir out src 2001:db8::1 dst fd02::/64 action bypass
ip netns exec gwa sysctl -qw net.ipv4.ipfrag_time=1 net.netfilter.nf_conntrack_frag6_timeout=1
n=$(stat_of gwa out-sent)
capture gwa pub /run/pub.pcap -Q out
run_in hostb python -B py/t2_fragment.py 10.2.0.2 10.1.0.2 7000 1 1
run_in hostb python -B py/t2_fragment.py fd02::2 fd01::2 7000 1 1
both_sent() { (($(stat_of gwa out-sent) == n + 2)); }
check "that a piece is missing is told through the tunnel" busywait 10 both_sent
capture_end
check "and not in clear" only_protected /run/pub.pcap

# Postern on both sides, and what the gateway sends itself may bypass.
run_in gwa postern policy flush
run_in gwa postern state flush
run_in gwb ip xfrm policy flush
run_in gwb ip xfrm state flush
for v in 4 6; do
	us=192.0.2.1 peer=192.0.2.2 net=10.1.0.0/16 far=10.2.0.0/24
	((v == 4)) || us=2001:db8::1 peer=2001:db8::2 net=fd01::/32 far=fd02::/64
	tunnel gwa gwb postern $v $us $peer $net $far
	run_in gwa postern policy add dir out src $us dst $far action bypass
	run_in gwb postern policy add dir in src $us dst $far action bypass
done
# flag NS DIR: on the policies there
flag() {
	local v us peer net far

	for v in 4 6; do
		us=192.0.2.1 peer=192.0.2.2 net=10.1.0.0/16 far=10.2.0.0/24
		((v == 4)) || us=2001:db8::1 peer=2001:db8::2 net=fd01::/32 far=fd02::/64
		run_in "$1" postern policy update dir "$2" src $net dst $far flag icmp \
			tmpl src $us dst $peer proto esp reqid $v mode tunnel
	done
}
in_clear() { packets_in /run/pub.pcap 'icmp or (icmp6 and ip6[40] < 128)'; }
capture gwa pub /run/pub.pcap -Q out
check "without the flag it bypasses" hears 'Time to live exceeded' -t 2 10.1.0.2
check "without the flag it bypasses, IPv6" hears 'Hop limit' -t 2 fd01::2
capture_end
check "in clear" expect packets 2 "$(in_clear)"
flag gwa out
capture gwa pub /run/pub.pcap -Q out
not_heard() { ! hears "$@"; }
check "who expects it in clear refuses it" not_heard 'exceeded' -t 2 10.1.0.2
check "who expects it in clear refuses it, IPv6" not_heard 'Hop limit' -t 2 fd01::2
check "counted" drops_are gwb in-template=2
flag gwb in
check "with the flag it is heard" hears '192.0.2.1 .*exceeded' -t 2 10.1.0.2
check "with the flag it is heard, IPv6" hears '2001:db8::1 .*Hop limit' -t 2 fd01::2
check "other packets go as before" ping_ok gwa 10.2.0.2 -I 192.0.2.1
capture_end
check "with the flag no error is in clear" expect packets 1 "$(in_clear)"
