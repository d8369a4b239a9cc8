#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# All JSON that the tool prints is what its schema says, and is one document a command.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

cat >/run/validate.py <<'PY'
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
text = open(sys.argv[3]).read()
documents = [json.loads(line) for line in text.splitlines()] if sys.argv[4:] else [json.loads(text)]
if not documents:
    sys.exit('nothing was printed')
kind = sys.argv[2]
schema = dict(schema, anyOf=[{'$ref': f'#/definitions/{kind}'}])
validator = jsonschema.Draft7Validator(schema)
bad = 0
for document in documents:
    for error in validator.iter_errors(document):
        for e in error.context or [error]:
            print(e.json_path, e.message)
        bad = 1
sys.exit(bad)
PY
valid() { # DEFINITION ARGS...
	run_in a postern -j "${@:2}" >/run/out.json || return 1
	/usr/bin/python3 /run/validate.py ../tools/postern.schema.json "$1" /run/out.json
}
each() { # WHEN
	check "$1: state list" valid state-list state list
	check "$1: state list -s -k" valid state-list -s -k state list
	check "$1: state list -p" valid state-list -p state list
	check "$1: policy list" valid policy-list policy list
	check "$1: policy list -s" valid policy-list -s policy list
	check "$1: state count" valid state-count state count
	check "$1: policy count" valid policy-count policy count
	check "$1: stats" valid stats stats
	check "$1: stats -s" valid stats -s stats
	check "$1: the page" valid status
	check "$1: the page with -s" valid status -s
}

topo_pair
load_postern
each "with nothing"
background a postern -j monitor all >/run/events
sleep 1
gcm=(aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128)
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel dir out "${gcm[@]}" \
	limit packet-soft 3 limit packet-hard 1000 limit time-hard 10000 limit byte-hard 1000000 \
	flag decap-dscp flag nopmtudisc sel src 10.0.0.0/24 dst 10.0.0.0/24 owner 5
run_in a postern state add src 10.0.0.2 dst 10.0.0.1 proto esp spi 0x1002 reqid 1 mode tunnel dir in \
	enc 'cbc(aes)' "$(hexkey 32)" auth-trunc 'hmac(sha256)' "$(hexkey 32)" 128 replay-window 4096 replay-seq 70
run_in a postern state add src fd00::1 dst fd00::2 proto ah spi 0x1003 auth 'hmac(sha256)' "$(hexkey 32)" \
	sel src fd00::1 dst fd00::2 proto ipv6-icmp type 128 code 0
run_in a postern state add src fd00::1 dst fd00::2 proto esp spi 0x1004 enc 'ecb(cipher_null)' '' \
	auth 'hmac(sha256)' "$(hexkey 32)" replay-window 0
check "allocspi" valid state state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel reqid 4
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 proto icmp tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid 1 mode tunnel
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 proto udp priority 5 tmpl proto esp reqid 77
run_in a postern policy add dir in src ::/0 dst ::/0 proto tcp sport 1000-2000 dport 22 priority 4294967295 action bypass
run_in a postern policy add dir fwd src 10.0.0.0/8 dst 0.0.0.0/0 proto 99 action discard owner 3
run_in a postern policy add dir out src fd00::1 dst fd00::2 proto ipv6-icmp type 128 code 0 action discard
for n in 1 2 3; do
	run_in a ping -q -n -c 2 -i 0.2 -W 0.1 10.0.0.2 || true
	echo x | run_in a socat -u STDIN UDP4-SENDTO:10.0.0.2:7000
done
each "with all kinds"
check "state get" valid state state get dst 10.0.0.2 proto esp spi 0x1001
check "state get -s" valid state -s state get dst 10.0.0.1 proto esp spi 0x1002
check "policy get" valid policy policy get index 1
run_in a postern state update src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel limit packet-soft 1
run_in a postern policy update dir fwd src 10.0.0.0/8 dst 0.0.0.0/0 proto 99 action bypass
run_in a postern state delete dst fd00::2 proto ah spi 0x1003
run_in a postern policy delete index 3
check "deleteall" valid flushed state deleteall proto ah
check "flush" valid flushed state flush
check "policy flush" valid flushed policy flush dir out
run_in a postern policy flush
sleep 0.5
check "events" /usr/bin/python3 /run/validate.py ../tools/postern.schema.json event /run/events lines
check "events of every kind" expect kinds 10 "$(jq -r .event /run/events | sort -u | wc -l)"
