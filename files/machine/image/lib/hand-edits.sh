# What somebody edited by hand in the running machine: found, kept, and reported by maillab-apply, which reads this in.
#
# $current is the generation in force, $configured the same files as updates wrote them: what differs was edited by hand.
# shellcheck shell=bash
declare -a replaced=() kept=()
declare -A edits=() # path (without its first "/") to `edited`, `added`, `removed` or `mode`

# survey DIR NAME: in the array NAME, by path, what each file of DIR is: "mode owner type content". Compiled maps are left
# out: they are made of other files.
survey() {
  local fields path sum line
  local -n into=$2
  into=()
  while IFS=$'\t' read -r -d '' fields path sum; do into[$path]="$fields $sum"; done \
    < <(cd "$1" && find . ! -type d ! -name '*.db' ! -name '*.lmdb' ! -name .sums -printf '%m %U:%G %y\t%P\t%l\0')
  while IFS= read -r -d '' line; do into[${line#*  }]+=${line%% *}; done \
    < <(cd "$1" && find . -type f ! -name '*.db' ! -name '*.lmdb' ! -name .sums -printf '%P\0' | xargs -0r sha256sum -z --)
}

# Editors that write a new file in the old one's place (sed -i) leave a plain file where a link should be, which no
# generation would ever reach again. What stands there is taken into the generation in force: nothing else changes by it.
# A file that is gone stays so. A folder is not: moved away was the link to it alone, or an update was cut off here.
take_in_replaced() {
  local path
  while read -r path; do
    [ "$(readlink "$path")" != "$base/current$path" ] || continue
    make_copies "$path" || return
    if [ -e "$path" ] || [ -L "$path" ]; then
      put_away "$path" && take_in "$path" || return
    elif [ -d "$current$path" ]; then
      say "moved or removed by hand: $path (it is there again, as it was)"
    else
      put_away "$path" || return
    fi
    mkdir -p "${path%/*}" && ln -sfn "$base/current$path" "$base/taken" && mv -T "$base/taken" "$path" || return
  done </usr/share/maillab/managed
}

# Who moves such a link to keep what it leads to (mv /etc/aliases /etc/aliases.bak) gets what was meant.
make_copies() {
  local link
  [ -e "$current$1" ] || return 0
  while IFS= read -r -d '' link; do
    rm -rf "$base/taken" && cp -aT "$current$1" "$base/taken" && rm "$link" && mv -T "$base/taken" "$link" || return
    say "moved by hand: $link (it was a link to $1, and is a copy of it now)"
  done < <(find / \( -path /proc -o -path /sys -o -path /dev -o -path "$base" \) -prune -o \
    -type l -lname "$base/current$1" -print0 2>/dev/null)
}

# put_away PATH: what the generation in force has there makes room; it is kept when no update wrote it so.
put_away() {
  local folder
  if [ -e "$current$1" ] && [[ $1 != *.db ]] && differs "$current$1" "$configured$1"; then
    mkdir -p "$base/edited-by-hand" && folder=$(mktemp -d "$aside.XXXXXX") && mkdir -p "$folder${1%/*}" &&
      mv -T "$current$1" "$folder$1" || return
    say "replaced or removed by hand: $1 (what was edited in it before is kept in $folder)"
  fi
  rm -rf "${current:?}$1"
}
differs() { ! diff -rq --no-dereference -x '*.db' -x '*.lmdb' "$@" >/dev/null 2>&1; }

# take_in PATH: a folder that is a link would be written wherever that leads to.
take_in() {
  if [ -L "$1" ] && [ -d "$1" ]; then
    say "a link to $(readlink "$1"): $1 (it has copies of the files now: edit them here)"
    rm -rf "$base/taken" && cp -aHT "$1" "$base/taken" && mv -T "$base/taken" "$current$1"
  elif [ -d "$1" ]; then
    mv -T "$1" "$current$1"
  else
    # Without a moment in which neither it nor the link to it is there.
    rm -rf "$base/taken" && cp -aT "$1" "$base/taken" && mv -T "$base/taken" "$current$1"
  fi
}

# The same of folders inside, where this update has files.
take_in_linked() {
  local path folder rest
  for path in "${written[@]}" "${gone[@]}"; do
    folder=$current rest=$path
    while [[ $rest == */* ]]; do
      folder+=/${rest%%/*} rest=${rest#*/}
      [ -L "$folder" ] && [ -d "$folder" ] || continue
      say "a link to $(readlink "$folder"): ${folder#"$current"} (it has copies of the files now: edit them here)"
      rm -rf "$base/taken" && cp -aHT "$folder" "$base/taken" && rm "$folder" && mv -T "$base/taken" "$folder" || return
    done
  done
}

find_edits() { take_in_replaced && take_in_linked && compare_edits; }

# same_tree DIR DIR: two files each in the same place, mode, owner and content? Quicker than to say which differ.
same_tree() {
  local one other
  one=$(cd "$1" && find . ! -type d ! -name '*.db' ! -name '*.lmdb' ! -name .sums -printf '%P %m %U:%G %y %l\n' | sort)
  other=$(cd "$2" && find . ! -type d ! -name '*.db' ! -name '*.lmdb' ! -name .sums -printf '%P %m %U:%G %y %l\n' | sort)
  [ "$one" = "$other" ] && diff -rq --no-dereference -x '*.db' -x '*.lmdb' -x .sums "$1" "$2" >/dev/null 2>&1
}

# Changes nothing.
compare_edits() {
  local path
  local -A here there
  [ -d "$configured" ] || return 0
  ! same_tree "$current" "$configured" || return 0
  survey "$current" here
  survey "$configured" there
  for path in "${!here[@]}"; do
    if [ -z "${there[$path]:-}" ]; then
      edits[$path]=added
    elif [ "${here[$path]}" != "${there[$path]}" ]; then
      edits[$path]=edited
      [ "${here[$path]##* }" != "${there[$path]##* }" ] || edits[$path]=mode
    fi
  done
  for path in "${!there[@]}"; do [ -n "${here[$path]:-}" ] || edits[$path]=removed; done
}

# kept_edits [PATH…]: what was edited by hand and this update leaves alone, under one of PATHs, in $kept.
kept_edits() {
  local path wanted
  kept=()
  while IFS= read -r path; do
    [ -n "$path" ] && ! writes "$path" || continue
    for wanted in "${@:-}"; do [[ $path/ != "${wanted:+$wanted/}"* ]] || { kept+=("$path"); break; }; done
  done < <(printf '%s\n' "${!edits[@]}" | sort)
}

# What this update writes or removes and somebody edited goes to a folder of its own before; in $replaced. An edit to just
# what the update brings is no edit any more.
set_aside() {
  local path
  replaced=()
  while IFS= read -r path; do
    [ -n "$path" ] && writes "$path" || continue
    ! cmp -s "$current/$path" "$incoming/$path" || continue
    replaced+=("$path")
    case ${edits[$path]} in edited | added)
      (cd "$current" && mkdir -p "$aside" && cp -a --parents -t "$aside" -- "$path") || return ;;
    esac
  done < <(printf '%s\n' "${!edits[@]}" | sort)
}

report_edits() {
  local path
  local -A said=([edited]="edited by hand since the last update" [added]="added by hand since the last update"
    [removed]="removed by hand since the last update" [mode]="mode or owner changed by hand since the last update")
  for path in "${replaced[@]}"; do
    case ${edits[$path]} in
      edited | added) say "${said[${edits[$path]}]}: /$path (the configuration replaces it; the edit is kept in $aside)" ;;
      *) say "${said[${edits[$path]}]}: /$path (the configuration replaces it)" ;;
    esac
  done
  kept_edits
  for path in "${kept[@]}"; do say "${said[${edits[$path]}]}: /$path (kept as it is)"; done
}

# blame [--named] ROLE WORDS: which edits by hand may be why the role refuses, and the way out of each. Those that the
# refusal names, when it names any; --named: no others.
blame() {
  local path only=''
  if [ "$1" = --named ]; then only=yes; shift; fi
  local -a paths named=()
  read -r -a paths <<<"$("$roles/$1" paths)"
  [ ${#paths[@]} -gt 0 ] || return 0
  kept_edits "${paths[@]}"
  for path in "${kept[@]}"; do [[ $words != *"/$path"* ]] || named+=("$path"); done
  [ ${#named[@]} -eq 0 ] && [ -z "$only" ] || kept=("${named[@]}")
  [ ${#kept[@]} -gt 0 ] || return 0
  say "$2"
  for path in "${kept[@]}"; do
    case ${edits[$path]} in
      added) say "  /$path was added: repair it, or remove it: rm '/$path'" ;;
      *) say "  /$path was ${edits[$path]/mode/changed in mode or owner}: repair it, or take back what the last update wrote:" \
        "cp -a --remove-destination '$configured/$path' '$base/current/$path'" ;;
    esac
  done
}

# What updates wrote, for the next one to compare with: an edit that was left alone is one still.
note_configured() {
  local new=$base/configured/${stage##*/} path
  local -a added=() others=()
  rm -rf "$new" && mkdir -p "$base/configured" && cp -a "$stage" "$new" && mv "$incoming/.sums" "$new/.sums" || return
  kept_edits
  for path in "${kept[@]}"; do
    if [ "${edits[$path]}" = added ]; then added+=("$path"); else others+=("$path"); fi
  done
  [ ${#added[@]} -eq 0 ] || (cd "$new" && rm -f -- "${added[@]}") || return
  [ ${#others[@]} -eq 0 ] || (cd "$configured" && cp -a --parents --remove-destination -t "$new" -- "${others[@]}")
}
