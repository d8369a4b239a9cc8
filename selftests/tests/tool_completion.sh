#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# After a tab bash offers the words of a command and the names of what is there, and runs
# no name.
#
# lanes: stock
#
# shellcheck disable=SC2016 # names with a dollar sign
. "$(dirname "$0")/../lib.sh"
# shellcheck source=/dev/null
. ../tools/completion/postern.bash

offers() { # WORD...: the last one is to be completed
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_postern
	echo "${COMPREPLY[*]}"
}

cd /run || exit
check "objects" expect words 'state stats' "$(offers postern sta)"
check "commands" expect words 'delete deleteall' "$(offers postern policy de)"
check "what may follow" expect words 'mode mask' "$(offers postern state add m)"
check "an algorithm, quoted" expect words 'rfc7539esp\(chacha20\,poly1305\)' "$(offers postern state add aead rfc7)"
ip link add 'x$(>ran)' type dummy
mkdir -p /run/netns
touch '/run/netns/n$(>ran)'
check "the rest of one that is quoted already" expect words 'hmac\(sha256\)' "$(offers postern state add auth 'hmac\(sha2')"
check "a device" expect words 'x\$\(\>ran\)' "$(offers postern guard add dev x)"
check "a namespace" expect words 'n\$\(\>ran\)' "$(offers postern -n n)"
check "neither was run" test ! -e ran
rm '/run/netns/n$(>ran)'
