#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Each network namespace has its own SPD, SAD, counters and events.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
for n in a b; do
	background $n postern -j monitor all >"/run/events.$n"
	wait_monitor $n 3
done

postern_sas a 1 10.0.0.1 10.0.0.2 transport
policies a postern 1 10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.2 transport
count() { ip netns exec "$1" postern -j "$2" list | jq length; }
check "SAs of a" expect SAs 2 "$(count a state)"
check "policies of a" expect policies 2 "$(count a policy)"
check "b sees no SA" expect SAs 0 "$(count b state)"
check "b sees no policy" expect policies 0 "$(count b policy)"
check "b cannot get what a has" expect_fail -m 'no SA has' \
	run_in b postern state get dst 10.0.0.2 proto esp spi "$(spi_of 1 1)"
check "b cannot delete it" expect_fail -m 'no SA has' \
	run_in b postern state delete dst 10.0.0.2 proto esp spi "$(spi_of 1 1)"
run_in b postern state flush
run_in b postern policy flush
run_in b postern policy deleteall
check "a is untouched" expect both '2 2' "$(count a state) $(count a policy)"
busywait 5 grep -q . /run/events.a
check "events of a" expect events 4 "$(wc -l </run/events.a)"
check "b hears nothing" expect events 0 "$(wc -l </run/events.b)"

# the same names mean others there
check "b may have the same SPI" peer_sas b 1 10.0.0.1 10.0.0.2 transport postern
policies b postern 1 10.0.0.2 10.0.0.1 10.0.0.2 10.0.0.1 transport
check "traffic" ping_ok a 10.0.0.2 -c 3 -i 0.2
check "counters of each" expect 'sent and delivered' '3 3 3 3' \
	"$(for n in a b; do stat_of $n out-sent; stat_of $n in-delivered; done | xargs)"
check "no policy of the first namespace" expect policies 0 "$(postern -j policy list | jq length)"
check "no traffic of the first namespace" expect packets 0 \
	"$(postern -j stats | jq '."in-packets" + ."out-packets"')"

# policies of one do not hold up the other
run_in b postern policy flush
run_in b postern state flush
run_in b postern policy add dir in src 10.0.0.1 dst 10.0.0.2 action discard
check "drops of b" ping_lost a 10.0.0.2
check "are not those of a" drops_are a
check "they are counted in b" [ "$(stat_of b in-discard)$(stat_of b in-cleartext)$(stat_of b unknown-spi)" != 000 ]
if [[ $LANE = stock ]]; then
	# What a container sends through the host's own stack, and a VRF, is not the host's: nobody
	# but who has protected a packet knows it for such.
	ns c
	ip -n a link add vrf0 type vrf table 10
	ip -n a link set vrf0 up
	ip -n a link set veth0 master vrf0
	ip -n a link add cont link veth0 netns c type ipvlan mode l3
	ip -n c link set cont up
	addr c cont 10.0.0.3/24
	run_in a postern policy add dir out src 10.0.0.3 dst 10.0.0.2 action discard
	postern_sas c 2 10.0.0.3 10.0.0.2 transport
	policies c postern 2 10.0.0.3 10.0.0.2 10.0.0.3 10.0.0.2 transport
	check "ESP of a container meets the policies of its host" drops_by a out-discard=1 -- ping_lost c 10.0.0.2
	check "which has gone out there" expect out-sent 1 "$(stat_of c out-sent)"
	run_in a postern policy delete dir out src 10.0.0.3 dst 10.0.0.2
	ip netns del c
fi
ip netns del b
# shellcheck disable=SC2034 # for cleanup
NAMESPACES=(a)
check "a stays when b goes" expect both '2 2' "$(count a state) $(count a policy)"
