#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Once an SA is gone, or was refused, its key is nowhere in the memory of the machine.
#
# timeout: 240
# lanes: debug
. "$(dirname "$0")/../lib.sh"

load_postern
pp /usr/bin/python3 -B py/wiped.py >/run/wiped || fail "no walk through memory"
while read -r verdict name; do
	check "$name" [ "$verdict" = ok ]
done </run/wiped
