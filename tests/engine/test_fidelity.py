"""A lab moves from one engine to the other and back, and neither finds anything to do. Needs both engines."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from maillab.offline import engine
from tests.engine.conftest import make_stack, needs_pulumi
from tests.engine.stacks import OfflineStack, PulumiStack
from tests.engine.test_replacement import program
from tests.engine.test_state import SMALL

pytestmark = needs_pulumi
# Both containers of the other tests, the second one with every input that the table knows.
WHOLE = SMALL + textwrap.indent(program().replace('"spool"', '"more"').replace('"box"', '"other"'), "    ")


class Both(PulumiStack, OfflineStack):
    """One project, driven by both."""

    def offline(self, verb: str, *flags: str) -> dict[str, str]:
        done = OfflineStack.run(self, verb, *flags)
        assert done.ok, done.text
        return done.touched

    def pulumi(self, verb: str, *flags: str) -> dict[str, str]:
        done = PulumiStack.run(self, verb, *flags)
        assert done.ok, done.text
        return done.touched

    def to_pulumi(self) -> None:
        exported = json.dumps(engine.export_stack(self.root, "test"))
        (self.root / "export.json").write_text(exported, "utf-8")
        (self.root / ".pulumi-state" / "offline" / "test.json").unlink()
        done = self._pulumi("stack", "import", "--stack", "test", "--file", "export.json")
        assert done.returncode == 0, done.stderr

    def to_offline(self) -> None:
        exported = self._pulumi("stack", "export", "--show-secrets", "--stack", "test").stdout
        gone = self._pulumi("stack", "rm", "--force", "--yes", "--preserve-config", "test")
        assert gone.returncode == 0, gone.stderr
        engine.import_stack(self.root, "test", json.loads(exported))
        assert self._pulumi("stack", "init", "test").returncode == 0


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    made = make_stack(Both, tmp_path)
    yield made
    made.clean()


def test_offline_to_pulumi_and_back(both: Both) -> None:
    both.program(WHOLE)
    both.offline("up")
    both.to_pulumi()
    assert both.pulumi("preview", "--diff") == {}
    assert both.pulumi("preview", "--refresh") == {}
    assert both.pulumi("refresh") == {}
    assert both.pulumi("preview") == {}
    both.to_offline()
    assert both.offline("preview") == {}
    assert both.offline("refresh") == {}
    assert both.offline("up") == {}
    both.offline("destroy")


def test_pulumi_to_offline_and_back(both: Both) -> None:
    both.program(WHOLE)
    both.pulumi("up")
    both.to_offline()
    assert both.offline("preview", "--diff") == {}
    assert both.offline("preview", "--refresh") == {}
    assert both.offline("refresh") == {}
    assert both.offline("preview") == {}
    both.to_pulumi()
    assert both.pulumi("preview") == {}
    both.pulumi("destroy")
    assert both.names("containers") | both.names("networks") == set()


def facts(stack: Both, name: str) -> dict[str, object]:
    """What a container is made of, as the Docker engine has it."""
    attributes = stack.container(name).attrs
    return {key: attributes[key] for key in ("Config", "HostConfig", "Path", "Args", "Driver", "Platform")}


def test_both_engines_make_the_same_containers_networks_and_images(both: Both) -> None:
    both.program(WHOLE)
    both.pulumi("up")
    made = [facts(both, name) for name in ("box", "other")]
    network = both.docker.api.inspect_network(f"{both.prefix}lan")
    image = both.resource("machine")["outputs"]["repoDigest"]
    both.pulumi("destroy")
    both.offline("up")
    assert [facts(both, name) for name in ("box", "other")] == made
    assert OfflineStack.state(both)["resources"]
    again = both.docker.api.inspect_network(f"{both.prefix}lan")
    differ = {"Id", "Created", "Containers"}
    assert {key: again[key] for key in again.keys() - differ} == {key: network[key] for key in network.keys() - differ}
    assert both.docker.images.get(image).id == both.container("box").image.id
    both.offline("destroy")
