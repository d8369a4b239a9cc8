#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Policies of several templates between Postern and XFRM: SA bundles, and tunnels in
# tunnels (RFC 4301 section 4.3).  What Postern sends by ESP alone,
# scapy opens layer by layer.
#
# timeout: 900
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"
. "$(dirname "$0")/../interop.sh"

PY=$(dirname "$0")/../py/packets.py
DIR=/run/wire
SPI=0x1000
PEER=xfrm
declare -A ENDS=(
	[in4]='10.9.0.1 10.9.0.2' [mid4]='10.8.0.1 10.8.0.2' [out4]='10.0.0.1 10.0.0.2'
	[in6]='fd09::1 fd09::2' [mid6]='fd08::1 fd08::2' [out6]='fd00::1 fd00::2'
)

# algorithm N PROTO: words of the N-th layer for both tools; sets those for scapy, and
# the octets of IV and ICV and the alignment.
algorithm() {
	KEY='' AUTH=''
	case $2-$(($1 % 3)) in
	esp-1)
		KEY=$(hexkey 20) ALG=gcm ROOM=(8 16 4)
		WORDS=(aead 'rfc4106(gcm(aes))' "$KEY" 128)
		;;
	esp-2)
		KEY=$(hexkey 16) AUTH=$(hexkey 32) ALG=cbc ROOM=(16 16 16)
		WORDS=(enc 'cbc(aes)' "$KEY" auth-trunc 'hmac(sha256)' "$AUTH" 128)
		;;
	esp-0)
		AUTH=$(hexkey 32) ALG=null ROOM=(0 16 4)
		WORDS=(enc 'ecb(cipher_null)' '' auth-trunc 'hmac(sha256)' "$AUTH" 128)
		;;
	ah-*)
		AUTH=$(hexkey 32) ALG=null ROOM=()
		WORDS=(auth-trunc 'hmac(sha256)' "$AUTH" 128)
		;;
	esac
}

# sa PROTO MODE SRC DST REQID: one on both ends.
sa() {
	SPI=$(printf '0x%x' $((SPI + 1)))
	set -- src "$3" dst "$4" proto "$1" spi "$SPI" reqid "$5" mode "$2" "${WORDS[@]}"
	run_in a postern state add "$@"
	if [[ $PEER = xfrm ]]; then
		run_in b ip xfrm state add "${@:1:12}" replay-window 1024 flag af-unspec "${WORDS[@]}"
	else
		run_in b postern state add "$@"
	fi
}

# bundle_up FROM LAYER...: PROTO/MODE or PROTO/MODE/ENDS, the innermost first.  Sets IN_A,
# IN_B, MTU to what fits into 1500 octets, and OPEN to what scapy needs, outermost first.
bundle_up() {
	local tool at=$1 layer proto mode ends src dst n=0 there=() back=() before between=() i header rooms=()

	read -r IN_A IN_B <<<"${ENDS[$1]}"
	OPEN=''
	for layer in "${@:2}"; do
		IFS=/ read -r proto mode ends <<<"$layer"
		at=${ends:-$at} n=$((n + 1))
		read -r src dst <<<"${ENDS[$at]}"
		header=20
		[[ $at = *4 ]] || header=40
		algorithm $n "$proto"
		sa "$proto" "$mode" "$dst" "$src" $n
		sa "$proto" "$mode" "$src" "$dst" $n
		# XFRM wants a policy for what leaves a tunnel, though it is protected still
		[[ $mode$n = transport* || $mode$n = tunnel1 ]] || between+=("$((n - 1)) $before")
		before="src $src dst $dst proto $proto"
		there+=(tmpl src "$src" dst "$dst" proto "$proto" reqid "$n" mode "$mode")
		back+=(tmpl src "$dst" dst "$src" proto "$proto" reqid "$n" mode "$mode")
		rooms=("$mode $header ${ROOM[*]}" "${rooms[@]}")
		OPEN="proto=$proto spi=$SPI mode=$mode src=$src dst=$dst alg=$ALG key=$KEY auth=$AUTH"$'\n'$OPEN
	done
	run_in a postern policy add dir out src "$IN_A" dst "$IN_B" "${there[@]}"
	run_in a postern policy add dir in src "$IN_B" dst "$IN_A" "${back[@]}"
	tool=(ip xfrm policy add)
	[[ $PEER = xfrm ]] || tool=(postern policy add)
	run_in b "${tool[@]}" dir in src "$IN_A" dst "$IN_B" priority 10 "${there[@]}"
	run_in b "${tool[@]}" dir out src "$IN_B" dst "$IN_A" priority 10 "${back[@]}"
	for i in "${between[@]}"; do
		# shellcheck disable=SC2086 # words
		[[ $PEER != xfrm ]] || run_in b "${tool[@]}" dir in ${i#* } priority 1 "${there[@]:11 * ${i%% *}}"
	done
	if [[ $PEER = xfrm && $at = out6 ]]; then
		for n in 135 136; do
			for i in in out; do
				run_in b ip xfrm policy add dir $i src ::/0 dst ::/0 proto ipv6-icmp type $n priority 1
			done
		done
	fi
	MTU=1500
	for i in "${rooms[@]}"; do
		read -r mode header ends <<<"$i"
		if [[ -n $ends ]]; then
			# shellcheck disable=SC2086 # numbers
			MTU=$(esp_mtu $MTU $header $ends)
		else
			MTU=$((MTU - header - 32))
		fi
		[[ $mode = tunnel ]] || MTU=$((MTU + header))
	done
}

# Packets for scapy: fragments are for tunnels, and options must not stand before AH.
wire() { # NAME FROM
	local skip=options,fragments line

	# AH inside of what it has opened scapy does not see
	[[ $OPEN != *proto=ah* ]] || return 0
	[[ -e $DIR/$2 ]] || run_in a python "$PY" make "$DIR/$2" "$IN_A" "$IN_B"
	capture a veth0 $DIR/one -Q out 'ip proto 50 or ip6[6] == 50 or ip proto 51 or ip6[6] == 51'
	# on one CPU, in order
	run_in a python "$PY" send "$DIR/$2" $skip
	capture_end
	# the packets, behind the header of the first file
	[[ -e $DIR/pcap ]] || head -c 24 $DIR/one >$DIR/pcap
	tail -c +25 $DIR/one >>$DIR/pcap
	while read -r line; do
		[[ -z $line ]] || echo "$1 $line sent=$DIR/$2 skip=$skip"
	done <<<"$OPEN" >>$DIR/manifest
}

# bundle NAME FROM LAYER...: wire first, so that numbers begin with 1.
bundle() {
	bundle_up "${@:2}"
	wire "${1// /-}" "$2"
	check "$1: ping" interop_pings 0 1400 5000
	check "$1: TCP from a" interop_tcp a b "$IN_B"
	check "$1: accounts" interop_accounts
	[[ $PEER = xfrm ]] || check "$1: accounts of b" accounts_balance b
	check "$1: the sender is told $MTU" fits_exactly a "$IN_B" "$MTU"
	interop_down
	run_in b postern policy flush
	run_in b postern state flush
	forget_mtu a b
}

# What XFRM cannot do: it looks at the ICV of AH behind ESP in transport mode while the IP
# header still says ESP, also at its own.
with_postern() {
	PEER=postern bundle "$@"
}

interop_start
addr a lo 10.8.0.1/32 fd08::1/128
addr b lo 10.8.0.2/32 fd08::2/128
ip -n a route add 10.8.0.2 via 10.0.0.2 src 10.8.0.1
ip -n a route add fd08::2 via fd00::2 src fd08::1
ip -n b route add 10.8.0.1 via 10.0.0.1 src 10.8.0.2
ip -n b route add fd08::1 via fd00::1 src fd08::2
mkdir -p $DIR

over() { # FAMILY
	local f=$1

	bundle "$f: AH over ESP" "out$f" esp/transport ah/transport
	with_postern "$f: ESP over AH" "out$f" ah/transport esp/transport
	bundle "$f: AH over a tunnel of ESP" "in$f" "esp/tunnel/out$f" ah/transport
	with_postern "$f: ESP over a tunnel of AH" "in$f" "ah/tunnel/out$f" esp/transport
}
nested() { # FAMILY
	local f=$1

	bundle "$f: ESP over ESP" "out$f" esp/transport esp/transport
	bundle "$f: transport in a tunnel" "in$f" esp/transport "esp/tunnel/out$f"
	bundle "$f: a tunnel in a tunnel" "in$f" "esp/tunnel/mid$f" "esp/tunnel/out$f"
	bundle "$f: a tunnel in a tunnel of the same ends" "in$f" "esp/tunnel/out$f" "esp/tunnel/out$f"
}
over 4
nested 6
# what the kernel's version has to do with it has shown by now
if [[ $LANE = debug ]]; then
	over 6
	nested 4
fi
bundle "4 in 6 in 4" in4 esp/tunnel/mid6 esp/tunnel/out4
bundle "6 in 4 in 6" in6 esp/tunnel/mid4 esp/tunnel/out6
bundle "five layers" in4 esp/transport ah/transport esp/tunnel/mid6 ah/transport esp/tunnel/out4
# of a policy of six templates XFRM takes nothing in
with_postern "six layers" in4 esp/transport ah/transport esp/tunnel/mid6 ah/transport esp/tunnel/out4 ah/transport

interop_end
python "$PY" open $DIR/pcap $DIR/manifest >$DIR/opened
while read -r name verdict; do
	check "scapy: $name" expect "$name" ok "$verdict"
done <$DIR/opened
check "scapy has seen all" expect "bundles" "$(cut -d' ' -f1 $DIR/manifest | uniq | wc -l)" "$(wc -l <$DIR/opened)"
