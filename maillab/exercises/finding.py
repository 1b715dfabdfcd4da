"""What a look at an effect has found."""

import enum
from dataclasses import dataclass

from maillab.exercises.exercise import Mail


class State(enum.StrEnum):
    """What a look has found."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "unknown"  # it could not be looked at, which is not the student's fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One effect: what was expected and what was seen, for people; `message_id` of the message that shows it."""

    name: str
    says: str
    state: State
    expected: str = ""
    seen: str = ""
    message_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A message that was sent when the exercise began: with its Message-ID (without brackets)."""

    message_id: str
    mail: Mail
