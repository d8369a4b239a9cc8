#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An SPI is given once: to its range's end, and to whoever asks at the same time.  One of
# two destinations is two SAs, which come and go each by itself.
#
# timeout: 60
# lanes: debug
. "$(dirname "$0")/../lib.sh"

N=1000
ns a
load_postern
alloc() { ip netns exec a postern -j state allocspi src 10.0.0.1 dst "${DST:-10.0.0.2}" proto esp mode tunnel min "$1" max "$2" | jq -r .spi; }
spis() { ip netns exec a postern -j state list dst "$1" | jq -r '.[].spi' | sort | xargs; }

got=$(for _ in {1..4}; do alloc 0x1000 0x1003; done | sort | xargs)
check "a range of four: SAs" expect SPIs "$got" "$(spis 10.0.0.2)"
check "each once" expect SPIs '4096 4097 4098 4099' "$got"
check "a fifth is refused" expect_fail -m 'no SPI from spi-min to spi-max is free' \
	run_in a postern state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel min 0x1000 max 0x1003
spi=${got%% *}
run_in a postern state delete dst 10.0.0.2 proto esp spi "$spi"
check "one that is free again is given again" expect SPI "$spi" "$(alloc 0x1000 0x1003)"

check "another destination has its own" expect SPI "$spi" "$(DST=10.0.0.3 alloc "$spi" "$spi")"
run_in a postern state delete dst 10.0.0.2 proto esp spi "$spi"
check "which stays when the first goes" expect SPI "$spi" "$(spis 10.0.0.3)"
run_in a postern state flush

for i in 1 2; do
	for ((n = 0; n < N; n++)); do
		echo 'state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel min 0x10000 max 0x10fff'
	done >/run/batch$i
	background a postern -j -batch /run/batch$i >/run/spis$i
	pids[i]=$BACKGROUND
done
wait "${pids[@]}"
check "two at a time get $N SPIs each" expect SPIs "$N $N" "$(for i in 1 2; do jq -s 'length' /run/spis$i; done | xargs)"
check "no two the same" expect SPIs $((2 * N)) "$(jq -r .spi /run/spis[12] | sort -u | wc -l)"
check "as many SAs" expect SAs $((2 * N)) "$(ip netns exec a postern -j stats | jq '."sa-count"')"
