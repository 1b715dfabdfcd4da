"""States with machines, as `Store` has them."""

from typing import Any

from maillab.offline.schema import COMMAND, CONTAINER, NETWORK, PROVIDER, VOLUME

Entry = dict[str, Any]
LAB = "urn:pulumi:lab::maillab::"
SERVED = "school.tw 2006030801"


def urn(kind: str, name: str) -> str:
    """The URN of a resource."""
    return f"{LAB}{kind}::{name}"


def entry(kind: str, name: str, made: str, inputs: Entry, outputs: Entry | None = None) -> Entry:
    """A resource on the lab's provider."""
    provider = f"{urn(PROVIDER, 'docker')}::1"
    return {
        "urn": urn(kind, name), "type": kind, "custom": True, "id": made, "inputs": inputs,
        "outputs": inputs if outputs is None else outputs, "provider": provider,
    }  # fmt: skip


def machine(name: str, roles: str = "syslog\npostfix\n", stdout: str = "") -> list[Entry]:
    """A machine with a volume, on the lab's network; its container has the id `old-NAME`."""
    made = f"old-{name}"
    told = {"CONTAINER": made, "DOCKER_HOST": "unix:///engine", "/etc/maillab/roles": roles, "/etc/x.secret": "pass"}
    container = {
        "name": f"lab-{name}", "image": "sha256:1", "labels": [{"label": "maillab.owner", "value": "us"}],
        "volumes": [{"volumeName": f"lab-{name}-spool", "containerPath": "/var/spool/postfix"}],
        "networksAdvanced": [{"name": "net-id", "ipv4Address": "198.18.0.2"}],
    }  # fmt: skip
    by_hand = {"create": ":", "delete": "keep", "environment": {"CONTAINER": made, "STACK": "lab"}, "triggers": [made]}
    config = {"create": "apply", "environment": told}
    return [
        entry(VOLUME, f"{name}-spool", f"lab-{name}-spool", {"name": f"lab-{name}-spool"}),
        entry(CONTAINER, name, made, container),
        entry(COMMAND, f"{name}-by-hand", f"{name}-by-hand1", by_hand),
        entry(COMMAND, f"{name}-config", f"{name}-config1", config, {**config, "stdout": stdout, "stderr": ""}),
    ]


def lab() -> list[Entry]:
    """A lab of two machines; `dns` has a zone, which the stack's outputs report."""
    stack = {"urn": urn("pulumi:pulumi:Stack", "maillab-lab"), "type": "pulumi:pulumi:Stack", "custom": False}
    provider = {"urn": urn(PROVIDER, "docker"), "type": PROVIDER, "custom": True, "id": "1"}
    return [
        {**stack, "outputs": {"serials": {"school": SERVED}}},
        {**provider, "inputs": {"host": "unix:///engine"}, "outputs": {}},
        entry(NETWORK, "net", "net-id", {"name": "lab-net"}),
        *machine("dns", "syslog\nbind\n", SERVED),
        *machine("mail"),
        entry(COMMAND, "school-flush", "flush1", {"environment": {"CONTAINER": "old-dns", "ZONES": SERVED}}),
    ]


def of(resources: list[Entry], name: str) -> Entry:
    """The resource whose URN ends with that name."""
    (found,) = [one for one in resources if one["urn"].endswith(f"::{name}")]
    return found
