#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Namespaces with an SA and a policy each come and go about as fast as empty ones do
# without the module, and leave nothing behind.
#
# timeout: 240
# lanes: debug
. "$(dirname "$0")/../lib.sh"

N=20 ALIVE=10
declare -A took=()
pace() { # NAME [WORD]: the shorter of two times
	local ms

	ms=$(/usr/bin/python3 -B py/pace.py $N $ALIVE "${@:2}" | awk '{ printf "%d\n", $1 * 1000 }')
	say "$N namespaces $1: $ms ms"
	((ms > ${took[$1]:-$ms})) || took[$1]=$ms
}
for i in {1..6}; do
	pace bare
	load_postern
	pace used postern
	check "$i: nothing refers to the module" busywait 20 grep -qx 0 /sys/module/postern/refcnt
	check "$i: rmmod" busywait 20 rmmod postern
	# each may have met a busy moment
	((i < 2 || took[used] >= 3 * took[bare])) || break
done
check "at a similar pace" test "${took[used]}" -lt $((3 * took[bare]))
