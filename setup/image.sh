# shellcheck shell=bash
# The base image debian:trixie-slim: pulled when a registry answers soon, else made of Debian's packages.

BASE=debian:trixie-slim

# As Docker's own Debian images: no service is started by an installation, no package archives are kept,
# no manuals. The label says that it was made here: `maillab down` removes it again.
# shellcheck disable=SC2016 # mmdebstrap gives the hooks their $1
bootstrap_base() {
  local tar=.cache/base.tar
  as_root rm -rf "$tar" || return
  as_root mmdebstrap --variant=minbase --format=tar --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt=force-unsafe-io \
    --customize-hook='printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d"; chmod +x "$1/usr/sbin/policy-rc.d"' \
    --customize-hook='echo "APT::Keep-Downloaded-Packages \"false\";" >"$1/etc/apt/apt.conf.d/docker-clean"' \
    trixie "$tar" || return
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
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || packages debian-archive-keyring
  command -v mmdebstrap >/dev/null || packages mmdebstrap
  need_root "mmdebstrap"
  must "making the base image $BASE (mmdebstrap, half a minute)" bootstrap_base
}
