"""Steps that fail, and what is retained, are shown with Pulumi's words (pkg/backend/display of its source)."""

from __future__ import annotations

import io

from maillab.offline.display import Display

URN = "urn:pulumi:test::kit::docker:index/{}:{}::{}"
STACK = "urn:pulumi:test::kit::pulumi:pulumi:Stack::kit-test"
BOX = URN.format("container", "Container", "box")
SPOOL = URN.format("volume", "Volume", "spool")


def shown() -> tuple[Display, io.StringIO]:
    out = io.StringIO()
    return Display(out=out), out


def ended(display: Display, *, dry_run: bool = False) -> str:
    """The summary's text."""
    before = len(display.out.getvalue())
    display.summary({}, 1.0, dry_run=dry_run)
    return str(display.out.getvalue())[before:]


def test_a_retained_one_is_marked_when_it_goes() -> None:
    display, out = shown()
    with display.step(SPOOL, "delete", deleting=True, retained=True):
        pass
    begun, gone = out.getvalue().splitlines()
    assert begun == " -  docker:index:Volume spool deleting[retain]"
    assert gone == " -  docker:index:Volume spool deleted (0.0s)[retain]"


def test_a_retained_one_is_marked_in_a_preview() -> None:
    display, out = shown()
    display.planned(SPOOL, "delete", retained=True)
    display.planned(BOX, "delete")
    assert out.getvalue() == " -  docker:index:Volume spool delete[retain]\n -  docker:index:Container box delete\n"


def test_what_failed_counts_with_the_stack() -> None:
    """Two errors of one resource are one resource that failed."""
    display, _ = shown()
    display.planned(STACK, "create")
    display.planned(SPOOL, "create")
    for _ in range(2):
        display.diagnostic("error", BOX, "no such image")
    display.diagnostic("warning", SPOOL, "old")
    display.diagnostic("error", "", "update failed")
    text = ended(display)
    assert text.startswith(" +  pulumi:pulumi:Stack kit-test **creating failed** 1 error\n\nDiagnostics:\n")
    assert "\nResources:\n    + 2 created\n    2 errored\n\nDuration: 1.0s\n" in text


def test_a_stack_that_was_there_just_failed() -> None:
    display, _ = shown()
    display.planned(STACK, "same")
    display.diagnostic("error", "", "no such school")
    display.diagnostic("error", "", "no such machine")
    text = ended(display)
    assert text.startswith("    pulumi:pulumi:Stack kit-test **failed** 2 errors\n")
    assert "\n    1 unchanged\n    1 errored\n" in text


def test_a_preview_counts_too() -> None:
    display, _ = shown()
    display.diagnostic("error", BOX, "no such image")
    text = ended(display, dry_run=True)
    assert "**" not in text
    assert "\nResources:\n    1 errored\n" in text


def test_without_an_error_nothing_errored() -> None:
    display, _ = shown()
    display.planned(BOX, "create")
    display.diagnostic("warning", BOX, "old")
    text = ended(display)
    assert "errored" not in text
    assert "**" not in text
