#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What Postern puts on the wire, opened by two implementations that are not ours and
# have the keys: scapy (ESP and AH) and tshark (ESP).  Inside is the packet that was
# sent, octet by octet; outside is the header that RFC 4301 says.
#
# timeout: 600
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

DIR=/run/wire
PY=$(dirname "$0")/../py/packets.py
SPI=0x1000

# protected PROTO MODE OUTER INNER ALGORITHM: packets from a, each through a new SA.
protected() {
	local proto=$1 mode=$2 outer=$3 inner=$4 alg=$5 src=10.0.0.1 dst=10.0.0.2 isrc=10.9.0.1 idst=10.9.0.2
	local key='' auth='' words skip='' sent=$2-$4 tshark

	[[ $outer = 4 ]] || src=fd00::1 dst=fd00::2
	[[ $inner = 4 ]] || isrc=fd09::1 idst=fd09::2
	[[ $mode = tunnel ]] || isrc=$src idst=$dst
	SPI=$(printf '0x%x' $((SPI + 1)))
	case $alg in
	gcm*)
		key=$(hexkey $((${alg#gcm} / 8 + 4)))
		words=(aead 'rfc4106(gcm(aes))' "$key" 128)
		tshark='"AES-GCM with 16 octet ICV [RFC4106]"'
		;;
	cbc*)
		key=$(hexkey $((${alg#cbc} / 8))) auth=$(hexkey 32)
		words=(enc 'cbc(aes)' "$key" auth-trunc 'hmac(sha256)' "$auth" 128)
		tshark='"AES-CBC [RFC3602]"'
		;;
	null)
		auth=$(hexkey 32)
		words=(auth-trunc 'hmac(sha256)' "$auth" 128)
		[[ $proto = ah ]] || words+=(enc 'ecb(cipher_null)' '')
		tshark='"NULL"'
		;;
	esac
	# fragments are for tunnels
	[[ $mode = tunnel ]] || skip=fragments
	run_in a postern state add src $src dst $dst proto "$proto" spi "$SPI" reqid 1 mode "$mode" dir out "${words[@]}"
	run_in a postern policy add dir out src $isrc dst $idst tmpl src $src dst $dst proto "$proto" reqid 1 mode "$mode"
	[[ -e $DIR/$sent ]] || run_in a python "$PY" make "$DIR/$sent" $isrc $idst
	run_in a python "$PY" send "$DIR/$sent" $skip
	run_in a postern policy flush
	run_in a postern state flush
	echo "$proto-$alg-$mode-${inner}in$outer proto=$proto spi=$SPI mode=$mode src=$src dst=$dst" \
		"alg=${alg//[0-9]/} key=$key auth=$auth sent=$DIR/$sent skip=$skip" >>$DIR/manifest
	[[ $proto = esp ]] || return 0
	echo "uat:esp_sa:\"IPv$outer\",\"$src\",\"$dst\",\"$SPI\",$tshark,\"$key\",$(
		[[ -z $auth ]] && echo '"NULL",""' || echo "\"HMAC-SHA-256-128 [RFC4868]\",\"$auth\"")" >>$DIR/uat
	# what tshark must find: SPI, good checksum, payload
	awk -v spi="$(printf '0x%08x' "$SPI")" -v head=$((inner == 4 ? 56 : 96)) '
		$1 == "udp" { print spi, 1, substr($2, head + 1) }' "$DIR/$sent" >>$DIR/tshark.want
}

topo_pair
addr a lo 10.9.0.1/32 fd09::1/128
ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
ip -n a route add fd09::2 via fd00::2 src fd09::1
load_postern
mkdir -p $DIR
# of what cannot be opened, b must not say anything
run_in b nft 'add table inet quiet; add chain inet quiet inward { type filter hook input priority 0; }
	add rule inet quiet inward meta l4proto { esp, ah } drop'
capture b veth0 $DIR/pcap 'ip proto 50 or ip6[6] == 50 or ip proto 51 or ip6[6] == 51'

for alg in gcm256 cbc256 null; do
	protected esp tunnel 4 4 $alg
	protected esp tunnel 4 6 $alg
	protected esp tunnel 6 4 $alg
	protected esp tunnel 6 6 $alg
	protected esp transport 4 4 $alg
	protected esp transport 6 6 $alg
done
protected esp tunnel 4 4 gcm128
protected esp tunnel 4 4 gcm192
protected esp tunnel 4 4 cbc128
protected esp tunnel 4 4 cbc192
protected ah tunnel 4 4 null
protected ah tunnel 4 6 null
protected ah tunnel 6 4 null
protected ah tunnel 6 6 null
protected ah transport 4 4 null
protected ah transport 6 6 null
capture_end
cp $DIR/pcap $DIR/manifest $DIR/uat "$RESULTS/"

check "all packets were sent" drops_are a
check "accounts" accounts_balance a

python "$PY" open $DIR/pcap $DIR/manifest >$DIR/opened
while read -r name verdict; do
	check "scapy: $name" expect "$name" ok "$verdict"
done <$DIR/opened
check "scapy has seen all" expect "SAs" "$(wc -l <$DIR/manifest)" "$(wc -l <$DIR/opened)"

mapfile -t uat <$DIR/uat
# shellcheck disable=SC2046 # options
tshark -r $DIR/pcap -o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE \
	-o udp.check_checksum:TRUE "${uat[@]/#/-o}" -d udp.port==7777,data -Y 'esp && udp.srcport == 7000' \
	-T fields -E occurrence=l -E separator=' ' -e esp.spi -e udp.checksum.status -e udp.payload \
	>$DIR/tshark.got 2>$DIR/tshark.log || cat $DIR/tshark.log
head -n 3 $DIR/tshark.got
check "tshark: all UDP payloads" cmp $DIR/tshark.want $DIR/tshark.got
