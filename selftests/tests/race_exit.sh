#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A namespace, or the device by which they came, ends while packets that an SA has
# delivered wait in it: pieces in reassembly, datagrams in the queue of a socket that
# nobody reads.  Nothing is left behind.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 180
# lanes: debug
. "$(dirname "$0")/../lib.sh"

# datagrams that wait for more of them
pieces_are() { ip netns exec a grep -q "^FRAG: inuse $1 " /proc/net/sockstat; }
queued() { # octets that nobody has read
	ip netns exec a ss -Hnua "sport = :7000" | awk '{ sum += $2 } END { exit sum < 10000 }'
}

ends() { # NS SELF OTHER
	run_in "$1" postern policy add dir out src "$2" dst "$3" tmpl src "$2" dst "$3" proto esp reqid 1 mode tunnel
	run_in "$1" postern policy add dir in src "$3" dst "$2" tmpl src "$3" dst "$2" proto esp reqid 1 mode tunnel
	for i in "$A $B 0x1001" "$B $A 0x1002"; do
		read -r src dst spi <<<"$i"
		run_in "$1" postern state add src "$src" dst "$dst" proto esp spi "$spi" reqid 1 mode tunnel \
			aead 'rfc4106(gcm(aes))' "$KEY" 128
	done
}

# round WHAT: until all of it waits in a
round() {
	local A B KEY id

	# shellcheck disable=SC2034 # for cleanup
	NAMESPACES=()
	topo_pair
	for id in '10.0.0.1 10.0.0.2' 'fd00::1 fd00::2'; do
		read -r A B <<<"$id"
		KEY=$(hexkey 20)
		ends a "$A" "$B"
		ends b "$B" "$A"
	done
	background a /usr/bin/python3 -c '
import signal, socket
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.bind(("", 7000))
signal.pause()'
	reader=$BACKGROUND
	wait_listen a udp 7000
	for id in 1 2; do
		run_in b /usr/bin/python3 -B py/t2_fragment.py -n 10.0.0.2 10.0.0.1 7000 $id 1
	done
	writers=()
	for id in 10.0.0.1 '[fd00::1]'; do
		ip netns exec b timeout 60 socat -u -b 1200 /dev/zero "UDP-SENDTO:$id:7000" &
		writers+=($!)
	done
	check "$1: pieces wait" busywait 10 pieces_are 2
	check "$1: and what nobody reads" busywait 20 queued
}

over() { # WHAT
	kill -9 "${writers[@]}" "$reader" 2>/dev/null || true
	wait "${writers[@]}" "$reader" 2>/dev/null || true
	ip netns del a 2>/dev/null || true
	ip netns del b
	check "$1: nothing refers to the module" busywait 20 grep -qx 0 /sys/module/postern/refcnt
}

load_postern
round "the namespace ends"
pp ip netns del a
over "the namespace ends"
round "the device goes"
check "the device goes" timeout 30 ip -n a link del veth0
over "the device goes"
check "the module can go" busywait 20 rmmod postern
