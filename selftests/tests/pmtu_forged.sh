#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A packet too big is believed when it quotes what an SA has sent, within limits, and for
# a while (RFC 4301 section 8.2, RFC 1191 section 6.3): see path.sh for the drawing.
#
# timeout: 600
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"
. "$(dirname "$0")/../path.sh"

topo_path
load_postern

ignored() { # NAME WORD...
	toobig 1300 "${@:2}"
	check "$NAME: $1 changes nothing" path_mtu_is ''
}

# forged NAME PROTO A B NET_A NET_B TO OTHER LEAST INNER
forged() {
	local proto=50 other=51

	NAME=$1
	[[ $2 = esp ]] || proto=51 other=50
	TOOBIG=(src="$3" dst="$4" proto="$proto" spi="$(spi_of 1 1)")
	up "$2" tunnel "$3" "$4" "$5" "$6"
	ping_ok hosta "$7"
	ignored "another SPI" spi=0x7777
	ignored "the SPI of the inbound SA" spi="$(spi_of 1 2)"
	ignored "the inbound SA" src="$4" dst="$3" spi="$(spi_of 1 2)"
	ignored "another destination" dst="$8"
	ignored "another source" src="$8"
	ignored "another protocol" proto=$other
	ignored "a number never used" seq=0x10000 octets=16
	ignored "number 0" seq=0 octets=16
	ignored "a later fragment" offset=100
	ignored "a wrong checksum" checksum=bad
	ignored "an SPI cut off" octets=3
	[[ $3 = *:* ]] || ignored "another code" code=3
	check "$1: traffic goes on" ping_ok hosta "$7" -M "do" -s 1200
	toobig 1300
	check "$1: a true one is taken" path_mtu_is 1300
	toobig 1350
	check "$1: it does not grow" path_mtu_is 1300
	if [[ $3 != *:* ]]; then
		toobig 0
		check "$1: one that tells no size stands for 576" path_mtu_is 576
	fi
	toobig 1
	check "$1: it does not fall below $9" path_mtu_is "$9"
	check "$1: packets of ${10} octets go on" ping_ok hosta "$7" -M "do" \
		-s $((${10} - $(header_of "$7")))
	check "$1: those of ${10} octets only" expect_fail ping_ok hosta "$7" -M "do" \
		-s $((${10} + 1 - $(header_of "$7")))
	down
}
header_of() { [[ $1 = *:* ]] && echo 48 || echo 28; }
# What anybody may have sent teaches the stack, and an SA nothing.
stack_has() { expect "what the stack knows" "$1" "$(ip -n gwa route get 198.51.100.2 | grep -o 'mtu [a-z0-9]* *[0-9]*' | xargs)"; }
unrelated() {
	TOOBIG=(src="${OUT4[0]}" dst="${OUT4[1]}" proto=1 spi=0)
	up esp tunnel "${OUT4[@]}" "${N4[@]:0:2}"
	ping_ok hosta 10.2.0.2
	toobig 600
	check "about a ping, of 600: the stack learns" stack_has 'mtu 600'
	check "an SA to the same host is wider" ping_ok hosta 10.2.0.2 -M "do" -s 1200
	toobig 68
	check "about a ping, of 68: the stack locks the route" stack_has 'mtu lock 552'
	capture router west /run/whole.pcap -Q in 'ip proto 50'
	check "an SA to the same host is as wide" ping_ok hosta 10.2.0.2 -M "do" -s 1200
	capture_end
	check "and its packet is whole" expect packets '1 0' \
		"$(packets_in /run/whole.pcap) $(packets_in /run/whole.pcap 'ip[6:2] & 0x3fff != 0')"
	ip -n gwa route change 198.51.100.2 via 192.0.2.254 mtu 1100
	toobig 68
	check "what the administrator says counts" expect_fail ping_ok hosta 10.2.0.2 -M "do" -s 1072
	ip -n gwa route change 198.51.100.2 via 192.0.2.254
	down
}
unrelated
forged "esp over IPv4" esp "${OUT4[@]}" "${N4[@]:0:3}" 198.51.100.7 68 576
forged "ah over IPv4" ah "${OUT4[@]}" "${N4[@]:0:3}" 198.51.100.7 68 576
forged "esp over IPv6" esp "${OUT6[@]}" "${N6[@]:0:3}" 2001:db8:2::7 1280 1280
forged "esp 6in4" esp "${OUT4[@]}" "${N6[@]:0:3}" 198.51.100.7 68 1280
forged "esp 4in6" esp "${OUT6[@]}" "${N4[@]:0:3}" 2001:db8:2::7 1280 "$(esp_mtu 1280 40 8 16 4)"

# aged NAME A B NET_A NET_B TO
aged() {
	# shellcheck disable=SC2034 # for toobig
	TOOBIG=(src="$2" dst="$3" proto=50 spi="$(spi_of 1 1)")
	up esp tunnel "${@:2:4}"
	ping_ok hosta "$6"
	toobig 1300
	check "$1: known for a while" path_mtu_is 1300
	check "$1: then forgotten" busywait 20 path_mtu_is ''
	forget_mtu hosta
	check "$1: what the SA knew is used no longer" ping_ok hosta "$6" -M "do" -s 1270
	down
}
run_in gwa sysctl -qw net.ipv6.route.mtu_expires=10
aged "IPv6" "${OUT6[@]}" "${N6[@]:0:3}"
run_in gwa sysctl -qw net.ipv6.route.mtu_expires=600
if run_in gwa sysctl -qw net.ipv4.route.mtu_expires=10; then
	aged "IPv4" "${OUT4[@]}" "${N4[@]:0:3}"
	run_in gwa sysctl -qw net.ipv4.route.mtu_expires=600
fi
