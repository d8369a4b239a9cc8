#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# AH with HMAC-SHA-256-128 between Postern and XFRM: streams and fragments in both modes.
# All families are in interop_matrix.
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

interop_start
interop "ah tunnel 4in4" ah tunnel 4 4 0 auth-trunc 'hmac(sha256)' AUTH 128
interop "ah tunnel 6in6" ah tunnel 6 6 0 auth-trunc 'hmac(sha256)' AUTH 128
interop "ah transport 4" ah transport 4 4 0 auth-trunc 'hmac(sha256)' AUTH 128
interop "ah transport 6" ah transport 6 6 0 auth-trunc 'hmac(sha256)' AUTH 128
interop_end
