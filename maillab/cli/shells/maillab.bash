# shellcheck shell=bash
# TAB for maillab in bash. Now:  source <(bin/maillab completion bash)
# Always:  bin/maillab completion bash >~/.local/share/bash-completion/completions/maillab
_maillab_completion() {
  local IFS=$'\n'
  # shellcheck disable=SC2207 # a line each
  COMPREPLY=($(COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _MAILLAB_COMPLETE=complete_bash "$1" 2>/dev/null))
}
complete -o default -F _maillab_completion maillab
