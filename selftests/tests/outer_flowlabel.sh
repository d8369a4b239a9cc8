#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Flag flowlabel-hash: packets of one flow have one flow label on the outside, and flows
# differ in it (RFC 6438).
#
#	a (Postern) ------ b
#
# timeout: 60
# lanes: debug
. "$(dirname "$0")/../lib.sh"

topo_pair
load_postern
addr a lo 10.9.0.1/32 fd09::1/128
ip -n a route add 10.10.0.0/16 via 10.0.0.2
ip -n a route add fd10::/64 via fd00::2

# flows FLAG...: 32 of each family, three packets each; prints "VERSION PORT LABEL" for each
flows() {
	local sel

	run_in a postern state add src fd00::1 dst fd00::2 proto esp spi 0x1000 mode tunnel dir out \
		auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128 enc 'ecb(cipher_null)' '' "$@"
	for sel in '10.9.0.1 10.10.0.1' 'fd09::1 fd10::1'; do
		run_in a postern policy add dir out src "${sel% *}" dst "${sel#* }" \
			tmpl src fd00::1 dst fd00::2 proto esp mode tunnel
	done
	capture b veth0 /run/pcap -Q in 'ip6 proto 50'
	run_in a python -B - <<-'PY'
		import socket
		for family, src, dst in ((socket.AF_INET, '10.9.0.1', '10.10.0.1'), (socket.AF_INET6, 'fd09::1', 'fd10::1')):
		    for turn in range(3):
		        for port in range(4000, 4032):
		            with socket.socket(family, socket.SOCK_DGRAM) as out:
		                out.bind((src, port))
		                out.sendto(b'turn %d' % turn, (dst, 9))
	PY
	capture_end
	run_in a postern policy flush
	run_in a postern state flush
	python -B - >/run/flows <<-'PY'
		import struct
		data = open('/run/pcap', 'rb').read()
		at = 24
		while at < len(data):
		    size, = struct.unpack_from('=I', data, at + 8)
		    packet = data[at + 30:at + 16 + size]
		    inner = packet[48:]
		    version = inner[0] >> 4
		    port, = struct.unpack_from('!H', inner, 20 if version == 4 else 40)
		    print(version, port, struct.unpack_from('!I', packet)[0] & 0xfffff)
		    at += 16 + size
	PY
}
lines() { sort -u | wc -l; }

flows
check "without the flag IPv4 has none" expect labels '0' "$(awk '$1 == 4 { print $3 }' /run/flows | sort -u)"
flows extra-flag flowlabel-hash
check "all packets were seen" expect packets 192 "$(wc -l </run/flows)"
check "a flow has one label" expect flows 64 "$(lines </run/flows)"
# two flows that happen to have the same are one in some thousand runs
check "flows differ" [ "$(awk '{ print $3 }' /run/flows | lines)" -ge 62 ]
run_in a postern state add src fd00::1 dst fd00::2 proto esp spi 0x1001 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 extra-flag flowlabel-hash
check "the SA shows it" expect flags flowlabel-hash "$(ip netns exec a postern -j state | jq -r '.[].flags[]')"
