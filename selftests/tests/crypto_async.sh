#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A cipher that completes later, on another thread (cryptd) or another CPU
# (pcrypt): the same packets arrive, and SAs, policies and namespaces can go
# away while packets are with the crypto API.
#
# timeout: 300
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

ALG_AB=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)
ALG_BA=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)

# shellcheck disable=SC2086 # the tool may be two words
sa_both() { # TOOL NS
	run_in "$2" $1 state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel \
		"${ALG_AB[@]}" replay-window 1024
	run_in "$2" $1 state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x1002 reqid 1 mode tunnel \
		"${ALG_BA[@]}" replay-window 1024
}

# shellcheck disable=SC2086
policies() { # TOOL NS OUT-SRC OUT-DST
	run_in "$2" $1 policy add dir out src "$3/32" dst "$4/32" tmpl src "$3" dst "$4" proto esp reqid 1 mode tunnel
	run_in "$2" $1 policy add dir in src "$4/32" dst "$3/32" tmpl src "$4" dst "$3" proto esp reqid 1 mode tunnel
}

in_use() { # driver names that begin so are used by somebody
	awk -v want="$1" '$1 == "driver" { d = $3 } $1 == "refcnt" && index(d, want) == 1 && $3 > 1 { n++ } END { exit !n }' /proc/crypto
}

transfer() {
	local sum

	background b socat -u TCP-LISTEN:7000,reuseaddr "OPEN:$RESULTS/got,creat,trunc"
	wait_listen b tcp 7000
	run_in a socat -u "OPEN:$RESULTS/sent" TCP:10.0.0.2:7000
	wait "$BACKGROUND"
	sum=$(sha256sum <"$RESULTS/sent")
	expect "what arrived" "$sum" "$(sha256sum <"$RESULTS/got")"
}

# The driver that rfc4106(gcm(aes)) means before we meddle.
plain_driver() {
	awk '$1 == "name" { n = $3 } $1 == "driver" { d = $3 } $1 == "priority" { p = $3 }
		$1 == "internal" && $3 == "no" && n == "rfc4106(gcm(aes))" && p > best { best = p; driver = d }
		END { print driver }' /proc/crypto
}

# The high half of a number is where no octet of the packet is.
esn() { # NAME ALGORITHM...
	local esn=(flag esn replay-seq 0xfffffffb replay-oseq 0xfffffffb) i
	local ALG_AB=("${@:2}" "${esn[@]}") ALG_BA=("${@:2}" "${esn[@]}")

	run_in a postern state flush
	run_in b ip xfrm state flush
	sa_both "ip xfrm" b
	sa_both postern a
	for i in 0 56 1400 8000; do
		check "$1, ESN: ping of $i octets" ping_ok a 10.0.0.2 -s "$i"
	done
	check "$1, ESN: TCP" transfer
	check "$1, ESN: packets add up" busywait 5 accounts_balance a
	run_in a postern state flush
	run_in b ip xfrm state flush
}

TRIED=0
with_instance() { # TEMPLATE PRIORITY
	local i

	# cryptd wants what completes at once, which Debian 6.1 does not offer
	pp python py/crypto_instance.py "$1($DRIVER)" "$2" || return 0
	TRIED=$((TRIED + 1))
	sa_both postern a
	check "$1 is what the SAs use" in_use "$1("
	for i in 0 56 1400 8000 30000; do
		check "$1: ping of $i octets" ping_ok a 10.0.0.2 -s "$i"
	done
	check "$1: TCP" transfer
	check "$1: packets sent and received, delivered and dropped add up" busywait 5 accounts_balance a

	# gone while packets are under way, many times over
	background a ping -q -f -s 1000 10.0.0.2
	for i in {1..20}; do
		ip netns exec a postern state flush
		sa_both postern a >/dev/null 2>&1
	done
	kill "$BACKGROUND"
	check "$1: works after that" ping_ok a 10.0.0.2
	background a ping -q -f -s 1000 10.0.0.2
	ip netns exec a postern state flush
	kill "$BACKGROUND"

	esn "$1" aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
	if pp python py/crypto_instance.py "$1(authencesn(hmac(sha256),cbc(aes)))" "$2"; then
		esn "$1 of authencesn" enc 'cbc(aes)' "$(hexkey 16)" auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128
	fi
	sa_both "ip xfrm" b
}

# A packet has no socket of early demultiplexing while the cipher has it: none that is closed
# meanwhile is touched.
lent() {
	run_in a postern state flush
	run_in b ip xfrm policy flush
	run_in a postern state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x1003 reqid 3 mode transport dir in \
		encap espinudp 4500 4500 0.0.0.0 "${ALG_BA[@]}"
	check "a socket closed while the cipher has its packets" drops_by a in-icv=32 -- pp python -B py/lent.py 0x1003
	run_in a postern state flush
	policies "ip xfrm" b 10.0.0.2 10.0.0.1
}

modprobe -a cryptd pcrypt crypto_user 2>/dev/null || true
load_postern
topo_pair
head -c 300000 /dev/urandom >"$RESULTS/sent"
sa_both "ip xfrm" b
policies "ip xfrm" b 10.0.0.2 10.0.0.1
policies postern a 10.0.0.1 10.0.0.2
DRIVER=$(plain_driver)
say "driver: $DRIVER"
with_instance cryptd 8000
[[ $LANE != debug ]] || lent
with_instance pcrypt 9000
# the kernel of the debug lane has both
check "what there must be was tried" test "$TRIED" -ge "$([[ $LANE = debug ]] && echo 2 || echo 1)"
background a ping -q -f 10.0.0.2
