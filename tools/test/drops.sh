#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The list of drop reasons in postern.8 is that of uapi/postern_drop.h.
# Usage: drops.sh [--write]; without it, fails when the two differ.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
page=$top/tools/postern.8

list() {
	printf '#include "postern_drop.h"\n#define R(sym, name, text) .It Cm name \\n text\nPOSTERN_DROP_REASONS(R)\n' |
		"${CC:-cc}" -E -P -I "$top/uapi" - |
		grep -o '\.It Cm "[^"]*" \\n "[^"]*"' |
		sed 's/\.It Cm "\([^"]*\)" \\n "\([^"]*\)"/.It Cm \1\n\2/' |
		sed '/^\.It/!s/^./\U&/; /^\.It/!s/$/./' |
		fold -s -w 78 | sed 's/ $//'
}

page_with_list() {
	sed '/BEGIN DROPS/q' "$page"
	list
	sed -n '/END DROPS/,$p' "$page"
}

if [ "${1-}" = --write ]; then
	page_with_list > "$page.new"
	mv "$page.new" "$page"
	exit
fi
page_with_list | diff -u "$page" - || {
	echo "postern.8 does not list the drop reasons of uapi/postern_drop.h; run tools/test/drops.sh --write" >&2
	exit 1
}
