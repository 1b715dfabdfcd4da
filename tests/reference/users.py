"""The page of the users and their passwords, from the stack files."""

from collections.abc import Iterable, Iterator

from components.config.mail import User
from components.load import parse
from tests.reference.words import cell, table, word
from tests.support.documents import ROOT
from tests.support.stacks import stack_data

STACKS = ("dc1es", "onehost", "standalone")


def page(language: str) -> list[str]:
    """Its lines."""
    lines = [f"# {word(language, 'users')}", "", word(language, "made"), "", word(language, "about-users")]
    head = tuple(word(language, key) for key in ("machine", "user", "password", "address", "person"))
    for stack in STACKS:
        lab = parse(stack_data(ROOT, stack), stack)
        rows: list[tuple[str, ...]] = []
        aliases: list[str] = []
        for school in lab.schools:
            for machine in school.machines:
                if machine.mail:
                    domain = machine.fqdn(school.domain)
                    if "$mydomain" in machine.mail.mydestination:
                        domain = school.domain
                    rows += _rows(machine.name, domain, machine.mail.users)
                    aliases += [f"- {machine.name}: `{line}`" for line in machine.mail.aliases]
        outside = lab.internet.mail
        rows += _rows(outside.name, outside.domain, outside.users)
        lines += ["", f"## {stack}", "", *table(head, *rows), "", word(language, "aliases"), "", *aliases]
    return lines


def _rows(machine: str, domain: str, users: Iterable[User]) -> Iterator[tuple[str, ...]]:
    for user in users:
        yield machine, f"`{user.name}`", f"`{user.password}`", f"{user.name}@{domain}", cell(user.gecos)
