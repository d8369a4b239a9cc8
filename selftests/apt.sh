# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after host.sh: packages of another suite of Debian than this host's, without
# touching the configuration of the host.

# apt_suite SUITE: what apt is told from here on
apt_suite() {
	local a=$CACHE/apt-$1

	mkdir -p "$a/lists/partial" "$a/cache/archives/partial" "$a/none"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
		"$(debian_mirror debian) $1 main" >"$a/sources.list"
	aptopt=(-qq -o "Dir::Etc::SourceList=$a/sources.list" -o "Dir::Etc::SourceParts=$a/none" -o "Dir::State::Lists=$a/lists"
		-o "Dir::Cache=$a/cache" -o "Dir::Etc::PreferencesParts=$a/none" -o APT::Sandbox::User=root)
	apt-get "${aptopt[@]}" update
}

# apt_version PACKAGE: the newest one's, or nothing
apt_version() {
	apt-cache "${aptopt[@]}" show "$1" 2>/dev/null | awk '/^Version:/ { print $2; exit }'
}
