#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# No memory, at each allocation of each command in turn: an error, and nothing has
# changed; or all is done.  What was allocated until then is free again.
#
# timeout: 240
# lanes: debug
. "$(dirname "$0")/../lib.sh"

# rmmod after much per-CPU memory takes User Mode Linux minutes
unload_postern() { :; }

ns a
ip -n a link add eth0 type dummy
ip -n a link set eth0 up
addr a eth0 10.0.0.1/24
ip -n a neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev eth0
load_postern
# as "ip netns exec", with debugfs in its place
pp nsenter --net=/run/netns/a /usr/bin/python3 -B py/fault_netlink.py
