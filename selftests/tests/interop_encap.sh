#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ESP in UDP (RFC 3948) between Postern and XFRM: streams and fragments; one SA takes
# plain ESP and ESP in UDP (RFC 7296 section 2.23); IKE and keepalives pass by.
#
# timeout: 900
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

PY=$(dirname "$0")/../py/encap.py
GCM=(aead 'rfc4106(gcm(aes))' KEY 128)
UDP=(encap espinudp 4500 4500 0.0.0.0)
# fragments of datagrams name no port
interop_start 'udp port 4500 or udp port 5500 or ip[6:2] & 0x1fff != 0 or ip6[6] == 44'
background b /usr/bin/python3 "$PY" xfrm 4500 >/run/ike.b
background b /usr/bin/python3 "$PY" xfrm 5500 >/run/ike2.b
wait_listen b udp 4500
wait_listen b udp 5500

# all algorithms, modes and families: interop_matrix
interop "udp gcm tunnel 6in4" esp tunnel 4 6 20 "${GCM[@]}" "${UDP[@]}"
interop "udp gcm tunnel 4in6" esp tunnel 6 4 20 "${GCM[@]}" "${UDP[@]}"
interop "udp gcm transport 4" esp transport 4 4 20 "${GCM[@]}" "${UDP[@]}"

# way FROM SPI POSTERN XFRM: an SA with words of its own on each side, both with GCM.
way() {
	local src=$OUT_B dst=$OUT_A dir=in key

	[[ $1 = b ]] || src=$OUT_A dst=$OUT_B dir=out
	key=$(hexkey 20)
	# shellcheck disable=SC2086 # words
	{
		run_in a postern state add src "$src" dst "$dst" proto esp spi "$2" reqid 1 mode tunnel dir $dir \
			aead 'rfc4106(gcm(aes))' "$key" 128 $3
		run_in b ip xfrm state add src "$src" dst "$dst" proto esp spi "$2" reqid 1 mode tunnel \
			replay-window 1024 flag af-unspec aead 'rfc4106(gcm(aes))' "$key" 128 $4
	}
}

# ways NAME OUTER A_POSTERN A_XFRM B_POSTERN B_XFRM: what a and b send.
ways() {
	interop_addresses tunnel "$2" 4
	way a 0x1001 "$3" "$4"
	way b 0x1002 "$5" "$6"
	interop_policy esp tunnel "$IN_A" "$IN_B" "$OUT_A" "$OUT_B"
	interop_policy esp tunnel "$IN_B" "$IN_A" "$OUT_B" "$OUT_A"
	check "$1: ping" interop_pings 0 1400 5000
	check "$1: accounts" interop_accounts
	interop_down
}
for outer in 4 6; do
	n="over IPv$outer"
	ways "any ports $n" $outer 'encap espinudp 1234 5500 ::' 'encap espinudp 1234 5500 0.0.0.0' \
		'encap espinudp 5500 1234 0.0.0.0' 'encap espinudp 5500 1234 0.0.0.0' 
	ways "plain ESP to an SA with encap $n" $outer "${UDP[*]}" "${UDP[*]}" "${UDP[*]}" ''
	ways "ESP in UDP to an SA without encap $n" $outer '' '' '' "${UDP[*]}"
done

# On the wire.
pp ethtool -K veth0 tx off 2>/dev/null || run_in a ethtool -K veth0 tx off >/dev/null
for outer in 4 6; do
	interop_up esp tunnel $outer 4 20 "${GCM[@]}" encap espinudp 4600 4500 0.0.0.0
	capture b veth0 "$RESULTS/wire.$outer" -Q in udp
	run_in a ping -n -q -c 1 -W 0.1 -s 100 "$IN_B" || true
	busywait 10 test -n "$(tcpdump -n -r "$RESULTS/wire.$outer" 2>/dev/null)" || true
	capture_end
	wire=$(tcpdump -n -vv -r "$RESULTS/wire.$outer" 2>/dev/null | tr '\n' ' ')
	say "$wire"
	sum='no cksum'
	[[ $outer = 4 ]] || sum='udp sum ok'
	check "IPv$outer: ports and checksum" grep -qE "\.?4600 > .*4500: \[$sum\] UDP-encap: ESP\(spi=0x00001001,seq=0x1\)" <<<"$wire"
	interop_down
done

# Beside ESP, an IKE daemon of a has its port.
background a /usr/bin/python3 "$PY" plain 4500 >/run/ike.a
wait_listen a udp 4500
interop_up esp transport 4 4 20 "${GCM[@]}" "${UDP[@]}"
run_in a postern policy add dir in proto udp dport 4500 priority 1 action allow
run_in a postern policy add dir out proto udp sport 4500 priority 1 action allow
for i in '10.0.0.2 4600 10.0.0.1' 'fd00::2 4600 fd00::1'; do
	# shellcheck disable=SC2086 # words
	{
		run_in b python "$PY" send $i 4500 ff
		run_in b python "$PY" send $i 4500 00000000494b45
		run_in b python "$PY" send $i 4500 00
		run_in b python "$PY" send $i 4500 ffff
	}
done
check "ping with an IKE daemon" interop_pings 0 1400
printf '%s\n' 00000000494b45 00 ffff 00000000494b45 00 ffff >/run/ike.want
check "IKE and what is no ESP reach the daemon, keepalives and ESP do not" busywait 10 cmp /run/ike.want /run/ike.a
check "keepalives are counted" expect in-keepalives 2 "$(stat_of a in-keepalives)"
check "accounts" interop_accounts
interop_down
interop_end
