#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What README.md says of a module that a locked down kernel refuses is what one sees: the
# errors, and how to tell a module that is not signed from one whose key is not trusted.
#
# timeout: 240
# lanes: stock
# class: package
. "$(dirname "$0")/../lib.sh"

dir=$(mktemp -d)
cp "$POSTERN_KO" "$dir/unsigned.ko"
cp "$POSTERN_KO" "$dir/signed.ko"
# as dkms does it
openssl req -new -x509 -nodes -days 36500 -subj "/CN=DKMS module signing key" \
	-newkey rsa:2048 -keyout "$dir/mok.key" -outform DER -out "$dir/mok.pub" 2>/dev/null
"/usr/src/linux-headers-$(uname -r)/scripts/sign-file" sha256 "$dir"/mok.{key,pub} "$dir/signed.ko"
check "a name tells that it is signed" expect signer "DKMS module signing key" "$(modinfo -F signer "$dir/signed.ko")"
check "no name that it is not" expect signer "" "$(modinfo -F signer "$dir/unsigned.ko")"

logged() { # WORDS: the kernel's, and README's, which may break a line there
	dmesg | grep -qF "$1" || { dmesg | tail -n 3; return 1; }
	tr -s '\n ' ' ' <../README.md | grep -qF "$1"
}

load_postern
check "not verified, noted" logged 'module verification failed: signature and/or required key missing - tainting kernel'
unload_postern

mount -t securityfs securityfs /sys/kernel/security 2>/dev/null || true
echo integrity >/sys/kernel/security/lockdown
check "locked down, not signed" expect_fail -m 'Operation not permitted' insmod "$dir/unsigned.ko"
check "the kernel says so" logged 'unsigned module loading is restricted; see man kernel_lockdown.7'
check "locked down, unknown key" expect_fail -m 'Operation not permitted' insmod "$dir/signed.ko"

# what Secure Boot sets as well
echo 1 >/sys/module/module/parameters/sig_enforce
check "enforced, not signed" expect_fail -m 'Key was rejected by service' insmod "$dir/unsigned.ko"
check "the kernel says so" logged 'Loading of unsigned module is rejected'
check "enforced, unknown key" expect_fail -m 'Key was rejected by service' insmod "$dir/signed.ko"
check "the kernel says so" logged 'Loading of module with unavailable key is rejected'
