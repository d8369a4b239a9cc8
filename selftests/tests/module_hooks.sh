#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A namespace pays nothing before it has its first SA or policy: no hook is there, and
# no reassembly.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
hooks() {
	local f

	for f in ip ip6; do
		ip netns exec "$1" nft list hooks $f 2>/dev/null
	done | grep -c '\[postern\]' || true
}
reads() {
	run_in "$1" postern
	run_in "$1" postern stats
	run_in "$1" postern state list
	run_in "$1" postern policy list
	run_in "$1" postern state flush
	run_in "$1" postern policy flush
	expect_fail run_in "$1" postern state get dst 10.0.0.2 proto esp spi 0x1101
	expect_fail run_in "$1" postern policy add dir out src 10.0.0.1 dst 10.0.0.2 action protect
	expect_fail run_in "$1" postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1101 reqid 1 \
		auth 'hmac(sha256)' 0x00
}
reads a
ip netns exec a nft list hooks ip >/dev/null 2>&1 ||
	skip "nft or this kernel cannot list hooks"
check "what only reads, or is refused, adds no hook" expect hooks 0 "$(hooks a)"
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 action bypass
check "the first policy does" [ "$(hooks a)" -gt 0 ]
check "elsewhere there is still none" expect hooks 0 "$(hooks b)"
postern_sas b 1 10.0.0.2 10.0.0.1 transport
check "the first SA does as well" expect hooks "$(hooks a)" "$(hooks b)"
run_in a postern policy flush
run_in b postern state flush
rmmod postern
check "none is left" expect hooks 0 "$(($(hooks a) + $(hooks b)))"
