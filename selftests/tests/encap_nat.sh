#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ESP in UDP through a real NAT, Postern at one end and XFRM at the other: tunnel mode,
# transport mode, whose checksums no longer fit the addresses, and two clients at once.
#
#	c1 lan ----- lan1
#	10.1.1.1          \             192.0.2.254
#	fd01::1            nat pub ---- pub s      192.0.2.1
#	c2 lan ----- lan2 /             2001:db8::254  2001:db8::1
#	10.1.2.1
#	fd02::1
#
# The NAT gives port 4500 of c1 the port 21001, and of c2 21002.  In tunnels c1 is
# 10.99.0.1 and fd99::1, s is 10.88.0.1 and fd88::1.
#
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

PY=$(dirname "$0")/../py/encap.py
ns c1 c2 nat s
link c1 lan nat lan1
link c2 lan nat lan2
link nat pub s pub
addr c1 lan 10.1.1.1/24 fd01::1/64
addr c2 lan 10.1.2.1/24 fd02::1/64
addr nat lan1 10.1.1.254/24 fd01::fe/64
addr nat lan2 10.1.2.254/24 fd02::fe/64
addr nat pub 192.0.2.254/24 2001:db8::254/64
addr s pub 192.0.2.1/24 2001:db8::1/64
addr s lo 10.88.0.1/32 fd88::1/128
forward nat
for i in 1 2; do
	ip -n c$i route add default via 10.1.$i.254
	ip -n c$i route add default via fd0$i::fe
	addr c$i lo 10.99.0.$i/32 fd99::$i/128
	ip -n c$i route add 10.88.0.1 via 10.1.$i.254 src 10.99.0.$i
	ip -n c$i route add fd88::1 via fd0$i::fe src fd99::$i
done
ip -n s route add 10.99.0.0/24 via 192.0.2.254 src 10.88.0.1
ip -n s route add fd99::/64 via 2001:db8::254 src fd88::1
run_in nat nft 'add table inet t; add chain inet t post { type nat hook postrouting priority srcnat; }
	add rule inet t post ip saddr 10.1.1.1 udp sport 4500 snat ip to 192.0.2.254:21001
	add rule inet t post ip saddr 10.1.2.1 udp sport 4500 snat ip to 192.0.2.254:21002
	add rule inet t post ip6 saddr fd01::1 udp sport 4500 snat ip6 to [2001:db8::254]:21001
	add rule inet t post ip6 saddr fd02::1 udp sport 4500 snat ip6 to [2001:db8::254]:21002'
# shellcheck disable=SC2119
load_postern
mkdir -p /run/nat
head -c 100000 /dev/urandom >/run/nat/data

# ipsec NS WORDS...: by whom this end is
ipsec() {
	case ${KIND[$1]} in
	postern) run_in "$1" postern "${@:2}" ;;
	xfrm) run_in "$1" ip xfrm "${@:2}" ;;
	esac
}
declare -A KIND=()

# sa NS SRC DST SPI SPORT DPORT [ORIGINAL]
sa() {
	ipsec "$1" state add src "$2" dst "$3" proto esp spi "$4" reqid "$REQID" mode "$MODE" replay-window 1024 \
		aead 'rfc4106(gcm(aes))' "$KEY" 128 encap espinudp "$5" "$6" "${7:-0.0.0.0}"
}

# policy NS DIR SRC DST [WORD...]: TMPL_SRC and TMPL_DST
policy() {
	ipsec "$1" policy add dir "$2" src "$3" dst "$4" "${@:5}" tmpl src "$TMPL_SRC" dst "$TMPL_DST" proto esp \
		reqid "$REQID" mode "$MODE"
}

# client NUMBER MODE FAMILY [original]: SAs, at the server with the address, and policies at both ends, for TCP to port 5000 + NUMBER.
client() {
	local i=$1 c=c$1 priv nat=192.0.2.254 s=192.0.2.1 from to spi=$((0x1000 * $1)) seen

	MODE=$2 REQID=$1 TCP=$((5000 + $1))
	priv=10.1.$i.1 from=10.99.0.$i to=10.88.0.1
	[[ $3 = 4 ]] || priv=fd0$i::1 nat=2001:db8::254 s=2001:db8::1 from=fd99::$i to=fd88::1
	seen=$from
	[[ $MODE = tunnel ]] || from=$priv to=$s seen=$nat
	KEY=$(hexkey 20)
	sa "$c" "$priv" $s $((spi + 1)) 4500 4500
	sa s $nat $s $((spi + 1)) $((21000 + i)) 4500 ${4:+"$priv"}
	KEY=$(hexkey 20)
	sa s $s $nat $((spi + 2)) 4500 $((21000 + i))
	sa "$c" $s "$priv" $((spi + 2)) 4500 4500
	TMPL_SRC=$priv TMPL_DST=$s
	policy "$c" out "$from" $to proto tcp dport $TCP
	TMPL_SRC=$s TMPL_DST=$priv
	policy "$c" in $to "$from" proto tcp sport $TCP
	TMPL_SRC=$nat TMPL_DST=$s
	policy s in "$seen" $to proto tcp dport $TCP
	TMPL_SRC=$s TMPL_DST=$nat
	policy s out $to "$seen" proto tcp sport $TCP
	TO=$to
}

# data NUMBER: both ways over one connection
data() {
	local to=$TO pf=4 tcp=$((5000 + $1))

	[[ $to != *:* ]] || pf=6 to=[$to]
	background s socat -t 60 TCP$pf-LISTEN:$tcp,reuseaddr "/run/nat/data!!CREATE:/run/nat/server.$1"
	wait_listen s tcp $tcp || return 1
	run_in "c$1" timeout 120 socat -t 60 "/run/nat/data!!CREATE:/run/nat/client.$1" "TCP$pf:$to:$tcp" || return 1
	wait "$BACKGROUND" || return 1
	cmp /run/nat/data "/run/nat/server.$1" && cmp /run/nat/data "/run/nat/client.$1"
}

down() {
	local n

	for n in "$@"; do
		ipsec "$n" policy flush
		ipsec "$n" state flush
	done
}

# Senders were told what does not fit; what came for SAs that were gone, or is for XFRM,
# names none.
balanced() { drops_are "$1" out-too-big='*' unknown-spi='*' && accounts_balance "$1"; }

# What goes to the server by UDP, all of it from the ports of the NAT.
capture nat pub /run/nat.pcap -Q out -s 200 udp or tcp
for family in 4 6; do
	for mode in tunnel transport; do
		n="$mode IPv$family"
		KIND=([c1]=xfrm [c2]=xfrm [s]=postern)
		for i in 1 2; do
			background c$i /usr/bin/python3 "$PY" xfrm 4500 >/dev/null
			IKE[i]=$BACKGROUND
			wait_listen c$i udp 4500
			client $i $mode $family
		done
		check "$n, to Postern: first of two clients" data 1
		check "$n, to Postern: second of two clients" data 2
		check "$n, to Postern: first again" data 1
		check "$n, to Postern: accounts" balanced s
		kill "${IKE[@]}"
		down c1 c2 s

		KIND=([c1]=postern [s]=xfrm)
		background s /usr/bin/python3 "$PY" xfrm 4500 >/dev/null
		IKE[0]=$BACKGROUND
		wait_listen s udp 4500
		client 1 $mode $family
		check "$n, from Postern: data" data 1
		check "$n, from Postern: accounts" balanced c1
		kill "${IKE[0]}"
		down c1 s
	done
done
capture_end

# What the checksum of the client's TCP and UDP looks like behind the NAT.
sums() { # FAMILY: right and wrong ones of what came out of the SA
	tcpdump -n -vv -r "$RESULTS/sums.$1" 2>/dev/null | tr '\n' ' ' | grep -oE 'cksum 0x[0-9a-f]+ \((correct|incorrect)|udp sum ok|bad udp cksum' |
		sed 's/.*(//' | sort | uniq -c | awk '{ $1 = ""; print }' | xargs
}
for family in 4 6; do
	for how in '' original; do
		KIND=([c1]=xfrm [s]=postern)
		background c1 /usr/bin/python3 "$PY" xfrm 4500 >/dev/null
		IKE[0]=$BACKGROUND
		wait_listen c1 udp 4500
		client 1 transport $family $how
		run_in c1 ethtool -K lan tx off >/dev/null
		# what GRO has put together has a checksum for a device to complete
		capture s pub "$RESULTS/sums.$family$how" -Q in tcp and less 1600
		check "transport IPv$family, ${how:-no} address: data" data 1
		capture_end
		want=incorrect
		[[ -z $how ]] || want=correct
		check "transport IPv$family, ${how:-no} address: checksums" expect "sums" $want "$(sums $family$how)"
		kill "${IKE[0]}"
		down c1 s
	done
done
check "all that came was ESP in UDP from the NAT" expect packets "$(packets_in /run/nat.pcap)" \
	"$(tcpdump -n -r /run/nat.pcap 2>/dev/null | grep -cE ' (192.0.2.254|2001:db8::254)\.2100[12] > .*4500: UDP-encap: ESP')"
