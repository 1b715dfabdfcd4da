# TAB for maillab in fish. Now:  bin/maillab completion fish | source
# Always:  bin/maillab completion fish >~/.config/fish/completions/maillab.fish
function _maillab_completion
    set --local words (commandline -opc)
    env _MAILLAB_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=$argv[1] \
        _TYPER_COMPLETE_ARGS=(commandline -cp) $words[1] 2>/dev/null
end
complete --command maillab --no-files --arguments "(_maillab_completion get-args)" \
    --condition "_maillab_completion is-args"
