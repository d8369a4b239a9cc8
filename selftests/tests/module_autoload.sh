#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The installed module loads by itself when the tool asks for its netlink family, and
# all three say the same version.
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"

version=$(sed -n 's/.*POSTERN_VERSION *"\(.*\)".*/\1/p' ../uapi/postern_version.h)
[[ -n $version ]] || fail "no version in uapi/postern_version.h"
check "version of the module" expect version "$version" "$(modinfo -F version "$POSTERN_KO")"
check "licence" expect licence GPL "$(modinfo -F license "$POSTERN_KO")"
check "the family is an alias" expect alias net-pf-16-proto-16-family-postern "$(modinfo -F alias "$POSTERN_KO" | sort -u)"

postern_loaded && fail "it is loaded already"
check "not installed: the tool says so" expect_fail -m 'not loaded and could not be' postern stats
postern -V

mkdir -p "/lib/modules/$(uname -r)/updates"
cp "$POSTERN_KO" "/lib/modules/$(uname -r)/updates/"
depmod
check "stats" postern stats
check "it was loaded" postern_loaded
check "loaded without a taint by force" expect_fail grep -q F /sys/module/postern/taint
check "its version in sysfs" expect version "$version" "$(cat /sys/module/postern/version)"
out=$(postern -V)
echo "$out"
check "the tool tells both" expect count 2 "$(grep -o "$version" <<<"$out" | wc -l)"
check "stats tells the version" expect version "$version" "$(postern -j stats | jq -r .version)"
rmmod postern
ns a
check "asked from a namespace" run_in a postern state list
check "it was loaded for that" postern_loaded
