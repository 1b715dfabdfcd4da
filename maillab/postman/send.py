"""One message, sent."""

from dataclasses import dataclass

from components.plan import Plan
from maillab.postman.message import Message
from maillab.postman.session import END, SECONDS, Replies, Reply, hand_in
from maillab.postman.way import Way, way_of
from maillab.trace.machines import Machines
from maillab.trace.maillog import queued_as


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the first server answered, step by step."""

    message: Message
    way: Way
    replies: Replies

    @property
    def last(self) -> Reply:
        """What decided: the answer to the message's end, or the first that was no yes."""
        return self.replies[-1]

    @property
    def taken(self) -> bool:
        """Has the server taken the message?"""
        return self.last.step == END and self.last.is_good

    @property
    def refusal(self) -> Reply | None:
        """Why it was not taken; code 0: the server was not reached, or did not answer."""
        return None if self.taken else self.last

    @property
    def queue_id(self) -> str | None:
        """Where the message is in the server's queue."""
        return queued_as(self.last.text) if self.taken else None


def send(machines: Machines, plan: Plan, message: Message, seconds: int = SECONDS) -> Answer:
    """Hand the message to its first server (`Message.via`, or the sender's own), from where its sender is.

    A refusal, and a server that does not answer in `seconds`, is an answer.

    Raises:
        PostError: nobody in the lab has the sender's address, or there is no such machine.
        MachineError: the sender's machine is not there.
    """
    way = way_of(plan, message)
    (replies,) = hand_in(machines, way, [message], seconds)
    return Answer(message=message, way=way, replies=replies)
