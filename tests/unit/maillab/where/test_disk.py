"""The disk that machines start from: made once for each recipe; what makes it are scripts."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from maillab.where import disk
from maillab.where.problem import WhereError
from maillab.where.qemu import this_arch

RECIPE = {"/etc/hostname": "lab\n", "/usr/local/sbin/seed": "#!/bin/sh\n"}
PACKAGES = "# what it is\nlinux-image-cloud-ARCH\n\nudev # devices\n"
SCRIPT = 'echo made >>made; cd "$1"; ls -lR files >../seen; touch disk.raw vmlinuz initrd.img'
Make = Callable[..., str]


@pytest.fixture(autouse=True)
def base_tar(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """setup/base-tar, which remembers that it ran; there is room enough."""
    script = project / "setup" / "base-tar"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\necho made >>base.made; echo tar >"$1"\n', "utf-8")
    script.chmod(0o755)
    monkeypatch.setattr(disk, "NEEDED", 1)
    return script


@pytest.fixture
def make(said: list[str]) -> Make:
    """Makes a disk; answers its folder."""

    def made(recipe: dict[str, str] = RECIPE, packages: str = PACKAGES, script: str = SCRIPT) -> str:
        return disk.make_disk(recipe, packages, script, said.append)

    return made


def times(name: str = "made") -> int:
    """How often it was made."""
    return len(Path(name).read_text("utf-8").splitlines())


def test_a_disk_is_kept_under_its_recipe(make: Make) -> None:
    folder = Path(make())
    assert folder.parent == Path(".cache/vm")
    assert sorted(path.name for path in folder.iterdir() if path.name in disk.FILES) == sorted(disk.FILES)


def test_one_recipe_is_made_once(make: Make, said: list[str]) -> None:
    assert make() == make()
    assert times() == 1
    assert said[-1].startswith("the disk of this recipe is there: .cache/vm/")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"recipe": RECIPE | {"/etc/hostname": "other\n"}}, id="a text"),
        pytest.param({"recipe": {"/etc/hosts": "lab\n", "/usr/local/sbin/seed": "#!/bin/sh\n"}}, id="a path"),
        pytest.param({"packages": PACKAGES + "kmod\n"}, id="a package"),
        pytest.param({"script": SCRIPT + "\n# more"}, id="the script"),
    ],
)
def test_another_recipe_is_another_disk(make: Make, change: dict[str, object]) -> None:
    assert make() != make(**change)
    assert times() == 2


def test_a_comment_among_the_packages_changes_nothing(make: Make) -> None:
    assert make() == make(packages="linux-image-cloud-ARCH\nudev\n")


def test_the_order_of_the_recipe_changes_nothing(make: Make) -> None:
    assert make() == make(recipe=dict(reversed(RECIPE.items())))


def test_two_disks_share_one_base(make: Make) -> None:
    make()
    make(packages="udev")
    assert times("base.made") == 1


def test_what_the_script_is_given(make: Make) -> None:
    arch = this_arch().debian
    make(script=f'cd "$1"; cat packages arch size base.tar >../given; {SCRIPT}')
    assert Path(".cache/vm/given").read_text("utf-8") == f"linux-image-cloud-{arch}\nudev\n{arch}\n4096\ntar\n"


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_rights_in_the_machine_do_not_depend_on_the_persons(make: Make, umask: int) -> None:
    before = os.umask(umask)
    try:
        make(script=f'cp -a "$1/files" copy; {SCRIPT}')
    finally:
        os.umask(before)
    modes = {str(path): stat.filemode(path.stat().st_mode) for path in (Path("copy"), *Path("copy").rglob("*"))}
    assert modes == {
        "copy": "drwxr-xr-x",
        "copy/etc": "drwxr-xr-x",
        "copy/etc/hostname": "-rw-r--r--",
        "copy/usr": "drwxr-xr-x",
        "copy/usr/local": "drwxr-xr-x",
        "copy/usr/local/sbin": "drwxr-xr-x",
        "copy/usr/local/sbin/seed": "-rwxr-xr-x",
    }


def test_what_is_needed_to_make_it_does_not_stay(make: Make) -> None:
    folder = Path(make())
    assert not (folder / "base.tar").exists()
    assert not (folder / "files").exists()


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param('cd "$1"; touch disk.raw vmlinuz initrd.img; exit 1', id="it failed"),
        pytest.param('cd "$1"; touch disk.raw vmlinuz initrd.img; kill -9 $$', id="it was killed"),
    ],
)
def test_a_disk_that_was_not_finished_does_not_count(make: Make, broken: str) -> None:
    """The same script fails once, and then does not: what lies outside of it changed."""
    script = f"[ -e repaired ] || {{ {broken}; }}\n{SCRIPT}"
    with pytest.raises(WhereError, match="making the disk failed"):
        make(script=script)
    Path("repaired").touch()
    folder = make(script=script)
    assert times() == 1
    assert set(disk.FILES) <= {path.name for path in Path(folder).iterdir()}


def test_what_an_unfinished_one_left_does_not_get_into_the_next(make: Make) -> None:
    script = f'[ -e repaired ] || {{ touch "$1/rubbish"; exit 1; }}\n{SCRIPT}'
    with pytest.raises(WhereError, match="making the disk failed"):
        make(script=script)
    Path("repaired").touch()
    assert not (Path(make(script=script)) / "rubbish").exists()


def test_a_folder_with_a_part_of_a_disk_is_made_anew(make: Make) -> None:
    (Path(make()) / "initrd.img").unlink()
    make()
    assert times() == 2


def test_a_failure_is_told_with_its_last_words(make: Make) -> None:
    with pytest.raises(WhereError) as failure:
        make(script="seq 1 100 >&2; echo E: Unable to fetch some archives >&2; exit 25")
    lines = str(failure.value).splitlines()
    assert failure.value.id == "disk-failed"
    assert lines[0] == "making the disk failed:"
    assert lines[-2:] == ["100", "E: Unable to fetch some archives"]
    assert len(lines) == 1 + disk.LAST_WORDS
    assert "network" in failure.value.remedy[0]


def test_a_base_that_can_not_be_made_is_reported(make: Make, base_tar: Path) -> None:
    base_tar.write_text("#!/bin/sh\necho mmdebstrap is missing >&2; exit 1\n", "utf-8")
    with pytest.raises(WhereError, match="making the base image failed:\nmmdebstrap is missing"):
        make()


def test_a_disk_that_became_full_is_told_as_that(make: Make) -> None:
    with pytest.raises(WhereError, match="No space left on device") as failure:
        make(script="echo 'tar: x: No space left on device' >&2; exit 2")
    assert (failure.value.id, failure.value.remedy) == ("no-space", ("the disk is full: df -h",))


def test_no_room_is_told_with_figures_before_anything_is_made(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "NEEDED", 1 << 40)
    with pytest.raises(WhereError, match=rf"/\.cache/vm has \d+ MiB free, {1 << 40} MiB are needed") as refusal:
        make()
    assert refusal.value.id == "no-space"
    assert not Path("base.made").exists()


def test_room_is_looked_for_where_a_folder_will_be(project: Path) -> None:
    with pytest.raises(WhereError, match=rf"^{project} has "):
        disk.need_room(Path("not/made/yet"), 1 << 40)


def test_a_disk_that_is_there_needs_no_room(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make()
    monkeypatch.setattr(disk, "NEEDED", 1 << 40)
    assert make() == folder
