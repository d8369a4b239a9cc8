#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A host without IPv6 takes no SA of it, and what an SA brings of it ends there: the
# stack's tables of IPv6 do not exist, and who looks into them ends the kernel.
#
#	a (Postern) ----- b (scapy)
#
# timeout: 120
# lanes: stock debug
# kernel: ipv6.disable=1
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

check "no IPv6 here" expect_fail test -e /proc/net/if_inet6
for n in a b; do
	ip netns add $n
	NAMESPACES+=("$n")
	ip -n $n link set lo up
done
link a veth0 b veth0
addr a veth0 10.0.0.1/24
addr b veth0 10.0.0.2/24
addr a lo 10.9.0.1/32
ip -n a route add 10.9.0.2 via 10.0.0.2
forge_begin UDP-RECV:7777

sa6=(src fd00::1 dst fd00::2 proto esp spi 0x3000)
check "an SA is refused" expect_fail -m 'no IPv6' run_in a postern state add "${sa6[@]}" dir out mode tunnel \
	nat-keepalive-interval 1 encap espinudp 4500 4500 :: aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
check "and a number for one" expect_fail -m 'no IPv6' run_in a postern state allocspi "${sa6[@]:0:6}" mode tunnel min 256 max 300
check "nothing is sent through it" expect_fail run_in a postern state dummy "${sa6[@]:2}" count 1 size 100
check "a policy that discards may be there" run_in a postern policy add dir out dst fd00::/8 action discard

forge_sa v4 esp tunnel 4 4 gcm
forge_policy
forge_sa x esp tunnel 4 6 gcm
forge_policy 6
# shellcheck disable=SC2034 # forge.sh reads it
GOOD_SA=v4
check "good" good v4
ip netns exec a sysctl -qw net.netfilter.nf_conntrack_frag6_timeout=1
check "IPv6 inside" bad in-inner=1 -- x
check "the first half of it, which would wait" bad in-inner=1 -- x fragment=1
check "and the second" bad in-inner=1 -- x fragment=2
# who waits tells the sender when the other half has not come
sleep 2
check "still there" good v4
forge_end
