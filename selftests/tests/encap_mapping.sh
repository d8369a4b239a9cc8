#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Of a peer that has moved behind its NAT listeners are told, when its packet is
# authentic, and not for each packet; the SA follows when it is told to.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../account.sh"
. "$(dirname "$0")/../forge.sh"

EVENTS=/run/events
forge_start
background a postern -j monitor sa >$EVENTS
background a postern monitor sa >$EVENTS.txt
wait_monitor a 2

mappings() { jq -r 'select(.event == "sa-mapping") | "\(.sport) \(."new-src") \(."new-sport")"' $EVENTS; }

# told WANT NAME [WORD=VALUE...]: within seconds of good packets the event comes.
told() {
	local i

	for ((i = 0; i < 50; i++)); do
		good "$2" "${@:3}" || return 1
		# it comes before the packet is delivered
		! mappings | grep -qx "$1" || return 0
		sleep 0.1
	done
	say "not told: $1"
	return 1
}

# untold PATTERN CMD...: whatever the command sends, no such event.
untold() {
	"${@:2}" && ! mappings | grep -E "$1"
}

# burst: 50 packets from port 4700 are told once, and again for each second that they took
burst() {
	local start=$SECONDS n

	good x udp=4700:4500 count=50 || return 1
	n=$(mappings | grep -c ' 4700$' || true)
	say "told $n times"
	((n <= 2 + SECONDS - start))
}

for family in 4 6; do
	n="IPv$family"
	b=10.0.0.2 a=10.0.0.1 other=10.0.0.77
	[[ $family = 4 ]] || b=fd00::2 a=fd00::1 other=fd00::77
	forge_sa x esp tunnel $family $family gcm dir in encap espinudp 4600 4500 ::
	forge_policy $family
	check "$n: where it should be" untold "^4600 $b" good x udp=4600:4500
	check "$n: plain ESP from elsewhere" untold "^4600 $other" good x from=$other
	check "$n: not authentic" untold ' 4666$' bad in-icv=20 -- x udp=4666:4500 badkey=1 again=20
	check "$n: replayed" untold ' 4667$' bad in-replay=20 -- x udp=4667:4500 seq=1 again=20
	check "$n: another port" told "4600 $b 4601" x udp=4601:4500
	check "$n: another address" told "4600 $other 4600" x udp=4600:4500 from=$other
	check "$n: a burst" burst
	run_in a postern state update "${SA[@]}" encap espinudp 4602 4500 ::
	check "$n: told to follow" untold "^4602 $b" good x udp=4602:4500
	check "$n: numbers stay" bad in-replay=1 -- x udp=4602:4500 seq=1
	check "$n: the next one" told "4602 $b 4603" x udp=4603:4500

	# what leaves
	run_in a postern policy add dir out src $a dst $b proto udp dport 9 tmpl src $a dst $b proto esp reqid 7 mode tunnel
	run_in a postern state add src $a dst $b proto esp spi 0x7000 reqid 7 mode tunnel dir out \
		aead 'rfc4106(gcm(aes))' "$(hexkey 20)" 128 encap espinudp 4500 4600 ::
	capture b veth0 "$RESULTS/out.$family" -Q in udp
	pf=4 to=$b
	[[ $family = 4 ]] || pf=6 to=[$b]
	run_in a socat -u /etc/hostname UDP$pf-SENDTO:"$to":9
	run_in a postern state update dst $b proto esp spi 0x7000 encap espinudp 4501 4500 ::
	run_in a socat -u /etc/hostname UDP$pf-SENDTO:"$to":9
	left() { tcpdump -n -r "$RESULTS/out.$family" 2>/dev/null | sed -n 's/.*[.]\(4[0-9]*\) > .*[.]\(4[0-9]*\): .*seq=\(0x.*\)).*/\1 \2 \3/p'; }
	two() { [[ $(left | wc -l) = 2 ]]; }
	busywait 10 two || true
	capture_end
	check "$n: what leaves has the new ports and goes on counting" expect packets $'4500 4600 0x1\n4501 4500 0x2' "$(left)"
	run_in a postern policy flush
	run_in a postern state flush
done
check "as the schema says" python ../tools/test/schema.py event $EVENTS
check "for people" grep -q 'sport 4600 now src 10.0.0.2 sport 4601' $EVENTS.txt
forge_end
