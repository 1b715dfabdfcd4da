"""Role `disks`: what was kept of a small disk is put where it belongs, and none of it is lost on the way."""

import subprocess
from pathlib import Path

import pytest

from components.templates import FILES

ROLE = FILES / "machine/image/roles/disks"


def run(tmp_path: Path, verb: str, *lines: str) -> subprocess.CompletedProcess[str]:
    """The role's verb, with folders of the test's own in the place of the machine's."""
    (tmp_path / "live/etc/maillab").mkdir(parents=True, exist_ok=True)
    (tmp_path / "live/etc/maillab/volumes").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    common = (FILES / "machine/image/roles/role.sh").read_text("utf-8")
    script = ROLE.read_text("utf-8").replace(". /usr/lib/maillab/roles/role.sh\n", common)
    places = {
        "/etc/maillab/current": "live",
        "beside=/mnt": "beside=mnt",
        "emptied=/var/lib/maillab-disks": "emptied=emptied",
    }
    for old, new in places.items():
        assert old in script
        script = script.replace(old, new.replace("=", f"={tmp_path}/") if "=" in new else str(tmp_path / new))
    script = script.replace("postsuper -s", "true").replace("/usr/lib/maillab/roles/postfix repair", "true")
    return subprocess.run(["bash", "-c", script, "disks", verb], capture_output=True, text=True, check=False)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    """A folder in the place of /var/mail, with a mailbox."""
    write(tmp_path / "mail/chen", "From a\n\nold\n\n")
    return tmp_path / "mail"


@pytest.mark.parametrize("folder", [".small", ".small.old"])
def test_kept_mailboxes_come_behind_those_that_are_there(tmp_path: Path, mail: Path, folder: str) -> None:
    """A machine that was ended while it kept them has only those of the time before."""
    write(mail / folder / "chen", "From b\n\nnew\n\n")
    write(mail / folder / "lin", "From c\n\nfirst\n\n")
    done = run(tmp_path, "start", f"mailboxes {mail} whole")
    assert done.stderr == ""
    assert (mail / "chen").read_text("utf-8") == "From a\n\nold\n\nFrom b\n\nnew\n\n"
    assert (mail / "lin").read_text("utf-8") == "From c\n\nfirst\n\n"
    assert sorted(path.name for path in mail.iterdir()) == ["chen", "lin"]


def test_kept_messages_go_into_the_queues(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    for queue in ("incoming", "active", "deferred", "hold", "maildrop", "corrupt", "defer", "bounce", "trace"):
        (spool / queue).mkdir(parents=True)
    write(spool / ".small/deferred/F/4jd9ZN74Z7z1W", "message")
    write(spool / ".small/defer/F/4jd9ZN74Z7z1W", "why")
    write(spool / ".small/hold/4jd9ZK4959z1H", "held")
    assert run(tmp_path, "start", f"spool {spool} whole").stderr == ""
    there = {str(path.relative_to(spool)): path.read_text("utf-8") for path in spool.rglob("*") if path.is_file()}
    assert there == {"deferred/4jd9ZN74Z7z1W": "message", "defer/4jd9ZN74Z7z1W": "why", "hold/4jd9ZK4959z1H": "held"}
    assert not (spool / ".small").exists()


def test_message_with_a_name_that_is_taken_stays_where_it_is(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    write(spool / "hold/1", "one")
    write(spool / ".small/hold/1", "another")
    done = run(tmp_path, "start", f"spool {spool} whole")
    assert "stays in" in done.stderr
    assert ((spool / "hold/1").read_text(), (spool / ".small/hold/1").read_text()) == ("one", "another")


def test_what_is_on_a_small_disk_is_kept_and_comes_back(tmp_path: Path, mail: Path) -> None:
    line = f"mailboxes {mail} full"
    (tmp_path / "mnt/mailboxes").mkdir(parents=True)
    write(mail / "core", "0000")
    assert run(tmp_path, "stop", line).stderr == ""
    assert [path.name for path in (tmp_path / "mnt/mailboxes/.small").iterdir()] == ["chen"]
    assert not (tmp_path / "emptied").exists()
    for path in mail.iterdir():  # the machine's life ends, and with it the memory
        path.unlink()
    run(tmp_path, "start", line)
    assert (mail / "chen").read_text("utf-8") == "From a\n\nold\n\n"


def test_start_changes_nothing_of_a_disk_that_is_laid_out(tmp_path: Path, mail: Path) -> None:
    line = f"mailboxes {mail} small"
    write(tmp_path / "mnt/mailboxes/.small/chen", "older")
    write(mail / ".small-disk", "")
    run(tmp_path, "start", line)
    assert (mail / "chen").read_text("utf-8") == "From a\n\nold\n\n"


def test_who_made_room_finds_it_after_a_restart(tmp_path: Path, mail: Path) -> None:
    (tmp_path / "mnt/mailboxes").mkdir(parents=True)
    run(tmp_path, "stop", f"mailboxes {mail} full")
    assert (tmp_path / "emptied/mailboxes").exists()
