"""A stack of the tests' own, driven by either engine: `stack.program(text)`, `stack.up()`, `stack.state()`."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker

from maillab.offline import engine
from maillab.offline.display import Display

ROOT = Path(__file__).parents[2]
HEAD = """import pulumi
import pulumi_command as command
import pulumi_docker as docker
from kit import Kit

lab = Kit()
"""
KIT = Path(__file__).parent / "programs" / "kit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a run did: `ops` counts operations (`same` left out), `errors` are all messages, `text` all output."""

    ok: bool
    ops: dict[str, int]
    touched: dict[str, str] = field(default_factory=dict)
    errors: str
    text: str


DockerObject = Any
"""A container, network, volume or image of the Docker SDK."""


class Stack:
    """A project in a folder of its own with one stack `test`; what it makes carries its own prefix."""

    def __init__(self, root: Path, prefix: str, subnet: str) -> None:
        self.root = root
        self.prefix = prefix
        self.subnet = subnet
        shutil.copytree(KIT, root, dirs_exist_ok=True)
        project = (root / "Pulumi.yaml").read_text("utf-8")
        (root / "Pulumi.yaml").write_text(project.replace(".venv", sys.prefix), "utf-8")
        self.docker: DockerObject = docker.from_env()
        self.configure()

    def configure(self, **more: str) -> None:
        """Write the stack's configuration; `salt` is of an empty passphrase."""
        config = {"kit:prefix": self.prefix, "kit:subnet": self.subnet, **more}
        salt = "v1:HiPwCJ9cl4A=:v1:68Bu50Cjxo8ZGWdl:rg6YWCin8OUmuybB4RahPl4Jgfz8sg=="
        text = json.dumps({"encryptionsalt": salt, "config": config})
        (self.root / "Pulumi.test.yaml").write_text(text, "utf-8")

    def program(self, text: str) -> None:
        """The program's body; `lab` is a Kit."""
        (self.root / "__main__.py").write_text(HEAD + textwrap.dedent(text), "utf-8")

    def container(self, name: str) -> DockerObject:
        return self.docker.containers.get(self.prefix + name)

    def names(self, kind: str) -> set[str]:
        """The stack's containers, networks or volumes there are, without the prefix."""
        api = self.docker.api
        if kind == "containers":
            found = [name.lstrip("/") for item in api.containers(all=True) for name in item["Names"]]
        else:
            listed = api.networks() if kind == "networks" else api.volumes()["Volumes"] or []
            found = [item["Name"] for item in listed]
        return {name.removeprefix(self.prefix) for name in found if name.startswith(self.prefix)}

    def resource(self, name: str) -> dict[str, Any]:
        """The entry of one resource in the state."""
        return next(entry for entry in self.state()["resources"] if entry["urn"].endswith(f"::{name}"))

    def state(self) -> dict[str, Any]:
        raise NotImplementedError

    def run(self, verb: str, *flags: str) -> Run:
        raise NotImplementedError

    def up(self, *flags: str) -> Run:
        return self.run("up", *flags)

    def preview(self, *flags: str) -> Run:
        return self.run("preview", *flags)

    def refresh(self) -> Run:
        return self.run("refresh")

    def destroy(self) -> Run:
        return self.run("destroy")

    def clean(self) -> None:
        """Remove everything with the prefix, and the images."""
        for kind in ("containers", "networks", "volumes"):
            for name in self.names(kind):
                with suppress(docker.errors.NotFound):  # what a killed run began to remove goes by itself
                    thing = getattr(self.docker, kind).get(self.prefix + name)
                    thing.remove(**({} if kind == "networks" else {"force": True}))
        for image in self.docker.images.list(filters={"reference": f"maillab-engine-test/{self.prefix}*"}):
            for tag in image.tags:
                if tag.startswith(f"maillab-engine-test/{self.prefix}"):  # equal builds are one image
                    self.docker.images.remove(tag, force=True)
        # Only what nobody else builds just now: equal builds share steps. setup/tests removes the rest.
        with suppress(docker.errors.APIError):  # another prune is under way
            self.docker.images.prune({"dangling": True, "label": f"stack={self.prefix}"})
        self.docker.close()


class OfflineStack(Stack):
    """Driven by the engine in this process; `cli` runs it as a process of its own."""

    def run(self, verb: str, *flags: str) -> Run:
        out = io.StringIO()
        display = Display(out=out, diff="--diff" in flags)
        more = {"refresh": True} if "--refresh" in flags else {}
        result = getattr(engine, verb)(self.root, "test", display=display, **more)
        ops = {op: count for op, count in result.summary.items() if op != "same"}
        touched = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in result.steps if step["op"] != "same"}
        errors = "\n".join(item["message"] for item in result.diagnostics)
        return Run(ok=result.ok, ops=ops, touched=touched, errors=errors, text=out.getvalue())

    def cli(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """`python -m maillab.offline …` in the project's folder."""
        command = [sys.executable, "-m", "maillab.offline", *arguments, "--stack", "test", "--cwd", str(self.root)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=120)

    def state(self) -> dict[str, Any]:
        file = self.root / ".pulumi-state" / "offline" / "test.json"
        deployment: dict[str, Any] = json.loads(file.read_text("utf-8"))["deployment"]
        return deployment


class PulumiStack(Stack):
    """Driven by the `pulumi` on PATH."""

    def __init__(self, root: Path, prefix: str, subnet: str) -> None:
        super().__init__(root, prefix, subnet)
        self._pulumi("stack", "init", "test")

    def _pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_DEBUG_COMMANDS": "1",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
        }
        return subprocess.run(
            ["pulumi", *arguments, "--non-interactive"],
            cwd=self.root,
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, verb: str, *flags: str) -> Run:
        log = self.root / "events.json"
        log.unlink(missing_ok=True)
        unasked = () if verb == "preview" else ("--yes", "--skip-preview")
        done = self._pulumi(verb, "--stack", "test", *unasked, *flags, "--event-log", str(log))
        events = [json.loads(line) for line in log.read_text("utf-8").splitlines()] if log.exists() else []
        diagnostics = [event["diagnosticEvent"] for event in events if "diagnosticEvent" in event]
        errors = "\n".join(item["message"] for item in diagnostics if item["severity"] == "error")
        steps = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
        simple = {"create-replacement": "replace", "delete-replaced": "replace"}
        named = [
            (step["urn"].rsplit("::", 1)[1], step["op"]) for step in steps if step["op"] not in ("same", "refresh")
        ]
        # The real engine's own default provider for commands is no part of the program.
        touched = {name: simple.get(op, op) for name, op in named if not name.startswith("default")}
        return Run(
            ok=done.returncode == 0, ops=dict(Counter(touched.values())), touched=touched,
            errors=errors, text=done.stdout + done.stderr,
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        exported = self._pulumi("stack", "export", "--show-secrets", "--stack", "test").stdout
        deployment: dict[str, Any] = json.loads(exported)["deployment"]
        return deployment
