"""Names of hosts and domains (RFC 1123, section 2.1): what is wrong with one, and how it is written."""

import functools
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from components.config.catalogue import Phrase, phrase
from components.config.problem import quoted

LONGEST_LABEL = 63
LONGEST_NAME = 253  # RFC 1035, section 2.3.4: 255 bytes on the wire
# Before a domain comes at least the name of a host.
LONGEST_DOMAIN = LONGEST_NAME - LONGEST_LABEL - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFault:
    """`what` is wrong with a name, as the rest of a sentence that begins with the name; and what to do.

    `better`: the name as it was probably meant; empty when that is no good name either.
    """

    what: Phrase
    better: str
    is_label: bool

    @property
    def remedy(self) -> Phrase:
        """What to write instead."""
        if self.better:
            return phrase("write-better", name=self.better)
        return phrase("form-of-a-label" if self.is_label else "form-of-a-name")


def name_fault(name: str, *, least: int = 1, most: int | None = None, longest: int = LONGEST_NAME) -> NameFault | None:
    """What is wrong with `name`, or None. It has `least` to `most` labels (None: any number), `longest` characters."""
    faults = list(_faults(name, least, most, longest))
    if not faults:
        return None
    better = _corrected(name, most)
    good = better != name and not list(_faults(better, least, most, longest))
    what = functools.reduce(lambda first, second: phrase("both", first=first, second=second), faults)
    return NameFault(what=what, better=better if good else "", is_label=most == 1)


def is_address(text: str) -> bool:
    """Whether `text` is an IP address, in brackets or not: where a name belongs, it is a common mistake."""
    try:
        ipaddress.ip_address(text.removeprefix("[").removesuffix("]").lower().removeprefix("ipv6:"))
    except ValueError:
        return False
    return True


def _faults(name: str, least: int, most: int | None, longest: int) -> Iterator[Phrase]:
    if is_address(name):
        yield phrase("is-an-address")
        return
    bare = name.strip(".")
    labels = bare.split(".")
    if name.endswith("."):
        yield phrase("ends-with-a-dot")
    if name.startswith("."):
        yield phrase("begins-with-a-dot")
    if "" in labels:
        yield phrase("has-an-empty-label" if bare else "has-no-label")
    if re.search("[A-Z]", name):
        yield phrase("has-capital-letters")
    if "_" in name:
        yield phrase("has-an-underscore")
    if others := "".join(dict.fromkeys(re.sub(r"[A-Za-z0-9_.-]", "", name))):
        yield phrase("has-other-characters", characters=quoted(others))
    if any(label != label.strip("-") for label in labels):
        yield phrase("has-a-hyphen-at-the-edge")
    if any(len(label) > LONGEST_LABEL for label in labels):
        yield phrase("has-a-long-label", limit=LONGEST_LABEL)
    if len(bare) > longest:
        yield phrase("is-too-long", limit=longest)
    if bare and len(labels) < least:
        yield phrase("has-too-few-labels", least=least)
    if most is not None and len(labels) > most:
        yield phrase("has-a-dot") if most == 1 else phrase("has-too-many-labels", most=most)


def _corrected(name: str, most: int | None) -> str:
    """`name` without what can be put right without a question."""
    text = name.strip().rpartition("@")[2].lower().replace("_", "-")
    labels = [label.strip("-") for label in text.split(".") if label.strip("-")][:most]
    text = ".".join(labels)
    try:
        # A name in other letters is written so in DNS (RFC 5890).
        return text if text.isascii() else text.encode("idna").decode()
    except UnicodeError:
        return text
