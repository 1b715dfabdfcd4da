"""SSH to the computer with the Docker engine: how it is called, and what its refusals mean."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from maillab.where.home import Home
from maillab.where.keys import ALIAS
from maillab.where.problem import WhereError

# Never a question: nobody sees it in a Command.
QUIET = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR")
PARTS = re.compile(r"ssh://(?:([^@]*)@)?(\[[^\]]*\]|[^:]*)(?::(.*))?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """A way to a computer: `name` for messages, `words` of the command line up to and with the host.

    `advice`: what to do when it fails, instead of what one does with a computer of somebody's own.
    """

    name: str
    words: tuple[str, ...]
    advice: tuple[str, ...] = ()

    def command(self, *remote: str, options: Sequence[str] = ()) -> list[str]:
        """The command line that runs `remote` there (a shell there reads it); `options` go before the host."""
        return ["ssh", *QUIET, *options, *self.words, *remote]

    def run(self, *remote: str, timeout: float = 60) -> str:
        """What `remote` says on its stdout.

        Raises:
            WhereError: SSH or the command failed.
        """
        try:
            done = subprocess.run(
                self.command(*remote), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout,
                check=False,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise WhereError("no-ssh", "ssh is not installed", "apt install openssh-client") from error
        except subprocess.TimeoutExpired as error:
            raise WhereError("ssh-silent", f"{self.name}: no answer within {timeout:g} s") from error
        if done.returncode:
            raise explain(self, done.returncode, done.stderr.decode(errors="replace"), remote)
        return done.stdout.decode(errors="replace")


def to_machine(home: Home) -> Ssh:
    """The way into the machine of a folder, with its own key and no setting of the user's.

    Its configuration file is written again when the port or the folder is another one.
    """
    text = _configuration(home)
    if home.folder.exists() and home.read("ssh_config") != text.strip():
        home.write("ssh_config", text)
    advice = (f"see what it says: {home.folder}/console.log; and: {home.maillab} vm status (off: vm stop)",)
    return Ssh(name="the virtual machine", words=("-F", str(home.ssh_config.resolve()), "vm"), advice=advice)


def _configuration(home: Home) -> str:
    folder = str(home.folder.resolve()).replace("%", "%%")  # ssh_config(5), TOKENS
    lines = {
        "HostName": "127.0.0.1", "Port": home.read("port") or 22, "User": "root", "IdentityFile": f'"{folder}/key"',
        "IdentitiesOnly": "yes", "IdentityAgent": "none", "UserKnownHostsFile": f'"{folder}/known_hosts"',
        "GlobalKnownHostsFile": "none", "StrictHostKeyChecking": "yes", "HostKeyAlias": ALIAS,
    }  # fmt: skip
    return "".join(["Host vm\n", *(f"  {key} {value}\n" for key, value in lines.items())])


def to_host(where: str) -> Ssh:
    """The way to `ssh://user@host[:port]`, with the user's own ssh configuration, keys and agent.

    MAILLAB_SSH_CONFIG names another configuration file (`ssh -F`).
    """
    user, host, port = _parts(where)
    config = os.environ.get("MAILLAB_SSH_CONFIG")
    words = ["-F", config] if config else []
    words += ["-p", port] if port else []
    words += ["-l", user] if user else []
    return Ssh(name=where, words=(*words, "--", host))


def _parts(where: str) -> tuple[str, str, str]:
    """User, host and port, empty where they are not given; the host as ssh takes it.

    With its capitals, which ssh_config tells apart (urlsplit's `hostname` has none), and without IPv6's brackets.
    """
    found = PARTS.match(where)
    user, host, port = found.groups("") if found else ("", where, "")
    return user, host.strip("[]"), port


@dataclass(frozen=True, slots=True)
class _Known:
    id: str
    pattern: str
    what: str
    remedy: tuple[str, ...]


# The order counts: the first that matches is the cause, later ones are what follows from it.
KNOWN = (
    _Known(
        "ssh-host-changed",
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is not the one that is known: it was set up again, or somebody stands in between",
        ("ask its administrator; then forget the old key: ssh-keygen -R HOST",),
    ),
    _Known(
        "ssh-host-unknown",
        r"Host key verification failed",
        "its host key is not known yet",
        ("connect once by hand, compare the fingerprint with the administrator's, and say yes: ssh {target}",),
    ),
    _Known(
        "no-docker-right",
        # Docker 29 speaks of its API where older ones speak of their daemon's socket.
        r"permission denied while trying to connect to the docker|docker\.sock.*permission denied",
        "its user has no right to the Docker engine",
        ("on it: sudo usermod -aG docker USER, then again",),
    ),
    _Known(
        "no-engine-there",
        r"Cannot connect to the Docker daemon|Is the docker daemon running|failed to connect to the docker API",
        "its Docker engine does not run",
        ("start it there: sudo systemctl start docker",),
    ),
    _Known(
        "docker-versions-there",
        r"client version \S+ is too (old|new)|is not supported by this client",
        "its docker client and its Docker engine do not go together",
        ("put a client of the engine's version first on PATH there, or unset DOCKER_API_VERSION there",),
    ),
    _Known(
        "no-docker-there",
        r"docker: (command )?not found|docker: No such file|(command not found|Unknown command): docker",
        "there is no Docker on it",
        ("install it there: sudo apt install docker.io (20.10 or newer)",),
    ),
    _Known(
        "ssh-key-refused",
        r"Permission denied \(|no such identity|Too many authentication failures",
        "it refuses the key",
        ("put a key of yours there: ssh-copy-id {target}", "or name yours in ~/.ssh/config (IdentityFile)"),
    ),
    _Known(
        "ssh-no-resolver",
        r"Temporary failure in name resolution",
        "its name can't be looked up now",
        ("is the network away? try: ssh {target}",),
    ),
    _Known(
        "ssh-no-such-host",
        r"Could not resolve hostname|Name or service not known",
        "there is no host of this name",
        ("correct maillab:where in Pulumi.<stack>.yaml",),
    ),
    _Known(
        "ssh-unreachable",
        r"Connection (refused|timed out|closed|reset)|No route to host|Network is unreachable|Operation timed out",
        "no SSH server answers there",
        ("is it on, is its port right, does a firewall stand between? try: ssh {target}",),
    ),
)


def explain(ssh: Ssh, code: int, words: str, remote: Sequence[str] = ()) -> WhereError:
    """The error for an ssh that ended with `code` and printed `words`."""
    last = words.strip()[-1500:]
    for known in KNOWN:
        if re.search(known.pattern, words, re.IGNORECASE):
            remedy = ssh.advice or (line.format(target=_typed(ssh.name)) for line in known.remedy)
            return WhereError(known.id, f"{ssh.name}: {known.what}: {last.splitlines()[-1]}", *remedy)
    what = "ssh" if code == 255 else f"`{' '.join(remote)[:60]}`"
    return WhereError("ssh-failed", f"{ssh.name}: {what} failed with {code}: {last}", *ssh.advice)


def _typed(name: str) -> str:
    """The host as a person gives it to ssh and to ssh-copy-id."""
    user, host, port = _parts(name)
    return f"{f'-p {port} ' if port else ''}{f'{user}@' if user else ''}{host}"
