#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The header around a packet, on its way out and in: traffic class, TTL, DF, identification,
# flow label and mark, as RFC 4301 section 5.1.2 and RFC 6040 say and the SA asks for.
#
#	c veth0 --------- veth2 a veth0 --------------- veth0 b
#	10.3.0.2         10.3.0.1 10.0.0.1          10.0.0.2
#	fd03::2          fd03::1  fd00::1            fd00::2
#	                        a veth1 --------------- veth1 b
#	                          10.4.0.1          10.4.0.2
#	                          fd04::1            fd04::2
#
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

DIR=/run/outer
PY=$(dirname "$0")/../py/outer.py
NUMBER=0
AUTH=(auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128)

# way NAME FROM PROTO INNER OUTER [WORD...]: an SA of its own for a way of its own, from a
# or c by Postern, or from b by XFRM.
way() {
	local proto=$3 inner=$4 outer=$5 to=b src dst isrc idst spi words=() alg=("${AUTH[@]}") dir=out out=$DIR/postern

	NUMBER=$((NUMBER + 1))
	spi=$(printf '0x%x' $((0x3000 + NUMBER)))
	[[ $proto = ah ]] || alg+=(enc 'ecb(cipher_null)' '""')
	case $2-$outer in
	[ac]-4) src=10.0.0.1 dst=10.0.0.2 ;;
	[ac]-6) src=fd00::1 dst=fd00::2 ;;
	b-4) src=10.0.0.2 dst=10.0.0.1 to=a out=$DIR/xfrm ;;
	b-6) src=fd00::2 dst=fd00::1 to=a out=$DIR/xfrm ;;
	esac
	case $2-$inner in
	a-4) isrc=10.9.0.1 ;;
	a-6) isrc=fd09::1 ;;
	b-4) isrc=10.9.0.2 ;;
	b-6) isrc=fd09::2 ;;
	c-4) isrc=10.3.0.2 ;;
	c-6) isrc=fd03::2 ;;
	esac
	idst=10.$([[ $to = b ]] && echo 10 || echo 11).$NUMBER.1
	[[ $inner = 4 ]] || idst=fd$([[ $to = b ]] && echo 10 || echo 11)::$NUMBER
	[[ $2 != c ]] || words=(forwarded)
	echo "$1 $2 $spi $isrc $idst $outer ${*:6} ${words[*]}" >>$DIR/manifest
	[[ $2 = b ]] && dir='' || dir='dir out'
	echo "state add src $src dst $dst proto $proto spi $spi reqid $NUMBER mode tunnel $dir ${alg[*]} ${*:6}" >>"$out"
	echo "policy add dir out src $isrc dst $idst tmpl src $src dst $dst proto $proto reqid $NUMBER mode tunnel" >>"$out"
}

forge_start
mkdir -p $DIR
ns c
link a veth1 b veth1
link c veth0 a veth2
addr a veth1 10.4.0.1/24 fd04::1/64
addr b veth1 10.4.0.2/24 fd04::2/64
addr a veth2 10.3.0.1/24 fd03::1/64
addr c veth0 10.3.0.2/24 fd03::2/64
forward a
ip -n c route add 10.10.0.0/16 via 10.3.0.1
ip -n c route add fd10::/64 via fd03::1
ip -n a route add 10.10.0.0/16 via 10.0.0.2
ip -n a route add fd10::/64 via fd00::2
ip -n b route add 10.11.0.0/16 via 10.0.0.1
ip -n b route add fd11::/64 via fd00::1
# of what cannot be opened, nobody must say anything
run_in b nft 'add table inet quiet; add chain inet quiet inward { type filter hook input priority 0; }
	add rule inet quiet inward meta l4proto { esp, ah } drop'
run_in a nft 'add table inet quiet; add chain inet quiet inward { type filter hook input priority 0; }
	add rule inet quiet inward esp spi 0x3000-0x3fff drop'

# The way out.
for words in '' 'flag noecn' 'extra-flag dont-encap-dscp' 'flag noecn nopmtudisc extra-flag dont-encap-dscp' \
	'flag nopmtudisc' 'flag set-df' 'tos 0x48' 'tos 0x48 flag noecn' 'ttl 7' 'ttl inherit'; do
	# shellcheck disable=SC2086 # words
	for inner in 4 6; do
		for outer in 4 6; do
			way "${inner}in$outer-${words// /-}" a esp $inner $outer $words
		done
	done
done
way 6in6-label a esp 6 6 flowlabel 0xabcde
way 4in6-label a esp 4 6 flowlabel 0xabcde
way 6in6-no-label a esp 6 6 flowlabel 0
way ah-4in4 a ah 4 4 tos 0x48 flag set-df ttl 200
way ah-6in6 a ah 6 6 tos 0x48 flowlabel 1 ttl inherit
way forwarded-4in4 c esp 4 4 ttl inherit
way forwarded-6in6 c esp 6 6 ttl inherit
way forwarded-6in6-label c esp 6 6 flowlabel 0xabcde
pp postern -n a -batch $DIR/postern
capture b veth0 $DIR/pcap -Q in 'ip proto 50 or ip6[6] == 50 or ip proto 51 or ip6[6] == 51'
run_in a python "$PY" send $DIR/manifest a
run_in c python "$PY" send $DIR/manifest c
capture_end
for from in a c; do
	python "$PY" sent $DIR/manifest $from $DIR/pcap >$DIR/result
	while read -r name verdict; do
		check "out: $name" expect "$name" ok "$verdict"
	done <$DIR/result
done

# XFRM makes the same of the same words.
for words in 'flag af-unspec' 'flag af-unspec noecn' 'flag af-unspec extra-flag dont-encap-dscp' \
	'flag af-unspec nopmtudisc'; do
	# shellcheck disable=SC2086 # words
	for inner in 4 6; do
		for outer in 4 6; do
			way "${inner}in$outer-${words// /-}" b esp $inner $outer $words
		done
	done
done
sed 's/^/xfrm /' $DIR/xfrm >$DIR/xfrm.batch
pp ip -n b -batch $DIR/xfrm.batch
capture a veth0 $DIR/pcap.xfrm -Q in 'ip proto 50 or ip6[6] == 50'
run_in b python "$PY" send $DIR/manifest b
capture_end
python "$PY" sent $DIR/manifest b $DIR/pcap.xfrm >$DIR/result
while read -r name verdict; do
	check "XFRM: $name" expect "$name" ok "$verdict"
done <$DIR/result
pp ip -n b xfrm policy flush
check "nothing was dropped" drops_are a
run_in a postern policy flush
run_in a postern state flush

# The mark, and the route that it chooses.
run_in a nft 'add table inet marks; add counter inet marks five; add counter inet marks more
	add counter inet marks none; add counter inet marks seen
	add chain inet marks outward { type filter hook postrouting priority 300; }
	add rule inet marks outward oifname veth1 meta mark 0x5 meta l4proto esp counter name five
	add rule inet marks outward oifname veth0 meta mark 0x25 meta l4proto esp counter name more
	add rule inet marks outward oifname veth0 meta mark { 0x0, 0x20 } meta l4proto esp counter name none
	add chain inet marks inward { type filter hook input priority 0; }
	add rule inet marks inward udp dport 7777 meta mark 0x7 counter name seen'
for family in -4 -6; do
	pp ip -n a $family rule add fwmark 0x5 table 100
	pp ip -n a $family rule add fwmark 0x25 table main priority 10
done
pp ip -n a route add 10.0.0.2 via 10.4.0.2 dev veth1 table 100
pp ip -n a route add fd00::2 via fd04::2 dev veth1 table 100

# Packets by the nft counters, set to 0.
marks() {
	ip netns exec a nft -j reset counters |
		jq -r '[.nftables[].counter? | values | select(.packets > 0) | "\(.name)=\(.packets)"] | sort | join(" ")'
}

# marked MODE SRC DST WANT [WORD...]: two packets with mark 0x20 and two without.
marked() {
	local isrc=$2 idst=$3 mark

	case $1-$2 in
	tunnel-10.*) isrc=10.9.0.1 idst=10.10.99.1 ;;
	tunnel-fd*) isrc=fd09::1 idst=fd10::99 ;;
	esac
	run_in a postern state add src "$2" dst "$3" proto esp spi 0x4000 mode "$1" dir out \
		"${AUTH[@]}" enc 'ecb(cipher_null)' '' "${@:5}"
	run_in a postern policy add dir out src "$isrc" dst "$idst" tmpl src "$2" dst "$3" proto esp mode "$1"
	for mark in 32 0 32 0; do
		run_in a ping -n -q -c 1 -W 0.1 -I "$isrc" -m $mark "$idst" || true
	done
	run_in a postern policy flush
	run_in a postern state flush
	expect "packets" "$4" "$(marks)"
}
for i in '10.0.0.1 10.0.0.2' 'fd00::1 fd00::2'; do
	# shellcheck disable=SC2086 # words
	{
		check "no output mark, $i" marked tunnel $i none=4
		check "output mark, $i" marked tunnel $i five=4 output-mark 0x5
		check "output mark with a mask, $i" marked tunnel $i 'five=2 more=2' output-mark 0x5 mask 0xf
		check "output mark in transport mode, $i" marked transport $i more=4 output-mark 0x25
	}
done
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x4000 "${AUTH[@]}" enc 'ecb(cipher_null)' '' \
	output-mark 0x5 mask 0xf
check "an SA shows its mark" expect mark '\toutput-mark 0x5/0xf' \
	"$(ip netns exec a postern state | grep output-mark | sed 's/^\t/\\t/')"
run_in a postern state flush

# The way in.
names=()
received() { # NAME PROTO OUTER INNER [WORD...]
	forge_sa x "$2" tunnel "$3" "$4" null "${@:5}"
	forge_policy "$4"
	forge send x ecn=all "text=$1" >/dev/null
	for inner in 184 185 186 187; do
		for outer in 72 73 74 75; do
			((inner == 184 && outer == 75)) || echo "$1 $inner $outer"
		done
	done >>"$FORGE_DIR/want"
	busywait 10 cmp "$FORGE_DIR/want" "$FORGE_DIR/got" || true
	run_in a postern policy flush
	names+=("$1")
}
capture a veth0 $DIR/pcap.in -Q in 'udp port 7777'
received 4in4 esp 4 4
received 6in4 esp 4 6
received 4in6 esp 6 4
received 6in6 esp 6 6
received 4in4-noecn esp 4 4 flag noecn
received 4in4+ esp 4 4 flag decap-dscp
received 6in6+ esp 6 6 flag decap-dscp
received ah-4in4 ah 4 4
received ah-6in6 ah 6 6 flag noecn
capture_end
cp $DIR/pcap* $DIR/manifest "$RESULTS/"
python "$PY" received $DIR/pcap.in "${names[@]}" >$DIR/result
while read -r name verdict; do
	check "in: $name" expect "$name" ok "$verdict"
done <$DIR/result
check "each kind of drop is counted" drops_are a in-ecn=${#names[@]}
check "combinations that no tunnel makes are counted" \
	expect in-ecn-unused $((4 * ${#names[@]})) "$(stat_of a in-ecn-unused)"
marks >/dev/null
forge_sa x esp tunnel 4 4 null output-mark 0x7
forge_policy 4
check "what came in has its mark" good x
check "mark" expect packets seen=1 "$(marks)"
forge_end
