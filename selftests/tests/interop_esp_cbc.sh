#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ESP with AES-CBC (RFC 3602) and HMAC-SHA-256-128 (RFC 4868) between Postern and XFRM:
# all modes and families, all key lengths.
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

interop_start
interop_all "cbc-256" esp 32 enc 'cbc(aes)' KEY auth-trunc 'hmac(sha256)' AUTH 128
interop_brief "cbc-128" esp tunnel 6 6 16 enc 'cbc(aes)' KEY auth-trunc 'hmac(sha256)' AUTH 128
interop_brief "cbc-192" esp transport 4 4 24 enc 'cbc(aes)' KEY auth-trunc 'hmac(sha256)' AUTH 128
interop_end
