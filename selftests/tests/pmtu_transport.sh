#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Transport mode takes room as well: local sockets are told what fits, whatever the
# algorithm, and TCP flows.
#
#	a (Postern) ===== b (XFRM)
#
# timeout: 400
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern

transport a b xfrm 1 10.0.0.1 10.0.0.2
transport a b xfrm 2 fd00::1 fd00::2
capture a veth0 /run/veth0.pcap -Q out -s 200
# the IP header of the packet is that of the result
check "ESP over IPv4" fits_exactly a 10.0.0.2 $(($(esp_mtu 1500 20 8 16 4) + 20))
check "ESP over IPv6" fits_exactly a fd00::2 $(($(esp_mtu 1500 40 8 16 4) + 40))
forget_mtu a b
check "TCP over IPv4 from a" tcp_fast a b 10.0.0.2
check "TCP over IPv4 from b" tcp_fast b a 10.0.0.1
check "TCP over IPv6 from a" tcp_fast a b fd00::2
check "TCP over IPv6 from b" tcp_fast b a fd00::1
capture_end
check "nothing in clear" only_protected /run/veth0.pcap
check "no packet was a fragment" expect fragments 0 \
	"$(packets_in /run/veth0.pcap 'ip[6:2] & 0x3fff != 0 or ip6[6] == 44')"

# only the first of several records its route (RFC 791 section 3.1)
capture a veth0 /run/route.pcap -Q out -s 200
check "a recorded route" ping_ok a 10.0.0.2 -R -s 3000
capture_end
check "the first fragment has the option" expect fragments 1 "$(packets_in /run/route.pcap 'ip[6:2] = 0x2000 and ip[20:2] = 0x0107')"
check "two others do not" expect fragments 2 "$(packets_in /run/route.pcap 'ip[6:2] & 0x1fff != 0 and ip[20:4] = 0x01010101')"

# a tunnel leaves its own checksum to the device, too
overlay() { # KIND LOCAL REMOTE OPTION...
	run_in a ip link add over type "$1" local "$2" remote "$3" "${@:4}"
	run_in b ip link add over type "$1" local "$3" remote "$2" "${@:4}"
	for n in a b; do
		ip -n $n link set over mtu 1300 up
	done
	ip -n a addr add 10.8.0.1/24 dev over
	ip -n b addr add 10.8.0.2/24 dev over
	check "TCP in $1 from $2 from a" tcp_fast a b 10.8.0.2
	check "TCP in $1 from $2 from b" tcp_fast b a 10.8.0.1
	ip -n a link del over
	ip -n b link del over
}
overlay vxlan 10.0.0.1 10.0.0.2 id 7 dstport 4789 udpcsum
overlay vxlan fd00::1 fd00::2 id 7 dstport 4789
overlay gretap 10.0.0.1 10.0.0.2 csum

# batches of more than 64 KiB (Linux 5.19)
if ip -n a link set veth0 gso_max_size 130000 && ip -n b link set veth0 gso_max_size 130000 gro_max_size 130000; then
	# however slow
	run_in a sysctl -qw net.ipv4.tcp_min_tso_segs=80
	check "BIG TCP over IPv6" tcp_ok a b fd00::2 3000000
	check "no batch was dropped" drops_are a out-too-big=+
fi

run_in a postern policy flush
run_in a postern state flush
run_in b ip xfrm policy flush
run_in b ip xfrm state flush

# sa PROTO ALGORITHM...: the same both ways
sa() {
	local i src=10.0.0.1 dst=10.0.0.2 tmp

	for i in 1 2; do
		run_in a postern state add src $src dst $dst proto "$1" spi $((0x2000 + i)) reqid 1 "${@:2}"
		run_in b ip xfrm state add src $src dst $dst proto "$1" spi $((0x2000 + i)) reqid 1 "${@:2}"
		tmp=$src src=$dst dst=$tmp
	done
	run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 tmpl proto "$1" reqid 1
	run_in a postern policy add dir in src 10.0.0.2 dst 10.0.0.1 tmpl proto "$1" reqid 1
	run_in b ip xfrm policy add dir out src 10.0.0.2 dst 10.0.0.1 tmpl proto "$1" reqid 1
	run_in b ip xfrm policy add dir in src 10.0.0.1 dst 10.0.0.2 tmpl proto "$1" reqid 1
}
undo() {
	run_in a postern policy flush
	run_in a postern state flush
	run_in b ip xfrm policy flush
	run_in b ip xfrm state flush
}

sa esp enc 'cbc(aes)' "$(hexkey 16)" auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128
check "AES-CBC" fits_exactly a 10.0.0.2 $(($(esp_mtu 1500 20 16 16 16) + 20))
undo
sa esp enc 'ecb(cipher_null)' '' auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128
check "NULL" fits_exactly a 10.0.0.2 $(($(esp_mtu 1500 20 0 16 4) + 20))
undo
# RFC 4302 section 2: 12 octets and the ICV, padded
sa ah auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128
check "AH" fits_exactly a 10.0.0.2 $((1500 - 32))
undo
check "drops" drops_are a out-too-big=+
