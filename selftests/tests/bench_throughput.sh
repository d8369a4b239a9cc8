#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What protection costs: Postern beside XFRM, WireGuard and no protection, in one boot.
# For each of them there is a pair of gateways, I being its number:
#
#	            gateway aV                         gateway bV
#	lan 10.I.1.1/24    pub 192.0.2.1/24 == pub 192.0.2.2/24    lan 10.I.2.1/24
#
#	tcp  one iperf3 stream between the lan addresses, CPU 0 belonging to a and CPU 1 to b,
#	     as if they were two machines
#	udp  64 octets of payload: pktgen puts packets into a's lan; they are forwarded,
#	     protected, unprotected, forwarded, and counted when they leave b's lan; one CPU
#	     does all of it, but for WireGuard's workers
#
# Left to themselves the CPUs would reorder packets, as no pair of machines does; and the
# cable is told to do GRO, as a network card does unasked.  With a single CPU all this
# happens on that one.
#
# The figures of an emulated machine mean nothing but in relation to each other, so that
# nothing is asserted but that traffic flows.  Rounds are interleaved, their order rotates.
#
# Arguments: rounds, seconds of each measurement.
# Leaves $RESULTS/bench.tsv: kind, variant, round, Mbit/s or packets/s.
#
# class: bench
# lanes: stock
# timeout: 3600
. "$(dirname "$0")/../lib.sh"

CPUS=$(nproc)
# A machine of one CPU is one whose clock counts instructions (selftests/vm): slow, but
# each round is as the other.
ROUNDS=${1:-$((CPUS > 1 ? 5 : 2))} EACH=${2:-$((CPUS > 1 ? 2 : 1))}
VARIANTS=(plain xfrm-gcm postern-gcm postern-xfrm-gcm xfrm-postern-gcm xfrm-null postern-null wireguard)
GCM=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)
NULL=(enc 'ecb(cipher_null)' '' auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128)
declare -A NUMBER COUNT

quiet() { ip netns exec "$@" >/dev/null; }

gateways() { # VARIANT NUMBER
	local i=$2 v=$1

	ns "a-$v" "b-$v" 2>/dev/null
	link "a-$v" pub "b-$v" pub
	quiet "a-$v" ethtool -K pub gro on
	quiet "b-$v" ethtool -K pub gro on
	addr "a-$v" pub 192.0.2.1/24
	addr "b-$v" pub 192.0.2.2/24
	ip -n "a-$v" link add lan type dummy
	ip -n "b-$v" link add lan type dummy
	ip -n "a-$v" link set lan up
	ip -n "b-$v" link set lan up
	addr "a-$v" lan "10.$i.1.1/24"
	addr "b-$v" lan "10.$i.2.1/24"
	forward "a-$v"
	forward "b-$v"
	if [[ $v != wireguard ]]; then
		ip -n "a-$v" route add "10.$i.2.0/24" via 192.0.2.2 src "10.$i.1.1"
		ip -n "b-$v" route add "10.$i.1.0/24" via 192.0.2.1 src "10.$i.2.1"
	fi
}

# sa NS ENGINE DIR SRC DST SPI SELSRC SELDST ALGORITHM...: one direction at one end.
sa() {
	local ends=(src "$4" dst "$5") sel=(src "$7" dst "$8") state tmpl

	state=("${ends[@]}" proto esp spi "$6" reqid 1 mode tunnel replay-window 32)
	tmpl=(tmpl "${ends[@]}" proto esp reqid 1 mode tunnel)
	if [[ $2 = postern ]]; then
		quiet "$1" postern state add "${state[@]}" dir "$3" "${@:9}"
		quiet "$1" postern policy add "${sel[@]}" dir "$3" "${tmpl[@]}"
	else
		quiet "$1" ip xfrm state add "${state[@]}" "${@:9}"
		quiet "$1" ip xfrm policy add "${sel[@]}" dir "$3" "${tmpl[@]}"
		[[ $3 = out ]] || quiet "$1" ip xfrm policy add "${sel[@]}" dir fwd "${tmpl[@]}"
	fi
}

ipsec() { # VARIANT ENGINE_A ENGINE_B ALGORITHM...
	local a=192.0.2.1 b=192.0.2.2 v=$1
	local ab=(10."${NUMBER[$1]}".{1,2}.0/24) ba

	ba=("${ab[1]}" "${ab[0]}")
	sa "a-$v" "$2" out $a $b 0x1001 "${ab[@]}" "${@:4}"
	sa "b-$v" "$3" in $a $b 0x1001 "${ab[@]}" "${@:4}"
	sa "a-$v" "$2" in $b $a 0x1002 "${ba[@]}" "${@:4}"
	sa "b-$v" "$3" out $b $a 0x1002 "${ba[@]}" "${@:4}"
}

wireguard() { # VARIANT
	local i=${NUMBER[$1]} side v=$1

	mkdir -p /run/wg
	umask 077
	for side in a b; do
		wg genkey >/run/wg/$side
		wg pubkey </run/wg/$side >/run/wg/$side.pub
		ip -n "$side-$v" link add wg0 type wireguard
	done
	quiet "a-$v" wg set wg0 private-key /run/wg/a listen-port 51820 peer "$(</run/wg/b.pub)" \
		endpoint 192.0.2.2:51820 allowed-ips "10.$i.2.0/24"
	quiet "b-$v" wg set wg0 private-key /run/wg/b listen-port 51820 peer "$(</run/wg/a.pub)" \
		endpoint 192.0.2.1:51820 allowed-ips "10.$i.1.0/24"
	ip -n "a-$v" link set wg0 up
	ip -n "b-$v" link set wg0 up
	ip -n "a-$v" route add "10.$i.2.0/24" dev wg0 src "10.$i.1.1"
	ip -n "b-$v" route add "10.$i.1.0/24" dev wg0 src "10.$i.2.1"
}

# Packets that come to a gateway meet its CPU; mask 0: the CPU where they are.
steer() { # VARIANT MASK_A MASK_B
	((CPUS > 1)) || return 0
	ip netns exec "a-$1" sh -c "echo $2 >/sys/class/net/pub/queues/rx-0/rps_cpus"
	ip netns exec "b-$1" sh -c "echo $3 >/sys/class/net/pub/queues/rx-0/rps_cpus"
}

tcp() { # VARIANT IPERF-OPTION...: Mbit/s, retransmissions
	local client=() i=${NUMBER[$1]} server=()

	((CPUS == 1)) || client=(-A "0,1") server=(-A 1)
	steer "$1" 1 2
	quiet "b-$1" iperf3 -s -1 -D "${server[@]}"
	wait_listen "b-$1" tcp 5201
	ip netns exec "a-$1" iperf3 -c "10.$i.2.1" -B "10.$i.1.1" "${client[@]}" "${@:2}" -J >/run/iperf
	jq -r '.end | "\(.sum_received.bits_per_second / 1e6) \(.sum_sent.retransmits)"' /run/iperf
}

left() { ip netns exec "b-$1" cat /sys/class/net/lan/statistics/tx_packets; }

# What pktgen is told, once for each pair.
pktgen() { # VARIANT
	local i=${NUMBER[$1]} mac

	mac=$(ip netns exec "a-$1" cat /sys/class/net/lan/address)
	ip netns exec "a-$1" sh -e <<-SH
	cd /proc/net/pktgen
	echo add_device lan >kpktgend_0
	for w in "count 0" "delay 0" "pkt_size 106" "burst 16" "xmit_mode netif_receive" "dst_mac $mac" \
		"src_min 10.$i.1.2" "src_max 10.$i.1.2" "dst_min 10.$i.2.2" "dst_max 10.$i.2.2"; do
		echo "\$w" >lan
	done
	SH
}

# send VARIANT COUNT: microseconds it took.
send() {
	ip netns exec "a-$1" sh -e <<-SH
	cd /proc/net/pktgen
	echo count $2 >lan
	echo start >pgctrl
	sed -n 's/^Result: OK: \([0-9]*\)(.*/\1/p' lan
	SH
}

udp() { # VARIANT: packets/s, packets lost
	local before n usec

	steer "$1" 0 0
	before=$(left "$1")
	usec=$(send "$1" "${COUNT[$1]}")
	sleep 0.3
	n=$(($(left "$1") - before))
	echo "$((n * 1000000 / usec)) $((COUNT[$1] - n))"
}

say "kernel $(uname -r), CPUs: $CPUS, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
modprobe pktgen
rm -f "$RESULTS/bench.tsv"
# shellcheck disable=SC2119
load_postern
n=0
for v in "${VARIANTS[@]}"; do
	NUMBER[$v]=$((++n))
	gateways "$v" $n
done
ipsec xfrm-gcm xfrm xfrm "${GCM[@]}"
ipsec postern-gcm postern postern "${GCM[@]}"
ipsec postern-xfrm-gcm postern xfrm "${GCM[@]}"
ipsec xfrm-postern-gcm xfrm postern "${GCM[@]}"
ipsec xfrm-null xfrm xfrm "${NULL[@]}"
ipsec postern-null postern postern "${NULL[@]}"
wireguard wireguard

# Everything once, so that paths, their MTU and pktgen's rate are known.
for v in "${VARIANTS[@]}"; do
	ping_ok "a-$v" "10.${NUMBER[$v]}.2.1" -I "10.${NUMBER[$v]}.1.1"
	tcp "$v" -n 1M >/dev/null
	pktgen "$v"
	send "$v" 480 >/dev/null
	# a multiple of the burst
	COUNT[$v]=$((1600 * EACH * 1000000 / $(send "$v" 1600) / 16 * 16))
	say "$v is ready"
done

for ((round = 1; round <= ROUNDS; round++)); do
	for kind in tcp udp; do
		for ((i = 0; i < n; i++)); do
			v=${VARIANTS[$(((i + round) % n))]}
			if [[ $kind = tcp ]]; then
				read -r rate lost < <(tcp "$v" -t "$EACH")
			else
				read -r rate lost < <(udp "$v")
			fi
			say "round $round of $ROUNDS: $v: $kind ${rate%.*} ($lost lost)"
			[[ ${rate%.*} -gt 0 ]] || fail "$v: nothing came through"
			printf '%s\t%s\t%s\t%s\n' $kind "$v" $round "$rate" >>"$RESULTS/bench.tsv"
		done
	done
done
