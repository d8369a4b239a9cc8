#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who listens hears of everything once, in order, and of nothing that was refused.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

forge_start
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
run_in a postern policy update dir out src 10.0.0.1 dst 10.0.0.2 proto icmp action bypass
# Who wants an echo gets it, and everybody hears of it all the same.
run_in a env PYTHONPATH="$(dirname "$0")/../py" /usr/bin/python3 -c '
import ipaddress, sys
import t2_netlink as nl
NLM_F_ECHO = 8
sock = nl.Socket()
sock.call("sa-del", {"dst": ipaddress.ip_address("10.0.0.2").packed, "proto": 50, "spi": 0x2000}, NLM_F_ECHO)
sock.call("policy-del", {"index": int(sys.argv[1])}, NLM_F_ECHO)' \
	"$(run_in a postern -j policy list | jq '.[0].index')"
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

# What comes from outside: all that follows is told to a listener of its own.
background a postern -j monitor sa >/run/inbound
background a postern monitor sa >/run/inbound.txt
wait_monitor a 8
told() { jq -c "select(.event == \"$1\") | .sa" /run/inbound; }
times() { told "$1" | wc -l; }
told_are() { [[ $(times "$1") = "$2" ]]; }

not_for_a_wrong_icv() {
	forge send x text=bad badkey=1 again=3 >/dev/null
	busywait 5 stat_is a in-icv "$1" || return 1
	# an event that follows shows that there was none before
	run_in a postern state allocspi src 10.0.0.2 dst 10.0.0.1 proto esp reqid 5 mode tunnel min "$2" max "$2" >/dev/null
	busywait 5 grep -q "\"spi\":$(($2))," /run/inbound || return 1
	expect "events of use" "$3" "$(times sa-used)"
}
stat_is() { [[ $(stat_of "$1" "$2") = "$3" ]]; }

forge_sa x esp tunnel 4 4 gcm
forge_policy
check "a packet that fails its ICV is no use of an SA" not_for_a_wrong_icv 3 0x4000 0
check "good packets" good x count=3
check "the first use of an SA is told" busywait 5 told_are sa-used 1
check "by name" expect SA "$SPI 10.0.0.1 esp" \
	"$(told sa-used | jq -r '"\(.spi) \(.dst) \(.proto)"' | { read -r spi rest && printf '0x%x %s' "$spi" "$rest"; })"
check "more packets" good x count=3
# the timer of the SA looks at it again
run_in a postern state update "${SA[@]}" limit packet-hard 1000
check "and once" not_for_a_wrong_icv 6 0x4001 1
forge_sa y ah transport 6 6 null
forge_policy
check "another SA" good y count=2
check "has its own" busywait 5 told_are sa-used 2

# Delete and add, as a move does it: the SA is not new.
handed_over() {
	local key

	key=$(postern -n a -k -j state get "${SA[@]}" | jq -r .aead.key)
	run_in a postern state delete "${SA[@]}"
	run_in a env PYTHONPATH="$(dirname "$0")/../py" /usr/bin/python3 -c '
import ipaddress, sys
import t2_netlink as nl
nl.Socket().call("sa-new", {
	"dst": ipaddress.ip_address("10.0.0.1").packed, "src": ipaddress.ip_address("10.0.0.2").packed,
	"proto": 50, "spi": int(sys.argv[1], 0), "mode": 1, "reqid": int(sys.argv[1], 0),
	"aead": {"name": "rfc4106(gcm(aes))", "key": bytes.fromhex(sys.argv[2][2:]), "icv-bits": 128},
	"usage": {"add-time": 1, "use-time": 1}})' "$SPI" "$key"
	good z && not_for_a_wrong_icv 9 0x4002 3
}
forge_sa z esp tunnel 4 4 gcm
run_in a postern policy delete dir in src 10.9.0.2 dst 10.9.0.1
forge_policy
good z
check "a third" busywait 5 told_are sa-used 3
check "an SA that is handed over used is not new" handed_over

# Anybody can send an SPI that nobody has.
before=$(date +%s)
sent=0
for _ in 1 2 3; do
	sent=$((sent + $(forge send x text=bad spi=0x7777 again=100)))
done
busywait 10 stat_is a unknown-spi "$sent"
windows=$(($(date +%s) - before + 2))
check "an unknown SPI is told" busywait 5 grep -q sa-unknown /run/inbound
check "with its addresses" expect SA '{"src":"10.0.0.2","dst":"10.0.0.1","proto":"esp","spi":30583}' "$(told sa-unknown | sort -u)"
check "no more than 10 a second" test "$(times sa-unknown)" -le $((10 * windows))
check "of $sent" test "$(times sa-unknown)" -lt "$sent"
check "in words" grep -q '^Unknown src 10.0.0.2 dst 10.0.0.1' /run/inbound.txt
check "as the schema has it" python "$(dirname "$0")/../../tools/test/schema.py" event /run/inbound

# The ping that asked for an SA is still held, and its socket keeps the namespace, and with
# it these policies and the module, until the hold is over.
say "$(stat_of a held) waits"
run_in a postern policy flush
