#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Pages that somebody else has as well are read and never written: files, pipes and memory
# that were sent without a copy, on the host itself and through it, and what taps hold
# (known-bugs.md, "pages of others").
#
#	hosta ----- gwa (Postern) ===== gwb (Postern) ----- hostb
#
# timeout: 240
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

pages() { run_in "$1" python -B py/pages.py "${@:2}"; }
head -c 150000 /dev/urandom >/run/stream
head -c 48000 /dev/urandom >/run/datagrams
head -c 1368 /dev/urandom >/run/esp
head -c 6008 /dev/urandom >/run/esp.large

load_postern
topo_sites
tunnel gwa gwb postern 1 192.0.2.1 192.0.2.2 10.1.0.0/24 10.2.0.0/24
# what a receiver opens that came in UDP; with ESN the crypto API writes beyond what it opens
run_in gwb postern state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x2001 mode tunnel dir in \
	encap espinudp 4500 4500 0.0.0.0 aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
run_in gwb postern state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x2002 mode tunnel dir in flag esn \
	encap espinudp 4500 4500 0.0.0.0 enc 'cbc(aes)' "$(hexkey 16)" auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128

# copied FROM SOURCE HOW PROTO FILE: sent, received as it was, and still so at its owner
copied() {
	local file=$5 from=$1

	cp "$file" "$file.sent"
	cp "$file" "$file.want"
	background hostb timeout 240 /usr/bin/python3 -B py/pages.py receive "$4" 10.2.0.2 7000 "$file.want"
	wait_listen hostb "$4" 7000
	pages "$from" send "$3" "$4" 10.2.0.2 7000 "$file.sent" "$2" && wait "$BACKGROUND" && cmp "$file" "$file.sent"
}

before=$(stat_of gwa out-sent)
for how in sendfile splice tee vmsplice zerocopy; do
	check "$how, TCP from this host" copied gwa 10.1.0.1 $how tcp /run/stream
	check "$how, TCP through this host" copied hosta 10.1.0.2 $how tcp /run/stream
	check "$how, UDP from this host" copied gwa 10.1.0.1 $how udp /run/datagrams
done
check "all of it through the tunnel" test $(($(stat_of gwa out-sent) - before)) -gt 500

# taps: before the packets are protected, and before they are opened
taps=()
tap() { # NS DEVICE NAME
	background "$1" /usr/bin/python3 -B py/pages.py tap "$2" "/run/$3"
	taps+=("$BACKGROUND")
	busywait 20 grep -q listening "/run/$3"
}
tap gwa lan plain
tap gwb pub received
# a copy made before they come to anybody
capture gwa pub /run/sent.pcap -Q out ip proto 50
check "splice, UDP through this host, under taps" copied hosta 10.1.0.2 splice udp /run/datagrams
kill "${taps[@]}"
wait "${taps[@]}"
capture_end
# behind 28 octets of IP and UDP
plain() { grep -E '^45.{22}0a0100020a020002' /run/plain | cut -c57- | tr -d '\n'; }
received() { grep -E '^45.{16}32' /run/received; }
sent() { tcpdump -n -x -r /run/sent.pcap 2>/dev/null | sed -n 's/^\t0x[0-9a-f]*: *//p' | tr -d ' \n'; }
check "a tap before protection has what was sent" expect octets "$(xxd -p /run/datagrams | tr -d '\n' | sha256sum)" \
	"$(plain | sha256sum)"
check "the copy has all packets" expect packets 40 "$(packets_in /run/sent.pcap)"
check "a tap before they are opened has them as they were sent" expect octets "$(sent | sha256sum)" \
	"$(received | tr -d '\n' | sha256sum)"

# what is not authentic is not opened into the pages that it came in, either
before=$(stat_of gwb in-icv)
for f in esp esp.large; do
	check "ESP from a file's pages: $f" pages gwa esp 192.0.2.2 /run/$f 0x2001 0x2002 0x2001 0x2002
done
check "the receiver has tried to open it" expect drops 8 $(($(stat_of gwb in-icv) - before))
