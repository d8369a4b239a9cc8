#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Limits in seconds since an SA was added or first used.
#
#	a (Postern) ------ b
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
background a postern -j monitor sa >/run/events
sleep 1
sa() { # SPI WORD...
	run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi "$1" reqid $(($1)) \
		mode tunnel aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 "${@:2}"
}
policies a postern $((0x1003)) 10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.2 tunnel proto icmp
run_in a postern policy flush dir in
all_expired() { jq -r 'select(.event == "sa-expire") | "\(.sa.spi):\(.hard)"' /run/events | sed 's/true/1/; s/false/0/' | xargs; }
gone() { [[ $(alive "$1") = 0 ]]; }
alive() { ip netns exec a postern -j state list spi "$1" | jq length; }
state() { ip netns exec a postern -j state list spi "$1" | jq -r '.[].state'; }

sa 0x1001 limit time-soft 2 limit time-hard 4
sa 0x1002 limit time-use-soft 2 limit time-use-hard 4
sa 0x1003 limit time-use-soft 2 limit time-use-hard 4
sa 0x1004
added=$SECONDS
run_in a ping -q -n -c 1 -W 0.2 10.0.0.2 || true
((SECONDS - added <= 1)) || skip "this machine is too slow for this test"
check "before" expect state 'valid valid valid valid' "$(for s in 0x1001 0x1002 0x1003 0x1004; do state $s; done | xargs)"
sleep $((added + 3 - SECONDS))
check "after the soft limit" expect state 'dying valid dying valid' \
	"$(for s in 0x1001 0x1002 0x1003 0x1004; do state $s; done | xargs)"
check "two were told" expect events 2 "$(all_expired | wc -w)"
sleep 3
check "after the hard limit" expect SAs '0 1 0 1' "$(for s in 0x1001 0x1002 0x1003 0x1004; do alive $s; done | xargs)"
check "each limit was told once" expect events "0 0 1 1" "$(all_expired | xargs -n 1 | sed 's/.*://' | sort | xargs)"

# a limit that is set while the SA is old already
run_in a postern state update src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1004 reqid $((0x1004)) mode tunnel limit time-hard 3
check "an update that is already over ends it" busywait 3 gone 0x1004

# larval SAs go as well, and say so
: >/run/events
run_in a postern state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel min 0x2000 max 0x2000
sleep 25
check "a larval SA lives 25 seconds" expect SAs 1 "$(alive 0x2000)"
check "and not 32" busywait 9 gone 0x2000
check "its end is told" busywait 2 grep -q sa-del /run/events
