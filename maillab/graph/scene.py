"""What is drawn of a picture: the boxes with their words, and the arrows; where they stand is the layout's to say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from maillab.graph.layout import LEFT_WIDTH, PADDING, RIGHT_WIDTH, Band, Box, Font, Line, Tip, Trunk, broken, measured
from maillab.graph.network import Arrow, Network, Picture, Station
from maillab.graph.words import text

GUARD = "guard"  # the tone of a machine whose port 25 is not open to all


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A step of a message from one machine to another; `number` in its order, `tone` (a key of TONES): how it went."""

    number: int
    source: str
    target: str
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A message's way: its hops, and what became of it at each machine, as (tone, words)."""

    hops: Sequence[Hop]
    notes: Mapping[str, Sequence[tuple[str, str]]]


def bands_of(picture: Picture, way: Way | None = None) -> list[Band]:
    """The networks with their machines; with a `way`, what became of the message at each."""
    notes = way.notes if way else {}
    left = [_network(picture.internet, notes, is_left=True)]
    box = _box(picture.router, LEFT_WIDTH, notes.get(picture.router.name, ()), is_left=True)
    left.append(Band(name=picture.router.name, heading=(), boxes=(box,), is_left=True))
    return [*left, *(_network(school, notes, is_left=False) for school in picture.schools)]


def trunks_of(picture: Picture, way: Way | None = None) -> list[Trunk]:
    """The arrows: the ways that mail can go, or the hops of a message."""
    return list(_ways(picture) if way is None else _hops(way))


def _network(network: Network, notes: Mapping[str, Sequence[tuple[str, str]]], *, is_left: bool) -> Band:
    width = LEFT_WIDTH - 2 * PADDING if is_left else RIGHT_WIDTH
    heading = [*broken(network.title, Font.STRONG, width), *broken("   ".join(network.prefixes), Font.ADDRESS, width)]
    boxes = [_box(one, width, notes.get(one.name, ()), is_left=is_left) for one in network.stations]
    return Band(name=network.name, heading=heading, boxes=boxes, is_left=is_left)


def _box(station: Station, width: float, notes: Sequence[tuple[str, str]], *, is_left: bool) -> Box:
    room = width - 2 * PADDING
    lines = [*broken(station.name, Font.NAME, room), *broken(station.role, Font.WORDS, room)]
    lines += _addresses(station, room)
    if station.guard:
        lines += broken(station.guard, Font.STRONG, room, "" if station.is_open else GUARD)
    for tone, words in notes:
        lines += broken(words, Font.STRONG, room, tone)
    return Box(name=station.name, lines=lines, is_left=is_left, tone="" if station.is_open else GUARD)


def _addresses(station: Station, room: float) -> Iterator[Line]:
    """One pair in large type; many as a table where that fits."""
    rows = station.addresses
    font = Font.ADDRESS if len(rows) <= 3 else Font.SMALL
    wide = [max(len(row[column]) for row in rows) for column in (1, 2)]
    table = [f"{ipv4:{wide[0]}}  {ipv6:{wide[1]}}  {whose}".rstrip() for whose, ipv4, ipv6 in rows]
    if all(measured(row, font) <= room for row in table):
        yield from (Line(text=row, font=font) for row in table)
        return
    for whose, ipv4, ipv6 in rows:
        yield from broken(" ".join(filter(None, (ipv4, ipv6, whose))), font, room)


def _ways(picture: Picture) -> Iterator[Trunk]:
    """By MX from the Internet to each school; to each relayhost; by each table."""
    for network in picture.schools:
        names = {station.name for station in network.stations}
        tips = [
            Tip(box=link.target, words=f"MX {numbered(link.preferences)}")
            for link in picture.links
            if link.kind is Arrow.MX and link.target in names
        ]
        if tips:
            source = picture.internet.stations[-1].name
            yield Trunk(tone=Arrow.MX, sources=(source,), targets=tuple(tips), title=text("legend-mx"))
    for kind in (Arrow.RELAYHOST, Arrow.TABLE):
        links = [link for link in picture.links if link.kind is kind]
        for one in dict.fromkeys(link.target if kind is Arrow.RELAYHOST else link.source for link in links):
            ours = [link for link in links if one == (link.target if kind is Arrow.RELAYHOST else link.source)]
            yield Trunk(
                tone=kind,
                sources=tuple(dict.fromkeys(link.source for link in ours)),
                targets=tuple(Tip(box=name, words=text(kind)) for name in dict.fromkeys(link.target for link in ours)),
                title=text(f"legend-{kind}"),
            )


def _hops(way: Way) -> Iterator[Trunk]:
    """Each way between two machines once, with the numbers of all hops that went there and ended so."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for hop in way.hops:
        if hop.source != hop.target:
            found.setdefault((hop.source, hop.target, hop.tone), []).append(hop.number)
    for (source, target, tone), numbers in found.items():
        tip = Tip(box=target, words=f"{numbered(numbers)} {text(f'hop-{tone}')}")
        yield Trunk(tone=tone, sources=(source,), targets=(tip,), title=f"{source} → {target}: {text(f'hop-{tone}')}")


def numbered(numbers: Sequence[int]) -> str:
    """The numbers, without those in the middle when they are many."""
    words = [str(one) for one in numbers]
    return ",".join(words if len(words) <= 3 else [*words[:2], "…", words[-1]])


def description(picture: Picture, way: Way | None) -> str:
    """The arrows in words, for those who do not see them."""
    if way is None:
        ways = [
            f"{link.source} → {link.target} ({text(link.kind) if link.kind is not Arrow.MX else 'MX'})"
            for link in picture.links
        ]
    else:
        ways = [f"{one.number}: {one.source} → {one.target} ({text(f'hop-{one.tone}')})" for one in way.hops]
    return "; ".join(ways)
