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
. "$(dirname "$0")/../gateway.sh"

interop_start
interop "null tunnel 4in6" esp tunnel 6 4 0 enc 'ecb(cipher_null)' '' auth-trunc 'hmac(sha256)' AUTH 128
interop "null transport 4" esp transport 4 4 0 enc 'ecb(cipher_null)' '' auth-trunc 'hmac(sha256)' AUTH 128
interop_end

# what is in a namespace when it ends keeps none of its devices
transport a b xfrm 9 fd00::1 fd00::2
check "an SA of IPv6 stays to the end" ping_ok a fd00::2
