#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Senders to a multicast group may have an SA each under one SPI, and the others one
# together: the longest match is taken (RFC 4301 section 4.1).
#
#	a (members) ------------ b (senders 10.0.0.2, .3, .4 and fd00::2, ::3, ::4)
#
# timeout: 240
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

PY=$(dirname "$0")/../py/group.py
SPI=0x3000
N=0

topo_pair
addr b veth0 10.0.0.3/24 10.0.0.4/24 fd00::3/64 fd00::4/64
load_postern

group_sa() { # NS DIR SRC ENC AUTH
	run_in "$1" postern state add src "$3" dst "$GROUP" proto esp spi $SPI reqid 7 mode transport \
		dir "$2" replay-window 0 enc 'cbc(aes)' "$4" auth-trunc 'hmac(sha256)' "$5" 128
}

# says FROM: a datagram of its own
says() {
	N=$((N + 1))
	run_in b python -B "$PY" send "$GROUP" veth0 "$1" "text$N"
}

heard() { # FROM
	says "$1" && busywait 10 grep -qx "$1 text$N" /run/heard
}

# lost REASON FROM: a datagram is dropped for that reason, and not heard
lost() {
	local before

	before=$(stat_of a "$1")
	says "$2" || return 1
	busywait 10 has_risen "$1" "$before" || return 1
	! grep -qx "$2 text$N" /run/heard
}
has_risen() { (($(stat_of a "$1") == $2 + 1)); }

many() {
	local i

	for ((i = 1; i <= 40; i++)); do
		echo "state add src ${net}$i dst $GROUP proto esp spi $SPI mode transport dir in" \
			"enc cbc(aes) $others auth-trunc hmac(sha256) $AUTHS 128"
	done >/run/many
	run_in a postern -batch /run/many && run_in a postern state get src "${net}33" dst "$GROUP" proto esp spi $SPI
}

for v in 4 6; do
	GROUP=239.1.2.3 net=10.0.0. any=0.0.0.0 all=0.0.0.0/0
	((v == 4)) || GROUP=ff05::123 net=fd00:: any=:: all=::/0
	key2=$(hexkey 16) key3=$(hexkey 16) others=$(hexkey 16)
	: >/run/heard
	background a /usr/bin/python3 -B "$PY" listen "$GROUP" veth0 /run/heard
	wait_listen a udp 7000
	# of other keys, so that a wrong SA shows
	AUTH2=$(hexkey 32) AUTH3=$(hexkey 32) AUTHS=$(hexkey 32)
	for end in a:in b:out; do
		group_sa "${end%:*}" "${end#*:}" "${net}2" "$key2" "$AUTH2"
		group_sa "${end%:*}" "${end#*:}" "${net}3" "$key3" "$AUTH3"
		group_sa "${end%:*}" "${end#*:}" "$any" "$others" "$AUTHS"
	done
	run_in a postern policy add dir in src $all dst $GROUP proto udp tmpl proto esp reqid 7 mode transport
	run_in b postern policy add dir out src $all dst $GROUP proto udp tmpl proto esp reqid 7 mode transport
	for end in a b; do
		check "IPv$v, $end has three SAs of one SPI" expect SAs 3 \
			"$(run_in $end postern -j state list spi $SPI | jq length)"
	done
	for from in 2 3 4; do
		check "IPv$v, from ${net}$from" heard "$net$from"
	done
	for src in "${net}2" "${net}3" $any; do
		check "IPv$v, the SA of $src has carried one" expect packets 1 "$(run_in a postern -j \
			state get src "$src" dst $GROUP proto esp spi $SPI | jq .usage.packets)"
	done
	expect_fail -m 'exists' run_in a postern state add src "${net}2" dst $GROUP proto esp \
		spi $SPI reqid 7 enc 'cbc(aes)' "$key2" auth-trunc 'hmac(sha256)' "$AUTH2" 128
	# the outbound policy that names the SPI takes the sender's SA, too
	run_in b postern policy update dir out src $all dst $GROUP proto udp \
		tmpl proto esp spi $SPI reqid 7 mode transport
	for from in 2 3 4; do
		check "IPv$v, by SPI, from ${net}$from" heard "$net$from"
	done

	run_in a postern state delete src "${net}3" dst "$GROUP" proto esp spi $SPI
	check "IPv$v, without its SA a sender is one of the others" lost in-icv "${net}3"
	check "IPv$v, which does not touch those that have theirs" heard "${net}2"
	run_in a postern state delete src $any dst "$GROUP" proto esp spi $SPI
	check "IPv$v, the others are unknown" lost unknown-spi "${net}4"
	check "IPv$v, one that has its own is not" heard "${net}2"
	run_in a postern state deleteall dst $GROUP
	check "IPv$v, deleteall finds it" expect SAs 0 "$(run_in a postern -j state list | jq length)"
	# whoever does not tell the sender gets what there is
	group_sa a in "${net}2" "$key2" "$AUTH2"
	run_in a postern state delete dst "$GROUP" proto esp spi $SPI
	check "IPv$v, delete without a sender" expect SAs 0 "$(run_in a postern -j state list | jq length)"
	check "IPv$v, a group of forty senders" many
	kill "$BACKGROUND"
	wait "$BACKGROUND" 2>/dev/null || true
	for end in a b; do
		run_in $end postern policy flush
		run_in $end postern state flush
	done
done
check "accounts" accounts_balance a
