# shellcheck shell=bash
# A Docker engine that answers: the one of DOCKER_HOST or the docker context, else this machine's, installed
# and started when need be. Its configuration stays as it is.

OLDEST_ENGINE=20.10

# Sets ENGINE to the version, or ENGINE_WORDS to what docker said. Quick when the engine is there.
ask_engine() {
  local status=0
  ENGINE=$(timeout 20 docker version --format '{{.Server.Version}}' 2>"$LOG.docker") || status=$?
  [ "$status" -ne 0 ] || [ -z "$ENGINE" ] || return 0
  ENGINE_WORDS=$(tail -n 1 "$LOG.docker")
  [ "$status" -ne 124 ] || ENGINE_WORDS="no answer within 20 seconds" # timeout's
  ENGINE_WORDS=${ENGINE_WORDS%%: Get *} # the client's own URL says nothing to anybody
  return 1
}

# Does the person's DOCKER_HOST or docker context name some other engine than this machine's own?
engine_elsewhere() {
  case ${DOCKER_HOST:-} in
    unix:///var/run/docker.sock | unix:///run/docker.sock) return 1 ;;
    ?*) ENGINE_PLACE="DOCKER_HOST=$DOCKER_HOST" ;;
    *)
      local context
      context=$(docker context show 2>/dev/null || docker context inspect --format '{{.Name}}' 2>/dev/null)
      [ -n "$context" ] && [ "$context" != default ] || return 1
      ENGINE_PLACE="the docker context $context"
      ;;
  esac
}

# The client for an engine elsewhere. Debian 13 has it in a package of its own; where it is a part of docker.io, it
# is taken out of that, because to install docker.io starts an engine here.
ensure_client_alone() {
  command -v docker >/dev/null && return
  command -v apt-get >/dev/null || die "docker is missing, and this is no Debian or Ubuntu." "Install it by hand: docker"
  has_package docker.io || update_lists
  if has_package docker-cli; then packages docker-cli; return; fi
  attempt "taking the docker client out of Debian's docker.io" take_client && return
  update_lists # old ones name a package that is gone
  must "taking the docker client out of Debian's docker.io" take_client
}

# To .cache/bin, the end of PATH: an installed client is preferred. Needs no rights.
take_client() {
  local folder=$PWD/.cache/docker.io
  rm -rf "$folder" && mkdir -p "$folder" .cache/bin || return
  (cd "$folder" && apt-get -q -o Acquire::Retries=3 download docker.io) || return
  dpkg-deb --fsys-tarfile "$folder"/docker.io_*.deb | tar -x -C "$folder" ./usr/bin/docker || return
  "$folder/usr/bin/docker" --version || return
  mv "$folder/usr/bin/docker" .cache/bin/docker && rm -rf "$folder"
}

ensure_client() {
  command -v docker >/dev/null && return
  if [ -n "${DOCKER_HOST:-}" ]; then ensure_client_alone; return; fi
  packages docker.io ca-certificates
  command -v docker >/dev/null || packages docker-cli
  hash -r
}

refuse_rights() {
  die "you have no right to the Docker engine's socket: $ENGINE_WORDS" \
    "Either run it as root:          sudo $COMMAND" \
    "or join the group docker:       sudo usermod -aG docker $(id -un) && newgrp docker" \
    "(anyone who may use the socket has root's rights on this machine)."
}

# Ends the set-up when there is an engine that only will not work with this client: another one would not help.
refuse_versions() {
  local client pinned=''
  client=$(command -v docker)
  [ -z "${DOCKER_API_VERSION:-}" ] ||
    pinned="DOCKER_API_VERSION=$DOCKER_API_VERSION asks for this version: unset DOCKER_API_VERSION"
  case $ENGINE_WORDS in
    *"is too old"*)
      [ "$client" != "$PWD/.cache/bin/docker" ] ||
        pinned="Remove it, and install one that is as new as the engine: rm $client"
      die "the docker client $client is too old for the Docker engine: $ENGINE_WORDS" \
        "${pinned:-Upgrade it to the engine\'s version, or put the client that came with the engine first on PATH (type -a docker).}"
      ;;
    *"is too new"* | *"not supported by this client"*)
      die "the Docker engine is too old for the docker client $client: $ENGINE_WORDS" \
        "${pinned:-Upgrade the engine, or put a client of its own version first on PATH (type -a docker).}"
      ;;
    *"Error response from daemon"* | "no answer within"*)
      die "the Docker engine runs, but it does not say its version: $ENGINE_WORDS" \
        "What docker version says must be in order first; the engine's log may tell more (journalctl -u docker)."
      ;;
  esac
}

# Every descriptor but 0, 1 and 2 is closed: the engine outlives us, and anything that waits for the end of one of
# our pipes, or for the set-up's lock, must not wait for the engine.
launch_dockerd() {
  local log=$PWD/.cache/dockerd.log pid fd
  pid=$(cat /var/run/docker.pid 2>/dev/null)
  if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != dockerd ]; then
    as_root rm -f /var/run/docker.pid # left by an engine that was killed; dockerd would take any process for it
  fi
  (
    for fd in /proc/self/fd/*; do
      fd=${fd##*/}
      [ "$fd" -le 2 ] || eval "exec $fd>&-"
    done
    as_root setsid dockerd >"$log" 2>&1 </dev/null &
  )
}

# The line of the engine's log that says why it does not start, if it is known what helps.
why_not_started() {
  if [ -d /run/systemd/system ]; then
    as_root journalctl --boot --unit docker --lines 50 --no-pager
  else
    tail -n 50 .cache/dockerd.log
  fi 2>/dev/null | grep 'forwarding is disabled' | tail -n 1
}

# start SECONDS COMMAND...: runs the command, then waits for the engine.
start() {
  local seconds=$1
  shift
  "$@" && wait_for_engine "$seconds" && return
  why_not_started
  return 1
}

wait_for_engine() {
  local deadline
  deadline=$((SECONDS + $1))
  until ask_engine; do
    case $ENGINE_WORDS in *"permission denied"* | *"Error response from daemon"* | *"API version"*) return 0 ;; esac
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.3
  done
}

start_engine() {
  need_root "Starting the Docker engine"
  if [ -d /run/systemd/system ]; then
    must "starting the Docker engine (systemctl start docker)" start 60 as_root systemctl start docker
    return
  fi
  if [ -x /etc/init.d/docker ] && attempt "starting the Docker engine (service docker start)" \
    start 20 as_root service docker start 8>&-; then
    return
  fi
  step "starting the Docker engine (dockerd)" start 60 launch_dockerd && return
  tail -n 8 .cache/dockerd.log | sed 's/^/    /' >&2
  die "dockerd did not answer within a minute; its last words are above, all of them in .cache/dockerd.log." \
    "$(remedy "$(why_not_started)" "In a container it needs --privileged.")"
}

check_version() {
  [ "$(printf '%s\n' "$OLDEST_ENGINE" "$ENGINE" | sort -V | head -n 1)" = "$OLDEST_ENGINE" ] ||
    die "the Docker engine is $ENGINE; maillab needs $OLDEST_ENGINE or newer." \
      "Upgrade it (Debian 12, 13 and Ubuntu have a newer docker.io), or let DOCKER_HOST name another engine." \
      "Podman's docker command will not do."
}

ensure_engine() {
  ensure_client
  if ! ask_engine; then
    case $ENGINE_WORDS in *"permission denied"*) refuse_rights ;; esac
    refuse_versions
    if engine_elsewhere; then
      die "no Docker engine answers at $ENGINE_PLACE: $ENGINE_WORDS" \
        "Start it there, or take this machine's: unset DOCKER_HOST; docker context use default"
    fi
    command -v dockerd >/dev/null || packages docker.io ca-certificates
    start_engine
    ask_engine || { refuse_versions; refuse_rights; }
  fi
  check_version
}
