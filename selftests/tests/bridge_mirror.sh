#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What carries the interface id is copied as it is, what does not is left alone,
# what Postern cannot do is refused by name while its policy still closes. The
# part of the daemon is played by "ip xfrm".
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

topo_pair
# shellcheck disable=SC2119
load_postern

x() { pp ip -n a xfrm "$@"; }
state() { x state add src 10.0.0.1 dst 10.0.0.2 proto "$@"; }
policy() { x policy add src 10.0.0.1/32 dst 10.0.0.2/32 "$@"; }
P() { ip netns exec a postern "$@"; }
states() { P -j state list | jq -r "[.[] | select(.owner == $IF_ID)] | $1"; }
policies() { P -j policy list | jq -r "[.[] | select(.owner == $IF_ID)] | $1"; }
# The bridge is asynchronous: what was done to XFRM has been seen when a later
# thing arrives.
MARK=40000
settle() {
	MARK=$((MARK + 1))
	ip -n a xfrm policy add src 10.9.9.9/32 dst 10.9.9.9/32 proto udp dport "$MARK" dir out priority 9 if_id "$IF_ID"
	busywait 5 seen
}
seen() { P -j policy list | jq -e "any(.[]; .sel[\"dport-first\"] == $MARK)"; }
has_state() { states "length as \$n | [.[] | select($1)] | length" | grep -q '^[1-9]'; }
has_policy() { policies "[.[] | select($1)] | length" | grep -q '^[1-9]'; }
not() { ! "$@"; }
xfrm_numbers() { ip -n a xfrm state get src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x100a | grep -q "$1"; }
leads_to() { grep -q "$1" < <(ip -n a route show table 220; ip -n a -6 route show table 220); }
says() { grep -q -- "$1" "$IKE/bridge.log"; }

aead="aead rfc4106(gcm(aes)) $(hexkey 20) 128"
# shellcheck disable=SC2086 # words
{
	# There before the bridge, and to be found by its dump.
	state esp spi 0x1000 reqid 7 mode tunnel replay-window 32 $aead if_id $IF_ID limit byte-hard 1000000 limit time-soft 1000
	policy dir out priority 100 if_id $IF_ID tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 7 mode tunnel
	# Not to be touched.
	run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x5000 reqid 9 mode tunnel $aead
	run_in a postern policy add src 10.8.0.0/16 dst 10.7.0.0/16 dir out action block priority 5
	bridge_start a --no-ike-bypass
	check "dump_finds_what_was_there" has_state '.spi == 4096 and .reqid == 7 and ."replay-window" == 32 and
		.lifetime."byte-hard" == 1000000 and .lifetime."time-soft" == 1000 and .mode == "tunnel"'
	check "dump_finds_policies" has_policy '.priority == 100 and .action == "protect" and .dir == "out"'
	check "no_ike_bypass_where_none_is_wanted" not has_policy '.action == "bypass"'

	state esp spi 0x1001 reqid 8 mode transport enc 'cbc(aes)' "$(hexkey 16)" auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128 if_id "$IF_ID"
	state esp spi 0x1002 reqid 8 mode transport enc 'ecb(cipher_null)' '' auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128 if_id "$IF_ID"
	state ah spi 0x1003 reqid 8 mode tunnel auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128 flag align4 if_id "$IF_ID"
	x state add src fd00::1 dst fd00::2 proto esp spi 0x1004 mode transport $aead if_id $IF_ID sel src fd00::1/128 dst fd00::2/128 proto tcp dport 80
	state esp spi 0x1005 mode tunnel $aead if_id $IF_ID replay-window 128
	state esp spi 0x1006 mode tunnel $aead
	state esp spi 0x1007 mode tunnel $aead if_id 78
	state esp spi 0x1008 mode tunnel $aead if_id $IF_ID flag noecn extra-flag dont-encap-dscp output-mark 0x15 mask 0xf
	state esp spi 0x1009 mode tunnel $aead if_id $IF_ID output-mark $IF_ID
	state esp spi 0x100a mode tunnel aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 if_id "$IF_ID" flag esn replay-window 100 \
		replay-oseq-hi 3 replay-oseq 5 replay-seq-hi 2 replay-seq 4
	state esp spi 0x100c mode tunnel $aead if_id $IF_ID encap espinudp 4500 1234 0.0.0.0
	state esp spi 0x100b mode transport $aead if_id $IF_ID encap espinudp 4500 1234 10.1.1.1
	state esp spi 0x100d mode beet $aead if_id $IF_ID sel src fd09::1/128 dst fd09::2/128
	state esp spi 0x100e mode tunnel $aead if_id $IF_ID limit time-soft 1000 limit time-hard 500 limit packet-soft 10 limit packet-hard 20
	state comp spi 0x1234 mode tunnel reqid 1 comp deflate if_id "$IF_ID"
	state esp spi 0x1 mode tunnel $aead if_id "$IF_ID"
	settle
	check "cbc_and_hmac" has_state '.spi == 4097 and .enc.name == "cbc(aes)" and .auth.name == "hmac(sha256)" and .auth."icv-bits" == 128'
	check "null_and_hmac" has_state '.spi == 4098 and .enc.name == "ecb(cipher_null)"'
	check "ah" has_state '.spi == 4099 and .proto == "ah" and .auth."icv-bits" == 128 and .flags == ["align4"]'
	check "selector_and_ipv6" has_state '.spi == 4100 and .sel.src == "fd00::1/128" and .sel.proto == "tcp" and
		.sel."dport-first" == 80 and .sel."dport-last" == 80'
	check "large_window_without_esn" has_state '.spi == 4101 and ."replay-window" == 128'
	check "esn_is_copied" has_state '.spi == 4106 and .flags == ["esn"] and ."replay-window" == 100 and
		.replay.oseq == 12884901893 and .replay.seq == 8589934596'
	check "outer_header_and_mark" has_state '.spi == 4104 and .flags == ["noecn", "dont-encap-dscp"] and
		."output-mark" == 5 and ."output-mark-mask" == 15'
	check "mark_that_is_the_id_marks_nothing" has_state '.spi == 4105 and has("output-mark") == false'
	check "encapsulation" has_state '.spi == 4108 and .encap.sport == 4500 and .encap.dport == 1234'
	check "encapsulation_with_an_address" has_state '.spi == 4107 and .encap.addr == "10.1.1.1"'
	check "beet" has_state '.spi == 4109 and .mode == "beet" and .sel.src == "fd09::1/128" and .sel.dst == "fd09::2/128"'
	check "soft_limit_behind_the_hard_one_is_none" expect limits '{"time-hard":500,"packet-soft":10,"packet-hard":20}' \
		"$(states '.[] | select(.spi == 4110) | .lifetime | with_entries(select(.value)) | tojson')"
	check "ipcomp" has_state '.spi == 4660 and .proto == "comp" and .comp.name == "deflate" and .mode == "tunnel"'
	check "no_id_no_copy" not has_state '.spi == 4102'
	check "other_id_no_copy" not has_state '.spi == 4103'
	check "probe_is_not_copied" not has_state '.spi == 1'
	run_in a postern state update dst 10.0.0.2 proto esp spi 0x100a replay-oseq-hi 4 replay-oseq 6 replay-seq-hi 3 replay-seq 1
	check "numbers_of_esn_are_written_back" busywait 5 xfrm_numbers 'seq-hi 0x3, seq 0x1, oseq-hi 0x4, oseq 0x6'

	# What cannot be done.
	state esp spi 0x2002 reqid 20 mode beet $aead if_id "$IF_ID"
	state esp spi 0x2003 reqid 20 mode tunnel $aead if_id $IF_ID mark 1 mask 1
	state esp spi 0x2004 reqid 20 mode tunnel enc 'cbc(aes)' "$(hexkey 16)" auth-trunc 'hmac(md5)' "$(hexkey 16)" 96 if_id "$IF_ID"
	x policy add src 10.0.0.1/32 dst 10.0.0.20/32 dir out priority 20 if_id $IF_ID \
		tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 20 mode tunnel
	settle
	for spi in 2002 2003 2004; do
		check "unsupported_${spi}_is_refused_by_name" says "^SA not mirrored: esp 0x0000$spi 10.0.0.1 -> 10.0.0.2: ."
		check "unsupported_${spi}_is_not_copied" not has_state ".spi == $((0x$spi))"
	done
	check "its_policy_closes_nonetheless" has_policy '.sel.dst == "10.0.0.20/32" and .action == "protect"'
	check "algorithm_is_named" says '0x00002004.*hmac(md5)'

	# Policies.
	policy dir in priority 100 if_id $IF_ID tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 7 mode tunnel
	policy dir fwd priority 100 if_id $IF_ID tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 7 mode tunnel
	x policy add src 10.1.0.0/16 dst 10.2.0.0/16 proto udp sport 53 dir out action block priority 3 if_id "$IF_ID"
	x policy add src 10.1.0.0/16 dst 10.2.0.0/16 proto icmp type 8 code 0 dir out priority 4 if_id "$IF_ID"
	x policy add src 10.1.0.0/16 dst 10.14.0.0/16 proto icmp code 1 dir out priority 4 if_id $IF_ID tmpl proto esp reqid 1 mode transport
	x policy add src 10.1.0.1/16 dst 10.3.0.0/16 dir out priority 6 if_id $IF_ID mark 7 mask 7
	x policy add src 10.1.0.1/16 dst 10.4.0.0/16 dir out priority 7 if_id $IF_ID \
		tmpl src 10.0.0.1 dst 10.0.0.2 proto comp reqid 1 mode tunnel
	x policy add src 10.1.0.1/16 dst 10.6.0.0/16 dir in priority 9 if_id $IF_ID \
		tmpl src 10.0.0.2 dst 10.0.0.1 proto comp reqid 1 mode tunnel level use tmpl src 10.0.0.2 dst 10.0.0.1 proto esp reqid 1 mode transport
	x policy add src 10.1.0.1/16 dst 10.5.0.0/16 dir out priority 8 if_id $IF_ID \
		tmpl proto ah reqid 1 mode transport tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel
	x policy add src fd09::1/128 dst fd09::2/128 dir out priority 9 if_id $IF_ID \
		tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode beet
	x policy add src fd09::1/128 dst fd09::2/128 dir in priority 9 if_id $IF_ID \
		tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel level use
	x policy add src 10.1.0.1/16 dst 10.7.0.0/16 dir out priority 10 if_id $IF_ID \
		tmpl proto esp reqid 1 mode transport level use
	x policy add src 10.1.0.1/16 dst 10.8.0.0/16 dir in priority 10 if_id $IF_ID mark 7 mask 7 \
		tmpl proto esp reqid 1 mode transport level use
	settle
	check "beet_template" has_policy '.sel.dst == "fd09::2/128" and .tmpl[0].mode == "beet" and .tmpl[0].src == "10.0.0.1"'
	check "level_use" has_policy '.sel.dst == "fd09::2/128" and .dir == "in" and .tmpl[0].level == "use"'
	check "level_use_is_required_outbound" has_policy '.sel.dst == "10.7.0.0/16" and .tmpl[0].level == "required"'
	check "level_use_is_required_of_what_was_marked" has_policy '.sel.dst == "10.8.0.0/16" and .tmpl[0].level == "required"'
	check "in_and_fwd" expect directions 'fwd in out ' "$(policies '.[] | select(.sel.src == "10.0.0.1/32" and .priority == 100) | .dir' | sort | tr '\n' ' ')"
	check "discard_with_a_port" has_policy '.action == "discard" and .sel.proto == "udp" and .sel."sport-first" == 53 and .sel."sport-last" == 53'
	check "bypass_of_icmp" has_policy '.action == "bypass" and .sel.proto == "icmp" and .sel."type-first" == 8 and .sel."code-last" == 0'
	check "code_without_a_type_is_any" has_policy '.sel.dst == "10.14.0.0/16" and .action == "protect" and .sel.proto == "icmp" and (.sel | has("code-first") | not)'
	check "marked_allowance_is_not_widened" not has_policy '.sel.dst == "10.3.0.0/16"'
	check "what_cannot_be_protected_is_discarded" has_policy '.sel.dst == "10.4.0.0/16" and .action == "discard"'
	check "ipcomp_before_esp" has_policy '.sel.dst == "10.6.0.0/16" and .tmpl[0].proto == "comp" and .tmpl[0].level == "use" and .tmpl[1].proto == "esp"'
	check "two_templates_are_two" has_policy '.sel.dst == "10.5.0.0/16" and (.tmpl | length) == 2'

	# The host's own way into a tunnel leads there where the peer is, by one of two ways,
	# of which the debug kernel knows nothing.
	if [[ $LANE != debug ]]; then
		ip -n a route add 198.51.100.0/24 nexthop via 10.0.0.2 dev veth0 nexthop via 10.0.0.3 dev veth0
		ip -n a route add 2001:db8:1::/64 nexthop via fd00::2 dev veth0 nexthop via fd00::3 dev veth0
		x policy add src 10.0.0.1/32 dst 10.15.0.0/16 dir out priority 11 if_id $IF_ID \
			tmpl src 10.0.0.1 dst 198.51.100.1 proto esp reqid 1 mode tunnel
		x policy add src fd00::1/128 dst fd15::/64 dir out priority 11 if_id $IF_ID \
			tmpl src fd00::1 dst 2001:db8:1::1 proto esp reqid 1 mode tunnel
		check "route_of_two_next_hops" busywait 5 leads_to '10.15.0.0/16 via 10.0.0.2 dev veth0 .*src 10.0.0.1'
		check "route_of_two_next_hops_v6" busywait 5 leads_to 'fd15::/64 via fd00::2 dev veth0 .*src fd00::1'
	fi

	# A change of priority, as a trap makes way for an SA.
	x policy update src 10.0.0.1/32 dst 10.0.0.2/32 dir out priority 90 if_id $IF_ID tmpl src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1000 reqid 7 mode tunnel
	settle
	check "priority_changes_in_place" expect priorities 90 "$(policies '.[] | select(.sel.src == "10.0.0.1/32" and .dir == "out" and .sel.dst == "10.0.0.2/32") | .priority')"
	x policy delete src 10.0.0.1/32 dst 10.0.0.2/32 dir in if_id "$IF_ID"
	x state delete src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001
	settle
	check "policy_is_deleted" not has_policy '.sel.src == "10.0.0.1/32" and .dir == "in"'
	check "sa_is_deleted" not has_state '.spi == 4097'

	# Reserved first, keys later, as every daemon does it.
	spi=$(x state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp reqid 30 mode tunnel min 0x3000 max 0x3000 | grep -o '0x00003000' | head -n 1)
	settle
	check "reservation_is_not_copied" not has_state '.spi == 12288'
	x state update src 10.0.0.1 dst 10.0.0.2 proto esp spi "$spi" reqid 30 mode tunnel $aead if_id "$IF_ID"
	settle
	check "its_keys_are" has_state '.spi == 12288'
	x state update src 10.0.0.1 dst 10.0.0.2 proto esp spi "$spi" reqid 30 mode tunnel $aead if_id $IF_ID limit packet-hard 77
	settle
	check "an_update_is_followed" has_state '.spi == 12288 and .lifetime."packet-hard" == 77'

	# The kernel's own limit of time.
	state esp spi 0x3001 mode tunnel $aead if_id $IF_ID limit time-hard 10
	busywait 5 has_state '.spi == 12289'
	check "it_expires_on_both_sides" busywait 15 not has_state '.spi == 12289'
}
x state flush
no_states() { [[ $(states length) = 0 ]]; }
no_policies() { [[ $(policies length) = 0 ]]; }
check "flush_of_states" busywait 5 no_states
x policy flush
check "flush_of_policies" busywait 5 no_policies
check "what_is_not_the_bridges_stays" expect "spi of the administrator" 20480 "$(P -j state list | jq -r '.[].spi')"
check "policy_of_the_administrator_stays" expect policies 1 "$(P -j policy list | jq length)"

# The bridge needs CAP_NET_ADMIN and nothing else.
bridge_kill
check "stopped_in_order" says '^stopped'
setpriv=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all --bounding-set=-all)
check "without_the_capability_it_says_so" expect_fail -m 'CAP_NET_ADMIN' run_in a "${setpriv[@]}" postern bridge --if-id "$IF_ID"
# what a dump shows with the youngest first
for i in 1 2 3; do
	# shellcheck disable=SC2086
	state esp spi 0x400$i reqid 40 mode tunnel $aead if_id "$IF_ID"
	x policy add src 10.0.0.$i/32 dst 10.6.0.0/16 dir out priority 50 if_id "$IF_ID" \
		tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 40 mode tunnel
done
: >"$IKE/bridge.last"
ip netns exec a setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all,+net_admin --ambient-caps=-all,+net_admin \
	--bounding-set=-all,+net_admin postern bridge --if-id "$IF_ID" 2>"$IKE/bridge.last" &
check "with_it_alone_it_works" busywait 5 grep -q '^in step' "$IKE/bridge.last"
check "SAs_are_taken_by_age" expect SPIs '16385 16386 16387' "$(states '[.[].spi] | join(" ")')"
check "policies_are_taken_by_age" expect sources '10.0.0.1/32 10.0.0.2/32 10.0.0.3/32' \
	"$(policies '[sort_by(.index)[] | select(.priority == 50) | .sel.src] | join(" ")')"
kill %%

check "id_0_is_refused" expect_fail -m '1 to 4294967294' postern bridge --if-id 0
check "id_of_what_closes_is_refused" expect_fail -m '1 to 4294967294' postern bridge --if-id 4294967295
check "id_with_a_blank_is_refused" expect_fail -m '1 to 4294967294' postern bridge --if-id ' 77'
check "id_with_a_sign_is_refused" expect_fail -m '1 to 4294967294' postern bridge --if-id +5
check "second_id_is_refused" expect_fail -m duplicate postern bridge --if-id 5 --if-id 6
check "id_is_required" expect_fail -m 'if-id' postern bridge
check "nonsense_is_refused" expect_fail -m 'Usage' postern bridge --if-id 5 nonsense
