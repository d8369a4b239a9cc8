#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Cleartext that should have been protected is dropped, whether it is for the gateway
# or for a host behind it, and counted; with an SA in place and without.
#
#	hosta ----- gwa (Postern) ===== gwb (plain) ----- hostb
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

topo_sites
load_postern
# answers would leave: only the way in is looked at
run_in gwa postern policy add dir in src 10.2.0.0/24 dst 10.1.0.0/24 \
	tmpl src 192.0.2.2 dst 192.0.2.1 proto esp reqid 1 mode tunnel
run_in gwa postern policy add dir in src fd02::/64 dst fd01::/64 \
	tmpl src 2001:db8::2 dst 2001:db8::1 proto esp reqid 2 mode tunnel

SENT=0
# none_enters HOW: pings and datagrams from hostb reach neither gateway nor host
none_enters() {
	local to pf

	capture hosta lan /run/lan.pcap 'src net 10.2.0.0/24 or src net fd02::/64'
	: >/run/got
	background gwa socat -u UDP6-RECV:7000 OPEN:/run/got,append
	wait_listen gwa udp 7000
	for to in 10.1.0.1 10.1.0.2 fd01::1 fd01::2; do
		pf=4
		[[ $to != *:* ]] || pf=6
		check "$1: ping $to" ping_lost hostb $to -W 0.4
		[[ $pf = 4 ]] || to=[$to]
		echo "in clear" | run_in hostb socat -u STDIN "UDP$pf-SENDTO:$to:7000"
		SENT=$((SENT + 2))
	done
	sleep 0.3
	kill "$BACKGROUND"
	capture_end
	check "$1: nothing came to the host" expect packets 0 "$(packets_in /run/lan.pcap)"
	check "$1: nothing came to the gateway" expect file '' "$(</run/got)"
	check "$1: counted" drops_are gwa in-cleartext=$SENT
}
none_enters "no SA"
postern_sas gwa 1 192.0.2.1 192.0.2.2 tunnel
postern_sas gwa 2 2001:db8::1 2001:db8::2 tunnel
none_enters "an SA"

# ESP that names no SA of ours is cleartext as well; what names one is judged by it
run_in gwa postern state add src 192.0.2.1 dst 10.1.0.2 proto esp spi 0x8888 reqid 3 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
for spi in 00001102 00009999 00008888; do
	run_in hostb python -B py/t2_send.py 10.2.0.2 10.1.0.2 50 "$spi$(printf '%080d' 0)"
done
SENT=$((SENT + 3))
check "ESP for a host that names no SA of that host, or one that is not for this one" drops_are gwa in-cleartext=$SENT

run_in gwa postern policy update dir in src 10.2.0.0/24 dst 10.1.0.0/24 action discard
check "discard" ping_lost hostb 10.1.0.2 -W 0.4
check "counted as such" drops_are gwa in-cleartext=$SENT in-discard=1
run_in gwa postern policy update dir in src 10.2.0.0/24 dst 10.1.0.0/24 action bypass
check "bypass" ping_ok hostb 10.1.0.2
