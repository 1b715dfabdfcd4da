"""What of a running machine is in no file (rules, addresses, routes …): as it was found, and as it is configured."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path

# A root shell may have put anything in these programs' place: the answer has an end.
MOST = 1 << 20
INSIDE = """
  section() { echo "== $1"; shift; "$@" 2>/dev/null; }
  section rules iptables-save
  section rules6 ip6tables-save
  section addresses ip -o address
  section routes ip route
  section routes6 ip -6 route
  section ports ss -Hltun
  section resolver cat /etc/resolv.conf /etc/hosts
  section accounts getent passwd"""
LOOK = f"""timeout "$PATIENCE" docker exec "$CONTAINER" sh -c '{INSIDE}' 2>/dev/null | head -c {MOST}"""
# Tables that somebody looked at and chains as they are by themselves, counters, the numbers and peers of interfaces.
PASSING = re.compile(
    r"^[#*].*|^COMMIT$|^:\S+ ACCEPT .*|\[\d+:\d+\]|^\d+: |@if\d+| *\\ *valid_lft.*| metric \d+| pref medium|\s+$"
)
# The engine's own resolver is at 127.0.0.11; the probe's source address comes with the first probe.
BESIDE = re.compile(r"\bfe80::|\b127\.0\.0\.11\b|\b192\.0\.0\.8/32\b")
# Without how much waits at a port.
PORT = re.compile(r"^(tcp|udp)\s+\S+\s+\d+\s+\d+\s+(\S+)\s+.*")

Seen = Mapping[str, frozenset[str]]


def seen(words: str) -> Seen:
    """What `LOOK` said: by section, its lines without what changes by itself."""
    sections: dict[str, set[str]] = {}
    lines: set[str] = set()
    for line in words.splitlines():
        if line.startswith("== "):
            lines = sections.setdefault(line.removeprefix("== "), set())
        elif (fact := PORT.sub(r"\1 \2", PASSING.sub("", line))) and not BESIDE.search(fact):
            lines.add(" ".join(fact.split()))
    return {name: frozenset(found) for name, found in sections.items()}


def differing(found: Seen, wanted: Seen) -> list[str]:
    """The sections that differ; not those to which a broken machine did not come."""
    return [name for name, lines in wanted.items() if name in found and found[name] != lines]


def as_text(found: Seen, wanted: Seen) -> str:
    """What differs: lines that were there with a minus, lines that were missing with a plus."""
    text = ""
    for name in differing(found, wanted):
        before, now = found[name], wanted[name]
        lines = [*(f"-{one}" for one in before - now), *(f"+{one}" for one in now - before)]
        text += "".join(f"{line}\n" for line in [f"{name}:", *sorted(lines, key=lambda line: (line[1:], line))])
    return text


def keep(text: str, folder: Path) -> Path:
    """Write it for its owner alone: to a file in `folder`, or in a new one there, named by the time."""
    folder = folder if folder.name[:1].isdigit() else folder / time.strftime("%Y-%m-%dT%H-%M-%SZ", time.gmtime())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "differences"
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")
    return path
