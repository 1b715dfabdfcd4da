"""What a machine's wires are like: delay, loss and rate of everything that it sends (tc-netem(8))."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from components.config.problem import Problem, problem, quoted
from components.config.section import section

# No more decimals: a finer delay or loss would be rounded to none.
NUMBER = r"([0-9]{1,8}(?:\.[0-9]{1,3})?)"


@section
class LinkConfig:
    """The wires of one machine, as texts: `delay` 100ms or 1.5s, `loss` 2%, `rate` 64kbit or 1mbit. One at least."""

    delay: str | None = None
    loss: str | None = None
    rate: str | None = None

    @property
    def settings(self) -> dict[str, str]:
        """Those that are given, by name."""
        texts = {"delay": self.delay, "loss": self.loss, "rate": self.rate}
        return {name: text for name, text in texts.items() if text is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What one setting may be: its units as multiples of the first one, and its bounds in that."""

    units: Mapping[str, int]
    least: Decimal
    most: Decimal


QUANTITIES: Mapping[str, Quantity] = {
    "delay": Quantity(
        units={"ms": 1, "s": 1000},
        least=Decimal("0.001"),
        most=Decimal(10_000),
    ),
    "loss": Quantity(
        units={"%": 1},
        least=Decimal("0.001"),
        most=Decimal("99.999"),
    ),
    "rate": Quantity(
        units={"kbit": 1, "mbit": 1000, "gbit": 1_000_000},
        least=Decimal(8),
        most=Decimal(10_000_000),
    ),
}


def check_link(link: LinkConfig, where: str) -> list[Problem]:
    """Every problem of one machine's entry."""
    if not link.settings:
        return [problem("empty-link", where, settings=", ".join(QUANTITIES))]
    return [found for name, text in link.settings.items() for found in _check_setting(name, text, f"{where}.{name}")]


def _check_setting(name: str, text: str, where: str) -> list[Problem]:
    quantity = QUANTITIES[name]
    found = re.fullmatch(f"{NUMBER}({'|'.join(quantity.units)})", text)
    value = Decimal(found[1]) * quantity.units[found[2]] if found else None
    if value is not None and quantity.least <= value <= quantity.most:
        return []
    if value is not None and name == "loss" and value >= 100:
        return [problem("link-cut", where, loss=text)]
    return [problem(f"bad-link.{name}", where, text=quoted(text))]
