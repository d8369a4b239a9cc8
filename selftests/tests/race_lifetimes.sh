#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The lifetimes of thousands of SAs end in one second, under traffic of others on both
# CPUs, while 64 dumps are read slowly, and somebody listens and never reads: each end is
# told once, each dump shows what stays once, and afterwards all is as it was.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 240
# lanes: debug kcsan
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

# with what more of them leave of per-CPU memory KASAN for User-Mode Linux never comes to an end
N=1500
[[ $LANE = debug ]] || N=4000
topo_pair
load_postern
transport a b postern 1 10.0.0.1 10.0.0.2
ping_ok a 10.0.0.2
# who uses the cipher
users() { awk '$1 == "name" { is = $3 == "rfc4106(gcm(aes))" } is && $1 == "refcnt" { n += $3 } END { print n }' /proc/crypto; }
used=$(users)
pings=()
for cpu in 0 1; do
	background a taskset -c $cpu ping -q -i 0.01 -s 1000 10.0.0.2 >/run/ping.$cpu
	pings+=("$BACKGROUND")
done
run_in a python -B py/lifetimes.py $N >/run/out
say "$(</run/out)"
out() { jq -r ".$1" /run/out; }
kill -INT "${pings[@]}"
wait "${pings[@]}" || true
cat /run/ping.?
check "all were there before" expect all true "$(out all)"
check "each soft limit is told once at most, and before the hard one" expect told true "$(out soft)"
check "each hard limit is told once" expect told true "$(out hard)"
check "the listener has missed nothing" expect losses 0 "$(out lost)"
check "who does not read is told so" expect told true "$(out deaf)"
check "those that end are gone" expect SAs 100 "$(out left)"
check "each dump shows what stays, and nothing twice" expect dumps 64 "$(out dumps)"
run_in a postern state flush owner 8
answered() { # the last one may be on its way
	sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) received.*/\1 \2/p' /run/ping.? |
		awk '{ n += $1; lost += $1 - $2 > 1 } END { exit !n || lost }'
}
check "the other traffic has lost nothing" answered
users_are() { [[ $(users) = "$used" ]]; }
check "nothing of theirs is left" busywait 20 users_are
check "packets add up" busywait 10 accounts_balance a
