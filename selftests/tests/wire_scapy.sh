#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What scapy makes, Postern accepts and delivers: all protocols, modes and families,
# payloads that need each number of pad octets, padding up to 255 octets, and TFC
# padding behind the inner packet (RFC 4303 sections 2.4 and 2.7).
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

# The note makes the packet longer.
lengths() { # NOTE...
	local note

	for note; do
		good x "note=$note" || return 1
	done
}

accepted() { # PROTO MODE OUTER INNER ALGORITHM
	local n="$1 $5 $2 ${4}in$3"

	forge_sa x "$@"
	forge_policy "$4"
	check "$n" good x
	check "$n: lengths that follow one another" lengths '' a bc def
	check "$n: gap" good x seq=900
	if [[ $1 = esp ]]; then
		check "$n: longest padding" good x pad=$((255 - ($([[ $5 = cbc ]] && echo 16 || echo 4)) + 1))
		check "$n: longer padding" good x pad=$((RANDOM % 230 + 16))
		if [[ $2 = tunnel ]]; then
			check "$n: TFC padding" good x tfc=$((RANDOM % 1000 + 1))
			check "$n: TFC padding and longer padding" good x tfc=$((RANDOM % 1000 + 1)) pad=100
		fi
	fi
	run_in a postern policy flush
	run_in a postern state flush
}

forge_start
for alg in gcm cbc null; do
	accepted esp tunnel 4 4 $alg
	accepted esp tunnel 4 6 $alg
	accepted esp tunnel 6 4 $alg
	accepted esp tunnel 6 6 $alg
	accepted esp transport 4 4 $alg
	accepted esp transport 6 6 $alg
done
accepted ah tunnel 4 4 null
accepted ah tunnel 4 6 null
accepted ah tunnel 6 4 null
accepted ah tunnel 6 6 null
accepted ah transport 4 4 null
accepted ah transport 6 6 null
check "nothing was dropped" drops_are a
forge_end
