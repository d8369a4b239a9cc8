#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Authentic is not enough: what an SA delivers must be what policy and selectors say
# (RFC 4301 section 5.2), and what should be protected does not enter otherwise.
#
# timeout: 600
# lanes: debug
#
# shellcheck disable=SC2034 # forge.sh reads GOOD_SA
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

in_clear() {
	GOOD_SA=x
	check "$1: cleartext of a protected flow" bad in-cleartext=3 / -- x bare=1 again=3
	check "$1: another source" bad in-no-policy=1 -- x isrc="$2"
	check "$1: another destination" bad in-no-policy=1 -- x idst="$3"
}

another_sa() { # NAME OUTER INNER
	forge_sa z esp tunnel "$2" "$3" gcm
	check "$1: through an SA that its policy does not name" bad in-template=2 -- z count=2
	forge_sa z ah tunnel "$2" "$3" null
	check "$1: through an SA of another protocol" bad in-template=2 -- z count=2
	run_in a postern state delete "${SA[@]}"
}

# routed FIRST LAST: a packet that goes to the one by way of the other
routed() {
	python -B - "$@" <<-'PY'
	import sys
	from scapy.layers.inet import UDP
	from scapy.layers.inet6 import IPv6, IPv6ExtHdrRouting
	print(bytes(IPv6(src="fd09::2", dst=sys.argv[1]) / IPv6ExtHdrRouting(addresses=[sys.argv[2]], segleft=1) /
	            UDP(dport=7777) / b"bad").hex())
	PY
}

forge_start

# A policy is of the inner family, an SA of the outer one.
for outer in 4 6; do
	for inner in 4 6; do
		n="esp tunnel ${inner}in$outer"
		forge_sa x esp tunnel $outer $inner gcm
		forge_policy $inner
		if ((inner == 4)); then
			in_clear "$n" 10.9.0.77 10.0.0.1
		else
			in_clear "$n" fd09::77 fd00::1
			check "$n: a route by way of another host" bad in-no-policy=1 -- x inner="$(routed fd0a::1 fd09::1)"
			check "$n: a route to another host" bad in-no-policy=1 -- x inner="$(routed fd09::1 fd0a::1)"
		fi
		another_sa "$n" $outer $inner
		run_in a postern policy flush
		run_in a postern state flush
	done
done

# Transport mode: the outer addresses are those of the policy.
forge_sa x esp transport 4 4 gcm
forge_policy
GOOD_SA=x
check "esp transport: cleartext" bad in-cleartext=1 / -- x bare=1
check "esp transport: an SPI that names no SA" bad unknown-spi=1 / -- x spi=0x7777
forge_sa z esp transport 4 4 gcm
check "esp transport: through another SA" bad in-template=1 -- z
forge_sa z esp tunnel 4 4 gcm
check "esp transport: the same flow in a tunnel" bad in-template=1 -- z isrc=10.0.0.2 idst=10.0.0.1
run_in a postern policy flush
run_in a postern state flush

# Selectors of the SA itself.
forge_sa x esp tunnel 4 4 gcm sel src 10.9.0.2 dst 10.9.0.1 proto udp dport 7777
forge_policy 4
GOOD_SA=x
check "selector of the SA: that source only" bad in-selector=1 -- x isrc=10.9.0.3
check "selector of the SA: that destination only" bad in-selector=1 -- x idst=10.0.0.1
check "selector of the SA: that port only" bad in-selector=1 -- x edit=22:1e62
check "selector of the SA: that protocol only" bad in-selector=1 -- x edit=9:06
check "selector of the SA: not the other family" bad in-selector=1 -- x isrc=fd09::2 idst=fd09::1
run_in a postern state flush

# Ports in the policy: the SA is for one port.
run_in a postern policy flush
forge_sa x esp tunnel 4 4 gcm
forge_policy 4 proto udp dport 7777
check "port of the policy" bad in-no-policy=1 -- x edit=22:1e62

# States of an SA that do not serve.
forge_sa z esp tunnel 4 4 gcm dir out
check "outbound SA" bad in-sa-state=2 -- z count=2
run_in a postern state delete "${SA[@]}"
run_in a postern -j state allocspi src 10.0.0.2 "${SA[@]:0:4}" mode tunnel min "$SPI" max "$SPI"
check "larval SA" bad in-sa-state=2 -- z count=2
run_in a postern state delete "${SA[@]}"
check "deleted SA" bad unknown-spi=2 / -- z count=2
check "an SPI that names no SA" bad unknown-spi=1 / -- x spi=0x7777
check "SPI 0" bad unknown-spi=1 / -- x spi=0

# What the policies of this host discard or let pass.
run_in a postern policy add dir in src 10.9.0.3 dst 10.9.0.1 action discard
run_in a postern policy add dir in src 10.9.0.4 dst 10.9.0.1 action bypass
run_in a postern -6 policy add dir in src fd09::3 dst fd09::1 action discard
check "discarded in clear" bad in-discard=2 / -- x bare=1 again=2 isrc=10.9.0.3
check "discarded in clear, IPv6" bad in-discard=2 / -- x bare=1 again=2 isrc=fd09::3 idst=fd09::1
check "discarded, though through an SA" bad in-inner-discard=1 -- x isrc=10.9.0.3
check "bypass means in clear, not through an SA" bad in-template=1 -- x isrc=10.9.0.4
check "bypass" good x bare=1 isrc=10.9.0.4
check "what no policy names" good x bare=1 isrc=10.9.0.5
run_in a postern policy flush
run_in a postern state flush

# Headers in front: broken, too many, not at the end of their route, or changed where
# they must not be.
here=24:fd000000000000000000000000000001 on=48:fd000000000000000000000000000003
for proto in esp ah; do
	forge_sa x $proto tunnel 6 6 null dir in
	forge_policy 6
	n="$proto v6"
	check "$n behind options that want to be known" bad in-options=1 -- x front=dst-insists
	check "$n behind a route with segments left" bad in-options=1 -- x front=route-0-1-1 stay=1 wire=$here
	run_in a postern policy add dir in src fd00::2 dst fd00::3 action discard
	check "$n that a route leads on" bad in-discard=1 / -- x front=route-0-1-1 stay=1 wire=$here,$on
	check "$n behind a compressed route (RFC 6554)" bad in-malformed=1 / -- x front=route-3-1-1 stay=1
	check "$n behind an option longer than its header" bad in-options=1 -- x front=dst-fixed wire=43:05
	check "$n behind an option without a length" bad in-options=1 -- x front=dst wire=42:0103000000,47:1e
	check "$n behind a header longer than the packet" bad in-malformed=1 / -- x front=dst wire=41:ff
	check "$n cut off within a header in front" bad in-malformed=1 / -- x front=dst trunc=41
	check "$n behind 15 headers" good x front="$(printf 'dst+%.0s' {1..15})"
	check "$n behind 16 headers" bad in-malformed=1 / -- x front="$(printf 'dst+%.0s' {1..16})"
	check "$n behind 256 octets" good x front=route-253-0-13
	check "$n behind 272 octets" bad in-options=1 -- x front=route-253-0-14
	run_in a postern policy flush
done
forge_policy 6
check "ah v6: hop-by-hop option changed" bad in-icv=1 -- x front=hbh-fixed wire=44:deadbeef
check "ah v6: destination option changed" bad in-icv=1 -- x front=dst-fixed wire=44:deadbeef
check "ah v6: mutable option of another length" bad in-icv=1 -- x front=hbh-mutable wire=43:0300000001,47:00
check "ah v6: another kind of mutable option" bad in-icv=1 -- x front=dst-mutable wire=42:3f
check "ah v6: route changed" bad in-icv=1 -- x front=route-0-1-1 wire=63:99
run_in a postern policy flush
run_in a postern state flush
forge_sa x ah transport 6 6 null
forge_policy
check "ah transport v6 behind an option longer than its header" bad in-options=1 -- x front=dst-fixed wire=43:05
run_in a postern policy flush
run_in a postern state flush
forge_sa x ah tunnel 4 4 null dir in
forge_policy 4
check "ah v4: immutable option changed" bad in-icv=1 -- x front=alert wire=23:01
check "ah v4: immutable option gone" bad in-icv=1 -- x front=security wire=20:0101010101010101010101
check "ah v4: mutable option of another length" bad in-icv=1 -- x front=unknown+nop wire=21:07
on=16:0a000001,23:0a000003
run_in a postern policy add dir in src 10.0.0.2 dst 10.0.0.3 action discard
check "ah v4 that a route leads on" bad in-discard=1 / -- x front=route-131-1 stay=1 wire=$on
check "ah v4 that a route leads on, with an octet behind it" bad in-discard=1 / -- x front=route-131-1 stay=1 wire=21:08,$on
run_in a postern policy flush
run_in a postern state flush

# A limit: what is past it finds the SA expired or gone already.
forge_sa x esp tunnel 4 4 gcm limit packet-hard 3
forge_policy 4
gone() { ! ip netns exec a postern state get "${SA[@]}"; }
late() { stats_of a | jq '[.drops[] | select(.reason == "in-lifetime" or .reason == "unknown-spi") | .packets] | add'; }
before=$(late)
late_are() { [[ $(late) = $((before + $1)) ]]; }
check "up to a packet limit" good x count=3
check "the SA is gone" busywait 5 gone
forge send x text=bad count=2 >/dev/null
check "past a packet limit" busywait 5 late_are 2
# one of those that a policy discards came through an SA
forge_end 1
