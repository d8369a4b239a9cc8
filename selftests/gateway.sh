# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh: tunnels of AES-GCM between Postern in one namespace and the
# stock kernel's XFRM in another, and what flows through them.

# Of a tunnel with number N, reqid is N and the SPIs are 0xN01 there and 0xN02 back.
spi_of() { printf '0x%x\n' $(($1 * 256 + 0x1000 + $2)); }

# postern_sas NS N SRC DST MODE [WORD...]: both SAs, seen from SRC; keys in KEY_OUT, KEY_IN.
postern_sas() {
	local ns=$1 n=$2 src=$3 dst=$4 mode=$5

	shift 5
	KEY_OUT=$(hexkey 20) KEY_IN=$(hexkey 20)
	run_in "$ns" postern state add src "$src" dst "$dst" proto esp spi "$(spi_of "$n" 1)" reqid "$n" \
		mode "$mode" dir out aead 'rfc4106(gcm(aes))' "$KEY_OUT" 128 "$@"
	run_in "$ns" postern state add src "$dst" dst "$src" proto esp spi "$(spi_of "$n" 2)" reqid "$n" \
		mode "$mode" dir in aead 'rfc4106(gcm(aes))' "$KEY_IN" 128 "$@"
}

# peer_sas NS N SRC DST MODE xfrm|postern: the same two at the other end, with the keys
# of the last postern_sas; SRC and DST as there.
peer_sas() {
	local ns=$1 n=$2 src=$3 dst=$4 mode=$5 there=(dir in) back=(dir out) tool=(postern state)

	if [[ $6 = xfrm ]]; then
		there=(replay-window 32)
		[[ $mode = transport ]] || there+=(flag af-unspec)
		back=("${there[@]}")
		tool=(ip xfrm state)
	fi
	run_in "$ns" "${tool[@]}" add src "$src" dst "$dst" proto esp spi "$(spi_of "$n" 1)" reqid "$n" \
		mode "$mode" "${there[@]}" aead 'rfc4106(gcm(aes))' "$KEY_OUT" 128
	run_in "$ns" "${tool[@]}" add src "$dst" dst "$src" proto esp spi "$(spi_of "$n" 2)" reqid "$n" \
		mode "$mode" "${back[@]}" aead 'rfc4106(gcm(aes))' "$KEY_IN" 128
}

# policies NS xfrm|postern N OUR_NET THEIR_NET OUR_ADDR THEIR_ADDR [MODE [WORD...]]
policies() {
	local ns=$1 tool=(ip xfrm policy) n=$3 net=$4 far=$5 src=$6 dst=$7 mode=${8:-tunnel} dirs=(in fwd) d

	[[ $2 = xfrm ]] || { tool=(postern policy); dirs=(in); }
	shift $(($# < 8 ? $# : 8))
	run_in "$ns" "${tool[@]}" add dir out src "$net" dst "$far" "$@" \
		tmpl src "$src" dst "$dst" proto esp reqid "$n" mode "$mode"
	[[ $mode = tunnel ]] || dirs=(in)
	for d in "${dirs[@]}"; do
		run_in "$ns" "${tool[@]}" add dir "$d" src "$far" dst "$net" "$@" \
			tmpl src "$dst" dst "$src" proto esp reqid "$n" mode "$mode"
	done
}

# tunnel NS PEER xfrm|postern N ADDR PEER_ADDR NET PEER_NET: all of it on both sides.
tunnel() {
	local ns=$1 peer=$2 kind=$3 n=$4 addr=$5 paddr=$6 net=$7 pnet=$8

	postern_sas "$ns" "$n" "$addr" "$paddr" tunnel
	peer_sas "$peer" "$n" "$addr" "$paddr" tunnel "$kind"
	policies "$ns" postern "$n" "$net" "$pnet" "$addr" "$paddr"
	policies "$peer" "$kind" "$n" "$pnet" "$net" "$paddr" "$addr"
}

# transport NS PEER xfrm|postern N ADDR PEER_ADDR
transport() {
	local ns=$1 peer=$2 kind=$3 n=$4 addr=$5 paddr=$6 d type

	# Postern lets neighbour discovery pass by itself; XFRM must be told
	if [[ $addr = *:* && $kind = xfrm ]]; then
		for type in 135 136; do
			for d in in out; do
				ip -n "$peer" xfrm policy add dir $d src ::/0 dst ::/0 proto ipv6-icmp \
					type $type priority 1
			done
		done
	fi
	postern_sas "$ns" "$n" "$addr" "$paddr" transport
	peer_sas "$peer" "$n" "$addr" "$paddr" transport "$kind"
	policies "$ns" postern "$n" "$addr" "$paddr" "$addr" "$paddr" transport
	policies "$peer" "$kind" "$n" "$paddr" "$addr" "$paddr" "$addr" transport
}

# What may be on a link where all else is protected.
NOT_CLEAR='arp or ip proto 50 or ip proto 51 or ip6[6] == 50 or ip6[6] == 51 or (ip6[6] == 44 and
	(ip6[40] == 50 or ip6[40] == 51)) or (icmp6 and ip6[40] >= 133 and ip6[40] <= 136) or
	(ip6[6] == 0 and ip6[40] == 58)'

# only_protected FILE: after capture_end.
only_protected() {
	local n

	n=$(packets_in "$1" "not ($NOT_CLEAR)") || return 1
	((n == 0)) || {
		tcpdump -n -r "$1" "not ($NOT_CLEAR)" 2>/dev/null | head -n 5 >&2
		say "in clear on the link"
		return 1
	}
	# a capture of nothing shows nothing
	n=$(packets_in "$1" 'ip proto 50 or ip proto 51 or ip6[6] == 50 or ip6[6] == 51 or ip6[6] == 44') || return 1
	((n)) || {
		say "nothing protected on the link"
		return 1
	}
}

# tcp_ok FROM TO ADDRESS [OCTETS]: a connection carries random octets, whole.
tcp_ok() {
	local octets=${4:-300000} pf=4 to=$3 rc=0

	[[ $to != *:* ]] || pf=6 to=[$to]
	[[ -s /run/data.$octets ]] || head -c "$octets" /dev/urandom >"/run/data.$octets"
	rm -f /run/data.got
	background "$2" socat -u TCP$pf-LISTEN:5000,reuseaddr CREATE:/run/data.got
	wait_listen "$2" tcp 5000 || return 1
	run_in "$1" timeout 240 socat -u -t 60 "/run/data.$octets" "TCP$pf:$to:5000,connect-timeout=10" || rc=1
	busywait 5 cmp -s "/run/data.$octets" /run/data.got || rc=1
	kill "$BACKGROUND" 2>/dev/null || true
	wait "$BACKGROUND" 2>/dev/null || true
	return $rc
}

# esp_mtu MTU OUTER_HEADER IV ICV ALIGN: the largest inner packet of tunnel mode that
# makes a packet of at most MTU octets (RFC 4303 section 2): a header of 8 octets, IV,
# packet, padding to ALIGN with pad length and next header, ICV.
esp_mtu() { echo $((($1 - $2 - 8 - $3 - $4) / $5 * $5 - 2)); }

# forget_mtu NS...: what was learned of paths
forget_mtu() {
	local n

	for n; do
		ip -n "$n" route flush cache
		ip -n "$n" -6 route flush cache
	done
}

# fits_exactly NS ADDRESS N: a packet of N octets goes with DF, one of N + 1 does not, and
# its sender is told N.
fits_exactly() {
	local ns=$1 to=$2 n=$3 header=28 out rc=0

	[[ $to != *:* ]] || header=48
	forget_mtu "$ns"
	ping_ok "$ns" "$to" -M "do" -s $((n - header)) || return 1
	out=$(run_in "$ns" ping -n -c 3 -i 0.3 -W 2 -M "do" -s $((n + 1 - header)) "$to" 2>&1) && rc=1
	printf '%s\n' "$out"
	((rc == 0)) || { say "$((n + 1)) octets should not have fit"; return 1; }
	[[ $out =~ mtu\ ?[=:]\ ?$n([^0-9]|$) ]] || { say "the sender was not told $n"; return 1; }
	# what it has learned must not be too little
	ping_ok "$ns" "$to" -M "do" -s $((n - header))
}

# timeouts NS: how often TCP there waited in vain for what it had sent to be acknowledged
timeouts() { ip netns exec "$1" nstat -asz TcpExtTCPTimeouts | awk '/TCPTimeouts/ { print $2 }'; }

# tcp_fast FROM TO ADDRESS: a megabyte without a stall: packets that are too big are lost
# again and again, and each wait is twice the last.
tcp_fast() {
	local before n

	before=$(timeouts "$1")
	tcp_ok "$1" "$2" "$3" 1000000 || return 1
	n=$(($(timeouts "$1") - before))
	say "$n timeouts"
	((n < 6))
}
