#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The examples of postern(8) work as they are printed.
. "$(dirname "$0")/../lib.sh"

# example NAME: the commands between its marks, as man shows them.
example() {
	sed -n "/BEGIN EXAMPLE $1\$/,/END EXAMPLE/p" ../tools/postern.8 | sed '/^[.\\]/d; s/\\e/\\/'
}

works() {
	local commands

	commands=$(example "$1")
	[[ -n $commands ]] || return 1
	printf '%s\n' "$commands" >&2
	ip netns exec p bash -e <<< "$commands"
}

load_postern
ns p
check "a tunnel" works tunnel
check "a tunnel is two SAs" expect SAs 2 "$(postern -n p -j state count | jq '.["sa-count"]')"
check "bypass and discard" works bypass
check "and four policies" expect policies 4 "$(postern -n p -j policy list | jq length)"
check "counters" works stats
check "a batch" works batch
check "that flushed before it added" expect policies 1 "$(postern -n p -j policy list | jq length)"
ip -n p link add eth0 type dummy
check "OSPFv3" works ospf
check "four SAs of it" expect SAs 4 "$(postern -n p -j state list spi 0x2000 | jq length)"
