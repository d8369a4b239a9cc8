#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A number is never used twice with a key, whatever userspace does: an SA that is
# deleted and added again continues, SAs of one key share their numbers, and nothing
# moves them back.
#
#	a (Postern) ------ b (listens to the cable only)
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
ip -n a neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev veth0 nud permanent
capture a veth0 /run/out.pcap -Q out -s 200 'ip proto 50 or ip proto 51'
for n in 1 2 3; do
	run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 proto udp dport 700$n \
		tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid $n mode tunnel
done
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 proto udp dport 7009 \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto ah reqid 9 mode tunnel
SENT=0
send() { # PORT N
	run_in a python -B py/t2_datagrams.py 10.0.0.2 "$1" 1 "$2"
	SENT=$((SENT + $2))
}
key=$(hexkey 20)
sa() { # ADD_OR_UPDATE SPI REQID WORD...
	run_in a postern state "$1" src 10.0.0.1 dst 10.0.0.2 proto esp spi "$2" reqid "$3" mode tunnel \
		aead 'rfc4106(gcm(aes))' "$key" 128 "${@:4}"
}
numbers() { python -B py/t2_numbers.py /run/out.pcap; }
oseq() { ip netns exec a postern -s -j state list spi "$1" | jq '.. | .oseq? // empty' | head -n 1; }

sa add 0x1001 1
send 7001 3
run_in a postern state delete dst 10.0.0.2 proto esp spi 0x1001
sa add 0x1001 1
send 7001 2
check "the same SA again" expect "last number" 5 "$(oseq 0x1001)"
run_in a postern state flush
sa add 0x1002 2
send 7002 2
check "another SPI, the same key" expect "last number" 7 "$(oseq 0x1002)"
sa add 0x1003 3
send 7003 1
send 7002 1
send 7003 1
check "two SAs with one key share the numbers" expect "last numbers" '10 10' "$(oseq 0x1002) $(oseq 0x1003)"
sa update 0x1003 3 replay-oseq 4
send 7003 1
check "an update does not move them back" expect "last number" 11 "$(oseq 0x1003)"
run_in a postern state flush
sa add 0x1001 1 replay-oseq 2
send 7001 1
check "nor does a new SA" expect "last number" 12 "$(oseq 0x1001)"
sa update 0x1001 1 replay-oseq 100
send 7001 1
check "forward they go" expect "last number" 101 "$(oseq 0x1001)"
run_in a postern state flush
sa add 0x1001 1 replay-oseq 50
send 7001 1
check "and stay there" expect "last number" 102 "$(oseq 0x1001)"

# the same octets as a key of AH: numbers of another algorithm
auth=$(hexkey 32)
ah() { run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto ah spi 0x1009 reqid 9 mode tunnel auth 'hmac(sha256)' "$auth"; }
ah
send 7009 2
run_in a postern state flush
ah
send 7009 1
check "AH continues as well" expect "last number" 3 "$(oseq 0x1009)"

# a burst on two CPUs while the SA is deleted and added
key=$(hexkey 20)
sa add 0x1001 1
for n in 1 2; do
	background a socat -u -b 100 OPEN:/dev/zero,readbytes=300000 UDP4-SENDTO:10.0.0.2:7001
done
for n in 1 2 3 4 5; do
	sleep 0.1
	run_in a postern state delete dst 10.0.0.2 proto esp spi 0x1001
	sa add 0x1001 1
done
sleep 1
capture_end
check "what was sent one by one" [ "$(numbers | wc -l)" -ge $SENT ]
# numbers repeat only with another key: the second burst has one of its own
numbers >/run/numbers
total=$(wc -l </run/numbers)
say "$total packets"
check "no number twice with a key" expect repeats '' \
	"$(awk -v sent=$SENT 'NR <= sent && $1 != "00001009" && seen[$2]++ { print } NR > sent && burst[$2]++ { print }' /run/numbers)"
