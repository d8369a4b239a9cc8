#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Whatever a program sends: an error that names the attribute or says what is wrong,
# and nothing has changed.
#
# timeout: 240
# lanes: stock debug matrix
. "$(dirname "$0")/../lib.sh"

ns a
load_postern
run_in a python -B py/t2_malformed.py
