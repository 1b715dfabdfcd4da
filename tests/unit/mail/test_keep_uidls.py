"""What Dovecot called its messages, mailutils' pop3d calls them too (files/mail/image/lib/keep-uidls)."""

import subprocess
from pathlib import Path

import pytest

from maillab.cli.stack import ROOT

PROGRAM = ROOT / "files" / "mail" / "image" / "lib" / "keep-uidls"
FETCHED = (
    "From a Mon\nSubject: x\nX-IMAPbase: 1796057734 0000000002\nX-UID: 1   \nStatus: O\n\nX-UID: 9\n>From here\n\n"
)
SECOND = "From b Mon\nX-UID: 10\n\nbye\n\n"
OLDER = "From c Mon\nX-UIDL: mine\nX-UID: 3\n\nbye\n\n"
NEW = "From d Mon\nSubject: x\n\nX-UID: 9\n\n"


def kept(path: Path) -> str:
    """What the program makes of the mailbox."""
    subprocess.run(["perl", PROGRAM, path], check=True, capture_output=True)
    return path.read_text("utf-8")


def test_each_message_has_the_id_that_dovecot_gave_it(tmp_path: Path) -> None:
    box = tmp_path / "lin"
    box.write_text(FETCHED + SECOND + OLDER + NEW, "utf-8")
    box.chmod(0o660)
    found = kept(box)
    assert found == (
        FETCHED.replace("Status: O\n", "Status: O\nX-UIDL: 000000016b0daa86\n")
        + SECOND.replace("X-UID: 10\n", "X-UID: 10\nX-UIDL: 0000000a6b0daa86\n")
        + OLDER
        + NEW
    )
    assert (kept(box), box.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (found, 0o660, [box])


@pytest.mark.parametrize("text", ["", NEW, SECOND, OLDER, "From a Mon\nX-UID: 1\n\nX-IMAPbase: 1 2\n"])
def test_mailbox_that_dovecot_does_not_know_is_left_alone(tmp_path: Path, text: str) -> None:
    box = tmp_path / "lin"
    box.write_text(text, "utf-8")
    before = box.stat()
    assert kept(box) == text
    assert box.stat().st_ino == before.st_ino


def test_mailbox_in_use_is_left_alone(tmp_path: Path) -> None:
    box = tmp_path / "lin"
    box.write_text(FETCHED, "utf-8")
    (tmp_path / "lin.lock").touch()
    program = PROGRAM.read_text("utf-8").replace("TRIES => 50", "TRIES => 1")
    done = subprocess.run(["perl", "-e", program, box], check=True, capture_output=True, text=True)
    assert "in use" in done.stderr
    assert box.read_text("utf-8") == FETCHED
