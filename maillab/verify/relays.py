"""RCPT from every source: which mail server would send a stranger's message on, from the configuration alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from components.config.lab import OUTSIDE, LabConfig
from maillab.verify.cells import Cell
from maillab.verify.pairs import domains_of
from maillab.verify.routes import SMTP, Post

TAKEN = "accepted"
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a server is asked over the connection of a `Cell`: would it take a message for this recipient?"""

    cell: Cell
    sender: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`seen`: `TAKEN`, or the enhanced status code of the refusal (RFC 3463); `NO_ANSWER` is only ever seen."""

    question: Question
    predicted: str
    seen: str

    @property
    def agrees(self) -> bool:
        """Was it as predicted?"""
        return self.seen == self.predicted


def questions(post: Post, asked: Iterable[Cell]) -> list[Question]:
    """Four, or five, to each mail server over each connection to its port 25."""
    servers = [name for name, plan in post.policy.plans.items() if plan.part.mail is not None]
    found: list[Question] = []
    for number, cell in enumerate(cell for cell in asked if cell.port == SMTP and cell.target in servers):
        found += (Question(cell=cell, sender=sender, recipient=to) for sender, to in _pairs(post, cell, number))
    return found


def _pairs(post: Post, cell: Cell, number: int) -> Iterator[tuple[str, str]]:
    """(sender, recipient), all of them ways to a stranger but the last.

    From a stranger to one of another domain, all domains in turn; from nobody (a bounce); from somebody of the server's
    own; and by an address that is the server's and names the stranger's, too (RFC 5321, section 3.3). Where users log
    in to send, also from somebody of the server's own to another one: nobody writes in their names.
    """
    lab = post.lab
    tn, senders = lab.internet.mail, lab.internet.senders
    user = f"{tn.users[0].name if tn.users else 'postmaster'}@{tn.domain}"
    strangers = [user, *dict.fromkeys(f"verify@{sender.domain}" for sender in senders)]
    foreign = [address for address in strangers if address not in _own(lab, cell.target)] or strangers
    recipient = foreign[number % len(foreign)]
    domain = _domain(post, cell.target)
    yield f"relay@{senders[number % len(senders)].domain}", recipient
    yield "<>", recipient
    yield f"postmaster@{domain}", recipient
    yield f"relay@{senders[0].domain}", f"{recipient.replace('@', '%')}@{domain}"
    if post.servers.parameters(cell.target).asks_for_login:
        yield f"postmaster@{domain}", f"postmaster@{domain}"


def _own(lab: LabConfig, server: str) -> list[str]:
    """The strangers that are the server's own people."""
    if server == OUTSIDE:
        return [f"verify@{sender.domain}" for sender in lab.internet.senders]
    tn = lab.internet.mail
    return [f"{tn.users[0].name if tn.users else 'postmaster'}@{tn.domain}"] if server == tn.name else []


def _domain(post: Post, server: str) -> str:
    """A domain that the server takes mail for."""
    if server == OUTSIDE:
        return post.lab.internet.senders[0].domain
    school, machine = post.servers.config(server)
    if school is None or machine is None:
        return post.lab.internet.mail.domain
    if machine.mail is not None:
        return domains_of(school, machine)[0]
    return next((relay.domain for relay in post.servers.relays(server)), school.domain)


def predict_answers(post: Post, asked: Iterable[Question]) -> dict[Question, str]:
    """What each server says, should the connection come about."""
    found = {}
    for question in asked:
        cell, sender = question.cell, question.sender.strip("<>")
        code = post.servers.refusal(cell.target, cell.source.address, question.recipient, sender)
        found[question] = code or TAKEN
    return found
