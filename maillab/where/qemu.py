"""qemu's command line, and the choice between KVM and software emulation."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from maillab.where import Say
from maillab.where.home import Home, Settings
from maillab.where.problem import WhereError
from maillab.where.program import finish

LOG = "qemu.log"  # what qemu itself says, beside the machine's console.log
PROBE_SECONDS = 10
HELP_SECONDS = 60
# The kernel's first words; with KVM they come within a second.
FIRST_WORDS = b"Linux version"
HANGS = "it is there, but a kernel printed nothing in it"
DEVICE = Path("/dev/kvm")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
FAULT = Path(".cache/vm/kvm-fault")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arch:
    """A processor: Debian's name, qemu's program and board, the console's name, and the processor for emulation.

    An old processor is emulated faster: programs then use no instructions that take many steps to emulate.
    """

    debian: str
    program: str
    package: str
    machine: str
    console: str
    emulated: str


ARCHS = {
    "x86_64": Arch(
        debian="amd64", program="qemu-system-x86_64", package="qemu-system-x86", machine="q35", console="ttyS0",
        emulated="Nehalem",
    ),
    "aarch64": Arch(
        debian="arm64", program="qemu-system-aarch64", package="qemu-system-arm", machine="virt", console="ttyAMA0",
        emulated="cortex-a72",
    ),
}  # fmt: skip


def this_arch() -> Arch:
    """The processor of this computer, which its machines have too. Raises WhereError for others."""
    try:
        return ARCHS[platform.machine()]
    except KeyError:
        remedy = f"machines are made on {', '.join(ARCHS)}; use where: local or ssh://user@host"
        raise WhereError("vm-arch", f"this computer is a {platform.machine()}", remedy) from None


def command_line(home: Home, settings: Settings, arch: Arch, accelerator: str, port: int) -> list[str]:
    """How qemu is called in the machine's folder: no display, no bridge, one port on 127.0.0.1."""
    # Nobody sits before it: a kernel that fell starts again, instead of standing still.
    kernel = f"root=/dev/vda rw console={arch.console} net.ifnames=0 quiet panic=1 oops=panic"
    if accelerator == "tcg":
        # Against leaks between processes of a real processor; costs much where each step is emulated.
        kernel += " mitigations=off"
    closed = "on" if settings.network == "closed" else "off"
    emulation = "tcg,thread=multi,tb-size=512" if accelerator == "tcg" else accelerator
    return [
        arch.program, "-name", f"maillab-{home.id}",
        "-nodefaults", "-no-user-config", "-display", "none",
        "-machine", arch.machine, "-accel", emulation,
        "-cpu", arch.emulated if accelerator == "tcg" else "host",
        "-smp", str(settings.cpus), "-m", f"{settings.memory}M",
        "-kernel", "vmlinuz", "-initrd", "initrd.img", "-append", kernel,
        # A full disk of this computer pauses the machine, instead of telling it of broken blocks.
        "-drive", "file=disk.qcow2,if=virtio,format=qcow2,discard=unmap,detect-zeroes=unmap,werror=enospc",
        "-drive", "file=seed.img,if=virtio,format=raw,readonly=on",
        # Closed: neither this computer (10.0.2.2) nor anything beyond it can be reached from inside.
        "-netdev", f"user,id=net,restrict={closed},hostfwd=tcp:127.0.0.1:{port}-:22",
        "-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci",
        "-chardev", "file,id=console,path=console.log,append=on", "-serial", "chardev:console",
        # With -D a daemon's stderr goes there (since qemu 7.2; older ones lose it). Nothing else is logged without -d.
        "-qmp", "unix:qmp.sock,server=on,wait=off", "-pidfile", "qemu.pid", "-daemonize", "-D", LOG,
        *_unprivileged(arch),
    ]  # fmt: skip


def _unprivileged(arch: Arch) -> list[str]:
    """Started by root, it gives root's rights away once its files are open."""
    if os.geteuid():
        return []
    described = finish([arch.program, "-help"], seconds=HELP_SECONDS).stdout
    return ["-run-with", "user=nobody"] if re.search(r"run-with.*user=", described) else ["-runas", "nobody"]


def choose_accelerator(wanted: str, arch: Arch, kernel: Path, say: Say) -> str:
    """`kvm` or `tcg`; `wanted` may be `auto`. What was found out is printed.

    Raises:
        WhereError: KVM is wanted and does not work.
    """
    if wanted == "tcg":
        return "tcg"
    # A user who asks for it by name may have repaired it.
    why = (None if wanted == "kvm" else _known_fault()) or kvm_fault(arch, kernel)
    if why is None:
        FAULT.unlink(missing_ok=True)
        return "kvm"
    _remember_fault(why)
    if wanted == "kvm":
        raise no_kvm(why)
    say(f"KVM can't be used: {why}. The processor is emulated (TCG), which is about ten times slower.")
    return "tcg"


def no_kvm(why: str) -> WhereError:
    """The error for a KVM that is wanted by name."""
    return WhereError("no-kvm", f"KVM can't be used: {why}", "write accelerator: auto (or leave it out)")


def _known_fault() -> str | None:
    """What the probe found since this computer was booted: one that hangs is not waited for at each start."""
    try:
        booted, _, why = FAULT.read_text("utf-8").partition("\n")
    except FileNotFoundError:
        return None
    return why.strip() if booted == BOOT_ID.read_text("ascii").strip() else None


def _remember_fault(why: str) -> None:
    if HANGS in why:
        FAULT.parent.mkdir(parents=True, exist_ok=True)
        FAULT.write_text(f"{BOOT_ID.read_text('ascii').strip()}\n{why}\n", "utf-8")


def device_fault(device: Path = DEVICE) -> str | None:
    """Why KVM's device can't be opened, None when it can: it may hang all the same (`kvm_fault`)."""
    if not device.exists():
        return f"there is no {device}"
    if not os.access(device, os.R_OK | os.W_OK):
        return f"no right to {device} (join the group kvm: sudo usermod -aG kvm $USER)"
    return None


def kvm_fault(arch: Arch, kernel: Path, device: Path = DEVICE, seconds: float = PROBE_SECONDS) -> str | None:
    """Why KVM can't be used, None when it can: the machine's own kernel is booted up to its first words.

    A KVM that is there may hang all the same (nested virtualization), so nothing less is a proof.
    """
    if why := device_fault(device):
        return why
    with tempfile.TemporaryDirectory() as folder:
        console = Path(folder) / "console"
        words = [
            arch.program, "-nodefaults", "-no-user-config", "-display", "none", "-machine", arch.machine,
            "-accel", "kvm", "-cpu", "host", "-m", "256", "-no-reboot", "-kernel", str(kernel),
            "-append", f"console={arch.console} panic=-1", "-serial", f"file:{console}",
        ]  # fmt: skip
        return _first_words(words, console, seconds)


def _first_words(words: list[str], console: Path, seconds: float) -> str | None:
    """None as soon as the kernel speaks on `console`; else what went wrong."""
    deadline = time.monotonic() + seconds
    probe = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    try:
        while time.monotonic() < deadline:
            if console.exists() and FIRST_WORDS in console.read_bytes():
                return None
            if probe.poll() is not None:
                errors = probe.stderr.read().decode(errors="replace").strip() if probe.stderr else ""
                return errors.splitlines()[0] if errors else f"qemu ended with {probe.returncode}"
            time.sleep(0.05)
        return f"{HANGS} for {seconds:g} s"
    finally:
        probe.kill()
        with suppress(subprocess.TimeoutExpired):  # one that hangs in the kernel does not even end so
            probe.wait(PROBE_SECONDS)
        if probe.stderr:
            probe.stderr.close()


def need_qemu(arch: Arch) -> None:
    """Raise WhereError when a program of qemu is missing."""
    for program, package in ((arch.program, arch.package), ("qemu-img", "qemu-utils")):
        if shutil.which(program) is None:
            remedy = f"`make up` installs it, or by hand: apt install {package}"
            raise WhereError("no-qemu", f"{program} is not installed on this computer", remedy)
