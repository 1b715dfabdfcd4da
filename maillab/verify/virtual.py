"""virtual_alias_maps, as cleanup(8) follows it (virtual(5)): the one kind of table that main.cf itself can have."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

INLINE = re.compile(r"inline:\{(?P<entries>.*)\}", re.DOTALL)
# key=value, or { key = value } when there is white space in it (DATABASE_README).
ENTRY = re.compile(r"\{\s*([^\s={}]+)\s*=\s*([^{}]*?)\s*\}|([^\s={},]+)=([^\s{},]+)")
MAX_DEPTH = 1000  # virtual_alias_recursion_limit


def read_inline(value: str) -> dict[str, tuple[str, ...]] | None:
    """An `inline:{…}` table, keys in lower case, to the addresses of each; None when it is something else."""
    match = INLINE.fullmatch(value.strip())
    if match is None or re.sub(r"[,\s]", "", ENTRY.sub("", match["entries"])):
        return None
    found = {}
    for braced, addresses, key, address in ENTRY.findall(match["entries"]):
        found[(braced or key).lower()] = tuple(re.split(r"[,\s]+", addresses or address))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualAliases:
    """`table`: address, name or @domain to addresses. `domains`: those that have nothing but virtual aliases."""

    table: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    domains: frozenset[str] = frozenset()

    def follow(
        self, address: str, is_local: Callable[[str], bool], origin: str, base: Callable[[str], str]
    ) -> set[str]:
        """The addresses that `address` stands for, itself when it is in no line.

        `is_local`: is the address' domain one of the server's own? `origin`: the domain of a name without one.
        `base`: a local part without its extension.
        """
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [address]
        while waiting and len(seen) < MAX_DEPTH:
            one = waiting.pop()
            if one.lower() in seen:
                continue
            seen.add(one.lower())
            targets = self._look_up(one, is_local(one), base)
            full = [target if "@" in target else f"{target}@{origin}" for target in targets]
            # An address that leads to itself, too, has come to its end.
            if not full or one.lower() in (target.lower() for target in full):
                found.add(one)
            waiting += full
        return found

    def has(self, address: str, *, is_local: bool, base: Callable[[str], str]) -> bool:
        """Is there a line for it?"""
        return bool(self._look_up(address, is_local, base))

    def _look_up(self, address: str, is_local: bool, base: Callable[[str], str]) -> tuple[str, ...]:
        name, _, domain = address.lower().rpartition("@")
        short = base(name)
        extension = name.removeprefix(short)
        keys = [(f"{name}@{domain}", ""), (f"{short}@{domain}", extension)]
        if is_local:
            keys += [(name, ""), (short, extension)]
        keys.append((f"@{domain}", ""))
        found, rest = next(((self.table[key], rest) for key, rest in keys if key in self.table), ((), ""))
        # What no key had goes on with the result (propagate_unmatched_extensions).
        return tuple("@".join([f"{head}{rest}", *at]) for head, *at in (target.split("@") for target in found))
