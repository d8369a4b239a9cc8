#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A flowtable sends the packets of a flow from device to device, past every hook.  What
# a policy is about never gets there, and a change of policies takes out what is there
# already: not one packet of it leaves in clear any more.
#
#	hosta ------ gwa (Postern, flowtable) ====== gwb ------ hostb
#
# timeout: 480
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
run_in gwa nft -f - <<'NFT'
table inet fast {
	flowtable ft { hook ingress priority 0; devices = { lan, pub }; }
	chain forward {
		type filter hook forward priority 0;
		meta l4proto udp flow add @ft
	}
}
NFT
background hostb /usr/bin/python3 -B py/echo.py serve {7001..7013} >/run/came
entry() { ip netns exec gwa cat /proc/net/nf_conntrack | grep "dport=$1 "; }
offloaded() { entry "$1" | grep -q OFFLOAD; }
kept() { entry "$1" | grep -q . && ! offloaded "$1"; }
came() { grep -c "^$1$" /run/came || true; }
comes() { [[ $(came "$1") -gt $2 ]]; }
flow() { # PORT DST
	background hosta /usr/bin/python3 -B py/echo.py talk "$2" "$1"
	busywait 20 comes "$1" 5
}
dropped() { # REASON MORE_THAN
	[[ $(stat_of gwa "$1") -gt $2 ]]
}
closes() { # NAME PORT REASON CMD...: after the command nothing comes through
	local n

	check "$1: the flow is in the flowtable" busywait 20 offloaded "$2"
	run_in gwa "${@:4}"
	busywait 20 dropped "$3" "$(stat_of gwa "$3")"
	n=$(came "$2")
	busywait 20 dropped "$3" $(($(stat_of gwa "$3") + 10))
	check "$1: nothing came after that" expect datagrams "$n" "$(came "$2")"
}
add() { run_in gwa postern policy add dir out src "$1" dst "$2" "${@:3}"; }
protect=(action protect tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel)
four=(10.1.0.0/24 10.2.0.0/24) six=(fd01::/64 fd02::/64)

flow 7001 10.2.0.2
closes "a new policy" 7001 out-no-sa postern policy add dir out src 10.1.0.0/24 dst 10.2.0.0/24 "${protect[@]}"
kill "$BACKGROUND"
run_in gwa postern policy flush
flow 7002 fd02::2
closes "a new policy, IPv6" 7002 out-no-sa postern policy add dir out src fd01::/64 dst fd02::/64 "${protect[@]}"
kill "$BACKGROUND"
run_in gwa postern policy flush

# what comes is judged as well: the answers come in clear, and end
flow 7011 10.2.0.2
closes "a new policy about what comes" 7011 in-cleartext \
	postern policy add dir in src 10.1.0.0/24 dst 10.2.0.0/24 "${protect[@]}"
kill "$BACKGROUND"
run_in gwa postern policy flush

add "${four[@]}" action bypass
flow 7003 10.2.0.2
closes "bypass becomes discard" 7003 out-discard postern policy update dir out src 10.1.0.0/24 dst 10.2.0.0/24 action discard
kill "$BACKGROUND"
run_in gwa postern policy flush

add "${six[@]}" "${protect[@]}" priority 9
add "${six[@]}" proto udp dport 7004 action bypass priority 1
flow 7004 fd02::2
closes "the bypass above goes" 7004 out-no-sa postern policy delete dir out src fd01::/64 dst fd02::/64 proto udp dport 7004
kill "$BACKGROUND"
run_in gwa postern policy flush

add "${four[@]}" "${protect[@]}" priority 9 owner 1
add "${four[@]}" action bypass priority 1 owner 2
flow 7005 10.2.0.2
closes "the bypass above is flushed" 7005 out-no-sa postern policy flush owner 2
kill "$BACKGROUND"
run_in gwa postern policy flush

# behind a source address that is not the policy's, the policy is met after NAT
run_in gwa nft add table ip nat
run_in gwa nft 'add chain ip nat post { type nat hook postrouting priority srcnat; }'
run_in gwa nft add rule ip nat post oifname pub masquerade
flow 7006 10.2.0.2
closes "a policy about what NAT makes of it" 7006 out-no-sa \
	postern policy add dir out src 192.0.2.1 dst 10.2.0.0/24 "${protect[@]}"
kill "$BACKGROUND"
run_in gwa postern policy flush
run_in gwa nft delete table ip nat

# a flow that begins under a policy
tunnel gwa gwb xfrm 1 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24
flow 7007 10.2.0.2
check "a protected flow is not in the flowtable" kept 7007
kill "$BACKGROUND"
run_in gwa postern policy flush
run_in gwa postern state flush
run_in gwb ip xfrm policy flush
run_in gwb ip xfrm state flush

# A tunnel of IP in IP, of which a policy knows the outside: since Linux 7.0 a flowtable
# packs and unpacks it, too.
for n in 1 2; do
	here=gwa there=$((3 - n))
	((n == 1)) || here=gwb
	run_in $here ip link add tun4 type ipip local 192.0.2.$n remote 192.0.2.$there
	run_in $here ip link set tun4 up
	run_in $here ip route replace 10.$there.0.0/24 dev tun4
done
flow 7012 10.2.0.2
closes "a new policy about a tunnel" 7012 out-no-sa \
	postern policy add dir out src 192.0.2.1 dst 192.0.2.2 proto ipencap tmpl proto esp reqid 2 mode transport
kill "$BACKGROUND"
run_in gwa postern policy flush
transport gwa gwb xfrm 2 192.0.2.1 192.0.2.2
# forget a route of before the policies
run_in gwb ip tunnel change tun4 mode ipip local 192.0.2.2 remote 192.0.2.1 ttl 64
capture gwa pub /run/pub.pcap -Q out
flow 7013 10.2.0.2
answered() { entry "$1" | grep -qv UNREPLIED; }
check "a flow in a protected tunnel is answered" busywait 20 answered 7013
n=$(came 7013)
check "and goes on" busywait 20 comes 7013 $((n + 5))
capture_end
check "nothing in clear" only_protected /run/pub.pcap
