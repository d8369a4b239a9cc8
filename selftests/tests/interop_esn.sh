#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Extended sequence numbers (RFC 4303 section 2.2.1, RFC 4302 section 2.5.1) between
# Postern and XFRM: the low half passes zero in both directions, nothing is lost by it,
# and a packet whose high half is another one is not authentic.  All algorithms, modes and
# families: interop_matrix.
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

GCM=(20 aead 'rfc4106(gcm(aes))' KEY 128)
CBC=(32 enc 'cbc(aes)' KEY auth-trunc 'hmac(sha256)' AUTH 128)
AH=(0 auth-trunc 'hmac(sha256)' AUTH 128)

# The last numbers of both directions, which Postern tells.
numbers() {
	run_in a postern -j state list | jq -r '[.[] | select(.dir == "out") | .replay.oseq][0],
		[.[] | select(.dir == "in") | .replay.seq][0]'
}

# Numbers of both directions are in the given one of the spaces of 2^32.
are_in_space() { # N
	local n got=0

	for n in $(numbers); do
		expect "high half" "$1" $((n >> 32)) || return 1
		got=$((got + 1))
	done
	expect "directions" 2 $got
}

# Sets FROM, words of an SA whose last number in either direction was HIGH and LOW.
from() { # HIGH LOW
	FROM=(flag esn replay-seq-hi "$1" replay-seq "$2" replay-oseq-hi "$1" replay-oseq "$2")
}

# pings NAME PROTO MODE OUTER INNER KEYBYTES ALGORITHM...: across 2^32.
pings() {
	from 4 0xfffffffb
	interop_up "${@:2}" "${FROM[@]}"
	check "$1: ping" interop_pings 0 1 2 3 13 56 1400 5000
	check "$1: across 2^32" are_in_space 5
	check "$1: accounts" interop_accounts
	interop_down
}

# streams: with connections of which the middle is across 2^32.
streams() {
	from 0 0xffffffd0
	interop_up "${@:2}" "${FROM[@]}"
	check "$1: TCP from a" interop_tcp a b "$IN_B"
	check "$1: across 2^32" are_in_space 1
	check "$1: TCP from b" interop_tcp b a "$IN_A"
	check "$1: accounts" interop_accounts
	interop_down
}

# other_half NAME PROTO MODE OUTER INNER ALGORITHM...: Postern is 2^32 ahead.
other_half() {
	local name=$1

	shift
	from 1 7
	interop_up "${@:1:4}" 0 "${@:5}" "${FROM[@]}"
	check "$name: the same high half" interop_pings 56
	run_in a postern state flush
	from 2 100
	interop_ahead "$1" "$2" "$OUT_A" "$OUT_B" 0x1001 out "${@:5}"
	interop_ahead "$1" "$2" "$OUT_B" "$OUT_A" 0x1002 in "${@:5}"
	check "$name: XFRM does not accept another high half" ping_lost a "$IN_B"
	check "$name: nor does Postern" ping_lost b "$IN_A"
	check "$name: each counts a wrong ICV" wrong_icvs
	check "$name: the window has not moved" expect "highest number" $((2 << 32 | 100)) "$(numbers | tail -n 1)"
	check "$name: accounts" accounts_balance a
	interop_down
}
interop_ahead() { # PROTO MODE SRC DST SPI DIR ALGORITHM...
	run_in a postern state add src "$3" dst "$4" proto "$1" spi "$5" reqid 1 mode "$2" dir "$6" \
		"${@:7}" "${FROM[@]}"
}
wrong_icvs() {
	drops_are a out-too-big='*' in-icv=$((++FORGED)) &&
		expect "errors of XFRM" XfrmInStateProtoError=$FORGED "$(xfrm_errors)"
}
FORGED=0

interop_start
streams "gcm tunnel 4in4" esp tunnel 4 4 "${GCM[@]}"
pings "gcm transport 6" esp transport 6 6 "${GCM[@]}"
streams "cbc transport 6" esp transport 6 6 "${CBC[@]}"
pings "ah tunnel 4in6" ah tunnel 6 4 "${AH[@]}"
streams "ah transport 4" ah transport 4 4 "${AH[@]}"
# last: XFRM keeps its counters
other_half "gcm" esp tunnel 4 4 aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
other_half "cbc" esp transport 6 6 enc 'cbc(aes)' "$(hexkey 16)" auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128
other_half "ah" ah tunnel 6 4 auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128
interop_end
