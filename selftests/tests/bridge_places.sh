#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two bridges want the same place in Postern, which XFRM has once for each of their ids: who
# comes second waits, and has it as soon as the other is gone.  The files of /etc/postern take
# theirs from both.  The part of the daemons is played by "ip xfrm".
#
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../ike.sh"
cleanup_more() { ike_logs; }

topo_pair
# shellcheck disable=SC2119
load_postern
IKE=/run/ike/78 IF_ID=78 bridge_start a --no-ike-bypass
bridge_start a

PLACE=(src 10.0.0.1/32 dst 10.0.0.2/32 dir out)
daemon() { # ID add|delete
	local more=()

	[[ $2 = delete ]] || more=(priority 100 tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 7 mode tunnel)
	pp ip -n a xfrm policy "$2" "${PLACE[@]}" if_id "$1" "${more[@]}"
}
is_of() { # OWNER [WORDS...]
	[[ $# -gt 1 ]] || set -- "$1" "${PLACE[@]}" priority 100
	[[ $(ip netns exec a postern -j policy get "${@:2}" 2>/dev/null | jq .owner) = "$1" ]]
}
waits() { busywait 5 grep -q "^policy not mirrored: .*10.0.0.1/32.*not the bridge's" "$1/bridge.log"; }

daemon 77 add
busywait 5 is_of 77
daemon 78 add
check "the second one waits" waits /run/ike/78
check "and the place is as it was" is_of 77
daemon 77 delete
check "it has the place when that is free" busywait 5 is_of 78
check "and nothing passes in clear" ping_lost a 10.0.0.2
daemon 77 add
check "now the other one waits" waits "$IKE"
run_in a postern policy flush owner 78
check "and has the place after a flush" busywait 5 is_of 77
# from here on one of them wants it
daemon 78 delete

reload() { run_in a ../tools/load; }
IKE_PASSES=(dir in dst 10.0.0.1 proto udp dport 500 priority 1)
mkdir -p /etc/postern
busywait 5 is_of 77 "${IKE_PASSES[@]}"
cat >/etc/postern/site.conf <<CONF
policy add ${PLACE[*]} priority 100 action discard
policy add ${IKE_PASSES[*]} action bypass
CONF
check "files take places that a bridge has" reload
check "of what it mirrors" is_of 0
check "and of what lets IKE pass" is_of 0 "${IKE_PASSES[@]}"
check "and do so again" reload
echo 'policy add dir out dst 10.5.0.0/16 action discard owner 7' >/etc/postern/wrong.conf
check "a policy with an owner is refused" expect_fail -m 'names an owner' reload
echo "state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 auth hmac(sha256) $(hexkey 32) owner 7" >/etc/postern/wrong.conf
check "and an SA with one" expect_fail -m 'nothing has changed' reload
rm /etc/postern/wrong.conf
: >/etc/postern/site.conf
check "files without them" reload
check "leave the place to the bridge" busywait 5 is_of 77
check "both places" busywait 5 is_of 77 "${IKE_PASSES[@]}"
check "nothing is closed" expect policies '' "$(run_in a postern policy list owner 4294967295)"
