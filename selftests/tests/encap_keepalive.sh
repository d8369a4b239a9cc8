#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# NAT keepalives (RFC 3948 section 4): who is asked to sends one octet when it has sent
# nothing for a while, in clear beside a policy that protects all, and only then.
#
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

topo_pair
# shellcheck disable=SC2119
load_postern

# sa SRC DST SPI PORT INTERVAL
sa() {
	run_in a postern state add src "$1" dst "$2" proto esp spi "$3" reqid "$(($3))" mode transport dir out \
		aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 encap espinudp "$4" 4500 :: nat-keepalive-interval "$5"
	run_in a postern policy add dir out src "$1" dst "$2" proto udp tmpl proto esp reqid "$(($3))" mode transport
}

# sent PORT: seconds and lengths of the datagrams from there
sent() {
	tcpdump -n -tt -r "$RESULTS/wire" 2>/dev/null |
		sed -n "s/^\([0-9.]*\) .*[.]$1 > .*[.]4500: \(isakmp-nat-keep-alive\|NONESP\|UDP-encap: ESP\).*/\1 \2/p"
}
alive() { sent "$1" | grep -c alive; }
alive_are() { (($(alive "$1") >= $2)); }

run_in a ethtool -K veth0 tx off >/dev/null
capture b veth0 "$RESULTS/wire" -Q in udp
sa 10.0.0.1 10.0.0.2 0x1001 4501 1
sa fd00::1 fd00::2 0x1002 4502 1
check "idle, IPv4" busywait 20 alive_are 4501 3
check "idle, IPv6" busywait 20 alive_are 4502 3
check "they are counted" expect more 1 "$(($(stat_of a out-keepalives) >= 6))"

# The last used SA is silent for 3 seconds at least before it says something.
sa 10.0.0.1 10.0.0.3 0x1003 4503 3
ip -n b addr add 10.0.0.3/32 dev veth0
for _ in $(seq 12); do
	run_in a socat -u /etc/hostname UDP4-SENDTO:10.0.0.3:9
	sleep 0.4
done
check "busy, then idle" busywait 30 alive_are 4503 2
early() { sent 4503 | awk '/alive/ && $1 - last < 2 { print "early: " $0 " after " last } { last = $1 }'; }
check "busy: none is sent before its time" expect keepalives '' "$(early)"
check "busy: packets went out" expect packets 12 "$(sent 4503 | grep -c ESP)"

# To be silent; the other one is the clock.
run_in a postern state update dst 10.0.0.2 proto esp spi 0x1001 nat-keepalive-interval 0
run_in a postern state delete dst 10.0.0.3 proto esp spi 0x1003
before="$(alive 4501) $(alive 4503)"
busywait 20 alive_are 4502 $(($(alive 4502) + 5))
capture_end
check "told to be silent, and deleted: no more" expect keepalives "$before" "$(alive 4501) $(alive 4503)"
verbose=$(tcpdump -n -vv -x -r "$RESULTS/wire" 2>/dev/null)
check "one octet, without a checksum over IPv4" grep -q '4501 > 10.0.0.2.4500: \[no cksum\]' <<<"$verbose"
check "one octet, with one over IPv6" grep -q '4502 > fd00::2.4500: \[udp sum ok\]' <<<"$verbose"
check "nothing was dropped" drops_are a
check "accounts" accounts_balance a
