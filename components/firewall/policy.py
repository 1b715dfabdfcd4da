"""Which rules each machine has: the base of all, and those of its roles."""

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network

from components.config.firewall import Action, Chain, Ipv6Policy, Network, Protocol, Rule, RuleConfig
from components.config.lab import INTERNET, ROUTER, LabConfig, MachineConfig, Role, SchoolConfig, assigned_addresses
from components.config.network import Address
from components.network.topology import PROBE, fqdns

LINK_LOCAL = (ip_network("fe80::/10"), ip_network("ff00::/8"))
NEIGHBOURS = ("neighbour-solicitation", "neighbour-advertisement")
LOOPBACK: dict[int, Network] = {4: ip_network("127.0.0.0/8"), 6: ip_network("::1/128")}
SMTP, SSH, DOMAIN, FTP, FILTER_PAGES = 25, 22, 53, 21, 50000
# Sources that no packet on the Internet has (RFC 6890): somebody forged them. The networks for documentation are
# not among them: here they play the Internet.
MARTIANS = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24"),
    *("192.168.0.0/16", "198.18.0.0/15"),
    *("224.0.0.0/4", "240.0.0.0/4", "::/128", "::1/128", "fc00::/7", "ff00::/8"),
)


def machine_rules(lab: LabConfig) -> dict[str, tuple[Rule, ...]]:
    """Machine's name to its rules, in the order of its /etc/rc.local, of a good configuration."""
    rules = {name: list(link_local_rules()) for name in fqdns(lab)}
    rules[ROUTER] += router_rules(lab)
    for school in lab.schools:
        for machine in school.machines:
            rules[machine.name] += _school_rules(school, machine)
    return {name: tuple(found) for name, found in rules.items()}


def link_local_rules() -> list[Rule]:
    """Every machine's: nothing but neighbour discovery passes between it and the bridge under the lab."""
    text = "主機以外的連結本地位址不屬於實驗室"
    note = (
        "The only link-local address outside the machines is that of the bridge under the lab, on the computer\n"
        "that runs it: nothing but neighbour discovery (RFC 4861) passes between it and a machine."
    )
    rules = []
    for network in LINK_LOCAL:
        out = Rule(version=6, chain=Chain.OUTPUT, action=Action.ACCEPT, out_interface="!lo", destination=network)
        rules += [replace(out, protocol=Protocol.ICMPV6, icmp_type=kind) for kind in NEIGHBOURS]
        rules.append(replace(out, action=Action.DROP))
    into = Rule(version=6, chain=Chain.INPUT, action=Action.ACCEPT, in_interface="!lo", source=LINK_LOCAL[0])
    rules += [replace(into, protocol=Protocol.ICMPV6, icmp_type=kind) for kind in NEIGHBOURS]
    rules.append(replace(into, action=Action.DROP))
    return _titled(rules, text, note)


def _school_rules(school: SchoolConfig, machine: MachineConfig) -> list[Rule]:
    rules: list[Rule] = []
    for version in (4, 6):
        if machine.mail is not None:
            rules += mail_rules(school, version)
        elif Role.DNS in machine.roles:
            rules += dns_rules(school, version)
        if machine.spamfilter is not None:
            rules += spamfilter_rules(school, version)
    return rules


def mail_rules(school: SchoolConfig, version: int) -> list[Rule]:
    """A mail server's: port 25 as the configuration says, SSH from the filter and the workstation only."""
    rules = lab_rules_first(school, version)
    if version == 4 or school.firewall.ipv6 is Ipv6Policy.CLOSED:
        rules += configured_rules(school.firewall.mail, version)
    return [*rules, *ssh_rules(school, version)]


def lab_rules_first(school: SchoolConfig, version: int) -> list[Rule]:
    """What stands on a mail server before the configuration's rules."""
    if version == 6:
        return _titled([_input(6, Action.DROP, FTP)], "IPv6 不開放 FTP", "No FTP over IPv6.")
    if not school.firewall.mail:
        return []
    own = replace(_input(4, Action.ACCEPT, SMTP, ip_network(PROBE)), in_interface="lo")
    text = f"更新設定後, 本機由 {PROBE} 連線檢查 (RFC 7600)"
    return _titled([own], text, "After an update the machine asks itself from this address.")


def configured_rules(configs: Iterable[RuleConfig], version: int) -> list[Rule]:
    """The rules of the configuration that IP `version` has."""
    rules = []
    for config in configs:
        if config.is_for(version):
            network, inverted = config.source_for(version)
            rule = _input(version, config.action, config.port, network)
            protocol = config.protocol or (Protocol.TCP if config.port else None)
            rules += _titled([replace(rule, protocol=protocol, not_source=inverted)], config.comment, config.note)
    return rules


def ssh_rules(school: SchoolConfig, version: int) -> list[Rule]:
    """SSH: the filter fetches the accounts, the teacher works from the workstation."""
    rules = [_input(version, Action.ACCEPT, SSH, LOOPBACK[version])]
    for machine in school.with_role(Role.SPAMFILTER, Role.WORKSTATION):
        rules.append(_input(version, Action.ACCEPT, SSH, _only(machine.address(version))))
    rules.append(_input(version, Action.DROP, SSH))
    text = "SSH 只允許 spamfilter (帳號同步) 與 workstation 連線"
    return _titled(rules, text, "SSH from the spamfilter (it fetches the accounts) and the workstation.")


def dns_rules(school: SchoolConfig, version: int) -> list[Rule]:
    """A name server's: port 53 from everywhere; everything else is for the school."""
    asked = _input(version, Action.ACCEPT, DOMAIN)
    others = replace(_input(version, Action.DROP, None, school.network.prefix(version)), not_source=True, syn=True)
    return [
        *_titled([replace(asked, protocol=Protocol.UDP), asked], "DNS 開放給所有人查詢", "Names for everybody."),
        *_itself(version),
        *_titled([others], "其餘的服務只給本校", "Other services are the school's."),
    ]


def spamfilter_rules(school: SchoolConfig, version: int) -> list[Rule]:
    """The appliance's: port 25 from everywhere, its pages from the school, SSH out to the mail servers only."""
    pages = _input(version, Action.ACCEPT, FILTER_PAGES, school.network.prefix(version))
    shut = replace(_input(version, Action.DROP, None), syn=True)
    out = Rule(version=version, chain=Chain.OUTPUT, action=Action.ACCEPT, protocol=Protocol.TCP, port=SSH)
    servers = [server for server in school.machines if server.mail is not None]
    ssh = [replace(out, destination=_only(server.address(version))) for server in servers]
    ssh.append(replace(out, action=Action.DROP))
    smtp = _input(version, Action.ACCEPT, SMTP)
    return [
        *_itself(version),
        *_titled([smtp], "收信", "Mail from everywhere: it is the first MX."),
        *_titled([pages], "管理介面只給本校", "Its pages are for the school."),
        *_titled([shut], "其餘一律關閉", "Everything else is closed."),
        *_titled(ssh, "SSH 只連到郵件伺服器 (帳號同步)", "SSH to the mail servers only: it fetches their accounts."),
    ]


def router_rules(lab: LabConfig) -> list[Rule]:
    """The router's: forged sources are dropped first; then comes what each school's configuration adds."""
    rules = forged_source_rules(lab)
    for version in (4, 6):
        for school in lab.schools:
            rules += [passed_on(rule, school) for rule in configured_rules(school.firewall.router, version)]
    return rules


def passed_on(rule: Rule, school: SchoolConfig) -> Rule:
    """`rule` for what the router passes on to the school."""
    return replace(rule, chain=Chain.FORWARD, destination=school.network.prefix(rule.version))


def forged_source_rules(lab: LabConfig) -> list[Rule]:
    """Ingress filtering (BCP 38, RFC 2827), from both sides."""
    rules: list[Rule] = []
    for version in (4, 6):
        drop = Rule(version=version, chain=Chain.FORWARD, action=Action.DROP)
        prefixes = [(school.name, school.network.prefix(version)) for school in lab.schools]
        leaving = [replace(drop, in_interface=name, source=net, not_source=True) for name, net in prefixes]
        entering = [replace(drop, in_interface=INTERNET, source=net) for _, net in prefixes]
        strange = [replace(drop, in_interface=INTERNET, source=network) for network in martians(lab, version)]
        rules += [
            *_titled(leaving, "學校送出的封包, 來源必須是本校", "From a school come its own addresses only (BCP 38)."),
            *_titled(entering, "由外面進來的封包, 來源不可能是本校", "From outside comes no address of a school."),
            *_titled(strange, "網際網路上不存在的來源", "Sources that nobody on the Internet has (RFC 6890)."),
        ]
    return rules


def _titled(rules: list[Rule], comment: str, note: str) -> list[Rule]:
    """`rules` with the remarks over the first one."""
    return [replace(rules[0], comment=comment, note=note), *rules[1:]] if rules else []


def martians(lab: LabConfig, version: int) -> list[Network]:
    """Networks of IP `version` that nobody has an address in, without those that this lab itself gives to somebody."""
    given = [address for _, address, _ in assigned_addresses(lab)]
    networks = [ip_network(text) for text in MARTIANS]
    return [net for net in networks if net.version == version and not any(address in net for address in given)]


def _only(address: Address) -> Network:
    return ip_network(address)


def _itself(version: int) -> list[Rule]:
    return _titled([_input(version, Action.ACCEPT, None, LOOPBACK[version])], "本機", "The machine itself.")


def _input(version: int, action: Action, port: int | None, source: Network | None = None) -> Rule:
    """A rule about TCP packets for this machine."""
    return Rule(version=version, chain=Chain.INPUT, action=action, protocol=Protocol.TCP, port=port, source=source)
