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
