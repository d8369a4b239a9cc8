#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# OSPFv3 as RFC 4552 protects it: routers of FRR become neighbours through ESP and AH of
# one manual SA for both directions and all senders, and do not when the key is wrong.
# b takes no part in elections, so that it sends to the group of those that were elected.
#
#	a (Postern) veth0 ----------- veth0 b (XFRM)
#	lo fd0a::1               lo fd0b::1
#	fe80::1                     fe80::2
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

[[ -x /usr/lib/frr/ospf6d ]] || skip "no FRR"
DIR=/run/ospf
DESTINATIONS=(ff02::5 ff02::6 fe80::1 fe80::2)

router() { # NS ID PRIORITY
	local ns=$1 dir=$DIR/$1 daemon

	mkdir -p "$dir"
	: >"$dir/zebra.conf"
	cat >"$dir/ospf6d.conf" <<-END
		interface veth0
		 ipv6 ospf6 area 0.0.0.0
		 ipv6 ospf6 hello-interval 1
		 ipv6 ospf6 dead-interval 6
		 ipv6 ospf6 retransmit-interval 1
		 ipv6 ospf6 priority $3
		interface lo
		 ipv6 ospf6 area 0.0.0.0
		router ospf6
		 ospf6 router-id $2
		 timers throttle spf 10 50 100
	END
	chown -R frr:frr "$DIR"
	for daemon in zebra ospf6d; do
		background "$ns" /usr/lib/frr/$daemon -f "$dir/$daemon.conf" -i "$dir/$daemon.pid" -z "$dir/zserv.api" \
			--vty_socket "$dir" -P 0 --log "file:$dir/$daemon.log"
		DAEMONS+=("$BACKGROUND")
		busywait 20 test -S "$dir/$daemon.vty"
	done
}
DAEMONS=()

vty() { vtysh --vty_socket "$DIR/$1" -d ospf6d -c "$2"; }

neighbours_of() { # NS: their states
	vty "$1" 'show ipv6 ospf6 neighbor json' | jq -r '[.neighbors[]?.state] | join(" ")'
}
is_full() { expect "neighbours of $1" Full "$(neighbours_of "$1")"; }
is_alone() { expect "neighbours of $1" '' "$(neighbours_of "$1")"; }

full() { busywait 40 is_full a && busywait 40 is_full b; }
alone() { busywait 30 is_alone a && busywait 30 is_alone b; }
has_route() { ip -n "$1" -6 route get "$2" 2>/dev/null | grep -q 'dev veth0'; }
routes() { busywait 20 has_route a fd0b::1 && busywait 20 has_route b fd0a::1 && ping_ok a fd0b::1 -I fd0a::1; }

keys() {
	AUTH=$(hexkey 32) CIPHER=$(hexkey 16)
}

# states NS postern|xfrm: a batch of "state" commands.  One process for all: they are many.
states() {
	if [[ $2 = postern ]]; then
		run_in "$1" postern -batch -
	else
		sed 's/^/xfrm /' | run_in "$1" ip -batch -
	fi
}

# sas NS postern|xfrm PROTO SPI: one SA for each destination, all with the same keys.
sas() {
	local dst words="auth-trunc hmac(sha256) $AUTH 128"

	[[ $3 = ah ]] || words+=" enc cbc(aes) $CIPHER"
	for dst in "${DESTINATIONS[@]}"; do
		echo "state add src :: dst $dst proto $3 spi $4 reqid 89 mode transport replay-window 0 $words"
	done | states "$1" "$2"
}

no_sas() { # NS postern|xfrm PROTO SPI
	local dst

	for dst in "${DESTINATIONS[@]}"; do
		echo "state delete src :: dst $dst proto $3 spi $4"
	done | states "$1" "$2"
}

# rule CMD NS postern|xfrm DIR PROTO [WORD...]: RFC 4552 section 11, rules 2 and 3; WORDs
# of the template
rule() {
	local dev=(dev veth0) tool=(postern policy)

	[[ $3 = postern ]] || tool=(ip xfrm policy)
	# XFRM's word means something else on the way in
	[[ $3 = postern || $4 = out ]] || dev=()
	run_in "$2" "${tool[@]}" "$1" dir "$4" src fe80::/10 dst ::/0 proto 89 "${dev[@]}" \
		tmpl proto "$5" "${@:6}" reqid 89 mode transport
}

up() { # NS postern|xfrm PROTO SPI
	sas "$@"
	rule add "$1" "$2" in "$3"
	rule add "$1" "$2" out "$3"
}

# risen NS NAME N CMD...: the command, until that number of statistics has risen by N
risen() {
	local before

	before=$(stat_of "$1" "$2")
	"${@:4}" && busywait 30 has_risen "$1" "$2" $((before + $3))
}
has_risen() { (($(stat_of "$1" "$2") >= $3)); }

# Packets that protection has cost, at a and at b.
# of XFRM what came alone: it may lose what it sends while its policy changes
lost() {
	stats_of a | jq -c '.drops[] | select(.packets > 0)'
	ip netns exec b grep '^XfrmIn.*[1-9]' /proc/net/xfrm_stat || true
}

# What each sends; what it receives, a capture would see decapsulated as well.
captures() {
	local ns

	CAPTURES=()
	for ns in a b; do
		capture $ns veth0 $DIR/$ns.pcap -Q out 'ip6[6] == 50 or ip6[6] == 51 or ip6[6] == 89'
		CAPTURES+=("$CAPTURE")
	done
}

# all_protected PROTO: of a new adjacency some packets go to each destination, and since the first of them
# none in clear.
all_protected() {
	local ns proto=50 clear

	[[ $1 = esp ]] || proto=51
	busywait 30 all_sent $proto || return 1
	for CAPTURE in "${CAPTURES[@]}"; do
		capture_end
	done
	for ns in a b; do
		clear=$(tcpdump -n -r $DIR/$ns.pcap 2>/dev/null | sed "1,/${1^^}(/d" | grep -vc "${1^^}(" || true)
		expect "in clear from $ns" 0 "$clear" || return 1
	done
}
all_sent() { # PROTO
	local dst

	for dst in "${DESTINATIONS[@]}"; do
		(($(packets_in $DIR/a.pcap "ip6[6] == $1 and dst host $dst") +
		  $(packets_in $DIR/b.pcap "ip6[6] == $1 and dst host $dst"))) || { say "nothing to $dst"; return 1; }
	done
}

# RFC 4552 section 10.1: the new SA beside the old one, then one router after the other
# speaks it, then the old one goes.  No packet is lost by it.
rekey() { # OLD NEW
	local before

	rule update a postern out esp spi "$1" && rule update b xfrm out esp spi "$1" || return 1
	before=$(lost)
	keys
	sas a postern esp "$2" && sas b xfrm esp "$2" || return 1
	risen a out-sent 2 rule update a postern out esp spi "$2" || return 1
	risen a in-delivered 2 rule update b xfrm out esp spi "$2" || return 1
	no_sas a postern esp "$1" && no_sas b xfrm esp "$1" || return 1
	risen a in-delivered 2 risen a out-sent 2 true && is_full a && is_full b || return 1
	expect "lost" "$before" "$(lost)"
}

wrong_key() {
	run_in b ip xfrm state flush
	keys
	sas b xfrm esp "$1"
}

topo_pair
for end in a:1 b:2; do
	ns=${end%:*}
	ip -n "$ns" addr flush dev veth0 scope link
	ip -n "$ns" addr add "fe80::${end#*:}/64" dev veth0 nodad
	ip -n "$ns" addr flush dev veth0 to fd00::/64
	forward "$ns"
done
addr a lo fd0a::1/128
addr b lo fd0b::1/128
load_postern
mkdir -p $DIR
keys
up a postern esp 0x200
router a 10.255.0.1 1
router b 10.255.0.2 0

check "a alone is protected: cleartext is dropped" risen a in-cleartext 3 true
check "a alone is protected: no neighbours" alone
captures
up b xfrm esp 0x200
check "ESP: all is protected" all_protected esp
check "ESP: neighbours" full
check "ESP: routes" routes
check "ESP: nothing else is dropped" drops_are a in-cleartext='*'
check "ESP: new keys" rekey 0x200 0x201
check "ESP, wrong key: counted" risen a in-icv 3 wrong_key 0x201
check "ESP, wrong key: no neighbours" alone

run_in b ip xfrm policy flush
run_in b ip xfrm state flush
run_in a postern policy flush
run_in a postern state flush
keys
captures
up b xfrm ah 0x300
up a postern ah 0x300
# in clear they may have met between
vty b 'clear ipv6 ospf6 interface veth0'
check "AH: all is protected" all_protected ah
check "AH: neighbours" full
check "AH: routes" routes
kill "${DAEMONS[@]}"
wait "${DAEMONS[@]}" || true
check "accounts" accounts_balance a
