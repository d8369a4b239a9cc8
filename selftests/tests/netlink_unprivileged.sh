#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Who lacks CAP_NET_ADMIN in the owner of a namespace learns nothing and changes
# nothing there; root of a user namespace has its own network namespace and no other.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"

topo_pair
load_postern
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1001 reqid 1 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.9 action bypass
before=$(ip netns exec a postern -j -k state list; ip netns exec a postern -j policy list)

# who may read the tree, and no more
mkdir -p /run/tree/selftests /run/tree/uapi
cp -r py /run/tree/selftests/
cp ../uapi/postern.yaml /run/tree/uapi/

# One user's namespace waits, while the kernel asks a program that takes its time for a
# cipher, which nobody has used before.
cat >/run/slow <<'SLOW'
#!/bin/sh
case "$*" in
*rfc4543*)
	touch /run/asked
	until [ -e /run/enough ]; do sleep 0.1; done
	;;
esac
exec /sbin/modprobe "$@"
SLOW
chmod +x /run/slow
sysctl -qw kernel.modprobe=/run/slow
background a unshare -Urn /usr/bin/python3 -B /run/tree/selftests/py/busy.py stuck >/run/busy
busy=$BACKGROUND
check "a user's namespace waits" busywait 60 test -e /run/asked
ns d
link a to_d d to_a
# shellcheck disable=SC2016 # for the shell inside
background a unshare -Urn sh -c '
	postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1002 reqid 2 mode tunnel \
		aead "rfc4106(gcm(aes))" 0x'"$(hexkey 20 | cut -c3-)"' 128 limit time-hard 2
	until [ -z "$(postern state list)" ]; do sleep 0.2; done
	touch /run/ended'
check "an SA of another user ends in its time all the same" busywait 20 test -e /run/ended
ip netns del d
# shellcheck disable=SC2034 # for cleanup
NAMESPACES=(a b)
gone() { ! ip -n a link show to_d; }
check "and so does a namespace" busywait 20 gone
check "meanwhile the first one waits" kill -0 "$busy"
touch /run/enough
wait "$busy" || fail "the namespace that waited was refused"

nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
tries() { ip netns exec a "$@" /usr/bin/python3 -B /run/tree/selftests/py/t2_perm.py; }

got=$(tries "${nobody[@]}")
printf '%s\n' "$got"
check "every command and group was tried" expect "of them" "$(python -c 'import yaml
spec = yaml.safe_load(open("../uapi/postern.yaml"))
ops = [op for op in spec["operations"]["list"] if "event" not in op]
print(*sorted([op["name"] for op in ops if "do" in op] + [op["name"] + "-dump" for op in ops if "dump" in op] +
	["group-" + group["name"] for group in spec["mcast-groups"]["list"]]))')" "$(cut -d= -f1 <<<"$got" | sort | xargs)"
check "a user may do nothing" expect exceptions '' "$(grep -v '=EPERM$' <<<"$got")"
got=$(tries setpriv --inh-caps=-net_admin --bounding-set=-net_admin)
check "root without CAP_NET_ADMIN may do nothing" expect exceptions '' "$(grep -v '=EPERM$' <<<"$got")"
check "the tool says so" expect_fail -m 'not permitted' run_in a "${nobody[@]}" postern state list
check "nothing has changed" expect objects "$before" \
	"$(ip netns exec a postern -j -k state list; ip netns exec a postern -j policy list)"

if ! run_in a "${nobody[@]}" unshare -Ur true; then
	lacking "user namespace for a user"
	exit
fi
got=$(tries "${nobody[@]}" unshare -Ur)
check "root of a user namespace may do nothing here" expect exceptions '' "$(grep -v '=EPERM$' <<<"$got")"

# in a namespace of its own
got=$(tries "${nobody[@]}" unshare -Urn)
printf '%s\n' "$got"
check "root of a user namespace may all in its own" expect refused '' "$(grep '=EPERM$' <<<"$got")"
check "commands work there" expect results 'sa-new=0 sa-update=0 policy-new=0 stats-get=0' \
	"$(grep -E '^(sa-new|sa-update|policy-new|stats-get)=' <<<"$got" | xargs)"
check "nothing of it is here" expect objects "$before" \
	"$(ip netns exec a postern -j -k state list; ip netns exec a postern -j policy list)"

# what he keeps busy there
background a "${nobody[@]}" unshare -Urn /usr/bin/python3 -B /run/tree/selftests/py/busy.py >/run/busy
busy=$BACKGROUND
check "a user keeps his own namespace busy" busywait 60 grep -q busy /run/busy
run_in a postern state add src 10.0.0.1 dst 10.0.0.2 proto esp spi 0x1002 reqid 2 mode tunnel \
	aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 limit time-hard 2
gone() { [[ -z $(ip netns exec a postern -j state list | jq '.[] | select(.reqid == 2)') ]]; }
check "an SA of the host ends in its time all the same" busywait 20 gone
check "meanwhile he was busy" kill -0 "$busy"
kill -9 "$busy"
