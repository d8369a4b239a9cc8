#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who has the key may still send nonsense: padding, next header and inner header are
# checked behind a valid ICV.  Each bad one is dropped under its own reason, nothing of
# it is delivered, and the next good packet is accepted.
#
# timeout: 600
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

# The inner packet of "bad\n" is 32 octets long (IPv4) or 52 (IPv6), so that GCM pads
# it with 2 octets.
padding() { # NAME OCTETS
	check "$1: pad length beyond the packet" bad in-padding=1 -- x padlen=255
	check "$1: pad length one beyond the packet" bad in-padding=1 -- x padlen=$(($2 + 3))
	check "$1: pad length covers the packet" bad in-padding=1 -- x padlen=$(($2 + 2))
	check "$1: pad octets are zero" bad in-padding=1 -- x padbytes=0000
	check "$1: pad octets start at 0" bad in-padding=1 -- x padbytes=0001
	check "$1: pad octets go down" bad in-padding=1 -- x padbytes=0201
	check "$1: last pad octet is wrong" bad in-padding=1 -- x padbytes=0103
	check "$1: last of 254 pad octets is wrong" bad in-padding=1 -- x \
		padbytes="$(printf '%02x' {1..253} 255)" padlen=254
}

tunnel_v4() { # NAME
	check "$1: next header is none that a tunnel carries" bad in-next-header=1 -- x next=17
	check "$1: next header ESP" bad in-next-header=1 -- x next=50
	check "$1: next header 0" bad in-next-header=1 -- x next=0
	check "$1: next header 255" bad in-next-header=1 -- x next=255
	check "$1: dummy packet" bad in-dummy=1 -- x next=59
	check "$1: dummy packet of noise" bad in-dummy=1 -- x next=59 inner= tfc=300
	check "$1: IPv4 as IPv6" bad in-inner=1 -- x next=41
	check "$1: version 6 in IPv4" bad in-inner=1 -- x edit=0:65
	check "$1: version 0" bad in-inner=1 -- x edit=0:05
	check "$1: header length 16" bad in-inner=1 -- x edit=0:44
	check "$1: header length 0" bad in-inner=1 -- x edit=0:40
	check "$1: header longer than the packet" bad in-inner=1 -- x edit=0:4f
	check "$1: total length one too big" bad in-inner=1 -- x edit=2:0021
	check "$1: total length 65535" bad in-inner=1 -- x edit=2:ffff
	check "$1: total length below the header's" bad in-inner=1 -- x edit=2:0013
	check "$1: total length 0" bad in-inner=1 -- x edit=2:0000
	check "$1: inner packet of any length too short" bad in-inner=32 -- x innercut=all
	check "$1: one octet" bad in-inner=1 -- x innercut=1
	check "$1: nothing" bad in-inner=1 -- x inner=
}

tunnel_v6() {
	check "$1: IPv6 as IPv4" bad in-inner=1 -- x next=4
	check "$1: version 4 in IPv6" bad in-inner=1 -- x edit=0:45
	check "$1: payload length one too big" bad in-inner=1 -- x edit=4:000d
	check "$1: payload length 65535" bad in-inner=1 -- x edit=4:ffff
	check "$1: inner packet of any length too short" bad in-inner=52 -- x innercut=all
	check "$1: next header is none that a tunnel carries" bad in-next-header=1 -- x next=58
	check "$1: dummy packet" bad in-dummy=1 -- x next=59
}

again() {
	run_in a postern policy flush
	run_in a postern state flush
}

forge_start
forge_sa x esp tunnel 4 4 gcm
forge_policy 4
padding "esp tunnel 4in4" 32
tunnel_v4 "esp tunnel 4in4"
again
forge_sa x esp tunnel 6 6 gcm
forge_policy 6
tunnel_v6 "esp tunnel 6in6"
again
forge_sa x esp tunnel 4 4 cbc
forge_policy 4
# 32 octets and the trailer leave 14 to the next block
check "esp cbc: pad length beyond the packet" bad in-padding=1 -- x padlen=47
check "esp cbc: last pad octet is wrong" bad in-padding=1 -- x padbytes=0102030405060708090a0b0c0d0f
again
forge_sa x esp transport 4 4 gcm
forge_policy
check "esp transport: dummy packet" bad in-dummy=1 -- x next=59
check "esp transport: pad length beyond the packet" bad in-padding=1 -- x padlen=200
check "esp transport: pad octets are zero" bad in-padding=1 -- x padbytes=0000
again
forge_sa x esp transport 6 6 gcm
forge_policy
check "esp transport v6: dummy packet" bad in-dummy=1 -- x next=59
again
forge_sa x ah tunnel 4 4 null
forge_policy 4
tunnel_v4 "ah tunnel 4in4"
again
forge_sa x ah tunnel 6 6 null
forge_policy 6
tunnel_v6 "ah tunnel 6in6"
again
forge_sa x ah transport 6 6 null
forge_policy
check "ah transport v6: dummy packet" bad in-dummy=1 -- x next=59
forge_end
