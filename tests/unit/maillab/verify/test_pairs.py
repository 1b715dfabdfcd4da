"""Who writes to whom: enough messages to show every way, and no more."""

import pytest

from components.config.lab import MachineConfig
from maillab.verify.pairs import NAMES, NOBODY, names_of, pairs, recipients, unnamed, writers
from maillab.verify.routes import Writer
from tests.unit.labs import Data, Model, machine, model, school


def writer_of(given: Model, name: str) -> Writer:
    """The writer with this local part or domain."""
    (found,) = [writer for writer in writers(given.lab) if name in writer.address]
    return found


def test_every_domain_of_the_internet_writes_by_each_family(tutorial: Model) -> None:
    domains = {sender.domain for sender in tutorial.lab.internet.senders}
    found = {(writer.address, writer.families) for writer in writers(tutorial.lab) if writer.machine == "outside"}
    assert found == {(f"verify+v{version}@{domain}", (version,)) for domain in domains for version in (4, 6)}


def test_domain_of_two_hosts_writes_once() -> None:
    def add_host(data: Data) -> None:
        extra = {"host": "mail2.example.com", "ipv4": "198.51.100.11", "ipv6": "2001:db8:198::11"}
        data["internet"]["senders"].append(extra)

    found = [writer.address for writer in writers(model(add_host).lab) if "example.com" in writer.address]
    assert found == ["verify+v4@example.com", "verify+v6@example.com"]


def test_other_domains_user_writes_on_its_own_server(tutorial: Model) -> None:
    assert writer_of(tutorial, "tnuser") == Writer(address="tnuser@tn.edu.tw", machine="tn")


def test_schools_teacher_writes_with_the_mail_client(tutorial: Model) -> None:
    writer = writer_of(tutorial, "@dc1es")
    assert (writer.machine, writer.client) == ("mail", "workstation")


def test_second_servers_user_writes_on_the_server(tutorial: Model) -> None:
    assert writer_of(tutorial, "@mail2") == Writer(address="kao@mail2.dc1es.tnc.edu.tw", machine="mail2")


def test_school_without_a_workstation_writes_on_its_server() -> None:
    given = model(lambda data: school(data)["machines"].pop())
    assert writer_of(given, "@dc1es").client is None


def test_writer_has_a_mailbox_of_his_own() -> None:
    """Answers and bounces to him must stay where they can be found."""
    given = model(lambda data: machine(data, "mail2")["mail"]["aliases"].append("kao: admin"))
    assert writer_of(given, "@mail2").address == "admin@mail2.dc1es.tnc.edu.tw"


def test_server_whose_users_all_have_aliases_writes_nothing() -> None:
    given = model(lambda data: machine(data, "mail2")["mail"].update(aliases=["kao: root", "admin: root"]))
    assert [writer.machine for writer in writers(given.lab) if "@mail2" in writer.address] == []


@pytest.mark.parametrize("domain", ["dc1es.tnc.edu.tw", "dns.dc1es.tnc.edu.tw", "mail.dc1es.tnc.edu.tw"])
def test_somebody_gets_mail_in_every_domain_of_the_server(tutorial: Model, domain: str) -> None:
    assert f"admin@{domain}" in recipients(tutorial.lab)


@pytest.mark.parametrize("address", [f"{NOBODY}@dc1es.tnc.edu.tw", f"{NOBODY}@mail2.dc1es.tnc.edu.tw"])
def test_nobody_gets_mail_on_each_server(tutorial: Model, address: str) -> None:
    assert address in recipients(tutorial.lab)


def test_alias_with_most_targets_gets_mail(tutorial: Model) -> None:
    assert "service@dc1es.tnc.edu.tw" in recipients(tutorial.lab)


@pytest.mark.parametrize("address", ["tnuser@tn.edu.tw", "verify@example.com"])
def test_people_outside_get_mail(tutorial: Model, address: str) -> None:
    assert address in recipients(tutorial.lab)


@pytest.mark.parametrize("name", ["dc1es.tnc.edu.tw", "dns.dc1es.tnc.edu.tw", "mail.dc1es.tnc.edu.tw"])
def test_zone_may_be_written_with_full_names(name: str) -> None:
    """The page has `dns.dc1es.tnc.edu.tw.  IN  MX  0`, with the final dot."""

    def write_out(data: Data) -> None:
        zone = school(data)["zone"]
        lines = [line.split(None, 1) for line in zone["records"]]
        names = {"@": "dc1es.tnc.edu.tw."}
        zone["records"] = [f"{names.get(n, f'{n}.dc1es.tnc.edu.tw.')} {rest}" for n, rest in lines]

    assert f"admin@{name}" in recipients(model(write_out).lab)


def test_domain_that_dns_does_not_know_gets_none() -> None:
    given = model(lambda data: machine(data, "mail")["mail"]["mydestination"].append("unknown.$mydomain"))
    assert [address for address in recipients(given.lab) if "unknown" in address] == []


def test_no_recipient_twice(tutorial: Model) -> None:
    found = recipients(tutorial.lab)
    assert len(set(found)) == len(found)


def test_only_alias_of_a_server_gets_one_message() -> None:
    """It has the fewest targets, and the most."""
    given = model(lambda data: machine(data, "mail2")["mail"].update(aliases=["root: admin"]))
    assert recipients(given.lab).count("root@mail2.dc1es.tnc.edu.tw") == 1


def test_both_schools_get_mail(two_schools: Model) -> None:
    domains = {address.partition("@")[2] for address in recipients(two_schools.lab)}
    assert {"dc1es.tnc.edu.tw", "dc3es.tnc.edu.tw"} <= domains


def of_kind(given: Model, word: str) -> list[tuple[Writer, str]]:
    """The pairs whose writer's address begins so."""
    return [(writer, to) for writer, to in pairs(given.post) if writer.address.startswith(word)]


def test_strangers_write_to_strangers_by_each_server_and_family(tutorial: Model) -> None:
    found = of_kind(tutorial, "relay+")
    servers = ("mail", "mail2", "spamfilter", "tn")
    assert {(w.machine, w.source.version) for w, _ in found if w.source} == {(m, v) for m in servers for v in (4, 6)}
    assert {writer.client for writer, _ in found} == {"outside"}
    assert {to for w, to in found if w.machine != "tn"} == {"tnuser@tn.edu.tw"}
    assert {to for w, to in found if w.machine == "tn"} == {"verify@dc2es.tnc.edu.tw"}


def test_stranger_is_one_who_may_connect(tutorial: Model) -> None:
    """The ministry at the mail servers, anybody at the filter."""
    found = {(w.machine, str(w.source)) for w, _ in of_kind(tutorial, "relay+v4")}
    assert {("mail", "140.111.2.10"), ("mail2", "140.111.2.10"), ("spamfilter", "198.51.100.10")} <= found


def test_stranger_where_nobody_may_connect_is_the_first() -> None:
    given = model(lambda data: school(data)["firewall"].update(mail=[{"action": "DROP", "port": 25}]))
    assert ("mail", "198.51.100.10") in {(w.machine, str(w.source)) for w, _ in of_kind(given, "relay+v4")}


def test_everybody_on_every_server_gets_a_message(tutorial: Model) -> None:
    wanted = {f"{name}@dc1es.tnc.edu.tw" for name in names_of(server_of(tutorial, "mail"))}
    wanted |= {f"{name}@mail2.dc1es.tnc.edu.tw" for name in names_of(server_of(tutorial, "mail2"))}
    assert len(wanted) == 19
    assert wanted <= {to for writer, to in pairs(tutorial.post) if writer.address == "verify+v4@example.com"}


def server_of(given: Model, name: str) -> MachineConfig:
    (found,) = [machine for machine in given.lab.schools[0].machines if machine.name == name]
    return found


def test_names_beyond_the_limit_are_told() -> None:
    users = [{"name": f"u{number}", "password": "x"} for number in range(NAMES)]
    given = model(lambda data: machine(data, "mail2")["mail"].update(users=users, aliases=["a: u1", "b: u2"]))
    assert unnamed(given.lab) == ["a message to each of 2 further names on mail2"]
    assert "a@mail2.dc1es.tnc.edu.tw" not in of_names(given)
    assert f"u{NAMES - 1}@mail2.dc1es.tnc.edu.tw" in of_names(given)


def of_names(given: Model) -> list[str]:
    """Whom the first sender writes to."""
    return [to for writer, to in pairs(given.post)[len(writers(given.lab)) * len(recipients(given.lab)) :]]


@pytest.mark.parametrize("delimiter", [None, "+", "="])
def test_somebody_with_an_extension_gets_a_message(delimiter: str | None) -> None:
    def set_it(data: Data) -> None:
        if delimiter is not None:
            machine(data, "mail")["mail"]["main_cf"] = {"recipient_delimiter": delimiter}

    assert f"admin{delimiter or '+'}verify@dc1es.tnc.edu.tw" in of_names(model(set_it))


def test_every_filter_gets_something_to_hold(two_schools: Model) -> None:
    found = [to for writer, to in pairs(two_schools.post) if writer.gtube]
    assert found == ["admin@dc1es.tnc.edu.tw", "admin@dc3es.tnc.edu.tw"]


@pytest.mark.parametrize(("score", "end"), [(15, "on hold in the queue"), (2000, "in the mailbox admin")])
def test_filter_holds_what_has_its_score(score: int, end: str) -> None:
    given = model(lambda data: machine(data, "spamfilter")["spamfilter"].update(hold_score=score))
    ((writer, to),) = [(writer, to) for writer, to in pairs(given.post) if writer.gtube]
    assert {str(ending).rpartition(": ")[2] for ending in given.post.way(writer, to)} == {end}
