# shellcheck shell=bash
# What a stack needs on this computer: that follows from where its lab runs and where its images are built.

# Sets WHERE and BUILD from Pulumi.<stack>.yaml. A file that can't be read counts as an empty one: the program
# says what is wrong with it, and where.
read_where() {
  local words
  words=$(.venv/bin/python - "Pulumi.$1.yaml" 2>>"$LOG" <<'END'
import sys
import yaml

with open(sys.argv[1], "rb") as file:
    config = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))["config"]
print(config.get("maillab:where") or "local", config.get("maillab:build") or "there")
END
  )
  read -r WHERE BUILD <<<"${words:-local there}"
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

ensure_remote() {
  want ssh openssh-client
  install_missing
  ensure_client_alone
}
