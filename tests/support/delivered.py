"""A message that arrived: the hops it took and what lies in the mailbox at their end."""

import email
import email.message
import email.policy
from dataclasses import dataclass

from driver.lab import Lab
from driver.mail import Message, new_message, post, stored, submit
from maillab.trace.hops import Hop


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """A message, its hops by queue id, and its bytes in the mailbox."""

    mail: Message
    hops: list[Hop]
    stored: bytes

    @property
    def path(self) -> list[str]:
        """The machines, first hop first."""
        return [hop.machine for hop in self.hops]

    @property
    def body(self) -> bytes:
        """What follows the header in the mailbox."""
        return self.stored.partition(b"\n\n")[2]

    @property
    def header(self) -> list[bytes]:
        """The lines of the header in the mailbox."""
        return self.stored.partition(b"\n\n")[0].split(b"\n")

    @property
    def message(self) -> email.message.EmailMessage:
        """The message in the mailbox, parsed."""
        return email.message_from_bytes(self.stored, policy=email.policy.default)


def mailbox_of(hops: list[Hop]) -> str:
    """The file in /var/mail that the last hop wrote: the user's, or on `outside` the domain's."""
    delivery = hops[-1].delivery
    assert delivery is not None
    return delivery.mailbox


def arrived(lab: Lab, mail: Message, hops: list[Hop]) -> Delivered:
    """The message in the mailbox where `hops` end: it must lie there exactly once."""
    machine, user = lab[hops[-1].machine], mailbox_of(hops)
    found = stored(machine, user, mail.message_id)
    assert len(found) == 1, f"{machine.name}:/var/mail/{user} has {mail.message_id} {len(found)} times"
    return Delivered(mail=mail, hops=hops, stored=found[0])


def deliver(
    lab: Lab, via: str, sender: str, recipient: str, mail: Message | None = None, *, final: str | None = None
) -> Delivered:
    """Sends a message and waits until it is in the mailbox.

    `via`: `outside` sends as a server of the Internet, by MX; any other machine is the mail server that the
    school's mail client hands the message to. `final`: one of the addresses that an alias leads to.
    """
    mail = mail or new_message(sender, recipient)
    first = post(lab, via, sender, recipient, mail) if via == "outside" else submit(lab, via, sender, recipient, mail)
    return arrived(lab, mail, lab.wait_for_delivery(via, first, recipient, final=final))


def deliver_from(lab: Lab, machine: str, sender: str, recipient: str, mail: Message | None = None) -> Delivered:
    """The same of a message that is written on `machine` itself."""
    mail = mail or new_message(sender, recipient)
    first = post(lab, machine, sender, recipient, mail)
    return arrived(lab, mail, lab.wait_for_delivery(machine, first, recipient))
