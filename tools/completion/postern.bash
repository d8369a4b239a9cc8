# SPDX-License-Identifier: GPL-2.0
# bash completion for postern(8)

# Words that take a value which cannot be guessed.
__postern_value='src dst spi reqid owner aead auth auth-trunc enc
	replay-window replay-seq replay-oseq replay-seq-hi replay-oseq-hi
	time-soft time-hard time-use-soft time-use-hard byte-soft byte-hard packet-soft packet-hard sport dport
	type code priority index min max tos flowlabel output-mark mask
	tfcpad nat-keepalive-interval count size --if-id'

__postern_words()
{
	local id='src dst proto spi'
	local sel='src dst proto sport dport type code dev'

	case $1-$2 in
	state-add | state-update)
		echo "$id mode reqid owner aead auth auth-trunc enc dir" \
			replay-window replay-seq replay-oseq replay-seq-hi \
			replay-oseq-hi flag extra-flag ttl tos flowlabel output-mark mask tfcpad encap \
			nat-keepalive-interval sel limit
		;;
	state-delete | state-get) echo "$id keys" ;;
	state-list | state-show | state-deleteall)
		echo "$id mode reqid owner dir flag keys"
		;;
	state-flush) echo proto owner ;;
	state-dummy) echo "$id count size" ;;
	state-allocspi) echo "$id mode reqid owner min max" ;;
	policy-add | policy-update)
		echo "$sel dir priority action owner flag tmpl"
		;;
	policy-delete | policy-get) echo "$sel dir priority index owner" ;;
	policy-list | policy-show | policy-deleteall)
		echo "$sel dir priority index action owner"
		;;
	policy-flush) echo dir owner ;;
	guard-add | guard-delete | guard-list) echo dev ;;
	esac
}

# What may stand behind the word $1 of object $2.
__postern_values()
{
	case $1 in
	proto)
		if [[ $2 == state || $3 == tmpl ]]; then
			echo esp ah comp
		else
			echo tcp udp sctp dccp udplite icmp ipv6-icmp gre esp ah any
		fi
		;;
	mode) echo transport tunnel beet ;;
	level) echo required use ;;
	dir) [[ $2 == state ]] && echo in out || echo in out fwd ;;
	action) echo allow block protect bypass discard ;;
	flag)
		if [[ $2 == policy ]]; then
			echo icmp tcp-mss
		else
			echo noecn decap-dscp nopmtudisc set-df esn align4 af-unspec icmp
		fi
		;;
	extra-flag) echo dont-encap-dscp allow-weak iiv flowlabel-hash ;;
	ttl) echo inherit ;;
	dev) ls /sys/class/net ;;
	encap) echo espinudp ;;
	limit)
		echo time-soft time-hard time-use-soft time-use-hard byte-soft \
			byte-hard packet-soft packet-hard
		;;
	aead)
		echo 'rfc4106(gcm(aes)) rfc4309(ccm(aes)) rfc4543(gcm(aes))
			rfc7539esp(chacha20,poly1305)'
		;;
	auth | auth-trunc)
		echo 'hmac(sha256) hmac(sha384) hmac(sha512) hmac(sha1)
			hmac(sm3) hmac(md5) xcbc(aes) cmac(aes)'
		;;
	enc)
		echo 'cbc(aes) rfc3686(ctr(aes)) cbc(camellia) cbc(sm4)
			cbc(des3_ede) ecb(cipher_null)'
		;;
	esac
}

# Those of the words $1 that begin as "cur" does, quoted: algorithms have parentheses.
# compgen -W would run what the name of a device says.
__postern_reply()
{
	local word words quoted

	read -r -d '' -a words <<< "$1" || :
	for word in "${words[@]}"; do
		printf -v quoted %q "$word"
		if [[ $word == "$cur"* || $quoted == "$cur"* ]]; then
			COMPREPLY+=("$quoted")
		fi
	done
}

_postern()
{
	local cur prev words cword i object='' command='' inside='' list

	COMPREPLY=()
	if declare -F _init_completion > /dev/null; then
		_init_completion -n : || return
	else
		words=("${COMP_WORDS[@]}")
		cword=$COMP_CWORD
		cur=${words[cword]}
		prev=${words[cword - 1]}
	fi

	case $prev in
	-n | -netns | --netns)
		__postern_reply "$(ls /run/netns 2> /dev/null)"
		return
		;;
	-b | -batch | --batch)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac

	for ((i = 1; i < cword; i++)); do
		case ${words[i]} in
		-n | -netns | --netns | -b | -batch | --batch) ((i++)) ;;
		-*) ;;
		tmpl | sel) inside=${words[i]} ;;
		*)
			if [[ -z $object ]]; then
				object=${words[i]}
			elif [[ -z $command ]]; then
				command=${words[i]}
			fi
			;;
		esac
	done

	if [[ $object == bridge ]]; then
		list='--if-id --no-ike-bypass --no-routes --allow-weak --verbose --help'
	elif [[ $cur == -* ]]; then
		list='-statistics -json -pretty -keys -oneline -4 -6 -netns -batch
			-force -replace -Version -help'
	elif [[ -z $object ]]; then
		list='state policy guard monitor stats algs bridge help'
	elif [[ -z $command ]]; then
		case $object in
		state)
			list='add update delete get list flush allocspi
				deleteall count dummy help'
			;;
		policy)
			list='add update delete get list flush deleteall count
				help'
			;;
		guard) list='add delete list help' ;;
		monitor) list='all sa policy acquire help' ;;
		stats | algs) list='help' ;;
		*) return ;;
		esac
	elif [[ $object == monitor ]]; then
		list='sa policy acquire'
	elif list=$(__postern_values "$prev" "$object" "$inside") &&
		[[ -n $list ]]; then
		:
	elif [[ $' \n\t'"$__postern_value " == *[[:space:]]"$prev"[[:space:]]* ]]; then
		return
	elif [[ $inside == tmpl ]]; then
		list='src dst proto spi mode reqid level'
	else
		list=$(__postern_words "$object" "$command")
	fi
	__postern_reply "$list"
}

complete -F _postern postern
