"""The filter's maps and settings, from the domain table."""

import pathlib
from dataclasses import replace

import pytest

from components.config.lab import MachineConfig, SchoolConfig
from components.config.mail import MESSAGE_SIZE_LIMIT
from components.config.spamfilter import DomainRoute, SpamFilterConfig
from components.load import parse
from components.spamfilter.render import relays, spamfilter_files, spamfilter_part
from components.templates import FILES
from tests.support.stacks import stack_data

ROOT = pathlib.Path(__file__).resolve().parents[3]


@pytest.fixture
def school() -> SchoolConfig:
    return parse(stack_data(ROOT, "dc1es"), "dc1es").schools[0]


def filter_of(school: SchoolConfig) -> tuple[MachineConfig, SpamFilterConfig]:
    machine = next(machine for machine in school.machines if machine.spamfilter)
    assert machine.spamfilter is not None
    return machine, machine.spamfilter


def files_of(school: SchoolConfig, *routes: tuple[str, str]) -> dict[str, str]:
    machine, config = filter_of(school)
    table = tuple(DomainRoute(domain=domain, server=server) for domain, server in routes) or config.domains
    return spamfilter_files(school, machine, replace(config, domains=table))


def entries(text: str) -> dict[str, str]:
    """A map file's keys and values (postmap(1))."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = {key: value.strip() for key, _, value in (line.replace("\t", " ").partition(" ") for line in lines)}
    assert len(found) == len(lines), "a key stands there twice"
    return found


def test_each_domain_has_its_servers_address(school: SchoolConfig) -> None:
    assert entries(files_of(school)["/etc/postfix/transport"]) == {
        "dc1es.tnc.edu.tw": "smtp:[163.26.182.2]",
        "dns.dc1es.tnc.edu.tw": "smtp:[163.26.182.2]",
        "mail2.dc1es.tnc.edu.tw": "smtp:[163.26.182.8]",
    }


def test_recipients_are_the_accounts_and_aliases_of_the_domains_server(school: SchoolConfig) -> None:
    recipients = entries(files_of(school)["/etc/postfix/relay_recipients"])
    of_mail2 = {name for name in recipients if name.endswith("@mail2.dc1es.tnc.edu.tw")}
    assert of_mail2 == {f"{name}@mail2.dc1es.tnc.edu.tw" for name in ("admin", "kao", "postmaster", "root")} | {
        "mailer-daemon@mail2.dc1es.tnc.edu.tw"
    }
    assert recipients["service@dns.dc1es.tnc.edu.tw"] == "mail"


def test_names_are_in_lower_case(school: SchoolConfig) -> None:
    (mail,) = (machine for machine in school.machines if machine.name == "mail")
    assert mail.mail is not None
    louder = replace(mail, mail=replace(mail.mail, aliases=(*mail.mail.aliases, "Principal: admin")))
    others = tuple(machine for machine in school.machines if machine.name != "mail")
    recipients = entries(
        files_of(replace(school, machines=(louder, *others)), ("DC1ES.tnc.edu.tw", "mail"))[
            "/etc/postfix/relay_recipients"
        ]
    )
    assert "principal@dc1es.tnc.edu.tw" in recipients
    assert all(key == key.lower() for key in recipients)


def test_own_words_go_to_the_school_only_if_the_filter_passes_its_mail(school: SchoolConfig) -> None:
    assert "\nmyorigin = $mydomain\n" in files_of(school)["/etc/postfix/main.cf"]
    elsewhere = files_of(school, ("mail2.dc1es.tnc.edu.tw", "mail2"))
    assert "\nmyorigin = $myhostname\n" in elsewhere["/etc/postfix/main.cf"]


def test_probe_asks_for_somebody_whom_the_filter_knows(school: SchoolConfig) -> None:
    files = files_of(school, ("mail2.dc1es.tnc.edu.tw", "mail2"))
    assert files["/etc/maillab/probe-recipient"].strip() in entries(files["/etc/postfix/relay_recipients"])


def test_scores_reach_rspamd(school: SchoolConfig) -> None:
    machine, config = filter_of(school)
    files = spamfilter_files(school, machine, replace(config, mark_score=4, hold_score=9))
    actions = files["/etc/rspamd/local.d/actions.conf"].splitlines()
    assert {"reject = null;", "add_header = 4;", "quarantine = 9;"} <= set(actions)


def test_whole_school_sends_through_the_filter(school: SchoolConfig) -> None:
    main = files_of(school)["/etc/postfix/main.cf"]
    assert "\nmynetworks = 127.0.0.0/8, [::1]/128, 163.26.182.0/24, [2001:db8:182::]/64\n" in main


def test_maps_that_are_checked_are_the_ones_that_are_used(school: SchoolConfig) -> None:
    files = files_of(school)
    for line in files["/etc/maillab/maps"].splitlines():
        kind, _, path = line.partition(":")
        assert path in files
        assert f"{kind}:{path.replace('/etc/postfix', '$config_directory')}\n" in files["/etc/postfix/main.cf"]


def test_queue_and_memory_outlive_the_container(school: SchoolConfig) -> None:
    machine, config = filter_of(school)
    part = spamfilter_part(school, machine, config)
    assert set(part.volumes.values()) == {"/var/spool/postfix", "/var/lib/redis"}
    assert part.roles[-1] == "postfix", "nobody is let in before everything that judges a message is there"


def test_empty_table_relays_for_nobody(school: SchoolConfig) -> None:
    machine, config = filter_of(school)
    files = spamfilter_files(school, machine, replace(config, domains=()))
    assert "\nrelay_domains =\n" in files["/etc/postfix/main.cf"]
    assert relays(school, replace(config, domains=())) == ()
    assert files["/etc/maillab/probe-recipient"] == "\n", "the probe then asks for nobody"


def test_virus_scanner_takes_every_message_that_postfix_takes() -> None:
    clamd = entries((FILES / "clamav/image/etc/clamav/clamd.conf").read_text(encoding="utf-8"))
    limits = {
        key: int(clamd[key].removesuffix("M")) * 2**20 for key in ("StreamMaxLength", "MaxFileSize", "MaxScanSize")
    }
    assert min(limits.values()) > MESSAGE_SIZE_LIMIT
