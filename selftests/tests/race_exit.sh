#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A namespace, or the device by which they came, ends while packets that an SA has
# delivered wait in it: pieces in reassembly, datagrams in the queue of a socket that
# nobody reads, and packets on each side of the SAs in a queue of the packet filter.
# Nothing is left behind.  What such a queue lets go when the SAs are gone, the policies
# are others, or the module was to go is delivered, sent through an SA, or counted; with
# the module it goes.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 240
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

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

declare -A keys=()
protect() { # NS
	local A B KEY id

	for id in '10.0.0.1 10.0.0.2' 'fd00::1 fd00::2'; do
		read -r A B <<<"$id"
		KEY=${keys[$A]:=$(hexkey 20)}
		if [[ $1 = a ]]; then
			ends a "$A" "$B"
		else
			ends b "$B" "$A"
		fi
	done
}

# What the packet filter of a hands over waits: what came through an SA, before and behind
# the hook of Postern, what is to go through one, and what has.
queue() {
	run_in a nft -f - <<-'NFT'
		table inet wait {
			chain early { type filter hook prerouting priority -450; udp dport 7001 queue num 1; }
			chain inward { type filter hook input priority 0; udp dport 7002 queue num 1; }
			chain tag { type filter hook output priority -150; udp dport 7004 meta mark set 4; }
			chain outward { type filter hook postrouting priority -150; udp dport 7003 queue num 1; }
			chain sent { type filter hook output priority 0; meta mark 4 meta l4proto esp queue num 1; }
		}
	NFT
	rm -f /run/go /run/gone
	mkfifo /run/go
	exec 5<>/run/go
	background a /usr/bin/python3 -B py/queue_hold.py 1 /run/go >/run/gone
	holder=$BACKGROUND
	busywait 10 ip netns exec a grep -q '^ *1 ' /proc/net/netfilter/nfnetlink_queue
}

in_queue() { ip netns exec a cat /proc/net/netfilter/nfnetlink_queue | awk -v want="$1" '$1 == 1 { n = $3 } END { exit n != want }'; }
lines() { (($(wc -l <"$1") == $2)); }

# Five packets each way in each place, of both families: 40 wait.
fill() { # WHAT
	local i ns port to4 to6

	for i in "b 7001 10.0.0.1 fd00::1" "b 7002 10.0.0.1 fd00::1" "a 7003 10.0.0.2 fd00::2" "a 7004 10.0.0.2 fd00::2"; do
		read -r ns port to4 to6 <<<"$i"
		# shellcheck disable=SC2016
		ip netns exec "$ns" bash -c 'for i in {1..5}; do for to; do echo canary >"/dev/udp/$to/$0"; done; done' "$port" "$to4" "$to6"
	done
	check "$1: packets wait in the queue" busywait 10 in_queue 40
}

let_go() {
	echo >&5
	busywait 10 lines /run/gone "$1"
}

# round WHAT: until all of it waits in a
round() {
	local id

	# shellcheck disable=SC2034 # for cleanup
	NAMESPACES=()
	topo_pair
	protect a
	protect b
	background a /usr/bin/python3 -c '
import signal, socket
sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
sock.bind(("", 7000))
signal.pause()'
	reader=$BACKGROUND
	wait_listen a udp 7000
	queue
	# what b itself would reassemble goes untracked
	run_in b nft 'table ip6 raw { chain outward { type filter hook output priority -450; exthdr frag exists notrack; }; }'
	ip netns exec a sysctl -qw net.ipv4.ipfrag_time=300 net.ipv6.ip6frag_time=300
	for id in 1 2; do
		run_in b python -B py/t2_fragment.py -n 10.0.0.2 10.0.0.1 7000 $id 1
		run_in b python -B py/t2_fragment.py -n fd00::2 fd00::1 7000 $id 1
	done
	writers=()
	for id in 10.0.0.1 '[fd00::1]'; do
		ip netns exec b timeout 240 socat -u -b 1200 /dev/zero "UDP-SENDTO:$id:7000" &
		writers+=($!)
	done
	check "$1: pieces wait" busywait 10 pieces_are 2
	check "$1: of both families" expect "pieces" 4 "$(stat_of a in-fragments)"
	fill "$1"
	check "$1: and what nobody reads" busywait 20 queued
}

over() { # WHAT
	exec 5>&-
	kill -9 "${writers[@]}" "$reader" "$holder" 2>/dev/null || true
	wait "${writers[@]}" "$reader" "$holder" 2>/dev/null || true
	ip netns del a 2>/dev/null || true
	ip netns del b
	check "$1: nothing refers to the module" busywait 20 grep -qx 0 /sys/module/postern/refcnt
}

load_postern
round "the namespace ends"
pp ip netns del a
over "the namespace ends"
round "the device goes"
check "the device goes" timeout 120 ip -n a link del veth0
over "the device goes"

# What is let go later than it came.
late() {
	local i

	# shellcheck disable=SC2034
	NAMESPACES=()
	topo_pair
	queue
	capture a veth0 "$RESULTS/clear" 'src host 10.0.0.1 or src host fd00::1' and udp
	for i in 7001 7002; do
		background a socat -u "UDP6-RECV:$i" "OPEN:/run/got-$i,creat,trunc"
		wait_listen a udp $i
	done
	for i in 7003 7004; do
		background b socat -u "UDP6-RECV:$i" "OPEN:/run/got-$i,creat,trunc"
		wait_listen b udp $i
	done
}
flush() {
	run_in a postern policy flush
	run_in a postern state flush
}
got() { (($(wc -l </run/got-"$1") == $2)); }
all_got() { # 7001 7002 7003 7004
	local i

	for i in 7001 7002 7003 7004; do
		busywait 10 got $i "$1" || return 1
		shift
	done
}

late
protect b
protect a
fill "SAs are gone"
run_in a postern state flush
let_go 1
check "SAs are gone: what came is delivered, what has a number is sent" all_got 10 10 0 10
check "SAs are gone: the others are counted" drops_are a out-no-sa=10
flush

protect a
fill "another policy"
run_in a postern policy flush
for i in '10.0.0.1 10.0.0.2' 'fd00::1 fd00::2'; do
	read -r A B <<<"$i"
	run_in a postern policy add dir out src "$A" dst "$B" action discard
	run_in a postern policy add dir in src "$B" dst "$A" action discard
done
let_go 2
check "another policy: what came is delivered, what has a number is sent" all_got 20 20 0 20
check "another policy: the others are counted" drops_are a out-no-sa=10 out-discard=10
flush

protect a
fill "rmmod"
check "rmmod: refused" expect_fail -m 'in use' rmmod postern
let_go 3
check "rmmod: all arrives" all_got 30 30 10 30
check "rmmod: packets add up" busywait 10 accounts_balance a

fill "the module goes"
run_in b postern policy flush
flush
check "the module goes" busywait 20 rmmod postern
check "the module goes: nothing waits" in_queue 0
let_go 4
capture_end
check "nothing left in clear" expect "packets" 0 "$(packets_in "$RESULTS/clear")"
