"""Single connections from one address of a machine to another machine, as the prover tries them."""

from ipaddress import ip_address

from driver.lab import Lab
from maillab.trace.machines import Machines
from maillab.verify.cells import Cell, Source, Verdict
from maillab.verify.probe import probe


def machines_of(lab: Lab) -> Machines:
    """The lab's machines for the prover."""
    return Machines(prefix=f"{lab.stack}-", environment=lab.environment)


def connection(lab: Lab, machine: str, source: str, target: str, port: int = 25) -> Verdict:
    """What `machine` sees when it connects from its address `source` to `port` of the address `target`."""
    owner = lab.by_address(target)
    asked = Source(name=machine, machine=machine, address=ip_address(source))
    cell = Cell(source=asked, target=owner.name if owner else "", address=ip_address(target), port=port)
    return probe(machines_of(lab), [cell])[cell]
