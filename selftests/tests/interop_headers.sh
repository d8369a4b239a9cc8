#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Options of IPv4 and extension headers of IPv6 between Postern and XFRM, in transport
# and tunnel mode, from both ends, data verified.
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

PY=$(dirname "$0")/../py/options.py
CBC=(32 enc 'cbc(aes)' KEY auth-trunc 'hmac(sha256)' AUTH 128)
HMAC=(0 auth-trunc 'hmac(sha256)' AUTH 128)

# talk NS PEER HEADERS
talk() { run_in "$1" timeout 120 /usr/bin/python3 "$PY" talk "$2" 5003 "$3"; }

headers() { # NAME PROTO MODE FAMILY KEYBYTES ALGORITHM... -- HEADERS...
	local name=$1 family=$4 words=() h

	shift
	while [[ $1 != -- ]]; do
		words+=("$1")
		shift
	done
	shift
	# outer and inner family
	interop_up "${words[@]:0:3}" "${words[@]:2}"
	background a /usr/bin/python3 "$PY" serve "$family" 5003
	local server_a=$BACKGROUND
	background b /usr/bin/python3 "$PY" serve "$family" 5003
	local server_b=$BACKGROUND
	wait_listen a tcp 5003
	wait_listen b tcp 5003
	for h in "$@"; do
		check "$name $h: from a" talk a "$IN_B" "$h"
		check "$name $h: from b" talk b "$IN_A" "$h"
	done
	kill "$server_a" "$server_b"
	[[ $family = 6 || $name = *tunnel* ]] || check "$name: each end records its address once" recorded
	check "$name: accounts" interop_accounts
	interop_down
}

# ping -R: the addresses of a, b, b and a, each once.
recorded() {
	run_in a ping -n -R -c 1 -W 10 "$IN_B" >"$INTEROP_DIR/record" || return 1
	expect "recorded route" "$IN_A $IN_B $IN_B $IN_A" "$(sed -n '/^RR:/,/^$/p' "$INTEROP_DIR/record" |
		grep -oE '[0-9.]{7,}' | paste -sd ' ')"
}

v4=(record stamp alert nop record+stamp+alert)
v6=(hbh hbh-mutable dst dst-mutable hbh-mutable+dst-mutable)

interop_start
headers "esp transport 4" esp transport 4 "${CBC[@]}" -- "${v4[@]}"
headers "ah transport 4" ah transport 4 "${HMAC[@]}" -- "${v4[@]}"
headers "ah align4 transport 4" ah transport 4 "${HMAC[@]}" flag align4 -- record+stamp+alert
headers "esp transport 6" esp transport 6 "${CBC[@]}" -- "${v6[@]}"
headers "ah transport 6" ah transport 6 "${HMAC[@]}" -- "${v6[@]}"
headers "ah align4 tunnel 4" ah tunnel 4 "${HMAC[@]}" flag align4 -- record+stamp+alert
headers "ah tunnel 6" ah tunnel 6 "${HMAC[@]}" -- hbh-mutable+dst-mutable
interop_end
