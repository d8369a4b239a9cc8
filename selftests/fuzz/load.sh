# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh: the module, over one that counts which of its places are reached
# when the first argument names that one.
if [[ ${1:-} = *.ko ]]; then
	pp insmod "$1"
	pp insmod "$POSTERN_KO"
	shift
else
	load_postern
fi

# fuzz_reached: for the host, which places they were.
fuzz_reached() {
	[[ -r /sys/kernel/debug/postern-places ]] || return 0
	cp /sys/kernel/debug/postern-places "$RESULTS/places"
	cat /sys/module/postern/sections/.text >"$RESULTS/base"
}
