#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A script for "ip xfrm" moves over by changing the command's name: the same
# lines are given to both, and both list the same.
. "$(dirname "$0")/../lib.sh"

gcm="aead rfc4106(gcm(aes)) $(hexkey 20) 128"
sha="auth-trunc hmac(sha256) $(hexkey 32) 128"
cbc="enc cbc(aes) $(hexkey 16)"

cat > /tmp/batch <<EOF
# as for ip -batch
xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0xc0ffee01 reqid 1 mode tunnel replay-window 32 $gcm sel src 0.0.0.0/0 dst 0.0.0.0/0
xfrm s a src 192.0.2.2 dst 192.0.2.1 proto esp spi 0xc0ffee02 reqid 1 mode tunnel replay-window 32 \\
	$sha $cbc flag noecn decap-dscp sel src 10.0.0.0/8 dst 10.0.0.0/8 proto tcp dport 80 \\
	limit time-soft 1000 limit time-hard 2000 limit byte-soft 100000 limit packet-hard 4000000000
xfrm state add src 2001:db8::1 dst 2001:db8::2 proto ah spi 0x1000 reqid 2 mode transport replay-window 32 $sha sel src ::/0 dst ::/0
xfrm state add src 192.0.2.1 dst 192.0.2.3 proto esp spi 0x1000 reqid 3 mode tunnel replay-window 32 $gcm flag nopmtudisc extra-flag dont-encap-dscp output-mark 0x15 mask 0xff sel src 0.0.0.0/0 dst 0.0.0.0/0
xfrm state add src 192.0.2.1 dst 192.0.2.3 proto esp spi 0x1001 reqid 3 mode tunnel replay-window 32 $gcm extra-flag dont-encap-dscp output-mark 7 sel src 0.0.0.0/0 dst 0.0.0.0/0
xfrm state add src 192.0.2.1 dst 192.0.2.3 proto esp spi 0x1002 reqid 3 mode tunnel replay-window 32 $gcm encap espinudp 4500 1024 0.0.0.0 sel src 0.0.0.0/0 dst 0.0.0.0/0
xfrm state add src 192.0.2.1 dst 192.0.2.3 proto esp spi 0x1004 reqid 3 mode transport replay-window 32 $gcm encap espinudp 4500 1024 10.1.1.1 sel src 0.0.0.0/0 dst 0.0.0.0/0
xfrm state add src 2001:db8::1 dst 2001:db8::2 proto esp spi 0x1003 reqid 2 mode transport replay-window 32 $gcm encap espinudp 4501 4500 :: sel src ::/0 dst ::/0
xfrm policy add dir out src 10.1.0.0/16 dst 10.2.0.0/16 tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel
xfrm policy add dir in src 10.2.0.0/16 dst 10.1.0.0/16 proto udp sport 53 priority 7 ptype main tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode tunnel level required
xfrm policy add dir fwd src 10.2.0.0/16 dst 10.1.0.0/16 proto icmp type 8 code 0 action block
xfrm policy add dir out src 2001:db8::/64 dst 2001:db8:1::/64 flag icmp tmpl proto esp spi 0x1234 reqid 1
xfrm policy add dir out src 10.1.0.0/16 dst 10.2.0.0/16 proto tcp dport 80 dev lo tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel
EOF

# Each record one line, in an order of its own. Kernels without sub-policies tell
# no ptype.
records() {
	"$@" | tr '\n' '~' | sed 's/~$//; s/ptype main //g; s/~\([^\t]\)/\n\1/g' | sort
}

same_list() {
	diff <(records ip -n x xfrm "$@") <(records postern -n p -k "$@")
}

get_is_list_of_one() {
	diff <(postern -n p state get dst 192.0.2.2 proto esp spi 0xc0ffee01) \
		<(postern -n p state list spi 0xc0ffee01)
}

keys_are_hidden_unless_asked_for() {
	local key='0x[0-9a-f]{20}'

	! postern -n p state list | grep -E "$key" &&
		! postern -n p -j state list | jq -e '.[].aead.key // empty' &&
		! postern -n p | grep -E "$key" &&
		postern -n p state list keys | grep -q "$gcm" &&
		postern -n p -k -j state get dst 192.0.2.2 proto esp spi 0xc0ffee01 | jq -e .aead.key
}

filters() {
	expect "states of reqid 1" 2 "$(postern -n p s ls reqid 1 | grep -c ^src)"
	expect "states of IPv6" 2 "$(postern -n p -6 s ls | grep -c ^src)"
	expect "states with noecn" 1 "$(postern -n p s ls flag noecn | grep -c ^src)"
	expect "policies within 10.1.0.0/16" 2 "$(postern -n p p ls src 10.1.0.0/16 | grep -c ^src)"
	expect "policies that block" 1 "$(postern -n p p ls action block | grep -c ^src)"
	expect "policies of device lo" 1 "$(postern -n p p ls dev lo | grep -c ^src)"
	expect "policies of dir out" 3 "$(postern -n p p ls dir out | grep -c ^src)"
}

delete_as_ip_xfrm() {
	local cmd

	for cmd in "ip -n x xfrm" "postern -n p"; do
		$cmd policy delete dir fwd src 10.2.0.0/16 dst 10.1.0.0/16 proto icmp type 8 code 0
		$cmd state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0xc0ffee01
		$cmd state deleteall mode transport
	done
	same_list state && same_list policy
}

flush_as_ip_xfrm() {
	local cmd

	for cmd in "ip -n x xfrm" "postern -n p"; do
		$cmd policy flush
		$cmd state flush
	done
	expect states "" "$(postern -n p state)"
	expect policies "" "$(postern -n p policy)"
}

spi_is_reserved_and_filled() {
	local spi

	spi=$(postern -n p -j state allocspi src 192.0.2.2 dst 192.0.2.1 proto esp mode tunnel reqid 3 \
		min 0x5000 max 0x5fff | jq .spi)
	((spi >= 0x5000 && spi <= 0x5fff)) || return 1
	expect state larval "$(postern -n p -j state get dst 192.0.2.1 proto esp spi "$spi" | jq -r .state)"
	# shellcheck disable=SC2086 # words
	postern -n p state update src 192.0.2.2 dst 192.0.2.1 proto esp spi "$spi" mode tunnel reqid 3 $gcm
	expect state valid "$(postern -n p -j state get dst 192.0.2.1 proto esp spi "$spi" | jq -r .state)"
}

load_postern
ns x p
pp ip -n x -batch /tmp/batch
pp postern -n p -batch /tmp/batch

check "state list is that of ip xfrm" same_list state
check "policy list is that of ip xfrm" same_list policy
check "state count is that of ip xfrm" same_list state count
check "policy count is that of ip xfrm" same_list policy count
check "get shows what list shows" get_is_list_of_one
check "keys are hidden unless asked for" keys_are_hidden_unless_asked_for
check "lists can be narrowed" filters
check "delete and deleteall do what ip xfrm does" delete_as_ip_xfrm
check "a reserved SPI becomes an SA" spi_is_reserved_and_filled
check "flush leaves nothing" flush_as_ip_xfrm
