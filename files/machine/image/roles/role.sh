# Sourced by every role. A role overrides what it needs; the rest does nothing. Roles call /etc/init.d/NAME themselves:
# `service`, which does the same, starts five programs more.
# shellcheck shell=bash
set -u
readonly live=/etc/maillab/current
limit=${MAILLAB_LIMIT:-2} # seconds for one try of `health`
paths() { :; } # its files, from the root and without the first "/"
also() { :; }  # files of others that it reads too
on() { :; }    # the disks that it can't do without (names of /etc/maillab/volumes)
generate() { :; } # in a folder with all files: those that are made of others, and that people edit all the same
validate() { :; }
start() { :; }
reload() { :; }
health() { :; } # read-only, one try: status 1 and a line of why when it is not well, 2 when waiting would not help
details() { :; } # more words about why, for who has to repair it
report() { :; } # what an update of the machine has to say of it
queue() { :; } # of its mail queue: "active NUMBER", "deferred NUMBER", "hold NUMBER"
commit() { :; }
stop() { :; }
repair() { :; } # what lies on its volume, before the first start of a container
empty() { :; }  # the mail there goes

# is_volume PATH: else what is there is the container's own, and as new.
is_volume() {
  local where
  while read -r _ where _; do [ "$where" != "$1" ] || return 0; done </proc/self/mounts
  return 1
}

# make_way PATH: what is there and is no folder gets another name.
make_way() {
  if [ -L "$1" ] || { [ -e "$1" ] && [ ! -d "$1" ]; }; then mv -T --backup=numbered "$1" "$1.by-hand"; fi
}

# refuse WORDS...: the validator's answer to a bad file.
refuse() { printf '%s\n' "$*" >&2; exit 1; }

# wrote PATH…: does the update that is under way write or remove a file under one of PATHs?
wrote() {
  local path one
  while IFS= read -r path; do
    for one in "$@"; do [[ $path/ != "$one/"* ]] || return 0; done
  done </run/maillab/written
  return 1
}

# wait_for SECONDS COMMAND...: until COMMAND succeeds; its last words on stderr when it never does (status 2: will not).
wait_for() {
  local words deadline=$((SECONDS + $1)); shift
  until words=$("$@" 2>&1); do
    if [ $? -eq 2 ] || [ "$SECONDS" -ge "$deadline" ]; then printf '%s\n' "$words" >&2; return 1; fi
    sleep 0.1
  done
}

# probe: waits until the role is well; who has no hope of it asks once, and not for long. A processor under load, or an
# emulated one, is slow.
probe() {
  # shellcheck disable=SC2034 # roles read it
  limit=60 alone=yes
  if [ "${MAILLAB_PATIENCE:-15}" = 0 ]; then
    read -r load _ </proc/loadavg
    limit=$((10 + 5 * ${load%.*} / $(nproc)))
  fi
  wait_for "${MAILLAB_PATIENCE:-15}" health
}

# runs NAME: is there a process of that name (proc_pid_stat(5), at most 15 characters), neither a zombie nor stopped by a
# signal? Its id is in $pid then. No program is started to find out.
runs() {
  local path line stopped=''
  for path in /proc/[0-9]*/stat; do
    { read -r line <"$path"; } 2>/dev/null || continue
    case $line in
      *" ($1) "[TtZX]*) stopped=${line%% *} ;;
      # The script of a role may have its program's name.
      *" ($1) "*) pid=${line%% *}; [[ /proc/$pid/exe -ef /proc/$$/exe ]] || return 0 ;;
    esac
  done
  [ -z "$stopped" ] || refuse "$1 was stopped by a signal (kill -CONT $stopped lets it go on)"
  refuse "$1 is not running"
}

# ask_port NAME PORT [QUESTION]: the first line that NAME says there, on this machine, in $line.
ask_port() {
  line=''
  { exec 3<>"/dev/tcp/127.0.0.1/$2"; } 2>/dev/null || refuse "$1 does not answer on port $2"
  [ -z "${3:-}" ] || printf %s "$3" >&3
  IFS= read -r -t "$limit" line <&3
  exec 3>&-
  line=${line%$'\r'}
  [ -n "$line" ] || refuse "$1 takes connections to port $2 and says nothing"
}

# The last line of every role: `main "$@"`.
main() { "$@"; }
