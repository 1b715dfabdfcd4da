"""What a line of a mail log says of a login: to a mailbox, or of somebody who wants to send."""

import re

from maillab.trace.events import Event, Kind
from maillab.trace.lines import FETCHING, Line

LOGIN = re.compile(r"^user `(?P<user>[^']*)' logged in with mailbox `[^']*' \((?P<messages>\d+) messages?\)")
# Dovecot's at the end of a session, as dovecot.conf has it written (pop3_logout_format).
FETCHED = re.compile(r"^pop3\((?P<user>[^)]*)\)<.*Logged out messages=(?P<messages>\d+) ")
NOT_AUTHENTICATED = re.compile(
    r"^warning: (?P<text>(?P<name>[^\s\[]*)\[(?P<address>[^\]]+)\]): SASL (?P<method>\S+) authentication failed: "
    r".*?, sasl_username=(?P<user>.+)$"
)
# The same of those who fetch: Dovecot's, and mailutils-pop3d's, which does not say from where.
NOT_FETCHED = (
    re.compile(
        r"^(?P<method>pop3|imap)-login: Login aborted: .*\(auth_failed\): user=<(?P<user>[^>]*)>, "
        r".*rip=(?P<address>[^,]+),"
    ),
    re.compile(r"^user `(?P<user>[^']*)': authentication failed$"),
)


def login_of(line: Line) -> Event | None:
    """The event of pop3d's, or Dovecot's, line about somebody who logged in to a mailbox."""
    match = LOGIN.match(line.text) or FETCHED.match(line.text)
    return Event(when=line.when, kind=Kind.LOGGED_IN, values=match.groupdict()) if match else None


def refused_login_of(line: Line) -> Event | None:
    """The event of a server's line about a wrong password."""
    if match := NOT_AUTHENTICATED.match(line.text):
        return Event(when=line.when, kind=Kind.NOT_AUTHENTICATED, values=match.groupdict())
    if line.program not in FETCHING:
        return None
    match = next(filter(None, (pattern.match(line.text) for pattern in NOT_FETCHED)), None)
    if match is None:
        return None
    values = match.groupdict()
    address = values.get("address")
    values = {"user": values["user"], "method": values.get("method", "pop3").upper()}
    if address:
        values |= {"address": address, "text": f"[{address}]"}
    return Event(when=line.when, kind=Kind.NOT_AUTHENTICATED, values=values)
