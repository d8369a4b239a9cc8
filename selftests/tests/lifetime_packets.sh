#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Limits in packets and octets: the exact number passes, a soft limit tells and a hard
# one ends the SA, both ways.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
background a postern -j monitor sa >>/run/events.a
background b postern -j monitor sa >>/run/events.b
wait_monitor a 1
wait_monitor b 1
policies a postern 1 10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.2 tunnel
policies b postern 1 10.0.0.2 10.0.0.1 10.0.0.2 10.0.0.1 tunnel

key=$(hexkey 20) back=$(hexkey 20)
# sa NS DIR WORD...: both SAs of a namespace; WORDs are for the one of direction DIR
sa() {
	local d extra ns=$1 which=$2

	shift 2
	for d in out in; do
		extra=()
		[[ $d != "$which" ]] || extra=("$@")
		if [[ $ns$d = aout || $ns$d = bin ]]; then
			run_in "$ns" postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1101 reqid 1 \
				mode tunnel dir $d aead 'rfc4106(gcm(aes))' "$key" 128 "${extra[@]}"
		else
			run_in "$ns" postern state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x1102 reqid 1 \
				mode tunnel dir $d aead 'rfc4106(gcm(aes))' "$back" 128 "${extra[@]}"
		fi
	done
}
flush() {
	run_in a postern state flush
	run_in b postern state flush
	: >/run/events.a
	: >/run/events.b
}
pings() { ip netns exec a ping -q -n -c "$1" -i 0.2 -W 0.3 10.0.0.2 | sed -n 's/.* \([0-9]*\) received.*/\1/p'; }
expires() { jq -r 'select(.event == "sa-expire") | "\(.sa.spi):\(.hard)"' "/run/events.$1" | sed 's/true/1/; s/false/0/' | xargs; }
state_of() { ip netns exec "$1" postern -j state list dir "$2" | jq -r '.[].state'; }
gone() { [[ -z $(state_of "$1" "$2") ]]; }
spi() { ip netns exec "$1" postern -j state list dir "$2" | jq -r '.[].spi'; }

sa a out limit packet-soft 3 limit packet-hard 6
sa b in
OUT=$(spi a out)
check "two pings" expect received 2 "$(pings 2)"
check "below the soft limit nothing is told" expect events '' "$(expires a)"
check "valid" expect state valid "$(state_of a out)"
check "the third" expect received 1 "$(pings 1)"
busywait 5 grep -q sa-expire /run/events.a
check "the soft limit is told once" expect events "$OUT:0" "$(expires a)"
check "dying" expect state dying "$(state_of a out)"
check "three of five more" expect received 3 "$(pings 5)"
check "then it is gone" busywait 5 gone a out
check "the hard limit is told" expect events "$OUT:0 $OUT:1" "$(expires a)"
check "six were sent" expect packets 6 "$(stat_of a out-sent)"
check "two were not" expect drops 2 "$(($(stat_of a out-no-sa) + $(stat_of a out-lifetime)))"
flush

# the receiving side
sa a out
sa b in limit packet-soft 2 limit packet-hard 4
IN=$(spi b in)
before=$(stat_of b in-delivered)
check "inbound: four of six" expect received 4 "$(pings 6)"
check "inbound: it is gone" busywait 5 gone b in
check "inbound: told" expect events "$IN:0 $IN:1" "$(expires b)"
check "inbound: four were delivered" expect packets 4 $(($(stat_of b in-delivered) - before))
check "inbound: the rest is counted" expect drops 2 \
	$(($(stat_of b in-lifetime) + $(stat_of b unknown-spi) + $(stat_of b in-sa-state) + $(stat_of b in-cleartext)))
flush

# octets: the inner packet counts, 84 for a ping
sa a out limit byte-soft 168 limit byte-hard 252
sa b in
check "octets: three of five" expect received 3 "$(pings 5)"
check "octets: it is gone" busywait 5 gone a out
check "octets: told" expect events "$OUT:0 $OUT:1" "$(expires a)"
flush

# limits may be changed while the SA lives, and count what was before
sa a out
sa b in
check "no limit: two" expect received 2 "$(pings 2)"
run_in a postern state update src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1101 mode tunnel reqid 1 limit packet-hard 4
check "update: two of four more" expect received 2 "$(pings 4)"
check "update: it is gone" busywait 5 gone a out
flush
sa a out limit packet-hard 3
sa b in
check "one of three" expect received 1 "$(pings 1)"
run_in a postern state update src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1101 mode tunnel reqid 1 limit packet-hard 1000
check "raised: all of four" expect received 4 "$(pings 4)"
run_in a postern state update src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1101 mode tunnel reqid 1 limit packet-soft 2
busywait 5 grep -q sa-expire /run/events.a
check "a soft limit that is already passed is told at once" expect events "$OUT:0" "$(expires a)"
flush

# the last number of the sequence
lost() { echo $(($(stat_of a out-sequence) + $(stat_of a out-no-sa) + $(stat_of a out-lifetime))); }
before=$(lost)
sa a out replay-oseq 4294967292
sa b in
check "three numbers are left" expect received 3 "$(pings 5)"
check "exhausted: it is gone" busywait 5 gone a out
check "exhausted: told as hard" expect events "$OUT:1" "$(expires a)"
check "exhausted: counted" expect drops 2 $(($(lost) - before))
