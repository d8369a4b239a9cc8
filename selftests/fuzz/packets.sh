#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# packets.sh [COVER.KO] OPTION...: in the machine, packets.py with these options.
. "$(dirname "$0")/../lib.sh"

ns a
forward a
. "$(dirname "$0")/../fuzz/load.sh"
check "what comes is dropped and counted, or good" run_in a /usr/bin/python3 -B fuzz/packets.py "$@"
fuzz_reached
