"""A lab of the tests' own: brought up with a prefix and a carrier that no other lab has."""

import ipaddress
import json
import os
import pathlib
import re
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import docker
import yaml

from components.config.place import LOCAL, VM
from driver.forked import run_engine
from driver.machine import POLL, DriverError, Machine, Patience
from driver.place import Place, home_of, usual
from maillab.trace.hops import Hop, Recorder
from maillab.trace.maillog import LOG, Entry, read_maillog
from maillab.where import power
from maillab.where.home import Home
from maillab.where.ownership import STACK_LABEL
from maillab.where.ssh import Ssh, to_host
from maillab.where.tunnel import Tunnel, connect

ROOT = pathlib.Path(__file__).resolve().parent.parent
CARRIERS = ipaddress.IPv4Network("198.19.0.0/17")  # no stack file names one of these, nor is one a default
GIVEN: set[ipaddress.IPv4Network] = set()  # carriers, in this session, of labs elsewhere
EMULATED = 10  # times slower is a processor that is emulated
PROGRAM = ("Pulumi.yaml", "__main__.py", "components", "files", "setup", "maillab", "exercises", "where.py")


def free_carrier(client: docker.DockerClient) -> str:
    """A /22 of CARRIERS that no Docker network uses."""
    taken = [
        ipaddress.ip_network(config["Subnet"])
        for network in client.networks.list()
        for config in network.attrs["IPAM"]["Config"] or []
    ]
    return str(_another(taken))


def _another(taken: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> ipaddress.IPv4Network:
    """A /22 of CARRIERS that overlaps none of these."""
    choices = [net for net in CARRIERS.subnets(new_prefix=22) if not any(net.overlaps(old) for old in taken)]
    return secrets.choice(choices)


@dataclass(slots=True)
class Lab:
    """A lab: its project folder (a copy, so that tests may edit the stack), its place, its machines once it is up."""

    folder: pathlib.Path
    stack: str
    place: Place = field(default_factory=usual)
    machines: dict[str, Machine] = field(default_factory=dict)
    _client: docker.DockerClient | None = None

    @property
    def host(self) -> str | None:
        """The engine's address, None for the one that the docker command would use."""
        return self.place.docker_host(self.folder, self.stack)

    @property
    def environment(self) -> dict[str, str]:
        """What a docker client runs with that is to work on the lab's engine, once the lab is up."""
        return os.environ | ({"DOCKER_HOST": self.host} if self.host else {})

    @property
    def home(self) -> Home:
        """What it keeps of its virtual machine, or of its way to another computer."""
        return home_of(self.folder, self.stack)

    @property
    def client(self) -> docker.DockerClient:
        """The engine; one in a virtual machine answers once the lab is up."""
        if self._client is None:
            self._client = docker.DockerClient(base_url=self.host) if self.host else docker.from_env()
        return self._client

    def engine(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs the offline engine on this lab."""
        environment = os.environ | {"PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}
        environment |= self.place.environment
        environment |= {"DOCKER_HOST": self.place.host} if self.place.host else {}
        done = run_engine([*words, "--stack", self.stack, "--cwd", str(self.folder)], ROOT, environment)
        if check and done.returncode != 0:
            raise DriverError(f"{' '.join(words)} exited {done.returncode}:\n{done.stdout}\n{done.stderr}")
        return done

    def up(self) -> subprocess.CompletedProcess[str]:
        """Brings the lab up, or to what its stack file says now."""
        done = self.engine("up", "--yes")
        self.find_machines()
        if self.place.where == VM:
            emulated = self.home.read("accelerator") == "tcg"
            Patience.factor = EMULATED if emulated else 1
        return done

    def find_machines(self) -> None:
        """Looks the containers up (a replaced container is another one)."""
        outputs = json.loads(self.engine("outputs", "--json").stdout)
        self.machines = {
            name: Machine(name, self.client.containers.get(about["container"]), about["ipv4"][0], about["ipv6"][0])
            for name, about in outputs["machines"].items()
        }

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    @property
    def stack_file(self) -> pathlib.Path:
        """The stack's configuration."""
        return self.folder / f"Pulumi.{self.stack}.yaml"

    def edit(self, old: str, new: str) -> None:
        """Replaces text in the stack's configuration; `old` must be there."""
        text = self.stack_file.read_text(encoding="utf-8")
        if old not in text:
            raise DriverError(f"{self.stack_file.name} has no {old!r}")
        self.stack_file.write_text(text.replace(old, new), encoding="utf-8")

    def by_address(self, address: str) -> Machine | None:
        """The machine that has `address`."""
        return next((m for m in self.machines.values() if address in (m.ipv4, m.ipv6)), None)

    def entry(self, machine: str, queue_id: str) -> Entry:
        """What a machine's mail log says of one queue id."""
        found = self[machine].execute(f"grep -F {shlex.quote(queue_id)} {LOG}").output
        return read_maillog(found).get(queue_id, Entry(queue_id=queue_id))

    def hops(self, machine: str, queue_id: str, recipient: str, final: str | None = None) -> list[Hop]:
        """The hops of one recipient's copy from (`machine`, `queue_id`) on, as the logs have it now.

        `final` chooses one of the addresses that an alias leads to.
        """
        owners = {address: name for name, one in self.machines.items() for address in (one.ipv4, one.ipv6)}
        return Recorder(look=self.entry, owners=owners).hops(machine, queue_id, recipient, final)

    def wait_for_delivery(
        self, machine: str, queue_id: str, recipient: str, timeout: float = 60, *, final: str | None = None
    ) -> list[Hop]:
        """All hops, once the last one has put the message into a mailbox (of `final`, if an alias leads on).

        Fails at once when the last hop is rid of the message without having handed it on.
        """
        deadline = time.monotonic() + timeout * Patience.factor
        before: list[Hop] = []
        while True:
            hops = self.hops(machine, queue_id, recipient, final)
            if hops[-1].delivery is not None and hops[-1].delivery.in_mailbox:
                return hops
            # Twice the same: the log's two sockets may swap the lines of an instant.
            lost = hops == before and hops[-1].delivery is None and hops[-1].entry.removed
            assert not lost, f"{queue_id} was not delivered, and got as far as {hops}"
            assert time.monotonic() < deadline, f"not delivered in {timeout} s: {queue_id} got as far as {hops}"
            before = hops
            time.sleep(POLL)


def copy_project(folder: pathlib.Path, stack: str, source: str, settings: Mapping[str, object]) -> None:
    """Copies the program to `folder`, with the stack file of `source` under the name `stack` and `settings` in it."""
    folder.mkdir(parents=True)
    for name in PROGRAM:
        origin = ROOT / name
        if origin.is_dir():
            # As after a first run: compiled, but for what is being compiled just now.
            shutil.copytree(origin, folder / name, ignore=shutil.ignore_patterns("*.pyc.*"))
        else:
            shutil.copy2(origin, folder / name)
    text = (ROOT / f"Pulumi.{source}.yaml").read_text(encoding="utf-8")
    text = re.sub(rf"(?m)^  maillab:({'|'.join(settings)}):.*\n", "", text)  # one line each
    extra = yaml.safe_dump({f"maillab:{key}": value for key, value in settings.items()})
    indented = "".join(f"  {line}\n" for line in extra.splitlines())
    (folder / f"Pulumi.{stack}.yaml").write_text(text.replace("config:\n", f"config:\n{indented}", 1), encoding="utf-8")
    (folder / ".venv").symlink_to(ROOT / ".venv")
    # One disk for the virtual machines of all tests.
    (ROOT / ".cache").mkdir(exist_ok=True)
    (folder / ".cache").symlink_to(ROOT / ".cache")


def make_lab(
    folder: pathlib.Path, source: str, *, host: str | None = None, carrier: bool = True, place: Place | None = None
) -> Lab:
    """A lab like the stack `source`, not yet up, with a prefix and (unless `carrier` is false) a carrier of its own.

    `host`: another engine of this computer.
    """
    stack = f"{source}-{secrets.token_hex(3)}"
    lab = Lab(folder / stack, stack, Place(host=host) if host else place or usual())
    settings: dict[str, object] = {"prefix": f"{stack}-", **lab.place.settings}
    settings["network"] = {"carrier": _carrier(lab) if carrier else "none"}
    copy_project(lab.folder, stack, source, settings)
    return lab


def _carrier(lab: Lab) -> str:
    """On an engine that is there: one that is free. On one that comes with a lab: one that no lab here was given."""
    if lab.place.where == LOCAL:
        return free_carrier(lab.client)
    chosen = _another(GIVEN)
    GIVEN.add(chosen)
    return str(chosen)


def remove_lab(lab: Lab) -> None:
    """Destroys the lab with its volumes, or with its virtual machine; fails when something of it is left."""
    if lab.place.where == VM:
        power.remove(lab.home, lambda _: None)
        return
    lab.engine("destroy", "--yes")
    client = lab.client if lab.place.where == LOCAL else _again(lab)
    label = f"{STACK_LABEL}={lab.stack}"
    for volume in client.volumes.list(filters={"label": label}):
        volume.remove()
    left = [container.name for container in client.containers.list(all=True, filters={"label": label})]
    left += [network.name for network in client.networks.list(filters={"label": label})]
    if lab.place.where != LOCAL:
        Tunnel(lab.home).close(_ssh(lab))
    if left:
        raise DriverError(f"destroy left {left}")


def _ssh(lab: Lab) -> Ssh:
    words = to_host(lab.place.where).words
    config = lab.place.environment.get("MAILLAB_SSH_CONFIG")
    return Ssh(name=lab.place.where, words=("-F", config, *words) if config else words)


def _again(lab: Lab) -> docker.DockerClient:
    """The way to the engine was a resource too: it is made once more."""
    connect(lab.home, _ssh(lab))
    return docker.DockerClient(base_url=lab.host)
