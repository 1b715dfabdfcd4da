"""KVM where it works, else emulation; qemu is a script."""

import platform
from functools import partial
from pathlib import Path

import pytest

from maillab.where import qemu
from maillab.where.problem import WhereError
from maillab.where.qemu import ARCHS, choose_accelerator, kvm_fault, need_qemu, this_arch
from tests.unit.conftest import Program

ARCH = ARCHS["x86_64"]
KERNEL = Path("vmlinuz")
SPEAKS = """for word; do case $word in file:*) echo '[    0.000000] Linux version 6.12' >"${word#file:}";; esac; done
exec tail -f /dev/null"""
HANGS = "exec tail -f /dev/null"
FAILS = """echo 'Could not access KVM kernel module: Permission denied' >&2; echo more >&2; exit 1"""
COUNTED = "echo probed >>probes\n"


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /dev/kvm, and patience with what is slow in it."""
    path = tmp_path / "kvm"
    path.touch()
    monkeypatch.setattr(qemu, "kvm_fault", partial(kvm_fault, device=path, seconds=60))
    return path


@pytest.fixture
def hangs(device: Path, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """A KVM in which nothing happens, and little patience with it."""
    monkeypatch.setattr(qemu, "kvm_fault", partial(kvm_fault, device=device, seconds=0.2))
    program(ARCH.program, COUNTED + HANGS)


@pytest.fixture(autouse=True)
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the number of this boot."""
    path = tmp_path / "boot_id"
    path.write_text("first\n", "ascii")
    monkeypatch.setattr(qemu, "BOOT_ID", path)
    return path


def probes() -> int:
    """How often qemu was started."""
    path = Path("probes")
    return len(path.read_text("utf-8").splitlines()) if path.exists() else 0


@pytest.mark.usefixtures("device")
def test_kvm_in_which_a_kernel_speaks_is_taken(program: Program, said: list[str]) -> None:
    program(ARCH.program, SPEAKS)
    assert choose_accelerator("auto", ARCH, KERNEL, said.append) == "kvm"
    assert said == []


@pytest.mark.usefixtures("hangs")
def test_kvm_in_which_a_kernel_is_silent_is_not(said: list[str]) -> None:
    assert choose_accelerator("auto", ARCH, KERNEL, said.append) == "tcg"
    assert said[0].startswith("KVM can't be used: it is there, but a kernel printed nothing in it for 0.2 s.")


@pytest.mark.usefixtures("device")
def test_qemus_refusal_is_reported_with_its_first_words(program: Program, said: list[str]) -> None:
    program(ARCH.program, FAILS)
    assert choose_accelerator("auto", ARCH, KERNEL, said.append) == "tcg"
    assert "KVM can't be used: Could not access KVM kernel module: Permission denied." in said[0]


@pytest.mark.usefixtures("device")
def test_a_qemu_that_ends_without_a_word(program: Program, said: list[str]) -> None:
    program(ARCH.program, "exit 3")
    assert choose_accelerator("auto", ARCH, KERNEL, said.append) == "tcg"
    assert "qemu ended with 3" in said[0]


def test_without_the_device_qemu_is_not_asked(program: Program, device: Path, said: list[str]) -> None:
    program(ARCH.program, COUNTED + SPEAKS)
    device.unlink()
    assert choose_accelerator("auto", ARCH, KERNEL, said.append) == "tcg"
    assert f"there is no {device}" in said[0]
    assert probes() == 0


@pytest.mark.usefixtures("device")
def test_without_the_right_to_it_the_group_is_named(monkeypatch: pytest.MonkeyPatch, said: list[str]) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert choose_accelerator("auto", ARCH, KERNEL, said.append) == "tcg"
    assert "join the group kvm" in said[0]


@pytest.mark.usefixtures("hangs")
def test_kvm_that_is_wanted_and_hangs_is_an_error(said: list[str]) -> None:
    with pytest.raises(WhereError, match="KVM can't be used: it is there, but") as refusal:
        choose_accelerator("kvm", ARCH, KERNEL, said.append)
    assert refusal.value.id == "no-kvm"


@pytest.mark.usefixtures("device")
def test_kvm_that_is_wanted_and_broken_is_an_error(program: Program, said: list[str]) -> None:
    program(ARCH.program, FAILS)
    with pytest.raises(WhereError, match="KVM can't be used: Could not access") as refusal:
        choose_accelerator("kvm", ARCH, KERNEL, said.append)
    assert refusal.value.id == "no-kvm"
    assert "accelerator: auto" in refusal.value.remedy[0]


@pytest.mark.usefixtures("device")
def test_kvm_that_is_wanted_and_works_is_taken(program: Program, said: list[str]) -> None:
    program(ARCH.program, SPEAKS)
    assert choose_accelerator("kvm", ARCH, KERNEL, said.append) == "kvm"


@pytest.mark.usefixtures("device")
def test_emulation_that_is_wanted_needs_no_proof(program: Program, said: list[str]) -> None:
    program(ARCH.program, COUNTED + SPEAKS)
    assert choose_accelerator("tcg", ARCH, KERNEL, said.append) == "tcg"
    assert probes() == 0


@pytest.mark.usefixtures("hangs")
def test_what_hangs_is_tried_once_within_a_boot(said: list[str]) -> None:
    found = [choose_accelerator("auto", ARCH, KERNEL, said.append) for _ in range(2)]
    assert found == ["tcg", "tcg"]
    assert probes() == 1
    assert said[0] == said[1]


@pytest.mark.usefixtures("hangs")
def test_kvm_that_is_asked_for_by_name_is_tried_again(said: list[str]) -> None:
    choose_accelerator("auto", ARCH, KERNEL, said.append)
    with pytest.raises(WhereError, match="KVM can't be used"):
        choose_accelerator("kvm", ARCH, KERNEL, said.append)
    assert probes() == 2


@pytest.mark.usefixtures("hangs")
def test_kvm_that_was_repaired_is_taken_when_it_is_asked_for(program: Program, said: list[str]) -> None:
    choose_accelerator("auto", ARCH, KERNEL, said.append)
    program(ARCH.program, SPEAKS)
    assert choose_accelerator("kvm", ARCH, KERNEL, said.append) == "kvm"


@pytest.mark.usefixtures("hangs")
def test_what_hung_is_tried_again_after_a_boot(boot: Path, said: list[str]) -> None:
    choose_accelerator("auto", ARCH, KERNEL, said.append)
    boot.write_text("second\n", "ascii")
    choose_accelerator("auto", ARCH, KERNEL, said.append)
    assert probes() == 2


@pytest.mark.usefixtures("device")
def test_what_costs_no_time_is_tried_each_time(program: Program, said: list[str]) -> None:
    """The person may have repaired it meanwhile."""
    program(ARCH.program, FAILS)
    choose_accelerator("auto", ARCH, KERNEL, said.append)
    program(ARCH.program, SPEAKS)
    assert choose_accelerator("auto", ARCH, KERNEL, said.append) == "kvm"


@pytest.mark.usefixtures("device")
def test_the_probe_does_not_outlive_its_answer(program: Program) -> None:
    program(ARCH.program, f"echo $$ >pid\n{SPEAKS}")
    assert qemu.kvm_fault(ARCH, KERNEL) is None
    assert not Path(f"/proc/{Path('pid').read_text('utf-8').strip()}").exists()


@pytest.mark.usefixtures("device")
def test_the_machines_own_kernel_is_booted_with_kvm(program: Program, said: list[str]) -> None:
    program(ARCH.program, f'echo "$*" >words\n{SPEAKS}')
    choose_accelerator("auto", ARCH, Path("base/vmlinuz"), said.append)
    words = Path("words").read_text("utf-8")
    assert "-kernel base/vmlinuz " in words
    assert "-accel kvm " in words


def test_another_processor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(WhereError, match="this computer is a riscv64") as refusal:
        this_arch()
    assert refusal.value.id == "vm-arch"


@pytest.mark.parametrize(
    ("there", "missing", "package"),
    [("qemu-img", ARCH.program, ARCH.package), (ARCH.program, "qemu-img", "qemu-utils")],
)
def test_a_missing_program_of_qemu_is_named_with_its_package(
    program: Program, monkeypatch: pytest.MonkeyPatch, there: str, missing: str, package: str
) -> None:
    monkeypatch.setenv("PATH", str(program(there, "").parent))
    with pytest.raises(WhereError, match=f"^{missing} is not installed") as refusal:
        need_qemu(ARCH)
    assert refusal.value.id == "no-qemu"
    assert refusal.value.remedy[0].endswith(f"apt install {package}")
