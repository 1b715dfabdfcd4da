"""What is measured, each on a lab of its own; nothing is sent but inside the lab's containers."""

import concurrent.futures
import contextlib
import ipaddress
import itertools
import json
import pathlib
import re
import secrets
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence

import docker

from bench.figures import Figure
from components.plan import plan_of
from driver.connections import machines_of
from driver.lab import Lab, free_carrier, make_lab, remove_lab
from driver.machine import Machine
from driver.mail import hand_in, new_message
from maillab.cli.configuration import stack_plan
from maillab.cli.stack import Stack
from maillab.verify.cells import Policy, cells, predict_all
from maillab.verify.probe import probe

SENDER, ADMIN = "bench@example.com", "admin@dc1es.tnc.edu.tw"
MACHINES = ("outside", "mail")
SESSIONS, SIZE, MESSAGES = 10, 4096, 600
LIMIT = 180
NETWORKS = ("first", "second")  # of a compose file
HOSTS = itertools.count(150)  # of the school's network, which nobody has


@contextlib.contextmanager
def running_lab(folder: pathlib.Path) -> Iterator[Lab]:
    """The tutorial's school, removed at the end."""
    lab = make_lab(folder, "dc1es")
    try:
        lab.up()
        yield lab
    finally:
        remove_lab(lab)


def up_to_first_message(folder: pathlib.Path, runs: int) -> list[Figure]:
    """From `up`, with images present, to `up`'s end and to the first message in the mailbox.

    Beside it, of the same lab a moment later, what plain `docker run` needs, and `docker compose` where there is one: a
    computer is not equally fast all day.
    """
    up, first, plain, composed = [], [], [], []
    for run in range(runs):
        lab = make_lab(folder / str(run), "dc1es")
        try:
            begin = time.monotonic()
            lab.engine("up", "--yes")
            up.append(time.monotonic() - begin)
            first_message(lab)
            first.append(time.monotonic() - begin)
            lab.find_machines()
            plain.append(docker_run(lab))
            if has_compose():
                composed.append(docker_compose(lab, folder / f"{run}.yaml"))
        finally:
            remove_lab(lab)
    found = [
        Figure(name="docker run", unit="s", readings=plain),
        Figure(name="up", unit="s", readings=up, against="docker run"),
        Figure(name="first message", unit="s", readings=first, against="docker run", wanted="≤ 15 s, ≤ 2 × docker run"),
    ]
    if composed:
        found += [
            Figure(name="docker compose up", unit="s", readings=composed, against="docker run"),
            Figure(name="up, against compose", unit="s", readings=up, against="docker compose up"),
            Figure(name="first message, against compose", unit="s", readings=first, against="docker compose up",
                   wanted="≤ 2 × docker compose up"),
        ]  # fmt: skip
    return found


def first_message(lab: Lab, server: str = MACHINES[1], admin: str = ADMIN) -> None:
    """A message from outside, along the MX records, until it is in the mailbox of `admin` on `server`.

    Nothing else is asked of the lab meanwhile: what a measure does costs the same two processors.
    """
    machines = (MACHINES[0], server)
    outside, mail = (Machine(name, lab.client.containers.get(f"{lab.stack}-{name}"), "", "") for name in machines)
    sent = new_message(SENDER, admin)
    hand_in(outside, SENDER, admin, sent)
    arrived = f"grep -qsF {shlex.quote(sent.message_id)} /var/mail/admin"
    mail.succeed(f"timeout {LIMIT} bash -c {shlex.quote(f'until {arrived}; do sleep 0.02; done')}")


def docker_run(lab: Lab) -> float:
    """Seconds until the lab's containers as they are (image, rights, mounts, networks), unconfigured, all run.

    Copies of them, started in parallel on two networks of their own.
    """
    client = docker.from_env()
    carrier = ipaddress.ip_network(free_carrier(client))
    halves = [str(half) for half in carrier.subnets(prefixlen_diff=1)]
    pools = [docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet=half)]) for half in halves]
    names = [f"bench-{secrets.token_hex(4)}" for _ in pools]
    networks = [client.networks.create(name, ipam=pool) for name, pool in zip(names, pools, strict=True)]
    words = [_run_words(machine, names) for machine in lab.machines.values()]
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(words)) as pool:
        started = list(pool.map(_run, words))
    seconds = time.monotonic() - begin
    subprocess.run(["docker", "rm", "--force", "--volumes", *started], check=True, capture_output=True)
    for network in networks:
        network.remove()
    return seconds


def _run_words(machine: Machine, networks: list[str]) -> list[str]:
    """`docker run` with the options that the lab's container has."""
    attributes = machine.container.attrs
    host = attributes["HostConfig"]
    words = [
        "docker",
        "run",
        "--detach",
        "--init",
        "--cap-drop",
        "ALL",
        f"--network={networks[machine.name == 'internet']}",
    ]
    words += [f"--cap-add={name}" for name in host["CapAdd"] or []]
    words += [f"--security-opt={option}" for option in host["SecurityOpt"] or []]
    words += [f"--sysctl={key}={value}" for key, value in (host["Sysctls"] or {}).items()]
    words += [f"--volume={mount['Destination']}" for mount in attributes["Mounts"]]
    return [*words, attributes["Image"]]


def has_compose() -> bool:
    """Is `docker compose` installed? It is no part of maillab."""
    return subprocess.run(["docker", "compose", "version"], check=False, capture_output=True).returncode == 0


def docker_compose(lab: Lab, path: pathlib.Path) -> float:
    """Seconds that `docker compose up` needs for the containers that `docker_run` starts; `path`: its file."""
    carrier = ipaddress.ip_network(free_carrier(docker.from_env()))
    halves = carrier.subnets(prefixlen_diff=1)
    networks = {
        name: {"ipam": {"config": [{"subnet": str(half)}]}} for name, half in zip(NETWORKS, halves, strict=True)
    }
    services = {name: _service(machine) for name, machine in lab.machines.items()}
    path.write_text(json.dumps({"services": services, "networks": networks}), encoding="utf-8")
    compose = ["docker", "compose", "--file", str(path), "--project-name", f"bench-{secrets.token_hex(4)}"]
    begin = time.monotonic()
    try:
        subprocess.run([*compose, "up", "--detach"], check=True, capture_output=True)
        return time.monotonic() - begin
    finally:
        subprocess.run([*compose, "down", "--volumes", "--timeout", "0"], check=True, capture_output=True)


def _service(machine: Machine) -> dict[str, object]:
    """What a compose file says of a container like the lab's."""
    attributes = machine.container.attrs
    host = attributes["HostConfig"]
    return {
        "image": attributes["Image"],
        "init": True,
        "cap_drop": ["ALL"],
        "cap_add": host["CapAdd"] or [],
        "security_opt": host["SecurityOpt"] or [],
        "sysctls": host["Sysctls"] or {},
        "volumes": [mount["Destination"] for mount in attributes["Mounts"]],
        "networks": [NETWORKS[machine.name == "internet"]],
        "pull_policy": "never",
    }


def _run(words: list[str]) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def previews_and_edits(
    lab: Lab, runs: int, cli: Callable[..., object] | None = None, *, by: str = "", wanted: Sequence[str] = ()
) -> list[Figure]:
    """A preview with nothing to do, and one record's edit until the outside sees it.

    `cli` takes a verb and its flags: the offline engine, or another one, which the figures name as they end in `by`.
    """
    run = cli or lab.engine
    previews, edits = [], []
    for number in itertools.islice(HOSTS, runs):
        begin = time.monotonic()
        run("preview", "--expect-no-changes")
        previews.append(time.monotonic() - begin)
        address = f"163.26.182.{number}"
        lab.edit("          - router A ", f"          - bench{number} A {address}\n          - router A ")
        begin = time.monotonic()
        run("up", "--yes")
        lab["outside"].wait_until_succeeds(f"dig +short bench{number}.dc1es.tnc.edu.tw | grep -x {address}")
        edits.append(time.monotonic() - begin)
    preview, edit = wanted or ("≤ 1 s", "≤ 2 s")
    return [
        Figure(name=f"no-change preview{by}", unit="s", readings=previews, wanted=preview),
        Figure(name=f"one-record edit live{by}", unit="s", readings=edits, wanted=edit),
    ]


def proving(lab: Lab, runs: int) -> list[Figure]:
    """The prover's connections: predicted from the configuration, and tried on the machines."""
    config = stack_plan(Stack(name=lab.stack, root=lab.folder)).config
    predicted, tried = [], []
    for _ in range(runs):
        begin = time.monotonic()
        plans = plan_of(config).machines
        asked = cells(config, plans)
        predict_all(Policy(plans), asked)
        predicted.append(time.monotonic() - begin)
        begin = time.monotonic()
        probe(machines_of(lab), asked)
        tried.append(len(asked) / (time.monotonic() - begin))
    return [
        Figure(name="all cells predicted", unit="s", readings=predicted, wanted="≤ 0.1 s"),
        Figure(name="cells tried", unit="/s", readings=tried, wanted=f"{len(asked)} cells in ≤ 20 s"),
    ]


def _delivered(mail: Machine) -> int:
    return int(mail.succeed("grep -c 'status=sent (delivered to mailbox)' /var/log/mail.log || true"))


def rate(lab: Lab, first: str, server: str = "mail", admin: str = ADMIN, messages: int = MESSAGES) -> float:
    """Messages a second from the first one offered to `first` to the last one in the mailbox on `server`."""
    mail, before = lab[server], _delivered(lab[server])
    begin = time.monotonic()
    lab["outside"].succeed(
        f"timeout {LIMIT} smtp-source -s {SESSIONS} -l {SIZE} -m {messages} -f {SENDER} -t {admin} "
        f"inet:{lab[first].ipv4}:25"
    )
    while _delivered(mail) - before < messages and time.monotonic() - begin < LIMIT:
        time.sleep(0.05)
    seconds = time.monotonic() - begin
    return (_delivered(mail) - before) / seconds


def throughput(lab: Lab, runs: int) -> list[Figure]:
    """outside → spamfilter → mail into the mailbox, with the filter at work and with its milter switched off."""
    chain, plain = [], []
    for _ in range(runs):
        chain.append(rate(lab, "spamfilter"))
        lab["spamfilter"].succeed("postconf -e smtpd_milters= && postfix reload")
        plain.append(rate(lab, "spamfilter"))
        lab["spamfilter"].succeed("postconf -e smtpd_milters=unix:rspamd/milter.sock && postfix reload")
    return [
        Figure(name="messages through the filter", unit="/s", readings=chain, against="messages without it"),
        Figure(name="messages without it", unit="/s", readings=plain),
    ]


def memory(lab: Lab) -> list[Figure]:
    """PSS of each machine's processes (proc(5), smaps_rollup), read on the host as root."""
    figures, total = [], 0.0
    for name, machine in sorted(lab.machines.items()):
        megabytes = megabytes_of(machine)
        total += megabytes
        figures.append(Figure(name=f"memory of {name}", unit="MB", readings=[megabytes], against="memory of the lab"))
    return [*figures, Figure(name="memory of the lab", unit="MB", readings=[total])]


def megabytes_of(machine: Machine) -> float:
    """PSS of all its processes."""
    pids = [row[1] for row in machine.container.top(ps_args="-eo user,pid")["Processes"]]
    return sum(map(_pss, pids)) / 1024


def _pss(pid: str) -> int:
    """PSS of a process in KiB, 0 when it is gone."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    match = re.search(r"^Pss: +(\d+)", text, re.MULTILINE)
    return int(match.group(1)) if match else 0
