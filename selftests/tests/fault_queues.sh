#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The queue of a cipher that completes later is full: what does not fit is counted,
# what does goes on, also when its SA, or its namespace, has gone meanwhile.  So with one
# that has others work (pcrypt).
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
	run_in a /usr/bin/python3 py/burst.py 10.0.0.2 7000 3000 \
		bash -c "ip netns del b; kill -9 $BACKGROUND; while [[ -e /sys/class/net/veth0 ]]; do sleep 0.01; done"
	check "$1: nothing of the namespace is left" busywait 20 used_by "$held"
}

delivered() { (($(stat_of b in-delivered) > before)); }
counted() { (($(stat_of "$1" "$2") > 0)); }

# ICMP that answers has no part in this: somebody listens
listen() { background "$1" socat -u UDP-RECV:7000 OPEN:/dev/null; wait_listen "$1" udp 7000; }

topo_pair
load_postern
policies a 10.0.0.1 10.0.0.2
held=$(cat /sys/module/postern/refcnt)
policies b 10.0.0.2 10.0.0.1
sas a
listen a
listen b

# from here on what b makes is cryptd's, whose queue takes 1000
driver=$(awk '$1 == "name" { n = $3 } $1 == "driver" && n == "rfc4106(gcm(aes))" { print $3; exit }' /proc/crypto)
pp /usr/bin/python3 py/crypto_instance.py "cryptd($driver)" 8000
sas b
check "cryptd is used" ping_ok a 10.0.0.2
run_in a /usr/bin/python3 py/burst.py 10.0.0.2 7000 3000
check "in-crypto" counted b in-crypto
check "in: all are accounted for" busywait 20 accounts_balance b
run_in b /usr/bin/python3 py/burst.py 10.0.0.1 7000 3000
check "out-crypto" counted b out-crypto
check "out: all are accounted for" busywait 20 accounts_balance b
check "works after that" ping_ok a 10.0.0.2

# a full queue, whose SAs are gone when the cipher comes to it
run_in b /usr/bin/python3 py/burst.py 10.0.0.1 7000 3000 postern state flush
check "SAs gone: all are accounted for" busywait 20 accounts_balance b
sas b
check "new SAs work" ping_ok a 10.0.0.2
goes "cryptd"

pp /usr/bin/python3 py/crypto_instance.py "pcrypt($driver)" 9000
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
run_in a /usr/bin/python3 py/burst.py 10.0.0.2 7000 3000 ip netns exec b postern state flush
check "pcrypt: SAs gone: all are accounted for" busywait 20 accounts_balance b
sas b
before=$(stat_of b in-delivered)
run_in a /usr/bin/python3 py/burst.py 10.0.0.2 7000 10
check "pcrypt: new SAs work" busywait 10 delivered
goes "pcrypt"
