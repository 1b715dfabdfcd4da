"""Reads the lines of /etc/rc.local back, as iptables(8) does."""

from collections.abc import Callable, Mapping
from ipaddress import ip_network

from components.config.firewall import Action, Chain, Protocol, Rule

PROGRAMS = {"$IPTABLES": 4, "/sbin/ip6tables": 6}
OPTIONS: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "-A": ("chain", Chain),
    "-d": ("destination", ip_network),
    "-j": ("action", Action),
    "-p": ("protocol", lambda value: Protocol(value.lower())),
    "--dport": ("port", int),
    "--icmpv6-type": ("icmp_type", str),
}


def commands(text: str) -> list[str]:
    """The lines that run a program, without the two that flush."""
    return [line for line in text.split("\n") if line.startswith(tuple(PROGRAMS)) and not line.endswith(" -F")]


def rule_of(line: str, segments: Mapping[str, str]) -> Rule:
    """What a line means; `segments`: shell variable to the segment whose interface it names."""
    program, *words = line.split()
    found: dict[str, object] = {"version": PROGRAMS[program]}
    rest, inverted = iter(words), False
    for word in rest:
        if word == "!":
            inverted = True
            continue
        if word == "--syn":
            found["syn"] = True
        else:
            found |= _option(word, next(rest), segments, inverted=inverted)
        inverted = False
    return Rule(**found)  # type: ignore[arg-type]


def _option(word: str, value: str, segments: Mapping[str, str], *, inverted: bool) -> dict[str, object]:
    """The fields that an option and its value stand for; a KeyError is an option that the lab does not write."""
    segment = segments.get(value.removeprefix("$"), value)
    if word == "-s":
        return {"source": ip_network(value), "not_source": inverted}
    if word in ("-i", "-o"):
        return {"in_interface" if word == "-i" else "out_interface": f"!{segment}" if inverted else segment}
    name, read = OPTIONS[word]
    return {name: read(value)}
