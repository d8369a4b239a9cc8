#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What cannot be protected does not leave: not in clear, not otherwise, and each packet
# is counted under the reason that is true of it.
#
# timeout: 600
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

DIR=/run/negative
UDP=$(dirname "$0")/../py/udp.py
SPI=0x3000
declare -A EXPECTED=()

# sa PROTO MODE OUTER [WORD...]: an SA from a to b with a fresh key.
sa() {
	local src=10.0.0.1 dst=10.0.0.2 words

	[[ $3 = 4 ]] || src=fd00::1 dst=fd00::2
	SPI=$(printf '0x%x' $((SPI + 1)))
	words=(aead 'rfc4106(gcm(aes))' "${KEY:-$(hexkey 36)}" 128)
	[[ $1 = esp ]] || words=(auth 'hmac(sha256)' "$(hexkey 32)")
	SA=(dst "$dst" proto "$1" spi "$SPI")
	run_in a postern state add src $src "${SA[@]}" mode "$2" reqid 1 "${words[@]}" "${@:4}"
}

# policy PROTO MODE OUTER [SELECTOR...]
policy() {
	local tmpl=(src 10.0.0.1 dst 10.0.0.2) sel=(src 10.9.0.1 dst 10.9.0.2)

	[[ $3 = 4 ]] || tmpl=(src fd00::1 dst fd00::2)
	[[ $2 = tunnel ]] || sel=("${tmpl[@]}")
	run_in a postern policy add dir out "${sel[@]}" "${@:4}" tmpl "${tmpl[@]}" proto "$1" reqid 1 mode "$2"
}

flush() {
	run_in a postern policy flush
	run_in a postern state flush
}

udp() { run_in a python "$UDP" "$@"; }

# dropped REASON=N... -- SENT DST [COUNT [HOW]]: COUNT datagrams (1) to DST are dropped
# for these reasons and no others, SENT of them are sent.
dropped() {
	local reason sent

	sent=$(stat_of a out-sent)
	while [[ $1 != -- ]]; do
		reason=${1%=*}
		EXPECTED[$reason]=$((${EXPECTED[$reason]:-0} + ${1#*=}))
		shift
	done
	udp "$3" 7777 "${4:-1}" "${@:5}"
	busywait 5 as_expected || as_expected
	expect "sent" $((sent + $2)) "$(stat_of a out-sent)"
}

as_expected() {
	local all=() reason

	for reason in "${!EXPECTED[@]}"; do
		all+=("$reason=${EXPECTED[$reason]}")
	done
	drops_are a "${all[@]}" && accounts_balance a
}

# of_sa REASON N
of_sa() { expect "$1 of the SA" "$2" "$(postern -n a -j -s state get "${SA[@]}" |
	jq --arg r "$1" '[.drops[] | select(.reason == $r) | .packets] | add // 0')"; }
gone() { ! postern -n a state get "${SA[@]}"; }

topo_pair
addr a lo 10.9.0.1/32
addr b lo 10.9.0.2/32
ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
load_postern
mkdir -p $DIR
# b has no SA: of what it cannot read, it must not say anything
run_in b nft 'add table inet quiet; add chain inet quiet inward { type filter hook input priority 0; }
	add rule inet quiet inward meta l4proto { esp, ah, udp } drop'
capture b veth0 $DIR/pcap 'udp port 7777 or ip6 proto 60'

run_in a postern policy add dir out src 10.9.0.1 dst 10.9.0.2 proto udp action discard
run_in a postern -6 policy add dir out dst fd00::2 proto udp action discard
check "discard" dropped out-discard=3 -- 0 10.9.0.2 3
check "discard, IPv6" dropped out-discard=2 -- 0 fd00::2 2
check "discard of a super-packet counts its datagrams" dropped out-discard=7 -- 0 10.9.0.2 7 gso
flush

policy esp tunnel 4
check "no SA, nobody listens" dropped out-no-sa=3 -- 0 10.9.0.2 3
sa esp tunnel 4 dir in
check "only an inbound SA" dropped out-no-sa=2 -- 0 10.9.0.2 2
run_in a postern state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel
check "only a larval SA" dropped out-no-sa=2 -- 0 10.9.0.2 2
sa esp tunnel 4
check "an SA" dropped -- 2 10.9.0.2 2
flush

# With a listener packets wait, 64 at most for one SA.
policy esp tunnel 4
background a postern monitor acquire >$DIR/monitor
holds() {
	udp 10.9.0.2 7777 1
	[[ $(stat_of a held) -ge 1 ]]
}
busywait 10 holds
EXPECTED[out-no-sa]=$(stat_of a out-no-sa)
held=$(stat_of a held)
check "packets wait" dropped -- 0 10.9.0.2 $((64 - held))
check "they are held" expect "held" 64 "$(stat_of a held)"
check "no more than so many wait" dropped out-hold-full=6 -- 0 10.9.0.2 6
sa esp tunnel 4
all_sent() { [[ $(stat_of a held) = 0 && $(postern -n a -j -s state get "${SA[@]}" | jq .usage.packets) = 64 ]]; }
check "they are sent when there is an SA" busywait 5 all_sent
check "and nothing is unaccounted for" as_expected
kill "$BACKGROUND"
flush

policy esp tunnel 4
sa esp tunnel 4 sel src 10.9.0.1 dst 10.9.0.2 proto tcp
check "outside the selector of the SA" dropped out-selector=2 -- 0 10.9.0.2 2
check "outside the selector of the SA, super-packet" dropped out-selector=4 -- 0 10.9.0.2 4 gso
check "counted for the SA" of_sa out-selector 6
flush

# A limit: the super-packet is past it in its middle.
policy esp tunnel 4
sa esp tunnel 4 limit packet-hard 5
check "up to a packet limit" dropped -- 3 10.9.0.2 3
check "past a packet limit" dropped out-lifetime=4 -- 2 10.9.0.2 6 gso
check "then the SA is gone" busywait 5 gone
check "and there is none" dropped out-no-sa=1 -- 0 10.9.0.2
flush
policy esp tunnel 4
sa esp tunnel 4 limit byte-hard 500
# a datagram of 100 octets is a packet of 128
check "past a byte limit" dropped out-lifetime=2 -- 4 10.9.0.2 6 gso
check "byte limit: the SA is gone" busywait 5 gone
flush

# The last number: 0xffffffff. A number is never used twice with a key.
policy esp tunnel 4
KEY=$(hexkey 36)
sa esp tunnel 4 replay-oseq 0xfffffffd
check "up to the last number" dropped -- 2 10.9.0.2 2
check "after the last number" dropped out-sequence=1 -- 0 10.9.0.2
check "numbers used up: the SA is gone" busywait 5 gone
check "numbers used up: there is none" dropped out-no-sa=1 -- 0 10.9.0.2
sa esp tunnel 4
check "the same key again has no numbers" dropped out-sequence=1 -- 0 10.9.0.2
busywait 5 gone
KEY=''
sa esp tunnel 4 flag esn replay-oseq-hi 0xfffffffe replay-oseq 0xfffffffe
check "ESN, up to the last number" dropped -- 2 10.9.0.2 2
check "ESN, after the last number" dropped out-sequence=1 -- 0 10.9.0.2
check "ESN, numbers used up: the SA is gone" busywait 5 gone
sa esp tunnel 4 replay-oseq 0xfffffffd
check "last number within a super-packet" dropped out-sequence=3 -- 2 10.9.0.2 5 gso
flush

# Transport mode has only whole packets, behind options that can be followed.
policy esp transport 4
sa esp transport 4
check "fragment in transport mode" dropped out-fragment=3 -- 0 10.0.0.2 3 fragments
check "counted for the SA" of_sa out-fragment 3
check "ESP behind IPv4 options" dropped -- 1 10.0.0.2 1 options
flush
policy ah transport 4
sa ah transport 4
check "AH behind IPv4 options" dropped -- 2 10.0.0.2 2 options
check "AH behind IPv4 options that are cut off" dropped out-options=3 -- 0 10.0.0.2 3 cut
check "counted for the SA" of_sa out-options 3
flush
for proto in esp ah; do
	policy $proto transport 6
	sa $proto transport 6
	check "$proto before destination options of IPv6" dropped -- 2 fd00::2 2 dstopts
	check "$proto behind a header longer than the packet" dropped out-malformed=2 -- 0 fd00::2 2 cut
	check "$proto behind more than can be kept" dropped out-options=2 -- 0 fd00::2 2 long
	check "$proto without" dropped -- 1 fd00::2
	[[ $proto = esp ]] || check "AH behind a route that nobody can predict" dropped out-options=3 -- 0 fd00::2 3 strange
	flush
done

# The way of the protected packet.
policy esp tunnel 6
sa esp tunnel 6
run_in a ip route add unreachable fd00::2/128
check "no route to the other end" dropped out-no-route=2 -- 0 10.9.0.2 2
run_in a ip route del unreachable fd00::2/128
check "there is a route again" dropped -- 1 10.9.0.2
flush
policy esp tunnel 4
sa esp tunnel 4
run_in a nft 'add table ip wall; add chain ip wall outward { type filter hook output priority 0; }
	add rule ip wall outward ip protocol esp drop'
check "a firewall drops the protected packet" dropped out-stack=2 -- 0 10.9.0.2 2
run_in a nft delete table ip wall
check "firewall gone" dropped -- 1 10.9.0.2
flush

# Path MTU: who forbids fragments is told.
policy esp tunnel 4
sa esp tunnel 4
too_big() { run_in a ping -n -c 1 -W 1 -M "do" -s 1472 10.9.0.2 >$DIR/ping 2>&1 || true; }
check "too big" drops_by a out-too-big=1 -- too_big
check "the sender was told" grep -iE 'frag needed|message too long' $DIR/ping

capture_end
check "nothing of all this was seen in clear" expect "packets in clear" 0 "$(packets_in $DIR/pcap)"
