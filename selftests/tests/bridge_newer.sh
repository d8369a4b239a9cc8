#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The bridge and what newer kernels have: an SA that knows its direction can be added again
# with what was read of it, and one that MIGRATE_STATE moves, of which no other event tells,
# is followed.  The part of a daemon is played by "ip xfrm" and py/xfrm.py.
#
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

topo_pair
# shellcheck disable=SC2119
load_postern
x() { run_in a "$(dirname "$0")/../py/xfrm.py" "$@"; }
has() { ip netns exec a postern -j state list | jq -e "any(.[]; $1)" >/dev/null; }
in='.spi == 4097 and .dir == "in"'

pp ip -n a xfrm state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x1001 reqid 7 mode tunnel flag af-unspec \
	replay-window 128 aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 if_id "$IF_ID"
x again 10.0.0.1 0x1001 1
bridge_start a
check "an inbound SA is mirrored" has "$in"
check "the kernel takes it again" x again 10.0.0.1 0x1001
pp ip -n a xfrm state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1002 reqid 7 mode tunnel flag af-unspec \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 if_id "$IF_ID"
busywait 5 has '.spi == 4098'
check "it is mirrored again" has "$in"

run_in a postern state update dst 10.0.0.2 proto esp spi 0x1002 replay-oseq 100
x move 10.0.0.2 0x1002 10.0.0.7 10.0.0.8
check "an SA that was moved is followed" busywait 5 has '.spi == 4098 and .src == "10.0.0.7" and .dst == "10.0.0.8" and .reqid == 7'
check "with its numbers" has '.spi == 4098 and .replay.oseq >= 100'
check "and is nowhere else" expect_fail has '.spi == 4098 and .dst == "10.0.0.2"'
