#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Selectors see what is behind options and extension headers, the end of a route, and
# the type of a Mobility Header (RFC 4301 section 4.4.1.1).
#
# lanes: debug
. "$(dirname "$0")/../lib.sh"

DIR=/run/headers
PY=$(dirname "$0")/../py

# The first hop of routes is b too.
make() { python "$PY/packets.py" fronts "$@"; }
send() { run_in "$1" python "$PY/packets.py" send "${@:2}"; }
mobility() { run_in a python "$PY/mobility.py" fd00::1 fd00::2 "$@"; }
block() { run_in a postern policy add dir "$1" "${@:2}" action block; }

# discards N CMD...: the command adds N packets that policies discard.
discards() {
	local n=$1

	shift
	n=$((n + $(stat_of a out-discard) + $(stat_of a in-discard)))
	"$@"
	are() { [[ $(($(stat_of a out-discard) + $(stat_of a in-discard))) = "$n" ]]; }
	busywait 5 are
}

topo_pair
addr b veth0 10.0.0.3/24 fd00::3/64
load_postern
mkdir -p $DIR
ping_ok a 10.0.0.3
ping_ok a fd00::3
make $DIR/4 10.0.0.1 10.0.0.2
make $DIR/6 fd00::1 fd00::2
make $DIR/all4 10.0.0.2 10.0.0.1
make $DIR/all6 fd00::2 fd00::1
grep -v route- $DIR/all4 >$DIR/in4
grep -v route- $DIR/all6 >$DIR/in6

block out src 10.0.0.1 dst 10.0.0.2 proto udp dport 7778
block out src fd00::1 dst fd00::2 proto udp dport 7778
check "another port" discards 0 send a $DIR/4
check "another port, IPv6" discards 0 send a $DIR/6
run_in a postern policy flush
block out dst 10.0.0.3 proto udp
block out dst fd00::3 proto udp
check "the first hop of a route" discards "$(grep -c "route-[0-9]*-[1-9]" $DIR/4)" send a $DIR/4
check "the first hop of a route, IPv6" discards "$(grep -c "route-[0-9]*-[1-9]" $DIR/6)" send a $DIR/6
run_in a postern policy flush
block out src 10.0.0.1 dst 10.0.0.2 proto udp dport 7777
block out src fd00::1 dst fd00::2 proto udp dport 7777
check "port behind options, at the end of routes" discards "$(wc -l <$DIR/4)" send a $DIR/4
check "port behind extension headers, at the end of routes" discards "$(wc -l <$DIR/6)" send a $DIR/6
run_in a postern policy flush

block in src 10.0.0.2 dst 10.0.0.1 proto udp dport 7777
block in src fd00::2 dst fd00::1 proto udp dport 7777
check "port behind options, received" discards "$(wc -l <$DIR/in4)" send b $DIR/in4
check "port behind extension headers, received" discards "$(wc -l <$DIR/in6)" send b $DIR/in6
run_in a postern policy flush

block out src fd00::1 dst fd00::2 proto mobility-header type 5-6
check "type of a Mobility Header" discards 1 mobility 5
check "type of a Mobility Header behind options" discards 1 mobility 6 hbh
check "another type of Mobility Header" discards 0 mobility 4
check "another type of Mobility Header, behind a route" discards 0 mobility 7 route-253-0-1
check "its type is printed" grep -q 'proto mobility-header type 5-6 ' <(postern -n a policy list)
check "a Mobility Header has no code" expect_fail -m 'has no code' postern -n a policy add dir out dst fd00::2 \
	proto mobility-header type 5 code 0 action block
