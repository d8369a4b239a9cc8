#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A gateway that boots with postern.service enabled is closed before it is open: systemd
# as init, a host behind it and the gateway itself send from the first link-up on, and
# what has to be protected is never seen in clear.  Where the files are wrong or the
# module is missing nothing is seen at all.
#
# timeout: 240
# lanes: debug
# class: package
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../box.sh"

install_postern
install -d /etc/postern /usr/libexec/postern
install -m 755 "$(type -P postern)" /usr/sbin/postern
install -m 755 ../tools/load /usr/libexec/postern/load
install -m 644 ../tools/postern.service "$UNITS/"
box_topo
box_generator

files() {
	box_states >/etc/postern/10-sa.conf
	box_policies >/etc/postern/20-policy.conf
}

# FILTER: how many were seen
seen() { packets_in "$pcap" "$1"; }
seen_more() { (($(seen "$1") >= $2)); }
clear() { seen 'udp dst port 9'; }
watch() {
	pcap=/run/$1.pcap
	capture net pub "$pcap" -s 200
}
came_in() { ip -n box -j -s link show lan | jq '.[0].stats64.rx.packets'; }
came_in_more() { (($(came_in) > $1)); }
unit() { in_box systemctl show -P "$1" postern; }
said() {
	in_box journalctl --sync
	in_box journalctl -u postern -o cat --no-pager
}

watch control
box_boot
for src in 10.1.0.2 fd01::2 192.0.2.1 2001:db8::1; do
	check "without the unit: packets of $src are seen" busywait 20 seen_more "src $src and udp dst port 9" 3
done
box_off
capture_end
unload_postern

ln -s ../postern.service "$UNITS/sysinit.target.wants/"
files
watch closed
box_boot
check "the unit is done" expect state active "$(unit ActiveState)"
check "it was done before the network" in_order postern.service network-pre.target systemd-networkd.service
for src in 192.0.2.1 2001:db8::1; do
	check "protected packets of $src are seen" busywait 20 seen_more "src $src and (ip proto 50 or ip6 proto 50)" 30
done

echo 'policy add dir out dst' >>/etc/postern/20-policy.conf
check "a reload refuses what is wrong" expect_fail in_box systemctl reload postern
said | tail -n 5
check "and says where" grep -q '20-policy.conf:3' <(said)
check "and changes nothing" grep -q 'nothing has changed' <(said)
n=$(seen esp)
check "packets go on, protected" busywait 20 seen_more esp $((n + 10))
files
echo 'policy flush' >/etc/postern/15-flush.conf
check "a reload refuses what would open the host meanwhile" expect_fail in_box systemctl reload postern
check "and says so" grep -q 'what closes the host' <(said)
check "and what was in force has not" expect policies 2 "$(in_box postern -j policy list | jq length)"
rm /etc/postern/15-flush.conf
ln -s /run/away.conf /etc/postern/05-link.conf
check "a reload refuses a link to nothing" expect_fail in_box systemctl reload postern
check "and says so" grep -q '05-link.conf' <(said)
check "and what was in force is so still" expect policies 2 "$(in_box postern -j policy list | jq length)"
rm /etc/postern/05-link.conf
ln -s /root/device.conf /etc/postern/30-device.conf
cat >/root/device.conf <<'CONF'
policy add dir out dst 10.3.0.0/16 dev pub action discard
guard add dev pub
CONF
check "a reload takes what is right" in_box systemctl reload postern
check "all of it" expect policies 3 "$(in_box postern -j policy list | jq length)"
n=$(seen esp)
check "packets go on after it, protected" busywait 20 seen_more esp $((n + 10))
check "nothing stays behind" expect policies '' "$(in_box postern policy list owner 4294967295)"
check "a guard can be set once more" in_box systemctl reload postern
echo 'policy add dir out dst' >>/etc/postern/20-policy.conf
check "a restart refuses what is wrong" expect_fail in_box systemctl restart postern
n=$(seen esp)
check "packets go on after that, too" busywait 20 seen_more esp $((n + 10))
files
check "repaired, it starts" in_box systemctl restart postern
pp in_box systemctl stop postern
n=$(seen esp)
check "a unit that was stopped has changed nothing" busywait 20 seen_more esp $((n + 10))
# another module, without a boot
in_box nft 'add table inet postern_closed; add chain inet postern_closed out { type filter hook postrouting priority -450; policy drop; }'
in_box postern policy flush
in_box postern state flush
check "the module goes" busywait 20 rmmod postern
n=$(came_in)
busywait 20 came_in_more $((n + 50))
check "and comes with the unit" in_box systemctl restart postern
n=$(seen esp)
check "packets go on with it, protected" busywait 20 seen_more esp $((n + 10))
box_off
capture_end
check "not one packet was seen in clear" expect packets 0 "$(clear)"
unload_postern

rm /etc/postern/30-device.conf
echo 'policy add dir out dst 10.3.0.0/16 action descard' >/etc/postern/30-wrong.conf
watch wrong
box_boot
check "a wrong file: the unit has failed" expect state failed "$(unit ActiveState)"
said
check "and says where" grep -q '30-wrong.conf:1' <(said)
check "and what that means" grep -q 'CLOSED' <(said)
n=$(came_in)
busywait 20 came_in_more $((n + 50))
check "nothing was seen" expect packets 0 "$(seen 'ip or udp')"
check "a restart refuses it once more" expect_fail in_box systemctl restart postern
check "and says what it leaves" grep -q 'still CLOSED' <(said)
rm /etc/postern/30-wrong.conf
mv /etc/postern /etc/postern.away
check "no more does it without a file" expect_fail in_box systemctl restart postern
check "and says that, too" grep -q 'still CLOSED, and no file' <(said)
mv /etc/postern.away /etc/postern
check "repaired: it starts" in_box systemctl restart postern
check "repaired: protected packets are seen" busywait 20 seen_more esp 10
box_off
capture_end
check "a wrong file: not one packet was seen in clear" expect packets 0 "$(clear)"
unload_postern

echo 'policy flush' >/etc/postern/15-flush.conf
watch flush
box_boot
check "a file that flushes: the unit has failed" expect state failed "$(unit ActiveState)"
n=$(came_in)
busywait 20 came_in_more $((n + 50))
check "nothing was seen" expect packets 0 "$(seen 'ip or udp')"
box_off
capture_end
rm /etc/postern/15-flush.conf
unload_postern

rm "/lib/modules/$(uname -r)/updates/postern.ko"
depmod
watch missing
box_boot
check "no module: the unit has failed" expect state failed "$(unit ActiveState)"
check "and says so" grep -q 'not loaded and could not be' <(said)
check "and what that means" grep -q 'CLOSED' <(said)
n=$(came_in)
busywait 20 came_in_more $((n + 50))
capture_end
check "no module: nothing was seen" expect packets 0 "$(seen 'ip or udp')"
