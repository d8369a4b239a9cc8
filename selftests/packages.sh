# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by setup, for this host, and by tree, for hosts of other Debian releases:
# what both need.

build_packages=(gcc make libc6-dev pkg-config libmnl-dev libjson-c-dev kmod)
machine_packages=(
	iproute2 iputils-ping nftables iptables conntrack ethtool iperf3 tcpdump tshark socat netcat-openbsd jq procps
	python3 python3-scapy python3-cryptography python3-jsonschema python3-yaml
	charon-systemd strongswan-swanctl libstrongswan-standard-plugins libcharon-extra-plugins wireguard-tools
	frr busybox-static
)
