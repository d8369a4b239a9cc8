#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A machine that boots with the packages, systemd as its first process and udev: the files
# are in force before the network, and what has to be protected is never seen in clear by
# those around it, who send from the first link-up on.  Nor while the packages are
# upgraded, removed and purged.  Run by selftests/package, which builds them.
#
# timeout: 900
# lanes: trixie
# init: systemd, twice
# class: package
# shellcheck disable=SC2034 # for those two
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../box.sh"
BOX=1

pcap=/run/pub.pcap
debs=$POSTERN_TOP/.build/package/$LANE
esp='(ip proto 50 or ip6 proto 50)'
seen() { packets_in "$pcap" "$1"; }
seen_more() { (($(seen "$1") >= $2)); }
# (the kernel's numbers: to read all that was captured takes its time here)
came_out() { ip -n net -j -s link show pub | jq '.[0].stats64.rx.packets'; }
came_out_more() { (($(came_out) > $1)); }
goes_on() { busywait 20 came_out_more $(($(came_out) + 100)); }
# (openssl, of which DKMS makes its key, is not there)
package() { DEBIAN_FRONTEND=noninteractive pp dpkg --no-triggers --force-depends "$@"; }
state() { systemctl show -P ActiveState "$1"; }

if [[ ${1:-} = before ]]; then
	# The module is DKMS's; to build it here would take minutes.
	cp "$debs/postern.ko" /run/
	POSTERN_KO=/run/postern.ko install_postern
	touch /etc/dkms/no-autoinstall
	rm /run/postern/bin/postern
	hash -r
	package -i "$debs"/postern-{dkms,tools}_*.deb
	box_states >/etc/postern/10-sa.conf
	box_policies >/etc/postern/20-policy.conf
	box_topo
	forward box
	systemctl enable systemd-networkd postern-bridge@77 postern-guard@{pub,late}
	systemctl mask getty.target
	capture net pub "$pcap" -s 200
	box_generator
	check "the module is not there yet" expect_fail postern_loaded
	exit
fi

NAMESPACES=(lan net)
cleanup_more() { ip netns del box; }
check "systemd is the first process" expect name systemd "$(</proc/1/comm)"
journalctl --sync
journalctl -u postern -u postern-bridge@77 -o cat --no-pager
check "the unit is done" expect state active "$(state postern)"
check "it was done before the network" in_order postern.service network-pre.target systemd-networkd.service
check "the module is the one that DKMS built" expect version "$(modinfo -F srcversion /run/postern.ko)" "$(</sys/module/postern/srcversion)"
check "the bridge runs, confined" expect state active "$(state postern-bridge@77)"
for src in 192.0.2.1 2001:db8::1; do
	check "protected packets of $src are seen" busywait 20 seen_more "src $src and $esp" 30
done

guarded() { [[ -n $(postern -j guard list dev "$1" | jq -r '.[].dev') ]]; }
in_state() { [[ $(state "$2") = "$1" ]]; }
check "the device has its guard" busywait 20 guarded pub
for _ in 1 2; do
	ip link add late type dummy
	check "one that comes later, too" busywait 20 guarded late
	ip link del late
	check "which goes with it" busywait 20 in_state inactive postern-guard@late
done

clear() { seen 'udp dst port 9'; }
check "not one packet was seen in clear" expect packets 0 "$(clear)"

index=$(postern -j policy list | jq '.[0].index')
check "upgraded" package -i "$debs"/next/postern-{dkms,tools}_*.deb
check "it is another version" expect_fail expect versions "$(modinfo -F version /run/postern.ko)" "$(postern -V | sed 's/postern \(.*\),.*/\1/')"
check "the bridge runs" expect state active "$(state postern-bridge@77)"
check "the policy is the same" expect index "$index" "$(postern -j policy list | jq '.[0].index')"
check "packets go on" goes_on
check "removed" package -r postern-dkms postern-tools
check "purged" package -P postern-tools
check "nothing dangles" expect links '' "$(find /etc/systemd/system -name 'postern*' -type l)"
check "packets go on" goes_on
check "not one packet was seen in clear" expect packets 0 "$(clear)"

"$RESULTS/postern" policy flush
for src in 10.1.0.2 fd01::2 192.0.2.1 2001:db8::1; do
	check "without policies: packets of $src are seen" busywait 20 seen_more "src $src and udp dst port 9" 3
done
check "the capture goes on" pkill -INT -x tcpdump
check "and has missed nothing" busywait 20 grep -qx '0 packets dropped by kernel' "$pcap.log"
