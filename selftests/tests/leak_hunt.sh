#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# In all the ways in which packets leave a gateway (py/leak.py has the list), and whatever
# becomes of SAs, NAT, routes and memory, nothing of what policies are about is seen on
# its links in clear.  Without policies each of them is.
#
#	hosta ---- lan gw (Postern) pub ==== pub peer     10.1.0.0/24 fd01:: | 192.0.2.0/24 2001:db8:1::
#	                            alt ==== alt                  198.51.100.0/24 2001:db8:2::
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

ns hosta gw peer
link hosta lan gw lan
link gw pub peer pub
link gw alt peer alt
ip -n hosta link set lan mtu 1400
ip -n gw link set lan mtu 1400
addr hosta lan 10.1.0.2/24 fd01::2/64
addr gw lan 10.1.0.1/24 fd01::1/64
addr gw pub 192.0.2.1/24 2001:db8:1::1/64
addr gw lo 198.18.0.77/32 fd77::77/128
addr gw alt 198.51.100.1/24 2001:db8:2::1/64
addr peer pub 192.0.2.2/24 2001:db8:1::2/64
addr peer alt 198.51.100.2/24 2001:db8:2::2/64
addr peer lo 10.2.0.2/32 203.0.113.2/32 fd02::2/128 fd03::2/128
forward gw
ip netns exec gw sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv6.conf.all.keep_addr_on_down=1
ip -n hosta route add default via 10.1.0.1
ip -n hosta route add default via fd01::1
ip -n gw route add default via 192.0.2.2 src 10.1.0.1
ip -n gw route add default via 2001:db8:1::2 src fd01::1
ip -n gw route add default via 198.51.100.2 metric 2000 src 10.1.0.1
ip -n gw route add default via 2001:db8:2::2 metric 2000 src fd01::1
ip -n gw rule add fwmark 7 lookup 7
ip -n gw -6 rule add fwmark 7 lookup 7
ip -n gw route add default via 198.51.100.2 table 7
ip -n gw route add default via 2001:db8:2::2 table 7
ip -n peer route add 10.1.0.0/24 via 192.0.2.1
ip -n peer route add fd01::/64 via 2001:db8:1::1
ip -n peer route add 198.18.0.77 via 192.0.2.1
ip -n peer route add fd77::77 via 2001:db8:1::1

# tunnels of other kinds: a policy is about what leaves them
TUNNELS=()
tunnel_device() { # NAME NET WORD...: the other end is NET.2 or NET2
	local net=$2 bits=24

	[[ $net != *: ]] || bits=64
	ip -n gw link add "$1" type "${@:3}"
	ip -n gw link set "$1" up address 02:00:00:00:00:01 2>/dev/null || ip -n gw link set "$1" up
	addr gw "$1" "${net}1/$bits"
	ip -n gw neigh replace "${net}2" lladdr 02:00:00:00:00:02 dev "$1" 2>/dev/null || true
	TUNNELS+=("$1=${net}2")
}
between4=(local 10.1.0.1 remote 10.2.0.2) between6=(local fd01::1 remote fd02::2)
tunnel_device tun4 172.16.1. ipip "${between4[@]}"
tunnel_device gre4 172.16.2. gre "${between4[@]}"
tunnel_device tap4 172.16.3. gretap "${between4[@]}" key 3
tunnel_device tun6 172.16.4. ip6tnl mode any "${between6[@]}"
tunnel_device tun66 fd16:5:: ip6tnl mode ip6ip6 local fd01::1 remote fd02::3 encaplimit none
[[ $LANE = debug ]] || tunnel_device gre6 172.16.6. ip6gre "${between6[@]}"
tunnel_device vxlan4 172.16.7. vxlan id 7 "${between4[@]}" dstport 4789
tunnel_device vxlan6 fd16:8:: vxlan id 8 "${between6[@]}" dstport 4790
tunnel_device geneve4 172.16.9. geneve id 9 remote 10.2.0.2
tunnel_device geneve6 fd16:10:: geneve id 10 remote fd02::2

run_in gw nft -f - <<'NFT'
table inet nat {
	chain pre { type nat hook prerouting priority dstnat; ip daddr 203.0.113.77 dnat ip to 10.2.0.2; }
	chain outward { type nat hook output priority -100; ip daddr 203.0.113.77 dnat ip to 10.2.0.2; }
	chain post { type nat hook postrouting priority srcnat; }
	chain forward {
		type filter hook forward priority 0;
		tcp dport 7 reject with tcp reset
		udp dport 7 reject
	}
}
NFT
masquerade() {
	run_in gw nft -f - <<-'NFT'
		add rule inet nat post oifname { pub, alt } ip saddr 10.1.0.2 masquerade
		add rule inet nat post oifname { pub, alt } ip6 saddr fd01::2 masquerade
		add rule inet nat post oifname { pub, alt } ip saddr 10.1.0.1 snat ip to 198.18.0.77
		add rule inet nat post oifname { pub, alt } ip6 saddr fd01::1 snat ip6 to fd77::77
	NFT
}
no_nat() { run_in gw nft flush chain inet nat post; }
run_in gw nft -f - <<'NFT'
table ip help {
	ct helper ftp { type "ftp" protocol tcp; }
	chain pre { type filter hook prerouting priority 0; tcp dport 21 ct helper set "ftp"; }
}
NFT
modprobe nf_nat_ftp

copies() { # FAMILY IPTABLES BY
	run_in gw nft -f - <<-NFT
		table $1 copy {
			chain pre { type filter hook prerouting priority -150; udp dport 7100 meta mark set 9 dup to $3 device "alt" drop; }
			chain outward {
				type filter hook output priority -150
				meta mark != 9 udp dport 7100 meta mark set 9 dup to $3 device "alt" drop
			}
		}
	NFT
	run_in gw "$2" -t mangle -A PREROUTING -p udp --dport 7101 -j TEE --gateway "$3"
	run_in gw "$2" -t mangle -A PREROUTING -p udp --dport 7101 -j DROP
}

sip_helper() {
	modprobe nf_nat_sip
	run_in gw nft -f - <<-'NFT'
		table ip help {
			ct helper sip { type "sip" protocol udp; }
			chain pre { udp dport 5060 ct helper set "sip"; }
		}
	NFT
}

# The debug kernel goes all ways that it has (no copies, no SIP, no gre6); the stock ones these,
# and some of each kind.  How many they are is said here: none that is missing passes.
slab=/sys/kernel/debug/failslab HAS=(helper)
if [[ $LANE = debug ]]; then
	ways=. WAYS=119
else
	ways='gw: through|vxlan4|helper|copy|gw: fragments|hosta: fragments, IPv4|hosta: GRE|UDP, IPv6|translated|rejects, IPv4|closed port, IPv6|cast|group, IPv4'
	WAYS=36 HAS+=(copies sip)
	sip_helper
	copies ip iptables 198.51.100.2
	copies ip6 ip6tables 2001:db8:2::2
fi
load_postern

cleanup_more() { [[ ! -d $slab ]] || echo 0 >$slab/probability; }
coproc HUNT { exec /usr/bin/python3 -B "$(dirname "$0")/../py/leak.py" "$ways" "${TUNNELS[@]}" "${HAS[@]}"; }
order() {
	local line

	echo "$*" >&"${HUNT[1]}"
	while read -r -t 600 -u "${HUNT[0]}" line; do
		[[ $line != . ]] || return 0
		echo "$line"
	done
	fail "no answer to: $*"
}
# "short" while memory is, also to see what passes
SHORT=''
# streamed CMD...: what is seen of a stream while the command runs
streamed() {
	echo "flow $SHORT" >&"${HUNT[1]}"
	"$@"
	order stop
}
all_end() {
	expect "other ways" '' "$(grep -vP "\t$1\$" /run/hunt || true)" && expect ways $WAYS "$(wc -l </run/hunt)"
}
# hunt STATE WANTED [met]: each of the ways ends so
hunt() {
	order hunt "$SHORT" "${@:3}" >/run/hunt
	check "$1: $WAYS ways, $2" all_end "$2"
}

# protect TMPL...: the words of IPv4, --, those of IPv6; in place of what was there
protect() {
	local first=() dst

	while [[ $1 != -- ]]; do
		first+=("$1")
		shift
	done
	for dst in 10.2.0.0/16 224.0.0.0/4 192.0.2.255/32; do
		run_in gw postern policy update dir out src 0.0.0.0/0 dst $dst priority 2 tmpl "${first[@]}"
	done
	for dst in fd02::/64 ff00::/8; do
		run_in gw postern policy update dir out src ::/0 dst $dst priority 2 tmpl "${@:2}"
	done
}
four=(src 192.0.2.1 dst 192.0.2.2) six=(src 2001:db8:1::1 dst 2001:db8:1::2)
tunnels() { protect "${four[@]}" proto esp reqid 1 mode tunnel -- "${six[@]}" proto esp reqid 1 mode tunnel; }
# sa SPI REQID MODE SRC DST [WORD...]: for what leaves
sa() {
	run_in gw postern state add src "$4" dst "$5" proto esp spi "$1" reqid "$2" mode "$3" dir out "${@:6}" \
		aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
}
tunnel_sas() { # SPI [WORD...]
	sa "$1" 1 tunnel 192.0.2.1 192.0.2.2 "${@:2}"
	sa "$1" 1 tunnel 2001:db8:1::1 2001:db8:1::2 "${@:2}"
}

# without policies the hunter sees it all
masquerade
hunt "no policy, NAT" clear
no_nat
streamed sleep 0.5 >/run/flow
check "no policy: a stream" expect "contents" clear "$(</run/flow)"

for port in 'tcp dport 21' 'udp dport 5060'; do
	# shellcheck disable=SC2086 # words
	run_in gw postern policy add dir out src 0.0.0.0/0 dst 0.0.0.0/0 proto $port priority 1 action bypass
done
tunnels
[[ $LANE != debug ]] || hunt "no SA" hidden met
masquerade
hunt "no SA, NAT" hidden met
tunnel_sas 0x1001
hunt "tunnel, NAT" hidden met
no_nat
check "it was used" [ "$(stat_of gw out-sent)" -ge 10 ]
[[ $LANE = debug ]] || exit 0

# transport mode: each sender has an SA of its own, groups have none
protect proto esp reqid 2 mode transport -- proto esp reqid 2 mode transport
sa 0x2001 2 transport 10.1.0.1 10.2.0.2
sa 0x2002 2 transport 10.1.0.2 10.2.0.2
sa 0x2003 2 transport fd01::1 fd02::2
sa 0x2004 2 transport fd01::2 fd02::2
hunt "transport" hidden
tunnels

# without memory, now and then
# what the kernel's own checkers need is not taken from them
read -r start end < <(awk '{ print $1 }' /proc/kallsyms | sort -u |
	grep -A 1 "$(awk '$3 == "ref_tracker_alloc" { print $1 }' /proc/kallsyms)" | paste -sd ' ')
echo "0x$start" >$slab/reject-start
echo "0x$end" >$slab/reject-end
echo 0 >$slab/verbose
echo -1 >$slab/times
echo 10 >$slab/probability
SHORT=short
hunt "memory" hidden
streamed sleep 1 >/run/flow
echo 0 >$slab/probability
SHORT=''
check "memory: a stream" expect "contents" hidden "$(</run/flow)"
check "memory was short" [ "$(stat_of gw out-memory)" -gt 0 ]

# a stream while all changes: SAs that come, expire, are used up and go, routes, links,
# NAT, policies that are replaced, and a module that shall be removed
round() { # N
	tunnel_sas "0x${1}01"
	ip -n gw route add 10.2.0.2 via 198.51.100.2
	ip -n gw route add fd02::2 via 2001:db8:2::2
	tunnels
	(($1 % 2)) || masquerade
	tunnel_sas "0x${1}02" limit packet-hard 3
	ip -n gw link set pub down
	ip -n gw link set pub up
	ip -n gw route replace default via 192.0.2.2 src 10.1.0.1
	ip -n gw route replace default via 2001:db8:1::2 src fd01::1
	tunnel_sas "0x${1}03" replay-oseq 0xfffffffc
	run_in gw conntrack -F
	ip -n gw route del 10.2.0.2
	ip -n gw route del fd02::2
	run_in gw postern state flush
	no_nat
	expect_fail -m 'in use' rmmod postern
}
rounds() {
	local n

	for n in 11 12 13 14; do
		round $n >&2
	done
}
sent=$(stat_of gw out-sent) lost=$(stat_of gw out-no-sa)
streamed rounds >/run/flow
check "all changes: a stream" expect "contents" hidden "$(</run/flow)"
check "all changes: some went through SAs" [ "$(stat_of gw out-sent)" -gt $((sent + 20)) ]
check "all changes: some had none" [ "$(stat_of gw out-no-sa)" -gt $((lost + 2)) ]
