#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Datagrams that are not the ESP that an SA waits for: wrong SPI, port, or length; and
# batches of datagrams, in which IKE and ESP take turns.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

PY=$(dirname "$0")/../py/encap.py
forge_start
# the filter of ports does not tell 5500 and 5564 apart
for port in 4500 5500 5564; do
	background a /usr/bin/python3 "$PY" plain $port >/run/got.$port
	wait_listen a udp $port
done

got_are() { [[ $(wc -l <"/run/got.$1") = "$2" ]]; }

# some N NAME [WORD=VALUE...]: a batch, of which the first N packets are delivered
some() {
	local i

	forge send "$2" text=some "${@:3}" >/dev/null
	for ((i = 0; i < $1; i++)); do
		echo some
	done >>"$FORGE_DIR/want"
	busywait 10 cmp "$FORGE_DIR/want" "$FORGE_DIR/got"
}

# no_room CMD...: the queue of what was decapsulated takes two packets
no_room() {
	local rc=0 room

	room=$(sysctl -n net.core.netdev_max_backlog)
	sysctl -qw net.core.netdev_max_backlog=1
	"$@" || rc=1
	sysctl -qw net.core.netdev_max_backlog="$room"
	return $rc
}

# left PORT -- NAME [WORD=VALUE...]: one packet that is not ours: the socket has it, and
# nothing is counted.
left() {
	local before want rc=0

	want=$(($(wc -l <"/run/got.$1") + 1))
	before=$(stats_of a)
	forge send "$3" text=left "${@:4}" >/dev/null
	busywait 10 got_are "$1" "$want" || rc=1
	expect counters "$before" "$(stats_of a)" || rc=1
	return $rc
}

# broken NAME [WORD=VALUE...]: one packet that reaches nobody.
broken() {
	local before got

	before=$(stats_of a | jq 'del(."in-packets", ."in-delivered")')
	got=$(cat /run/got.*)
	forge send "$1" text=broken "${@:2}" >/dev/null
	good "$1" || return 1
	expect counters "$before" "$(stats_of a | jq 'del(."in-packets", ."in-delivered")')" &&
		expect datagrams "$got" "$(cat /run/got.*)"
}

# batch N NAME [WORD=VALUE...]: three good packets; N of the messages between them arrive.
batch() {
	local want

	want=$(($(wc -l </run/got.4500) + $1))
	good "$2" "${@:3}" count=3 || return 1
	busywait 10 got_are 4500 $want
}

for outer in 4 6; do
	for mode in tunnel transport; do
		n="$mode over IPv$outer"
		short=-36
		[[ $mode = transport ]] || short=$((outer == 4 ? -44 : -64))
		forge_sa x esp $mode $outer $outer gcm encap espinudp 4500 5500 ::
		forge_policy $outer
		check "$n: to its port" good x udp=9999:5500
		check "$n: to 4500" good x udp=9999:4500
		check "$n: plain" good x
		check "$n: octets behind the datagram" good x udp=9999:4500 behind=7
		check "$n: wrong key" bad in-icv=1 -- x udp=4500:5500 badkey=1
		check "$n: replayed" bad in-replay=1 -- x udp=4500:5500 seq=1
		check "$n: shorter than IV and ICV" bad in-truncated=1 -- x udp=4500:5500 ulen=$short
		check "$n: a block shorter" bad in-icv=1 -- x udp=4500:4500 ulen=-4
		check "$n: another SPI, to 4500" bad unknown-spi=1 / -- x udp=4500:4500 spi=0x12345678
		if [[ $mode = tunnel ]]; then
			check "$n: longer than it is" broken x udp=4500:4500 ulen=4
			check "$n: another SPI, to its port" left 5500 -- x udp=4500:5500 spi=0x12345678
			check "$n: no SPI" left 4500 -- x udp=4500:4500 spi=0
			check "$n: another port" left 5564 -- x udp=4500:5564
			check "$n: batch, IKE first" batch 3 x udp=4500:4500 batch=ike
			check "$n: batch, ESP first" batch 3 x udp=4500:4500 batch=esp
			# this cable may take batches apart, where another queue is too small, too
			if run_in b ethtool -k veth0 | grep -q '^tx-udp-segmentation: on'; then
				check "$n: batch, too many" drops_by a in-backlog=3 -- no_room some 2 x udp=4500:4500 batch=esp count=5
			else
				lacking "a batch that stays one"
			fi
		else
			check "$n: another SPI, to its port" bad in-cleartext=1 / -- x udp=4500:5500 spi=0x12345678
			check "$n: no SPI" bad in-cleartext=1 / -- x udp=4500:4500 spi=0
			check "$n: another port" bad in-cleartext=1 / -- x udp=4500:5564
			check "$n: a batch lets nothing in that a policy protects" batch 0 x udp=4500:4500 batch=esp
		fi
		run_in a postern policy flush
		run_in a postern state flush
	done
done
# who looks at limits has to wait until the CPU is through with the batch
gone() { ! ip netns exec a postern state get "${SA[@]}"; }
echo 1 >/sys/devices/virtual/workqueue/cpumask
taskset -pc 0 "$FORGE_PID" >/dev/null
forge_sa x esp tunnel 4 4 gcm encap espinudp 4500 5500 :: limit packet-hard 1
forge_policy 4
check "past a packet limit" drops_by a in-lifetime=2 -- some 1 x udp=4500:4500 batch=esp count=3
check "the SA is gone" busywait 5 gone
check "what was in batches is counted" expect in-cleartext 12 "$(stat_of a in-cleartext)"
forge_end
