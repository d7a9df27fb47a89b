# SPDX-License-Identifier: Apache-2.0
# Completion of bulkhead-vhd for bash: verbs and options come from the program itself.

_bulkhead_vhd() {
	local word=${COMP_WORDS[COMP_CWORD]} verbs
	verbs=$(bulkhead-vhd --words 2>/dev/null)
	if [ "$COMP_CWORD" = 1 ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(cut -d' ' -f1 <<<"$verbs" | sort -u)" -- "$word")
	elif [ "$COMP_CWORD" = 2 ] && [ "${COMP_WORDS[1]}" = key ]; then
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^key //p' <<<"$verbs")" -- "$word")
	elif [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(bulkhead-vhd --words "${COMP_WORDS[@]:1:2}")" -- "$word")
	else
		compopt -o default
	fi
}
complete -F _bulkhead_vhd bulkhead-vhd
