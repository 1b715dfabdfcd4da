"""A picture as a Mermaid flowchart, which a Markdown page shows (mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

from collections.abc import Iterator

from maillab.graph.network import Arrow, Link, Network, Picture, Station
from maillab.graph.words import listed, text

WIDE = '%%{init: {"flowchart": {"wrappingWidth": 500}}}%%'  # pixels: no address is broken
# How each kind of arrow is drawn, around its words.
ARROWS = {Arrow.MX: ('-- "', '" -->'), Arrow.RELAYHOST: ('-. "', '" .->'), Arrow.TABLE: ('== "', '" ==>')}
# What has a meaning in a quoted label, as the entities that Mermaid knows.
ENTITIES = {"#": "#35;", "&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"}


def flowchart(picture: Picture) -> list[str]:
    """The lines of the chart."""
    ids = {name: f"m{number}" for number, name in enumerate(picture.stations)}
    networks = (picture.internet, *picture.schools)
    router = ids[picture.router.name]
    lines = [WIDE, "flowchart TB", f"  accTitle: {_escaped(text('title', stack=picture.stack))}"]
    lines.append(f"  {router}{_label(picture.router)}")
    for number, network in enumerate(networks):
        lines += _subgraph(f"n{number}", network, ids)
    lines += [f"  n0 --- {router}", *(f"  {router} --- n{number}" for number in range(1, len(networks)))]
    lines += [_arrow(link, ids) for link in picture.links]
    return lines


def _subgraph(id_: str, network: Network, ids: dict[str, str]) -> Iterator[str]:
    title = text("network", name=network.title, addresses=listed(network.prefixes))
    yield f'  subgraph {id_}["{_escaped(title)}"]'
    yield from (f"    {ids[station.name]}{_label(station)}" for station in network.stations)
    yield "  end"


def _label(station: Station) -> str:
    addresses = (listed(filter(None, row)) for row in station.addresses)
    return f'["<b>{_escaped(station.name)}</b><br/>{_lines(station.role, *addresses, station.guard)}"]'


def _arrow(link: Link, ids: dict[str, str]) -> str:
    before, behind = ARROWS[link.kind]
    words = listed(f"MX {one}" for one in link.preferences) if link.kind is Arrow.MX else text(link.kind)
    return f"  {ids[link.source]} {before}{_escaped(words)}{behind} {ids[link.target]}"


def _lines(*words: str) -> str:
    return "<br/>".join(map(_escaped, filter(None, words)))


def _escaped(words: str) -> str:
    return "".join(ENTITIES.get(character, character) for character in words)
