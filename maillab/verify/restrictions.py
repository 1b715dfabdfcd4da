"""smtpd's access restrictions (postconf(5), SMTPD_ACCESS_README): what a server answers to RCPT."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

UNKNOWN_USER = "5.1.1"
NO_RELAY = "5.7.1"
RELAY_LATER = "4.7.1"
REJECTED = "5.7.1"
DEFERRED = "4.3.2"

RELAY_RESTRICTIONS = "smtpd_relay_restrictions"
# In their order; with smtpd_delay_reject, all of them are asked at RCPT.
LISTS = (
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    RELAY_RESTRICTIONS,
    "smtpd_recipient_restrictions",
)
# As files/mail/main.cf.j2, files/spamfilter/main.cf.j2 and files/internet/main.cf.j2 have it.
DEFAULT_RELAY_RESTRICTIONS = "permit_mynetworks, reject_unauth_destination"
# smtpd does not work without one of them, here or in smtpd_recipient_restrictions, before any `permit`.
REQUIRED = frozenset({"reject_unauth_destination", "defer_unauth_destination", "reject", "defer"})
# The same of a server whose users log in to send, from anywhere; nobody else sends in their name.
WITH_LOGIN: Mapping[str, str] = {
    "smtpd_sender_restrictions": "permit_mynetworks, reject_sender_login_mismatch",
    RELAY_RESTRICTIONS: "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_recipient_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
}
# Of the ports for logins, whatever main.cf says of the others (files/mail/master.cf.j2).
OF_SUBMISSION: Mapping[str, Sequence[str]] = {
    "smtpd_client_restrictions": ("permit_sasl_authenticated", "reject"),
    "smtpd_sender_restrictions": ("reject_sender_login_mismatch",),
}
# They say nothing of the prover's messages: names and addresses are whole, and domains are in DNS.
SILENT = frozenset(
    {"permit_tls_all_clientcerts", "permit_tls_clientcerts"}
    | {"reject_non_fqdn_recipient", "reject_non_fqdn_sender", "reject_unauth_pipelining"}
    | {"reject_unknown_recipient_domain", "reject_unknown_sender_domain"}
)


class Step(enum.Enum):
    """What a restriction says when it refuses nobody."""

    NEXT = "next"
    PERMIT = "permit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a server knows of a client and the recipient that it names.

    `is_here`: the client is the server itself. `is_destination`: the domain is the server's, or one that it takes mail
    for. `is_listed`: the recipient is somebody there. `is_logged_in`: the client has shown a user's password.
    `is_owned`: the sender's address is a user's of the server (`smtpd_sender_login_maps`); `is_owner`: of the one who
    has logged in.
    """

    is_trusted: bool
    is_here: bool
    is_destination: bool
    is_listed: bool
    is_logged_in: bool = False
    is_owned: bool = False
    is_owner: bool = False


def _step(name: str, asked: Asked) -> Step | str | None:
    """What one restriction says, or the code of its refusal; None: nobody knows here."""
    permits = {
        "permit": True,
        "permit_mynetworks": asked.is_trusted,
        "permit_inet_interfaces": asked.is_here,
        "permit_sasl_authenticated": asked.is_logged_in,
        "permit_auth_destination": asked.is_destination,
    }
    is_borrowed = asked.is_owned and not asked.is_logged_in
    is_anothers = asked.is_logged_in and not asked.is_owner
    refuses = {
        "reject": (True, REJECTED),
        "defer": (True, DEFERRED),
        "reject_unauth_destination": (not asked.is_destination, NO_RELAY),
        "defer_unauth_destination": (not asked.is_destination, RELAY_LATER),
        "reject_sender_login_mismatch": (is_borrowed or is_anothers, REJECTED),
        "reject_authenticated_sender_login_mismatch": (is_anothers, REJECTED),
        "reject_unauthenticated_sender_login_mismatch": (is_borrowed, REJECTED),
        "reject_unlisted_recipient": (asked.is_destination and not asked.is_listed, UNKNOWN_USER),
    }
    if name in permits:
        return Step.PERMIT if permits[name] else Step.NEXT
    if name in refuses:
        is_refused, code = refuses[name]
        return code if is_refused else Step.NEXT
    return Step.NEXT if name in SILENT else None


def are_known(names: Iterable[str]) -> bool:
    """Does `refusal` know them all?"""
    anybody = Asked(is_trusted=False, is_here=False, is_destination=False, is_listed=False)
    return all(_step(name.lower(), anybody) is not None for name in names)


def refusal(lists: Iterable[Sequence[str]], asked: Asked) -> str:
    """The code of the first refusal, list by list; "" when there is none. Unknown restrictions say nothing."""
    for names in lists:
        for name in names:
            step = _step(name.lower(), asked)
            if isinstance(step, str):
                return step
            if step is Step.PERMIT:
                break
    return ""
