"""Addresses, routes and names: the school's network, the Internet's, and the router between them."""

import ipaddress
import json
import shlex

import pytest

from driver.lab import Lab
from driver.mail import smtp

SCHOOL4, SCHOOL6 = "163.26.182.{}", "2001:db8:182::{}"
SCHOOL_HOSTS = {"dns": 1, "mail": 2, "mail2": 8, "workstation": 100, "spamfilter": 249}
SENDERS = {
    "mail.example.com": ("198.51.100.10", "2001:db8:198::10"),
    "bulk.example.net": ("198.51.100.66", "2001:db8:198::66"),
    "mail.moe.edu.tw": ("140.111.2.10", "2001:db8:140:2::10"),
    "mail.mail8.moe.edu.tw": ("140.111.8.10", "2001:db8:140:8::10"),
    "mail.mail34.moe.edu.tw": ("140.111.34.10", "2001:db8:140:34::10"),
    "mail.ncku.edu.tw": ("140.116.2.10", "2001:db8:116:2::10"),
    "mail.boe.tnc.edu.tw": ("203.68.102.10", "2001:db8:203::10"),
    "mail.dc2es.tnc.edu.tw": ("163.26.1.10", "2001:db8:163:1::10"),
}
INTERNET = {
    "ns.root-servers.tw": ("203.0.113.53", "2001:db8:113::53"),
    "router.tnc.edu.tw": ("203.0.113.254", "2001:db8:113::254"),
    "mail.tn.edu.tw": ("203.68.102.25", "2001:db8:203::25"),
}
SCHOOL = {
    f"{name}.dc1es.tnc.edu.tw": (SCHOOL4.format(number), SCHOOL6.format(number))
    for name, number in {**SCHOOL_HOSTS, "router": 254}.items()
}
NAMES = SENDERS | INTERNET | SCHOOL
MACHINE_ADDRESSES = {
    **{name: {f"{SCHOOL4.format(n)}/24", f"{SCHOOL6.format(n)}/64"} for name, n in SCHOOL_HOSTS.items()},
    "router": {"163.26.182.254/24", "2001:db8:182::254/64", "203.0.113.254/24", "2001:db8:113::254/64"},
    "internet": {"203.0.113.53/24", "2001:db8:113::53/64"},
    "tn": {"203.68.102.25/32", "2001:db8:203::25/128"},
    "outside": {f"{v4}/32" for v4, _ in SENDERS.values()} | {f"{v6}/128" for _, v6 in SENDERS.values()},
}
VIA_ROUTER = {("default", "163.26.182.254"), ("default", "2001:db8:182::254")}
OUTER_VIA_ROUTER = {("default", "203.0.113.254"), ("default", "2001:db8:113::254")}
SEGMENT = {("203.0.113.0/24", None), ("2001:db8:113::/64", None)}
TN = {(address, None) for address in INTERNET["mail.tn.edu.tw"]}
FOREIGN = {(address, None) for addresses in SENDERS.values() for address in addresses}
ROUTES = {
    **dict.fromkeys(SCHOOL_HOSTS, VIA_ROUTER),
    "internet": OUTER_VIA_ROUTER | TN | FOREIGN,
    "tn": OUTER_VIA_ROUTER | SEGMENT | FOREIGN,
    "outside": OUTER_VIA_ROUTER | SEGMENT | TN,
    "router": TN | FOREIGN,
}


@pytest.mark.parametrize("machine", sorted(MACHINE_ADDRESSES))
def test_addresses(lab: Lab, machine: str) -> None:
    """These and no others: Docker's own (the carrier's) are gone. (On lo is what Postfix's probe comes from.)"""
    links = json.loads(lab[machine].succeed("ip -j address show scope global"))
    addresses = [a for link in links if link and link["ifname"] != "lo" for a in link["addr_info"] if a]
    assert {f"{address['local']}/{address['prefixlen']}" for address in addresses} == MACHINE_ADDRESSES[machine]


def test_addresses_added_by_hand_go_with_the_next_update(lab: Lab) -> None:
    """Several of one network, too: the kernel takes the later ones away with the first."""
    added = "ip -batch - <<<$'address add 192.0.2.1/24 dev eth0\naddress add 192.0.2.2/24 dev eth0'"
    lab["workstation"].succeed(f"{added} && /usr/lib/maillab/roles/network reload")
    test_addresses(lab, "workstation")


@pytest.mark.parametrize("machine", sorted(ROUTES))
def test_routes(lab: Lab, machine: str) -> None:
    """Apart from those that the kernel adds for the interfaces' own prefixes. All defaults end at the router."""
    lines = [line for family in (4, 6) for line in json.loads(lab[machine].succeed(f"ip -{family} -j route"))]
    added = [route for route in lines if route.get("protocol") != "kernel"]
    unreachable = [route["dst"] for route in added if route.get("type") == "unreachable"]
    found = {(route["dst"], route.get("gateway")) for route in added if route.get("type") != "unreachable"}
    assert found == ROUTES[machine]
    assert unreachable == (["default", "default"] if machine == "router" else [])


@pytest.mark.parametrize("machine", sorted(MACHINE_ADDRESSES))
def test_resolver_is_the_labs(lab: Lab, machine: str) -> None:
    """Not Docker's 127.0.0.11."""
    inside = machine in SCHOOL_HOSTS
    server, domain = ("163.26.182.1", "dc1es.tnc.edu.tw") if inside else ("203.0.113.53", ".")
    assert lab[machine].read("/etc/resolv.conf") == f"search {domain}\nnameserver {server}\n"


@pytest.mark.parametrize(
    ("machine", "target"),
    [
        pytest.param("outside", "163.26.182.2", id="inwards-ipv4"),
        pytest.param("outside", "2001:db8:182::2", id="inwards-ipv6"),
        pytest.param("mail", "203.68.102.25", id="outwards-ipv4"),
        pytest.param("mail", "2001:db8:203::25", id="outwards-ipv6"),
    ],
)
def test_router_is_the_one_hop_between(lab: Lab, machine: str, target: str) -> None:
    """A packet that may take one hop ends at the router, which says so; one that may take two arrives."""
    routers = ("203.0.113.254", "163.26.182.254", "2001:db8:113::254", "2001:db8:182::254")
    words = lab[machine].fail(f"ping -n -c 1 -W 2 -t 1 {target}")
    assert any(f"From {router} icmp_seq=1 Time" in words for router in routers)
    assert "ttl=63" in lab[machine].succeed(f"ping -n -c 1 -W 2 -t 2 {target}")


def test_machines_of_the_school_need_no_router(lab: Lab) -> None:
    assert "ttl=64" in lab["mail"].succeed("ping -n -c 1 -W 2 -t 1 163.26.182.249")


@pytest.mark.parametrize("version", [pytest.param(0, id="ipv4"), pytest.param(1, id="ipv6")])
@pytest.mark.parametrize("host", SENDERS)
def test_every_sender_reaches_the_school_from_its_own_address(lab: Lab, host: str, version: int) -> None:
    """Up to RCPT; the filter knows the client by its address and by the name that leads to it and back."""
    source = SENDERS[host][version]
    server = lab["spamfilter"].ipv6 if version else lab["spamfilter"].ipv4
    sender = f"someone@{host.partition('.')[2]}"
    steps = [f"EHLO {host}", f"MAIL FROM:<{sender}>", "RCPT TO:<admin@dc1es.tnc.edu.tw>", "QUIT"]
    replies = smtp(lab["outside"], server, steps, source=source)
    assert [reply.code for reply in replies] == [220, 250, 250, 250, 221]
    lab["spamfilter"].wait_until_succeeds(f"grep -F 'connect from {host}[{source}]' /var/log/mail.log")


@pytest.mark.parametrize("machine", ["workstation", "outside"])
def test_every_address_has_its_name(lab: Lab, machine: str) -> None:
    wanted = {address: name for name, addresses in NAMES.items() for address in addresses}
    # A machine that is in both networks has a name in each.
    questions = " ".join(f"-x {address} +short" for address in wanted)
    answers = lab[machine].succeed(f"dig +noall +answer {questions.replace(' +short', '')}").splitlines()
    found = {line.split()[0]: line.split()[-1].rstrip(".") for line in answers if "PTR" in line.split()}
    reverse = {f"{ipaddress.ip_address(address).reverse_pointer}.": name for address, name in wanted.items()}
    assert found == reverse


@pytest.mark.parametrize("machine", ["workstation", "outside"])
def test_every_name_has_both_addresses(lab: Lab, machine: str) -> None:
    questions = " ".join(f"{name} A {name} AAAA" for name in NAMES)
    answers = lab[machine].succeed(f"dig +noall +answer {questions}").splitlines()
    rows = [line.split() for line in answers]
    found = {(row[0].rstrip("."), row[3], row[4]) for row in rows}
    wanted = {(name, "A", v4) for name, (v4, _) in NAMES.items()} | {(n, "AAAA", v6) for n, (_, v6) in NAMES.items()}
    assert found == wanted


@pytest.mark.parametrize(
    "server", [pytest.param("163.26.182.1", id="ipv4"), pytest.param("2001:db8:182::1", id="ipv6")]
)
def test_schools_server_does_not_ask_for_strangers(lab: Lab, server: str) -> None:
    answer = lab["outside"].succeed(f"dig @{server} mail.example.com A")
    assert "status: REFUSED" in answer
    assert "recursion requested but not available" in answer
    own = lab["outside"].succeed(f"dig @{server} mail.dc1es.tnc.edu.tw A")
    assert "status: NOERROR" in own
    assert "163.26.182.2" in own


def test_internets_server_does_not_ask_for_the_school(lab: Lab) -> None:
    """It says who is to be asked (a referral), and no more."""
    answer = lab["mail"].succeed("dig @203.0.113.53 www.dc1es.tnc.edu.tw A")
    assert "ANSWER: 0" in answer
    assert "recursion requested but not available" in answer
    own = lab["mail"].succeed("dig @203.0.113.53 mail.example.com A")
    assert "ANSWER: 1" in own


def test_school_asks_its_own_server_about_everybody(lab: Lab) -> None:
    answer = lab["workstation"].succeed("dig @163.26.182.1 mail.example.com A")
    assert "status: NOERROR" in answer
    assert "198.51.100.10" in answer


@pytest.mark.parametrize("machine", ["outside", "workstation", "dns"])
@pytest.mark.parametrize("zone", ["dc1es.tnc.edu.tw", "182.26.163.in-addr.arpa"])
def test_zone_transfer_is_refused(lab: Lab, machine: str, zone: str) -> None:
    words = lab[machine].execute(f"dig @163.26.182.1 {shlex.quote(zone)} AXFR").output
    assert "Transfer failed." in words
    assert "SOA" in lab[machine].succeed(f"dig +tcp +noall +answer @163.26.182.1 {shlex.quote(zone)} SOA")
    assert "SOA" not in words.replace(f"{zone} AXFR", "")
