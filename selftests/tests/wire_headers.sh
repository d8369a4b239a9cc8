#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Options of IPv4 and extension headers of IPv6 in front of ESP and AH, between Postern
# and scapy: what Postern protects stands where RFC 4303 section 3.1.1 says and has the
# ICV of RFC 4302 appendix A, and what scapy makes is delivered.
#
# timeout: 600
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

DIR=/run/wire
PY=$(dirname "$0")/../py/packets.py
OUT_SPI=0x1000

# protected PROTO FAMILY: packets from a with all kinds of headers, in transport mode.
protected() {
	local src=10.0.0.1 dst=10.0.0.2 auth words=()

	[[ $2 = 4 ]] || src=fd00::1 dst=fd00::2
	OUT_SPI=$(printf '0x%x' $((OUT_SPI + 1)))
	auth=$(hexkey 32)
	[[ $1 = ah ]] || words=(enc 'ecb(cipher_null)' '')
	run_in a postern state add src $src dst $dst proto "$1" spi "$OUT_SPI" reqid 1 mode transport dir out \
		auth-trunc 'hmac(sha256)' "$auth" 128 "${words[@]}"
	run_in a postern policy add dir out src $src dst $dst proto udp tmpl proto "$1" reqid 1 mode transport
	run_in a python "$PY" fronts "$DIR/$1-$2" $src $dst
	run_in a python "$PY" send "$DIR/$1-$2"
	run_in a postern policy flush
	run_in a postern state flush
	echo "$1-$2 proto=$1 spi=$OUT_SPI mode=transport src=$src dst=$dst alg=null auth=$auth sent=$DIR/$1-$2" >>$DIR/manifest
}

# delivered PROTO MODE FAMILY FRONT...
delivered() {
	local front

	forge_sa x "$1" "$2" "$3" "$3" null
	forge_policy "$3"
	for front in "${@:4}"; do
		check "$1 $2 IPv$3 behind $front" good x front="$front"
	done
	[[ $1 = esp || $3 = 4 ]] || {
		check "ah $2 IPv6: mutable options change on the way" good x front=hbh-mutable wire=44:deadbeef
		check "ah $2 IPv6: mutable destination options change" good x front=dst-mutable wire=44:deadbeef
	}
	[[ $1 = esp || $3 = 6 ]] || check "ah $2 IPv4: a recorded route changes" good x front=record wire=22:08,23:0a000003
	run_in a postern policy flush
	run_in a postern state flush
}

forge_start
addr b veth0 10.0.0.3/24 fd00::3/64
run_in a sysctl -qw net.ipv4.conf.all.accept_source_route=1 net.ipv4.conf.veth0.accept_source_route=1
mkdir -p $DIR
run_in b nft 'add table inet quiet; add chain inet quiet inward { type filter hook input priority 0; }
	add rule inet quiet inward meta l4proto { esp, ah } drop'
ping_ok a 10.0.0.3
ping_ok a fd00::3

capture b veth0 $DIR/pcap 'ip src 10.0.0.1 or ip6 src fd00::1'
for proto in esp ah; do
	protected $proto 4
	protected $proto 6
done
capture_end
cp $DIR/pcap $DIR/manifest "$RESULTS/"
check "all packets were sent" drops_are a
python "$PY" open $DIR/pcap $DIR/manifest >$DIR/opened
while read -r name verdict; do
	check "scapy: $name" expect "$name" ok "$verdict"
done <$DIR/opened
check "scapy has seen all" expect "SAs" 4 "$(wc -l <$DIR/opened)"

v4=(nop end security alert delivery record stamp stream mtu traceroute unknown nop+record+stamp+alert route-131-1 route-137-1)
v6=(hbh alert hbh-mutable hbh-fixed hbh-several dst dst-mutable dst-fixed hbh+dst hbh-mutable+dst-mutable+route-0-0-1
	route-0-1-1 route-0-3-3 route-253-0-2 hbh-several+dst-fixed+route-0-2-2+dst-mutable)
for proto in esp ah; do
	delivered $proto transport 4 "${v4[@]}"
	delivered $proto tunnel 4 "${v4[@]}"
	delivered $proto transport 6 "${v6[@]}"
	delivered $proto tunnel 6 "${v6[@]}"
done
check "nothing was dropped" drops_are a
forge_end
