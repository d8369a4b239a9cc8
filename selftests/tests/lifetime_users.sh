#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# 16,384 keys whose SAs are gone are remembered of each user of the host who makes user
# namespaces: the keys of another do not push them out.
#
# timeout: 240
# lanes: stock
. "$(dirname "$0")/../lib.sh"

topo_pair
load_postern
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
if ! run_in a "${nobody[@]}" unshare -Ur true; then
	lacking "user namespace for a user"
	exit
fi
key=$(hexkey 20)
key_again() { # WORD...: last number of a new SA with the key, in a namespace of its own
	run_in a "${nobody[@]}" unshare -Urn sh -c "postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel \
		aead 'rfc4106(gcm(aes))' $key 128 $* && postern -s -j state list" | jq '.. | .oseq? // empty' | head -n 1
}
check "a user's key is new" expect "last number" 5 "$(key_again replay-oseq 5)"
for ((i = 0; i < 16500; i++)); do
	printf "state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x%x reqid 1 mode tunnel aead 'rfc4106(gcm(aes))' 0x%040x 128 replay-oseq 1\n" \
		$((0x1000 + i)) $((i + 1))
done >/run/keys
users=("${nobody[@]}")
nobody=(setpriv --reuid 65533 --regid 65533 --clear-groups --inh-caps=-all)
link_is_gone() { ! ip -n a link show to_d; }
# Namespaces end one after the other: those before this one have let go of their keys.
settled() {
	for _ in 1 2; do
		ns d
		link a to_d d to_a
		ip netns del d
		# shellcheck disable=SC2034 # for cleanup
		NAMESPACES=(a b)
		busywait 60 link_is_gone || return
	done
}
check "another has many keys" pp ip netns exec a "${nobody[@]}" unshare -Urn sh -c 'postern -batch /run/keys && postern state flush'
nobody=("${users[@]}")
check "which are remembered" settled
check "the first one's is still known" expect "last number" 5 "$(key_again)"
check "so many of his own" pp ip netns exec a "${nobody[@]}" unshare -Urn sh -c 'postern -batch /run/keys && postern state flush'
check "are remembered, too" settled
check "and push it out" expect "last number" 0 "$(key_again)"
