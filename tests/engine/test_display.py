"""What people see: Pulumi's words, line diffs, JSON, exit statuses, and what Ctrl-C does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from maillab.offline.display import change_lines
from maillab.offline.schema import Change
from tests.engine.stacks import ROOT, OfflineStack

MAIN_CF = "".join(f"line {number}\n" for number in range(1, 21))


def test_the_words_of_an_up(offline: OfflineStack) -> None:
    offline.program('lab.volume("spool")\npulumi.export("answer", 42)')
    text = re.sub(r"\d+\.\d+s", "0.0s", offline.up().text)
    assert text == (
        "Updating (test):\n\n"
        " +  pulumi:pulumi:Stack kit-test create\n"
        " +  pulumi:providers:docker docker creating\n"
        " +  pulumi:providers:docker docker created (0.0s)\n"
        " +  docker:index:Volume spool creating\n"
        " +  docker:index:Volume spool created (0.0s)\n"
        "\nOutputs:\n    answer: 42\n"
        "\nResources:\n    + 3 created\n"
        "\nDuration: 0.0s\n"
    )


def test_the_words_of_a_preview(offline: OfflineStack) -> None:
    offline.program('lab.volume("spool")\nlab.volume("old")\nlab.command("config", "true")')
    assert offline.up().ok
    offline.program('lab.volume("spool", labels=[])\nlab.command("config", "false")\nlab.volume("new")')
    text = offline.preview().text
    assert " +  docker:index:Volume new create\n" in text
    assert " ~  command:local:Command config update\n" in text
    assert " +- docker:index:Volume spool replace\n" in text
    assert " -  docker:index:Volume old delete\n" in text
    counts = text[text.index("Resources:") : text.index("\nDuration")]
    assert counts == (
        "Resources:\n    + 1 to create\n    ~ 1 to update\n    +-1 to replace\n    - 1 to delete\n    2 unchanged\n"
    )


def test_a_diff_shows_the_changed_lines_under_their_file_only(offline: OfflineStack) -> None:
    program = 'lab.command("config", "true", environment={{"/etc/main.cf": {!r}, "/etc/other": {!r}}})'
    offline.program(program.format(MAIN_CF, MAIN_CF))
    assert offline.up().ok
    offline.program(program.format(MAIN_CF.replace("line 10\n", "line ten\n"), MAIN_CF))
    text = offline.preview("--diff").text
    assert (
        '      ~ environment["/etc/main.cf"]:\n'
        "          ...\n"
        "            line 8\n"
        "            line 9\n"
        "          - line 10\n"
        "          + line ten\n"
        "            line 11\n"
        "            line 12\n"
        "\n"
    ) in text
    assert "/etc/other" not in text
    assert "line 7" not in text


def test_single_values_of_a_diff() -> None:
    assert change_lines(Change(path=["restart"], old="no", new="always")) == ['~ restart: "no" => "always"']
    assert change_lines(Change(path=["image"], old="a", new="b", replaces=True)) == ['+- image: "a" => "b"']
    assert change_lines(Change(path=["ports", "0", "ip"], old=None, new="::")) == ['+ ports[0]["ip"]: "::"']
    assert change_lines(Change(path=["memory"], old=64, new=None)) == ["- memory: 64"]


def test_json_and_exit_statuses(offline: OfflineStack) -> None:
    offline.program('lab.volume("spool")\npulumi.export("word", pulumi.Output.secret("swordfish"))')
    changes = offline.cli("preview", "--json", "--expect-no-changes")
    assert changes.returncode == 1
    assert json.loads(changes.stdout)["changeSummary"] == {"create": 3}
    made = json.loads(offline.cli("up", "--json", "--yes").stdout)
    assert made["result"] == "succeeded"
    assert made["outputs"] == {"word": "[secret]"}
    assert [step["op"] for step in made["steps"]] == ["create"] * 3
    assert offline.cli("preview", "--expect-no-changes").returncode == 0
    assert json.loads(offline.cli("outputs", "--json").stdout) == {"word": "[secret]"}
    assert offline.cli("outputs", "--show-secrets").stdout == 'word: "swordfish"\n'
    refused = offline.cli("destroy")
    assert refused.returncode == 1
    assert "give --yes" in refused.stderr
    assert json.loads(offline.cli("destroy", "--yes", "--json").stdout)["changeSummary"] == {"delete": 3}


def test_a_refusal_is_json_too(offline: OfflineStack) -> None:
    (offline.root / "Pulumi.yaml").unlink()
    done = offline.cli("up", "--json")
    assert done.returncode == 1
    assert "no such file" in json.loads(done.stdout)["diagnostics"][0]["message"]


def test_export_and_import_on_the_command_line(offline: OfflineStack, tmp_path: Path) -> None:
    offline.program('lab.volume("spool")')
    assert offline.up().ok
    exported = offline.cli("stack-export").stdout
    (offline.root / ".pulumi-state" / "offline" / "test.json").rename(tmp_path / "kept.json")
    command = [sys.executable, "-m", "maillab.offline", "stack-import", "--cwd", str(offline.root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, input=exported, env=environment, text=True, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert offline.preview().ops == {}


def test_ctrl_c_lets_the_running_step_end_and_begins_no_other(offline: OfflineStack) -> None:
    """The command prints that it runs, waits for a word, and gets it only after Ctrl-C."""
    for pipe in ("runs", "go"):
        os.mkfifo(offline.root / pipe)
    here = str(offline.root)
    offline.program(
        f"""
        first = lab.command("first", "echo yes > {here}/runs; cat {here}/go; echo done")
        lab.command("second", "true", {{"depends_on": [first]}})
        """
    )
    command = [sys.executable, "-u", "-m", "maillab.offline", "up", "--cwd", here]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert (offline.root / "runs").read_text("utf-8") == "yes\n"
        process.send_signal(signal.SIGINT)
        while "cancelling" not in process.stdout.readline():
            pass
        (offline.root / "go").write_text("go\n", "utf-8")
        rest = process.stdout.read()
    assert process.returncode == 1
    assert "Command first created" in rest
    assert "the next up goes on from here" in rest
    offline.program('first = lab.command("first", "true")\nlab.command("second", "true", {"depends_on": [first]})')
    assert offline.up().touched == {"first": "update", "second": "create"}


def test_a_failure_is_the_stacks_too(offline: OfflineStack) -> None:
    offline.program('lab.command("config", "false")')
    done = offline.up()
    assert " +  command:local:Command config **creating failed**\n" in done.text
    assert " +  pulumi:pulumi:Stack kit-test **creating failed** 1 error\n" in done.text
    assert "  program:\n    error: update failed\n" in done.text
    assert "\n    2 errored\n" in done.text


def test_a_retained_volume_is_marked_when_it_is_forgotten(offline: OfflineStack) -> None:
    offline.program('lab.volume("spool", {"retain_on_delete": True})\nlab.volume("other")')
    assert offline.up().ok
    offline.program("")
    text = offline.preview().text
    assert " -  docker:index:Volume spool delete[retain]\n" in text
    assert " -  docker:index:Volume other delete\n" in text
    assert " -  docker:index:Volume spool deleting[retain]\n" in offline.destroy().text
    assert offline.names("volumes") == {"spool"}
