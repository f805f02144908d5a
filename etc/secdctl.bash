# etc/secdctl.bash - completion for secdctl, in bash; and in zsh after: autoload bashcompinit; bashcompinit
#
# Verbs are those that secdctl knows, zones those that the daemon has.
# shellcheck shell=bash

_secdctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} verb='' words='' i at=0
	local -a daemon=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | --socket | -c | --config)
			daemon+=("${COMP_WORDS[i]}" "${COMP_WORDS[i + 1]}")
			i=$((i + 1))
			;;
		-*) ;;
		*)
			verb=${COMP_WORDS[i]} at=$i
			break
			;;
		esac
	done
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-s | --socket | -c | --config)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	case $verb in
	'')
		if [[ $cur == -* ]]; then
			words='-j --json -s --socket -c --config -V --version -h --help'
		else
			words=$(secdctl -h | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p')
		fi
		;;
	zones)
		words='--fresh --behind --empty --expired --refused --pinned --unsaved --match --sort --all'
		[ "${COMP_WORDS[COMP_CWORD - 1]}" != --sort ] || words=lag
		;;
	healthy)
		words='--max-expired --max-empty --zone'
		[ "${COMP_WORDS[COMP_CWORD - 1]}" != --zone ] ||
			words=$(_secdctl_zones "$cur" "${daemon[@]}")
		;;
	skew)
		if [ "$COMP_CWORD" -gt $((at + 1)) ]; then
			words='--ask -w -c -P'
		else
			words=$(_secdctl_zones "$cur" "${daemon[@]}")
		fi
		;;
	lint) words="--all --resolver -P $(_secdctl_zones "$cur" "${daemon[@]}")" ;;
	log) words='error warn notice info debug' ;;
	status | stats | metrics | stop) ;;
	reload) words=--force ;;
	top) words='-n' ;;
	pin)
		if [ "$COMP_CWORD" -gt $((at + 1)) ]; then
			words="--no-expire $(secdctl "${daemon[@]}" -j versions "${COMP_WORDS[at + 1]}" \
				2>/dev/null | grep -o '"serial":[0-9]*' | cut -d: -f2 | sort -un)"
		else
			words=$(_secdctl_zones "$cur" "${daemon[@]}")
		fi
		;;
	*) words=$(_secdctl_zones "$cur" "${daemon[@]}") ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

# Names of zones that begin so.
_secdctl_zones()
{
	local start=$1
	shift
	secdctl "$@" -j zones --match "$start*" 2>/dev/null | grep -o '"zone":"[^"\\]*"' | cut -d'"' -f4
}

complete -F _secdctl secdctl
