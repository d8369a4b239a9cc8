#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Traffic flow confidentiality (RFC 4303 sections 2.6 and 2.7): packets of any size look
# alike on the cable, XFRM finds the true ones in them, dummy packets are discarded at the
# other end, and the path limits both.
#
# timeout: 300
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

PCAP=/run/tfc.pcap

# Lengths of the ESP packets that came to b, as a list without repetitions.
lengths() {
	tshark -r $PCAP -T fields -e ip.len -e ipv6.plen -Y esp 2>/dev/null | tr -d '\t' | sort -nu | tr '\n' ' '
}

one_length() {
	local l

	l=$(lengths)
	say "lengths: $l"
	[[ $l =~ ^[0-9]+\ $ ]]
}

# padded NAME MODE OUTER INNER TFCPAD KEYBYTES ALGORITHM...
padded() {
	local name="$1 $2 ${4}in$3 tfcpad $5" mode=$2 outer=$3 inner=$4 pad=$5

	# XFRM pads in tunnel mode alone
	if [[ $mode = tunnel ]]; then
		interop_up esp "$mode" "$outer" "$inner" "${@:6}" tfcpad "$pad"
	else
		# shellcheck disable=SC2034 # of interop.sh
		local INTEROP_POSTERN=(tfcpad "$pad")

		interop_up esp "$mode" "$outer" "$inner" "${@:6}"
	fi
	capture b veth0 $PCAP -Q in 'ip proto 50 or ip6[6] == 50'
	if [[ $mode = tunnel ]]; then
		check "$name: ping" interop_pings 0 1 100 800
		check "$name: a packet larger than that" ping_ok a "$IN_B" -s 1200
		capture_end
		check "$name: two lengths" expect lengths 2 "$(lengths | wc -w)"
	else
		check "$name: datagrams" datagrams
		capture_end
		check "$name: one length" one_length
	fi
	check "$name: TCP" interop_tcp a b "$IN_B"
	check "$name: accounts" interop_accounts
	interop_down
}

# Datagrams of 1 to 64 octets, received as they were sent.
datagrams() {
	local size

	for size in 1 2 15 64; do
		traffic udp a b "$IN_B" $size $size || return 1
	done
}

gcm=(20 aead 'rfc4106(gcm(aes))' KEY 128)
cbc=(16 enc 'cbc(aes)' KEY auth-trunc 'hmac(sha256)' AUTH 128)
interop_start
padded gcm tunnel 4 4 900 "${gcm[@]}"
padded gcm tunnel 6 6 900 "${gcm[@]}"
padded cbc tunnel 4 6 901 "${cbc[@]}"
# More than the path takes is what it takes, to the octet, and needs no fragments.
interop_up esp tunnel 4 4 "${gcm[@]}" tfcpad 65535
capture b veth0 $PCAP -Q in 'ip proto 50'
check "tfcpad 65535: ping" interop_pings 0 500 1300
capture_end
check "tfcpad 65535: the length of the path" expect lengths '1500 ' "$(lengths)"
check "tfcpad is shown" expect tfcpad 65535 "$(run_in a postern -j state get dst 10.0.0.2 proto esp spi 0x1001 | jq .tfcpad)"
interop_down

padded gcm transport 4 4 900 "${gcm[@]}"
padded cbc transport 6 6 901 "${cbc[@]}"

# dummies NAME MODE OUTER: XFRM discards them without prejudice to what follows.
dummies() {
	local name="$1 $2 $3" before

	interop_up esp "$2" "$3" "$3" "${gcm[@]}" "${@:4}"
	before=$(stat_of a out-sent)
	capture b veth0 $PCAP -Q in 'ip proto 50 or ip6[6] == 50'
	check "$name: dummy packets are sent" run_in a postern state dummy dst "$OUT_B" proto esp spi 0x1001 count 5 size 777
	check "$name: dummy packet without a size" run_in a postern state dummy dst "$OUT_B" proto esp spi 0x1001
	capture_end
	check "$name: dummy packets are counted" expect out-sent $((before + 6)) "$(stat_of a out-sent)"
	check "$name: dummy packets are on the cable" expect packets 6 "$(tshark -r $PCAP -Y esp 2>/dev/null | wc -l)"
	DUMMIES=$((DUMMIES + 6))
	check "$name: XFRM opened and dropped them" busywait 5 xfrm_dropped $DUMMIES
	check "$name: a packet behind the dummy packets" ping_ok a "$IN_B"
	check "$name: dummy packets of XFRM's account" accounts_balance a
	check "$name: too large for the path" expect_fail -m 'does not take such long' \
		run_in a postern state dummy dst "$OUT_B" proto esp spi 0x1001 size 1500
	interop_down
}

# XFRM opens them, and drops them as packets of which it knows no protocol.
xfrm_dropped() { [[ $(xfrm_errors) = "XfrmInStateProtoError=$1" ]]; }
DUMMIES=0

dummies dummy tunnel 4
dummies dummy tunnel 6
dummies dummy transport 4
dummies dummy transport 6
dummies 'dummy with tfcpad' tunnel 4 tfcpad 500
interop_end

# Postern's own receiver: a reason of its own, and nothing else.
key=$(hexkey 20)
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x2001 mode tunnel dir out aead 'rfc4106(gcm(aes))' "$key" 128
run_in b postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x2001 mode tunnel dir in aead 'rfc4106(gcm(aes))' "$key" 128
pp postern -n a state dummy dst 10.0.0.2 proto esp spi 0x2001 count 20 size 300
received() { [[ $(stat_of b in-dummy) = "$1" ]]; }
busywait 10 received 20
check "dummy packets to Postern are in-dummy and nothing else" drops_are b in-dummy=20
check "dummy packets move the window" expect seq 20 \
	"$(run_in b postern -j state get dst 10.0.0.2 proto esp spi 0x2001 | jq .replay.seq)"

# What cannot be.
refuse() { expect_fail -m "$1" run_in a postern state "${@:2}"; }
check "dummy packets of AH are refused" refuse 'are of ESP' dummy dst 10.0.0.2 proto ah spi 0x2001
check "dummy packets of no SA are refused" refuse 'no SA has this' dummy dst 10.0.0.2 proto esp spi 0x2002
run_in a postern state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x2003 mode tunnel dir in aead 'rfc4106(gcm(aes))' "$key" 128
check "dummy packets of an inbound SA are refused" refuse 'dir of the SA is' dummy dst 10.0.0.1 proto esp spi 0x2003
run_in a postern state allocspi dst 10.0.0.9 proto esp min 0x2004 max 0x2004
check "dummy packets of an SA without keys are refused" refuse 'no keys yet' dummy dst 10.0.0.9 proto esp spi 0x2004
run_in a postern state add src 10.0.0.1 dst 10.77.0.2 proto esp spi 0x2005 mode tunnel dir out aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
check "dummy packets without a route are refused" refuse 'no route' dummy dst 10.77.0.2 proto esp spi 0x2005
check "tfcpad of AH is refused" refuse 'tfcpad is of ESP' add src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x2006 \
	auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128 tfcpad 100

# Each SA of several pads, the middle one as well, as far as the last header leaves room.
chain() { # NAME TFCPAD LENGTHS
	local i proto mode=tunnel tmpl=() end state

	for i in 1 2 3; do
		proto=esp state=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)
		case $i in
		2) state+=(tfcpad "$2") ;;
		3) proto=ah mode=transport state=(auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128) ;;
		esac
		state+=(src 10.0.0.1 dst 10.0.0.2 proto "$proto" spi "0x300$i" reqid "$i" mode "$mode")
		run_in a postern state add "${state[@]}" dir out
		run_in b postern state add "${state[@]}" dir in
		tmpl+=(tmpl src 10.0.0.1 dst 10.0.0.2 proto "$proto" reqid "$i" mode "$mode")
	done
	run_in a postern policy add dir out src 10.8.0.1 dst 10.8.0.2 "${tmpl[@]}"
	run_in b postern policy add dir in src 10.8.0.1 dst 10.8.0.2 "${tmpl[@]}"
	capture b veth0 $PCAP -Q in 'ip proto 51'
	for i in 1 100 700; do
		check "$1: $i octets" ping_ok a 10.8.0.2 -I 10.8.0.1 -s $i
	done
	capture_end
	check "$1: one length" expect lengths "$3 " "$(tshark -r $PCAP -T fields -e ip.len -Y 'ah && !icmp' 2>/dev/null | sed 's/,.*//' | sort -nu | tr '\n' ' ')"
	for end in a b; do
		run_in $end postern policy flush
		run_in $end postern state flush
	done
}
addr a lo 10.8.0.1/32
addr b lo 10.8.0.2/32
ip -n a route add 10.8.0.2 via 10.0.0.2
ip -n b route add 10.8.0.1 via 10.0.0.1
# 900 in ESP, with 20 + 8 + 8 + 4 + 16 around them, and AH's 32
chain 'tfcpad of a middle SA' 900 988
chain 'tfcpad of a middle SA, 65535' 65535 1500
