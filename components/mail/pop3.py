"""POP3 (RFC 1939) for a machine's users: by mailutils' pop3d under xinetd, or by Dovecot, which speaks IMAP too."""

from components.config.mail import User
from components.part import LoginProtocol, LoginService, Part, both_families
from components.templates import render_template

POP3, POP3S, IMAP, IMAPS = 110, 995, 143, 993
DOVECOT_FILE = "/etc/dovecot/dovecot.conf"


def pop3(users: tuple[User, ...]) -> LoginService:
    """The logins of `users`."""
    return LoginService(protocol=LoginProtocol.POP3, port=POP3, users=users)


def xinetd_part(users: tuple[User, ...]) -> Part:
    """mailutils' pop3d, as the tutorial runs qpopper: xinetd starts one for each connection."""
    return Part(recipes=("mail",), about="", roles=("pop3",), listens=both_families(POP3), logins=(pop3(users),))


def dovecot_part(users: tuple[User, ...], *, tls: str | None = None) -> Part:
    """Dovecot: POP3 and IMAP on the mailboxes of Postfix; IMAP's other folders are in the users' homes, on a volume.

    `tls`: the folder of the machine's certificate, where it has one.
    """
    return Part(
        recipes=("mail", "dovecot"),
        about="",
        roles=("dovecot",),
        files={DOVECOT_FILE: render_template("dovecot/dovecot.conf.j2", tls=tls)},
        volumes={"homes": "/home"},
        listens=both_families(POP3, IMAP, *((POP3S, IMAPS) if tls else ())),
        logins=(pop3(users),),
    )
