#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ESP without encryption (RFC 2410), HMAC-SHA-256-128, between Postern and XFRM:
# streams and fragments in both modes.  All families are in interop_matrix.
#
# timeout: 600
# lanes: stock matrix
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

interop_start
interop "null tunnel 4in6" esp tunnel 6 4 0 enc 'ecb(cipher_null)' '' auth-trunc 'hmac(sha256)' AUTH 128
interop "null transport 4" esp transport 4 4 0 enc 'ecb(cipher_null)' '' auth-trunc 'hmac(sha256)' AUTH 128
interop_end
