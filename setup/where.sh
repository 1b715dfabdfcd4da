# shellcheck shell=bash
# What a stack needs on this computer: that follows from where its lab runs and where its images are built.

# Sets WHERE and BUILD from Pulumi.<stack>.yaml. A file that can't be read counts as an empty one: the program
# says what is wrong with it, and where.
read_where() {
  local words
  words=$(.venv/bin/python - "Pulumi.$1.yaml" 2>>"$LOG" <<'END'
import sys
from pathlib import Path

from maillab.offline.stack_file import read_stack_file

config = read_stack_file(Path(sys.argv[1]), "maillab").config
print(config.get("maillab:where") or "local", config.get("maillab:build") or "there")
END
  )
  read -r WHERE BUILD <<<"${words:-local there}"
}

# ensure_known STACK: ends the set-up when there is neither a file of that stack nor anything left of a lab of it.
ensure_known() {
  local file names=()
  for file in "Pulumi.$1.yaml" .pulumi-state/offline/"$1.json" .pulumi-state/.pulumi/stacks/maillab/"$1.json" \
    .pulumi-state/kept-mail/"$1" .vm/"$1"; do
    [ ! -e "$file" ] || return 0
  done
  for file in Pulumi.*.yaml; do
    file=${file#Pulumi.}
    names+=("${file%.yaml}")
  done
  local near
  near=$(nearest "$1" "${names[@]}")
  die "there is no stack $1: no file Pulumi.$1.yaml. Nothing was installed." ${near:+"did you mean $near?"} \
    "there are: ${names[*]}" "make a new one: bin/maillab new NAME"
}

# nearest WORD NAME...: the name that differs from the word by the fewest letters, if it is like it.
nearest() {
  printf '%s\n' "${@:2}" | awk -v word="$1" '
    function least(a, b, c) { return a < b ? (a < c ? a : c) : (b < c ? b : c) }
    {
      for (j = 0; j <= length($0); j++) row[j] = j
      for (i = 1; i <= length(word); i++) {
        corner = row[0]; row[0] = i
        for (j = 1; j <= length($0); j++) {
          above = row[j]
          row[j] = least(row[j] + 1, row[j - 1] + 1, corner + (substr(word, i, 1) != substr($0, j, 1)))
          corner = above
        }
      }
      if (row[length($0)] <= length($0) / 2 && (!found || row[length($0)] < best)) { best = row[length($0)]; found = $0 }
    }
    END { print found }'
}

MISSING=() # packages

# want COMMAND PACKAGE...: MISSING gets the packages when there is no such command.
want() { command -v "$1" >/dev/null || MISSING+=("${@:2}"); }

install_missing() {
  [ ${#MISSING[@]} -eq 0 ] || packages "${MISSING[@]}"
  MISSING=()
}

# Makes, starts and reaches a virtual machine. Root makes the disk's file system as it is; an ordinary user needs
# a user namespace (uidmap, for mmdebstrap) and owners that are only believed in (fakeroot, for mke2fs).
want_vm_tools() {
  case $(uname -m) in
    x86_64) want qemu-system-x86_64 qemu-system-x86 ;;
    aarch64) want qemu-system-aarch64 qemu-system-arm ipxe-qemu ;; # its network cards' ROM, only recommended there
    *)
      die "a virtual machine can be made on amd64 and arm64 only; this computer is $(uname -m)." \
        "Choose another place for the lab: maillab:where, local or ssh://user@host, in Pulumi.<stack>.yaml."
      ;;
  esac
  want qemu-img qemu-utils
  want mmdebstrap mmdebstrap
  want mke2fs e2fsprogs
  [ -e "$DEBIAN_KEYS" ] || MISSING+=(debian-archive-keyring)
  if [ "$(id -u)" -ne 0 ]; then
    want fakeroot fakeroot
    want newuidmap uidmap
  fi
}

# The engine comes first: with it comes the client.
ensure_stack() {
  read_where "$1"
  if [ "$WHERE" = local ] || [ "$BUILD" = here ]; then
    ensure_engine
    ensure_base_image
  fi
  case $WHERE in
    local) ;;
    vm) ensure_vm ;;
    *) ensure_remote ;; # ssh://…, or a word that the program will refuse: then no engine was started for it
  esac
}

ensure_vm() {
  want_vm_tools
  ensure_remote
}

# What the tests open webmail with. Where there is no such package (Ubuntu's is a snap), they are skipped and say so.
ensure_browser() {
  want ip iproute2
  install_missing
  command -v chromium >/dev/null && return
  has_package chromium || update_lists
  if has_package chromium; then packages chromium; fi
}

ensure_remote() {
  want ssh openssh-client
  install_missing
  ensure_client_alone
}
