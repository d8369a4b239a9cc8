#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where the way of a packet ends nothing stays that would keep a route, a device, a
# namespace or the module: packets that wait for an SA when their device goes or their
# namespace ends, and SAs that have lost their route (known-bugs.md, "references", "ends").
#
#	a (Postern) ------ b
#
# timeout: 120
# lanes: debug
. "$(dirname "$0")/../lib.sh"

load_postern

sent() { (($(stat_of a out-sent) >= $1)); }
none_held() { [[ $(stat_of a held) = 0 ]]; }

topo_pair
background a postern monitor acquire >/run/acquires
listener=$BACKGROUND
wait_monitor a 1
ends=('10.0.0.1 10.0.0.2 transport' 'fd00::1 fd00::2 transport' '10.0.0.1 10.0.0.9 tunnel')
for i in "${ends[@]}"; do
	read -r from to mode <<<"$i"
	run_in a postern policy add dir out src "$from" dst "$to" proto udp \
		tmpl src "$from" dst "$to" proto esp reqid 1 mode "$mode"
	run_in a python -B py/t2_datagrams.py "$to" 7000 1 5
done
check "15 packets wait" expect held 15 "$(stat_of a held)"
check "their device goes" timeout 120 ip -n a link del veth0
for i in "${ends[@]}"; do
	read -r from to mode <<<"$i"
	run_in a postern state add src "$from" dst "$to" proto esp spi 0x1001 reqid 1 mode "$mode" dir out \
		aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
done
check "with the SA they end" busywait 5 none_held
check "each for want of a route" expect drops 15 "$(stat_of a out-no-route)"
check "none was sent" expect packets 0 "$(stat_of a out-sent)"

# SAs remember routes
link a veth0 b veth1
addr a veth0 10.0.0.1/24 fd00::1/64
for i in 10.0.0.2 fd00::2; do
	run_in a python -B py/t2_datagrams.py $i 7000 1 5
done
check "another device takes its place" busywait 5 sent 5
check "and goes, though SAs have routes by it" timeout 120 ip -n a link del veth0
kill "$listener"
ip netns del a
ip netns del b

# what is forwarded has no socket that would keep the namespace while it waits
# shellcheck disable=SC2034 # for cleanup
NAMESPACES=()
topo_pair
forward a
for i in '10.7.0.0/16 10.0.0.1 10.0.0.2' 'fd07::/64 fd00::1 fd00::2'; do
	read -r net at to <<<"$i"
	ip -n b route add "$net" via "$at"
	ip -n a route add "$net" via "$to"
	run_in a postern policy add dir out src "$to" dst "$net" \
		tmpl src "$at" dst "$to" proto esp reqid 1 mode tunnel
done
background a postern monitor acquire >/run/acquires
listener=$BACKGROUND
wait_monitor a 1
for i in 10.7.0.9 fd07::9; do
	ping_lost b $i -c 5 -i 0.2
done
check "10 forwarded packets wait" expect held 10 "$(stat_of a held)"
kill "$listener"
check "the namespace ends while they wait" timeout 120 ip netns del a
check "nothing refers to the module" busywait 20 grep -qx 0 /sys/module/postern/refcnt
check "it can go" busywait 20 rmmod postern
