#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Policies of equal rank that go together: one that protects is older than the one that lets
# all else pass, but nothing of what it protected passes in clear before both are gone.
#
#	a (Postern) ----- b
#
# timeout: 120
# lanes: debug
. "$(dirname "$0")/../lib.sh"

N=4000
topo_pair
load_postern
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode transport \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
run_in a postern policy add dir out src 0.0.0.0/0 dst 0.0.0.0/0 action discard priority 4294967295 owner 9
run_in a python -B -c "
for i in range($N):
    print(f'policy add dir out src 10.0.0.1 dst 10.77.{i >> 8}.{i & 255} action discard')" >/run/others

# goes NAME CMD...
goes() {
	local before

	run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 tmpl proto esp reqid 1 mode transport
	run_in a postern -batch /run/others
	run_in a postern policy add dir out src 0.0.0.0/0 dst 0.0.0.0/0 action bypass
	background a socat -u -b 100 /dev/zero UDP-SENDTO:10.0.0.2:7000
	before=$(stat_of a out-sent)
	sends() { (($(stat_of a out-sent) > before + 100)); }
	check "$1: protected" busywait 10 sends
	capture a veth0 /run/clear.pcap -Q out udp
	run_in a "${@:2}"
	before=$(stat_of a out-discard)
	discards() { (($(stat_of a out-discard) > before)); }
	check "$1: then discarded" busywait 10 discards
	capture_end
	kill %% 2>/dev/null || true
	check "$1: nothing in clear" expect packets 0 "$(packets_in /run/clear.pcap)"
}
goes "flush" postern policy flush owner 0
goes "deleteall" postern policy deleteall priority 0
