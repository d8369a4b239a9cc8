#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys are shown to who asks for them, and never in an event.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"

ns a
load_postern
key=$(hexkey 20) auth=$(hexkey 32) enc=$(hexkey 16)
keys="${key#0x}|${auth#0x}|${enc#0x}"

background a postern monitor all >/run/text
background a postern -j monitor all >/run/json
background a postern -k -j monitor all >/run/keys
wait_monitor a 9
sa() { run_in a postern state "$1" src 10.0.0.1 dst 10.0.0.2 "${@:2}"; }
add() {
	sa add proto esp spi 0x1001 reqid 1 mode tunnel aead 'rfc4106(gcm(aes))' "$key" 128 limit packet-soft 1 \
		limit packet-hard 1000
	sa add proto esp spi 0x1002 enc 'cbc(aes)' "$enc" auth-trunc 'hmac(sha256)' "$auth" 128
	sa add proto ah spi 0x1003 auth 'hmac(sha256)' "$auth"
}
add
sa update proto esp spi 0x1001 reqid 1 mode tunnel aead 'rfc4106(gcm(aes))' "$key" 128 limit packet-hard 2000
sa delete proto esp spi 0x1002
run_in a postern state flush
add

none_in() { ! grep -qiE "$keys" <<<"$1"; }
all_in() { for k in "$key" "$auth" "$enc"; do grep -qi "${k#0x}" <<<"$1" || return 1; done; }
for args in 'state list' '-s state list' '-j state list' '-s -j state list' '' '-j' '-s' '-o state list' 'stats' \
	'state get dst 10.0.0.2 proto esp spi 0x1001' '-j state get dst 10.0.0.2 proto ah spi 0x1003'; do
	# shellcheck disable=SC2086 # words
	check "postern $args" none_in "$(ip netns exec a postern $args)"
done
for args in '-k state list' '-k -j state list' 'state list keys' '-s -k state list'; do
	# shellcheck disable=SC2086
	check "postern $args" all_in "$(ip netns exec a postern $args)"
done
check "one SA, asked for" grep -qi "${key#0x}" \
	<(ip netns exec a postern state get dst 10.0.0.2 proto esp spi 0x1001 keys)
check "the length is no secret" expect bits '128 160 256' \
	"$(ip netns exec a postern -j state list | jq '.. | ."key-bits"? // empty' | sort -nu | xargs)"
sleep 0.5
check "events were seen" [ "$(grep -c . /run/json)" -ge 8 ]
for f in text json keys; do
	check "events ($f)" none_in "$(<"/run/$f")"
done

# The kernel answers a refused message with itself; here with two keys, of which one counts.
answer=$(ip netns exec a env PYTHONPATH=py python3 -B - "$key" <<-'PY'
	import sys
	import t2_netlink as nl
	sock = nl.Socket()
	sock.sock.setsockopt(nl.SOL_NETLINK, nl.NETLINK_CAP_ACK, 0)
	aead = 'aead', {'name': 'rfc4106(gcm(aes))', 'key': bytes.fromhex(sys.argv[1][2:]), 'icv-bits': 128}
	body = nl.struct.pack('=BBH', nl.OPS['sa-new']['value'], 1, 0) + nl.encode(
	    'sa', [('dst', bytes([10, 0, 0, 2])), ('proto', 50), ('spi', 9), ('mode', 1), aead, aead])
	sock.sock.send(nl.struct.pack('=IHHII', 16 + len(body), sock.family, 5, 1, 0) + body)
	print(sock.sock.recv(1 << 16).hex())
PY
)
check "a refused message comes back whole" [ ${#answer} -ge 320 ]
check "but without keys" none_in "$answer"
# what a batch or a log may have kept
check "kernel log" none_in "$(dmesg)"

# like the keys of XFRM ("xfrm: redact SA secret with lockdown confidentiality")
lock=/sys/kernel/security/lockdown
[[ -e $lock ]] || mount -t securityfs none /sys/kernel/security 2>/dev/null || true
if [[ -w $lock ]]; then
	echo confidentiality >$lock
	for args in '-k state list' '-k -j state list' '-k state get dst 10.0.0.2 proto esp spi 0x1001'; do
		# shellcheck disable=SC2086
		check "locked down: postern $args" none_in "$(ip netns exec a postern $args)"
	done
	check "locked down: SAs are shown" expect SAs 3 "$(ip netns exec a postern -j state list | jq length)"
fi
