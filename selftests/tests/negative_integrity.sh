#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A packet that is not as its sender made it is not believed: wrong key, any bit
# inverted, any number of octets cut off.  Each is dropped under the reason that is
# true of it, and the next good packet is accepted.
#
# timeout: 600
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

# Octets of the plaintext: UDP with the text "bad\n", in tunnel mode behind its IP header.
plain_size() { # MODE INNER
	if [[ $1 = transport ]]; then
		echo 12
	else
		echo $(($2 == 4 ? 32 : 52))
	fi
}

# A flipped bit of the number 1 makes 0, which is never valid, or one not seen yet.
esp() { # ALGORITHM ICV_AND_IV BLOCK MODE OUTER INNER
	local alg=$1 fixed=$((8 + $2)) block=$3 mode=$4 outer=$5 inner=$6 n size rest whole=0 early=0

	n="esp $alg $mode ${inner}in$outer"
	size=$((fixed + ($(plain_size "$mode" "$inner") + 2 + block - 1) / block * block))
	forge_sa x esp "$mode" "$outer" "$inner" "$alg"
	forge_policy "$inner"
	check "$n: any bit inverted" bad in-icv=$((8 * size - 33)) in-window=1 unknown-spi=32 \
		/ in-icv=$((8 * size - 33)) in-window=1 -- x seq=1 flip=all
	check "$n: wrong key" bad in-icv=3 -- x badkey=1 again=3

	for ((rest = block; rest < size - fixed; rest += block)); do
		whole=$((whole + 1))
	done
	# the SPI is in the first 4 octets, the number in the next; in transport mode the
	# policy covers the outer addresses and sees to what names no SA
	[[ $mode = tunnel ]] || early=4
	check "$n: any length" bad unknown-spi=$early in-icv=$whole in-truncated=$((size - early - whole)) \
		/ in-icv=$whole in-truncated=$((size - 8 - whole)) -- x cut=all
	run_in a postern policy flush
	run_in a postern state flush
}

# The length field of AH is not believed where no such ICV exists.
ah() { # MODE OUTER INNER
	local mode=$1 outer=$2 inner=$3 n header=28 src=12-15 size early=0

	# the second half only: the first may become multicast
	[[ $outer = 4 ]] || header=32 src=16-23
	n="ah $mode ${inner}in$outer"
	size=$((header + $(plain_size "$mode" "$inner")))
	forge_sa x ah "$mode" "$outer" "$inner" null
	forge_policy "$inner"
	check "$n: any bit inverted" bad in-icv=$((8 * size - 41)) in-truncated=8 in-window=1 unknown-spi=32 \
		/ in-icv=$((8 * size - 41)) in-truncated=8 in-window=1 -- x seq=1 flip=all
	# in transport mode the policy is for that address
	if [[ $mode = tunnel ]]; then
		check "$n: another source" bad in-icv=$((outer == 4 ? 32 : 64)) -- x flip=$src
	fi
	if [[ $outer = 4 ]]; then
		check "$n: another identification" bad in-icv=16 -- x flip=4-5
	fi
	check "$n: wrong key" bad in-icv=3 -- x badkey=1 again=3
	[[ $mode = tunnel ]] || early=8
	check "$n: any length" bad unknown-spi=$early in-icv=$((size - header)) in-truncated=$((header - early)) \
		/ in-icv=$((size - header)) in-truncated=$((header - 12)) -- x cut=all
	run_in a postern policy flush
	run_in a postern state flush
}

forge_start
esp gcm 24 4 tunnel 4 4
esp gcm 24 4 tunnel 6 4
esp gcm 24 4 transport 6 6
esp cbc 32 16 tunnel 6 6
esp cbc 32 16 transport 4 4
esp null 16 4 tunnel 4 6
ah tunnel 4 4
ah tunnel 6 6
ah transport 4 4
ah transport 6 6
forge_end
