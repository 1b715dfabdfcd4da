"""Images brought from one engine to another; docker is a script with a file for each image that an engine has."""

from pathlib import Path

import pytest

from maillab.where.images import bring
from maillab.where.problem import WhereError
from tests.unit.conftest import Program

HERE, THERE = "unix:///here", "unix:///there"
# An engine that gives an image an id of its own when it is loaded, as some do.
DOCKER = """
host=$2; shift 2
echo "$host $*" >>calls
case "$1 $2" in
  "image inspect") cat "there/$(basename "$5")" 2>/dev/null || { echo "No such image: $5" >&2; exit 1; };;
  save*) SAVE;;
  load*) LOAD;;
esac
"""
SAVE = 'shift; echo "$*"'
LOAD = 'for tag in $(cat); do echo "sha256:new-$(basename "$tag")" >"there/$(basename "$tag")"; done'
IMAGES = {"maillab/mail": "sha256:1", "maillab/dns": "sha256:2", "maillab/machine": "sha256:3"}


@pytest.fixture(autouse=True)
def there(project: Path) -> Path:
    """What the engine of the lab has: nothing."""
    folder = project / "there"
    folder.mkdir()
    return folder


def docker(program: Program, save: str = SAVE, load: str = LOAD) -> None:
    program("docker", DOCKER.replace("SAVE", save).replace("LOAD", load))


def calls(verb: str) -> list[str]:
    """The calls of docker with this verb."""
    lines = Path("calls").read_text("utf-8").splitlines()
    return [line for line in lines if line.split()[1] == verb]


def test_everything_goes_in_one_archive(program: Program, said: list[str]) -> None:
    docker(program)
    bring(IMAGES, HERE, THERE, said.append)
    assert calls("save") == [f"{HERE} save maillab/mail maillab/dns maillab/machine"]
    assert calls("load") == [f"{THERE} load --quiet"]


def test_the_ids_of_the_far_side_are_answered_in_order(program: Program, said: list[str]) -> None:
    docker(program)
    answer = bring(IMAGES, HERE, THERE, said.append)
    assert answer.splitlines() == [
        "maillab/mail sha256:new-mail",
        "maillab/dns sha256:new-dns",
        "maillab/machine sha256:new-machine",
    ]


def test_only_what_is_missing_is_brought(program: Program, there: Path, said: list[str]) -> None:
    docker(program)
    (there / "dns").write_text("sha256:2\n", "utf-8")
    (there / "mail").write_text("sha256:old\n", "utf-8")
    bring(IMAGES, HERE, THERE, said.append)
    assert calls("save") == [f"{HERE} save maillab/mail maillab/machine"]


def test_nothing_is_brought_when_all_is_there(program: Program, there: Path, said: list[str]) -> None:
    docker(program)
    for tag, image in IMAGES.items():
        (there / Path(tag).name).write_text(f"{image}\n", "utf-8")
    assert bring(IMAGES, HERE, THERE, said.append) == "\n".join(f"{tag} {image}" for tag, image in IMAGES.items())
    assert (calls("save"), said) == ([], [])


def test_a_failing_load_is_reported_with_its_words(program: Program, said: list[str]) -> None:
    """And does not wait for a `save` that would go on for ever."""
    docker(program, save="exec yes", load="echo 'Error processing tar file' >&2; exit 1")
    with pytest.raises(WhereError, match=r"^docker load failed: Error processing tar file$") as failure:
        bring(IMAGES, HERE, THERE, said.append)
    assert failure.value.id == "images-failed"


def test_a_failing_load_does_not_wait_for_a_silent_save(
    program: Program, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("maillab.where.images.LAST_WORDS_SECONDS", 0.1)
    docker(program, save="echo $$ >pid; exec sleep 1000", load="until [ -s pid ]; do :; done; exit 1")
    with pytest.raises(WhereError, match="docker load failed"):
        bring(IMAGES, HERE, THERE, said.append)
    assert not Path(f"/proc/{Path('pid').read_text('ascii').strip()}").exists()


def test_a_failing_save_is_reported_with_its_words(program: Program, said: list[str]) -> None:
    docker(program, save="echo 'no such image' >&2; exit 1")
    with pytest.raises(WhereError, match=r"^docker save failed: no such image$"):
        bring(IMAGES, HERE, THERE, said.append)


def test_the_cause_of_half_an_archive_is_reported_too(program: Program, said: list[str]) -> None:
    docker(program, save="echo 'layer is damaged' >&2; exit 1", load="cat; echo 'unexpected EOF' >&2; exit 1")
    with pytest.raises(WhereError, match=r"unexpected EOF; docker save failed: layer is damaged$"):
        bring(IMAGES, HERE, THERE, said.append)


def test_a_load_that_was_killed_is_no_success(program: Program, said: list[str]) -> None:
    docker(program, load="kill -9 $$")
    with pytest.raises(WhereError, match="was killed"):
        bring(IMAGES, HERE, THERE, said.append)


def test_a_load_may_leave_the_archives_end(program: Program, said: list[str]) -> None:
    docker(program, save=f"{SAVE}; exec yes", load=LOAD.replace("cat", "head -n 1"))
    assert bring(IMAGES, HERE, THERE, said.append).startswith("maillab/mail sha256:new-mail")


def test_many_words_on_both_sides_stop_nothing(program: Program, said: list[str]) -> None:
    """More than a pipe holds."""
    words = "head -c 300000 /dev/zero >&2"
    docker(program, save=f"{words}; {SAVE}", load=f"{words}; {LOAD}")
    assert bring(IMAGES, HERE, THERE, said.append).startswith("maillab/mail sha256:new-mail")


def test_a_full_disk_there_is_reported_as_that(program: Program, said: list[str]) -> None:
    docker(program, load="cat; echo 'write /x: no space left on device' >&2; exit 1")
    with pytest.raises(WhereError, match="no space left on device") as failure:
        bring(IMAGES, HERE, THERE, said.append)
    assert failure.value.id == "no-space"
    assert "vm.disk" in failure.value.remedy[0]
    assert "another computer" in failure.value.remedy[1]


def test_the_persons_engine_is_not_asked(program: Program, said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///elsewhere")
    monkeypatch.setenv("DOCKER_CONTEXT", "elsewhere")
    program("docker", 'echo "$DOCKER_HOST$DOCKER_CONTEXT" >>given; case "$*" in *load*) cat;; *) echo sha256:1;; esac')
    bring({"maillab/mail": "sha256:2"}, HERE, THERE, said.append)
    assert set(Path("given").read_text("utf-8").splitlines()) == {""}
