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

# unused NAME: directories NAME-* of the cache whose file "done", touched whenever somebody
# asks for them, is a week old.
unused() { find "$CACHE" -maxdepth 2 -path "$CACHE/$1-*/done" -mtime +6 -printf '%h\n'; }

# stock_kver [ROOT [GLOB]]: the newest kernel installed there that has both an image
# and headers.
stock_kver() {
	local v root=${1:-}

	# shellcheck disable=SC2086 # a glob
	for v in $(cd "$root/lib/modules" 2>/dev/null && printf '%s\n' ${2:-*} | sort -rV); do
		[[ -r $root/boot/vmlinuz-$v && -d $root/usr/src/linux-headers-$v ]] || continue
		echo "$v"
		return 0
	done
	die "no kernel with headers is installed in ${root:-/}: run selftests/setup as root"
}

# The lanes: kernel and root of this host (bookworm is another name for it), User-Mode
# Linux on the same root, once looking for errors and once for data races (see uml), and
# other Debian releases as hosts of their own (see tree).
# shellcheck disable=SC2034 # for those who source this
ALL_LANES='stock debug kcsan bullseye trixie backports cloud rt'

# lane_tree LANE: the release whose tree is the root, if it is not this host's.
lane_tree() {
	case $1 in
	bullseye | trixie | backports) echo "$1" ;;
	cloud | rt) echo bookworm ;;
	esac
}

# lane_kver LANE ROOT
lane_kver() {
	case $1 in
	cloud | rt) stock_kver "$2" "*-$1-amd64" ;;
	*) stock_kver "$2" ;;
	esac
}

# How many machines run at a time: one more than cores, since tests also wait.
slots() { echo "${POSTERN_SLOTS:-$(($(nproc) + 1))}"; }

# header FILE KEY DEFAULT: the value of a "# KEY: value" line of a test.
header() {
	local v

	v=$(sed -n "1,40s/^# $2:[ \t]*\([^\t]*[^\t ]\).*/\1/p" "$1" | head -n 1)
	echo "${v:-$3}"
}

# debian_mirror debian|debian-security: where this host gets that archive from.
debian_mirror() {
	local m

	m=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
		grep -oE '^(URIs:|deb) .*' | grep -oE "https?://[^ ]*/$1/?( |\$)" | head -n 1 | tr -d ' ' || true)
	echo "${m:-http://deb.debian.org/$1}"
}
