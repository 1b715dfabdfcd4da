"""One reader for the files of a project and of its stacks."""

from pathlib import Path

import pytest

from maillab.offline.project import load_project
from maillab.offline.stack_file import read_stack_file
from maillab.offline.values import OfflineError


def read(folder: Path, text: str) -> dict[str, object]:
    path = folder / "Pulumi.lab.yaml"
    path.write_text(text, "utf-8")
    return read_stack_file(path, "maillab").config


def test_settings_have_their_full_names(tmp_path: Path) -> None:
    text = "config:\n  where: vm\n  maillab:schools: [{name: a}]\n  docker:host: x\nencryptionsalt: v1\n"
    assert read(tmp_path, text) == {"maillab:where": "vm", "maillab:schools": [{"name": "a"}], "docker:host": "x"}


@pytest.mark.parametrize("text", ["", "# nothing\n", "config:\n", "encryptionsalt: v1\n"])
def test_file_without_settings(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {}


def test_anchors_and_merges_are_read(tmp_path: Path) -> None:
    text = "config:\n  a: &a {x: 1, y: 2}\n  b: *a\n  c: {<<: *a, y: 3}\n"
    assert read(tmp_path, text) == {
        "maillab:a": {"x": 1, "y": 2},
        "maillab:b": {"x": 1, "y": 2},
        "maillab:c": {"x": 1, "y": 3},
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("config: {}\nconfig: {}\n", "line 2: duplicate key 'config'", id="duplicate key at the top"),
        pytest.param("config:\n  a: 1\n  b: 2\n  a: 3\n", "line 4: duplicate key 'a'", id="duplicate setting"),
        pytest.param("config:\n  a:\n  - {x: 1, x: 2}\n", "line 3: duplicate key 'x'", id="duplicate key below"),
        pytest.param("config:\n  a: 1\n  'a': 3\n", "line 3: duplicate key 'a'", id="duplicate key in quotes"),
        pytest.param("config:\n  a: 1\n  maillab:a: 3\n", "duplicate key 'maillab:a'", id="with and without namespace"),
        pytest.param("confg: {}\n", "'confg' is not known; did you mean config", id="unknown key at the top"),
        pytest.param("maillab:where: vm\n", "settings are below `config:`", id="setting at the top"),
        pytest.param("config: [a]\n", "`config` is a list, and must be a mapping", id="a list for the settings"),
        pytest.param("just a text\n", "it is a text, and must be a mapping", id="a text"),
        pytest.param("config: &a {b: *a}\n", "*a refers to what it stands in", id="anchor in itself"),
        pytest.param("config:\n  a: &a\n  - [x, *a]\n", "*a refers to what it stands in", id="list in itself"),
        pytest.param("config:\n  a: 2006-03-08\n", "line 2: 2006-03-08 is a date", id="date"),
        pytest.param("config:\n  a: !!binary aGk=\n", "line 2: aGk= is binary data", id="bytes"),
        pytest.param("config:\n  a: !!set {x, y}\n", "this is a set to YAML", id="set"),
        pytest.param("config:\n  a: !secret x\n", "line 2: x is !secret to YAML", id="unknown tag"),
        pytest.param("config: {", "not valid YAML", id="cut"),
        pytest.param("config: {}\n---\nconfig: {}\n", "not valid YAML", id="two documents"),
        pytest.param("config:\n  a: b\0c\n", "not valid YAML", id="NUL"),
    ],
)
def test_what_nobody_can_mean_is_an_error_with_its_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(OfflineError, match=r"/Pulumi\.lab\.yaml(:|, line| can't be read:) ") as refusal:
        read(tmp_path, text)
    assert words in str(refusal.value)


def test_project_is_read_in_the_same_way(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.lab.yaml").write_text("config: {}\n", "utf-8")
    (tmp_path / "Pulumi.yaml").write_text("name: a\nname: b\n", "utf-8")
    with pytest.raises(OfflineError, match="line 2: duplicate key 'name'"):
        load_project(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("runtime: python\n", "utf-8")
    with pytest.raises(OfflineError, match="it has no `name`"):
        load_project(tmp_path)
