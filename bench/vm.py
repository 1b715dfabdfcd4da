"""What a virtual machine costs, step by step, beside the same lab on this computer's own engine."""

import contextlib
import pathlib
import re
import shutil
import time
from collections.abc import Iterator

from bench.figures import Figure
from bench.measures import first_message
from driver import place
from driver.lab import Lab, make_lab, remove_lab
from maillab.where.problem import WhereError
from maillab.where.qemu import kvm_fault, this_arch

CREATED = re.compile(r"Command (\S+) created \(([\d.]+)s\)")


def virtual_machines(folder: pathlib.Path) -> list[Figure]:
    """Disk made, boot to engine, images in, lab up, first message: with KVM where it works, and emulated.

    Each once: an emulated one takes minutes.
    """
    figures = _life(folder / "tcg", "tcg")
    kernels = sorted(pathlib.Path(".cache/vm").glob("*/vmlinuz"))
    try:
        fault = kvm_fault(this_arch(), kernels[0]) if kernels else "no kernel was made"
    except WhereError as error:
        fault = str(error)
    return figures if fault else [*_life(folder / "kvm", "kvm"), *figures]


def _life(folder: pathlib.Path, accelerator: str) -> list[Figure]:
    lab = make_lab(folder, "dc1es", place=place.of_own_vm(memory=2048, disk=16, accelerator=accelerator))
    with _without_disks(), _removed(lab):
        begin = time.monotonic()
        steps = {name: float(seconds) for name, seconds in CREATED.findall(lab.engine("up", "--yes").stdout)}
        up = time.monotonic() - begin
        first_message(lab)
        first = time.monotonic() - begin
    readings = {
        "disk made": (steps["vm-disk"], None),
        "boot to engine": (steps["vm-machine"] + steps["vm-engine"], None),
        "images in": (steps["images"], None),
        "up, from nothing": (up, "up"),
        "first message": (first, "first message"),
    }
    return [
        Figure(name=f"{name}, {accelerator}", unit="s", readings=[seconds], against=against)
        for name, (seconds, against) in readings.items()
    ]


@contextlib.contextmanager
def _without_disks() -> Iterator[None]:
    """The disks that were made before are put aside: making one is measured too."""
    cache = pathlib.Path(".cache/vm")
    aside = cache.with_name("vm.aside")
    shutil.rmtree(aside, ignore_errors=True)
    if cache.exists():
        cache.rename(aside)
    try:
        yield
    finally:
        if aside.exists():
            shutil.rmtree(cache, ignore_errors=True)
            aside.rename(cache)


@contextlib.contextmanager
def _removed(lab: Lab) -> Iterator[None]:
    try:
        yield
    finally:
        remove_lab(lab)
