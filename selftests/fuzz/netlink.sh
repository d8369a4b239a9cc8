#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# netlink.sh [COVER.KO] OPTION...: in the machine, netlink.py with these options, as root and as root
# of a user namespace of somebody's, both at a time.
. "$(dirname "$0")/../lib.sh"

ns a
. "$(dirname "$0")/../fuzz/load.sh"
# who may read the tree, and no more
mkdir -p /run/tree/selftests /run/tree/uapi
cp -r py fuzz /run/tree/selftests/
cp ../uapi/postern.yaml /run/tree/uapi/
# an address and a route for what the SAs send, a device for guards
route='ip link set lo up; ip addr add 10.0.0.1 dev lo; ip addr add fd00::1 dev lo nodad
ip link add guarded index 1000 type veth peer name other; ip route add default dev lo; ip -6 route add default dev lo; exec "$@"'
fuzz=(bash -c "$route" fuzz /usr/bin/python3 -B /run/tree/selftests/fuzz/netlink.py "$@")
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all)
if run_in a "${nobody[@]}" unshare -Urn true; then
	background a "${nobody[@]}" unshare -Urn "${fuzz[@]}"
	other=$BACKGROUND
else
	lacking "user namespace for a user"
fi
check "what root is refused changes nothing" run_in a "${fuzz[@]}"
[[ -z ${other:-} ]] || check "nor what root of a user namespace is" wait "$other"
fuzz_reached
