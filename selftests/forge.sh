# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh and account.sh: py/forge.py in namespace b of topo_pair sends
# ESP and AH packets made by scapy to Postern in namespace a; b has no IPsec.
#
#	inner    10.9.0.1, fd09::1                 10.9.0.2, fd09::2
#	outer    10.0.0.1, fd00::1  veth0 - veth0  10.0.0.2, fd00::2
#
# A receiver in a writes the lines that arrive at UDP port 7777 to $FORGE_DIR/got;
# forge_good appends to $FORGE_DIR/want what should be there.

FORGE_DIR=/run/forge
FORGE_SPI=0x2000
GOOD=0
# The SA of good packets behind bad ones, and words, when it is not the same.
GOOD_SA=''
# By name: the words that name an SA.
declare -A FORGE_SAS=()

forge_start() {
	topo_pair
	addr a lo 10.9.0.1/32 fd09::1/128
	addr b lo 10.9.0.2/32 fd09::2/128
	ip -n a route add 10.9.0.2 via 10.0.0.2 src 10.9.0.1
	ip -n a route add fd09::2 via fd00::2 src fd09::1
	ip -n b route add 10.9.0.1 via 10.0.0.1 src 10.9.0.2
	ip -n b route add fd09::1 via fd00::1 src fd09::2
	forge_begin UDP6-RECV:7777,ipv6only=0
}

# forge_begin RECEIVER: what socat shall read, between two hosts that are there.
forge_begin() {
	# shellcheck disable=SC2119
	load_postern
	mkdir -p $FORGE_DIR
	: >$FORGE_DIR/want
	: >$FORGE_DIR/got
	background a socat -u "$1" OPEN:$FORGE_DIR/got,append
	wait_listen a udp 7777
	coproc FORGE { exec ip netns exec b /usr/bin/python3 "$(dirname "$0")/../py/forge.py" veth0 \
		"$(ip -n a -j link show veth0 | jq -r '.[0].address')"; }
	read -r -t 600 -u "${FORGE[0]}"
}

# forge ORDER...: prints how many packets were sent.
forge() {
	local sent=''

	printf '[forge] %s\n' "$*" >&2
	printf '%q ' "$@" >&"${FORGE[1]}"
	echo >&"${FORGE[1]}"
	read -r -t 300 -u "${FORGE[0]}" sent || fail "forge does not answer"
	echo "$sent"
}

# forge_sa NAME PROTO MODE OUTER INNER ALGORITHM [WORD...]: an SA from b to a, of which
# forge and Postern have the keys, with further words for Postern.  Sets SPI, and SA to
# the words that name it.
forge_sa() {
	local name=$1 proto=$2 mode=$3 outer=$4 inner=$5 alg=$6 src dst isrc idst key='' auth='' words esn

	src=10.0.0.2 dst=10.0.0.1 isrc=10.9.0.2 idst=10.9.0.1
	[[ $outer = 4 ]] || src=fd00::2 dst=fd00::1
	[[ $inner = 4 ]] || isrc=fd09::2 idst=fd09::1
	[[ $mode != transport ]] || isrc=$src idst=$dst
	FORGE_SPI=$((FORGE_SPI + 1))
	SPI=$(printf '0x%x' $FORGE_SPI)
	case $alg in
	gcm)
		key=$(hexkey 36)
		words=(aead 'rfc4106(gcm(aes))' "$key" 128)
		;;
	cbc)
		key=$(hexkey 32) auth=$(hexkey 32)
		words=(enc 'cbc(aes)' "$key" auth-trunc 'hmac(sha256)' "$auth" 128)
		;;
	null)
		auth=$(hexkey 32)
		words=(auth-trunc 'hmac(sha256)' "$auth" 128)
		[[ $proto = ah ]] || words+=(enc 'ecb(cipher_null)' '')
		;;
	esac
	esn=()
	[[ " ${*:7} " != *' esn '* ]] || esn=(esn=1)
	SA=(dst "$dst" proto "$proto" spi "$SPI")
	FORGE_SAS[$name]=${SA[*]}
	run_in a postern state add src "$src" "${SA[@]}" mode "$mode" reqid "$FORGE_SPI" "${words[@]}" "${@:7}"
	forge sa "$name" proto="$proto" spi="$SPI" mode="$mode" src="$src" dst="$dst" isrc="$isrc" idst="$idst" \
		alg="$alg" key="$key" auth="$auth" "${esn[@]}" >/dev/null
}

# forge_policy [WORD...]: what the SA made last delivers may enter.
forge_policy() {
	local src=10.9.0.2 dst=10.9.0.1 tmpl=()

	run_in a postern -j state get "${SA[@]}" >$FORGE_DIR/sa
	mapfile -t tmpl < <(jq -r '"src", .src, "dst", .dst, "proto", .proto, "reqid", .reqid, "mode", .mode' $FORGE_DIR/sa)
	if [[ ${tmpl[9]} = transport ]]; then
		src=${tmpl[1]} dst=${tmpl[3]}
	elif [[ ${1:-} = 6 ]]; then
		src=fd09::2 dst=fd09::1
	fi
	run_in a postern policy add dir in src "$src" dst "$dst" "${@:2}" tmpl "${tmpl[@]}"
}

# All that Postern in a tells of itself.
counters() { postern -n a -s -j; }

# came N NAME: N packets have come since $BEFORE, of whatever kind.  Sets DELIVERED, and
# the drops since then of the namespace and of an SA, REASON=N... sorted.
came() {
	# shellcheck disable=SC2086 # words
	set -- "$1" ${FORGE_SAS[$2]}
	{
		read -r CAME
		read -r DELIVERED
		read -r DROPS_OF_NS
		read -r DROPS_OF_SA
	} < <({ echo "$BEFORE"; counters; } | jq -sr --arg dst "$3" --arg proto "$5" --argjson spi "$(($7))" '
		def drops: [.drops[]? | {(.reason): .packets}] | add // {};
		def sa: [.states[] | select(.dst == $dst and .proto == $proto and .spi == $spi)][0] | drops;
		def since($old): to_entries | map(select(.value != ($old[.key] // 0)) |
			"\(.key)=\(.value - ($old[.key] // 0))") | sort | join(" ");
		def came: .stats | ."in-packets" +
			(drops | ."in-cleartext" + ."in-discard" + ."in-malformed");
		.[0] as $old | .[1] | came - ($old | came), .stats."in-delivered" - $old.stats."in-delivered",
		(.stats | drops | since($old.stats | drops)), (sa | since($old | sa))')
	((CAME == $1))
}

# good NAME [WORD=VALUE...]: packets that must be delivered, each once.
good() {
	local n sent text

	GOOD=$((GOOD + 1))
	text="good $GOOD: $*"
	sent=$(forge send "$1" "text=$text" "${@:2}")
	for ((n = 0; n < sent; n++)); do
		echo "$text"
	done >>$FORGE_DIR/want
	if ! busywait 10 cmp $FORGE_DIR/want $FORGE_DIR/got; then
		diff $FORGE_DIR/want $FORGE_DIR/got >&2 || true
		cp $FORGE_DIR/got $FORGE_DIR/want
		return 1
	fi
}

# shellcheck disable=SC2086 # words
in_order() { printf '%s\n' $1 | sort | paste -sd ' '; }

# bad REASON=N... [/ REASON=N...] -- NAME [WORD=VALUE...]: the packets of an order are
# dropped for these reasons, each as many times, of the namespace and of the SA (other
# ones, or none, behind the slash); nothing is delivered, and a good packet still is.
bad() {
	local of_ns='' of_sa='' both=1 rc=0 sent

	while [[ $1 != -- ]]; do
		if [[ $1 = / ]]; then
			both=''
		elif [[ $1 = *=0 ]]; then
			:
		elif [[ -n $both ]]; then
			of_ns+=" $1"
		else
			of_sa+=" $1"
		fi
		shift
	done
	shift
	[[ -z $both ]] || of_sa=$of_ns
	of_ns=$(in_order "$of_ns") of_sa=$(in_order "$of_sa")
	BEFORE=$(counters)
	sent=$(forge send "$1" text=bad "${@:2}")
	if ! busywait 10 came "$sent" "$1"; then
		say "of $sent packets $CAME came"
		rc=1
	fi
	expect "drops" "$of_ns" "$DROPS_OF_NS" || rc=1
	expect "drops of the SA" "$of_sa" "$DROPS_OF_SA" || rc=1
	expect "delivered" 0 "$DELIVERED" || rc=1
	# shellcheck disable=SC2086 # a name and words
	good ${GOOD_SA:-$1} || rc=1
	return $rc
}

# forge_end [N]: nothing but the good packets has ever arrived, and no packet is
# unaccounted for; N as for accounts_balance.
forge_end() {
	check "only good packets were delivered" cmp $FORGE_DIR/want $FORGE_DIR/got
	check "accounts" accounts_balance a "$@"
}
