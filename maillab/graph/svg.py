"""A picture as SVG, for a slide or a page: nothing is loaded, and what colours say, words and dashes say too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from xml.etree import ElementTree as ET

from components.config.catalogue import CHINESE, language
from maillab.graph.layout import (
    GAP,
    HEADING,
    LEFT_WIDTH,
    MARGIN,
    MONO,
    PADDING,
    RIGHT_WIDTH,
    SIZES,
    Band,
    Box,
    Font,
    Layout,
    Line,
    Route,
    Stub,
    broken,
    laid_out,
    line_height,
    measured,
)
from maillab.graph.network import Arrow, Picture
from maillab.graph.scene import GUARD, Way, bands_of, description, trunks_of
from maillab.graph.words import printable, text

SANS = "'Noto Sans CJK TC','Noto Sans TC','Microsoft JhengHei','PingFang TC',Arial,Helvetica,sans-serif"
FIXED = "'DejaVu Sans Mono','Noto Sans Mono','Liberation Mono',Consolas,Menlo,monospace"
INK, WIRE, WALL = "#1a1a1a", "#6b7280", "#b3261e"
# The colour and the dashes of each meaning; all have a contrast of 5:1 at least on white (WCAG 2.2, 1.4.3).
TONES: Mapping[str, tuple[str, str]] = {
    Arrow.MX: ("#0b5cad", ""),
    Arrow.RELAYHOST: ("#9a3d06", "14 7"),
    Arrow.TABLE: ("#0b6e4f", "3 7"),
    "good": ("#0b6e4f", ""),
    "bad": ("#b3261e", "14 7"),
    "wait": ("#8a5200", "3 7"),
    "notice": ("#5b3a9e", "14 6 3 6"),
}
HEAD = 16  # length of an arrow's head
TITLE = 36


def svg(picture: Picture, title: str, way: Way | None = None, prefix: str = "") -> str:
    """The picture, with the ways that mail can go, or with one that a message went.

    `prefix`: of its ids in a page, which shows the title above it.
    """
    bands = bands_of(picture, way)
    trunks = trunks_of(picture, way)
    head = [] if prefix else [*broken(title, Font.NAME, LEFT_WIDTH + RIGHT_WIDTH)]
    layout = laid_out(bands, trunks, MARGIN + len(head) * TITLE * 1.2 + PADDING)
    legend = [*_legend(list(dict.fromkeys(trunk.tone for trunk in trunks)), layout.width)]
    height = layout.height + sum(size for size, _, _ in legend) + MARGIN
    root = _root(layout.width, height, title, description(picture, way), prefix)
    for number, line in enumerate(head):
        at = MARGIN + TITLE * (0.9 + 1.2 * number)
        _text(root, (MARGIN, at), line.text, TITLE, font_weight="bold")
    _wires(root, layout)
    for band in layout.bands:
        _band(root, band)
    for route in layout.routes:
        _route(root, route)
    y = layout.height
    for size, tone, words in legend:
        _legend_line(root, y, tone, words)
        y += size
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _root(width: float, height: float, title: str, description: str, prefix: str) -> ET.Element:
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {width:.0f} {height:.0f}",
            "width": f"{width:.0f}",
            "height": f"{height:.0f}",
            "role": "img",
            "lang": "zh-TW" if language() == CHINESE else "en",
            "aria-labelledby": f"{prefix}title {prefix}description",
            "font-family": SANS,
            "fill": INK,
        },
    )
    ET.SubElement(root, "title", id=f"{prefix}title").text = printable(title)
    ET.SubElement(root, "desc", id=f"{prefix}description").text = printable(description)
    _shape(root, "rect", x=0, y=0, width=width, height=height, fill="#ffffff")
    return root


def _wires(root: ET.Element, layout: Layout) -> None:
    """The Internet's to the router, and the router's to each school."""
    internet, router, *schools = layout.bands
    x = router.x + router.width / 2
    paths = [f"M{x:.1f} {internet.y + internet.height:.1f}V{router.y:.1f}"]
    begin = router.y + router.height - PADDING
    paths += [
        f"M{router.x + router.width:.1f} {begin:.1f}H{layout.wire:.1f}V{school.y + HEADING:.1f}H{school.x:.1f}"
        for school in schools
    ]
    for path in paths:
        _shape(root, "path", d=path, fill="none", stroke=WIRE, stroke_width=7, stroke_linejoin="round")


def _band(root: ET.Element, band: Band) -> None:
    y = band.y
    if band.heading:
        fill = "#eef2f7" if band.is_left else "#f6f4ea"
        _shape(
            root,
            "rect",
            x=band.x,
            y=y,
            width=band.width,
            height=band.height,
            rx=14,
            fill=fill,
            stroke="#9aa3af",
            stroke_width=2,
        )
        y += PADDING
    for line in band.heading:
        _line(root, band.x + PADDING, y, line)
        y += line_height(line)
    for box in band.boxes:
        _machine(root, box)


def _machine(root: ET.Element, box: Box) -> None:
    group = ET.SubElement(root, "g")
    ET.SubElement(group, "title").text = printable(" ".join(line.text for line in box.lines))
    at = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    _shape(group, "rect", **at, rx=10, fill="#ffffff", stroke=INK, stroke_width=2.5)
    if box.tone:  # a wall before it
        _shape(
            group,
            "path",
            d=f"M{box.x:.1f} {box.y + 6:.1f}V{box.y + box.height - 6:.1f}",
            stroke=WALL,
            stroke_width=9,
        )
    y = box.y + PADDING * 0.6
    for line in box.lines:
        _line(group, box.x + PADDING, y, line)
        y += line_height(line)


def _line(parent: ET.Element, x: float, y: float, line: Line) -> None:
    """A line of text; `y` is its top."""
    colour = WALL if line.tone == GUARD else TONES[line.tone][0] if line.tone else INK
    style = {"font_weight": "bold"} if line.font in (Font.NAME, Font.STRONG) else {}
    style |= {"font_family": FIXED} if line.font in MONO else {}
    _text(parent, (x, y + SIZES[line.font] * 1.02), line.text, SIZES[line.font], fill=colour, **style)


def _route(root: ET.Element, route: Route) -> None:
    colour, dashes = TONES[route.trunk.tone]
    group = ET.SubElement(root, "g")
    ET.SubElement(group, "title").text = printable(route.trunk.title)
    x, top, bottom = route.lane
    _stroke(group, f"M{x:.1f} {top:.1f}V{bottom:.1f}", colour, dashes)
    for stub in route.stubs:
        _stub(group, stub, colour, dashes, is_end=stub.y in (top, bottom))


def _stub(group: ET.Element, stub: Stub, colour: str, dashes: str, *, is_end: bool) -> None:
    toward = 1 if stub.lane > stub.edge else -1
    begin = stub.edge + toward * (HEAD if stub.is_target else 0)
    _stroke(group, f"M{begin:.1f} {stub.y:.1f}H{stub.lane:.1f}", colour, dashes)
    if not is_end:
        _shape(group, "circle", cx=stub.lane, cy=stub.y, r=6, fill=colour)
    if stub.is_target:
        points = f"{stub.edge:.1f},{stub.y:.1f} {begin:.1f},{stub.y - 9:.1f} {begin:.1f},{stub.y + 9:.1f}"
        _shape(group, "polygon", points=points, fill=colour)
    if stub.words:
        width = measured(stub.words, Font.STRONG)
        at = stub.edge + HEAD + 10 if toward > 0 else stub.edge - HEAD - 4 - width
        _text(group, (at, stub.y - 8), stub.words, SIZES[Font.STRONG], font_weight="bold", fill=colour)


def _legend(tones: Sequence[str], width: float) -> Iterator[tuple[float, str, Sequence[Line]]]:
    """(height, tone, words) of each line."""
    for tone in tones:
        lines = [*broken(text(f"legend-{tone}"), Font.WORDS, width - 2 * MARGIN - 110)]
        yield sum(map(line_height, lines)) + 8, tone, lines


def _legend_line(root: ET.Element, y: float, tone: str, lines: Iterable[Line]) -> None:
    colour, dashes = TONES[tone]
    middle = y + SIZES[Font.WORDS] * 0.7
    _stroke(root, f"M{MARGIN} {middle:.1f}H{MARGIN + 70}", colour, dashes)
    _shape(
        root,
        "polygon",
        points=f"{MARGIN + 86},{middle:.1f} {MARGIN + 70},{middle - 9:.1f} {MARGIN + 70},{middle + 9:.1f}",
        fill=colour,
    )
    for line in lines:
        _line(root, MARGIN + 86 + GAP, y, line)
        y += line_height(line)


def _stroke(parent: ET.Element, path: str, colour: str, dashes: str) -> None:
    more = {"stroke_dasharray": dashes} if dashes else {}
    _shape(parent, "path", d=path, fill="none", stroke=colour, stroke_width=4, **more)


def _text(parent: ET.Element, at: tuple[float, float], words: str, size: float, **style: str) -> None:
    """Text whose baseline begins `at`."""
    found = _shape(parent, "text", x=at[0], y=at[1], font_size=size, **style)
    found.set("xml:space", "preserve")
    found.text = printable(words)


def _shape(parent: ET.Element, tag: str, **attributes: float | str) -> ET.Element:
    """An element; underscores in the names of attributes stand for hyphens, numbers have one digit behind the point."""
    texts = {
        name.replace("_", "-"): value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
        for name, value in attributes.items()
    }
    return ET.SubElement(parent, tag, texts)
