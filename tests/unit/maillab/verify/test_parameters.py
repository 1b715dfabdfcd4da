"""Which parameters of main.cf the prover knows, and what it makes of some."""

import pytest

from maillab.verify.parameters import Parameters, unknown_parameters
from tests.unit.labs import Model, machine, model


def unknown(name: str, value: str) -> tuple[str, ...]:
    """What the prover does not know of a lab with one parameter."""
    return unknown_parameters(model(lambda data: machine(data, "mail")["mail"].update(main_cf={name: value})).lab)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mynetworks", "0.0.0.0/0"),
        ("mynetworks", "127.0.0.0/8 [::1]/128, !163.26.182.249"),
        ("mynetworks_style", "subnet"),
        ("relay_domains", "tn.edu.tw, $mydomain"),
        ("smtpd_relay_restrictions", "permit_mynetworks, defer_unauth_destination"),
        ("smtpd_recipient_restrictions", "permit"),
        ("smtpd_client_restrictions", "permit_mynetworks reject"),
        ("recipient_delimiter", "+"),
        ("local_recipient_maps", " "),
        ("luser_relay", "admin"),
        ("always_bcc", "admin@$mydomain"),
        ("virtual_alias_maps", "inline:{chen@dc1es.tnc.edu.tw=lin}"),
        ("virtual_alias_domains", "example.org"),
        ("inet_protocols", "ipv4"),
        ("inet_interfaces", "$myhostname, localhost"),
        ("message_size_limit", "10240000"),
        ("smtpd_banner", "$myhostname ESMTP"),
    ],
)
def test_known_parameter(name: str, value: str) -> None:
    assert unknown(name, value) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mynetworks", "hash:/etc/postfix/networks"),
        ("mynetworks", "/etc/postfix/networks"),
        ("mynetworks", "$smtpd_authorized_xclient_hosts"),
        ("mynetworks", "163.26.182.2/24"),
        ("relay_domains", "hash:/etc/postfix/relays"),
        ("smtpd_relay_restrictions", "permit_mynetworks, check_client_access hash:/etc/postfix/access"),
        ("smtpd_recipient_restrictions", "permit_mx_backup, reject_unauth_destination"),
        # Postfix answers 451 to every RCPT then.
        ("smtpd_relay_restrictions", "permit"),
        ("smtpd_relay_restrictions", "permit, reject_unauth_destination"),
        ("recipient_delimiter", "-"),
        ("local_recipient_maps", "hash:/etc/postfix/users"),
        ("luser_relay", "$user@example.com"),
        ("always_bcc", "|/bin/cat"),
        ("virtual_alias_maps", "hash:/etc/postfix/virtual"),
        ("virtual_alias_maps", "regexp:{{/^chen@/ lin}}"),
        ("inet_interfaces", "eth0.example"),
        ("message_size_limit", "1000"),
        ("transport_maps", "inline:{tn.edu.tw=discard:}"),
        ("canonical_maps", "inline:{chen=lin}"),
        ("sender_canonical_maps", "inline:{chen=lin}"),
        ("smtpd_milters", "unix:other.sock"),
        ("alias_maps", "hash:/etc/aliases"),
        ("header_checks", "pcre:{{/x/ DISCARD}}"),
        ("no_such_parameter", "yes"),
    ],
)
def test_unknown_parameter_is_named_with_its_value(name: str, value: str) -> None:
    assert unknown(name, value) == (f"mail: {name} = {value}",)


def test_tutorials_schools_have_none(tutorial: Model, onehost: Model) -> None:
    assert (unknown_parameters(tutorial.lab), unknown_parameters(onehost.lab)) == ((), ())


@pytest.mark.parametrize(
    ("given", "name", "base"),
    [("", "chen+x", "chen+x"), ("+", "chen+x+y", "chen"), ("+.", "chen.x+y", "chen"), ("+", "+x", "+x")],
)
def test_extension_begins_at_the_first_delimiter(given: str, name: str, base: str) -> None:
    assert Parameters(given={"recipient_delimiter": given}).base(name) == base


@pytest.mark.parametrize("written", ["$mydomain", "${mydomain}", "$(mydomain)"])
def test_own_domain_is_filled_in(written: str) -> None:
    assert Parameters(given={"relay_domains": written}, own={"mydomain": "b.tw"}).relays("x.b.tw")


def test_disk_with_a_fault_is_named() -> None:
    """Of a machine without main_cf, too."""
    given = model(lambda data: machine(data, "spamfilter").update(volumes={"spool": {"size": "4m", "full": True}}))
    assert unknown_parameters(given.lab) == ("spamfilter: volumes.spool is full",)
