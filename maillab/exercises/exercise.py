"""What a file in `exercises/` can say (docs/en/how-to/write-an-exercise.md explains each key to teachers)."""

import enum
from collections.abc import Mapping
from dataclasses import field

from components.config.catalogue import CHINESE, language
from components.config.section import MayBeEmpty, section


@section
class Text:
    """Words for people, in both languages."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.zh if language() == CHINESE else self.en


STACK = "dc1es"
PATIENCE = 8  # seconds for a message to come to an end; most take half a second
BODIES = ("spam", "virus", "archive")  # of a message, beside a size


class Home(enum.StrEnum):
    """Where a fault lives: in the student's stack file (`up` repairs it), or on machines (only hands do)."""

    STACK = "stack"
    MACHINE = "machine"


@section
class Step:
    """One thing that is done; exactly one of `run`, `edit`, `restart`, `stack`.

    `run`: what root types in the machine. `edit`: a file there, in which the text `replace`, which it has exactly once,
    becomes `by`. `restart`: `docker restart` of it. `stack`: a text that the stack file has exactly once, which becomes
    `by`; then `up`.
    """

    machine: str | None = None
    run: str | None = None
    edit: str | None = None
    replace: str | None = None
    restart: bool = False
    stack: str | None = None
    by: MayBeEmpty | None = None


@section
class Mail:
    """A message, from `sender` to `to`, or (`message`) one of those that were sent when the exercise began.

    `via`: handed straight to that machine, past the MX. `body`: `spam` (GTUBE), `virus` (EICAR's test file), `archive`
    (one that no scanner here can look into), or so many kilobytes (`100k`).
    What should become of it: in exactly the mailboxes `ends` (`admin@mail`; unset: as the good configuration says), by
    all of the machines `through`; refused, held, waiting or gone `at` that machine, with `code` (how it begins).
    `file`: with the headers and the text of a message in `exercises/messages/`. `login`: the user who logs in to send
    it (unset: the sender himself, where users log in), at TCP port `port` (unset: the one for that). `marked`: with
    amavis' X-Spam-Flag in all mailboxes, or in none.
    """

    sender: str | None = None
    to: str | None = None
    message: str | None = None
    via: str | None = None
    body: str | None = None
    file: str | None = None
    login: str | None = None
    port: int | None = None
    marked: bool | None = None
    ends: tuple[str, ...] | None = None
    through: tuple[str, ...] = ()
    at: str | None = None
    code: str | None = None


@section
class Connection:
    """A TCP connection from `source` (a machine, or the host or domain of a sender) to a port of the machine `to`."""

    source: str
    to: str
    port: int = 25
    families: tuple[int, ...] = (4, 6)


@section
class Question:
    """A question to DNS, asked on machine `machine` of the name server `server` (unset: its resolver).

    `says`: all records of the answer as `dig +short` prints them, in any order; empty: there is no such record.
    """

    machine: str
    name: str
    type: str
    server: str | None = None
    says: tuple[str, ...] = ()


@section
class Fetch:
    """A new message to `user` (an address) can be fetched by POP3 from the school's workstation."""

    user: str


@section
class Effect:
    """What can be seen from outside; exactly one kind. `says` tells people what is looked at, not how."""

    says: Text
    arrives: Mail | None = None
    relays: Mail | None = None
    refused: Mail | None = None
    held: Mail | None = None
    waits: Mail | None = None
    gone: Mail | None = None
    connects: Connection | None = None
    dropped: Connection | None = None
    closed: Connection | None = None
    answers: Question | None = None
    fetches: Fetch | None = None


MAIL_KINDS = ("arrives", "relays", "refused", "held", "waits", "gone")
KINDS = (*MAIL_KINDS, "connects", "dropped", "closed", "answers", "fetches")


@section
class Cheat:
    """What somebody might do instead of a repair; `unmasked`: the goals or probes that see it, one of them at least."""

    steps: tuple[Step, ...]
    unmasked: tuple[str, ...]


@section
class Drill:
    """What must be so while something is out of order: `steps` bring that about, `end` puts an end to it."""

    steps: tuple[Step, ...]
    goals: Mapping[str, Effect]
    end: tuple[Step, ...]


@section
class Hint:
    """A hint; with `missed` only while the last check missed that goal."""

    en: str
    zh: str
    missed: str | None = None

    def __str__(self) -> str:
        return self.zh if language() == CHINESE else self.en


@section
class Sent:
    """A message that the exercise sends itself; `number` of them, each of its own."""

    sender: str
    to: str
    body: str | None = None
    file: str | None = None
    login: str | None = None
    via: str | None = None
    number: int = 1


@section
class Exercise:
    """One exercise. `variables`: what is another for each student; `{{ name }}` in every text stands for the choice.

    `stack`: it is made for the lab of Pulumi.<stack>.yaml, whatever a student's own stack is called.
    `good`: edits of the stack file that say what is right, where that is not what it says. `before`: messages that are
    delivered before the fault comes; `during`: messages that are sent into it. `again`: what must not undo a repair.
    `drill`: comes last. `excused`: probes (`probes.py`) that this exercise does not look at.
    `patience`: seconds for a message to come to an end.
    """

    title: Text
    story: Text
    task: Text
    section: str
    level: int
    minutes: int
    lives: Home
    goals: Mapping[str, Effect]
    fault: tuple[Step, ...]
    symptom: Mapping[str, Effect]
    repairs: Mapping[str, tuple[Step, ...]]
    cheats: Mapping[str, Cheat]
    hints: tuple[Hint, ...]
    solution: Text
    debrief: Text
    stack: str = STACK
    variables: Mapping[str, tuple[int | str | Mapping[str, int | str], ...]] = field(default_factory=dict)
    good: tuple[Step, ...] = ()
    before: Mapping[str, Sent] = field(default_factory=dict)
    during: Mapping[str, Sent] = field(default_factory=dict)
    again: tuple[Step, ...] = ()
    drill: Drill | None = None
    patience: int = PATIENCE
    excused: tuple[str, ...] = ()


def kind_of(effect: Effect) -> str:
    """The effect's kind, of KINDS; of a checked exercise."""
    return next(kind for kind in KINDS if getattr(effect, kind) is not None)
