# Sourced by the roles that have a key ($key) with a certificate ($certificate).
# shellcheck shell=bash

# fits FILE: is it the certificate of the key?
fits() {
  local public
  public=$(openssl pkey -in "$key" -pubout 2>/dev/null) && [ "$public" = "$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" ]
}

# A key that nobody can read, as one that was edited or was being made when the machine was stopped, is no key.
have_key() {
  ! openssl pkey -in "$key" -noout 2>/dev/null || return 0
  (umask 077 && openssl ecparam -name prime256v1 -genkey -noout -out "$key.new") && mv "$key.new" "$key"
}

# out_of_the_way PATH…: where a file should be, a folder gets another name.
out_of_the_way() {
  local path
  for path in "$@"; do [ ! -d "$path" ] || mv -T --backup=numbered "$path" "$path.by-hand"; done
}
