#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# No memory, at each allocation on the way of a packet in turn: it is delivered, or
# dropped and counted as in-memory, out-memory or, when the stack had none, out-stack or,
# for the route, out-no-route.
# So is what waits for an SA.
#
# timeout: 120
# lanes: debug
. "$(dirname "$0")/../lib.sh"

ns a b
i=0
for n in a b; do
	ip -n $n tuntap add pub mode tun
	ip -n $n link set pub up
	addr $n pub 10.0.0.$((++i))/24 fd00::$i/64
done
load_postern
pp /usr/bin/python3 -B py/fault_path.py
