#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A policy of several templates lets in what came through just these SAs in that order
# (RFC 4301 section 5.2), and what leaves by such a policy leaves once.
#
# timeout: 600
# lanes: debug
#
# shellcheck disable=SC2034 # forge.sh reads GOOD_SA
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

# tmpl NAME SRC DST MODE: appends the template of an SA to TMPLS.
tmpl() {
	# shellcheck disable=SC2206 # words
	local sa=(${FORGE_SAS[$1]})

	TMPLS+=(tmpl src "$2" dst "$3" proto "${sa[3]}" spi "${sa[5]}" mode "$4")
}

undo() {
	run_in a postern policy flush
	run_in a postern state flush
}

forge_start

# Pieces that came through different SAs never meet.  SAs are numbered from 1 on, and which
# ways share a queue of reassembly does not follow from that: not this sum of two, either.
number() { # NAME
	# shellcheck disable=SC2086 # words
	run_in a postern -j state get ${FORGE_SAS[$1]} | jq .id
}
piece() { # PIECE ID TEXT NAME [WORD=VALUE]
	forge send "$4" fragment="$1" id="$2" text="$3" "${@:5}" >/dev/null
}
forge_sa x esp tunnel 4 4 gcm
forge_sa y esp tunnel 4 4 null
last=$(number y) sum=$((31 * $(number x) + $(number y)))
for ((i = last + 1; i < sum; i++)); do
	echo 'state allocspi src 10.0.0.2 dst 10.0.0.1 proto esp mode tunnel min 0x10000 max 0x1ffff'
done >"$FORGE_DIR/batch"
run_in a postern -batch "$FORGE_DIR/batch" >/dev/null
forge_sa z esp tunnel 4 4 gcm
forge_policy 4
check "the number of an SA is that sum" expect number $sum "$(number z)"
piece 1 1 "these pieces are bad" x in=y
piece 2 1 "these pieces are bad" z
piece 1 2 "these pieces are bad" x
piece 2 2 "these pieces are bad" z
waiting() { [[ $(stat_of a in-fragments) = "$1" ]]; }
check "pieces of different ways wait" busywait 5 waiting 4
piece 1 3 "these pieces are good" z
piece 2 3 "these pieces are good" z
echo "these pieces are good" >>"$FORGE_DIR/want"
check "those of one way meet, and no others" busywait 5 cmp "$FORGE_DIR/want" "$FORGE_DIR/got"
undo

for f in 4 6; do
	out=(10.0.0.2 10.0.0.1) in=(10.9.0.2 10.9.0.1)
	((f == 4)) || out=(fd00::2 fd00::1) in=(fd09::2 fd09::1)

	# ESP in AH, both of transport mode
	forge_sa x esp transport $f $f gcm
	forge_sa y ah transport $f $f null
	forge_sa z esp transport $f $f cbc
	TMPLS=()
	tmpl x "${out[@]}" transport
	tmpl y "${out[@]}" transport
	run_in a postern policy add dir in src "${out[0]}" dst "${out[1]}" proto udp "${TMPLS[@]}"
	n="v$f AH over ESP" GOOD_SA='x in=y'
	check "$n" good x in=y count=3
	check "$n: only the inner SA" bad in-template=2 -- x count=2
	check "$n: only the outer SA" bad in-template=2 -- y count=2
	check "$n: in the other order" bad in-template=1 -- y in=x
	check "$n: another SA inside" bad in-template=1 -- z in=y
	check "$n: another SA outside" bad in-template=1 -- x in=z
	check "$n: one SA more inside" bad in-template=1 -- z in=x,y
	check "$n: one SA more in the middle" bad in-template=1 -- x in=z,y
	check "$n: one SA more outside" bad in-template=1 -- x in=y,z
	check "$n: cleartext" bad in-cleartext=1 / -- x bare=1
	check "$n: the inner ICV" bad in-icv=1 -- x badkey=1 in=y
	check "$n: an inner number again, the outer one is new" bad in-replay=1 -- x seq=1 in=y
	check "$n: an SPI inside that names no SA" bad in-no-policy=1 -- y next=50 inner=0000777700000001aaaabbbb
	check "$n: an inner ESP header that is cut off" bad in-no-policy=1 -- y next=50 inner=00007777
	check "$n: six layers, of which the policy names two" bad in-template=1 -- x in=y,y,y,y,y
	check "$n: seven layers" bad in-nesting=1 -- x in=y,y,y,y,y,y
	check "$n: still" good x in=y
	undo

	# a tunnel in a tunnel
	forge_sa x esp tunnel $f $f gcm
	forge_sa y esp tunnel $f $f null
	TMPLS=()
	tmpl x "${out[@]}" tunnel
	tmpl y "${out[@]}" tunnel
	run_in a postern policy add dir in src "${in[0]}" dst "${in[1]}" "${TMPLS[@]}"
	n="v$f a tunnel in a tunnel" GOOD_SA='x in=y'
	check "$n" good x in=y
	check "$n: only the inner SA" bad in-template=1 -- x
	check "$n: only the outer SA" bad in-template=1 -- y
	check "$n: in the other order" bad in-template=1 -- y in=x
	check "$n: the inner one twice" bad in-template=1 -- x in=x,y
	# each with a policy of its own is another way to say it (RFC 4301 section 4.3)
	run_in a postern policy flush
	TMPLS=()
	tmpl x "${out[@]}" tunnel
	run_in a postern policy add dir in src "${in[0]}" dst "${in[1]}" "${TMPLS[@]}"
	TMPLS=()
	tmpl y "${out[@]}" tunnel
	run_in a postern policy add dir in src "${out[0]}" dst "${out[1]}" proto esp "${TMPLS[@]}"
	before=$(stat_of a in-packets)
	check "$n: a policy for each" good x in=y
	check "$n: a policy for each: two passes" expect in-packets $((before + 2)) "$(stat_of a in-packets)"
	undo
done

# A policy that matches what it makes: what came out of it does not come to it again.
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x9001 reqid 9 mode tunnel dir out \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
matches_itself() { # TEMPLATES
	local i tmpls=() before after

	run_in a postern policy flush
	for ((i = 0; i < $1; i++)); do
		tmpls+=(tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 9 mode tunnel)
	done
	run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 "${tmpls[@]}"
	before=$(sent)
	capture a veth0 "$FORGE_DIR/loop" -Q out ip proto 50
	ping_lost a 10.0.0.2 -s 56
	capture_end
	after=$(sent)
	expect "packets to protect, packets sent" "$(for i in $before; do echo $((i + 1)); done | xargs)" "$after" &&
		# 20 + 8 + 8 + the packet and its trailer + 16 octets for each
		expect "their length" $((84 + 56 * $1)) "$(tcpdump -n -v -r "$FORGE_DIR/loop" 2>/dev/null |
			sed -n 's/.*, length \([0-9]*\)).*/\1/p')"
}
sent() { stats_of a | jq -r '"\(."out-packets") \(."out-sent")"'; }
check "a policy that matches its own packets" matches_itself 1
check "the same with six templates" matches_itself 6

# An SA that is missing is asked for, whichever template wants it, and waited for.
run_in a postern policy flush
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 9 mode tunnel tmpl proto ah reqid 10 mode transport
background a postern -j monitor acquire >>"$FORGE_DIR/acquires"
wait_monitor a 1
ping_lost a 10.0.0.2
acquired() { jq -r '.tmpl[0] | "\(.src) \(.dst) \(.proto) \(.mode) \(.reqid)"' "$FORGE_DIR/acquires" | sort -u; }
check "an acquire for the second template" expect acquire '10.0.0.1 10.0.0.2 ah transport 10' "$(acquired)"
before=$(stat_of a out-sent)
check "the packet waits" expect held 1 "$(stat_of a held)"
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x9002 reqid 10 mode transport dir out \
	auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128
went() { [[ $(stat_of a out-sent) = $((before + 1)) ]]; }
check "it goes when the SA is there" busywait 5 went

forge_end
