"""What a configuration's own main.cf parameters (`main_cf`) change in the ways of mail, and which are not known here.

All of them are in postconf(5). What is neither `WITHOUT_EFFECT` nor read by `Parameters` is unknown: predictions are
made without it, and the report says so.
"""

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from components.config.lab import LabConfig, MachineConfig
from components.config.mail import MailServerConfig, destinations
from components.config.mynetworks import read_networks, words
from components.config.programs import Mta
from maillab.verify.restrictions import (
    DEFAULT_RELAY_RESTRICTIONS,
    LISTS,
    RELAY_RESTRICTIONS,
    REQUIRED,
    WITH_LOGIN,
    are_known,
)
from maillab.verify.virtual import VirtualAliases, read_inline

# Nothing of a message's way or end depends on these.
WITHOUT_EFFECT = frozenset(
    {"biff", "bounce_queue_lifetime", "bounce_size_limit", "bounce_template_file", "debug_peer_level"}
    | {"debug_peer_list", "default_process_limit", "delay_warning_time", "disable_vrfy_command", "fork_delay"}
    | {"header_size_limit", "in_flow_delay", "initial_destination_concurrency", "line_length_limit", "mail_name"}
    | {"mail_release_date", "maximal_backoff_time", "maximal_queue_lifetime", "max_idle", "max_use"}
    | {"minimal_backoff_time", "mynetworks_style", "notify_classes", "qmgr_message_active_limit", "queue_minfree"}
    | {"queue_run_delay", "readme_directory", "html_directory", "manpage_directory", "sample_directory"}
    | {"smtp_connect_timeout", "smtp_data_done_timeout", "smtp_helo_timeout", "smtp_mail_timeout"}
    | {"smtp_rcpt_timeout", "smtp_tls_loglevel", "smtputf8_enable", "smtpd_banner", "smtpd_forbid_bare_newline"}
    | {"smtpd_forbid_bare_newline_exclusions", "smtpd_helo_required", "smtpd_timeout", "smtpd_tls_loglevel"}
    | {"strict_rfc821_envelopes", "local_destination_concurrency_limit", "default_destination_concurrency_limit"}
)
# Nor on these, while they have such a value.
WITHOUT_EFFECT_AS = {
    "append_dot_mydomain": "yes|no",
    "mailbox_size_limit": r"0|\d{7,}",
    "message_size_limit": r"0|\d{6,}",
    "smtp_tls_security_level": "none|may",
    "smtpd_delay_reject": "yes",
    "smtpd_relay_before_recipient_restrictions": "yes",
    "smtpd_tls_security_level": "none",
}
# What Sendmail does by itself, in Postfix' words: user+extension@… is user's.
AS_SENDMAIL = {"recipient_delimiter": "+"}
DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
ADDRESS = re.compile(rf"[A-Za-z0-9._+-]+(@{DOMAIN.pattern})?")
IN_USER_NAMES = re.compile(r"[a-z0-9_-]")
# The default of `local_recipient_maps`, and what else means the same.
LOCAL_RECIPIENTS = re.compile(r"(proxy:)?unix:passwd\.byname[,\s]+\$alias_maps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """A mail server's `main_cf`, as far as it is known here.

    `own`: what `$myhostname` and `$mydomain` stand for. `asks_for_login`: its users log in to send.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    asks_for_login: bool = False

    @classmethod
    def of(cls, machine: MachineConfig, mail: MailServerConfig, domain: str) -> "Parameters":
        """Those of a school's mail server."""
        own = {"myhostname": machine.fqdn(domain), "mydomain": domain}
        if mail.mta is Mta.SENDMAIL:
            return cls(given=AS_SENDMAIL, own=own)
        return cls(given=mail.main_cf, own=own, asks_for_login=mail.authentication is not None)

    def value(self, name: str, default: str = "") -> str:
        """A parameter's value, with `$myhostname` and `$mydomain` filled in."""
        value = self.given.get(name, default).strip()
        for own, text in self.own.items():
            value = re.sub(rf"\$({own}\b|\{{{own}\}}|\({own}\))", text, value)
        return value

    @property
    def delimiter(self) -> str:
        """The characters that begin an address' extension."""
        value = self.value("recipient_delimiter")
        return value if self._is_delimiter(value) else ""

    def base(self, name: str) -> str:
        """A local part without its extension."""
        ends = [place for character in self.delimiter if (place := name.find(character)) > 0]
        return name[: min(ends, default=len(name))]

    @property
    def relay_domains(self) -> frozenset[str]:
        """The domains that mail is taken for, to be sent on; those below each of them, too."""
        found = words(self.value("relay_domains"))
        return frozenset(word.lower() for word in found if DOMAIN.fullmatch(word))

    def relays(self, domain: str) -> bool:
        """Is it in `relay_domains`?"""
        return any(f".{domain}".endswith(f".{other}") for other in self.relay_domains)

    @property
    def restrictions(self) -> list[list[str]]:
        """Everything that RCPT is asked about, list by list (SMTPD_ACCESS_README)."""
        defaults = WITH_LOGIN if self.asks_for_login else {RELAY_RESTRICTIONS: DEFAULT_RELAY_RESTRICTIONS}
        return [words(self.value(name, defaults.get(name, ""))) for name in LISTS]

    @property
    def takes_unknown_users(self) -> bool:
        """Are unknown users' messages taken, and refused (or given to `luser_relay`) afterwards?"""
        is_unlisted = "local_recipient_maps" in self.given and not self.value("local_recipient_maps")
        return is_unlisted or self.value("smtpd_reject_unlisted_recipient") == "no"

    @property
    def luser_relay(self) -> str:
        """Who gets the messages of unknown users; "": nobody."""
        return self._address("luser_relay")

    @property
    def always_bcc(self) -> str:
        """Who gets a copy of every message; "": nobody."""
        return self._address("always_bcc")

    @property
    def versions(self) -> frozenset[int]:
        """The IP versions that the server speaks."""
        value = self.value("inet_protocols", "all").lower()
        return frozenset(version for version in (4, 6) if f"ipv{version}" in value or "all" in value)

    @property
    def virtual(self) -> VirtualAliases:
        """`virtual_alias_maps` and `virtual_alias_domains`."""
        table = read_inline(self.value("virtual_alias_maps")) or {}
        domains = self._domains("virtual_alias_domains")
        keys = frozenset(key for key in table if "@" not in key)
        return VirtualAliases(table=table, domains=keys if domains is None else domains)

    def unknown(self) -> list[str]:
        """The parameters whose meaning is not known here, sorted."""
        return sorted(name for name in self.given if not self._is_known(name))

    def _is_known(self, name: str) -> bool:
        if name in WITHOUT_EFFECT:
            return True
        value = self.value(name)
        if name == "smtpd_tls_security_level" and self.asks_for_login:
            return False  # nobody could log in without TLS
        if name in WITHOUT_EFFECT_AS:
            return re.fullmatch(WITHOUT_EFFECT_AS[name], value) is not None
        if name in LISTS:
            return are_known(words(value)) and self._is_working
        reader = self._readers().get(name)
        return reader is not None and reader(value)

    @property
    def _is_working(self) -> bool:
        """Would smtpd work with these restrictions at all?"""
        found = dict(zip(LISTS, self.restrictions, strict=True))
        asked = [found[RELAY_RESTRICTIONS], found["smtpd_recipient_restrictions"]]
        return any(not REQUIRED.isdisjoint(itertools.takewhile(lambda word: word != "permit", one)) for one in asked)

    def _readers(self) -> Mapping[str, Callable[[str], bool]]:
        """Parameter to whether a value of it is known."""
        return {
            "mynetworks": lambda value: read_networks(value) is not None,
            "recipient_delimiter": self._is_delimiter,
            "relay_domains": lambda value: all(DOMAIN.fullmatch(word) for word in words(value)),
            "local_recipient_maps": lambda value: not value or LOCAL_RECIPIENTS.fullmatch(value) is not None,
            "smtpd_reject_unlisted_recipient": lambda value: value in ("yes", "no"),
            "luser_relay": lambda value: value == self.luser_relay,
            "always_bcc": lambda value: value == self.always_bcc,
            "inet_protocols": lambda value: set(words(value)) <= {"all", "ipv4", "ipv6"},
            "inet_interfaces": lambda _: all(map(_is_interface, words(self.given["inet_interfaces"]))),
            "virtual_alias_maps": lambda value: not value or read_inline(value) is not None,
            "virtual_alias_domains": lambda _: self._domains("virtual_alias_domains") is not None,
        }

    @staticmethod
    def _is_delimiter(value: str) -> bool:
        # With - and _ a log does not show where a user's name ends; they are in names, too.
        return not IN_USER_NAMES.search(value.lower())

    def _address(self, name: str) -> str:
        value = self.value(name)
        return value if ADDRESS.fullmatch(value) else ""

    def _domains(self, name: str) -> frozenset[str] | None:
        found = words(self.value(name))
        is_plain = name in self.given and all(DOMAIN.fullmatch(word) for word in found)
        return frozenset(word.lower() for word in found) if is_plain else None


def _is_interface(word: str) -> bool:
    """Is it a word of `inet_interfaces` that the mail server's part knows (components/mail/postfix.py)?"""
    try:
        ip_address(word.strip("[]"))
    except ValueError:
        return word in ("all", "$myhostname", "localhost", "loopback-only")
    return True


def unknown_parameters(lab: LabConfig) -> tuple[str, ...]:
    """`machine: parameter = value` of what no prediction takes into account, disks with faults too."""
    found = []
    for school in lab.schools:
        for machine in school.machines:
            found += [f"{machine.name}: volumes.{short} is {one.fault}" for short, one in machine.volumes.items()]
            if machine.mail is None:
                continue
            names = Parameters.of(machine, machine.mail, school.domain).unknown()
            found += [f"{machine.name}: {name} = {machine.mail.main_cf[name]}" for name in names]
            domains = destinations(machine.mail, machine.fqdn(school.domain), school.domain)
            found += [f"{machine.name}: mydestination has {name}" for name in domains if not DOMAIN.fullmatch(name)]
    return tuple(found)
