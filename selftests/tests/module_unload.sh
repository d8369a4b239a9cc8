#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# While a policy says PROTECT the module cannot be removed, since then nothing would
# protect any more; without one it can, at any time.
#
#	a (Postern) ===== b (XFRM)
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
delivers() { (($(stat_of a in-delivered) > 10)); }
refused() { expect_fail -m 'in use' rmmod postern; }

transport a b xfrm 1 10.0.0.1 10.0.0.2
check "PROTECT both ways" refused
run_in a postern policy delete dir in src 10.0.0.2 dst 10.0.0.1
check "PROTECT out" refused
run_in a postern policy update dir out src 10.0.0.1 dst 10.0.0.2 action bypass
run_in a postern policy add dir in src 10.0.0.2 dst 10.0.0.1 \
	tmpl proto esp reqid 1 mode transport
check "PROTECT in" refused
run_in a postern policy update dir in src 10.0.0.2 dst 10.0.0.1 action protect \
	tmpl proto esp reqid 1 mode transport
check "PROTECT replaced by PROTECT" refused
run_in a postern policy update dir in src 10.0.0.2 dst 10.0.0.1 action bypass
check "SAs and BYPASS" rmmod postern
check "it is gone" expect_fail test -d /sys/module/postern

# rmmod while packets come and go, and wait
for n in 1 2 3; do
	load_postern
	run_in b ip xfrm policy flush
	run_in b ip xfrm state flush
	transport a b xfrm 1 10.0.0.1 10.0.0.2
	run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.9 tmpl proto esp reqid 9 mode transport
	ip -n a neigh replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev veth0
	background a postern monitor acquire >/run/acquires
	listener=$BACKGROUND
	background a ping -q -f -l 20 -s 1000 10.0.0.2
	pings=("$BACKGROUND")
	background b ping -q -f -l 20 -s 1000 10.0.0.1
	pings+=("$BACKGROUND")
	background a ping -q -i 0.1 10.0.0.9
	pings+=("$BACKGROUND")
	busywait 20 delivers || fail "no traffic"
	check "$n: refused under traffic" refused
	run_in a postern policy flush
	check "$n: removed under traffic" busywait 10 rmmod postern
	kill -9 "${pings[@]}" "$listener" 2>/dev/null || true
	wait "${pings[@]}" "$listener" 2>/dev/null || true
	busywait 10 expect_fail test -d /sys/module/postern
done
run_in b ip xfrm policy flush
check "afterwards all is plain" ping_ok a 10.0.0.2
