#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A packet that the stock kernel's XFRM has transformed is for Postern a packet like
# any other, though it bears the same flag as its own results.
#
#	10.9.0.1 a ====== b 10.9.0.2	XFRM: a tunnel for 10.9.0.0/24, Postern: ESP between a and b
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
addr a lo 10.9.0.1/32 fd09::1/128
addr b lo 10.9.0.2/32 fd09::2/128
ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
ip -n b route add 10.9.0.1 via 10.0.0.1 src 10.9.0.2
ip -n a route add fd09::2 via fd00::2 src fd09::1
ip -n b route add fd09::1 via fd00::1 src fd09::2
load_postern

# xfrm_tunnel N OUTER_A OUTER_B INNER_A INNER_B: in both namespaces
xfrm_tunnel() {
	local spi=$((0x5000 + $1)) key=("$(hexkey 20)" "$(hexkey 20)") n

	for n in a b; do
		ip -n $n xfrm state add src "$2" dst "$3" proto esp spi $spi reqid "$1" mode tunnel \
			replay-window 32 aead 'rfc4106(gcm(aes))' "${key[0]}" 128
		ip -n $n xfrm state add src "$3" dst "$2" proto esp spi $spi reqid "$1" mode tunnel \
			replay-window 32 aead 'rfc4106(gcm(aes))' "${key[1]}" 128
	done
	ip -n a xfrm policy add dir out src "$4" dst "$5" tmpl src "$2" dst "$3" proto esp reqid "$1" mode tunnel
	ip -n a xfrm policy add dir in src "$5" dst "$4" tmpl src "$3" dst "$2" proto esp reqid "$1" mode tunnel
	ip -n b xfrm policy add dir out src "$5" dst "$4" tmpl src "$3" dst "$2" proto esp reqid "$1" mode tunnel
	ip -n b xfrm policy add dir in src "$4" dst "$5" tmpl src "$2" dst "$3" proto esp reqid "$1" mode tunnel
}
xfrm_tunnel 1 10.0.0.1 10.0.0.2 10.9.0.1 10.9.0.2
xfrm_tunnel 2 fd00::1 fd00::2 fd09::1 fd09::2
ping_ok a 10.9.0.2
ping_ok a fd09::2

# by SPI: those of XFRM are 0x50.., those of Postern 0x1...
IS_XFRM='(ip proto 50 and ip[20:2] == 0 and ip[22] == 0x50) or (ip6[6] == 50 and ip6[40:2] == 0 and ip6[42] == 0x50)'
IS_OURS='(ip proto 50 and ip[20:2] == 0 and ip[22] & 0xf0 == 0x10) or (ip6[6] == 50 and ip6[40:2] == 0 and ip6[42] & 0xf0 == 0x10)'

esp_policies() {
	policies a postern 1 10.0.0.1 10.0.0.2 10.0.0.1 10.0.0.2 "$1" proto esp
	policies b postern 1 10.0.0.2 10.0.0.1 10.0.0.2 10.0.0.1 "$1" proto esp
	policies a postern 2 fd00::1 fd00::2 fd00::1 fd00::2 "$1" proto esp
	policies b postern 2 fd00::2 fd00::1 fd00::2 fd00::1 "$1" proto esp
}

# What names no SA of Postern's may be counted as that or as cleartext.
refused() { echo $(($(stat_of b in-cleartext) + $(stat_of b unknown-spi))); }

for mode in tunnel transport; do
	# no SA yet
	esp_policies $mode
	capture a veth0 /run/a.pcap -Q out
	check "$mode, no SA: IPv4" ping_lost a 10.9.0.2 -W 0.4
	check "$mode, no SA: IPv6" ping_lost a fd09::2 -W 0.4
	capture_end
	check "$mode, no SA: nothing leaves" expect packets 0 "$(packets_in /run/a.pcap 'not arp and not icmp6')"

	for n in 1 2; do
		set -- 10.0.0.1 10.0.0.2
		((n == 1)) || set -- fd00::1 fd00::2
		postern_sas a $n "$1" "$2" $mode
		peer_sas b $n "$1" "$2" $mode postern
	done
	capture a veth0 /run/a.pcap -Q out -s 200
	check "$mode: IPv4" ping_ok a 10.9.0.2 -c 3 -i 0.2
	check "$mode: IPv6" ping_ok a fd09::2 -c 3 -i 0.2
	check "$mode: TCP" tcp_ok a b 10.9.0.2 100000
	check "$mode: IPv6 TCP" tcp_ok a b fd09::2 100000
	capture_end
	check "$mode: never what XFRM made alone" expect packets 0 "$(packets_in /run/a.pcap "$IS_XFRM")"
	check "$mode: what Postern made" [ "$(packets_in /run/a.pcap "$IS_OURS")" -ge 6 ]
	check "$mode: nothing else" expect packets 0 \
		"$(packets_in /run/a.pcap "not ($IS_OURS) and not ($NOT_CLEAR)")"

	# it is not to be had from outside either: only through the SA
	before=$(refused)
	run_in a postern policy flush
	check "$mode: XFRM's packet alone is refused" ping_lost a 10.9.0.2 -W 0.4
	check "$mode: and counted" expect packets 1 $(($(refused) - before))
	for ns in a b; do
		run_in $ns postern policy flush
		run_in $ns postern state flush
	done
	check "$mode: without policies as before" ping_ok a 10.9.0.2
done
check "no other drops of a" drops_are a out-no-sa='*' out-too-big='*' unknown-spi='*'
