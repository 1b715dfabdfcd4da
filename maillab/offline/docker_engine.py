"""The way to a Docker engine, and what its refusals mean."""

from __future__ import annotations

import importlib.util
import os
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from maillab.offline.values import OfflineError, Props

if TYPE_CHECKING:
    from collections.abc import Iterator

Api = Any
"""`docker.APIClient`: its stubs do not cover the low-level calls."""
TIMEOUT = 600
"""Seconds for one answer of the engine; a step of an image build may take minutes."""
HINTS = {
    r"Pool overlaps": "another network holds this subnet (docker network ls); set another carrier",
    r"forwarding is disabled": "with its nftables backend the engine does not switch on net.ipv4.ip_forward itself",
    r"no space left on device": "the engine's disk is full: docker system df shows what fills it",
    r"is already in use by container": "choose another prefix, or see whose it is: docker inspect",
    r"port is already allocated|address already in use": "stop what listens there, or publish another port",
    r"No such image|pull access denied": "the image is missing on the engine; bring the lab up again, which builds it",
    r"has active endpoints|volume is in use": "a container that is not the lab's uses it: docker ps -a",
}

STACK_LABEL = "maillab.stack"  # as components/resources/ownership.py has it: the engine knows no lab
CONNECT = 60
"""Seconds for its first answer, which takes no work: one that hangs is reported soon."""

_clients: dict[str, Api] = {}
_lock = threading.Lock()


def client(host: str) -> Api:
    """The API client for `unix://` or `ssh://`. Raises OfflineError when nothing answers."""
    with _lock:
        if host not in _clients:
            import docker  # noqa: PLC0415 (0.3 s, a preview without changes does not need it)

            ssh = host.startswith("ssh://")
            if ssh and not importlib.util.find_spec("paramiko"):
                raise OfflineError(f"Docker engine {host}: the Python package paramiko is missing; install docker[ssh]")
            with explained(f"Docker engine {host}"):
                made = docker.APIClient(
                    base_url=host, version="auto", timeout=CONNECT, use_ssh_client=ssh, max_pool_size=32
                )
                made.timeout = TIMEOUT
                _clients[host] = made
        return _clients[host]


def host_of(provider: Props) -> str:
    """The provider's host, with the provider's own default."""
    return str(provider.get("host") or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn the SDK's errors into OfflineErrors that say what, where and what to do."""
    from docker.errors import APIError, DockerException, InvalidVersion  # noqa: PLC0415
    from requests.exceptions import RequestException  # noqa: PLC0415

    try:
        yield
    except APIError as error:
        text = str(error.explanation or error).strip()
        hint = next((f"; {hint}" for pattern, hint in HINTS.items() if re.search(pattern, text)), "")
        raise OfflineError(f"{where}: {text}{hint}") from error
    except InvalidVersion as error:
        raise OfflineError(f"{where} is too old ({error}); 20.10 or newer is needed") from error
    except (DockerException, RequestException, OSError) as error:
        denied = "Permission denied" in str(error)
        remedy = "no right to the Docker socket; use sudo, or join the group docker and log in again"
        away = f"does not answer ({error}); start it (systemctl start docker), or correct the provider's host"
        raise OfflineError(f"{where}: {remedy if denied else away}") from error


def is_missing(error: Exception) -> bool:
    """Whether the engine answered that there is no such thing."""
    return getattr(getattr(error, "response", None), "status_code", 0) == 404


def labels(inputs: Props) -> dict[str, str]:
    """The `[{label, value}]` of a docker resource as a mapping."""
    return {item["label"]: item["value"] for item in inputs.get("labels") or []}


def label_list(mapping: dict[str, str] | None) -> list[Props]:
    """The inverse of `labels`, sorted."""
    return [{"label": label, "value": value} for label, value in sorted((mapping or {}).items())]


def foreign(kind: str, name: str, has: dict[str, str]) -> str:
    """The words about a thing with the labels `has`; they never advise to remove what is any lab's."""
    remedy = f"choose another prefix, or see whose it is: docker {kind} inspect {name}"
    if kind == "volume":
        remedy = "it may hold what somebody needs: choose another prefix, or copy it elsewhere and then remove it"
    elif lab := has.get(STACK_LABEL):
        remedy = f"it is of the lab {lab}: choose another prefix, or remove that lab where it was made"
    return f"there is a {kind} {name} that this stack did not make; {remedy}"
