"""The build context's digest is the docker provider's (golden values from the real one), and builds follow it."""

from __future__ import annotations

from pathlib import Path

import pytest

from maillab.offline.images import digest, go_mode
from tests.engine.stacks import OfflineStack, Stack

GOLDEN = {
    "plain": "e229bd0fce48d1e1b95745ebf35b415bb701b16fd2bb34306e3eb662a478a322",
    "links": "2f66ad5e8e2f1415b957203ef6a9354a9fc9bed54daaf2d67cc729f08dbabf08",
    "ignored": "716edfb0684308e1129c8fc4622cf5f4e6754bc54169d8e5c7492fea272223fe",
    "modes": "5830c77291c8aceece80116773145a65aed0f38ec9f27ac92fdb7a4d8912c431",
    "named": "ff37f94bbe11d2f599c37d53e9e027d84d48fd42865be732b8acb2996ba8ab9c",
    "unicode": "650d2e627331711b37d438e2ad26809cf13e19aa7356c11c9fe6ee76e3d9ac1d",
}
FILES = {
    "Dockerfile": "FROM debian:trixie-slim\n", "hello": "hello\n", "sub/deep/x.txt": "x\n", "sub/y.log": "y\n",
    "a.txt": "z\n", "a/in": "in\n", "logs/l.log": "l\n", "logs/keep.log": "k\n",
}  # fmt: skip
MORE = {
    "ignored": {".dockerignore": "# comment\n*.txt\n\nlogs\n!logs/keep.log\n**/*.log\nsub/deep/\n"},
    "named": {
        "other.Dockerfile": "FROM debian:trixie-slim\n",
        "other.Dockerfile.dockerignore": "hello\n",
        ".dockerignore": "a\n",
    },
    "unicode": {"學校.txt": "u\n", "with space": "s\n", ".hidden": "d\n", ".dockerignore": "[ab]*\n?ello\n"},
}
LINKS = {"rel": "sub/deep/x.txt", "abs": "/dev/null", "dirlink": "sub", "sub/up": "../a.txt"}
MODES = {"hello": 0o4755, "a.txt": 0o1777, "sub/y.log": 0o2750, "a/in": 0o600}


def make_context(name: str) -> None:
    """The contexts of which the golden digests were taken, below the current directory."""
    for file, text in {**FILES, **MORE.get(name, {})}.items():
        path = Path(name) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        path.chmod(0o755 if file == "hello" else 0o644)
    for link, target in LINKS.items() if name == "links" else ():
        (Path(name) / link).symlink_to(target)
    for file, mode in MODES.items() if name == "modes" else ():
        (Path(name) / file).chmod(mode)
    if name == "named":
        (Path(name) / "Dockerfile").unlink()


@pytest.mark.parametrize("name", GOLDEN)
def test_digest_is_the_providers(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_context(name)
    dockerfile = "other.Dockerfile" if name == "named" else "Dockerfile"
    assert digest(name, f"{name}/{dockerfile}") == GOLDEN[name]


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        pytest.param(0o100644, "-rw-r--r--", id="plain"),
        pytest.param(0o120777, "Lrwxrwxrwx", id="link"),
        pytest.param(0o104755, "urwxr-xr-x", id="setuid"),
        pytest.param(0o103750, "gtrwxr-x---", id="setgid-sticky"),
    ],
)
def test_modes_are_written_as_go_does(mode: int, text: str) -> None:
    assert go_mode(mode) == text


def test_what_is_ignored_is_not_in_the_image_and_makes_no_new_one(stack: Stack) -> None:
    (stack.root / "image" / "Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nLABEL maillab.engine-test=1\nCOPY . /copied\n", "utf-8"
    )
    (stack.root / "image" / ".dockerignore").write_text("*.log\n", "utf-8")
    (stack.root / "image" / "run.log").write_text("one", "utf-8")
    stack.program('image = lab.image("machine")\nlab.container("box", image=image.repo_digest)')
    assert stack.up().ok
    assert stack.container("box").exec_run("ls /copied").output == b"Dockerfile\nhello\n"
    (stack.root / "image" / "run.log").write_text("two", "utf-8")
    assert stack.up().ops == {}
    (stack.root / "image" / "hello").chmod(0o755)
    assert stack.preview().touched == {"machine": "update", "box": "replace"}


def test_an_image_on_top_of_another_is_built_after_it(stack: Stack) -> None:
    stack.program('base = lab.image("base")\nlab.image("top", args={"BASE": base.repo_digest})')
    assert stack.up().ok
    base, top = (stack.docker.images.get(stack.resource(name)["outputs"]["repoDigest"]) for name in ("base", "top"))
    assert top.attrs["RootFS"]["Layers"][:-1] == base.attrs["RootFS"]["Layers"]


def test_a_dockerfile_outside_of_the_context(stack: Stack) -> None:
    (stack.root / "image" / "Dockerfile").rename(stack.root / "Elsewhere")
    stack.program('image = lab.image("machine", dockerfile="Elsewhere")\nlab.container("box", image=image.repo_digest)')
    done = stack.up()
    assert done.ok, done.text
    assert stack.container("box").exec_run("cat /hello").output == b"hello\n"


def test_a_missing_dockerfile_is_named(offline: OfflineStack) -> None:
    offline.program('lab.image("machine", dockerfile="image/Dokcerfile")')
    done = offline.preview()
    assert not done.ok
    assert "there is no Dockerfile at image/Dokcerfile" in done.errors


def test_an_unchanged_image_is_not_built_again(offline: OfflineStack) -> None:
    offline.program('lab.image("machine")')
    assert offline.up().ok
    again = offline.up()
    assert "Step" not in again.text
    assert again.ops == {}
