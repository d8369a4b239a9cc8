#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the tool prints it takes back; what it refuses it names, with the exit status
# that tells whether a word was wrong (1) or the kernel refused (2).
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"

ns a b
load_postern
p() { ip netns exec a postern "$@"; }

# text is a command again
adds=(
	"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel dir out aead rfc4106(gcm(aes)) $(hexkey 36) 128 replay-window 64 flag noecn flag decap-dscp flag nopmtudisc owner 9"
	"state add src fd00::1 dst fd00::2 proto ah spi 0x1002 reqid 2 mode transport auth hmac(sha256) $(hexkey 32)"
	"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1003 mode tunnel enc cbc(aes) $(hexkey 24) auth-trunc hmac(sha256) $(hexkey 32) 128 sel src 10.1.0.0/16 dst 10.2.0.0/16 proto tcp sport 80 dport 1000-2000"
	"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1004 enc ecb(cipher_null) '' auth hmac(sha256) $(hexkey 32) replay-window 0"
	"policy add dir out src 10.1.0.0/16 dst 10.2.0.0/16 tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel"
	"policy add dir in src fd01::/64 dst fd02::/64 proto tcp sport 80 dport 1-1023 priority 7 tmpl proto ah reqid 2 mode transport"
	"policy add dir fwd src 10.3.0.0/16 dst 0.0.0.0/0 proto icmp type 8 code 0 priority 3 action bypass"
	"policy add dir out src fd01::1 dst ::/0 priority 4294967295 owner 4 action discard"
	"policy add dir in src 10.9.0.0/16 dst 10.8.0.0/16 tmpl src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x5000 mode tunnel"
)
printf '%s\n' "${adds[@]}" >/run/batch
check "a batch" p -batch /run/batch
clean() { jq -c '[.[] | del(.id, .usage, .index, .replay)] | sort_by(tostring)'; }
for object in state policy; do
	p -k $object list >/run/text
	cat /run/text
	# a record begins at the margin, its other lines do not
	awk -v o=$object '/^[^ \t]/ { if (line) print o " add " line; line = $0; next } { line = line " " $0 } END { print o " add " line }' \
		/run/text >/run/again
	before=$(p -k -j $object list | clean)
	p $object flush
	check "$object: what list prints, add takes" p -batch /run/again
	check "$object: and it is the same again" expect objects "$before" "$(p -k -j $object list | clean)"
done

# wrong STATUS REGEX WORD...
wrong() {
	local rc=0 out

	out=$(p "${@:3}" 2>&1) || rc=$?
	printf '%s\n' "$out"
	check "postern ${*:3}: status" expect status "$1" $rc
	check "postern ${*:3}: message" grep -qE "$2" <<<"$out"
}
p state flush
p policy flush
gcm=(aead 'rfc4106(gcm(aes))')
wrong 1 frobnicate frobnicate
wrong 1 frobnicate state frobnicate
wrong 1 frobnicate state add frobnicate
wrong 1 'dst' state add src 10.0.0.1 proto esp spi 0x1001
wrong 1 '10\.0\.0\.300' state add src 10.0.0.1 dst 10.0.0.300 proto esp spi 0x1001
wrong 1 'udp' state add src 10.0.0.1 dst 10.0.0.2 proto udp spi 0x1001
wrong 1 '0x1ffffffff' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1ffffffff
wrong 1 'beet' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 mode beet
wrong 1 'encap' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 encap espinudp 4500 4500 0.0.0.0
wrong 1 '0xabc' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 "${gcm[@]}" 0xabc 128
wrong 1 'packet-hard' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 limit packet-hard
wrong 1 'sideways' policy add dir sideways src 10.0.0.1 dst 10.0.0.2
wrong 1 'esn' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 flag esn
wrong 1 '33' policy add dir out src 10.0.0.1/33 dst 10.0.0.2
wrong 1 '70000' policy add dir out src 10.0.0.1 dst 10.0.0.2 proto udp dport 70000 action bypass
wrong 2 '160, 224 or 288' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 mode tunnel "${gcm[@]}" 0xabcd 128
wrong 2 '256' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 255 mode tunnel "${gcm[@]}" "$(hexkey 20)" 128
wrong 2 'rot13' state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 mode tunnel aead rot13 "$(hexkey 20)" 128
wrong 2 'no SA' state delete dst 10.0.0.2 proto esp spi 0x1001
wrong 2 'no policy' policy delete index 99
wrong 1 'nowhere' -n nowhere state list
wrong 1 '/nonexistent' -batch /nonexistent
check "nothing was added" expect objects '0 0' "$(p -j state list | jq length) $(p -j policy list | jq length)"

# a batch ends at the first wrong line, and says which
printf 'policy add dir out dst 10.0.0.1 action bypass\n# a comment\n\npolicy add dir out dst 10.0.0.2 \\\n\taction discard\nxfrm policy add dir out dst 10.0.0.3 action bypass\npolicy add dir out dst 10.0.0.1 action bypass\npolicy add dir out dst 10.0.0.4 action bypass\n' >/run/batch
rc=0
out=$(p -batch /run/batch 2>&1) || rc=$?
printf '%s\n' "$out"
check "batch: status" expect status 2 $rc
check "batch: the line" grep -q ':7' <<<"$out"
check "batch: what was before it is there" expect policies 3 "$(p -j policy list | jq length)"
rc=0
p -force -batch /run/batch || rc=$?
check "batch with force: status" expect status 2 $rc
check "batch with force: the others" expect policies 4 "$(p -j policy list | jq length)"
check "batch from standard input" p -batch - <<<'policy flush'
check "batch: all gone" expect policies 0 "$(p -j policy list | jq length)"

# elsewhere, and short
p policy add dir out dst 10.0.0.1 action bypass
check "-n" expect policies 1 "$(postern -j -n a policy list | jq length)"
check "-n of another" expect policies 0 "$(postern -j -n b policy list | jq length)"
check "short words" p p ls
check "-Version" grep -q . <(p -V)
for h in -help 'state help' 'policy help' 'monitor help' 'stats help'; do
	# shellcheck disable=SC2086 # words
	check "postern $h" grep -q Usage <(p $h 2>&1)
done
