#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who listens hears of everything once, in order, and of nothing that was refused.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

topo_pair
load_postern
for what in all sa policy acquire; do
	background a postern -j monitor $what >/run/$what
done
wait_monitor a 6
gcm=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)
id=(dst 10.0.0.2 proto esp spi 0x1001)

run_in a postern state add src 10.0.0.1 "${id[@]}" reqid 1 mode tunnel "${gcm[@]}"
expect_fail run_in a postern state add src 10.0.0.1 "${id[@]}" reqid 1 mode tunnel "${gcm[@]}"
run_in a postern state update src 10.0.0.1 "${id[@]}" reqid 1 mode tunnel "${gcm[@]}" limit packet-soft 2 limit packet-hard 4
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 proto icmp \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel
for _ in 1 2 3 4; do
	ping_lost a 10.0.0.2
done
# the SA is used up, the next packet asks for another
ping_lost a 10.0.0.2
run_in a postern state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp reqid 5 mode tunnel min 0x2000 max 0x2000
run_in a postern state delete dst 10.0.0.2 proto esp spi 0x2000
run_in a postern policy update dir out src 10.0.0.1 dst 10.0.0.2 proto icmp action bypass
run_in a postern policy delete dir out src 10.0.0.1 dst 10.0.0.2 proto icmp
expect_fail run_in a postern policy delete dir out src 10.0.0.1 dst 10.0.0.2 proto icmp
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x3000 owner 7 "${gcm[@]}"
run_in a postern state flush owner 8
run_in a postern state flush owner 7
run_in a postern policy add dir in dst 10.0.0.1 action discard
run_in a postern policy flush
sleep 1
cat /run/all

names() { jq -r '.event + (if has("hard") then (if (.hard == true or .hard == 1) then "-hard" else "-soft" end) else "" end)' "/run/$1" | xargs; }
check "SAs" expect events \
	'sa-new sa-update sa-expire-soft sa-expire-hard sa-new sa-del sa-new sa-flush' "$(names sa | sed 's/-ntf//g')"
check "policies" expect events 'policy-new policy-update policy-del policy-new policy-flush' \
	"$(names policy | sed 's/-ntf//g')"
check "acquires" expect events acquire "$(names acquire | sed 's/-ntf//g')"
check "a listener of all hears all" expect events 14 "$(wc -l </run/all)"
