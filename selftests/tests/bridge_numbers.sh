#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An SA that a daemon deletes and adds again with the same key goes on with its
# numbers, whatever the daemon says they are: none is ever repeated on the wire.
# Numbers that nobody knows any more are not guessed: the daemon must make
# another SA.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

key_ab=$(hexkey 20) key_ba=$(hexkey 20)
AEAD='rfc4106(gcm(aes))'

# The part of a daemon is played by "ip xfrm".
state() { # NS SRC DST SPI KEY [WORDS...]
	pp ip -n "$1" xfrm state add src "$2" dst "$3" proto esp spi "$4" reqid 1 mode tunnel \
		aead "$AEAD" "$5" 128 "${@:6}"
}
policy() { # NS DIR SRC DST TMPL_SRC TMPL_DST [WORDS...]
	pp ip -n "$1" xfrm policy add src "$3" dst "$4" dir "$2" priority 1000 "${@:7}" \
		tmpl src "$5" dst "$6" proto esp reqid 1 mode tunnel
}
a_out() { state gwa 192.0.2.1 192.0.2.2 0x1001 "$key_ab" if_id "$IF_ID" "$@"; }
a_in() { state gwa 192.0.2.2 192.0.2.1 0x1002 "$key_ba" replay-window 32 if_id "$IF_ID"; }
a_delete() { pp ip -n gwa xfrm state delete src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001; }

topo_sites
# shellcheck disable=SC2119
load_postern
bridge_start gwa
a_out
a_in
policy gwa out 10.1.0.0/24 10.2.0.0/24 192.0.2.1 192.0.2.2 if_id "$IF_ID"
policy gwa in 10.2.0.0/24 10.1.0.0/24 192.0.2.2 192.0.2.1 if_id "$IF_ID"
policy gwa fwd 10.2.0.0/24 10.1.0.0/24 192.0.2.2 192.0.2.1 if_id "$IF_ID"
state gwb 192.0.2.1 192.0.2.2 0x1001 "$key_ab" replay-window 32
state gwb 192.0.2.2 192.0.2.1 0x1002 "$key_ba"
policy gwb out 10.2.0.0/24 10.1.0.0/24 192.0.2.2 192.0.2.1
policy gwb in 10.1.0.0/24 10.2.0.0/24 192.0.2.1 192.0.2.2
policy gwb fwd 10.1.0.0/24 10.2.0.0/24 192.0.2.1 192.0.2.2

not() { ! "$@"; }
mirrored() { run_in gwa postern -j state list | jq -e ".[] | select(.spi == $1)"; }
ping5() { run_in hosta ping -n -q -c 5 -i 0.2 -W 5 10.2.0.2; }
capture gwb pub "$RESULTS/pub.pcap" src 192.0.2.1 and esp
busywait 10 mirrored $((0x1002))
check "first_life" ping5

a_delete
a_out
busywait 10 mirrored $((0x1001))
check "deleted_and_added" ping5

for _ in 1 2 3; do
	a_delete
	a_out
done
sleep 1
check "deleted_and_added_in_haste" ping5

a_delete
busywait 10 not mirrored $((0x1001))
a_out replay-oseq 3
busywait 10 mirrored $((0x1001))
check "a_stale_number_is_not_believed" ping5
sleep 1.2

bridge_kill KILL
ping5
a_delete
a_out
bridge_start gwa
check "deleted_and_added_while_the_bridge_was_dead" ping5
sleep 1.2

# The receiver's numbers go on as well: a replay from the first life is refused.
seq_in() { run_in gwa postern -j state list | jq ".[] | select(.spi == $((0x1002))) | .replay.seq"; }
before=$(seq_in)
pp ip -n gwa xfrm state delete src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002
a_in
busywait 10 mirrored $((0x1002))
check "the_replay_window_is_inherited" expect "seq of the inbound SA" "$before" "$(seq_in)"
check "inbound_goes_on" ping5

# Postern has forgotten; XFRM has numbers, but nobody can tell how old they are.
bridge_kill KILL
ping5
run_in gwa postern policy flush
run_in gwa postern state flush
unload_postern
# shellcheck disable=SC2119
load_postern
background gwa ip xfrm monitor expire >"$IKE/told"
listens() { ip netns exec gwa grep -Eq '^[^ ]+ +6 +[0-9]+ +0*[1-9a-f]' /proc/net/netlink; }
busywait 10 listens
bridge_start gwa
check "unknown_numbers_are_refused" expect SAs 0 "$(run_in gwa postern -j state list | jq length)"
# a hard expiry would take the policies as well
check "and_the_daemon_is_told" busywait 5 grep -Pzq 'spi 0x00001001[^E]*hard 0' "$IKE/told"
check "and_nothing_passes_in_clear" ping_lost hosta 10.2.0.2
capture_end

tcpdump -n -r "$RESULTS/pub.pcap" 2>/dev/null | grep -o 'seq=0x[0-9a-f]*' >"$IKE/numbers"
check "no_number_twice" expect "numbers sent twice" '' "$(sort "$IKE/numbers" | uniq -d)"
check "numbers_were_sent" test "$(wc -l <"$IKE/numbers")" -ge 40
