#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A dump of many objects is complete, has each once, and is whole also while others
# come and go; the spec is enough for a client that is not ours.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"

ns a
load_postern
N=1000
for ((i = 0; i < N; i++)); do
	printf 'state add src 10.0.0.1 dst 10.0.%d.%d proto esp spi %d reqid %d mode tunnel aead rfc4106(gcm(aes)) 0x%040x 128\n' \
		$((i / 250)) $((i % 250 + 1)) $((0x10000 + i)) $((i + 1)) $((i + 1))
	printf 'policy add dir out src 10.1.%d.%d dst 10.2.0.0/16 priority %d tmpl src 10.0.0.1 dst 10.0.%d.%d proto esp reqid %d mode tunnel\n' \
		$((i / 250)) $((i % 250 + 1)) "$i" $((i / 250)) $((i % 250 + 1)) $((i + 1))
done >/run/batch
check "a batch of $N SAs and $N policies" run_in a postern -batch /run/batch
check "counts" expect 'SAs and policies' "$N $N" \
	"$(ip netns exec a postern -j stats | jq -r '"\(."sa-count") \(."policy-count")"')"

check "SAs, each once" expect SAs "$N $N" \
	"$(ip netns exec a postern -j state list | jq -r '"\(length) \([.[].spi] | unique | length)"')"
check "policies, each once" expect policies "$N $N" \
	"$(ip netns exec a postern -j policy list | jq -r '"\(length) \([.[].index] | unique | length)"')"
check "a filter" expect SAs 1 "$(ip netns exec a postern -j state list reqid 500 | jq length)"
check "text has them all" expect lines $N "$(ip netns exec a postern -o state list | wc -l)"

# while others come and go
for ((i = 0; i < 3000; i++)); do
	printf 'state add src 10.0.0.1 dst 10.9.0.1 proto ah spi %d auth hmac(sha256) 0x%064x\n' $((0x20000 + i)) "$i"
	printf 'state delete dst 10.9.0.1 proto ah spi %d\n' $((0x20000 + i))
	printf 'policy add dir in src 10.9.0.0/24 dst 10.9.0.0/16 priority %d action bypass\n' "$i"
	printf 'policy delete dir in src 10.9.0.0/24 dst 10.9.0.0/16 priority %d\n' "$i"
done >/run/churn
background a postern -batch /run/churn
churn=$BACKGROUND
good=0 rounds=0
while kill -0 "$churn" 2>/dev/null && ((rounds < 15)); do
	rounds=$((rounds + 1))
	sas=$(ip netns exec a postern -j state list proto esp | jq '[.[].spi] | unique | length')
	pols=$(ip netns exec a postern -j policy list dir out | jq '[.[].index] | unique | length')
	[[ "$sas $pols" != "$N $N" ]] || good=$((good + 1))
done
kill "$churn" 2>/dev/null || true
wait "$churn" 2>/dev/null || true
check "dumps were made meanwhile" [ $rounds -ge 2 ]
check "each of them complete" expect dumps $rounds $good

# a client made from the spec alone
ynl=$(./ynl-gen path 2>/dev/null) || ynl=
if [[ -n $ynl ]]; then
	ynl() { run_in a python -B "$ynl/cli.py" --spec ../uapi/postern.yaml --no-schema --output-json "$@"; }
	check "YNL: all SAs" expect SAs $N "$(ynl --dump sa-get | jq 'length')"
	check "YNL: all policies" expect policies $N "$(ynl --dump policy-get | jq 'length')"
	check "YNL: names of enums" expect values '"tunnel" "valid"' \
		"$(ynl --dump sa-get --json '{"reqid": 5}' | jq -c '.[0] | .mode, .state' | xargs -d '\n')"
	check "YNL: drops have sentences" [ "$(ynl --do stats-get | jq '[.drop[].text] | unique | length')" -gt 30 ]
	check "YNL: a flush tells how many" expect count '{"count":1000}' "$(ynl --do policy-flush --json '{}' | jq -c .)"
else
	lacking "client of YNL"
	run_in a postern policy flush
fi
run_in a postern state flush
check "all gone" expect 'SAs and policies' '0 0' \
	"$(ip netns exec a postern -j stats | jq -r '"\(."sa-count") \(."policy-count")"')"
