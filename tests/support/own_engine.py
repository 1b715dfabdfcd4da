"""A second Docker engine, for what must not be done to the one that others use.

It stands in a network namespace of its own, which is the host to it: what a lab does to its host, and what leaves
it, is seen there without anybody else's traffic and rules.
"""

import pathlib
import subprocess
from dataclasses import dataclass, field

import docker
from docker.errors import DockerException
from requests.exceptions import RequestException

from driver.lab import Lab
from driver.machine import DriverError, wait_until


@dataclass(slots=True)
class OwnEngine:
    """A dockerd of the tests' own; `folder` holds all that it has."""

    folder: pathlib.Path
    namespace: subprocess.Popen[str]
    dockerd: subprocess.Popen[bytes]
    client: docker.DockerClient = field(init=False)

    @property
    def host(self) -> str:
        """What DOCKER_HOST is for it."""
        return f"unix://{self.folder}/docker.sock"

    def wait(self) -> None:
        """Until it answers."""

        def answers() -> bool:
            if self.dockerd.poll() is not None:
                raise DriverError(f"dockerd ended: {(self.folder / 'log').read_text(encoding='utf-8')[-2000:]}")
            try:
                self.client = docker.DockerClient(base_url=self.host)
            except (DockerException, RequestException):
                return False
            return True

        wait_until("the second Docker engine answers", answers, timeout=60)

    def restart(self) -> None:
        """As `systemctl restart docker` does: the containers end with the engine, and it starts them again."""
        self.dockerd.terminate()
        self.dockerd.wait(timeout=60)
        self.dockerd = _dockerd(self.folder, self.namespace.pid)
        self.wait()

    def load_images(self, lab: Lab) -> None:
        """Takes the images of another engine's lab, with every step they were built in, so that a build finds them."""
        # Wherever that lab runs: its images were built by this computer's engine.
        here = docker.from_env()
        images = [here.images.get(machine.container.attrs["Image"]) for machine in lab.machines.values()]
        chain = {layer["Id"] for image in images for layer in image.history()}
        steps = sorted(chain - {"<missing>"})
        save = subprocess.Popen(["docker", "save", "debian:trixie-slim", *steps], stdout=subprocess.PIPE)
        load = ["docker", "--host", self.host, "load", "--quiet"]
        done = subprocess.run(load, stdin=save.stdout, capture_output=True, text=True, check=False)
        if save.wait() != 0 or done.returncode != 0:
            raise DriverError(f"the images were not handed over: {done.stderr}")

    @property
    def into(self) -> list[str]:
        """What stands before a command that is to run on the engine's host."""
        return ["nsenter", "--target", str(self.namespace.pid), "--net", "--mount"]

    def on_host(self, *command: str) -> str:
        """What a command says that is run on the engine's host, where it must succeed."""
        done = subprocess.run([*self.into, *command], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise DriverError(f"{' '.join(command)} exited {done.returncode}: {done.stderr}")
        return done.stdout

    def stop(self) -> None:
        """Ends the engine and its namespace."""
        self.dockerd.terminate()
        self.dockerd.wait(timeout=60)
        self.namespace.terminate()
        self.namespace.wait(timeout=10)


def start_own_engine(folder: pathlib.Path) -> OwnEngine:
    """An engine that is up and has no images. It needs root, as every dockerd does."""
    command = ["unshare", "--net", "--mount", "sh", "-c", "echo ready; exec sleep infinity"]
    namespace = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert namespace.stdout is not None
    if namespace.stdout.readline() != "ready\n":
        raise DriverError("no network namespace for a second Docker engine: run the tests as root")
    engine = OwnEngine(folder, namespace, _dockerd(folder, namespace.pid))
    engine.wait()
    return engine


def _dockerd(folder: pathlib.Path, namespace: int) -> subprocess.Popen[bytes]:
    into = ["nsenter", "--target", str(namespace), "--net", "--mount"]
    dockerd = ["dockerd", f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen([*into, *dockerd, f"--host=unix://{folder}/docker.sock", "--bridge=none"], stderr=log)
