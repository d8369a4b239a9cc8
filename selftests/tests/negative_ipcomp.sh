#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What IPComp unpacks is a packet that policies let in, or nothing: broken data and bombs are
# dropped.
#
# lanes: debug
# timeout: 300
#
# shellcheck disable=SC2034 # forge.sh reads BEFORE and GOOD_SA
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

# comp_sa MODE, policy MODE LEVEL SELECTOR...
comp_sa() { run_in a postern state add "${ENDS[@]}" proto comp spi 0x1234 reqid 1 mode "$1" dir in comp deflate; }
policy() {
	run_in a postern policy add dir in "${@:3}" tmpl "${ENDS[@]}" proto comp mode "$1" level "$2" \
		tmpl "${ENDS[@]}" proto esp mode transport
}

# A packet that would be good was the comp template not required.
refused() {
	BEFORE=$(counters)
	forge send x text=bad >/dev/null
	busywait 10 came 1 x && expect drops in-template=1 "$DROPS_OF_NS" && expect delivered 0 "$DELIVERED"
}

# Without any SA: IP in IP that is nobody's.
bare() {
	forge send "$1" text=bad bare=1 "${@:2}" >/dev/null
	# shellcheck disable=SC2086 # a name and words
	good $GOOD_SA
}

forge_start

for f in 4 6; do
	ENDS=(src 10.0.0.2 dst 10.0.0.1) inner=(isrc=10.9.0.2 idst=10.9.0.1) sel=(src 10.9.0.2 dst 10.9.0.1)
	((f == 4)) || ENDS=(src fd00::2 dst fd00::1) inner=(isrc=fd09::2 idst=fd09::1) sel=(src fd09::2 dst fd09::1)
	forge_sa x esp transport $f $f gcm
	comp_sa transport
	policy transport use "${ENDS[@]}" proto udp
	n="transport $f"
	check "$n: as it is" good x
	check "$n: compressed" good x comp=0x1234 count=2
	check "$n: flags are ignored" good x comp=0x1234 edit=1:ff
	check "$n: more behind it" good x comp=0x1234 tfc=20
	check "$n: a bomb" bad in-decompress=1 / -- x zeros=1000000 comp=0x1234
	check "$n: more than a packet" bad in-decompress=1 / -- x zeros=65536 comp=0x1234
	check "$n: nothing of it" bad in-decompress=1 / -- x comp=0x1234 innercut=4
	check "$n: cut off" bad in-decompress=20 / -- x comp=0x1234 innercut=12 count=20
	check "$n: another block type" bad in-decompress=1 / -- x comp=0x1234 edit=4:07
	check "$n: no header" bad in-no-policy=1 -- x next=108 inner=1100
	check "$n: a CPI that names no SA" bad in-no-policy=1 -- x comp=0x1235
	run_in a postern policy flush
	policy transport required "${ENDS[@]}" proto udp
	check "$n: required, as it is" refused
	check "$n: required, compressed" good x comp=0x1234
	run_in a postern policy flush
	run_in a postern state flush

	forge_sa x esp transport $f $f gcm
	comp_sa tunnel
	policy tunnel required "${sel[@]}"
	n="tunnel $f" GOOD_SA="x whole=1 ${inner[*]}"
	check "$n: as it is" good x whole=1 "${inner[@]}"
	check "$n: compressed" good x whole=1 "${inner[@]}" comp=0x1234
	check "$n: a bomb" bad in-decompress=1 / -- x zeros=1000000 comp=0x1234
	check "$n: no packet inside" bad in-inner=1 / -- x whole=1 edit=0:00 "${inner[@]}" 
	check "$n: not through ESP" bare x whole=1 "${inner[@]}"
	check "$n: another packet" bad in-no-policy=1 / -- x whole=1 "${inner[0]}" idst="${inner[0]#*=}" comp=0x1234
	run_in a postern policy flush
	run_in a postern state flush
	GOOD_SA=''
done
forge_end
