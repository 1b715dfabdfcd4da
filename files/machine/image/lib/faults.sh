# Read in by what starts and asks roles.
# shellcheck shell=bash

# excused ROLE: does it stand on a disk that the configuration makes small, full or read-only? Then it may fail for that: it
# is said, and hinders nothing.
excused() {
  local text name fault disks
  [ -s /etc/maillab/current/etc/maillab/volumes ] || return 1
  mapfile -d '' text <"/usr/lib/maillab/roles/$1"
  [[ ${text[0]} == *$'\n'"on() "* ]] || return 1
  disks=$("/usr/lib/maillab/roles/$1" on)
  while read -r name _ fault; do
    [ "$fault" = whole ] || [[ " $disks " != *" $name "* ]] || return 0
  done </etc/maillab/current/etc/maillab/volumes
  return 1
}
