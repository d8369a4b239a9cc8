# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh: no packet disappears uncounted.

# stats_of NS: postern -j stats
stats_of() { postern -n "$1" -j stats; }

# accounts_balance NS: packets that came = delivered + dropped by reason + taken by
# reassembly; packets to protect = sent + dropped by reason + waiting.  Drops of what
# came in clear, or of what was not to be protected, belong to neither.
accounts_balance() {
	stats_of "$1" | jq -e '
		def sum(prefix; but): [.drops[] | select((.reason | startswith(prefix)) and
			([.reason] | inside(but) | not)) | .packets] | add // 0;
		def left(name; got; want): if got == want then true else
			"# \(name): \(got) came, \(want) are accounted for\n" | stderr | false end;
		left("in"; ."in-packets"; ."in-delivered" + ."in-fragments" + sum("unknown-spi"; []) +
			sum("in-"; ["in-cleartext", "in-discard", "in-malformed"])) and
		left("out"; ."out-packets"; ."out-sent" + .held +
			sum("out-"; ["out-discard", "out-malformed", "out-conntrack"]))' >/dev/null
}

# drops_since NS STATS [REASON=N...]: since it had these stats it has dropped N packets
# for each REASON and none for any other; * is any number, + is any but none.
drops_since() {
	local got reason wanted

	got=$(stats_of "$1" | jq -r --argjson before "$2" 'def drops: [.drops[]? | {(.reason): .packets}] | add // {};
		($before | drops) as $old | drops | to_entries[] | .value -= ($old[.key] // 0) |
		select(.value != 0) | "\(.key)=\(.value)"' | sort) || return 1
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
drops_are() { drops_since "$1" '{}' "${@:2}"; }

# drops_by NS [REASON=N...] -- CMD...: these by the command.
drops_by() {
	local before ns=$1 reasons=()

	shift
	while [[ $1 != -- ]]; do
		reasons+=("$1")
		shift
	done
	before=$(stats_of "$ns" | jq -c '{drops: [.drops[] | select(.packets > 0) | {reason, packets}]}')
	"${@:2}" || return 1
	busywait 5 drops_since "$ns" "$before" "${reasons[@]}" || drops_since "$ns" "$before" "${reasons[@]}"
}
