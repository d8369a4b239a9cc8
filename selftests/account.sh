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

# drops_are NS [REASON=N...]: these drops and no others; * is any number.
drops_are() {
	local got reason wanted

	got=$(stats_of "$1" | jq -r '.drops[] | select(.packets > 0) | "\(.reason)=\(.packets)"' | sort)
	wanted=$(printf '%s\n' "${@:2}" | grep -v '=0$' | sort)
	for reason in "${@:2}"; do
		[[ $reason = *'=*' ]] || continue
		reason=${reason%=*}
		wanted=$(grep -v "^$reason=" <<<"$wanted" || true)
		got=$(grep -v "^$reason=" <<<"$got" || true)
	done
	expect "drops of $1" "$wanted" "$got"
}
