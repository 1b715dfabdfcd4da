# shellcheck shell=bash
# The base image debian:trixie-slim: pulled when a registry answers soon, else made of Debian's packages.

BASE=debian:trixie-slim

# The label says that it was made here: `maillab down` removes it again.
bootstrap_base() {
  local tar=.cache/base.tar
  as_root setup/base-tar "$tar" || return
  as_root chown "$(id -u):$(id -g)" "$tar" &&
    docker import --change 'CMD ["bash"]' --change 'LABEL maillab.base=trixie' \
      "$tar" "$BASE" && rm -f "$tar"
}

# The engine pulls, not we: only it knows its mirrors and proxies. It gives up by itself after about 15 s of
# silence; the limit is for a line that is too slow to be worth it.
pull_base() { timeout 90 docker pull -q "$BASE"; }

ensure_base_image() {
  docker image inspect "$BASE" >/dev/null 2>&1 && return
  attempt "pulling the base image $BASE" pull_base && return
  printf '    no registry answers: it is made of Debian packages instead\n'
  [ -e "$DEBIAN_KEYS" ] || packages debian-archive-keyring
  command -v mmdebstrap >/dev/null || packages mmdebstrap
  need_root "mmdebstrap"
  must "making the base image $BASE (mmdebstrap, half a minute)" bootstrap_base
}
