#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Anti-replay (RFC 4303 section 3.4.3, RFC 4302 section 3.4.3): a number is accepted
# once, inside the window, and only of a packet whose ICV is right.
#
# timeout: 600
# lanes: debug
#
# shellcheck disable=SC2034 # forge.sh reads GOOD_SA
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

forged_is_dropped() {
	# shellcheck disable=SC2086 # words
	[[ $(postern -n a -j -s state get ${FORGE_SAS[x]} | jq '.drops[] | select(.reason == "in-icv") | .packets') = 1 ]]
}

# The good packet behind each bad one takes the next number: top is what it moves the
# window to.
replay() { # WINDOW PROTO MODE OUTER INNER ALGORITHM
	local n="$2 $3 ${5}in$4 window $1" window=$1 words=() top=$(($1 + 5000))

	((window == 1024)) || words=(replay-window "$window")
	forge_sa x "${@:2}" "${words[@]}"
	forge_policy "$5"
	check "$n: first packet" good x seq=1
	check "$n: the same number again" bad in-replay=3 -- x seq=1 again=3
	check "$n: zero" bad in-window=2 -- x seq=0 again=2
	check "$n: far ahead" good x seq=$top
	check "$n: that number again" bad in-replay=1 -- x seq=$top
	top=$((top + 1))
	check "$n: before any ICV is computed" bad in-replay=1 -- x badkey=1 seq=$((top - 1))
	top=$((top + 1))
	check "$n: one left of the window" bad in-window=1 -- x seq=$((top - window))
	top=$((top + 1))
	check "$n: far left of the window" bad in-window=1 -- x seq=4
	top=$((top + 1))
	forge send x seq=$((top + 100000)) badkey=1 >/dev/null
	check "$n: forged packet ahead" busywait 5 forged_is_dropped
	check "$n: it did not move the window, whose left end is good" good x seq=$((top - window + 1))
	check "$n: the left end again" bad in-replay=1 -- x seq=$((top - window + 1))
	check "$n: last number there is" good x seq=0xffffffff
	GOOD_SA=y
	check "$n: the last number again" bad in-replay=1 -- x seq=0xffffffff
	check "$n: after the last number" bad in-window=1 -- x seq=1
	GOOD_SA=
	run_in a postern -j state get "${SA[@]}" >"$FORGE_DIR/sa"
	check "$n: highest number is told" expect "seq" $((0xffffffff)) "$(jq .replay.seq "$FORGE_DIR/sa")"
	run_in a postern -4 policy deleteall dir in
	run_in a postern state delete "${SA[@]}"
}

forge_start
forge_sa y esp tunnel 6 6 gcm
forge_policy 6
replay 1024 esp tunnel 4 4 gcm
replay 32 esp tunnel 6 4 cbc
replay 4096 esp transport 4 4 null
replay 16384 esp tunnel 4 4 gcm
replay 64 ah tunnel 4 4 null
replay 33 ah transport 4 4 null

# What has left the window without having come.
lost_are() {
	run_in a postern -j state get "${SA[@]}" >"$FORGE_DIR/sa"
	expect "lost" "$1" "$(jq .replay.lost "$FORGE_DIR/sa")"
}
forge_sa x esp tunnel 4 4 gcm replay-window 32
forge_policy 4
check "first packet, nothing is lost" good x seq=1
check "none" lost_are 0
check "a gap of 48" good x seq=50
check "of them 17 have left the window" lost_are 17
check "one of the others comes" good x seq=19
check "all leave" good x seq=1000
check "all but two are lost" lost_are $((1000 - 32 - 3))
run_in a postern state update "${SA[@]}" replay-seq 5000
check "what an update skips is not lost" lost_are $((1000 - 32 - 3))
check "the next" good x seq=5040
check "is behind some that are" lost_are $((1000 - 32 - 3 + 8))
run_in a postern -s state get "${SA[@]}" >"$FORGE_DIR/sa"
check "it is told with -s" grep -q ', lost 973' "$FORGE_DIR/sa"
run_in a postern -4 policy deleteall dir in
run_in a postern state delete "${SA[@]}"

# No window, no anti-replay: what the administrator asked for.
forge_sa x esp tunnel 4 4 gcm replay-window 0
forge_policy 4
check "window 0: any number, any number of times" good x seq=7 again=3
forge_end
