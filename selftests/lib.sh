# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every test, inside the virtual machine.
#
# A test begins with
#
#	#!/bin/bash
#	# SPDX-License-Identifier: GPL-2.0
#	# What must hold, in a sentence or a drawing.
#	#
#	# timeout: 300		seconds where little else runs; killed after four times that
#	# lanes: stock debug	where it makes sense (default: both); emulation is slow:
#				debug alone where no kernel's version bears on it;
#				kcsan too where several CPUs have packets to handle.
#				What is for stock is for other releases; one named
#				is that release's alone; matrix: CI runs it on each
#	# init: systemd		the first process (other releases only: lanes: trixie);
#				"systemd, twice": the test runs before it, too, with
#				the argument "before", and what that begins goes on
#	# kernel: ipv6.disable=1	words for the kernel's command line
#	# class: core		core (make check, default), bench (make bench) or package
#				(make check-packages)
#	. "$(dirname "$0")/../lib.sh"
#
# and ends the first time a command fails, at "fail" or "skip", or at its end,
# where it fails if any "check" failed.  Every command run by pp, run_in, and
# the functions below is printed first.

set -eEuo pipefail
shopt -s inherit_errexit

# The exit codes of kselftest.
KSFT_PASS=0 KSFT_FAIL=1 KSFT_SKIP=4
CHECKS=0 CHECKS_FAILED=0 NAMESPACES=()

say() { printf '# %s\n' "$*" >&2; }

# pp CMD...: print, run.
pp() {
	printf '+ %s\n' "${*@Q}" | tr -d "'" >&2
	"$@"
}

# run_in NS CMD...: print, run in a namespace.
run_in() {
	printf '[%s] %s\n' "$1" "${*:2}" >&2
	case $2 in
	python) ready "$1" "${@:3}" ;;
	*) ip netns exec "$@" ;;
	esac
}

# python ARG...: python3 in the foreground, one at a time, by an interpreter that has started
# already and keeps what scripts import, scapy above all: see py/ready.py.
python() { ready '' "$@"; }
ready() { # NS ARG...
	local answer pid=$BASHPID pipe=/run/python.$$ status

	if [[ ! -p $pipe ]]; then
		mkfifo "$pipe"
		/usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/py/ready.py" <>"$pipe" >"$pipe.log" 2>&1 &
	fi
	exec {answer}<> <(:)
	# a process of its own, since ours has the output that the script shall have
	(printf '%s\0' "$pid" "$answer" "$1" $(($# - 1)) "${@:2}" >"$pipe")
	read -r -t 3600 -u "$answer" status || fail "no answer from ready.py: $(tail -n 3 "$pipe.log")"
	exec {answer}<&-
	return "$status"
}

fail() {
	say "FAIL: $*"
	exit $KSFT_FAIL
}

skip() {
	say "SKIP: $*"
	exit $KSFT_SKIP
}

# lacking WHAT: what the kernels and hosts of other lanes need not have.
lacking() {
	case $LANE in
	stock | debug) fail "there must be $1 here" ;;
	*) say "there is no $1 here" ;;
	esac
}

# check NAME CMD...: one result of several; a failure does not end the test.
check() {
	local name=$1

	shift
	CHECKS=$((CHECKS + 1))
	if "$@"; then
		echo "ok $CHECKS - $name"
	else
		echo "not ok $CHECKS - $name"
		CHECKS_FAILED=$((CHECKS_FAILED + 1))
	fi
}

# expect_fail [-m REGEX] CMD...: the command must fail, and say REGEX.
expect_fail() {
	local out pattern='' rc=0

	if [[ $1 = -m ]]; then
		pattern=$2
		shift 2
	fi
	out=$("$@" 2>&1) || rc=$?
	printf '%s\n' "$out"
	if ((rc == 0)); then
		say "should have failed: $*"
		return 1
	fi
	if [[ -n $pattern && ! $out =~ $pattern ]]; then
		say "should have said '$pattern': $*"
		return 1
	fi
}

# expect WHAT WANTED GOT
expect() {
	[[ $2 = "$3" ]] && return 0
	say "$1: wanted '$2', got '$3'"
	return 1
}

# busywait SECONDS CMD...: until the command succeeds; of a busy machine four times that.
busywait() {
	local end=$((SECONDS + 4 * $1))

	shift
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= end)); then
			say "not within the time: $*"
			return 1
		fi
		sleep 0.1
	done
}

# ns NAME...: namespaces with loopback up and no duplicate address detection.
ns() {
	local n

	for n; do
		pp ip netns add "$n"
		NAMESPACES+=("$n")
		ip netns exec "$n" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.ping_group_range='0 2147483647'
		ip -n "$n" link set lo up
	done
}

# link NS1 DEV1 NS2 DEV2: a cable.
link() {
	pp ip link add name "$2" netns "$1" type veth peer name "$4" netns "$3"
	ip -n "$1" link set "$2" up
	ip -n "$3" link set "$4" up
}

# addr NS DEV ADDRESS/LEN...
addr() {
	local a n=$1 d=$2

	shift 2
	for a; do
		case $a in
		*:*) pp ip -n "$n" addr add "$a" dev "$d" nodad ;;
		*) pp ip -n "$n" addr add "$a" dev "$d" ;;
		esac
	done
}

forward() {
	ip netns exec "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
}

# Two hosts and a cable.
#
#	a veth0 ------------------ veth0 b
#	10.0.0.1/24                10.0.0.2/24
#	fd00::1/64                 fd00::2/64
topo_pair() {
	ns a b
	link a veth0 b veth0
	addr a veth0 10.0.0.1/24 fd00::1/64
	addr b veth0 10.0.0.2/24 fd00::2/64
}

# Two sites behind their gateways and the public network between them.
#
#	hosta          gwa                      gwb          hostb
#	lan ------ lan     pub ========== pub     lan ------ lan
#	10.1.0.2  10.1.0.1 192.0.2.1  192.0.2.2 10.2.0.1  10.2.0.2
#	fd01::2   fd01::1  2001:db8::1 2001:db8::2 fd02::1  fd02::2
topo_sites() {
	ns hosta gwa gwb hostb
	link hosta lan gwa lan
	link gwa pub gwb pub
	link gwb lan hostb lan
	addr hosta lan 10.1.0.2/24 fd01::2/64
	addr gwa lan 10.1.0.1/24 fd01::1/64
	addr gwa pub 192.0.2.1/24 2001:db8::1/64
	addr gwb pub 192.0.2.2/24 2001:db8::2/64
	addr gwb lan 10.2.0.1/24 fd02::1/64
	addr hostb lan 10.2.0.2/24 fd02::2/64
	forward gwa
	forward gwb
	ip -n hosta route add default via 10.1.0.1
	ip -n hosta route add default via fd01::1
	ip -n hostb route add default via 10.2.0.1
	ip -n hostb route add default via fd02::1
	ip -n gwa route add 10.2.0.0/24 via 192.0.2.2
	ip -n gwa route add fd02::/64 via 2001:db8::2
	ip -n gwb route add 10.1.0.0/24 via 192.0.2.1
	ip -n gwb route add fd01::/64 via 2001:db8::1
}

# load_postern [PARAMETER...]: the module of this tree, and what it needs.
load_postern() {
	local d deps

	deps=$(modinfo -F depends "$POSTERN_KO")
	for d in ${deps//,/ }; do
		modprobe "$d"
	done
	pp insmod "$POSTERN_KO" "$@"
}

# install_postern: the module where modprobe finds it, as "make install" puts it.
install_postern() {
	local d

	d=/lib/modules/$(uname -r)
	mkdir -p "$d/updates"
	cp "$POSTERN_KO" "$d/updates/"
	if [[ -d $RESULTS/index ]]; then
		cp "$RESULTS"/index/* "$d/"
	else
		pp depmod
	fi
}

postern_loaded() { [[ -d /sys/module/postern ]]; }

# Going away must always work: with the namespaces their policies are gone.
unload_postern() {
	postern_loaded || return 0
	busywait 20 rmmod postern
}

# numbers_of NS: totals ("in-packets 5") and drop reasons ("in-replay 5 drop"), a line each.
# To start jq takes an emulated machine ten times as long as awk.
numbers_of() {
	postern -n "$1" -j stats | awk -v RS='[{},]' -F '[":]+' '
		$2 == "reason" { reason = $3 }
		!/^"[a-z-]+":[0-9]+$/ { next }
		$2 == "packets" { print reason, $3, "drop"; next }
		{ print $2, $3 }'
}

# stat_of NS NAME: one of them, 0 of a reason that is not told; nothing if none is told.
stat_of() {
	numbers_of "$1" | awk -v name="$2" '$1 == name { n = $2 } END { if (NR) print n + 0 }'
}

# ping_ok NS ADDRESS [OPTION...]: one answer to one request.
ping_ok() {
	run_in "$1" ping -n -q -c 1 -W 10 "${@:3}" "$2"
}

# ping_lost NS ADDRESS [OPTION...]: no answer within a second.
ping_lost() {
	if run_in "$1" ping -n -q -c 1 -W 1 "${@:3}" "$2"; then
		say "should not have been answered"
		return 1
	fi
}

# background NS CMD...: killed at the end; its process is $BACKGROUND.
background() {
	printf '[%s] %s &\n' "$1" "${*:2}" >&2
	ip netns exec "$@" &
	# shellcheck disable=SC2034 # for the test
	BACKGROUND=$!
}

# wait_listen NS tcp|udp PORT
wait_listen() {
	busywait 20 listening "$@"
}
listening() {
	ip netns exec "$1" ss -Hln "--$2" "sport = :$3" | grep -q .
}

# wait_monitor NS N: programs there listen to N groups of events together ("postern
# monitor" to 3, "postern monitor sa" to 1).
wait_monitor() {
	busywait 20 monitored "$@"
}
monitored() {
	local bits eth groups n=0

	while read -r _ eth _ groups _; do
		[[ $eth = 16 ]] || continue
		for ((bits = 16#$groups; bits; bits >>= 1)); do
			n=$((n + (bits & 1)))
		done
	done < <(ip netns exec "$1" cat /proc/net/netlink)
	((n >= $2))
}

# capture NS DEV FILE [FILTER...]: packets of a device into a file.  The buffer holds
# bursts of 512 packets, with -s 200 of more than 50000; tcpdump's own has room for 32.
# A directory of the host ($RESULTS) is too slow for thousands.
capture() {
	local file=$3

	background "$1" tcpdump -q -n -U --immediate-mode -B 32768 -i "$2" -w "$file" "${@:4}" 2>"$file.log"
	CAPTURE=$BACKGROUND
	busywait 60 grep -q 'listening on' "$file.log"
}

# capture_read: tcpdump has written all that the kernel has for it, and waits; or it is gone.
capture_read() {
	local state

	! read -r _ _ state _ <"/proc/$CAPTURE/stat" || [[ $state = S ]]
}

# capture_end: the file is complete after this.  A capture that had ended by itself has
# not seen all, nor has one for whose packets there was no room.
capture_end() {
	local log

	# what is on its way arrives
	sleep 0.3
	busywait 60 capture_read || fail "the capture does not keep up"
	log=$(readlink "/proc/$CAPTURE/fd/2") || true
	if ! kill -INT "$CAPTURE" || ! wait "$CAPTURE"; then
		fail "the capture had ended before"
	fi
	grep -qx '0 packets dropped by kernel' "$log" || fail "the capture: $(grep 'by kernel' "$log")"
}

# packets_in FILE [FILTER...]: how many of a capture; no number if it cannot be read.
packets_in() {
	local n

	n=$(tcpdump -n -r "$1" "${@:2}" 2>/run/tcpdump.log | wc -l) || {
		cat /run/tcpdump.log >&2
		return 1
	}
	echo "$n"
}

# hexkey BYTES: a random key as ip xfrm and postern read it.
hexkey() {
	printf '0x%s\n' "$(od -An -vtx1 -N "$1" /dev/urandom | tr -d ' \n')"
}

# cleanup: runs once, however the test ends (with KEEP set it leaves all in
# place).  A test that has more to undo defines cleanup_more.
cleanup_more() { :; }
cleanup() {
	local n rc=$?

	trap - EXIT ERR
	set +e
	cleanup_more
	# The person who asked for a shell wants to find all as it is.
	[[ -z "${KEEP:-}" ]] || exit "$rc"
	# shellcheck disable=SC2046 # process numbers
	kill $(jobs -p) 2>/dev/null
	for n in "${NAMESPACES[@]}"; do
		# shellcheck disable=SC2046
		kill -9 $(ip netns pids "$n" 2>/dev/null) 2>/dev/null
		ip netns del "$n"
	done
	wait
	if ! unload_postern; then
		say "FAIL: the module could not be unloaded"
		rc=$KSFT_FAIL
	fi
	((CHECKS == 0)) || echo "1..$CHECKS"
	((CHECKS_FAILED == 0)) || rc=$KSFT_FAIL
	((rc == KSFT_PASS || rc == KSFT_SKIP)) || rc=$KSFT_FAIL
	exit $rc
}
trap cleanup EXIT
trap 'say "status $? from line $LINENO of ${BASH_SOURCE[0]##*/}: $BASH_COMMAND"' ERR
