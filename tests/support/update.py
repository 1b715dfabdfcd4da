"""An update as an engine brings it to one machine, with files that no configuration would lead to."""

import shlex
from collections.abc import Mapping

from driver.machine import Machine, Outcome

# The files that the last update wrote, as maillab-apply reads them: "/path=content", each with a NUL at its end.
IN_FORCE = (
    'cd "/etc/maillab/configured/$(basename "$(readlink /etc/maillab/current)")" && '
    "find . -type f ! -name .sums ! -name '*.db' ! -name '*.asked' ! -name rndc.key -printf '%P\\n' | "
    r"""while read -r path; do printf '/%s=' "$path"; cat "$path"; printf '\0'; done"""
)


def update_with(machine: Machine, files: Mapping[str, str]) -> Outcome:
    """What comes of an update that brings the last one's files once more, with `files` (path to text) in place."""
    changed = "".join(f"printf '%s\\0' {shlex.quote(f'{path}={text}')}; " for path, text in files.items())
    return machine.execute(f"{{ {IN_FORCE}; {changed}printf '.end\\0'; }} | maillab-apply 2>&1")
