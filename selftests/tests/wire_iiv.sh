#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Implicit IV (RFC 8750) with each algorithm that has it, in both directions; the other
# end is Python, since XFRM has none.
#
# timeout: 400
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

DIR=/run/iiv
PY=$(dirname "$0")/../py

topo_pair
addr a lo 10.9.0.1/32
ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
load_postern
mkdir -p $DIR
python "$PY/packets.py" make $DIR/all.out 10.9.0.1 10.9.0.2
python "$PY/packets.py" make $DIR/all.in 10.9.0.2 10.9.0.1
for i in out in; do
	grep '^udp' $DIR/all.$i >$DIR/$i
done
run_in b nft 'add table inet quiet; add chain inet quiet inward { type filter hook input priority 0; }
	add rule inet quiet inward meta l4proto esp drop'
run_in a nft 'add table inet quiet; add chain inet quiet outward { type filter hook output priority 0; }
	add rule inet quiet outward icmp type destination-unreachable drop'

# name, cipher, octets of key, words
ALGORITHMS=(
	'gcm-128|gcm|20|rfc4106(gcm(aes))'
	'gcm-192|gcm|28|rfc4106(gcm(aes))'
	'gcm-256|gcm|36|rfc4106(gcm(aes))'
	'ccm-128|ccm|19|rfc4309(ccm(aes))'
	'ccm-256|ccm|35|rfc4309(ccm(aes))'
	'chacha|chacha|36|rfc7539esp(chacha20,poly1305)'
)
spi=0x1000
capture b veth0 $DIR/pcap.out 'ip proto 50'
OUT=$CAPTURE
capture a veth0 $DIR/pcap.in -Q in ip
postern -n a policy add dir in src 10.9.0.2 dst 10.9.0.1 tmpl src 10.0.0.2 dst 10.0.0.1 proto esp mode tunnel
for alg in "${ALGORITHMS[@]}"; do
	IFS='|' read -r name cipher octets words <<<"$alg"
	for dir in out in; do
		key=$(hexkey "$octets") spi=$(printf '0x%x' $((spi + 1)))
		src=10.0.0.1 dst=10.0.0.2
		[[ $dir = out ]] || src=10.0.0.2 dst=10.0.0.1
		run_in a postern state add src $src dst $dst proto esp spi "$spi" reqid "$spi" mode tunnel dir $dir \
			aead "$words" "$key" 128 extra-flag iiv
		echo "$dir-$name $cipher $key $spi $src $dst $DIR/$dir" >>$DIR/manifest.$dir
		[[ $dir = out ]] || continue
		run_in a postern policy add dir out src 10.9.0.1 dst 10.9.0.2 \
			tmpl src $src dst $dst proto esp reqid "$spi" mode tunnel
		run_in a python "$PY/packets.py" send $DIR/out
		run_in a postern policy flush dir out
	done
done
run_in b python "$PY/iiv.py" send $DIR/manifest.in
n=$(($(wc -l <$DIR/in) * ${#ALGORITHMS[@]}))
delivered() { [[ $(stat_of a in-delivered) = "$n" ]]; }
busywait 20 delivered || true
check "all came out" expect in-delivered "$n" "$(stat_of a in-delivered)"
check "nothing was dropped" drops_are a
check "accounts" accounts_balance a
capture_end
CAPTURE=$OUT
capture_end
cp $DIR/pcap.* $DIR/manifest.* "$RESULTS/"

python "$PY/iiv.py" open $DIR/pcap.out $DIR/manifest.out >$DIR/verdicts
python "$PY/iiv.py" check $DIR/pcap.in $DIR/manifest.in >>$DIR/verdicts
while read -r name verdict; do
	check "$name" expect "$name" ok "$verdict"
done <$DIR/verdicts
check "all were tried" expect SAs $((2 * ${#ALGORITHMS[@]})) "$(wc -l <$DIR/verdicts)"

new() { postern -n a state add src 10.0.0.1 dst "$1" proto "$2" spi 0x9000 mode tunnel extra-flag iiv "${@:3}"; }
for words in "aead rfc4106(gcm(aes)) $(hexkey 20) 96" "aead rfc4543(gcm(aes)) $(hexkey 20) 128" \
	"enc cbc(aes) $(hexkey 16) auth hmac(sha256) $(hexkey 32)" \
	"enc rfc3686(ctr(aes)) $(hexkey 20) auth hmac(sha256) $(hexkey 32)"; do
	# shellcheck disable=SC2086 # words
	check "not with ${words%% 0x*}" expect_fail -m 'flag iiv .*128 bits' new 10.0.0.2 esp $words
done
check "not with AH" expect_fail -m 'flag iiv' new 10.0.0.2 ah auth 'hmac(sha256)' "$(hexkey 32)"
check "not with multicast" expect_fail -m 'multicast' new 224.0.0.5 esp aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
