# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the scripts that run on the host: where things are.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# What is expensive and belongs to the machine (kernels, verdicts) ...
CACHE=${POSTERN_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/postern}
# ... and what belongs to this tree (builds, results).
BUILD=${POSTERN_BUILD:-$TOP/.build}
mkdir -p "$CACHE" "$BUILD"
# shellcheck disable=SC2034 # for those who source this
CACHE=$(cd "$CACHE" && pwd) BUILD=$(cd "$BUILD" && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

case $TOP$CACHE$BUILD in *[[:space:],]*) die "paths with spaces or commas cannot be given to a VM" ;; esac

# The newest installed kernel that has both an image and headers.
stock_kver() {
	local v

	for v in $(cd /lib/modules 2>/dev/null && printf '%s\n' * | sort -rV); do
		[[ -r /boot/vmlinuz-$v && -d /lib/modules/$v/build ]] || continue
		echo "$v"
		return 0
	done
	die "no kernel with headers is installed: run selftests/setup as root"
}

# header FILE KEY DEFAULT: the value of a "# KEY: value" line of a test.
header() {
	local v

	v=$(sed -n "1,40s/^# $2:[ \t]*\([^\t]*[^\t ]\).*/\1/p" "$1" | head -n 1)
	echo "${v:-$3}"
}
