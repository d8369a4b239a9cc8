#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# IPComp (RFC 3173) inside ESP between Postern and XFRM: both modes, what becomes smaller and
# what does not.  XFRM takes no tunnels of mixed families.
#
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"
. "$(dirname "$0")/../interop.sh"

# sas SRC DST MODE N: of IPComp and ESP, on both ends.
sas() {
	local src=$1 dst=$2 dir=in key flags=()

	[[ $src != "$OUT_A" ]] || dir=out
	[[ $3 = transport ]] || flags=(flag af-unspec)
	key=$(hexkey 20)
	run_in a postern state add src "$src" dst "$dst" proto comp spi $((4095 + $4)) reqid 1 mode "$3" dir $dir comp deflate
	run_in b ip xfrm state add src "$src" dst "$dst" proto comp spi $((4095 + $4)) reqid 1 mode "$3" "${flags[@]}" comp deflate
	set -- src "$src" dst "$dst" proto esp spi 0x100"$4" reqid 1 mode transport
	run_in a postern state add "$@" dir $dir aead 'rfc4106(gcm(aes))' "$key" 128
	run_in b ip xfrm state add "$@" replay-window 1024 aead 'rfc4106(gcm(aes))' "$key" 128
}

# policy SRC DST OUTER_SRC OUTER_DST MODE: as strongSwan makes them.
policy() {
	local tmpl=(proto comp reqid 1 mode "$5") esp=(proto esp reqid 1 mode transport) from=in
	local ends=(tmpl src "$3" dst "$4") in=() out=()

	[[ $1 != "$IN_A" ]] || from=out
	out=("${ends[@]}" "${tmpl[@]}" "${ends[@]}" "${esp[@]}")
	in=("${ends[@]}" "${tmpl[@]}" level use "${ends[@]}" "${esp[@]}")
	if [[ $from = out ]]; then
		run_in a postern policy add src "$1" dst "$2" dir out "${out[@]}"
		run_in b ip xfrm policy add src "$1" dst "$2" dir in priority 10 "${in[@]}"
	else
		run_in a postern policy add src "$1" dst "$2" dir in "${in[@]}"
		run_in b ip xfrm policy add src "$1" dst "$2" dir out priority 10 "${out[@]}"
	fi
}

# size END: octets of the largest packet that it sent.
size() {
	tcpdump -n -r "$INTEROP_DIR/size.$1" 2>/dev/null | sed -n 's/.* length \([0-9]*\).*/\1/p' | sort -n | tail -n 1
}

# smaller: a thousand zeros are no thousand octets on the cable, either way.
smaller() {
	local one

	capture a veth0 "$INTEROP_DIR/size.a" -Q out 'ip proto 50 or ip6[6] == 50'
	one=$CAPTURE
	capture b veth0 "$INTEROP_DIR/size.b" -Q out 'ip proto 50 or ip6[6] == 50'
	ping_ok a "$IN_B" -s 1000 -p 00
	capture_end
	CAPTURE=$one
	capture_end
	say "a sent $(size a) octets of ESP, b $(size b)"
	(($(size a) > 40 && $(size a) < 200 && $(size b) < 200))
}

comp() { # NAME MODE OUTER INNER
	local head=0 outer=20 type i sizes=(0 1 56 100 1400 5000)

	interop_addresses "$2" "$3" "$4"
	[[ $3 = 4 ]] || outer=40
	[[ $2 = tunnel ]] || head=$outer
	if [[ $2 = transport && $3 = 6 ]]; then
		for type in 135 136; do
			for i in in out; do
				ip -n b xfrm policy add dir $i src ::/0 dst ::/0 proto ipv6-icmp type $type priority 1
			done
		done
	fi
	sas "$OUT_A" "$OUT_B" "$2" 1
	sas "$OUT_B" "$OUT_A" "$2" 2
	policy "$IN_A" "$IN_B" "$OUT_A" "$OUT_B" "$2"
	policy "$IN_B" "$IN_A" "$OUT_B" "$OUT_A" "$2"
	# fragments of which it has unpacked one XFRM does not put together (Linux 7.3)
	[[ $1 != "tunnel 6in6" ]] || sizes=(0 1 56 100 1300)
	check "$1: ping" interop_pings "${sizes[@]}"
	check "$1: it becomes smaller" smaller
	check "$1: TCP" interop_tcp a b "$IN_B"
	check "$1: accounts" interop_accounts
	check "$1: the sender is told what fits" fits_exactly a "$IN_B" $(($(esp_mtu 1500 $outer 8 16 4) + head))
	interop_down
	forget_mtu a b
}

interop_start
comp "transport 4" transport 4 4
comp "transport 6" transport 6 6
comp "tunnel 4in4" tunnel 4 4
comp "tunnel 6in6" tunnel 6 6
interop_end
