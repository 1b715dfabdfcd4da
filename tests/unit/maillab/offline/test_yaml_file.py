"""A stack file that no program can use is an error with its place, in the engine and in the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from maillab.cli.problem import MaillabError
from maillab.cli.stack import Stack
from maillab.offline.project import load_project
from maillab.offline.values import OfflineError
from maillab.offline.yaml_file import DEEPEST, read_yaml

LAUGHS = "\n".join(["a0: &a0 x", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12))])
WRONG = {
    "a list in itself": ("config: {maillab:links: &a [*a]}", "line 1: *a refers to what it stands in"),
    "a mapping in itself": ("config:\n  maillab:links: &a\n    b: {c: *a}\n", "line 3: *a refers to what it stands in"),
    "a mapping merged with itself": ("config: &a\n  <<: *a\n", "line 2: *a refers to what it stands in"),
    "a few lines that say a billion values": (LAUGHS, "more than 1,000,000 values"),
    "brackets without end": ("config: " + "[" * 100_000 + "]" * 100_000, f"more than {DEEPEST} lists and mappings"),
    "keys of keys": ("? " * 200 + "x", f"more than {DEEPEST} lists and mappings"),
    "steps without end": ("".join(f"{' ' * n}a:\n" for n in range(200)), f"more than {DEEPEST} lists and mappings"),
    "a number without end": (f"config: {{a: {'9' * 5000}}}", "not valid YAML: Exceeds the limit"),
    "a date that there can't be": (
        "config: {a: 2006-13-45}",
        "line 1: 2006-13-45 is a date to YAML; write it in quotes",
    ),
    "a date": ("config: {maillab:made: 2006-01-02}", "line 1: 2006-01-02 is a date to YAML; write it in quotes"),
    "a date below": ("config: {a:\n [{b: 2006-01-02}]}", "line 2: 2006-01-02 is a date to YAML"),
    "a date as a key": ("config: {a: {2006-01-02: x}}", "line 1: 2006-01-02 is a date"),
    "binary data": ("config: {a: !!binary aGFsbG8=}", "is binary data to YAML"),
    "a set": ("config: {a: !!set {x}}", "is a set to YAML"),
    "an anchor that there is not": ("config: *nowhere", "found undefined alias"),
    "cut": ("config: {", "not valid YAML"),
    "a control character": ("config: {a: \x01}", "not valid YAML"),
    "a list": ("[config]", "it is a list, and must be a mapping"),
    "a text": ("just a text", "it is a text, and must be a mapping"),
    "a text for the settings": ("config: vm", "`config` is a text, and must be a mapping"),
    "a list for the settings": ("config: [vm]", "`config` is a list, and must be a mapping"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project whose stack is called lab."""
    (tmp_path / "Pulumi.yaml").write_text("name: maillab\n", "utf-8")
    return tmp_path


@pytest.mark.parametrize(("text", "what"), WRONG.values(), ids=WRONG)
def test_it_is_an_error_with_its_place(folder: Path, text: str, what: str) -> None:
    (folder / "Pulumi.lab.yaml").write_text(text, "utf-8")
    with pytest.raises(OfflineError) as caught:
        load_project(folder, "lab")
    assert str(caught.value).startswith(f"{folder / 'Pulumi.lab.yaml'}")
    assert what in str(caught.value)


@pytest.mark.parametrize("case", ["a list in itself", "brackets without end", "a number without end", "a list"])
def test_the_command_line_reads_it_so_too(folder: Path, case: str) -> None:
    text, what = WRONG[case]
    (folder / "Pulumi.lab.yaml").write_text(text, "utf-8")
    with pytest.raises(MaillabError) as caught:
        Stack(name="lab", root=folder).setting("where")
    assert what in str(caught.value)


def test_a_text_of_another_encoding(folder: Path) -> None:
    (folder / "Pulumi.lab.yaml").write_bytes("config: {}  # 中文".encode("big5"))
    with pytest.raises(OfflineError, match=r"Pulumi\.lab\.yaml: can't be read: 'utf-8'"):
        load_project(folder, "lab")


def test_a_folder_instead_of_a_file(folder: Path) -> None:
    (folder / "Pulumi.lab.yaml").mkdir()
    with pytest.raises(OfflineError, match=r"Pulumi\.lab\.yaml: can't be read: Is a directory"):
        load_project(folder, "lab")


@pytest.mark.parametrize("text", ["", "runtime: python", "name: [maillab]"])
def test_a_project_without_a_name(folder: Path, text: str) -> None:
    (folder / "Pulumi.yaml").write_text(text, "utf-8")
    (folder / "Pulumi.lab.yaml").write_text("", "utf-8")
    with pytest.raises(OfflineError, match=r"Pulumi\.yaml: it has no `name`"):
        load_project(folder, "lab")


def test_a_passphrase_file_that_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", "/nowhere")
    salt = "v1:HiPwCJ9cl4A=:v1:68Bu50Cjxo8ZGWdl:rg6YWCin8OUmuybB4RahPl4Jgfz8sg=="
    (folder / "Pulumi.lab.yaml").write_text(f"encryptionsalt: {salt}\nconfig: {{a: {{secure: 'v1:a:b'}}}}", "utf-8")
    with pytest.raises(OfflineError, match="PULUMI_CONFIG_PASSPHRASE_FILE: /nowhere: No such file"):
        load_project(folder, "lab")


def test_anchors_that_repeat_a_little_are_read(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.lab.yaml"
    path.write_text("config:\n  a: &wire {delay: 100ms}\n  b: [*wire, *wire]\n  c: {<<: *wire, loss: 2%}\n", "utf-8")
    wire = {"delay": "100ms"}
    assert read_yaml(path)["config"] == {"a": wire, "b": [wire, wire], "c": {**wire, "loss": "2%"}}


def test_nesting_as_deep_as_allowed_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep.yaml"
    path.write_text("a: " + "[" * (DEEPEST - 1) + "]" * (DEEPEST - 1), "utf-8")
    assert read_yaml(path).keys() == {"a"}


def test_keys_that_are_numbers_are_what_pulumi_makes_of_them(folder: Path) -> None:
    (folder / "Pulumi.lab.yaml").write_text("config: {1: {2: x}}", "utf-8")
    assert load_project(folder, "lab").config == {"maillab:1": '{"2":"x"}'}
