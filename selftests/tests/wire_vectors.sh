#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packets that RFCs 3602, 3686, 4494, 4868, 7634 and the draft that RFCs 4106 and 4543
# name for tests print: each is taken, with the right ICV only, and what comes out is
# what they say, octet by octet.  Where the IV is a number, and not drawn at random, what
# is sent is theirs too.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

DIR=/run/vectors
PY=$(dirname "$0")/../py/vectors.py

topo_pair
load_postern
mkdir -p $DIR
for i in $(python "$PY" addresses); do
	addr a lo "$i/32"
done
addr b lo 203.0.113.153/32
ip -n b route add default via 10.0.0.1
python "$PY" batch >$DIR/batch
check "all SAs are taken" run_in a postern -batch $DIR/batch
capture a veth0 $DIR/pcap -Q in ip
run_in b python "$PY" send
python "$PY" counts >$DIR/want
sum() { awk -v n="$1" '{ sum += $n } END { print sum }' $DIR/want; }
busywait 20 drops_are a in-icv="$(sum 3)" in-padding="$(sum 4)" || true
check "drops" drops_are a in-icv="$(sum 3)" in-padding="$(sum 4)"
capture_end
cp $DIR/pcap "$RESULTS/"

python "$PY" check $DIR/pcap >$DIR/verdicts
while read -r name verdict; do
	check "$name" expect "$name" ok "$verdict"
done <$DIR/verdicts
# of each SA: those with a wrong ICV, and those that have none but are no whole ESP packets
ip netns exec a postern -j -s state list | jq -r 'sort_by(.spi, .dst)[] | . as $sa |
	[(["in-icv", "in-padding"][] | . as $r | [$sa.drops[]? | select(.reason == $r) | .packets] | add // 0)] |
	"\($sa.spi) \($sa.dst) \(.[0]) \(.[1])"' >$DIR/got
while read -r spi dst icv padding; do
	check "SA $spi to $dst: a wrong ICV is refused, the right one is not" \
		grep -qx "$spi $dst $icv $padding" $DIR/got
done <$DIR/want
check "accounts" accounts_balance a

all_sent() { expect out-sent "$OUT" "$(stat_of b out-sent)"; }
python "$PY" out-batch >$DIR/out
OUT=$(grep -c '^state' $DIR/out)
check "out: all SAs are taken" run_in b postern -batch $DIR/out
capture b veth0 $DIR/pcap.out -Q out 'ip proto 50'
run_in b python "$PY" out-send
check "out: all are sent" busywait 20 all_sent
capture_end
cp $DIR/pcap.out "$RESULTS/"
python "$PY" out-check $DIR/pcap.out >$DIR/verdicts
while read -r name verdict; do
	check "$name" expect "$name" ok "$verdict"
done <$DIR/verdicts
check "out: all were looked at" expect vectors "$OUT" "$(wc -l <$DIR/verdicts)"
check "out: accounts" accounts_balance b
