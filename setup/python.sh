# shellcheck shell=bash
# .venv: what a lab needs (requirements.lock) and, for tests and checks only, what they need besides
# (requirements-dev.lock); by uv, with hashes. Installed again only when a lock or Python changed.

UNFINISHED=.venv/.maillab-unfinished # written first: an environment that was interrupted is thrown away

is_python() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
    if is_python "$candidate"; then
      PYTHON=$candidate
      return 0
    fi
  done
  return 1
}

# Debian 12, 13 and Ubuntu 24.04 have it as python3; Ubuntu 22.04 as python3.11.
need_python() {
  find_python && return
  packages python3 python3-venv
  find_python && return
  if has_package python3.11-venv; then packages python3.11 python3.11-venv; fi
  find_python || die "Python 3.11 or newer with venv is needed; this machine has $(python3 --version 2>&1)." \
    "Install one (for instance on Debian 12, 13 or Ubuntu 24.04: apt install python3 python3-venv)."
}

# stamp_of LOCK: the file written when all of a lock is installed, with what lock_stamp prints.
stamp_of() { printf '.venv/.%s-installed' "$1"; }

lock_stamp() {
  local sum
  sum=$(sha256sum "$1") && printf '%s %s' "${sum%% *}" "$(readlink -f .venv/bin/python)"
}

is_installed() { [ ! -e "$UNFINISHED" ] && [ "$(cat "$(stamp_of "$1")" 2>/dev/null)" = "$(lock_stamp "$1")" ]; }

# uv does not read pip's settings: a school's own index or certificate counts for both.
share_pip_settings() {
  local line value
  while IFS= read -r line; do
    value=${line#*=\'} value=${value%\'}
    case $line in
      *.index-url=*) export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$value} ;;
      *.extra-index-url=*) export UV_INDEX=${UV_INDEX:-$value} ;;
      *.cert=*) export SSL_CERT_FILE=${SSL_CERT_FILE:-$value} ;;
    esac
  done < <(.venv/bin/python -m pip config list)
}

ensure_uv() {
  [ -x .venv/bin/uv ] || .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes \
    -r <(sed -n '/^uv==/,/[^\\]$/p' requirements.lock)
}

# install_lock LOCK
install_lock() {
  share_pip_settings
  ensure_uv || return
  # Compiled now: where Python may write no bytecode (PYTHONDONTWRITEBYTECODE), each run would compile all of it.
  UV_COMPILE_BYTECODE=1 .venv/bin/uv pip install -q --python .venv/bin/python --require-hashes -r "$1" && return
  # Where only pip has a way to the index (its own proxy settings, a keyring): slower, the same packages.
  .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r "$1"
}

new_venv() { rm -rf .venv && "$PYTHON" -m venv .venv; }

# ensure_lock LOCK: all of it is in .venv, which is there.
ensure_lock() {
  is_installed "$1" && return
  : >"$UNFINISHED"
  must "installing the Python packages of $1" install_lock "$1"
  lock_stamp "$1" >"$(stamp_of "$1").new" && mv "$(stamp_of "$1").new" "$(stamp_of "$1")" && rm -f "$UNFINISHED"
}

ensure_venv() {
  [ -x .venv/bin/python ] && is_installed requirements.lock && return
  need_python
  if [ -e "$UNFINISHED" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    must "making .venv with $("$PYTHON" --version)" new_venv
  fi
  ensure_lock requirements.lock
}

# What the tests, the checks and the figures need besides; after ensure_venv.
ensure_tools() { ensure_lock requirements-dev.lock; }
