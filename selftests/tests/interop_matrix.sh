#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every algorithm with every length of key and ICV, in every mode and family, ESP and AH,
# with and without extended sequence numbers and encapsulation in UDP, between Postern and
# XFRM: datagrams with each padding go there and come back, and each flow has SAs and
# policies of its own, hundreds loaded at once.
#
#	         a (Postern)                    b (XFRM)
#	flow     10.91.X.N, fd91::X:N           10.92.X.N, fd92::X:N     X: axes, N: algorithm
#
# timeout: 900
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

DIR=/run/matrix
PY=$(dirname "$0")/../py/matrix.py

# The axes.  Fields are separated by |; Kn is a fresh key of n octets.

# mode, family of the outer and of the inner header
MODES=('tunnel|4|4' 'tunnel|6|6' 'tunnel|4|6' 'tunnel|6|4' 'transport|4|4' 'transport|6|6')

# name, protocols, words for both ends, for Postern only, for XFRM only
# those of ESN pass 2^32
ESN='flag esn replay-seq 0xfffffff8 replay-oseq 0xfffffff8'
UDP='encap espinudp 4500 4500 0.0.0.0'
VARIANTS=('plain|esp ah|||' "esn|esp ah|$ESN||" "udp|esp|$UDP||" "udp-esn|esp|$UDP $ESN||")

# name, words for both ends, for Postern only
WEAK='extra-flag allow-weak'
AUTHS=(
	'sha256-128|auth-trunc hmac(sha256) K32 128'
	'sha256-96|auth-trunc hmac(sha256) K32 96'
	'sha256-256|auth-trunc sha256 K32 256'
	'sha384-192|auth-trunc hmac(sha384) K48 192'
	'sha384-384|auth-trunc hmac(sha384) K48 384'
	'sha512-256|auth-trunc hmac(sha512) K64 256'
	'sha512-512|auth-trunc hmac(sha512) K64 512'
	'sha1-96|auth hmac(sha1) K20'
	'sha1-160|auth-trunc sha1 K20 160'
	'xcbc-96|auth xcbc(aes) K16'
	'xcbc-128|auth-trunc xcbc(aes) K16 128'
	'cmac-96|auth cmac(aes) K16'
	'cmac-128|auth-trunc cmac(aes) K16 128'
	'sm3-256|auth-trunc hmac(sm3) K32 256'
	'sm3-128|auth-trunc sm3 K32 128'
	"md5-96|auth hmac(md5) K16|$WEAK"
	"md5-128|auth-trunc md5 K16 128|$WEAK"
)
SHA='auth-trunc hmac(sha256) K32 128'
CIPHERS=(
	'gcm-128|aead rfc4106(gcm(aes)) K20 128'
	'gcm-192|aead rfc4106(gcm(aes)) K28 128'
	'gcm-256|aead rfc4106(gcm(aes)) K36 128'
	'gcm-256-96|aead rfc4106(gcm(aes)) K36 96'
	'gcm-256-64|aead rfc4106(gcm(aes)) K36 64'
	'ccm-128-64|aead rfc4309(ccm(aes)) K19 64'
	'ccm-128-96|aead rfc4309(ccm(aes)) K19 96'
	'ccm-128|aead rfc4309(ccm(aes)) K19 128'
	'ccm-192|aead rfc4309(ccm(aes)) K27 128'
	'ccm-256|aead rfc4309(ccm(aes)) K35 128'
	'chacha|aead rfc7539esp(chacha20,poly1305) K36 128'
	'gmac-128|aead rfc4543(gcm(aes)) K20 128'
	'gmac-192|aead rfc4543(gcm(aes)) K28 128'
	'gmac-256|aead rfc4543(gcm(aes)) K36 128'
	"cbc-128|enc cbc(aes) K16 $SHA"
	"cbc-192|enc aes K24 $SHA"
	"cbc-256|enc cbc(aes) K32 $SHA"
	"ctr-128|enc rfc3686(ctr(aes)) K20 $SHA"
	"ctr-192|enc rfc3686(ctr(aes)) K28 $SHA"
	"ctr-256|enc rfc3686(ctr(aes)) K36 $SHA"
	"camellia-128|enc cbc(camellia) K16 $SHA"
	"camellia-192|enc camellia K24 $SHA"
	"camellia-256|enc cbc(camellia) K32 $SHA"
	"sm4|enc cbc(sm4) K16 $SHA"
	"3des|enc cbc(des3_ede) K24 $SHA|$WEAK"
	"null|enc ecb(cipher_null) '' $SHA"
)

# Algorithms for ESP and for AH: what of the above can be combined.
ESP=("${CIPHERS[@]}" "${AUTHS[@]/|/|enc cbc(aes) K16 }")
AH=("${AUTHS[@]}")

# with_keys WORDS: sets WORDS.  A process for each key would take longer than the test.
mkdir -p $DIR
od -An -vtx1 -N 1000000 /dev/urandom | tr -d ' \n' >$DIR/random
exec {RANDOM_HEX}<$DIR/random
with_keys() {
	local key

	WORDS=$1
	while [[ $WORDS =~ (.*)\ K([0-9]+)(.*) ]]; do
		read -r -N $((2 * BASH_REMATCH[2])) -u "$RANDOM_HEX" key
		WORDS="${BASH_REMATCH[1]} 0x$key${BASH_REMATCH[3]}"
	done
}

# available PROTO NAME WORDS FLAGS: both ends have the algorithm, or neither: then Postern
# names what the kernel lacks.
available() {
	local sa="state add src 10.0.0.1 dst 10.0.0.2 proto $1 spi 0x1000 mode tunnel" said a=0 b=0

	said=$(postern -n a -batch - 2>&1 <<<"$sa $3 $4") || a=$?
	ip -n b -batch - <<<"xfrm $sa $3" 2>/dev/null || b=$?
	ip netns exec a postern state flush
	ip -n b xfrm state flush
	((a || b)) || return 0
	# shellcheck disable=SC2016 # no $
	check "$1-$2: lacking, which is said" eval '((a && b)) && [[ $said =~ lacks\ .*\ of\ CRYPTO_ ]]' || say "$said"
	return 1
}

# flow NAME PROTO MODE OUTER INNER N WORDS FLAGS_A FLAGS_B: into the batches.
flow() {
	local name=$1 proto=$2 mode=$3 outer=$4 inner=$5 words=$7 a=$8 b=$9 i src dst osrc odst sa tmpl spi
	local least=0
	local -A other=([in]=out [out]=in)

	FLOW=$((FLOW + 1)) spi=$FLOW
	src=10.91.$AXES.$6 dst=10.92.$AXES.$6 osrc=10.0.0.1 odst=10.0.0.2
	[[ $inner = 4 ]] || src=fd91::$AXES:$6 dst=fd92::$AXES:$6
	[[ $outer = 4 ]] || osrc=fd00::1 odst=fd00::2
	[[ $mode = tunnel ]] || osrc=$src odst=$dst
	[[ $mode = transport ]] || b="$b flag af-unspec"
	# XFRM loses ESP of less than 40 octets that comes in UDP over IPv6
	[[ $name != *-udp*-transport-6in6 ]] || least=4
	echo "$name $src $dst $least" >>$DIR/flows
	for i in out in; do
		with_keys "$words"
		spi=$((spi + 0x10000))
		sa="src $osrc dst $odst proto $proto"
		tmpl="src $src dst $dst dir $i tmpl $sa reqid $FLOW mode $mode"
		sa="$sa spi $spi reqid $FLOW mode $mode"
		echo "state add $sa dir $i $WORDS $a" >>$DIR/a
		echo "policy add $tmpl" >>$DIR/a
		echo "xfrm state add $sa replay-window 1024 $WORDS $b" >>$DIR/b
		echo "xfrm policy add ${tmpl/dir $i/dir ${other[$i]}}" >>$DIR/b
		set -- "$osrc" "$src"
		osrc=$odst odst=$1 src=$dst dst=$2
	done
}

# usable PROTO ALGORITHM...: sets USABLE to those that both ends have.
usable() {
	local alg name words flags proto=$1

	shift
	USABLE=()
	for alg; do
		IFS='|' read -r name words flags <<<"$alg"
		with_keys "$words"
		! available "$proto" "$name" "$WORDS" "$flags" || USABLE+=("$alg")
	done
}

# flows PROTO VARIANT ALGORITHM...
flows() {
	local proto=$1 alg mode n=0 name words flags vname protos both a b m outer inner axes=$AXES

	IFS='|' read -r vname protos both a b <<<"$2"
	[[ " $protos " = *" $proto "* ]] || return 0
	for alg in "${@:3}"; do
		IFS='|' read -r name words flags <<<"$alg"
		n=$((n + 1)) AXES=$axes
		for mode in "${MODES[@]}"; do
			IFS='|' read -r m outer inner <<<"$mode"
			AXES=$((AXES + 1))
			flow "$proto-$name-$vname-$m-${inner}in$outer" "$proto" "$m" "$outer" "$inner" \
				$n "$words $both" "$flags $a" "$b"
		done
	done
}

# all_flows VARIANT: loaded at once, tried one after the other.
all_flows() {
	local name=${1%%|*} verdict flow

	FLOW=0 AXES=0
	rm -f $DIR/a $DIR/b $DIR/flows
	flows esp "$1" "${ESP[@]}"
	flows ah "$1" "${AH[@]}"
	cp $DIR/a "$RESULTS/a.$name"
	cp $DIR/b "$RESULTS/b.$name"
	check "$name: all of Postern's are taken" run_in a postern -batch $DIR/a
	check "$name: all of XFRM's are taken" run_in b ip -batch $DIR/b
	ip netns exec a /usr/bin/python3 "$PY" talk $DIR/flows >$DIR/verdicts
	while read -r flow verdict; do
		check "$flow" expect "$flow" ok "$verdict"
	done <$DIR/verdicts
	check "$name: all flows were tried" expect flows "$FLOW" "$(wc -l <$DIR/verdicts)"
	ip netns exec a postern -j -s state list >$DIR/sas
	# 18 datagrams each way
	check "$name: each through its own SAs" expect "SAs, packets" "$((2 * FLOW)) 18" \
		"$(jq -r '.[].usage.packets' $DIR/sas | sort | uniq -c | xargs)"
	[[ $name != *esn ]] || check "$name: all have passed 2^32" expect SAs "$FLOW" \
		"$(jq '[.[] | select(.dir == "out" and .replay.oseq >= 4294967296)] | length' $DIR/sas)"
	check "$name: accounts" interop_accounts
	interop_down
}

interop_start 'udp port 4500'
background b /usr/bin/python3 "$(dirname "$0")/../py/encap.py" xfrm 4500
wait_listen b udp 4500
for n in a b; do
	ip netns exec $n sysctl -qw net.ipv6.ip_nonlocal_bind=1
	[[ $n = a ]] && i=1 o=2 || i=2 o=1
	ip -n $n route add local "10.9$i.0.0/16" dev lo
	ip -n $n route add local "fd9$i::/64" dev lo
	ip -n $n route add "10.9$o.0.0/16" via "10.0.0.$o"
	ip -n $n route add "fd9$o::/64" via "fd00::$o"
done
background b /usr/bin/python3 "$PY" serve
wait_listen b udp 7000
usable esp "${ESP[@]}"
ESP=("${USABLE[@]}")
usable ah "${AH[@]}"
AH=("${USABLE[@]}")
for variant in "${VARIANTS[@]}"; do
	all_flows "$variant"
done

# The IV of counter modes is the number, which belongs to the key that takes it as IV.
ctr="enc rfc3686(ctr(aes)) $(hexkey 20)"
for i in 1 2; do
	postern -n a -batch - <<<"state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x900$i dir out mode tunnel \
		replay-oseq $((i == 1 ? 7 : 0)) $ctr auth hmac(sha256) $(hexkey 32)"
done
check "two SAs with one key for AES-CTR draw from one counter" expect oseq 7 \
	"$(postern -n a -j state get dst 10.0.0.2 proto esp spi 0x9002 | jq '.. | .oseq? // empty')"
interop_end
