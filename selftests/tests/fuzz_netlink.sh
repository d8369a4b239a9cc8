#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Messages that are nearly right, always the same: what is refused says why, changes
# nothing and tells no listener; make fuzz-netlink has others.
#
# lanes: debug
# timeout: 120
set -- --seed 1 --count 4000
# shellcheck source=selftests/fuzz/netlink.sh
. "$(dirname "$0")/../fuzz/netlink.sh"
