#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What passes a gateway is no neighbour discovery, whatever its type says (RFC 4861
# section 6.1: hop limit 255): it is protected, or dropped, like all else.
#
#	hosta ----- gwa (Postern) ===== gwb (plain) ----- hostb
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
policies gwa postern 1 fd01::/64 fd02::/64 2001:db8::1 2001:db8::2
run_in hosta ping -q -n -c 1 -W 2 fd01::1 || true

capture gwa pub /run/pub.pcap -Q out
first=$CAPTURE
capture hosta lan /run/lan.pcap -Q in 'src net fd02::/64'
run_in hosta python -B py/t2_nd.py fd01::2 fd02::2 64
run_in hosta python -B py/t2_nd.py fd01::2 fd02::2 255
run_in hostb python -B py/t2_nd.py fd02::2 fd01::2 64
run_in hostb python -B py/t2_nd.py fd02::2 fd01::2 255
# from the link, with all that a neighbour's would have
run_in gwb python -B py/t2_nd.py fd02::2 fd01::2 255
sleep 0.5
capture_end
CAPTURE=$first
capture_end
check "none leaves" expect packets 0 "$(packets_in /run/pub.pcap src net fd01::/64)"
check "none enters" expect packets 0 "$(packets_in /run/lan.pcap)"
check "those that were to leave are counted" [ "$(stat_of gwa out-no-sa)" -ge 10 ]
check "those that were to enter are counted" expect drops 15 "$(stat_of gwa in-cleartext)"

# Between neighbours, with a policy about all that they say to each other and no SA, it
# passes in both directions: an SA could not be negotiated otherwise.
transport=(tmpl src 2001:db8::1 dst 2001:db8::2 proto esp reqid 9 mode transport)
run_in gwa postern policy add dir out src 2001:db8::1 dst 2001:db8::2 "${transport[@]}"
run_in gwa postern policy add dir in src 2001:db8::2 dst 2001:db8::1 \
	tmpl src 2001:db8::2 dst 2001:db8::1 proto esp reqid 9 mode transport
knows() { ip -n "$1" -6 neigh show "$2" dev pub | grep -q lladdr; }
run_in gwb ip -6 neigh flush dev pub
run_in gwb ping -q -n -c 1 -W 1 2001:db8::1 || true
check "the neighbour is answered" busywait 10 knows gwb 2001:db8::1
check "all else is not" ping_lost gwb 2001:db8::1
