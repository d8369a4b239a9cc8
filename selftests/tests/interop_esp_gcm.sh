#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# ESP with AES-GCM (RFC 4106) between Postern and XFRM: all modes and families, all
# key lengths.
#
# timeout: 600
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../interop.sh"

interop_start
interop_all "gcm-256" esp 36 aead 'rfc4106(gcm(aes))' KEY 128
interop_brief "gcm-128" esp tunnel 4 4 20 aead 'rfc4106(gcm(aes))' KEY 128
interop_brief "gcm-192" esp transport 6 6 28 aead 'rfc4106(gcm(aes))' KEY 128
interop_end
