#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where a policy says PROTECT nothing leaves in clear: not without an SA, not with one
# that is larval, expired or of the other direction, not when the tool dies.  Each
# packet is counted.
#
#	hosta ----- gwa (Postern) ===== gwb (plain) ----- hostb
#
# timeout: 240
# lanes: stock debug bullseye
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
ip -n gwa route replace 10.2.0.0/24 via 192.0.2.2 src 10.1.0.1
ip -n gwa route replace fd02::/64 via 2001:db8::2 src fd01::1
ping_ok hosta 10.2.0.2
ping_ok hosta fd02::2

capture gwa pub /run/pub.pcap -Q out
for n in 1 2; do
	net=10.1.0.0/24 far=10.2.0.0/24 src=192.0.2.1 dst=192.0.2.2
	((n == 1)) || net=fd01::/64 far=fd02::/64 src=2001:db8::1 dst=2001:db8::2
	run_in gwa postern policy add dir out src $net dst $far \
		tmpl src $src dst $dst proto esp reqid $n mode tunnel
done

LOST=0
# none_leaves WHY REASON: four pings are lost and counted under REASON
none_leaves() {
	local before after

	before=$(stat_of gwa "$2")
	check "$1: host" ping_lost hosta 10.2.0.2 -W 0.4
	check "$1: IPv6 host" ping_lost hosta fd02::2 -W 0.4
	check "$1: gateway" ping_lost gwa 10.2.0.2 -W 0.4
	check "$1: IPv6 gateway" ping_lost gwa fd02::2 -W 0.4
	after=$(stat_of gwa "$2")
	LOST=$((LOST + 4))
	check "$1: counted as $2" expect packets 4 $((after - before))
}

none_leaves "no SA" out-no-sa

run_in gwa postern state allocspi src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel
run_in gwa postern state allocspi src 2001:db8::1 dst 2001:db8::2 proto esp reqid 2 mode tunnel
none_leaves "larval SA" out-no-sa
run_in gwa postern state flush

# the right SA but for one thing
gcm() { echo aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128; }
sas() { # REQID MODE [WORD...]
	# shellcheck disable=SC2046 # words
	run_in gwa postern state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1101 reqid "$1" \
		mode "$2" "${@:3}" $(gcm)
	# shellcheck disable=SC2046
	run_in gwa postern state add src 2001:db8::1 dst 2001:db8::2 proto esp spi 0x1201 reqid $(($1 + 1)) \
		mode "$2" "${@:3}" $(gcm)
}
sas 1 tunnel dir in
none_leaves "an SA for the other direction" out-no-sa
run_in gwa postern state flush
sas 3 tunnel
none_leaves "another reqid" out-no-sa
run_in gwa postern state flush
sas 1 transport
none_leaves "another mode" out-no-sa
run_in gwa postern state flush

# used up: 2 packets pass the SA of each family
sas 1 tunnel limit packet-hard 2
for to in 10.2.0.2 fd02::2; do
	run_in hosta ping -q -n -c 2 -i 0.2 -W 0.2 $to || true
done
no_sas() { [[ $(ip netns exec gwa postern -j state list | jq length) = 0 ]]; }
busywait 5 no_sas
none_leaves "used up" out-no-sa
check "what passed" expect packets 4 "$(stat_of gwa out-sent)"
sas 1 tunnel limit time-hard 1
sleep 1.5
none_leaves "expired" out-no-sa
run_in gwa postern state flush

# a tool that is killed in the middle of a batch, and one that listens
mkfifo /run/batch
background gwa postern -batch /run/batch
exec 5>/run/batch
echo "state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1101 reqid 9 mode tunnel $(gcm)" >&5
busywait 10 ip netns exec gwa postern state get dst 192.0.2.2 proto esp spi 0x1101
kill -9 "$BACKGROUND"
wait "$BACKGROUND" || true
exec 5>&-
none_leaves "the tool died" out-no-sa
check "its policies are there" expect policies 2 "$(ip netns exec gwa postern -j policy list | jq length)"

background gwa postern monitor acquire >/run/acquires
asked() {
	ip netns exec gwa ping -q -n -c 1 -W 0.1 10.2.0.2 >/dev/null || true
	[[ -s /run/acquires ]]
}
busywait 10 asked
check "held: host" ping_lost hosta 10.2.0.2 -W 0.4
kill -9 "$BACKGROUND"
wait "$BACKGROUND" || true
check "held, the listener died: nothing leaves" ping_lost hosta 10.2.0.2 -W 0.4
run_in gwa postern policy flush
none_held() { [[ $(stat_of gwa held) = 0 ]]; }
# they wait 30 seconds at most
busywait 35 none_held
capture_end

check "nothing in clear" expect packets 0 "$(packets_in /run/pub.pcap "not ($NOT_CLEAR)")"
check "ESP of the SA that was used up alone" expect packets 4 "$(packets_in /run/pub.pcap 'ip proto 50 or ip6[6] == 50')"
check "no policy, no protection" ping_ok hosta 10.2.0.2
