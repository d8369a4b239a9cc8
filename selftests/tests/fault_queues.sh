#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The queue of a cipher that completes later is full: what does not fit is counted,
# what does goes on, also when its SA, or its namespace, has gone meanwhile.  So with one
# that has others work (pcrypt).  And who waits in a queue of the packet filter finds that
# another has taken its place in connection tracking.
#
#	a (Postern) ===== b (Postern)
#
# timeout: 120
# lanes: debug
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"

ALG=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)

sas() { # NS
	run_in "$1" postern state flush
	run_in "$1" postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel "${ALG[@]}"
	run_in "$1" postern state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x1002 reqid 1 mode tunnel "${ALG[@]}"
}

policies() { # NS OUT-SRC OUT-DST
	run_in "$1" postern policy add dir out src "$2/32" dst "$3/32" tmpl src "$2" dst "$3" proto esp reqid 1 mode tunnel
	run_in "$1" postern policy add dir in src "$3/32" dst "$2/32" tmpl src "$3" dst "$2" proto esp reqid 1 mode tunnel
}

in_use() { # driver names that begin so are used by somebody
	awk -v want="$1" '$1 == "driver" { d = $3 } $1 == "refcnt" && index(d, want) == 1 && $3 > 1 { n++ } END { exit !n }' /proc/crypto
}

used_by() { grep -qx "$1" /sys/module/postern/refcnt; }

# goes WHAT: all of b goes while packets are with its cipher, which does not get on
# before its device is gone
goes() {
	burst a 10.0.0.2 3000 \
		bash -c "ip netns del b; kill -9 $BACKGROUND; while [[ -e /sys/class/net/veth0 ]]; do sleep 0.01; done"
	check "$1: nothing of the namespace is left" busywait 20 used_by "$held"
}

# fair NANOSECONDS: what the scheduler leaves, of a second, to others than a real-time process
fair() {
	local f

	for f in /sys/kernel/debug/sched/fair_server/cpu*/runtime; do
		echo "$1" >"$f"
	done
}

delivered() { (($(stat_of b in-delivered) > before)); }
# burst NS ADDRESS COUNT [CMD...]
burst() { run_in "$1" python py/burst.py "$2" 7000 "${@:3}"; }

# ICMP that answers has no part in this: somebody listens
listen() { background "$1" socat -u UDP-RECV:7000 OPEN:/dev/null; wait_listen "$1" udp 7000; }

topo_pair
load_postern
policies a 10.0.0.1 10.0.0.2
held=$(cat /sys/module/postern/refcnt)
policies b 10.0.0.2 10.0.0.1
sas a
sas b
rm -f /run/go
mkfifo /run/go
exec 5<>/run/go
background a /usr/bin/python3 -B py/queue_hold.py 0 /run/go
busywait 10 ip netns exec a grep -q '^ *0 ' /proc/net/netfilter/nfnetlink_queue
listen a
listen b

queue() { # HOOK MATCH...: what begins a connection waits there
	run_in a nft "table ip late { chain c { type filter hook $1 priority 0; ${*:2} ct state new queue num 0; }; }"
}
wait_are() { ip netns exec a cat /proc/net/netfilter/nfnetlink_queue | awk -v n="$1" '$1 == 0 { at = $3 } END { exit at != n }'; }
go_on() {
	echo >&5
	busywait 5 wait_are 0 && run_in a nft delete table ip late
}
datagram() { run_in "$1" socat -u - "UDP-SENDTO:$3,bind=$2" <<<late; } # NS FROM TO
tracked() { ip netns exec a grep -q "$1" /proc/net/nf_conntrack; }

# What goes the other way meanwhile is not quite an answer, NAT sees to it; but it has
# the place that an answer would have.
addr a veth0 10.0.0.8/24
run_in a postern policy add dir out src 10.0.0.8/32 dst 10.0.0.2/32 \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel
run_in a nft 'table ip other {
	chain outward { type nat hook postrouting priority 100; ip protocol esp snat to 10.0.0.7; };
	chain inward { type nat hook prerouting priority -100; udp dport 7001 redirect to :7000; };
}'
queue prerouting ip protocol esp
datagram b 10.0.0.2:7002 10.0.0.1:7000
check "ESP waits" busywait 5 wait_are 1
datagram a 10.0.0.1:7002 10.0.0.2:7000
check "ESP has gone the other way" tracked 'src=10.0.0.1 dst=10.0.0.2 .*src=10.0.0.2 dst=10.0.0.7'
check "in-conntrack" drops_by a in-conntrack=1 -- go_on
queue output udp sport 7001
datagram a 10.0.0.8:7001 10.0.0.2:7001
check "a datagram waits" busywait 5 wait_are 1
datagram b 10.0.0.2:7001 10.0.0.8:7001
check "a datagram has come the other way" busywait 5 tracked 'src=10.0.0.2 dst=10.0.0.8 .*src=10.0.0.1 dst=10.0.0.2 sport=7000'
check "out-conntrack" drops_by a out-conntrack=1 -- go_on
# a batch, which a process lets go on, to a socket that softirqs write to, too
ip netns exec a socat -u UDP-RECV:4500 OPEN:/run/ike,creat &
ike=$!
wait_listen a udp 4500
queue input udp dport 4500
run_in b python -B py/udp.py 10.0.0.8 4500 5 gso
check "a batch waits" busywait 5 wait_are 1
check "it goes on" go_on
five() { [[ $(stat -c %s /run/ike) = 500 ]]; }
check "all of it" busywait 5 five
kill $ike
run_in a nft delete table ip other
run_in a postern policy delete dir out src 10.0.0.8/32 dst 10.0.0.2/32
check "conntrack: all are accounted for" accounts_balance a

# from here on what b makes is cryptd's, whose queue takes 1000
driver=$(awk '$1 == "name" { n = $3 } $1 == "driver" && n == "rfc4106(gcm(aes))" { print $3; exit }' /proc/crypto)
pp python py/crypto_instance.py "cryptd($driver)" 8000
sas b
check "cryptd is used" ping_ok a 10.0.0.2
# nobody takes from it while a burst is sent, not even the share of a second that is for all
fair 0
check "10 more than fit" drops_by b in-crypto=10 -- burst a 10.0.0.2 1010
check "in: all are accounted for" busywait 20 accounts_balance b
check "10 more than fit go out" drops_by b out-crypto=10 -- burst b 10.0.0.1 1010
fair 50000000
check "out: all are accounted for" busywait 20 accounts_balance b
check "works after that" ping_ok a 10.0.0.2

# a full queue, whose SAs are gone when the cipher comes to it
burst b 10.0.0.1 3000 postern state flush
check "SAs gone: all are accounted for" busywait 20 accounts_balance b
sas b
check "new SAs work" ping_ok a 10.0.0.2
goes "cryptd"

pp python py/crypto_instance.py "pcrypt($driver)" 9000
# shellcheck disable=SC2034 # for cleanup
NAMESPACES=(a)
ns b
link a veth0 b veth0
addr a veth0 10.0.0.1/24
addr b veth0 10.0.0.2/24
policies b 10.0.0.2 10.0.0.1
listen b
sas b
check "pcrypt is used" in_use "pcrypt("
burst a 10.0.0.2 3000 ip netns exec b postern state flush
check "pcrypt: SAs gone: all are accounted for" busywait 20 accounts_balance b
sas b
before=$(stat_of b in-delivered)
burst a 10.0.0.2 10
check "pcrypt: new SAs work" busywait 10 delivered
goes "pcrypt"
