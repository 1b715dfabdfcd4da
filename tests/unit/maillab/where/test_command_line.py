"""How qemu is called: nothing but one port of 127.0.0.1 leads into the machine, and no path out of its folder."""

from itertools import pairwise

import pytest

from maillab.where.home import Home
from maillab.where.qemu import ARCHS, command_line
from tests.unit.conftest import Program
from tests.unit.maillab.where.conftest import settings

ARCH = ARCHS["x86_64"]


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ordinary one, who has no rights to give away."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)


def after(words: list[str], option: str) -> list[str]:
    """Each word that stands behind `option`."""
    return [value for key, value in pairwise(words) if key == option]


@pytest.fixture
def emulated(home: Home) -> list[str]:
    """The command line of a machine whose processor is emulated."""
    return command_line(home, settings(cpus=3, memory=1500), ARCH, "tcg", 2222)


@pytest.fixture
def with_kvm(home: Home) -> list[str]:
    """The command line of a machine with KVM."""
    return command_line(home, settings(), ARCH, "kvm", 2222)


def test_its_one_network_is_qemus_own(emulated: list[str]) -> None:
    assert after(emulated, "-netdev") == ["user,id=net,restrict=off,hostfwd=tcp:127.0.0.1:2222-:22"]


def test_a_closed_machine_reaches_nothing(home: Home) -> None:
    words = command_line(home, settings(network="closed"), ARCH, "tcg", 2222)
    assert after(words, "-netdev") == ["user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:2222-:22"]


@pytest.mark.parametrize("word", ["tap", "bridge", "0.0.0.0", "-nic", "-net", "-vnc", "-spice", "tcp::"])
def test_nothing_opens_it_to_others(emulated: list[str], word: str) -> None:
    assert word not in emulated
    assert not [found for found in emulated if word in found and not word.startswith("-")]


def test_every_path_is_in_its_folder(emulated: list[str]) -> None:
    assert not [word for word in emulated if "/" in word.replace("root=/dev/vda", "")]


def test_kernel_and_disks(emulated: list[str]) -> None:
    assert after(emulated, "-kernel") == ["vmlinuz"]
    assert after(emulated, "-initrd") == ["initrd.img"]
    assert [word.split(",")[0] for word in after(emulated, "-drive")] == ["file=disk.qcow2", "file=seed.img"]


def test_a_full_disk_of_this_computer_pauses_it(emulated: list[str]) -> None:
    assert "werror=enospc" in after(emulated, "-drive")[0].split(",")


def test_the_keys_are_not_written_to(emulated: list[str]) -> None:
    assert "readonly=on" in after(emulated, "-drive")[1].split(",")


def test_its_sizes(emulated: list[str]) -> None:
    assert after(emulated, "-smp") == ["3"]
    assert after(emulated, "-m") == ["1500M"]


def test_its_name_is_what_it_is_known_by(emulated: list[str], home: Home) -> None:
    assert after(emulated, "-name") == [f"maillab-{home.id}"]


def test_emulation(emulated: list[str]) -> None:
    assert after(emulated, "-accel") == ["tcg,thread=multi,tb-size=512"]
    assert after(emulated, "-cpu") == [ARCH.emulated]
    assert "mitigations=off" in after(emulated, "-append")[0].split()


def test_a_kernel_that_fell_starts_again(emulated: list[str], with_kvm: list[str]) -> None:
    for words in (emulated, with_kvm):
        assert {"panic=1", "oops=panic"} <= set(after(words, "-append")[0].split())
        assert "-no-reboot" not in words


def test_its_own_words_are_kept(emulated: list[str]) -> None:
    assert after(emulated, "-D") == ["qemu.log"]
    assert "-d" not in emulated


def test_kvm(with_kvm: list[str]) -> None:
    assert after(with_kvm, "-accel") == ["kvm"]
    assert after(with_kvm, "-cpu") == ["host"]


def test_a_real_processor_is_protected(with_kvm: list[str]) -> None:
    assert "mitigations=off" not in after(with_kvm, "-append")[0]


def test_an_ordinary_user_has_no_rights_to_give_away(emulated: list[str]) -> None:
    assert not {"-runas", "-run-with"} & set(emulated)


@pytest.mark.parametrize(
    ("helps", "words"),
    [
        pytest.param("-runas user|uid:gid  change to user", ["-runas", "nobody"], id="before qemu 9.1"),
        pytest.param("-run-with [async-teardown=on]\n-runas user", ["-runas", "nobody"], id="without a user in it"),
        pytest.param("-run-with [chroot=dir][,user=username|uid:gid]", ["-run-with", "user=nobody"], id="qemu 9.1"),
    ],
)
def test_root_gives_its_rights_away(
    home: Home, program: Program, monkeypatch: pytest.MonkeyPatch, helps: str, words: list[str]
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    program(ARCH.program, f'[ "$*" = -help ] && echo "{helps}"')
    assert command_line(home, settings(), ARCH, "tcg", 2222)[-2:] == words
