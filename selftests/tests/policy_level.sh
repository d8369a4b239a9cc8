#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Optional templates (level use): Postern and XFRM send what there are SAs for, and take what
# came with them or without; what is required stays required.
#
# lanes: debug
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

DIR=/run/level
A=10.0.0.1 B=10.0.0.2
mkdir -p $DIR

# policy LAYER...: PROTO/LEVEL, the innermost first, of transport mode on both ends.
policy() {
	local layer there=() back=()

	for layer; do
		there+=(tmpl src "$A" dst "$B" proto "${layer%/*}" mode transport level "${layer#*/}")
		back+=(tmpl src "$B" dst "$A" proto "${layer%/*}" mode transport level "${layer#*/}")
	done
	run_in a postern policy update dir out src $A dst $B "${there[@]}"
	run_in a postern policy update dir in src $B dst $A "${back[@]}"
	run_in b ip xfrm policy update dir in src $A dst $B "${there[@]}"
	run_in b ip xfrm policy update dir out src $B dst $A "${back[@]}"
}

# sa PROTO a|b: what that end sends.
sa() {
	local src=$A dst=$B spi=0x1001 dir=out words

	[[ $2 = a ]] || src=$B dst=$A spi=0x1002 dir=in
	words=(auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128)
	[[ $1 = ah ]] || words=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)
	set -- src $src dst $dst proto "$1" spi $spi mode transport
	run_in a postern state add "$@" dir $dir "${words[@]}"
	run_in b ip xfrm state add "$@" replay-window 32 "${words[@]}"
}

no_sas() {
	run_in a postern state flush
	run_in b ip xfrm state flush
}

# protocol END: of the packet that it sent.
protocol() { tcpdump -n -v -r "$DIR/$1" 2>/dev/null | sed -n 's/.* proto \([A-Z]*\) (.*/\1/p'; }

# goes PROTO PROTO: of the packets of a, and of b.
goes() {
	local one

	capture a veth0 $DIR/a -Q out 'ip proto 1 or ip proto 50 or ip proto 51'
	one=$CAPTURE
	capture b veth0 $DIR/b -Q out 'ip proto 1 or ip proto 50 or ip proto 51'
	ping_ok a $B
	capture_end
	CAPTURE=$one
	capture_end
	expect "of a" "$1" "$(protocol a)" && expect "of b" "$2" "$(protocol b)"
}


topo_pair
# shellcheck disable=SC2119
load_postern

policy esp/use
check "no SA" goes ICMP ICMP
sa esp a
check "one to send by" goes ESP ICMP
sa esp b
check "one for each direction" goes ESP ESP
no_sas
check "none again" goes ICMP ICMP
sa esp b
check "one to receive by" goes ICMP ESP
no_sas

policy esp/use ah/use
check "two, no SA" goes ICMP ICMP
sa ah a
check "two, the outer one" goes AH ICMP
sa esp b
check "two, the inner one" goes AH ESP
sa esp a
sa ah b
check "two, both" goes AH AH
no_sas

policy esp/use ah/required
sa ah a
sa ah b
check "outside required, that alone" goes AH AH
sa esp a
sa esp b
check "outside required, both" goes AH AH
run_in b ip xfrm state delete src $B dst $A proto ah spi 0x1002
run_in b ip xfrm policy update dir out src $B dst $A tmpl src $B dst $A proto esp mode transport
check "outside required, the inside alone" drops_by a in-template=1 -- ping_lost a $B
no_sas

policy esp/required ah/use
sa esp a
sa esp b
check "inside required, that alone" goes ESP ESP
run_in b ip xfrm policy flush
check "inside required, cleartext" drops_by a in-cleartext=1 -- ping_lost a $B
check "accounts" accounts_balance a
