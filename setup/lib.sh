# shellcheck shell=bash
# What every part of the set-up uses: messages, timed steps, rights, Debian packages.

LOG=.cache/setup.log
# shellcheck disable=SC2034 # image.sh, where.sh and base-tar look for it
DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg
TICKER='' # process that counts seconds on the terminal, ended by the set-up's exit too

# The person's stderr, also from within a step, whose own goes to the log.
exec 8>&2

# die WHAT [WHAT TO DO...]: ends the set-up; one line each.
die() {
  printf '\nsetup: %s\n' "$1" >&8
  shift
  printf '  %s\n' "$@" >&8
  exit 1
}

# Elapsed seconds behind the step's text, on a terminal only; a log gets one line per step.
tick() {
  local started=$SECONDS
  while sleep 1; do printf '\r  … %s (%d s)' "$1" $((SECONDS - started)); done
}

# step TEXT COMMAND...: the command's words go to the log, its time is shown. Returns the command's status.
# Descriptor 9 is the set-up's lock: what a package starts must not hold it.
step() {
  local text=$1 started=$EPOCHREALTIME ticker='' status=0
  shift
  printf '\n== %s\n' "$text" >>"$LOG"
  if [ -t 1 ]; then
    printf '  … %s' "$text"
    tick "$text" 9>&- &
    ticker=$! TICKER=$!
  fi
  "$@" >>"$LOG" 2>&1 </dev/null 9>&- || status=$?
  if [ -n "$ticker" ]; then
    kill "$ticker" 2>/dev/null
    wait "$ticker" 2>/dev/null
    printf '\r\033[K'
  fi
  # shellcheck disable=SC2034 # setup/run ends it
  TICKER=''
  local took=$(((${EPOCHREALTIME/[.,]/} - ${started/[.,]/}) / 100000))
  local mark=✓
  [ "$status" -eq 0 ] || mark=${FAILED_MARK:-✗}
  printf '  %s %s (%d.%d s)\n' "$mark" "$text" $((took / 10)) $((took % 10))
  return "$status"
}

# attempt TEXT COMMAND...: a step that may fail, because there is another way.
attempt() { FAILED_MARK=- step "$@"; }

# must TEXT COMMAND...: a step without which nothing goes on: its last words are shown.
must() {
  step "$@" && return
  local words
  words=$(tac "$LOG" | sed '/^== /q' | tac | tail -n 12)
  printf '%s\n' "$words" | cut -c 1-300 | sed 's/^/    /' >&2
  die "'$1' failed; its last words are above, all of them in $LOG." "$(remedy "$words")" \
    "Then run the same command again: it goes on where it stopped."
}

# remedy WORDS [OTHERWISE]: what to do about a failure that is known by its words.
remedy() {
  case $1 in
    *"forwarding is disabled"*)
      echo "With its nftables backend the Docker engine does not make the host forward: sysctl -w net.ipv4.ip_forward=1" \
        "(its firewall is yours to look at first), or \"ip-forward\": false in /etc/docker/daemon.json: the lab needs none." ;;
    *"No space left"*) echo "The disk is full (df -h): make room." ;;
    *CERTIFICATE* | *certificate*)
      echo "A proxy here has a certificate of its own: export PIP_CERT=/path/to/its/ca.pem" ;;
    *HASHES* | *"ash mismatch"*)
      echo "A package differs from requirements.lock: the index or a proxy changed it." ;;
    *NO_PUBKEY*)
      echo "This system does not know Debian 13's keys yet. Have the engine pull debian:trixie-slim where it can," \
        "or bring it from another machine: docker save debian:trixie-slim | ssh here docker load" ;;
    *) echo "${2:-Is the network away (PyPI and Debian\'s packages are needed)?}" ;;
  esac
}

# The rights of root for what changes the machine; asked for once, before the step that hides its words.
need_root() {
  [ "$(id -u)" -eq 0 ] && return
  command -v sudo >/dev/null || die "$1 needs root, and there is no sudo." "Run the same command as root."
  sudo -n true 2>/dev/null && return
  [ -t 0 ] || die "$1 needs root, and sudo would ask for a password." "Run it from a terminal, or as root."
  printf '  %s needs root.\n' "$1"
  sudo -v || die "$1 needs root, and sudo refused." "Run the same command as root."
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else
    sudo --preserve-env=http_proxy,https_proxy,no_proxy,SSL_CERT_FILE "$@"
  fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -q -y \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# A run that was interrupted may have left packages unpacked only: they are finished first. Lists that are
# missing or old (404) are fetched and the same is tried once more.
install_packages() {
  as_root env DEBIAN_FRONTEND=noninteractive dpkg --configure -a || return
  apt install --no-install-recommends "$@" || { apt update && apt install --no-install-recommends "$@"; }
}

packages() {
  command -v apt-get >/dev/null || die "$1 is missing, and this is no Debian or Ubuntu." "Install it by hand: $*"
  need_root "Installing $*"
  must "installing $*" install_packages "$@"
}

update_lists() {
  need_root "Fetching the lists of packages"
  must "fetching the lists of packages" apt update
}

# Is there such a package in the lists (which may have to be fetched first)?
has_package() { apt-cache show "$1" >/dev/null 2>&1; }
