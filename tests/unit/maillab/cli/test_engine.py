"""Which engine is chosen, what is executed, and how its failures are reported."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maillab.cli.engine import choose, command, environment, errors_of, execute, run
from maillab.cli.problem import InterruptedByUserError, MaillabError
from maillab.cli.stack import ROOT, Engine, Stack
from tests.unit.conftest import Program
from tests.unit.maillab.cli.conftest import other_run, save_state


def test_pulumi_on_path_is_chosen(stack: Stack, program: Program) -> None:
    program("pulumi", "exit 0")
    assert choose(stack) is Engine.PULUMI


@pytest.mark.usefixtures("program")
def test_without_pulumi_the_offline_engine_is_chosen(stack: Stack) -> None:
    assert choose(stack) is Engine.OFFLINE


def test_a_wish_counts_more_than_path(stack: Stack, program: Program) -> None:
    program("pulumi", "exit 0")
    assert choose(stack, Engine.OFFLINE) is Engine.OFFLINE


@pytest.mark.usefixtures("program")
def test_a_lab_of_pulumi_is_refused_offline(stack: Stack) -> None:
    save_state(stack, Engine.PULUMI, {})
    with pytest.raises(MaillabError, match=r"made by the pulumi engine .* pulumi is not on PATH") as refusal:
        choose(stack)
    assert "bin/maillab --stack lab state move --to offline" in refusal.value.remedy[0]


def test_a_lab_of_the_offline_engine_is_refused_by_pulumi(stack: Stack, program: Program) -> None:
    program("pulumi", "exit 0")
    save_state(stack, Engine.OFFLINE, {})
    with pytest.raises(MaillabError, match=r"made by the offline engine .* pulumi is on PATH") as refusal:
        choose(stack)
    assert "state move --to pulumi" in refusal.value.remedy[0]


@pytest.mark.usefixtures("program")
def test_a_destroyed_lab_of_pulumi_may_be_made_offline(stack: Stack) -> None:
    save_state(stack, Engine.PULUMI, {}, made=False)
    assert choose(stack) is Engine.OFFLINE


@pytest.mark.usefixtures("program")
def test_two_makers_are_refused(stack: Stack) -> None:
    save_state(stack, Engine.PULUMI, {})
    save_state(stack, Engine.OFFLINE, {})
    with pytest.raises(MaillabError, match="states of both engines"):
        choose(stack)


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        pytest.param("up", "pulumi up --stack lab --suppress-outputs --yes --skip-preview", id="up"),
        pytest.param("destroy", "pulumi destroy --stack lab --suppress-outputs --yes --skip-preview", id="destroy"),
        pytest.param("preview", "pulumi preview --stack lab --suppress-outputs", id="preview"),
    ],
)
def test_command_line(stack: Stack, verb: str, expected: str) -> None:
    assert " ".join(command(stack, verb)) == expected


def test_the_passphrase_is_empty_unless_given() -> None:
    assert environment({"DOCKER_HOST": "unix:///x"})["PULUMI_CONFIG_PASSPHRASE"] == ""


def test_a_given_passphrase_is_kept() -> None:
    given = {"DOCKER_HOST": "unix:///x", "PULUMI_CONFIG_PASSPHRASE": "word"}
    assert environment(given)["PULUMI_CONFIG_PASSPHRASE"] == "word"


def test_a_passphrase_file_is_not_overruled() -> None:
    assert "PULUMI_CONFIG_PASSPHRASE" not in environment(
        {"DOCKER_HOST": "unix:///x", "PULUMI_CONFIG_PASSPHRASE_FILE": "/f"}
    )


def test_state_is_kept_where_the_commands_look_for_it() -> None:
    assert "PULUMI_BACKEND_URL" not in environment({"PULUMI_BACKEND_URL": "s3://elsewhere", "DOCKER_HOST": "unix:///x"})


def test_the_docker_context_becomes_docker_host(program: Program, tmp_path: Path) -> None:
    program("docker", "echo ssh://teacher@lab.example")
    env = environment({"DOCKER_CONTEXT": "lab", "DOCKER_CONFIG": str(tmp_path)})
    assert env["DOCKER_HOST"] == "ssh://teacher@lab.example"


def test_docker_host_goes_before_a_context_that_is_named(program: Program, tmp_path: Path) -> None:
    """As with docker; Pulumi's docker provider would take the context rather than the host that it is given."""
    program("docker", "echo unix:///lab")
    env = environment({"DOCKER_CONTEXT": "lab", "DOCKER_HOST": "unix:///x", "DOCKER_CONFIG": str(tmp_path)})
    assert env["DOCKER_HOST"] == "unix:///x"
    assert "DOCKER_CONTEXT" not in env


def test_a_context_that_there_is_not_is_reported(program: Program, tmp_path: Path) -> None:
    program("docker", "echo 'context not found' >&2; exit 1")
    with pytest.raises(MaillabError, match="the docker context lba can't be used: context not found"):
        environment({"DOCKER_CONTEXT": "lba", "DOCKER_CONFIG": str(tmp_path)})


def test_the_default_context_sets_no_docker_host(tmp_path: Path) -> None:
    assert "DOCKER_HOST" not in environment({"DOCKER_CONFIG": str(tmp_path)})


def test_a_new_stack_of_pulumi_is_selected_first(stack: Stack, program: Program, tmp_path: Path) -> None:
    program("pulumi", f'echo "$1 $2 $3" >>{tmp_path}/calls')
    run(Engine.PULUMI, stack, "up")
    calls = (tmp_path / "calls").read_text("utf-8")
    assert calls == "stack select --create\nup --stack lab\n"


def test_pulumi_changes_nothing_beside_a_reset(stack: Stack, program: Program, tmp_path: Path) -> None:
    program("pulumi", f'echo "$1" >>{tmp_path}/calls')
    with other_run(stack):
        with pytest.raises(MaillabError, match="another run works on stack lab"):
            run(Engine.PULUMI, stack, "up")
        assert not (tmp_path / "calls").exists()
        run(Engine.PULUMI, stack, "preview")  # it only looks
    run(Engine.PULUMI, stack, "up")
    assert (tmp_path / "calls").read_text("utf-8").split() == ["stack", "preview", "stack", "up"]


def test_no_reset_beside_pulumi(stack: Stack, program: Program) -> None:
    lock = stack.state_file(Engine.OFFLINE).with_suffix(".lock")
    lock.parent.mkdir(parents=True)
    lock.touch()
    program("pulumi", f"! flock --nonblock {lock} true")
    run(Engine.PULUMI, stack, "up")


def test_the_words_of_pulumis_event_log_are_explained(stack: Stack, program: Program) -> None:
    event = '{"diagnosticEvent":{"severity":"error","message":"write /x: no space left on device"}}'
    program("pulumi", f"""[ "$1" = stack ] || {{ for last; do :; done; echo '{event}' >"$last"; exit 255; }}""")
    with pytest.raises(MaillabError, match="the disk is full") as failure:
        run(Engine.PULUMI, stack, "up")
    assert failure.value.code == 255


def test_a_cut_line_of_the_event_log_is_passed_over(tmp_path: Path) -> None:
    log = tmp_path / "events"
    log.write_text('{"diagnosticEvent":{"severity":"error","message":"one"}}\n{"diag', "utf-8")
    assert errors_of(log) == "one"


def test_an_unknown_failure_keeps_its_exit_status(tmp_path: Path) -> None:
    with pytest.raises(MaillabError, match=r"`sh -c exit 7` failed; see the error above") as failure:
        execute(["sh", "-c", "exit 7"], tmp_path, environment())
    assert failure.value.code == 7


def test_the_engines_words_are_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    execute(["sh", "-c", "echo building mail >&2"], tmp_path, environment())
    assert capfd.readouterr().err == "building mail\n"


def test_an_interrupted_engine_is_no_failure_of_ours(tmp_path: Path) -> None:
    with pytest.raises(InterruptedByUserError) as interrupted:
        execute(["sh", "-c", "kill -INT $$"], tmp_path, environment())
    assert interrupted.value.code == 130


def test_the_engine_may_handle_ctrl_c_itself(tmp_path: Path) -> None:
    """The default disposition reaches the engine: an ignored one would be inherited."""
    before = signal.getsignal(signal.SIGINT)
    ask = "import signal, sys; sys.exit(0 if signal.getsignal(signal.SIGINT) is signal.default_int_handler else 1)"
    execute([sys.executable, "-c", ask], tmp_path, environment())
    assert signal.getsignal(signal.SIGINT) is before


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(MaillabError, match="no-such-engine: no such program"):
        execute(["no-such-engine"], tmp_path, environment())


def test_an_engine_whose_words_nobody_reads_comes_to_its_end(tmp_path: Path) -> None:
    """`maillab down | head -1` with Pulumi, which a broken pipe would end in the middle."""
    engine = ["sh", "-c", f"seq 1 100000; echo $? >{tmp_path}/end"]
    imports = "import os; from pathlib import Path; from maillab.cli.engine import execute"
    program = f"{imports}; execute({engine}, Path(), os.environ)"
    ours, theirs = os.pipe()
    os.close(ours)
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, stdout=theirs, stderr=subprocess.DEVNULL, check=False)
    os.close(theirs)
    assert (tmp_path / "end").read_text("utf-8") == "0\n"


def test_what_the_engine_says_on_a_pipe_is_passed_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    execute(["sh", "-c", "echo 建立 mail"], tmp_path, environment())
    assert capfd.readouterr().out == "建立 mail\n"
