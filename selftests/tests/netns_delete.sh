#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A namespace goes away while packets are on their way through it, with SAs about to
# expire, packets that wait and listeners.  Nothing is left behind: the module can be
# removed at once, and the kernel has nothing to say.
#
#	hosta ----- gwa (Postern) ===== gwb (XFRM) ----- hostb
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

load_postern
# round KIND: build, flood, delete the gateway in the middle of it
round() {
	local pid pids=()

	# shellcheck disable=SC2034 # for cleanup
	NAMESPACES=()
	topo_sites
	tunnel gwa gwb xfrm 1 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24
	tunnel gwa gwb xfrm 2 2001:db8::1 2001:db8::2 fd01::/64 fd02::/64
	# what else there is to clean up
	run_in gwa postern state add src 192.0.2.1 dst 192.0.2.9 proto ah spi 0x999 reqid 9 mode tunnel \
		auth 'hmac(sha256)' "$(hexkey 32)" limit time-soft 1 limit time-hard 2
	run_in gwa postern state add src 192.0.2.1 dst 192.0.2.9 proto comp spi 0x1234 reqid 9 mode tunnel dir out comp deflate
	run_in gwa postern state add src 192.0.2.9 dst 192.0.2.1 proto comp spi 0x1235 reqid 9 mode tunnel dir in comp deflate
	run_in gwa postern state allocspi src 192.0.2.1 dst 192.0.2.9 proto esp reqid 9 mode tunnel
	run_in gwa postern policy add dir out src 10.1.0.0/24 dst 10.3.0.0/24 \
		tmpl src 192.0.2.1 dst 192.0.2.9 proto esp reqid 9 mode tunnel
	ip -n gwa route add 10.3.0.0/24 via 192.0.2.2
	ping_ok hosta 10.2.0.2
	ping_ok hosta fd02::2

	background gwa postern monitor all >/run/monitor
	listener=$BACKGROUND
	sleep 0.3
	for to in 10.2.0.2 fd02::2 10.3.0.3; do
		ip netns exec hosta ping -q -f -n -l 20 -s 1400 $to >/dev/null 2>&1 &
		pids+=($!)
	done
	ip netns exec hostb ping -q -f -n -l 20 10.1.0.2 >/dev/null 2>&1 &
	pids+=($!)
	background hostb iperf3 -s
	pids+=("$BACKGROUND")
	wait_listen hostb tcp 5201
	ip netns exec hosta iperf3 -t 60 -c 10.2.0.2 >/dev/null 2>&1 &
	pids+=($!)
	sleep "$2"
	say "packets so far: $(ip netns exec gwa postern -j stats | jq -c '[."out-packets", ."in-packets", .held]')"

	case $1 in
	gateway)	# no process holds it, packets do
		kill -9 "$listener"
		pp ip netns del gwa
		sleep 0.5
		;;
	policies)	# first the configuration, under traffic
		run_in gwa postern policy flush
		run_in gwa postern state flush
		pp ip netns del gwa
		kill -9 "$listener"
		;;
	device)		# the device under the tunnel goes first
		ip -n gwa link del pub
		ip -n gwa link del lan
		kill -9 "$listener"
		pp ip netns del gwa
		;;
	esac
	kill -9 "${pids[@]}" 2>/dev/null || true
	for pid in "${pids[@]}" "$listener"; do
		wait "$pid" 2>/dev/null || true
	done
	for n in hosta gwb hostb; do
		ip netns del $n
	done
	# shellcheck disable=SC2034 # for cleanup
	NAMESPACES=()
}

for kind in gateway policies device gateway; do
	round $kind 1.5
	# the cleanup of namespaces is work that is done later
	check "$kind: nothing refers to the module" busywait 20 grep -qx 0 /sys/module/postern/refcnt
done
check "rmmod" busywait 20 rmmod postern
