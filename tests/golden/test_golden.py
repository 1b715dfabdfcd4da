"""Every rendered file is as it was when somebody last read it."""

import difflib

import pytest

from tests.golden.rendering import RENDERED, kept, lab_of, rendered

RENEW = "read the difference; when it is meant, run .venv/bin/python -m tests.golden.renew and commit"


def _machines() -> list[tuple[str, str]]:
    return [(stack, name) for stack in RENDERED for name in sorted({path.split("/")[0] for path in rendered(stack)})]


@pytest.mark.parametrize(("stack", "machine"), [pytest.param(*pair, id="-".join(pair)) for pair in _machines()])
def test_files_of_the_machine_are_as_kept(stack: str, machine: str) -> None:
    old, new = (
        {path: text for path, text in files.items() if path.startswith(f"{machine}/")}
        for files in (kept(stack), rendered(stack))
    )
    difference = [
        line
        for path in sorted(old.keys() | new.keys())
        for line in difflib.unified_diff(
            old.get(path, "").splitlines(), new.get(path, "").splitlines(), f"kept/{path}", f"now/{path}", lineterm=""
        )
    ]
    # An empty file that came or went has no line that differs.
    if old != new:
        pytest.fail("\n".join([*difference, *sorted(old.keys() ^ new.keys()), RENEW]), pytrace=False)


@pytest.mark.parametrize("stack", RENDERED)
def test_every_kept_folder_is_a_machine(stack: str) -> None:
    assert {path.split("/")[0] for path in kept(stack)} == {path.split("/")[0] for path in rendered(stack)}, RENEW


@pytest.mark.parametrize("stack", RENDERED)
def test_no_password_is_in_a_public_file(stack: str) -> None:
    lab = lab_of(stack)
    servers = [machine.mail for school in lab.schools for machine in school.machines if machine.mail]
    passwords = {user.password for users in (lab.internet.mail.users, *(s.users for s in servers)) for user in users}
    assert passwords
    leaks = [path for path, text in rendered(stack).items() if any(password in text for password in passwords)]
    assert leaks == []
