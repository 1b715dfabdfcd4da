#compdef maillab
# TAB for maillab in zsh. Now:  source <(bin/maillab completion zsh)
# Always:  bin/maillab completion zsh >_maillab, in a folder of $fpath, before compinit
_maillab_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _MAILLAB_COMPLETE=complete_zsh ${~words[1]} 2>/dev/null)
}
compdef _maillab_completion maillab
