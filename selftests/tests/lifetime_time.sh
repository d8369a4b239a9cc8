#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Limits in seconds since an SA was added or first used.  SAs that are hours old, as a
# daemon's are when it hands them over, meet limits that are hours away or past, so
# that nothing here depends on how fast the machine is.
#
#	a (Postern) ------ b
#
# timeout: 240
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../gateway.sh"

HOUR=3600
topo_pair
load_postern
background a postern -j monitor sa >>/run/events
wait_monitor a 1

aged() { run_in a python -B py/t2_aged.py "$@"; }
state() { ip netns exec a postern -j state list spi "$1" | jq -r '.[].state'; }
is() { [[ $(state "$1") = "$2" ]]; }
told() { # SPI: which limits, soft first
	jq -r --argjson spi $(($1)) 'select(.event == "sa-expire" and .sa.spi == $spi) | if .hard == 1 then "hard" else "soft" end' \
		/run/events | sort -r | xargs
}
tells() { [[ $(told "$1") = "$2" ]]; }
ends() { # NAME SPI EVENTS STATE ('' when it is gone)
	check "$1: $3" busywait 20 tells "$2" "$3"
	check "$1: ${4:-gone}" busywait 20 is "$2" "$4"
}

# The last one is past its limit: once it is gone, the timers of the others have run.
aged 0x1001 $((2 * HOUR)) 0 add-soft=$HOUR add-hard=$((4 * HOUR))
aged 0x1002 $((2 * HOUR)) 0 add-hard=$HOUR
aged 0x1003 $((2 * HOUR)) $HOUR use-soft=$((HOUR / 2)) use-hard=$((4 * HOUR))
aged 0x1004 $((2 * HOUR)) $HOUR use-hard=$((HOUR / 2))
aged 0x1005 $((2 * HOUR)) $HOUR use-soft=$((HOUR * 3 / 2)) use-hard=$((2 * HOUR)) \
	add-soft=$((3 * HOUR)) add-hard=$((4 * HOUR))
aged 0x1006 $((2 * HOUR)) 0 use-soft=$((HOUR / 2)) use-hard=$HOUR
aged 0x1007 $((2 * HOUR)) 0
aged 0x1008 $((2 * HOUR)) $((2 * HOUR)) add-hard=$HOUR use-hard=$HOUR
ends "both limits past" 0x1008 hard ''
ends "soft limit since added" 0x1001 soft dying
ends "hard limit since added" 0x1002 hard ''
ends "soft limit since used" 0x1003 soft dying
ends "hard limit since used" 0x1004 hard ''
ends "limits that are hours away" 0x1005 '' valid
ends "an SA that was never used has no age of use" 0x1006 '' valid
ends "no limits" 0x1007 '' valid

# An hour passes at once when a limit is brought nearer.
update() { # SPI WORD...
	run_in a postern state update src 10.0.0.1 dst 10.0.0.2 proto esp spi "$1" reqid $(($1)) mode tunnel "${@:2}"
}
update 0x1005 limit time-soft $HOUR
ends "a soft limit that an update puts into the past" 0x1005 soft dying
update 0x1007 limit time-hard $HOUR
ends "a hard limit that an update puts into the past" 0x1007 hard ''

# Clocks that really run.
run_in a postern policy add dir out src 10.0.0.1 dst 10.0.0.2 proto icmp \
	tmpl src 10.0.0.1 dst 10.0.0.2 proto esp reqid $((0x1009)) mode tunnel
aged 0x1009 0 0 use-soft=1 use-hard=$HOUR
aged 0x100a 0 0 add-hard=1
ends "a second since added" 0x100a hard ''
ends "before the first use" 0x1009 '' valid
run_in a ping -q -n -c 1 -W 0.2 10.0.0.2 || true
ends "a second since used" 0x1009 soft dying

run_in a postern state flush
: >/run/events
run_in a postern state allocspi src 10.0.0.1 dst 10.0.0.2 proto esp mode tunnel min 0x2000 max 0x2000
check "a larval SA is there" is 0x2000 larval
check "and ends by itself" busywait 90 is 0x2000 ''
check "its end is told" busywait 20 grep -q sa-del /run/events
check "and is no expiry" expect events '' "$(told 0x2000)"
