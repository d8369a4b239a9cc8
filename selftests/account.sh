# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh: no packet disappears uncounted.

# stats_of NS: postern -j stats
stats_of() { postern -n "$1" -j stats; }

# accounts_balance NS: packets that came = delivered + dropped by reason + taken by
# reassembly; packets to protect = sent + dropped by reason + waiting.  Drops of what
# came in clear, or of what was not to be protected, belong to neither.
accounts_balance() {
	numbers_of "$1" | awk '
		{ n[$1] = $2 }
		!$3 || /^(in-cleartext|(in|out)-discard|(in|out)-malformed|out-conntrack) / { next }
		/^(in-|unknown-spi)/ { in_drops += $2 }
		/^out-/ { out_drops += $2 }
		function left(name, got, want) {
			if (got + 0 == want) return
			print "# " name ": " got + 0 " came, " want " are accounted for" >"/dev/stderr"
			bad = 1
		}
		END {
			left("in", n["in-packets"], n["in-delivered"] + n["in-fragments"] + in_drops)
			left("out", n["out-packets"], n["out-sent"] + n["held"] + out_drops)
			exit bad || !("held" in n)
		}'
}

# drops_since NS DROPS [REASON=N...]: since it had dropped these (REASON N ...) it has dropped N packets
# for each REASON and none for any other; * is any number, + is any but none.
drops_since() {
	local got reason wanted

	got=$(numbers_of "$1" | awk -v before="$2" '
		BEGIN { n = split(before, old); for (i = 1; i < n; i += 2) was[old[i]] = old[i + 1] }
		$3 && $2 != was[$1] + 0 { print $1 "=" $2 - was[$1] }' | sort) || return 1
	wanted=$(printf '%s\n' "${@:3}" | grep -v '=0$' | sort)
	for reason in "${@:3}"; do
		[[ $reason = *=[*+] ]] || continue
		if [[ $reason = *+ ]] && ! grep -q "^${reason%?}" <<<"$got"; then
			got+=" no ${reason%?}"
		fi
		wanted=$(grep -v "^${reason%?}" <<<"$wanted" || true)
		got=$(grep -v "^${reason%?}" <<<"$got" || true)
	done
	expect "drops of $1" "$wanted" "$got"
}

# drops_are NS [REASON=N...]: these since it is there.
drops_are() { drops_since "$1" '' "${@:2}"; }

# drops_by NS [REASON=N...] -- CMD...: these by the command.
drops_by() {
	local before ns=$1 reasons=()

	shift
	while [[ $1 != -- ]]; do
		reasons+=("$1")
		shift
	done
	before=$(numbers_of "$ns" | awk '$3 { print $1, $2 }' ORS=' ')
	"${@:2}" || return 1
	busywait 5 drops_since "$ns" "$before" "${reasons[@]}" || drops_since "$ns" "$before" "${reasons[@]}"
}
