#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two sites, one tunnel: runs inside the virtual machine, prints for a person.
# Gateway A protects its traffic with Postern, gateway B with the kernel's own
# XFRM; strongSwan negotiates on both. With the word "keep" all stays up at the
# end, for a shell.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/ike.sh"

KEEP=${1:-}
STEPS=9 STEP=0
SECRET='the quick brown fox crosses the public link'
# What ping is to carry, and the same as the capture would show it.
PATTERN=$(printf 'POSTERN-INSIDE' | od -An -tx1 | tr -d ' \n')

# The person reads descriptor 3; the commands and what they say go to a file.
exec 3>&1 >"$RESULTS/demo.log" 2>&1

tell() { printf '%s\n' "$@" >&3; }
step() {
	STEP=$((STEP + 1))
	tell "" "[$STEP/$STEPS] $*"
	say "$*"
}
indent() { sed 's/^/    /' >&3; }

cleanup_more() {
	((rc == 0)) || {
		tell "" "This did not work; the last lines of $RESULTS/demo.log:"
		tail -n 25 "$RESULTS/demo.log" | indent
		ike_logs
		tell "" "demo: FAILED in step $STEP"
	}
}

# must WHAT COMMAND...: observed, or the demo has failed.
must() {
	local what=$1

	shift
	if "$@"; then
		tell "    yes: $what"
	else
		tell "    NO:  $what"
		fail "$what"
	fi
}

# hex FILE: its octets as one line of digits, to be searched.
hex() { od -An -v -tx1 "$1" | tr -d ' \n'; }
hex_of() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }
# finds FILE DIGITS
finds() { grep -q -- "$2" "$1"; }
lacks() { ! finds "$@"; }

topology() {
	ns hosta gwa internet gwb hostb
	link hosta lan gwa lan
	link gwa pub internet porta
	link internet portb gwb pub
	link gwb lan hostb lan
	pp ip -n internet link add link0 type bridge
	for p in porta portb; do
		ip -n internet link set dev $p master link0
	done
	ip -n internet link set link0 up
	addr hosta lan 10.1.0.2/24 fd01::2/64
	addr gwa lan 10.1.0.1/24 fd01::1/64
	addr gwa pub 192.0.2.1/24
	addr gwb pub 192.0.2.2/24
	addr gwb lan 10.2.0.1/24 fd02::1/64
	addr hostb lan 10.2.0.2/24 fd02::2/64
	forward gwa
	forward gwb
	ip -n hosta route add default via 10.1.0.1
	ip -n hosta route add default via fd01::1
	ip -n hostb route add default via 10.2.0.1
	ip -n hostb route add default via fd02::1
	ip -n gwa route add default via 192.0.2.2
	ip -n gwb route add default via 192.0.2.1
	# Inner IPv6 needs a route out, though there is no IPv6 on the link.
	ip -n gwa -6 route add default dev pub
	ip -n gwb -6 route add default dev pub
}

drawing() {
	cat >&3 <<-'EOF'

	        site A                       public link                     site B
	  hosta -------- gwa ============================================ gwb -------- hostb
	  10.1.0.2       10.1.0.1                                    10.2.0.1       10.2.0.2
	  fd01::2        fd01::1                                      fd02::1        fd02::2
	                 192.0.2.1                                  192.0.2.2
	                 Postern                                    Linux XFRM
	                 strongSwan + postern bridge                strongSwan
	EOF
}

# Text from A to B over TCP.
talk() {
	background hostb timeout 120 busybox nc -l -p 7000 >"$IKE/heard"
	wait_listen hostb tcp 7000
	# shellcheck disable=SC2016 # the shell in the namespace expands it
	run_in hosta timeout 60 bash -c 'for i in {1..20}; do echo "$i $0"; done >/dev/tcp/10.2.0.2/7000' "$SECRET"
	busywait 60 grep -q "^20 $SECRET" "$IKE/heard"
}

child_is_up() { sw gwa --list-sas | grep -q 'INSTALLED, TUNNEL'; }
no_plain_xfrm() { [[ -z "$(ip -n gwa -s xfrm state | awk '/lifetime current/ { getline; if ($1 != "0(bytes),") print }')" ]]; }

step "Topology: five network namespaces"
topology
drawing

step "Gateway A: the module, the bridge"
# shellcheck disable=SC2119
load_postern
bridge_start gwa
tell "    $(modinfo -F version "$POSTERN_KO" | sed 's/^/postern.ko /') on Linux $(uname -r)" \
	"    postern bridge --if-id $IF_ID"

step "Both gateways: strongSwan ($(dpkg-query -W -f '${Version}' charon-systemd 2>/dev/null || echo '?')) negotiates IKEv2 with a PSK"
mkdir -p "$IKE"
capture internet porta "$RESULTS/public.pcap"
public=$CAPTURE
capture hosta lan "$RESULTS/inside.pcap"
inside=$CAPTURE
# shellcheck disable=SC2119
ike_sites
sw gwa --initiate --child net
must "the CHILD_SA is up on A" child_is_up
grep -E 'SA added|policy set' "$IKE/bridge.log" | sed 's/^/bridge: /' | indent

step "Ping from host to host, IPv4 and IPv6 through the same SAs"
for to in 10.2.0.2 fd02::2; do
	run_in hosta ping -n -c 5 -i 0.2 -W 10 -p "$PATTERN" $to | tee "$IKE/ping"
	grep -E 'bytes from|packets transmitted' "$IKE/ping" | tail -n 2 | indent
	must "5 of 5 answers from $to" grep -q '5 received, 0% packet loss' "$IKE/ping"
done
run_in hosta ping -n -q -c 3 -i 0.2 -W 10 -s 20000 10.2.0.2 | tee "$IKE/ping"
must "pings of 20000 octets, in fragments" grep -q '3 received, 0% packet loss' "$IKE/ping"

step "A text over TCP: \"$SECRET\""
talk
tell "    hostb heard: $(tail -n 1 "$IKE/heard")"
for CAPTURE in "$public" "$inside"; do
	capture_end
done

step "iperf3: TCP from host to host for 5 seconds"
capture internet porta "$IKE/iperf.pcap" -s 64
background hostb iperf3 -s -1
wait_listen hostb tcp 5201
run_in hosta iperf3 -c 10.2.0.2 -t 5 -J >"$IKE/iperf.json"
capture_end
rate=$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$IKE/iperf.json")
tell "    $rate Mbit/s of TCP payload received, $(jq '.end.sum_sent.retransmits' "$IKE/iperf.json") retransmits" \
	"    (an emulated processor: compare ratios, never this figure)"
must "TCP moves data" test "$(jq '.end.sum_received.bytes' "$IKE/iperf.json")" -ge 100000

step "What the public link carried"
esp=0 ike=0 ether=0 rest=0
for f in "$RESULTS"/public.pcap "$IKE"/iperf.pcap; do
	esp=$((esp + $(packets_in "$f" esp)))
	ike=$((ike + $(packets_in "$f" 'udp and (port 500 or port 4500)')))
	# Neighbour discovery and multicast listener reports of the link itself.
	ether=$((ether + $(packets_in "$f" 'arp or (ip6 and (src net fe80::/10 or src host ::))')))
	rest=$((rest + $(packets_in "$f" 'not esp and not (udp and (port 500 or port 4500)) and not arp and
		not (ip6 and (src net fe80::/10 or src host ::))')))
done
tell "    $esp ESP packets, $ike IKE packets, $ether of ARP and neighbour discovery, $rest others"
hex "$RESULTS/public.pcap" >"$IKE/public.hex"
hex "$RESULTS/inside.pcap" >"$IKE/inside.hex"
must "ESP in numbers, and IKE" test $((esp > 100 && ike >= 4)) = 1
must "nothing else" test "$rest" = 0
while read -r what digits; do
	must "${what//_/ }: seen inside, not on the public link" \
		eval "finds $IKE/inside.hex $digits && lacks $IKE/public.hex $digits"
done <<-EOF
	addresses_of_hosta_and_hostb,_IPv4 0a0100020a020002
	addresses_of_hosta_and_hostb,_IPv6 fd010000000000000000000000000002fd020000000000000000000000000002
	pattern_of_the_pings $PATTERN
	text_of_the_TCP_connection $(hex_of "$SECRET")
EOF
tcpdump -n -q -r "$RESULTS/public.pcap" 2>/dev/null | grep -vE 'ICMP6|ARP' | sed -n '1,8p' | cut -c1-110 | indent

step "Gateway A: SAs and policies with their counters"
# The bridge writes counters back once a second.
of_postern() {
	run_in gwa postern -j state list | jq -r '[.. | objects | select(has("spi"))] |
		(map(select(.dst == "192.0.2.1") | .usage.packets) | add | tostring) + " " +
		(map(select(.dst == "192.0.2.2") | .usage.packets) | add | tostring)'
}
counters_agree() { [[ "$(sa_packets gwa in) $(sa_packets gwa out)" = "$(of_postern)" ]]; }
busywait 10 counters_agree || true
for cmd in 'postern' 'postern -s state list' 'postern policy list'; do
	tell "    # $cmd"
	# shellcheck disable=SC2086 # words of a command
	run_in gwa $cmd | indent
done

step "Gateway A: what strongSwan says of them"
sw gwa --list-sas | tee "$IKE/sas" | indent
in=$(sa_packets gwa in) out=$(sa_packets gwa out)
must "strongSwan's counters are Postern's ($in packets in, $out out)" \
	test "$in $out" = "$(of_postern)"
must "they count what went through" test $((in > 100 && out > 100)) = 1

if [[ $KEEP = keep ]]; then
	trap - EXIT ERR
	disown -a
	tell "" "The tunnel stays up. In the shell, for example:" \
		"    ip netns exec hosta ping 10.2.0.2" \
		"    ip netns exec gwa postern -s" \
		"    ip netns exec gwa postern monitor" \
		"    STRONGSWAN_CONF=$IKE/gwa/strongswan.conf ip netns exec gwa swanctl --list-sas --uri unix://$IKE/gwa/vici" \
		"    ip netns exec internet tcpdump -n -i porta"
fi
tell "" "demo: OK"
