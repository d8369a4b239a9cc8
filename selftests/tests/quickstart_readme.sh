#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The quick start of README.md, word for word: what it says for this host here, what it
# says for the peer there.
#
#	here (Postern) 192.0.2.1 ===== 192.0.2.2 peer (XFRM)
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../gateway.sh"

# blocks FENCE: the code blocks of that section that begin with ```FENCE, one file each
blocks() {
	awk -v fence="\`\`\`$1" -v out="/run/block.$2" '
		/^## / { on = $0 == "## Quick start" }
		on && $0 == fence { n++; inside = 1; next }
		inside && /^```/ { inside = 0 }
		inside { print >(out "." n) }
		END { print n + 0 }' ../README.md
}
here=$(blocks sh here)
peer=$(blocks 'sh peer' peer)
((here >= 2 && peer >= 1)) || fail "README.md has no quick start: $here blocks, $peer of the peer"

ns here peer
link here eth0 peer eth0
addr here eth0 192.0.2.1/24
addr peer eth0 192.0.2.2/24
load_postern
for ((i = 1; i <= peer; i++)); do
	check "peer, block $i" run_in peer bash -eux "/run/block.peer.$i"
done
capture here eth0 /run/eth0.pcap -Q out
for ((i = 1; i < here; i++)); do
	check "block $i" run_in here bash -eux "/run/block.here.$i"
done
check "TCP goes through" tcp_ok here peer 192.0.2.2 50000
capture_end
check "all between the two is encrypted" only_protected /run/eth0.pcap
check "nothing was dropped" drops_are here out-too-big='*'
check "the page shows no key" expect_fail grep -qiE '[0-9a-f]{40}' <(ip netns exec here postern)
check "block $here, to stop" run_in here bash -eux "/run/block.here.$here"
check "all is gone" expect 'SAs and policies' '[] []' \
	"$(ip netns exec here postern -j state list | jq -c .) $(ip netns exec here postern -j policy list | jq -c .)"
