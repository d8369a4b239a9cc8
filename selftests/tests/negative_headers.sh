#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Headers that nobody can follow to an upper layer pass no policy by, in neither
# direction; and own multicast that comes back protected is not taken for new.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

load_postern
topo_pair
run_in a postern policy add dir out src fd00::1/128 dst fd00::2/128 proto tcp action block
run_in a postern policy add dir in src fd00::2/128 dst fd00::1/128 proto tcp action block

ping_ok a fd00::2
capture a veth0 "$RESULTS/wire.pcap" ip6 and ip6[6] == 60
run_in a python -B py/raw6.py veth0 fd00::1 fd00::2 3 4
run_in a python -B py/raw6.py veth0 fd00::1 fd00::2 20 5
on_wire() { (($(packets_in "$RESULTS/wire.pcap") >= $1)); }
check "headers that can be followed leave" busywait 10 on_wire 4
check "out-malformed is counted for each of the others" drops_are a out-malformed=5
capture_end
check "none of the others leaves" expect packets 4 "$(packets_in "$RESULTS/wire.pcap")"

run_in b python -B py/raw6.py veth0 fd00::2 fd00::1 3 4
run_in b python -B py/raw6.py veth0 fd00::2 fd00::1 20 6
check "in-malformed is counted for each that comes in" busywait 10 drops_are a out-malformed=5 in-malformed=6
check "what no policy is about passes" ping_ok b fd00::1

run_in a postern policy flush
run_in a postern state add src 10.0.0.1 dst 239.1.1.1 proto esp spi 0x3001 reqid 3 mode transport \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
run_in a postern policy add dir out src 10.0.0.1/32 dst 239.1.1.1/32 tmpl proto esp reqid 3 mode transport
ip -n a route add 239.0.0.0/8 dev veth0
got=$(run_in a python -B py/t2_mcast.py veth0 239.1.1.1 1 3)
check "a member on this host gets each datagram once" expect datagrams 3 "$got"
check "out-loopback is counted for each protected copy" drops_are a out-malformed=5 in-malformed=6 out-loopback=3
check "the packets went out" expect out-sent 3 "$(stat_of a out-sent)"
