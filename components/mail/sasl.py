"""SMTP AUTH (RFC 4954; tutorial: SMTP AUTH): saslauthd, which checks passwords, and who may send as whom."""

from collections.abc import Iterator, Sequence

from components.config.mail import MailServerConfig, User
from components.part import LoginProtocol, LoginService, Part
from components.templates import render_template

SUBMISSION, SUBMISSIONS = 587, 465
SENDER_LOGIN = "/etc/postfix/sender_login"


def sasl_part(config: MailServerConfig, domains: Sequence[str]) -> Part:
    """Logins to the mail server for `domains`, by which its users send from anywhere."""
    return Part(
        recipes=("mail", "sasl"),
        about="",
        roles=("saslauthd",),
        files={
            "/etc/default/saslauthd": render_template("sasl/saslauthd.j2"),
            "/etc/postfix/sasl/smtpd.conf": render_template("sasl/smtpd.conf.j2"),
            SENDER_LOGIN: sender_login(config, domains),
        },
        logins=(smtp_auth(config.users),),
    )


def smtp_auth(users: tuple[User, ...]) -> LoginService:
    """The logins of `users`, once the connection is encrypted."""
    return LoginService(protocol=LoginProtocol.SMTP, port=SUBMISSION, users=users)


def sender_login(config: MailServerConfig, domains: Sequence[str]) -> str:
    """`smtpd_sender_login_maps` (postconf(5)): a sender's address to the logins that may use it."""
    known = list(dict.fromkeys(domains))
    # chen+parents@… is chen's, where the server says so.
    plus, end = ("+", "([+][^@]*)?") if "+" in config.main_cf.get("recipient_delimiter", "") else ("", "")
    owners = ((alias.name, owners_of(config, known, alias.name)) for alias in config.good_aliases)
    return render_template(
        "sasl/sender_login.j2",
        domains="|".join(map(_escaped, known)),
        aliases=[(f"{_escaped(name)}{end}", _logins(users, known)) for name, users in owners if users],
        user=f"([^@{plus}]+){end}",
        logins=_logins(["${1}"], known),
    )


def owners_of(config: MailServerConfig, domains: Sequence[str], name: str) -> list[str]:
    """The server's users whom mail for `name` reaches, by aliases too, and the user of that name himself."""
    users = {user.name for user in config.users}
    targets = {alias.name.lower(): alias.targets for alias in config.good_aliases}
    waiting, seen, found = [name.lower()], set[str](), []
    while waiting:
        one = waiting.pop(0)
        if one in seen:
            continue
        seen.add(one)
        found += [one] if one in users else []
        waiting += _local_names(targets.get(one, ()), domains)
    return found


def _local_names(targets: Sequence[str], domains: Sequence[str]) -> Iterator[str]:
    """What stands before the @ of those that are the server's own."""
    for target in targets:
        name, at, domain = target.lower().rpartition("@")
        if not at or domain in domains:
            yield name if at else domain


def _logins(names: Sequence[str], domains: Sequence[str]) -> str:
    """By the name alone, and by the whole address, as mail programs have it."""
    return ", ".join(login for name in names for login in (name, *(f"{name}@{domain}" for domain in domains)))


def _escaped(text: str) -> str:
    """For a regular expression: names of aliases and domains have no other characters with a meaning."""
    return text.replace(".", r"\.").replace("+", r"\+")
