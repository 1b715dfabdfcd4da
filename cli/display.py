"""The offline engine's display, for people: the outputs are shown by the table of machines."""

from __future__ import annotations

from offline.display import Display
from offline.values import Value


class WithoutOutputs(Display):
    """As `pulumi --suppress-outputs`."""

    def summary(self, outputs: dict[str, Value], seconds: float, *, dry_run: bool) -> None:  # noqa: ARG002 (left out)
        """Counts and duration only; `outputs` stay in the result."""
        super().summary({}, seconds, dry_run=dry_run)
