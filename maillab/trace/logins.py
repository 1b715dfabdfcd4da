"""What a line of a mail log says of a login: to a mailbox, or of somebody who wants to send."""

import re

from maillab.trace.events import Event, Kind
from maillab.trace.lines import Line

LOGIN = re.compile(r"^user `(?P<user>[^']*)' logged in with mailbox `[^']*' \((?P<messages>\d+) messages?\)")
# Dovecot's at the end of a session, as dovecot.conf has it written (pop3_logout_format).
FETCHED = re.compile(r"^pop3\((?P<user>[^)]*)\)<.*Logged out messages=(?P<messages>\d+) ")
NOT_AUTHENTICATED = re.compile(
    r"^warning: (?P<text>(?P<name>[^\s\[]*)\[(?P<address>[^\]]+)\]): SASL (?P<method>\S+) authentication failed: "
    r".*?, sasl_username=(?P<user>.+)$"
)


def login_of(line: Line) -> Event | None:
    """The event of pop3d's, or Dovecot's, line about somebody who logged in to a mailbox."""
    match = LOGIN.match(line.text) or FETCHED.match(line.text)
    return Event(when=line.when, kind=Kind.LOGGED_IN, values=match.groupdict()) if match else None


def refused_login_of(line: Line) -> Event | None:
    """The event of smtpd's line about a wrong password."""
    match = NOT_AUTHENTICATED.match(line.text)
    return Event(when=line.when, kind=Kind.NOT_AUTHENTICATED, values=match.groupdict()) if match else None
