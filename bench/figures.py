"""A figure: several readings of one thing, and the table of all of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Readings of one quantity in `unit`; `against` names the figure it is held against, as a ratio."""

    name: str
    unit: str
    readings: Sequence[float]
    against: str | None = None
    wanted: str = ""

    @property
    def median(self) -> float:
        """The middle reading."""
        return statistics.median(self.readings)


def print_table(figures: Sequence[Figure], console: Console) -> None:
    """The figures with median, least and most, and the ratio to what each is held against, where that was measured."""
    medians = {figure.name: figure.median for figure in figures}
    table = Table(title="maillab, one run on this machine")
    for column in ("figure", "median", "min", "max", "runs", "ratio", "wanted"):
        table.add_column(column, justify="left" if column in ("figure", "wanted", "ratio") else "right")
    for figure in figures:
        against = medians.get(figure.against or "")
        ratio = f"{figure.median / against:.2f} × {figure.against}" if against else ""
        table.add_row(
            figure.name,
            f"{figure.median:.2f} {figure.unit}",
            f"{min(figure.readings):.2f}",
            f"{max(figure.readings):.2f}",
            str(len(figure.readings)),
            ratio,
            figure.wanted,
        )
    console.print(table)
