"""POP3 (RFC 1939), by mailutils' pop3d: what it offers to a machine's users."""

from components.config.mail import User
from components.part import LoginProtocol, LoginService

POP3 = 110


def pop3(users: tuple[User, ...]) -> LoginService:
    """The logins of `users`."""
    return LoginService(protocol=LoginProtocol.POP3, port=POP3, users=users)
