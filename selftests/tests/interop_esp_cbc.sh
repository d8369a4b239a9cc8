#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ESP with AES-CBC (RFC 3602) and HMAC-SHA-256-128 (RFC 4868) between Postern and XFRM:
# streams and fragments in both modes.
# Every length of key and all families are in interop_matrix.
#
# timeout: 600
# lanes: stock
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

interop_start
interop "cbc-256 tunnel 6in4" esp tunnel 4 6 32 enc 'cbc(aes)' KEY auth-trunc 'hmac(sha256)' AUTH 128
interop "cbc-256 transport 6" esp transport 6 6 32 enc 'cbc(aes)' KEY auth-trunc 'hmac(sha256)' AUTH 128
interop_end
