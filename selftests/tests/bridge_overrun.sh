#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# More happens to XFRM than the bridge's queue can hold. The kernel then drops
# events without a word until the queue is empty; what changes meanwhile, and
# while the bridge compares, is in Postern in the end nonetheless.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

ns a
# shellcheck disable=SC2119
load_postern
bridge_start a --no-ike-bypass --no-routes

key=$(hexkey 20)
dst='dst 10.9.0.0/16 dir out'
# Numbers FIRST LAST: lines for "ip -batch".
add_policies() {
	seq "$1" "$2" | awk -v d="$dst" -v i="$IF_ID" '{ print "xfrm policy add src 10.1." $1 ".0/24", d, "priority", $1, "if_id", i }'
}
delete_policies() {
	seq "$1" "$2" | awk -v d="$dst" -v i="$IF_ID" '{ print "xfrm policy delete src 10.1." $1 ".0/24", d, "if_id", i }'
}
add_states() {
	seq "$1" "$2" | awk -v k="$key" -v i="$IF_ID" '{ print "xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi", 4096 + $1,
		"reqid 1 mode tunnel aead rfc4106(gcm(aes))", k, "128 if_id", i }'
}
delete_states() {
	seq "$1" "$2" | awk '{ print "xfrm state delete src 10.0.0.1 dst 10.0.0.2 proto esp spi", 4096 + $1 }'
}
# The same again and again: to fill the queue, not the databases.
noise() {
	seq "$1" | awk -v d="$dst" -v i="$IF_ID" '{ print "xfrm policy update src 10.2.0.0/24", d, "if_id", i }'
}

xfrm_policies() {
	ip -n a xfrm policy list | awk '$1 == "src" { s = $2 " " $4 } $1 == "dir" { print s, $2, $4 }' | sort
}
our_policies() {
	ip netns exec a postern -j policy list | jq -r '.[] | "\(.sel.src) \(.sel.dst) \(.dir) \(.priority)"' | sort
}
xfrm_states() {
	ip -n a xfrm state list | awk '$1 == "proto" { print $4 }' | xargs -r printf '%d\n' | sort
}
our_states() {
	ip netns exec a postern -j state list | jq -r '.[].spi' | sort
}
equal() { diff <(xfrm_policies) <(our_policies) && diff <(xfrm_states) <(our_states); }
# shellcheck disable=SC2016 # awk's
lost() { ip netns exec a awk '$2 == 6 && $9 > 0 { found = 1 } END { exit !found }' /proc/net/netlink; }
resyncs_are() { [[ $(grep -c '^in step' "$IKE/bridge.last") -ge $1 ]]; }

{ add_policies 0 59; add_states 0 39; } | pp ip -n a -batch -
check "what_fits_is_followed" busywait 20 equal
before=$(grep -c '^in step' "$IKE/bridge.last")

pp kill -STOP "$BRIDGE"
for _ in 1 2 3 4 5 6 7 8; do
	noise 8000 | pp ip -n a -batch -
	if lost; then break; fi
done
check "the_queue_overran" lost
# Of these no event gets through.
{ delete_policies 0 29; delete_states 0 19; add_policies 100 149; add_states 100 129; } | pp ip -n a -batch -
pp kill -CONT "$BRIDGE"
# The bridge learns of the loss with the first event that it reads.
busywait 20 grep -q '^resync needed' "$IKE/bridge.last"
{ delete_policies 30 39; delete_states 30 34; add_policies 200 229; add_states 200 219; delete_policies 100 119; } | pp ip -n a -batch -
check "it_compared_everything" busywait 60 resyncs_are $((before + 1))
check "and_is_in_step_again" busywait 60 equal

# What comes after an overrun is followed as ever.
{ delete_policies 200 204; delete_states 200 204; add_states 300 304; } | pp ip -n a -batch -
check "later_events_are_followed" busywait 10 equal
