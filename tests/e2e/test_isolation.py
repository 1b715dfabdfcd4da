"""Nothing of a lab reaches the computer it runs on or the world behind it, and the computer stays as it was."""

import ipaddress
import json
import pathlib
from collections.abc import Iterator

import pytest

from components.load import parse
from components.network.topology import topology_of
from driver.lab import ROOT, Lab, make_lab, remove_lab
from driver.machine import Machine
from tests.support.delivered import deliver
from tests.support.host import bridges_of, host_of, watching
from tests.support.own_engine import OwnEngine
from tests.support.stacks import stack_data

WENDY = "wendy@example.com"
ADMIN = "admin@dc1es.tnc.edu.tw"
TNUSER = "tnuser@tn.edu.tw"
PREFIXES = (
    *("163.26.0.0/16", "140.111.0.0/16", "140.116.0.0/16", "203.68.102.0/24", "203.0.113.0/24", "198.51.100.0/24"),
    "2001:db8::/32",
)
# What nobody in the lab has: in its ranges, elsewhere in the world, and of the host's own networks.
NOBODY = ["163.26.182.77", "163.26.183.1", "198.51.100.99", "203.0.113.99", "8.8.8.8", "2001:db8:dead::1"]
PORT = 17025
LISTEN = (
    "import socket, sys\n"
    "server = socket.create_server(('::', int(sys.argv[1])), family=socket.AF_INET6, dualstack_ipv6=True)\n"
    "while True:\n"
    "    connection, _ = server.accept(); connection.sendall(b'reached\\n'); connection.close()\n"
)


@pytest.fixture(scope="module")
def host(lab: Lab) -> Iterator[Machine]:
    """The computer that the lab runs on."""
    with host_of(lab) as machine:
        yield machine


@pytest.fixture(scope="module")
def lone_host(lone_lab: Lab) -> Iterator[Machine]:
    """The network namespace that is the host to the tests' own engine, with an uplink that leads nowhere."""
    with host_of(lone_lab) as machine:
        machine.succeed(
            "ip link set lo up; ip link add uplink type veth peer name far && "
            "for end in uplink far; do ip link set $end addrgenmode none up || exit 1; done && "
            "ip address add 100.64.0.2/30 dev uplink && ip route add default via 100.64.0.1 && "
            "ip neighbour add 100.64.0.1 lladdr 02:00:00:00:00:01 dev uplink"
        )
        yield machine


def addresses_of(host: Machine) -> list[str]:
    """Every address of the host. Linux answers ARP for all of them on each interface (arp_ignore)."""
    links = json.loads(host.succeed("ip -j address show scope global"))
    return [address["local"] for link in links if link for address in link["addr_info"] if address]


def traffic(lab: Lab, host: Machine) -> None:
    """Mail in both directions, and tries to reach the host and what is not there."""
    deliver(lab, "outside", WENDY, ADMIN)
    deliver(lab, "mail", ADMIN, TNUSER)
    tries = " ".join(f"ping -n -c 1 -W 1 {address} &" for address in (*NOBODY, *addresses_of(host)))
    for name in ("outside", "mail", "router"):
        words = lab[name].execute(f"{tries} wait").output
        assert "ttl=" not in words, f"{name} reached somebody: {words}"


def of_the_lab() -> str:
    """Everybody whom the traffic is from or for, as pcap-filter(7) has it.

    Not the whole ranges: the computer's own network may use addresses for documentation too.
    """
    hosts = topology_of(parse(stack_data(ROOT, "dc1es"), "dc1es")).hosts.values()
    addresses = [str(interface.ip) for host in hosts for interface in host.addresses]
    return " or ".join(f"host {address}" for address in [*addresses, *NOBODY])


def uplinks(host: Machine) -> list[str]:
    """The interfaces of the host that lead to the world."""
    routes = json.loads(host.succeed("ip -j -4 route show default")) + json.loads(
        host.succeed("ip -j -6 route show default")
    )
    return sorted({route["dev"] for route in routes})


def test_no_packet_of_the_lab_leaves_the_computer(lab: Lab, host: Machine) -> None:
    interfaces = uplinks(host)
    assert interfaces, "this computer has no uplink that could be watched"
    bridge = bridges_of(lab)[0]
    for uplink in interfaces:
        with (
            watching(host, uplink, of_the_lab()) as seen,
            watching(host, bridge, of_the_lab(), through=True) as control,
        ):
            traffic(lab, host)
        assert control.packets, "the watch sees nothing: not even what passes the lab's own bridge"
        assert seen.packets == []


def test_no_packet_at_all_on_the_uplink_of_a_computer_that_does_nothing_else(lone_lab: Lab, lone_host: Machine) -> None:
    def counters() -> str:
        return lone_host.succeed("cat /sys/class/net/uplink/statistics/{rx,tx}_packets")

    with watching(lone_host, "uplink", "") as seen:
        before = counters()
        traffic(lone_lab, lone_host)
        assert counters() == before
        assert seen.packets == []
        # The uplink works: the computer's own packets do take it.
        lone_host.execute("ping -n -c 1 -W 1 192.88.99.1")
        assert counters() != before
    assert len(seen.packets) == 1


def test_computer_has_no_address_on_the_bridges(lab: Lab, host: Machine) -> None:
    """But for the link-local one, which every interface has (RFC 4291, section 2.8)."""
    bridges = bridges_of(lab)
    assert len(bridges) == 2
    for bridge in bridges:
        (link,) = json.loads(host.succeed(f"ip -j address show dev {bridge}"))
        assert [address["scope"] for address in link["addr_info"]] == ["link"]


def test_computer_has_no_route_into_the_lab(lone_host: Machine) -> None:
    """`ip route get` only asks the tables; nothing is sent."""
    for prefix in PREFIXES[:-1]:
        address = ipaddress.IPv4Network(prefix)[2]
        assert " dev uplink " in lone_host.succeed(f"ip route get {address}")
    lone_host.fail("ip -6 route get 2001:db8:182::1")


@pytest.fixture
def listener(host: Machine) -> Iterator[Machine]:
    """The host with a service that listens on [::]."""
    host.put("/tmp/listener.py", LISTEN.encode())
    host.succeed(f"python3 /tmp/listener.py {PORT} >/dev/null 2>&1 </dev/null & echo $! >/tmp/listener")
    host.wait_until_succeeds(f"exec 3<>/dev/tcp/127.0.0.1/{PORT}")
    yield host
    host.succeed("kill $(cat /tmp/listener)")


def link_local(machine: Machine, interface: str) -> str:
    """A link-local address of `interface`."""
    (link,) = json.loads(machine.succeed(f"ip -j -6 address show dev {interface} scope link"))
    return next(str(address["local"]) for address in link["addr_info"] if address)


def segment_bridge(lab: Lab, segment: str) -> str:
    """The host's interface of one segment."""
    return f"br-{str(lab.client.networks.get(f'{lab.stack}-{segment}').id)[:12]}"


@pytest.mark.parametrize(
    ("machine", "segment"),
    [pytest.param("mail", "dc1es", id="school"), pytest.param("outside", "internet", id="internet")],
)
def test_services_of_the_computer_are_out_of_reach(lab: Lab, listener: Machine, machine: str, segment: str) -> None:
    """Over the bridge's link-local address: without the machine's own rules the connection succeeds."""
    client = lab[machine]
    address = link_local(listener, segment_bridge(lab, segment))
    connect = f"timeout 2 bash -c 'cat </dev/tcp/{address}%eth0/{PORT}'"
    client.fail(connect)
    client.succeed("ip6tables -F")
    try:
        assert client.succeed(connect) == "reached\n"
    finally:
        client.succeed("service rc.local start")
    client.fail(connect)


@pytest.mark.parametrize(
    ("machine", "segment"), [pytest.param("mail", "dc1es", id="school"), pytest.param("tn", "internet", id="internet")]
)
def test_machines_are_out_of_the_computers_reach(lab: Lab, host: Machine, machine: str, segment: str) -> None:
    server = lab[machine]
    address = link_local(server, "eth0")
    connect = f"timeout 2 bash -c 'head -c 3 </dev/tcp/{address}%{segment_bridge(lab, segment)}/25'"
    host.fail(connect)
    server.succeed("ip6tables -F")
    try:
        assert host.succeed(connect) == "220"
    finally:
        server.succeed("service rc.local start")
    host.fail(connect)


@pytest.mark.parametrize(
    "machine", ["dns", "mail", "mail2", "workstation", "spamfilter", "router", "internet", "tn", "outside"]
)
def test_rules_stand_on_every_machine(lab: Lab, machine: str) -> None:
    rules = lab[machine].succeed("ip6tables -S")
    assert "-A INPUT -s fe80::/10 ! -i lo -j DROP" in rules
    assert "-A OUTPUT -d fe80::/10 ! -o lo -j DROP" in rules
    assert "-A OUTPUT -d ff00::/8 ! -o lo -j DROP" in rules


def state_of(host: Machine) -> dict[str, str]:
    """The host's packet filter, sysctls, routes, rules, addresses, resolver and daemon configuration, as text."""
    commands = {
        # Without a policy's counters: what the host forwards for others meanwhile counts there.
        "filter": r"iptables-save | sed -e '/^#/d' -e 's/ \[[0-9:]*\]$//'",
        "filter6": r"ip6tables-save | sed -e '/^#/d' -e 's/ \[[0-9:]*\]$//'",
        "routes": "ip route show table all; ip -6 route show table all",
        "rules": "ip rule; ip -6 rule",
        "links": "ip -br link | awk '{print $1}' | grep -v ^veth; ip -br address | grep -v ^veth",
        # Without those that count, are drawn by lot or follow the load, and those of interfaces that come and go.
        "sysctls": r"sysctl -a 2>/dev/null | grep -E '^(net|vm|kernel)\.'"
        r" | grep -vE 'random|_count|stable_secret|ns_last_pid|pty\.nr|perf_event_max_sample_rate'"
        r" | grep -vE '(conf|neigh)\.(veth|br-)'",
    }
    state = {name: host.succeed(command) for name, command in commands.items()}
    files = ("/etc/resolv.conf", "/etc/hosts", "/etc/docker/daemon.json")
    state |= {name: path.read_text("utf-8") for name in files if (path := pathlib.Path(name)).exists()}
    return state


def test_computer_is_afterwards_as_it_was(
    own_engine: OwnEngine, lone_lab: Lab, lone_host: Machine, tmp_path: pathlib.Path
) -> None:
    """A whole life of a lab, beside another one; meanwhile there is something to see."""
    before = state_of(lone_host)
    objects, listeners = engine_objects(lone_lab), listeners_of(lone_host)
    lab = make_lab(tmp_path, "dc1es", host=own_engine.host)
    try:
        lab.up()
        deliver(lab, "outside", WENDY, ADMIN)
        assert state_of(lone_host)["links"] != before["links"]
        assert listeners_of(lone_host) == listeners
    finally:
        remove_lab(lab)
    after = state_of(lone_host)
    changed = {name: set(after[name].splitlines()) ^ set(text.splitlines()) for name, text in before.items()}
    assert {name: lines for name, lines in changed.items() if lines} == {}
    assert engine_objects(lone_lab) == objects


def listeners_of(host: Machine) -> list[str]:
    """What takes connections or datagrams on the host: nothing of a lab does, unless its configuration says so."""
    return sorted(" ".join(line.split()[:5:4]) for line in host.succeed("ss -Hlntu").splitlines())


def engine_objects(lab: Lab) -> dict[str, list[str]]:
    """Everything that the engine has, by kind: names."""
    return {
        "containers": sorted(str(container.name) for container in lab.client.containers.list(all=True)),
        "networks": sorted(str(network.name) for network in lab.client.networks.list()),
        "volumes": sorted(str(volume.name) for volume in lab.client.volumes.list()),
        "images": sorted(tag for image in lab.client.images.list() for tag in image.tags),
    }
