#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Whatever a person types wrong: an error that names the word and what would be
# right, status 1 or 2, and nothing changed.
. "$(dirname "$0")/../lib.sh"

snapshot() {
	postern -n p -j state list | jq 'map(del(.usage))'
	postern -n p -j policy list | jq 'map(del(.usage))'
}

# refused STATUS REGEX WORD...
refused() {
	local status=$1 pattern=$2 out rc=0

	shift 2
	out=$(postern -n p "$@" 2>&1 > /tmp/stdout) || rc=$?
	printf '%s\n' "$out"
	expect "status of $*" "$status" "$rc"
	[[ $out =~ $pattern ]] || fail "should have said '$pattern'"
	[[ ! -s /tmp/stdout ]] || fail "printed something"
	diff /tmp/before <(snapshot)
}

try() {
	check "${*:3}" refused "$@"
}

gcm=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)
id=(src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x2001)

load_postern
ns p
pp postern -n p state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 "${gcm[@]}"
pp postern -n p policy add dir out dst 10.2.0.0/16 action block
snapshot > /tmp/before

# The tool itself.
try 1 'bogus.*known are' bogus
try 1 'bogus.*known are add update' state bogus
try 1 'bogus.*known are src' state add "${id[@]}" bogus
try 1 'spi.*missing' state add src 192.0.2.1 dst 192.0.2.2 proto esp
try 1 '"mode" must be transport, tunnel or beet' state add "${id[@]}" mode Tunnel
try 1 '"in_trigger" is not supported' state add "${id[@]}" mode in_trigger
try 2 'needs a selector.*attribute mode' state add "${id[@]}" "${gcm[@]}" mode beet
try 2 'one address each.*attribute selector' state add "${id[@]}" "${gcm[@]}" mode beet sel src 10.0.0.0/31 dst 10.0.0.2
try 2 'beet is of ESP only.*attribute mode' state add src 192.0.2.1 dst 192.0.2.2 proto ah spi 0x1234 \
	auth 'hmac(sha256)' 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f mode beet sel src 10.0.0.1 dst 10.0.0.2
try 2 'of tunnel mode.*attribute tos' state add "${id[@]}" "${gcm[@]}" mode beet sel src 10.0.0.1 dst 10.0.0.2 tos 8
try 2 'of transport mode.*attribute encap original' state add "${id[@]}" "${gcm[@]}" mode beet sel src 10.0.0.1 dst 10.0.0.2 \
	encap espinudp 4500 4500 10.0.0.1
try 2 'of ESP only.*attribute tmpl mode' policy add dir out src 10.0.0.1 dst 10.0.0.2 tmpl src 192.0.2.1 dst 192.0.2.2 proto ah mode beet
try 2 'of transport mode when dir is 2.*attribute tmpl level' policy add dir out src 10.0.0.1 dst 10.0.0.2 \
	tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel level use
try 2 '2, or 256 to 65535.*attribute spi' state add src 192.0.2.1 dst 192.0.2.2 proto comp spi 65536 comp deflate
try 2 'takes comp, and no other' state add src 192.0.2.1 dst 192.0.2.2 proto comp spi 0x1234 "${gcm[@]}"
try 2 'comp is of proto 108' state add "${id[@]}" "${gcm[@]}" comp deflate
try 2 'comp takes deflate.*attribute comp name' state add src 192.0.2.1 dst 192.0.2.2 proto comp spi 0x1234 comp lzs
try 2 'not of IPComp.*attribute replay-window' state add src 192.0.2.1 dst 192.0.2.2 proto comp spi 0x1234 comp deflate replay-window 32
try 2 'ESP or AH that is required must follow.*attribute tmpl' policy add dir out src 10.0.0.1 dst 10.0.0.2 tmpl proto comp
try 2 'ESP or AH that is required must follow.*attribute tmpl' policy add dir out src 10.0.0.1 dst 10.0.0.2 tmpl proto comp tmpl proto esp level use
try 2 'needs src and dst' policy add dir out src 10.0.0.1 dst 10.0.0.2 tmpl proto esp mode beet
try 1 '"wildrecv" is not supported' state add "${id[@]}" flag wildrecv
try 1 '"encap" takes espinudp' state add "${id[@]}" encap espintcp 4500 4500 0.0.0.0
try 1 'a port is' state add "${id[@]}" encap espinudp 4500 0 0.0.0.0
try 2 'of transport mode.*attribute encap original' state add "${id[@]}" "${gcm[@]}" mode tunnel encap espinudp 4500 4500 10.0.0.1
try 2 'family.*attribute encap original' state add "${id[@]}" "${gcm[@]}" mode transport encap espinudp 4500 4500 fd00::1
try 1 '"if_id" is not supported' policy add dir out if_id 1
try 1 'at most 6 "tmpl"' policy add dir out tmpl proto esp tmpl proto ah tmpl proto esp tmpl proto ah tmpl proto esp \
	tmpl proto ah tmpl proto esp
try 2 'family of the selector, or of the tunnel before it' policy add dir out src 10.0.0.0/8 dst 10.0.0.0/8 \
	tmpl src 192.0.2.1 dst 192.0.2.2 proto esp mode tunnel tmpl src fd00::1 dst fd00::2 proto ah
try 1 'duplicate "reqid"' state add "${id[@]}" reqid 1 reqid 2
try 1 'key of "aead"' state add "${id[@]}" aead 'rfc4106(gcm(aes))' 0x123 128
try 1 '16384' state add "${id[@]}" replay-window 16385
try 1 '"dir" is missing' policy add dst 10.2.0.0/16
try 1 'one family' policy add dir out src ::/0 dst 10.0.0.0/8
try 1 '"proto" tcp' policy add dir out dport 80
try 1 'network namespace "nobody"' -n nobody state
try 1 'unknown' -bogus
try 1 'cannot open' -batch /nowhere
try 1 'cannot read.*directory' -batch /tmp
try 1 '"foo"; none is expected' help foo
try 1 '"foo"; none is expected' state help foo
try 1 '"min" and "max" do not go with it' state allocspi dst 192.0.2.2 proto esp spi 0x2001 min 0x2001 max 0x2002

# The kernel, in its own words.
try 2 'exists.*File exists' state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 "${gcm[@]}"
try 2 'exists.*File exists' policy add dir out dst 10.2.0.0/16 action allow
try 2 '256 or more.*attribute spi' state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 5 "${gcm[@]}"
try 2 'src is required' state add dst 192.0.2.2 proto esp spi 0x2001 "${gcm[@]}"
try 2 'one family.*attribute src' state add src ::1 dst 192.0.2.2 proto esp spi 0x2001 "${gcm[@]}"
try 2 'unknown algorithm.*attribute aead name' state add "${id[@]}" aead nonsense "$(hexkey 20)" 128
try 2 '160, 224 or 288.*attribute aead' state add "${id[@]}" aead 'rfc4106(gcm(aes))' "$(hexkey 19)" 128
try 2 'encryption or combined' state add "${id[@]}"
try 2 'of tunnel mode.*attribute ttl' state add "${id[@]}" "${gcm[@]}" ttl 5
try 2 'of tunnel mode.*attribute tos' state add "${id[@]}" "${gcm[@]}" tos 0x10
try 2 'set-df is of tunnel mode.*attribute flags' state add "${id[@]}" "${gcm[@]}" flag set-df
try 2 'align4 is of AH over IPv4.*attribute flags' state add "${id[@]}" "${gcm[@]}" flag align4
try 2 'multiple of 4.*attribute tos' state add "${id[@]}" "${gcm[@]}" mode tunnel tos 0x12
try 2 'ESP only.*attribute encap' state add src 192.0.2.1 dst 192.0.2.2 proto ah spi 0x1000 \
	auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128 encap espinudp 4500 4500 0.0.0.0
try 2 'encap and src.*attribute nat-keepalive-interval' state add "${id[@]}" "${gcm[@]}" nat-keepalive-interval 20
try 2 'multicast.*attribute encap' state add src 192.0.2.1 dst 239.0.0.1 proto esp spi 0x1000 "${gcm[@]}" \
	encap espinudp 4500 4500 0.0.0.0
try 2 'exclude each other.*attribute tos' state add "${id[@]}" "${gcm[@]}" mode tunnel tos 0x10 extra-flag dont-encap-dscp
try 2 'exclude each other.*attribute flags' state add "${id[@]}" "${gcm[@]}" mode tunnel flag set-df nopmtudisc
try 2 'flowlabel-hash is of IPv6.*attribute flags' state add "${id[@]}" "${gcm[@]}" mode tunnel extra-flag flowlabel-hash
try 2 'flowlabel-hash is of tunnel mode.*attribute flags' state add src fd00::1 dst fd00::2 proto esp spi 0x1000 \
	"${gcm[@]}" extra-flag flowlabel-hash
try 2 'IPv4 has no flow-label.*attribute flow-label' state add "${id[@]}" "${gcm[@]}" mode tunnel flowlabel 1
try 2 'output-mark of a valid SA cannot be changed' state update src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 output-mark 5
try 2 'ttl of a valid SA cannot be changed' state update src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 ttl 5
try 2 'no SA has' state get dst 192.0.2.2 proto esp spi 0x2001
try 2 'no SA has' state delete dst 192.0.2.2 proto esp spi 0x2001
try 2 'protect. only.*attribute flags' policy add dir out dst 10.3.0.0/16 flag tcp-mss
try 2 'no policy has' policy delete index 12345
try 2 'no policy has' policy get dir in dst 10.2.0.0/16

a_batch_stops_and_goes_on_when_forced() {
	local rc=0

	printf 'state bogus\npolicy flush\n' > /tmp/batch
	postern -n p -batch /tmp/batch || rc=$?
	expect status 1 "$rc"
	diff /tmp/before <(snapshot)
	rc=0
	printf 'state get dst 192.0.2.2 proto esp spi 0x2001\npolicy flush\n' | postern -n p -force -batch - || rc=$?
	expect status 2 "$rc"
	expect policies 0 "$(postern -n p -j policy list | jq length)"
}

keys_are_not_on_the_command_line() {
	local key pid

	key=$(hexkey 20)
	# The second of two SAs is read when the first one has been added.
	mkfifo /tmp/fifo
	ip netns exec p postern -batch /tmp/fifo &
	pid=$!
	exec 9> /tmp/fifo
	echo "state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x3001 aead 'rfc4106(gcm(aes))' $key 128" >&9
	busywait 20 postern -n p state get dst 192.0.2.2 proto esp spi 0x3001
	! grep -aq "${key#0x}" "/proc/$pid/cmdline"
	exec 9>&-
	wait "$pid"
}

nobody_may_look() {
	local words

	for words in "" state "state list" policy stats monitor "state flush" "policy flush"; do
		# shellcheck disable=SC2086 # words
		expect_fail -m 'not permitted' ip netns exec p setpriv --reuid 1000 --regid 1000 --clear-groups \
			--bounding-set -all --inh-caps -all "$(command -v postern)" $words
	done
}

check "a batch stops, and goes on when forced" a_batch_stops_and_goes_on_when_forced
check "keys are not on the command line" keys_are_not_on_the_command_line
check "who may not configure may not look" nobody_may_look
check "the version is there for everybody" setpriv --reuid 1000 --clear-groups "$(command -v postern)" -V
