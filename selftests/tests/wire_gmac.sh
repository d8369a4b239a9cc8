#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# AH with AES-GMAC (RFC 4543 section 4) between two Posterns; Python computes the ICV of
# each packet on the cable anew, since XFRM and scapy have no such AH.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

DIR=/run/gmac
PY=$(dirname "$0")/../py/gmac.py
SPI=0x1000

topo_pair
addr a lo 10.9.0.1/32 fd09::1/128
addr b lo 10.9.0.2/32 fd09::2/128
ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
ip -n a route add fd09::2 via fd00::2 src fd09::1
ip -n b route add 10.9.0.1 via 10.0.0.1 src 10.9.0.2
ip -n b route add fd09::1 via fd00::1 src fd09::2
load_postern
mkdir -p $DIR
# what is too large leaves in fragments, whose ICV is over the whole
capture b veth0 $DIR/pcap '(ip proto 51 and ip[6:2] & 0x3fff = 0) or ip6[6] == 51'

# ends NAME MODE OUTER INNER OCTETS HEADER [WORD...]: SAs both ways, pings, and in the
# manifest what Python needs; HEADER is the length of AH.
ends() {
	local src dst isrc idst key n dir words=("${@:7}") esn=0

	src=10.0.0.1 dst=10.0.0.2 isrc=10.9.0.1 idst=10.9.0.2
	[[ $3 = 4 ]] || src=fd00::1 dst=fd00::2
	[[ $4 = 4 ]] || isrc=fd09::1 idst=fd09::2
	[[ $2 = tunnel ]] || isrc=$src idst=$dst
	[[ " ${words[*]} " != *' esn '* ]] || esn=1
	for dir in out in; do
		SPI=$(printf '0x%x' $((SPI + 1))) key=$(hexkey "$5")
		for n in a b; do
			run_in $n postern state add src "$src" dst "$dst" proto ah spi "$SPI" reqid 1 mode "$2" \
				aead 'rfc4543(gcm(aes))' "$key" 128 "${words[@]}"
			run_in $n postern policy add dir "$dir" src "$isrc" dst "$idst" \
				tmpl src "$src" dst "$dst" proto ah reqid 1 mode "$2"
			dir=$([[ $dir = out ]] && echo in || echo out)
		done
		echo "$1-$dir $SPI $key $esn $6" >>$DIR/manifest
		n=$src src=$dst dst=$n n=$isrc isrc=$idst idst=$n
	done
	for n in 0 1 56 1300 5000; do
		check "$1: ping of $n octets" ping_ok a "$idst" -s $n
	done
	for n in a b; do
		run_in $n postern policy flush
		run_in $n postern state flush
	done
}
ends transport-4 transport 4 4 20 40
ends transport-6 transport 6 6 28 40
ends tunnel-4in6 tunnel 6 4 36 40
ends tunnel-6in4 tunnel 4 6 36 40
ends align4 tunnel 4 4 20 36 flag align4
ends esn transport 4 4 20 40 flag esn replay-oseq 0xfffffffd replay-seq 0xfffffffd
ends esn-6 tunnel 6 6 20 40 flag esn replay-oseq 0xfffffffd replay-seq 0xfffffffd
capture_end
cp $DIR/pcap $DIR/manifest "$RESULTS/"
for n in a b; do
	check "$n: nothing was dropped" drops_are $n out-too-big='*'
	check "$n: accounts" accounts_balance $n
done
python "$PY" $DIR/pcap $DIR/manifest >$DIR/verdicts
while read -r name verdict; do
	check "$name" expect "$name" ok "$verdict"
done <$DIR/verdicts
check "all were seen" expect SAs "$(wc -l <$DIR/manifest)" "$(wc -l <$DIR/verdicts)"

# Another key at the other end.
for n in a b; do
	run_in $n postern state add src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x9000 mode transport \
		aead 'rfc4543(gcm(aes))' "$(hexkey 20)" 128
done
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 tmpl proto ah mode transport
check "another key" ping_lost a 10.0.0.2
check "another key is a wrong ICV" drops_are b out-too-big='*' in-icv=1

refuse() { expect_fail -m "$1" postern -n a state add src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x9001 "${@:2}"; }
check "AH takes no other combined mode" refuse 'AH takes one authentication' aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
check "AH takes one algorithm" refuse 'AH takes one authentication' aead 'rfc4543(gcm(aes))' "$(hexkey 20)" 128 \
	auth 'hmac(sha256)' "$(hexkey 32)"
check "who shares a key shares its IVs" expect_fail -m 'counter mode' postern -n a state add src 0.0.0.0 dst 10.0.0.2 \
	proto ah spi 0x9002 mode transport aead 'rfc4543(gcm(aes))' "$(hexkey 20)" 128
