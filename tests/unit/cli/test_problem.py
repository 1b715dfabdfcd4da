"""Failures that are known by the engine's words. The words are what Docker and Pulumi really said."""

import pytest

from cli.problem import KNOWN, explain

WORDS = {
    "disk-full": "Error response from daemon: write /var/lib/docker/tmp/x: no space left on device",
    "no-right-to-socket": "permission denied while trying to connect to the Docker daemon socket at "
    "unix:///var/run/docker.sock: Get: dial unix /var/run/docker.sock: connect: permission denied",
    "engine-too-old": "Error response from daemon: client version 1.44 is too new. "
    "Maximum supported API version is 1.40",
    "no-engine": "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    "pool-taken": "Error response from daemon: Pool overlaps with other one on this address space",
    "name-taken": 'Conflict. The container name "/dc1es-mail" is already in use by container "4f".',
    "port-taken": "driver failed: Bind for 127.0.0.1:8025 failed: port is already allocated",
    "locked": "error: the stack is currently locked by 1 lock(s).",
    "package-mirror": "E: Failed to fetch http://mirror.example/debian/pool/x.deb  Could not connect",
    "image-build": "The command '/bin/sh -c apt-get install x' returned a non-zero code: 100",
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


def test_other_words_are_not_guessed_at() -> None:
    assert explain("mail: postconf: fatal: bad string length 0 < 1: mydestination =") is None


def test_a_taken_network_names_the_carrier() -> None:
    known = explain(WORDS["pool-taken"])
    assert known is not None
    assert "carrier" in " ".join(known.remedy)


def test_the_cause_comes_before_what_follows_from_it() -> None:
    known = explain(f"{WORDS['disk-full']}\n{WORDS['image-build']}")
    assert known is not None
    assert known.id == "disk-full"
