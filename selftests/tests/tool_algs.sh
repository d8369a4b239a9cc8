#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# "postern algs" is true: what it lists can be used with the lengths that it lists, and
# what it says this kernel lacks is refused in the same words.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"

ns a
load_postern
pp postern -n a algs | tee /run/text
pp postern -n a -j algs >/run/json
check "JSON follows the schema" python "$(dirname "$0")/../../tools/test/schema.py" algs /run/json
check "text and JSON list the same" cmp <(awk '{ print $1, $2 }' /run/text) <(jq -r '.[] | "\(.kind) \(.name)"' /run/json)
check "none without the right to" expect_fail -m 'not permitted' ip netns exec a setpriv --bounding-set=-net_admin \
	--inh-caps=-net_admin postern algs
check "they are no flags, and take none" expect_fail -m 'none is expected' postern -n a algs 1

spi=0x1000
try() { # WANTED WORDS...
	local said rc=0

	spi=$((spi + 1))
	said=$(postern -n a state add src 10.0.0.1 dst 10.0.0.2 proto "${proto:-esp}" spi $spi "${@:2}" 2>&1) || rc=$?
	case $1 in
	'') ((rc == 0)) ;;
	*) ((rc == 2)) && [[ $said = *"$1"* ]] ;;
	esac || { say "wanted '$1', got $rc: $said" && return 1; }
}

jq -r '.[] | [.kind, .name, .alias // "-", (."key-bits" | join(" ")), (."icv-bits" | join(" ")),
	.needs // "", .lacks // ""] | join("|")' /run/json >/run/list
while IFS='|' read -r kind name alias keys icvs needs lacks; do
	want=${lacks:+"this kernel lacks $name, of $lacks"} more=()
	[[ -z $needs ]] || more=(extra-flag "$needs")
	for bits in ${keys:-0}; do
		for icv in ${icvs:-0}; do
			proto=esp
			[[ $kind != comp ]] || proto=comp
			key=$( ((bits == 0)) || hexkey $((bits / 8)))
			case $kind in
			aead) words=(aead "$name" "$key" "$icv") ;;
			auth) words=(enc 'ecb(cipher_null)' '' auth-trunc "$name" "$key" "$icv") ;;
			comp) words=(comp "$name") ;;
			enc) words=(enc "$name" "$key" auth 'hmac(sha256)' "$(hexkey 32)") ;;
			esac
			check "$name $bits $icv${lacks:+ is refused}" try "$want" "${words[@]}" "${more[@]}"
			[[ $kind != auth ]] ||
				proto=ah check "$name $bits $icv in AH${lacks:+ is refused}" try "$want" "${words[@]:3}" "${more[@]}"
			[[ $alias = - ]] || check "$alias, as it is called too" try "$want" "${words[@]/"$name"/$alias}" "${more[@]}"
			[[ -z $needs ]] || check "$name without $needs" try "needs flag $needs" "${words[@]}"
		done
	done
done </run/list
check "all have been tried" test "$(wc -l </run/list)" -ge 18
