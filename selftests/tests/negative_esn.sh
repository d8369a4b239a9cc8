#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Extended sequence numbers on receipt (RFC 4303 section 3.4.3, appendix A2), of packets
# made by scapy: the high half is found from the window, a packet of another one is not
# authentic, and nothing is accepted twice on either side of 2^32.
#
# timeout: 600
# lanes: debug
#
# shellcheck disable=SC2034 # forge.sh reads GOOD_SA
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

told() { # HIGH LOW: the highest number, in the words of ip xfrm
	run_in a postern state get "${SA[@]}" >"$FORGE_DIR/sa"
	grep "anti-replay esn context: seq-hi $1, seq $2, oseq-hi 0x0, oseq 0x0" "$FORGE_DIR/sa"
}

# The good packet behind each bad one takes the next number: top is what it moves the
# window to.
esn() { # WINDOW PROTO MODE OUTER INNER ALGORITHM
	local n="$2 $3 ${5}in$4 $6 window $1" window=$1 space=$((1 << 32)) top

	forge_sa x "${@:2}" replay-window "$window" flag esn
	forge_policy "$5"
	check "$n: zero" bad in-window=2 -- x seq=0 again=2
	check "$n: last of the first space" good x seq=$((space - 1))
	check "$n: the first whose low half is zero" good x seq=$space
	check "$n: the same number again" bad in-replay=2 -- x seq=$space again=2
	top=$((space + 1))
	check "$n: before 2^32, in the window" good x seq=$((space - 2))
	check "$n: that number again" bad in-replay=1 -- x seq=$((space - 2))
	top=$((top + 1))
	check "$n: the high half of the space before" bad in-icv=1 -- x seq=$((top + 5)) hi=0
	top=$((top + 1))
	check "$n: the high half of the space behind" bad in-icv=1 -- x seq=$((top + 5)) hi=2
	top=$((top + 1))
	check "$n: left of the window, where the next space is meant" bad in-icv=1 -- x seq=$((top - window))
	top=$((top + 1))
	check "$n: left end of the window" good x seq=$((top - window + 1))
	check "$n: left end of the window again" bad in-replay=1 -- x seq=$((top - window + 1))
	top=$((top + 1))
	check "$n: one number further than can be told" bad in-icv=1 -- x seq=$((top - window + 1)) hi=$((top + space - window + 1 >> 32))
	top=$((top + 1))
	top=$((top + space - window))
	check "$n: the furthest number that can be told" good x seq=$top
	check "$n: that number again" bad in-replay=1 -- x seq=$top
	top=$((top + 1))
	check "$n: it is told" told "0x$(printf %x $((top >> 32)))" "0x$(printf %x $((top & space - 1)))"
	run_in a postern state update "${SA[@]}" replay-seq-hi 0xffffffff replay-seq 0xfffffff0
	check "$n: the last number there is" good x seq=0xffffffffffffffff
	check "$n: it is told as well" told 0xffffffff 0xffffffff
	GOOD_SA=y
	check "$n: the last number again" bad in-replay=1 -- x seq=0xffffffffffffffff
	check "$n: after the last number" bad in-window=1 -- x seq=1
	GOOD_SA=
	run_in a postern -4 policy deleteall dir in
	run_in a postern state delete "${SA[@]}"
}

forge_start
forge_sa y esp tunnel 6 6 gcm
forge_policy 6
esn 1024 esp tunnel 4 4 gcm
esn 32 esp tunnel 6 4 cbc
esn 4096 esp transport 4 4 null
esn 100 ah tunnel 4 4 null
esn 64 ah transport 4 4 null
check "a receiver needs a window" expect_fail -m 'flag esn needs a replay-window' \
	run_in a postern state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x998 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 replay-window 0 flag esn
forge_sa z esp tunnel 4 4 gcm
check "numbers of 64 bits need the flag" expect_fail -m '0 to 4294967295 without flag esn' \
	run_in a postern state update "${SA[@]}" replay-seq-hi 1
check "a sender needs no window" run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x999 \
	mode tunnel dir out aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 replay-window 0 flag esn
check "the last 2^32 numbers are not for sending" expect_fail -m 'at most 0xffffffff00000000' \
	run_in a postern state update dst 10.0.0.2 proto esp spi 0x999 replay-oseq-hi 0xffffffff replay-oseq 1
forge_end
