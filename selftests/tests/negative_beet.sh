#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Of mode beet only what makes a packet between the addresses of the SA's selector comes in, and
# only what has these addresses goes out.
#
# lanes: debug
# timeout: 300
#
# shellcheck disable=SC2034 # forge.sh reads BEFORE
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

nops() { printf '01%.0s' $(seq "$1"); }

out_of_policy() {
	BEFORE=$(counters)
	forge send x text=bad >/dev/null
	busywait 10 came 1 x && expect drops in-no-policy=1 "$DROPS_OF_NS" && expect delivered 0 "$DELIVERED"
}

forge_start

for f in 44 64 46; do
	outer=${f:0:1} inner=${f:1}
	sel=(src 10.9.0.2 dst 10.9.0.1)
	((inner == 4)) || sel=(src fd09::2 dst fd09::1)
	forge_sa x esp beet "$outer" "$inner" gcm sel "${sel[@]}"
	forge_policy "$inner"
	n="$inner in $outer"
	check "$n" good x count=3
	check "$n: a dummy" bad in-dummy=1 -- x next=59
	check "$n: cleartext" bad in-cleartext=1 / -- x bare=1
	if ((inner == 4)); then
		check "$n: 4 octets of options" good x pseudo=11000000"$(nops 4)"
		check "$n: 8 octets of options" good x pseudo=11010400"$(nops 12)"
		check "$n: 40 octets of options" good x pseudo=11050400"$(nops 44)"
		check "$n: 44 octets of options" bad in-inner=1 -- x pseudo=11050000"$(nops 44)"
		check "$n: 2040 octets of options" bad in-inner=1 -- x pseudo=11ff0000"$(nops 40)"
		check "$n: a pad length of 1" bad in-inner=1 -- x pseudo=11000100"$(nops 4)"
		check "$n: a pad length of 255" bad in-inner=1 -- x pseudo=1105ff00"$(nops 44)"
		check "$n: cut off in the pseudo header" bad in-inner=3 -- x pseudo=11000000 innercut=3 count=3
		check "$n: cut off in the options" bad in-inner=1 -- x pseudo=11050400"$(nops 44)" innercut=40
		check "$n: a pseudo header behind a pseudo header" bad in-next-header=1 -- x pseudo=5e00000001010101
		check "$n: a dummy behind a pseudo header" bad in-dummy=1 -- x pseudo=3b00000001010101
	else
		check "$n: a pseudo header" bad in-next-header=1 -- x pseudo=1100000001010101
	fi
	# the inner addresses are what policies are about
	run_in a postern policy flush
	forge_policy "$inner" proto tcp
	check "$n: a policy of other packets" out_of_policy
	run_in a postern policy flush
	run_in a postern state flush
done

# The peer restores one pair of addresses, whatever else policy and selector would let out.
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x9001 reqid 9 mode beet dir out \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 sel src 10.9.0.1 dst 10.9.0.2
run_in a postern policy add dir out src 10.0.0.0/8 dst 10.9.0.2 tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 9 mode beet
other_addresses() {
	ping_lost a 10.9.0.2 -I "$1"
	expect "drops, sent" "$2 $3" "$(stats_of a | jq -r '"\(.drops[] | select(.reason == "out-selector") | .packets) \(."out-sent")"')"
}
check "other addresses" other_addresses 10.0.0.1 1 0
check "its own" other_addresses 10.9.0.1 1 1
forge_end
