"""A picture in plain characters: boxes of `+`, `-` and `|`, and the ways of mail as arrows below them.

Characters that draw boxes are two columns wide on some Chinese terminals: none is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from rich.cells import cell_len, chop_cells

from maillab.graph.network import Arrow, Exchange, Network, Picture, Station
from maillab.graph.words import listed, text

WIDTH = 80
SPINE = 4  # columns before a network's boxes: the router's wire
MOST = 3  # boxes beside each other
NARROWEST = 22  # columns of a box's inside, where several stand beside each other


def drawn(picture: Picture, width: int = WIDTH, *, brief: bool = False) -> list[str]:
    """The lines of the picture, `width` columns at most (40 at least). `brief`: without IPv6 and the senders' hosts."""
    room = width - SPINE
    lines = [*_network(picture.internet, room, brief=brief), "|"]
    router, legs = picture.router, picture.router.addresses
    words = listed(ipv4 for _, ipv4, _ in legs) if brief else router.role
    lines += wrapped(text("network", name=router.name, addresses=words), width)
    for _, ipv4, ipv6 in () if brief else legs:
        lines += [f"|   {line}" for line in wrapped(listed((ipv4, ipv6)), room)]
    for school in picture.schools:
        lines += ["|", *_network(school, room, brief=brief, last=school is picture.schools[-1])]
    return [line.rstrip() for line in (*lines, "", *_ways(picture, width))]


def _network(network: Network, room: int, *, brief: bool, last: bool = False) -> Iterator[str]:
    """The network's name, and its machines in boxes; a wire from the first of them to the router's."""
    for line in wrapped(text("network", name=network.title, addresses=listed(network.prefixes)), room):
        yield f"|   {line}"
    stations = [_short(one) for one in network.stations] if brief else network.stations
    for number, line in enumerate(_boxes(stations, room)):
        wire = "+---" if number == 1 else "    " if last and number > 1 else "|   "
        yield wire + line


def _short(station: Station) -> Station:
    """The machine with its name, role and IPv4 address; of one that plays many hosts, their number."""
    number = len(station.addresses)
    words = station.addresses[0][1] if number == 1 else text("addresses", number=number)
    return replace(station, addresses=(("", words, ""),), guard="")


def _boxes(stations: Sequence[Station], room: int) -> Iterator[str]:
    """Rows of boxes that are as wide as the room, each row as many as fit."""
    columns = _columns(stations, room)
    before: list[int] = []
    rows = [*_rows(stations, columns)]
    for row in rows:
        widths = _widths(len(row), room)
        yield _rule(room, {*_corners(widths), *before})
        cells = [_cell(station, width - 3) for station, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            parts = (
                f"| {padded(cell[number] if number < len(cell) else '', width - 3)} "
                for cell, width in zip(cells, widths, strict=True)
            )
            yield "".join(parts) + "|"
        before = [*_corners(widths)]
    yield _rule(room, {*before})


def _rows(stations: Sequence[Station], columns: int) -> Iterator[Sequence[Station]]:
    """At most `columns` in a row, as even as they go; a machine with many addresses has a row of its own."""
    single = [one for one in stations if len(one.addresses) == 1]
    number = -(-len(single) // columns)
    ends = [-(-row * len(single) // number) for row in range(number + 1)]
    yield from (single[begin:end] for begin, end in pairwise(ends))
    yield from ([one] for one in stations if len(one.addresses) > 1)


def _columns(stations: Sequence[Station], room: int) -> int:
    """As many boxes beside each other as have room for the longest name and address."""
    single = [one for one in stations if len(one.addresses) == 1]
    needed = max((cell_len(word) for one in single for word in (one.name, *one.addresses[0][1:])), default=0)
    wide = max(needed, NARROWEST) + 3
    return max(1, min(MOST, len(single), (room - 1) // wide))


def _widths(number: int, room: int) -> list[int]:
    """The columns of each box with its left line; the right line of the last one is the row's."""
    each, rest = divmod(room - 1, number)
    return [each + (index < rest) for index in range(number)]


def _corners(widths: Sequence[int]) -> Iterator[int]:
    at = 0
    for width in widths:
        yield at
        at += width
    yield at


def _rule(room: int, corners: set[int]) -> str:
    return "".join("+" if column in corners else "-" for column in range(room))


def _cell(station: Station, room: int) -> list[str]:
    """A machine's lines."""
    lines = [*wrapped(station.name, room), *wrapped(station.role, room)]
    if len(station.addresses) == 1:
        lines += [part for word in station.addresses[0] if word for part in wrapped(word, room)]
    else:
        lines += _table(station.addresses, room)
    return [*lines, *(wrapped(station.guard, room) if station.guard else ())]


def _table(rows: Sequence[tuple[str, str, str]], room: int) -> Iterator[str]:
    """Addresses first, whose they are behind them; each row on lines of its own where it is too long."""
    first, second = (max(cell_len(row[column]) for row in rows) for column in (1, 2))
    for whose, ipv4, ipv6 in rows:
        line = f"{ipv4:{first}}  {ipv6:{second}}  {whose}"
        if cell_len(line) <= room:
            yield line
        else:
            yield from wrapped(f"{ipv4} {ipv6} {whose}", room)


def _ways(picture: Picture, width: int) -> Iterator[str]:
    """By which servers mail comes and goes."""
    for exchange in picture.exchanges:
        yield from wrapped(text("mail-to", domains=listed(exchange.domains)), width)
        for line in _exchange(exchange, picture.stations):
            yield from wrapped(line, width, indent="    ")
    yield text("mail-out")
    for line in _outward(picture):
        yield from wrapped(line, width, indent="    ")


def _outward(picture: Picture) -> Iterator[str]:
    """What each server does with mail for others: to its relayhost, or where DNS says."""
    relayed: dict[str, list[str]] = {}
    for link in picture.links:
        if link.kind is Arrow.RELAYHOST:
            relayed.setdefault(link.target, []).append(link.source)
    for target, sources in relayed.items():
        line = f"{listed(sources)} --{text('relayhost')}--> {target}"
        yield f"{line} --> {picture.internet.title}" if target in picture.outward else line
    if direct := [name for name in picture.outward if name not in relayed]:
        yield f"{listed(direct)} --> {picture.internet.title}"


def _exchange(exchange: Exchange, stations: dict[str, Station]) -> Iterator[str]:
    wide = max(len(f"MX {preference}") for preference, _, _ in exchange.servers)
    for preference, server, following in exchange.servers:
        line = f"{f'MX {preference}':{wide}} --> {server}"
        guard = stations[server].guard if server in stations else ""
        line += f"  ({guard})" if guard and not stations[server].is_open else ""
        yield f"{line} --> {following}" if following else line


def padded(words: str, width: int) -> str:
    """The words with spaces behind them, `width` columns in all."""
    return words + " " * (width - cell_len(words))


def wrapped(words: str, width: int, indent: str = "") -> Iterator[str]:
    """The words in lines of `width` columns, broken at spaces, and where a word is longer, in the word.

    `indent` stands before each line, twice before those that go on.
    """
    line, before = "", indent
    for word in words.split(" "):
        longer = f"{line} {word}" if line else word
        if cell_len(before + longer) <= width:
            line = longer
            continue
        if line:
            yield before + line
            before = indent * 2
        line = word
        while cell_len(before + line) > width:
            fitting = chop_cells(line, width - len(before))[0]
            line = line.removeprefix(fitting)
            yield before + fitting
            before = indent * 2
    yield before + line
