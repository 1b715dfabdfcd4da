"""What can be wrong with what somebody wants to send, before any machine is asked."""

import enum
import re
import unicodedata
from collections.abc import Iterable

from maillab.postman.message import Message

ADDRESS = re.compile(r"[^\s<>]+@[^\s<>@]+")
NAME = re.compile(r"[^\s<>]+")
NO_TEXT = ("Cc", "Cs", "Zl", "Zp")  # controls, halves of a character, ends of lines


class Fault(enum.StrEnum):
    """Why a message was not sent at all."""

    SENDER = "sender"  # nobody in the lab has the address
    MACHINE = "machine"  # there is no such machine
    NO_SERVER = "no-server"  # the machine has no mail server
    ADDRESS = "address"  # it is no mail address
    TEXT = "text"  # it is no line of text
    USER = "user"  # nobody has such a mailbox


class PostError(Exception):
    """What was asked for can't be: the `name` that is wrong, and those that there are."""

    def __init__(self, fault: Fault, name: str, known: Iterable[str] = ()) -> None:
        self.fault, self.name, self.known = fault, name, tuple(known)
        super().__init__(f"{fault}: {name!r}; there are: {', '.join(self.known) or '-'}")


def refuse_form(message: Message) -> None:
    """Refuse what a session or a header would take for something else.

    Raises:
        PostError: a blank in an address, the end of a line in a subject, half a character.
    """
    for address in (message.sender or "null@sender", message.recipient):
        if not ADDRESS.fullmatch(address) or not _is_text(address):
            raise PostError(Fault.ADDRESS, address)
    if message.helo is not None and not NAME.fullmatch(message.helo):
        raise PostError(Fault.TEXT, message.helo)
    names = [attachment.name for attachment in message.attachments]
    for words in (message.helo or "", message.subject, message.message_id, *names):
        if not _is_text(words):
            raise PostError(Fault.TEXT, words)
    if any(unicodedata.category(one) == "Cs" for one in message.body):
        raise PostError(Fault.TEXT, message.body)


def _is_text(words: str) -> bool:
    return not any(unicodedata.category(one) in NO_TEXT for one in words)
