"""The keys of a machine; the real ssh-keygen and mkfs.ext4 are scripts here."""

from pathlib import Path

import pytest

from maillab.where.home import Home
from maillab.where.keys import make_keys
from maillab.where.problem import WhereError
from tests.unit.conftest import Program


@pytest.fixture(autouse=True)
def programs(program: Program) -> None:
    """ssh-keygen makes a pair with the comment in it, and says a fingerprint."""
    program("ssh-keygen", 'for file; do :; done; [ "$1" = -l ] && exec echo "256 SHA256:of $file"; echo "$*" >>calls; '
            'echo secret >"$file"; echo "ssh-ed25519 AAAA $7" >"$file.pub"')  # fmt: skip
    program("mkfs.ext4", 'ls "$6" >seed; echo image >"$7"')


def test_keys_are_made_once(home: Home) -> None:
    assert make_keys(home, "lab") == make_keys(home, "lab")
    assert len(Path("calls").read_text("utf-8").splitlines()) == 2


def test_the_host_key_is_known_under_a_name_of_its_own(home: Home) -> None:
    make_keys(home, "lab")
    assert home.read("known_hosts") == "lab-vm ssh-ed25519 AAAA lab-lab"


def test_the_seed_brings_no_private_key_but_the_hosts(home: Home) -> None:
    make_keys(home, "lab")
    assert set(Path("seed").read_text("utf-8").split()) == {
        "authorized_keys", "hostname", "ssh_host_ed25519_key", "ssh_host_ed25519_key.pub",
    }  # fmt: skip


def test_the_seed_is_its_owners_alone(home: Home) -> None:
    make_keys(home, "lab")
    assert (home.folder / "seed.img").stat().st_mode & 0o777 == 0o600
    assert not (home.folder / "seed.img.new").exists()


def test_a_failing_program_is_told_with_its_words(home: Home, program: Program) -> None:
    program("mkfs.ext4", "echo 'mkfs.ext4: no room' >&2; exit 1")
    with pytest.raises(WhereError, match=r"mkfs\.ext4 -q -F: mkfs\.ext4: no room") as failure:
        make_keys(home, "lab")
    assert failure.value.id == "program-failed"
