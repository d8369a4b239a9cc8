#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The packages come, are upgraded, removed and purged under systemd and under traffic:
# what has to be protected never leaves in clear, and the module stays loaded.  Run by
# selftests/package, which builds the packages.
#
# timeout: 240
# lanes: debug
# class: package
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../box.sh"

debs=$POSTERN_TOP/.build/package
install_postern
# The module is that of this machine; DKMS has a test of its own.
touch /etc/dkms/no-autoinstall
rm -f /usr/sbin/policy-rc.d /run/postern/bin/postern
hash -r
box_topo

pcap=/run/pub.pcap
seen() { packets_in "$pcap" "$1"; }
seen_more() { (($(seen "$1") >= $2)); }
goes_on() {
	local n

	n=$(seen esp)
	busywait 20 seen_more esp $((n + 10))
}
# (the index of manuals takes its time here)
package() { in_box env DEBIAN_FRONTEND=noninteractive dpkg --no-triggers "$@"; }
bridge() { in_box systemctl show -P MainPID postern-bridge@77; }

# The debug kernel has not all that confines it.
mkdir -p "$UNITS/postern-bridge@.service.d"
cat >"$UNITS/postern-bridge@.service.d/debug.conf" <<'UNIT'
[Service]
DynamicUser=no
PrivateIPC=no
PrivateDevices=no
SystemCallFilter=
SystemCallArchitectures=
MemoryDenyWriteExecute=no
UNIT
box_boot
check "installed" package -i "$debs"/deb/postern-{dkms,tools}_*.deb
check "enabled" in_box systemctl is-enabled postern
{ box_states; box_policies; } | in_box tee /etc/postern/site.conf >/dev/null
check "started" in_box systemctl restart postern
check "the bridge is started" in_box systemctl enable --now postern-bridge@77
in_box journalctl -u postern-bridge@77 -o cat --no-pager | tail -n 5
was=$(bridge)
index=$(in_box postern -j policy list | jq '.[0].index')
capture net pub "$pcap" -s 200
box_generator
check "protected packets are seen" goes_on

check "upgraded" package -i "$debs"/next/.build/deb/postern-{dkms,tools}_*.deb
next=$(sed -n 's/.*"\(.*\)"/\1/p' "$debs/next/uapi/postern_version.h")
version=$(in_box postern -V)
check "it is the next version" expect version "postern $next" "${version%%,*}"
another() { (($1 > 0 && $2 > 0 && $1 != $2)); }
check "the bridge is another one" another "$was" "$(bridge)"
check "the bridge runs" in_box systemctl is-active postern-bridge@77
check "the policy is the same" expect index "$index" "$(in_box postern -j policy list | jq '.[0].index')"
check "the unit is still active" in_box systemctl is-active postern
check "packets go on, protected" goes_on

check "removed" package -r postern-dkms postern-tools
check "the module is loaded" postern_loaded
check "no bridge is left" expect_fail pgrep -f 'postern bridge'
check "packets go on, protected, after removal" goes_on
check "purged" package -P postern-tools
check "nothing dangles" expect links '' "$(find /etc/systemd/system -name 'postern*' -type l)"
check "packets go on, protected, after purge" goes_on
capture_end
check "not one packet was seen in clear" expect packets 0 "$(seen 'udp dst port 9')"
