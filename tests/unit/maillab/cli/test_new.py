"""`maillab new`, in a folder of its own; docker is a script that has one network."""

import json
from pathlib import Path

import pytest

from maillab.cli.configuration import stack_plan
from maillab.cli.new import make
from maillab.cli.problem import MaillabError
from maillab.cli.stack import ROOT, Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import save_state


@pytest.fixture
def folder(tmp_path: Path, program: Program) -> Path:
    """The project's stack files, and an engine with one network of another lab."""
    for name in ("Pulumi.yaml", "Pulumi.dc1es.yaml", "Pulumi.onehost.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    engine(program)
    return tmp_path


def engine(program: Program, subnet: str = "198.18.64.0/23", label: str = "other") -> None:
    found = [{"Id": "1", "Name": "n", "IPAM": {"Config": [{"Subnet": subnet}]}, "Labels": {"maillab.stack": label}}]
    program("docker", f"""case "$1 $2" in *inspect) echo '{json.dumps(found)}';; "network ls") echo 1;; esac""")


def new(folder: Path, name: str, source: str = "dc1es") -> Stack:
    """The stack that was made."""
    stack = Stack(name=name, root=folder)
    make(stack, Stack(name=source, root=folder))
    return stack


def refused(folder: Path, name: str, source: str = "dc1es") -> MaillabError:
    before = {path: path.read_bytes() for path in folder.glob("Pulumi.*")}
    with pytest.raises(MaillabError) as refusal:
        new(folder, name, source)
    assert {path: path.read_bytes() for path in folder.glob("Pulumi.*")} == before
    return refusal.value


def carrier(stack: Stack) -> str:
    return str(stack_plan(stack).config.network.carrier)


def test_new_stack_has_a_prefix_and_a_carrier_of_its_own(folder: Path) -> None:
    """198.18.64.0/22 is what the engine has, and the project's own stack files have 198.18.0.0/18."""
    stack = new(folder, "class-1")
    assert stack_plan(stack).config.prefix == "class-1-"
    assert carrier(stack) == "198.18.68.0/22"


def test_next_one_has_another_carrier_although_no_lab_runs(folder: Path) -> None:
    assert [carrier(new(folder, name)) for name in ("a", "b", "c")] == [
        "198.18.68.0/22",
        "198.18.72.0/22",
        "198.18.76.0/22",
    ]


def test_all_else_is_as_in_the_source(folder: Path) -> None:
    stack = new(folder, "mine", "onehost")
    text = (folder / "Pulumi.mine.yaml").read_text("utf-8")
    source = (folder / "Pulumi.onehost.yaml").read_text("utf-8")
    assert [line for line in source.splitlines() if line not in text.splitlines()] == [
        "  maillab:network: {carrier: 198.18.48.0/20}"
    ]
    assert stack_plan(stack).machines.keys() == stack_plan(Stack(name="onehost", root=folder)).machines.keys()


def test_prefix_that_a_lab_has_gets_a_number(folder: Path, program: Program) -> None:
    engine(program, label="mine")
    assert new(folder, "mine").label == "mine2"


def test_prefix_that_another_stack_has_gets_a_number(folder: Path) -> None:
    (folder / "Pulumi.x.yaml").write_text("config: {maillab:prefix: mine-}\n", "utf-8")
    assert new(folder, "mine").label == "mine2"


def test_engine_that_does_not_answer_is_no_hindrance(folder: Path, program: Program) -> None:
    program("docker", "exit 1")
    made = make(Stack(name="mine", root=folder), Stack(name="dc1es", root=folder))
    assert not made.asked
    assert str(made.carrier) == "198.18.64.0/22"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "A", "-a", "a-", "a b", "a.b", "大成", "a\n", "x" * 41, "a:b", "_a", "$(id)"]
)
def test_bad_name_is_refused(folder: Path, name: str) -> None:
    assert refused(folder, name).id == "bad-stack-name"


@pytest.mark.parametrize("name", ["a", "7", "class-1", "a_b", "x" * 40])
def test_good_name_is_taken(folder: Path, name: str) -> None:
    assert stack_plan(new(folder, name)).config.prefix == f"{name}-"


def test_nothing_is_overwritten(folder: Path) -> None:
    assert refused(folder, "onehost").id == "stack-there"


def test_a_link_that_leads_nowhere_is_there_too(folder: Path) -> None:
    (folder / "Pulumi.mine.yaml").symlink_to(folder / "nowhere")
    with pytest.raises(MaillabError) as refusal:
        new(folder, "mine")
    assert refusal.value.id == "stack-there"
    assert not (folder / "nowhere").exists()


def test_lab_without_a_file_keeps_its_name(folder: Path) -> None:
    save_state(Stack(name="mine", root=folder), Engine.OFFLINE, {})
    assert refused(folder, "mine").id == "stack-has-lab"


def test_missing_source_is_named_with_what_is_meant(folder: Path) -> None:
    error = refused(folder, "mine", "onehots")
    assert error.id == "no-stack"
    assert error.remedy[0] == "did you mean onehost?"


def test_source_with_mistakes_is_no_source(folder: Path) -> None:
    path = folder / "Pulumi.dc1es.yaml"
    path.write_text(path.read_text("utf-8").replace("router: 163.26.182.254", "router: 10.0.0.1"), "utf-8")
    assert "10.0.0.1 is not in 163.26.182.0/24" in str(refused(folder, "mine"))


def test_without_a_free_carrier_nothing_is_made(folder: Path, program: Program) -> None:
    engine(program, "198.18.0.0/16")
    assert refused(folder, "mine").id == "no-carrier-left"


def test_source_without_a_carrier_gives_one_that_is_large_enough(folder: Path) -> None:
    path = folder / "Pulumi.dc1es.yaml"
    path.write_text(path.read_text("utf-8").replace("carrier: 198.18.32.0/20", "carrier: none"), "utf-8")
    assert carrier(new(folder, "mine")) == "198.18.68.0/22"
