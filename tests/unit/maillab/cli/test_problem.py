"""Failures that are known by the engine's words. The words are what Docker and Pulumi really said."""

import pytest

from maillab.cli.problem import KNOWN, explain
from maillab.where.problem import WhereError
from maillab.where.ssh import explain as of_ssh
from maillab.where.ssh import to_host

WORDS = {
    "disk-full": "Error response from daemon: write /var/lib/docker/tmp/x: no space left on device",
    "no-right-to-socket": "permission denied while trying to connect to the Docker daemon socket at "
    "unix:///var/run/docker.sock: Get: dial unix /var/run/docker.sock: connect: permission denied",
    "engine-too-old": "Error response from daemon: client version 1.44 is too new. "
    "Maximum supported API version is 1.40",
    "client-too-old": "Error response from daemon: client version 1.41 is too old. Minimum supported API version is "
    "1.44, please upgrade your client to a newer version",
    "engine-too-old-for-client": "API version 1.41 is not supported by this client: the minimum supported API version "
    "is 1.44",
    "no-forwarding": "Error response from daemon: IPv4 forwarding is disabled: check your host's firewalling and set "
    "sysctl net.ipv4.ip_forward=1, or disable this check using daemon option --ip-forward=false",
    "no-raw-table": "Unable to enable DIRECT ACCESS FILTERING - DROP rule:  (iptables failed: iptables --wait -t raw "
    "-A PREROUTING -d 198.18.32.2 ! -i br-1 -j DROP: iptables v1.8.7 (legacy): can't initialize iptables table `raw': "
    "Table does not exist (do you need to insmod?)",
    "no-engine": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "no-way": "Cannot connect to the Docker daemon at unix:///tmp/maillab-0/0123456789ab/docker.sock. "
    "Is the docker daemon running?",
    "pool-taken": "Error response from daemon: Pool overlaps with other one on this address space",
    "name-taken": 'Conflict. The container name "/dc1es-mail" is already in use by container "4f".',
    "network-exists": "Error response from daemon: network with name dc1es-lan already exists",
    "port-taken": "driver failed: Bind for 127.0.0.1:8025 failed: port is already allocated",
    "locked": "error: the stack is currently locked by 1 lock(s).",
    "no-base-image": 'Get "https://registry.example/v2/": dial tcp: lookup registry.example: no such host',
    "no-signatures": "no-signatures: freshclam could not fetch them\nThe command 'x' returned a non-zero code: 1",
    "package-mirror": "E: Failed to fetch http://mirror.example/debian/pool/x.deb  Could not connect",
    "image-build": "The command '/bin/sh -c apt-get install x' returned a non-zero code: 100",
    "took-too-long": 'error: signal: killed: running "docker exec"',
    "pulumi-plugin": "error: could not load plugin for docker provider: no resource plugin 'pulumi-resource-docker'",
}


@pytest.mark.parametrize("name", [known.id for known in KNOWN])
def test_known_words_are_recognised(name: str) -> None:
    known = explain(WORDS[name])
    assert known is not None
    assert known.id == name


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.id)
def test_every_known_failure_says_what_to_do(known: object) -> None:
    assert all(getattr(known, "remedy", ())), "a remedy has no empty line"
    assert getattr(known, "remedy", ())


def test_the_offline_engines_words_for_a_step_without_an_end_are_known() -> None:
    known = explain("Command mail-config: no end after 30 min: it was stopped: running 'docker exec':")
    assert known is not None
    assert known.id == "took-too-long"


def test_other_words_are_not_guessed_at() -> None:
    assert explain("mail: postconf: fatal: bad string length 0 < 1: mydestination =") is None


def test_way_that_is_gone_is_known_by_the_offline_engines_words_too() -> None:
    known = explain(
        "Docker engine unix:///tmp/maillab-0/0123456789ab/docker.sock: does not answer (Error while fetching server "
        "API version: ('Connection aborted.', FileNotFoundError(2, 'No such file or directory')))"
    )
    assert known is not None
    assert known.id == "no-way"


def test_missing_image_of_the_labs_own_is_no_base_image() -> None:
    assert explain("pull access denied for maillab/mail, repository does not exist") is None


def test_a_taken_network_names_the_carrier() -> None:
    known = explain(WORDS["pool-taken"])
    assert known is not None
    assert "carrier" in " ".join(known.remedy)


@pytest.mark.parametrize("name", ["pool-taken", "name-taken", "network-exists"])
def test_what_may_be_another_labs_is_not_advised_away(name: str) -> None:
    known = explain(WORDS[name])
    assert known is not None
    assert " rm " not in " ".join(known.remedy)


def test_the_cause_comes_before_what_follows_from_it() -> None:
    known = explain(f"{WORDS['disk-full']}\n{WORDS['image-build']}")
    assert known is not None
    assert known.id == "disk-full"


def of_host(words: str) -> WhereError:
    """What ssh says of another computer."""
    return of_ssh(to_host("ssh://teacher@lab"), 1, words)


def of_mmdebstrap(id: str, words: str) -> WhereError:
    """Why the disk of a virtual machine could not be made (maillab/where/disk.py)."""
    return WhereError(id, f"making the disk failed:\nI: chroot\n\n{words}", "where it is said what to do")


ELSEWHERE = [
    pytest.param(of_host(f"docker.sock: {WORDS['no-right-to-socket']}"), id="no right to the engine there"),
    pytest.param(of_host(WORDS["no-engine"]), id="no engine runs there"),
    pytest.param(of_host(WORDS["engine-too-old"]), id="an old engine there"),
    pytest.param(of_host("ssh: connect to host lab port 22: Connection refused (docker)"), id="no way there"),
    pytest.param(of_mmdebstrap("disk-failed", WORDS["package-mirror"]), id="no packages for the machine's disk"),
    pytest.param(of_mmdebstrap("disk-failed", WORDS["image-build"]), id="the machine's disk"),
    pytest.param(of_mmdebstrap("no-space", "tar: x: No space left on device"), id="this computer's disk is full"),
    pytest.param(
        WhereError("vm-check", f"it lacks several things:\n{of_host(WORDS['no-engine']).text}\n"
                   f"{WhereError('no-space', 'no space left on device', 'a', 'b').text}"),
        id="several at once",
    ),
]  # fmt: skip


def command(error: WhereError, indent: str = "") -> str:
    """How an engine tells that a Command failed so."""
    words = f"vm-disk: exit status 1: running 'disk':\nmaking the disk (mmdebstrap)\nmaillab: {error.text}"
    return "\n".join(indent + line for line in words.splitlines())


@pytest.mark.parametrize("error", ELSEWHERE)
@pytest.mark.parametrize("indent", ["", "    "])
def test_nothing_is_added_to_what_is_told_of_another_place(error: WhereError, indent: str) -> None:
    """It has its own remedy; this computer's engine, or its images, are not what it is about."""
    assert explain(command(error, indent)) is None


@pytest.mark.parametrize("error", ELSEWHERE)
@pytest.mark.parametrize("indent", ["", "    "])
def test_another_failure_beside_it_is_known(error: WhereError, indent: str) -> None:
    for words in (f"{indent}{WORDS['name-taken']}\n{command(error, indent)}",
                  f"{command(error, indent)}\n{indent}{WORDS['name-taken']}"):  # fmt: skip
        known = explain(words)
        assert known is not None
        assert known.id == "name-taken"


def test_a_line_of_progress_hides_nothing() -> None:
    known = explain(f"maillab: it goes on\n{WORDS['pool-taken']}\n{command(of_host(WORDS['no-engine']))}")
    assert known is not None
    assert known.id == "pool-taken"


def test_a_way_that_is_gone_names_what_makes_it_anew() -> None:
    known = explain(WORDS["no-way"])
    assert known is not None
    assert "`bin/maillab --stack <stack> status`" in known.remedy[0]
    assert "this machine's" not in " ".join(known.remedy)
