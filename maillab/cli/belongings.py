"""What on the Docker engine is the lab's: another folder may have a lab of the same name there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maillab.cli.docker import docker
from maillab.cli.stack import ROOT, Stack
from maillab.where.known import KINDS, Known, Thing, known_of
from maillab.where.ownership import Lab, is_own, listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Belongings:
    """A lab, and what the folder's states said of it when they were asked."""

    lab: Lab
    known: Known
    root: Path = ROOT

    def of(self, kind: str) -> list[str]:
        """Names of the lab's containers, networks or volumes (`kind`: container, network, volume)."""
        return sorted(one.name for one in self._of(kind))

    def removable(self, kind: str) -> list[str]:
        """Those of `of` that this folder's mark or its states say are its own.

        A volume without a mark, from before there was one, is given to a lab of its label; but it may be another
        folder's, and hold its mail.
        """
        return sorted(one.name for one in self._of(kind) if one.owner or self.known.has(one))

    def has(self, one: Thing) -> bool:
        """Whether this folder made it, a container or a network; a volume's owner may depend on what else is there."""
        return is_own(one, self.lab, [one], self.known)

    def unused_mail(self) -> list[str]:
        """Names of the lab's volumes that no machine of it has: those of machines that are gone."""
        return [name for name in self.of("volume") if ("volume", name) not in self.known.made]

    def of_others(self) -> list[Thing]:
        """What has the lab's label and is not its own, sorted by kind and name."""
        there = self._there()
        others = [one for one in there if one.label == self.lab.label and not self._is_own(one, there)]
        return sorted(others, key=str)

    def _of(self, kind: str) -> list[Thing]:
        there = self._there()
        return [one for one in there if one.kind == kind and self._is_own(one, there)]

    def _there(self) -> list[Thing]:
        return [one for kind in KINDS for one in listed(kind, docker)]

    def _is_own(self, one: Thing, there: list[Thing]) -> bool:
        """Of all that the folder's states have, and of what carries its mark, only this lab's."""
        other_lab = one.label != self.lab.label and not self.known.has(one)
        return not other_lab and is_own(one, self.lab, there, self.known)


def belongings_of(stack: Stack) -> Belongings:
    """Those of the stack; ask as long as its states are there."""
    lab = Lab(stack=stack.name, label=stack.label, owner=stack.owner)
    return Belongings(lab=lab, known=known_of(stack.root, stack.name), root=stack.root)
