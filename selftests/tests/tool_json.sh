#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# All JSON that the tool prints is what its schema says, and says what the
# text says.
. "$(dirname "$0")/../lib.sh"

valid() { # KIND CMD...
	local kind=$1

	shift
	postern -n p -j "$@" > /tmp/json
	python ../tools/test/schema.py "$kind" /tmp/json
}

indented_is_the_same() {
	local of='map(del(.usage))'

	diff <(postern -n p -j policy | jq -S "$of") <(postern -n p -j -p policy | jq -S "$of")
	(($(postern -n p -j policy | wc -l) == 1))
	(($(postern -n p -j -p policy | wc -l) > 1))
}

all_reasons_are_listed() {
	local names

	# In the order of the header, each with its sentence.
	names=$(grep -o 'R([A-Z_]*, "[a-z-]*"' ../uapi/postern_drop.h | cut -d'"' -f2 | sort)
	diff <(echo "$names") <(postern -n p -j stats | jq -r '.drops[].reason' | sort)
	expect "reasons without a sentence" 0 "$(postern -n p -j stats | jq '[.drops[] | select(.text == "")] | length')"
	expect "reasons in -s stats" "$(wc -l <<< "$names")" "$(postern -n p -s stats | sed '1,/^dropped/d' | wc -l)"
}

events_follow_the_schema() {
	local wanted='acquire overrun policy-del policy-flush policy-new policy-update sa-del sa-expire sa-flush sa-new sa-update'

	python ../tools/test/schema.py event /tmp/events
	# An overrun happens to who is slow only.
	expect events "${wanted/overrun /}" "$(jq -r .event /tmp/events | sort -u | xargs)"
}

nothing_is_printed_for_what_was_refused() {
	local out

	expect_fail -m 'no SA' postern -n p -j state get dst 192.0.2.9 proto esp spi 0x9999
	out=$(postern -n p -j state get dst 192.0.2.9 proto esp spi 0x9999 2> /dev/null) || true
	expect output '' "$out"
}

load_postern
ns p
pp ip -n p link add pub type dummy
pp ip -n p link set pub up
addr p pub 10.1.0.1/16
ip -n p route add default dev pub

# Standard output of a monitor is a file, so that it is read to the end.
background p postern -j monitor > /tmp/events
mon=$BACKGROUND
background p postern monitor > /tmp/events.txt
wait_monitor p 6

pp postern -n p state add src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002 reqid 1 mode tunnel dir in \
	auth 'hmac(sha256)' "$(hexkey 32)" enc 'cbc(aes)' "$(hexkey 32)" sel src 10.0.0.0/8 proto udp sport 1000-2000 \
	flag noecn nopmtudisc extra-flag dont-encap-dscp ttl inherit output-mark 5 mask 7 replay-window 128 replay-seq 77 replay-oseq 78
pp postern -n p state add src fd00::1 dst fd00::2 proto ah spi 0x1003 mode tunnel auth 'hmac(sha256)' "$(hexkey 32)" \
	flag set-df ttl 9 tos 0x10 flowlabel 0x12345
pp postern -n p state add src fd00::1 dst fd00::2 proto esp spi 0x1004 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 encap espinudp 4500 1234 ::
pp postern -n p state allocspi src 192.0.2.2 dst 192.0.2.1 proto esp mode tunnel min 0x2000 max 0x2fff
pp postern -n p state update src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002 limit byte-soft 1000
pp postern -n p policy add dir out src 10.1.0.0/16 dst 10.2.0.0/16 flag tcp-mss tmpl src 192.0.2.1 dst 192.0.2.2 proto esp \
	reqid 9 mode tunnel
pp postern -n p policy add dir in proto tcp dport 1-1024 priority 3 action discard
pp postern -n p policy update dir in proto tcp dport 1-1024 priority 3 action bypass
pp postern -n p -6 policy add dir fwd proto ipv6-icmp type 128 action bypass

check "state list" valid state-list state list
check "state list with keys" valid state-list -k state list
check "state get" valid state state get dst 192.0.2.1 proto esp spi 0x1002
check "state count" valid state-count state count
check "policy list" valid policy-list policy list
check "policy get" valid policy policy get dir in proto tcp dport 1-1024
check "policy count" valid policy-count policy count
check "indented JSON is the same" indented_is_the_same
check "stats" valid stats stats
check "status page" valid status
check "all drop reasons are in stats" all_reasons_are_listed
check "no JSON for what was refused" nothing_is_printed_for_what_was_refused
check "an empty list is an empty array" expect JSON '[]' "$(postern -n p -j state list reqid 12345)"

# After the comparisons: it changes by itself.
pp postern -n p state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 reqid 1 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 limit time-soft 1 limit time-hard 3
ping_lost p 10.2.0.1 -I 10.1.0.1
busywait 20 grep -q '"hard":1' /tmp/events
pp postern -n p state delete dst fd00::2 proto ah spi 0x1003
pp postern -n p policy delete dir fwd src ::/0 dst ::/0 proto ipv6-icmp type 128
pp postern -n p -s -j state flush | tee /tmp/flushed
check "flush" python ../tools/test/schema.py flushed /tmp/flushed
pp postern -n p policy flush
busywait 20 grep -q policy-flush /tmp/events
kill "$mon"
check "monitor" events_follow_the_schema
check "monitor in words" grep -q '^acquire id' /tmp/events.txt
