# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced after lib.sh by what needs an IKE daemon: Debian's strongSwan,
# unmodified, once per namespace, each with a directory of its own.

IKE=${IKE:-/run/ike}
# The interface id by which the bridge knows what is Postern's.
IF_ID=77

# ike_start NS: the daemon of a gateway, without connections yet; its process: ${CHARON[NS]}.
declare -A CHARON
ike_start() {
	local d=$IKE/$1 sub

	for sub in x509 x509ca x509ocsp x509aa x509ac x509crl pubkey private rsa ecdsa bliss pkcs8 pkcs12; do
		mkdir -p "$d/$sub"
	done
	cat >"$d/strongswan.conf" <<-EOF
	charon-systemd {
		load = random nonce openssl kdf pem x509 kernel-netlink socket-default vici updown
		plugins {
			vici {
				socket = unix://$d/vici
			}
		}
		journal {
			default = -1
		}
		filelog {
			log {
				path = $d/log
				time_format = %T
				default = 1
				knl = 2
				flush_line = yes
			}
		}
		${IKE_OPTIONS:-}
	}
	swanctl {
		load = random nonce openssl pem x509
	}
	EOF
	rm -f "$d/vici"		# one that was killed leaves it
	background "$1" env STRONGSWAN_CONF="$d/strongswan.conf" /usr/sbin/charon-systemd >"$d/out" 2>&1
	# shellcheck disable=SC2034 # for the test
	CHARON[$1]=$BACKGROUND
	busywait 30 test -S "$d/vici"
}

# sw NS COMMAND...: swanctl to the daemon of a namespace.
sw() {
	local n=$1

	shift
	printf '[%s] swanctl %s\n' "$n" "$*" >&2
	STRONGSWAN_CONF=$IKE/$n/strongswan.conf ip netns exec "$n" swanctl "$@" --uri "unix://$IKE/$n/vici"
}

# ike_load NS LOCAL REMOTE LOCAL_TS REMOTE_TS [CHILD_LINES [CONNECTION_LINES]]:
# one connection "site" with one child "net".
ike_load() {
	local d=$IKE/$1 id=''

	[[ $1 != gwa ]] || id="if_id_in = $IF_ID
		if_id_out = $IF_ID"
	cat >"$d/swanctl.conf" <<-EOF
	connections {
		site {
			version = 2
			local_addrs = $2
			remote_addrs = $3
			proposals = aes128gcm16-prfsha256-x25519
			$id
			${7:-}
			local {
				auth = psk
				id = $1
			}
			remote {
				auth = psk
			}
			children {
				net {
					local_ts = $4
					remote_ts = $5
					esp_proposals = aes256gcm16
					${6:-}
				}
			}
		}
	}
	secrets {
		ike {
			secret = "correct horse battery staple"
		}
	}
	EOF
	sw "$1" --load-all --file "$d/swanctl.conf" >"$d/load" 2>&1 || {
		cat "$d/load" >&2
		return 1
	}
}

# ike_sites [CHILD_LINES_A [CHILD_LINES_B]]: daemons on both gateways of
# topo_sites, A with Postern's id, B with the stock kernel.
ike_sites() {
	ike_start gwa
	ike_start gwb
	ike_load gwb 192.0.2.2 192.0.2.1 10.2.0.0/24,fd02::/64 10.1.0.0/24,fd01::/64 "${2:-}"
	ike_load gwa 192.0.2.1 192.0.2.2 10.1.0.0/24,fd01::/64 10.2.0.0/24,fd02::/64 "${1:-}"
}

# bridge_start NS [OPTION...]: ready when this returns; its process: $BRIDGE.
bridge_start() {
	mkdir -p "$IKE"
	: >"$IKE/bridge.last"
	background "$1" postern bridge --if-id $IF_ID --verbose "${@:2}" 2> >(tee -a "$IKE/bridge.log" >"$IKE/bridge.last")
	BRIDGE=$BACKGROUND
	busywait 20 grep -q '^in step' "$IKE/bridge.last"
}

# bridge_kill [SIGNAL]
bridge_kill() {
	pp kill "-${1:-TERM}" "$BRIDGE"
	wait "$BRIDGE" 2>/dev/null || true
}

# What a failed test wants to know of the daemons.
ike_logs() {
	local f

	for f in "$IKE"/bridge.log "$IKE"/*/log; do
		[[ -s $f ]] || continue
		echo "== $f"
		tail -n 40 "$f"
	done >&2
	cp -r "$IKE" "$RESULTS/" 2>/dev/null || true
}

# sa_spis NS in|out: SPIs (hexadecimal) of the child SAs that the daemon has.
sa_spis() {
	sw "$1" --list-sas 2>/dev/null | awk -v d="$2" '$1 == d { sub(/,/, "", $2); print $2 }'
}

# sa_packets NS in|out: packets that the daemon reports of its child SAs.
sa_packets() {
	sw "$1" --list-sas 2>/dev/null | awk -v d="$2" '
		$1 == d { for (i = 2; i <= NF; i++) if ($i ~ /^packets/) sum += $(i - 1) }
		END { print sum + 0 }'
}

# children_are NS N: the daemon has that many child SAs, not counting rekeyed ones twice.
children_are() { [[ $(sa_spis "$1" in | wc -l) = "$2" ]]; }
# sas_are NS N: Postern has that many SAs.
sas_are() { [[ $(ip netns exec "$1" postern -j state list | jq length) = "$2" ]]; }
