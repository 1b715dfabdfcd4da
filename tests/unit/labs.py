"""Labs to predict in: the tutorial's, with what a test changes in its configuration, and one with a second school."""

import copy
import json
import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any

from components.config.lab import LabConfig
from components.load import parse
from components.part import Blueprint, Part
from components.plan import Plan, plan_of
from maillab.verify.cells import LOOPBACK, Cell, Policy, Prediction, Source, Verdict, cells, predict, predict_all
from maillab.verify.directory import directory
from maillab.verify.pairs import writers
from maillab.verify.routes import Post
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[2]
Data = dict[str, Any]
Edit = Callable[[Data], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A lab as the prover sees it before it looks."""

    plan: Plan
    policy: Policy
    post: Post

    @property
    def lab(self) -> LabConfig:
        """What the stack file says."""
        return self.plan.config

    @property
    def plans(self) -> Mapping[str, Blueprint]:
        """Name to blueprint of every machine."""
        return self.plan.machines

    def ask(self, source: str, target: str, port: int, version: int = 4, machine: str | None = None) -> Prediction:
        """A connection. `source`: a machine, by its first address; or an address of `machine`'s, true or forged."""
        machine = machine or (source if source in self.plans else self.owner(source))
        address = ip_address(self.plans[machine].host.first(version) if machine == source else source)
        asked = Source(name=source, machine=machine, address=address)
        to = ip_address(self.plans[target].host.first(address.version))
        return predict(self.policy, Cell(source=asked, target=target, address=to, port=port))

    def ask_itself(self, machine: str, port: int, version: int) -> Prediction:
        """A connection over a machine's loopback."""
        address = LOOPBACK[version]
        source = Source(name="loopback", machine=machine, address=address)
        return predict(self.policy, Cell(source=source, target=machine, address=address, port=port))

    def owner(self, address: str) -> str:
        """The machine that has it."""
        return self.post.directory.owners[ip_address(address)]

    def verdicts(self) -> dict[Cell, Verdict]:
        """Of everything that the prover asks."""
        asked = cells(self.lab, self.plans)
        return {cell: found.verdict for cell, found in predict_all(self.policy, asked).items()}

    def ways(self, sender: str, recipient: str) -> set[str]:
        """The ends of a message, as people read them; `sender` is the address of one of the prover's writers."""
        writer = next(writer for writer in writers(self.lab) if writer.address == sender)
        return {str(ending) for ending in self.post.way(writer, recipient)}


def model(edit: Edit | None = None, stack: str = "dc1es") -> Model:
    """The lab of `Pulumi.<stack>.yaml`, its data first given to `edit`."""
    data = copy.deepcopy(stack_data(ROOT, stack))
    if edit is not None:
        edit(data)
    return model_of(parse(data, stack))


def model_of(lab: LabConfig) -> Model:
    """The lab of a checked configuration."""
    return _model(plan_of(lab))


def without_port(given: Model, machine: str, port: int) -> Model:
    """`given`, where no program of `machine` listens on `port`."""
    part = given.plans[machine].part
    return with_part(given, machine, replace(part, listens=frozenset(x for x in part.listens if x[0] != port)))


def with_part(given: Model, machine: str, part: Part) -> Model:
    """`given`, where `machine` is of `part`."""
    machines = {**given.plans, machine: replace(given.plans[machine], part=part)}
    return _model(replace(given.plan, machines=machines))


def _model(made: Plan) -> Model:
    policy = Policy(made.machines)
    post = Post(made.config, policy, directory(made.config, made.machines))
    return Model(plan=made, policy=policy, post=post)


def school(data: Data) -> Data:
    """The first school's section."""
    found = data["schools"][0]
    assert isinstance(found, dict)
    return found


def machine(data: Data, name: str) -> Data:
    """The section of one of the first school's machines."""
    found = next(machine for machine in school(data)["machines"] if machine["name"] == name)
    assert isinstance(found, dict)
    return found


def add_second_school(data: Data) -> None:
    """dc3es, the tutorial's school once more: machines with a 3, addresses in 163.26.190.0/24."""
    text = json.dumps(school(data))
    names = (("dc1es", "dc3es"), ("163.26.182.", "163.26.190."), ("2001:db8:182::", "2001:db8:190::"))
    # The school without an appliance, likewise.
    others = (("yaes", "yaes3"), ("163.32.182.", "163.32.190."), ("2001:db8:3282::", "2001:db8:3290::"))
    for old, new in (*names, *others):
        text = text.replace(old, new)
    other = json.loads(text)
    for found in other["machines"]:
        found |= {"hostname": found["name"], "name": f"{found['name']}3"}
        for route in found.get("spamfilter", {}).get("domains", []):
            route["server"] += "3"
    data["schools"].append(other)
