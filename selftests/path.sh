# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh and gateway.sh: a link in the middle is smaller than those at the
# ends, and only the router before it knows.
#
#	              1500          1400         1500
#	hosta ---- gwa ---- router ------- mid ------- gwb ---- hostb
#	        192.0.2.1     .254       203.0.113.2  198.51.100.2
#	         Postern    (Postern)     (XFRM)       XFRM

topo_path() {
	local n

	ns hosta gwa router mid gwb hostb
	link hosta lan gwa lan
	link gwa pub router west
	link router east mid west
	link mid east gwb pub
	link gwb lan hostb lan
	ip -n router link set east mtu 1400
	ip -n mid link set west mtu 1400
	ip -n gwb link set pub mtu 1400
	addr hosta lan 10.1.0.2/24 fd01::2/64
	addr gwa lan 10.1.0.1/24 fd01::1/64
	addr gwa pub 192.0.2.1/24 2001:db8:1::1/64
	addr router west 192.0.2.254/24 2001:db8:1::ff/64
	addr router east 203.0.113.1/24 2001:db8:3::1/64
	addr mid west 203.0.113.2/24 2001:db8:3::2/64
	addr mid east 198.51.100.254/24 2001:db8:2::ff/64
	addr gwb pub 198.51.100.2/24 2001:db8:2::2/64
	addr gwb lan 10.2.0.1/24 fd02::1/64
	addr hostb lan 10.2.0.2/24 fd02::2/64
	for n in gwa router mid gwb; do
		forward $n
	done
	ip -n hosta route add default via 10.1.0.1
	ip -n hosta route add default via fd01::1
	ip -n hostb route add default via 10.2.0.1
	ip -n hostb route add default via fd02::1
	ip -n gwa route add default via 192.0.2.254 src 10.1.0.1
	ip -n gwa route add default via 2001:db8:1::ff src fd01::1
	ip -n gwa route add 198.51.100.2 via 192.0.2.254
	ip -n gwa route add 2001:db8:2::2 via 2001:db8:1::ff
	ip -n router route add default via 203.0.113.2
	ip -n router route add default via 2001:db8:3::2
	ip -n mid route add default via 203.0.113.1
	ip -n mid route add default via 2001:db8:3::1
	ip -n gwb route add default via 198.51.100.254
	ip -n gwb route add default via 2001:db8:2::ff
}

# Addresses of the gateways; networks, and hosts in them.
# shellcheck disable=SC2034 # for the tests
OUT4=(192.0.2.1 198.51.100.2) OUT6=(2001:db8:1::1 2001:db8:2::2) \
	N4=(10.1.0.0/24 10.2.0.0/24 10.2.0.2 10.1.0.2) \
	N6=(fd01::/64 fd02::/64 fd02::2 fd01::2)

# Words of the SAs on both ends.
WORDS=()

# up esp|ah tunnel|transport A B NET_A NET_B
up() {
	local proto=$1 mode=$2 a=$3 b=$4 i src=$3 dst=$4 dir=out alg flags=(replay-window 32)

	alg=(auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128)
	[[ $proto = ah ]] || alg=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)
	[[ $mode = transport ]] || flags+=(flag af-unspec)
	for i in 1 2; do
		run_in gwa postern state add src "$src" dst "$dst" proto "$proto" spi "$(spi_of 1 $i)" \
			reqid 1 mode "$mode" dir $dir "${alg[@]}" "${WORDS[@]}"
		run_in gwb ip xfrm state add src "$src" dst "$dst" proto "$proto" spi "$(spi_of 1 $i)" \
			reqid 1 mode "$mode" "${flags[@]}" "${alg[@]}" "${WORDS[@]}"
		src=$b dst=$a dir=in
	done
	for i in gwa:postern:out:in gwb:ip\ xfrm:in:out; do
		IFS=: read -r n tool out in <<<"$i"
		# shellcheck disable=SC2086 # two words
		run_in $n $tool policy add dir "$out" src "$5" dst "$6" tmpl src "$a" dst "$b" \
			proto "$proto" reqid 1 mode "$mode"
		# shellcheck disable=SC2086
		run_in $n $tool policy add dir "$in" src "$6" dst "$5" tmpl src "$b" dst "$a" \
			proto "$proto" reqid 1 mode "$mode"
	done
	[[ $mode = transport ]] || run_in gwb ip xfrm policy add dir fwd src "$5" dst "$6" \
		tmpl src "$a" dst "$b" proto "$proto" reqid 1 mode "$mode"
}

down() {
	local n

	for n in gwa router; do
		run_in $n postern policy flush
		run_in $n postern state flush
	done
	for n in gwb mid; do
		run_in $n ip xfrm policy flush
		run_in $n ip xfrm state flush
	done
	forget_mtu hosta gwa router mid gwb hostb
}

# What the SA from gwa knows of its path; nothing when it knows nothing.
path_mtu() {
	ip netns exec gwa postern -j state list | jq -r '.[] | select(.dir == "out") | ."path-mtu" // empty'
}
path_mtu_is() { expect "path MTU of the SA" "$1" "$(path_mtu)"; }

# toobig MTU [WORD...]: the router says it of a packet of the SA of $TOOBIG, which are
# words of py/toobig.py; a ping behind it is answered when it was looked at.
toobig() {
	local router=192.0.2.254 to

	to=$(tr ' ' '\n' <<<"${TOOBIG[*]}" | sed -n 's/^src=//p')
	[[ $to != *:* ]] || router=2001:db8:1::ff
	run_in router python -B "$(dirname "$0")/../py/toobig.py" router=$router seq=1 to="$to" \
		mtu="$1" "${TOOBIG[@]}" "${@:2}"
	ping_ok router "$to"
}
