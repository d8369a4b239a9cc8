# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests after lib.sh: systemd as init, in namespaces of its own, over the
# root of the machine; or, where BOX is 1, that of the machine.
#
#	lan (generator) ---- lan box pub ---- pub net
#	10.1.0.2             10.1.0.1 192.0.2.1     192.0.2.2
#	fd01::2              fd01::1  2001:db8::1   2001:db8::2
#
# "box" is the gateway that boots; the two others are there before it.

BOX='' BOX_PARENT='' UNITS=/etc/systemd/system

box_topo() {
	# udev changes what it has not been given
	local a mac=02:00:00:00:00:01 u

	ns lan net
	if [[ $BOX = 1 ]]; then
		pp ip netns attach box 1
		ip netns exec box sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
	else
		ns box
	fi
	ip -n box link set lo down
	pp ip link add name lan address "$mac" netns box type veth peer name lan netns lan
	pp ip link add name pub netns box type veth peer name pub netns net
	ip -n lan link set lan up
	ip -n net link set pub up
	addr lan lan 10.1.0.2/24 fd01::2/64
	addr net pub 192.0.2.2/24 2001:db8::2/64
	for a in 10.1.0.1 fd01::1; do
		ip -n lan neigh replace $a lladdr "$mac" dev lan
		ip -n lan route add default via $a
	done
	ip -n net route add 10.1.0.0/24 via 192.0.2.1
	ip -n net route add fd01::/64 via 2001:db8::1

	# the network, as a distribution brings it up
	box_network lan Address=10.1.0.1/24 Address=fd01::1/64
	box_network pub Address=192.0.2.1/24 Gateway=192.0.2.2 Address=2001:db8::1/64 Gateway=2001:db8::2
	cat >$UNITS/box.target <<-'UNIT'
	[Unit]
	Requires=sysinit.target
	Wants=systemd-networkd.service
	After=sysinit.target systemd-networkd.service
	UNIT
	# the gateway itself talks as soon as it lives
	cat >$UNITS/talk.service <<-'UNIT'
	[Unit]
	DefaultDependencies=no
	[Service]
	ExecStart=/bin/bash -c 'exec 9<> <(:); while :; do for a in 10.2.0.8 fd02::8; do echo CANARY >/dev/udp/$$a/9; done; read -t 0.05 -u 9; done'
	StandardError=null
	UNIT
	mkdir -p $UNITS/sysinit.target.wants
	ln -sf ../talk.service $UNITS/sysinit.target.wants/
	# what takes time and has no say here
	for u in systemd-timesyncd systemd-pstore systemd-modules-load systemd-journal-flush systemd-update-utmp \
		modprobe@ sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount; do
		[[ $u = *.mount ]] || u+=.service
		ln -sf /dev/null "$UNITS/$u"
	done
}

box_network() { # DEV LINE...
	mkdir -p /etc/systemd/network
	printf '%s\n' '[Match]' "Name=$1" '[Network]' IPForward=yes LinkLocalAddressing=no IPv6AcceptRA=no "${@:2}" \
		>"/etc/systemd/network/$1.network"
}

# box_generator: somebody behind the gateway, who does not wait for it.  (A process for
# each pause would be most of what an emulated machine does.)
box_generator() {
	# shellcheck disable=SC2016 # the shell that sends
	background lan bash -c 'exec 9<> <(:); while :; do for a in 10.2.0.9 fd02::9; do echo CANARY >/dev/udp/$a/9; done; read -t 0.05 -u 9; done' 2>/dev/null
}

# What is right: the SAs, and the policies, in lines for a file.
box_states() {
	local v

	for v in 192.0.2. 2001:db8::; do
		cat <<-CONF
		state add src ${v}1 dst ${v}2 proto esp spi 0x1001 reqid 1 mode tunnel \\
			enc cbc(aes) 0x00112233445566778899aabbccddeeff \\
			auth hmac(sha256) 0x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
		CONF
	done
}
box_policies() {
	cat <<-'CONF'
	policy add dir out dst 10.2.0.0/16 tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 1 mode tunnel
	policy add dir out dst fd02::/16 tmpl src 2001:db8::1 dst 2001:db8::2 proto esp reqid 1 mode tunnel
	CONF
}

# box_init: in the new namespaces, becomes their first process.
box_init() {
	mount --make-rprivate /
	mount -t proc proc /proc
	mount -t tmpfs -o mode=755 tmpfs /run
	mount -t tmpfs tmpfs /lib/systemd/system-generators
	umount -l /sys
	mount -t sysfs -o ro sysfs /sys
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	exec env -i container=box SYSTEMD_LOG_TARGET=journal PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --unit=box.target --show-status=false
}

# box_boot: until all units have been started, or have failed.
box_boot() {
	mkdir -p /sys/fs/cgroup/box
	export -f box_init
	# shellcheck disable=SC2016
	setsid bash -c 'echo $$ >/sys/fs/cgroup/box/cgroup.procs
		exec ip netns exec box unshare -m -p -C -i -u --kill-child -f bash -c box_init' &
	BOX_PARENT=$!
	busywait 20 pgrep -P "$BOX_PARENT" -x systemd
	BOX=$(pgrep -P "$BOX_PARENT" -x systemd)
	busywait 60 in_box systemctl is-active box.target
}

# in_order UNIT...: each was there before the next.
in_order() {
	local last=1 t u

	for u; do
		t=$(in_box systemctl show -P ActiveEnterTimestampMonotonic "$u")
		((t >= last)) || { say "$u: $t, before $last"; return 1; }
		last=$t
	done
}

in_box() { nsenter -t "$BOX" -m -p -n -i -u -C -r -w -- "$@"; }

# box_off: the power goes.
box_off() {
	local d

	kill -9 "$BOX"
	wait "$BOX_PARENT" 2>/dev/null || true
	for d in lan pub; do
		ip -n box link set "$d" down
		ip -n box addr flush dev "$d"
	done
	ip netns exec box sysctl -qw net.ipv4.ip_forward=0
	# it is another namespace after a real boot
	ip netns exec box nft flush ruleset
	run_in box postern policy flush
	run_in box postern state flush
}
