# Sourced by every role. A role overrides what it needs; the rest does nothing. Roles call /etc/init.d/NAME themselves:
# `service`, which does the same, starts five programs more.
# shellcheck shell=bash
set -u
readonly live=/etc/maillab/current
paths() { :; }
validate() { :; }
start() { :; }
reload() { :; }
probe() { :; }
commit() { :; }
stop() { :; }

# refuse WORDS...: the validator's answer to a bad file.
refuse() { printf '%s\n' "$*" >&2; exit 1; }

# wait_for SECONDS COMMAND...: until COMMAND succeeds; its last words on stderr when it never does.
wait_for() {
  local words deadline=$((SECONDS + $1)); shift
  until words=$("$@" 2>&1); do
    if [ "$SECONDS" -ge "$deadline" ]; then printf '%s\n' "$words" >&2; return 1; fi
    sleep 0.1
  done
}

# The last line of every role: `main "$@"`.
main() { "$@"; }
