# SPDX-License-Identifier: MIT
# Completion of `evring` for bash: subcommands, the options that --help names, rings.
_evring() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-} choices
  if ((COMP_CWORD == 1)); then
    choices='list add remove inject watch stat top stress bench doctor --help --version'
  elif [[ $word == -* ]]; then
    choices=$(evring "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)
  elif [[ $command =~ ^(remove|inject|watch|stat|top)$ ]]; then
    choices=$(evring list 2>/dev/null | awk 'NR > 1 && NF > 8 {print $1}')
  fi
  mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$word")
}
complete -F _evring evring
