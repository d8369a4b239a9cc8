#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Packets by someone who knows the keys, always the same: each is dropped and counted or
# delivered, and right ones go on being delivered; make fuzz-packets has others.
#
# lanes: debug
# timeout: 120
set -- --seed 1 --count 30000
# shellcheck source=selftests/fuzz/packets.sh
. "$(dirname "$0")/../fuzz/packets.sh"
