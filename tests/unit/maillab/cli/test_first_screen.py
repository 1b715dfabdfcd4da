"""What `up` shows at its end."""

from dataclasses import replace

import pytest

from maillab.cli import first_screen
from maillab.cli.stack import Stack
from maillab.cli.status import LabStatus
from tests.unit.maillab.cli.test_status import DEAF, GOOD, judged, lab


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[LabStatus]:
    """What each look finds; the last one again and again."""
    found: list[LabStatus] = []
    monkeypatch.setattr(first_screen, "status_of", lambda _: found.pop(0) if len(found) > 1 else found[0])
    monkeypatch.setattr(first_screen, "a_user_of", lambda _: "chen@school.example")
    monkeypatch.setattr(first_screen, "small_scanners", lambda _: ["mail"])
    monkeypatch.setattr(first_screen, "PAUSE", 0)
    return found


def test_machine_that_boots_is_waited_for(
    stack: Stack, looks: list[LabStatus], capsys: pytest.CaptureFixture[str]
) -> None:
    booting, well = (lab(judged(stack, report)) for report in (replace(DEAF, state="booting"), GOOD))
    looks += [booting, booting, well]
    assert first_screen.show_first_screen(stack) == well
    assert capsys.readouterr().out.startswith("lab: all 1 machines are well")


def test_machine_that_boots_for_ever_is_shown_so(
    stack: Stack, looks: list[LabStatus], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_screen, "BOOT", 0)
    looks.append(lab(judged(stack, replace(DEAF, state="booting"))))
    first_screen.show_first_screen(stack)
    assert "not ready yet: mail" in capsys.readouterr().out


def test_it_says_that_the_signatures_are_few(
    stack: Stack, looks: list[LabStatus], capsys: pytest.CaptureFixture[str]
) -> None:
    looks.append(lab(judged(stack, GOOD)))
    first_screen.show_first_screen(stack)
    assert "\nmail: knows EICAR's test virus only; all viruses: virus_database: full\n" in capsys.readouterr().out
