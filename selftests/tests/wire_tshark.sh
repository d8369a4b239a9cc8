#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What Postern puts on the wire with each algorithm that scapy or tshark know, opened by
# them: inside is the packet that was sent, octet by octet, and the ICV is theirs too.
#
# timeout: 600
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

DIR=/run/wire
PY=$(dirname "$0")/../py/packets.py

# Words of the SA, with Kn for a key of n octets; what scapy is told; what tshark calls
# the cipher and the ICV.
WEAK='extra-flag allow-weak'
SHA256='HMAC-SHA-256-128 [RFC4868]'
ALGORITHMS=(
	'gcm-256|aead rfc4106(gcm(aes)) K36 128|alg=gcm|AES-GCM with 16 octet ICV [RFC4106]|NULL'
	'gcm-96|aead rfc4106(gcm(aes)) K20 96||AES-GCM with 12 octet ICV [RFC4106]|NULL'
	'gcm-64|aead rfc4106(gcm(aes)) K28 64||AES-GCM with 8 octet ICV [RFC4106]|NULL'
	'ccm-128|aead rfc4309(ccm(aes)) K19 128|alg=ccm||'
	'ccm-96|aead rfc4309(ccm(aes)) K27 96|alg=ccm icv=12||'
	'ccm-64|aead rfc4309(ccm(aes)) K35 64|alg=ccm icv=8||'
	'chacha|aead rfc7539esp(chacha20,poly1305) K36 128|alg=chacha||'
	"ctr-128|enc rfc3686(ctr(aes)) K20 auth hmac(sha256) A32|alg=ctr|AES-CTR [RFC3686]|$SHA256"
	"ctr-192|enc rfc3686(ctr(aes)) K28 auth hmac(sha256) A32|alg=ctr|AES-CTR [RFC3686]|$SHA256"
	"ctr-256|enc rfc3686(ctr(aes)) K36 auth hmac(sha256) A32|alg=ctr|AES-CTR [RFC3686]|$SHA256"
	"3des|enc cbc(des3_ede) K24 auth hmac(sha256) A32 $WEAK|alg=3des|TripleDES-CBC [RFC2451]|$SHA256"
	'sha384|enc cbc(aes) K32 auth hmac(sha384) A48|alg=cbc authalg=SHA2-384-192 icv=24|AES-CBC [RFC3602]|HMAC-SHA-384-192 [RFC4868]'
	'sha512|enc cbc(aes) K32 auth hmac(sha512) A64|alg=cbc authalg=SHA2-512-256 icv=32|AES-CBC [RFC3602]|HMAC-SHA-512-256 [RFC4868]'
	'sha1|enc cbc(aes) K16 auth hmac(sha1) A20|alg=cbc authalg=HMAC-SHA1-96 icv=12|AES-CBC [RFC3602]|HMAC-SHA-1-96 [RFC2404]'
	"md5|enc cbc(aes) K16 auth hmac(md5) A16 $WEAK|alg=cbc authalg=HMAC-MD5-96 icv=12|AES-CBC [RFC3602]|HMAC-MD5-96 [RFC2403]"
	'cmac|enc cbc(aes) K16 auth cmac(aes) A16|alg=cbc authalg=AES-CMAC-96 icv=12||'
	'sha256-96|enc cbc(aes) K16 auth-trunc hmac(sha256) A32 96||AES-CBC [RFC3602]|HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]'
)

SPI=0x1000
# protected NAME PROTO WORDS SCAPY TSHARK-CIPHER TSHARK-ICV: packets through an SA of its own
protected() {
	local words=$3 key='' auth=''

	SPI=$(printf '0x%x' $((SPI + 1)))
	[[ ! $words =~ \ K([0-9]+) ]] || key=$(hexkey "${BASH_REMATCH[1]}")
	[[ ! $words =~ \ A([0-9]+) ]] || auth=$(hexkey "${BASH_REMATCH[1]}")
	words=${words/ K+([0-9])/ $key}
	words=${words/ A+([0-9])/ $auth}
	postern -n a -batch - <<-EOF
		state add src 10.0.0.1 dst 10.0.0.2 proto $2 spi $SPI reqid 1 mode tunnel dir out $words
		policy add dir out src 10.9.0.1 dst 10.9.0.2 tmpl src 10.0.0.1 dst 10.0.0.2 proto $2 reqid 1 mode tunnel
	EOF
	run_in a python "$PY" send $DIR/sent
	postern -n a policy flush
	postern -n a state flush
	[[ -z $4 ]] || echo "$2-$1 proto=$2 spi=$SPI mode=tunnel src=10.0.0.1 dst=10.0.0.2 $4 key=$key auth=$auth" \
		"sent=$DIR/sent" >>$DIR/manifest
	[[ -n $5 ]] || return 0
	echo "uat:esp_sa:\"IPv4\",\"10.0.0.1\",\"10.0.0.2\",\"$SPI\",\"$5\",\"$key\",\"$6\",\"$auth\"" >>$DIR/uat
	# SPI, good ICV, good checksum, payload
	awk -v spi="$(printf '0x%08x' "$SPI")" '$1 == "udp" { print spi, 1, 1, substr($2, 57) }' \
		$DIR/sent >>$DIR/tshark.want
}

shopt -s extglob
topo_pair
addr a lo 10.9.0.1/32
ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
load_postern
mkdir -p $DIR
run_in a python "$PY" make $DIR/sent 10.9.0.1 10.9.0.2
run_in b nft 'add table inet quiet; add chain inet quiet inward { type filter hook input priority 0; }
	add rule inet quiet inward meta l4proto { esp, ah } drop'
capture b veth0 $DIR/pcap 'ip proto 50 or ip proto 51'
for alg in "${ALGORITHMS[@]}"; do
	IFS='|' read -r name words scapy cipher icv <<<"$alg"
	protected "$name" esp "$words" "$scapy" "$cipher" "$icv"
	# and AH, where scapy has what makes the ICV
	[[ $scapy = *authalg=* ]] || continue
	protected "$name" ah "${words#enc * K* }" "alg=null ${scapy#alg=cbc }" '' ''
done
capture_end
cp $DIR/pcap $DIR/manifest $DIR/uat "$RESULTS/"
check "all packets were sent" drops_are a
check "accounts" accounts_balance a

python "$PY" open $DIR/pcap $DIR/manifest >$DIR/opened
while read -r name verdict; do
	check "scapy: $name" expect "$name" ok "$verdict"
done <$DIR/opened
check "scapy has seen all" expect SAs "$(wc -l <$DIR/manifest)" "$(wc -l <$DIR/opened)"

mapfile -t uat <$DIR/uat
# shellcheck disable=SC2046 # options
tshark -r $DIR/pcap -o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE \
	-o udp.check_checksum:TRUE "${uat[@]/#/-o}" -d udp.port==7777,data -Y 'esp && udp.srcport == 7000' \
	-T fields -E occurrence=l -E separator=' ' -e esp.spi -e esp.icv_good -e udp.checksum.status -e udp.payload \
	>$DIR/tshark.got 2>$DIR/tshark.log || cat $DIR/tshark.log
cp $DIR/tshark.got $DIR/tshark.want $DIR/tshark.log "$RESULTS/"
while read -r spi; do
	check "tshark: $(grep -o "^[a-z0-9-]* proto=esp spi=${spi/0x0000/0x}" $DIR/manifest || echo "$spi")" \
		cmp <(grep "^$spi" $DIR/tshark.want) <(grep "^$spi" $DIR/tshark.got)
done < <(awk '{ print $1 }' $DIR/tshark.want | uniq)
