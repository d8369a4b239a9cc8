#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A host that starts without a module for its kernel is closed by nftables, be they old.
#
#	host veth0 ----- veth0 b
#
# timeout: 60
# lanes: stock matrix
. "$(dirname "$0")/../lib.sh"

ns b
ip link add veth0 type veth peer name veth0 netns b
ip link set veth0 up
ip -n b link set veth0 up
ip addr add 10.0.0.1/24 dev veth0
addr b veth0 10.0.0.2/24
mkdir -p /etc/postern /run/bin
echo 'policy add dir out dst 10.9.0.0/16 action discard' >/etc/postern/here.conf
printf '#!/bin/sh\necho starting\n' >/run/bin/systemctl
chmod +x /run/bin/systemctl
# no module is found
rm -f /lib/modules/"$(uname -r)"/updates/postern.ko*
expect_fail modprobe postern

check "open before" ping_ok b 10.0.0.1
check "says that it is closed" expect_fail -m CLOSED env PATH="/run/bin:$PATH" sh ../tools/load
nft list ruleset
check "nothing comes in" ping_lost b 10.0.0.1
lost() { ! pp ping -n -q -c 1 -W 1 "$1"; }
check "nothing leaves" lost 10.0.0.2
check "loopback is as before" pp ping -n -q -c 1 -W 10 127.0.0.1
check "a second try says so too" expect_fail -m 'still CLOSED' sh ../tools/load
nft delete table inet postern_closed
check "open when the table has gone" ping_ok b 10.0.0.1
