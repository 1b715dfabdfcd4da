"""Where everything of a picture stands: boxes in two columns, and arrows in lanes of their own beside them.

The Internet and the router stand on the left, the schools on the right, their machines below each other. An arrow
leaves a box at a height of its own, goes along a lane of its own (between the columns, or on the right), and comes to
its target at a height of its own: lines cross, but none lies on another one, or on a box. All lengths are in pixels of
a slide that is about 1600 wide.
"""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

LEFT_WIDTH, RIGHT_WIDTH = 660, 500
MARGIN, PADDING, GAP = 28, 18, 20
SLOT, LANE = 40, 32  # between arrows at a box, and between lanes
LEAD = 1.3  # line height
HEADING = 28


class Font(enum.StrEnum):
    """How a line of a box is written."""

    NAME = "name"
    WORDS = "words"
    ADDRESS = "address"
    STRONG = "strong"
    SMALL = "small"


SIZES = {Font.NAME: 30, Font.WORDS: 22, Font.ADDRESS: 20, Font.STRONG: 22, Font.SMALL: 18}
MONO = (Font.ADDRESS, Font.SMALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text in a box; `tone` is the meaning that colours it (empty: none)."""

    text: str
    font: Font = Font.WORDS
    tone: str = ""


@dataclass(slots=True, kw_only=True)
class Box:
    """A machine, with its lines. `is_left`: it stands in the left column. The rest is where it is."""

    name: str
    lines: Sequence[Line]
    is_left: bool
    tone: str = ""
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0
    slots: dict[str, int] = field(default_factory=lambda: {"left": 0, "right": 0})
    taken: dict[str, int] = field(default_factory=lambda: {"left": 0, "right": 0})

    def take(self, side: str) -> float:
        """The height of the next free slot at a side."""
        self.taken[side] += 1
        return self.y + self.height * self.taken[side] / (self.slots[side] + 1)


@dataclass(slots=True, kw_only=True)
class Band:
    """A network around its machines; `heading` above them."""

    name: str
    heading: Sequence[Line]
    boxes: Sequence[Box]
    is_left: bool
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where an arrow comes to: a box, and the words there."""

    box: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """Arrows with one lane: from all of `sources` to all of `targets`. `tone` is their meaning; `title` says it."""

    tone: str
    sources: tuple[str, ...]
    targets: tuple[Tip, ...]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """A horizontal line between a box (`edge`) and the lane (`lane`), at the height `y`."""

    edge: float
    lane: float
    y: float
    is_target: bool
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A trunk as it is drawn: its stubs, and the lane between the highest and the lowest of them."""

    trunk: Trunk
    stubs: tuple[Stub, ...]

    @property
    def lane(self) -> tuple[float, float, float]:
        """(x, top, bottom)."""
        heights = [stub.y for stub in self.stubs]
        return self.stubs[0].lane, min(heights), max(heights)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A whole picture. `wire`: where the router's wire to the schools goes down, between the columns."""

    wire: float
    width: float
    height: float
    bands: tuple[Band, ...]
    routes: tuple[Route, ...]


def measured(words: str, font: Font) -> float:
    """The width of the words: not less than in the fonts that computers have."""
    return sum(_em(one, font) for one in words) * SIZES[font]


def _em(character: str, font: Font) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if font in MONO:
        return 0.61
    return 0.75 if character.isupper() or character in "mwMW@%—" else 0.58


def broken(words: str, font: Font, room: float, tone: str = "") -> Iterator[Line]:
    """The words in lines that fit into the room, broken at spaces, and where a word is longer, in the word."""
    line = ""
    for word in words.split(" "):
        longer = f"{line} {word}" if line else word
        if measured(longer, font) <= room:
            line = longer
            continue
        if line:
            yield Line(text=line, font=font, tone=tone)
        line = word
        while measured(line, font) > room:
            end = _end(line, font, room)
            yield Line(text=line[:end], font=font, tone=tone)
            line = line[end:]
    yield Line(text=line, font=font, tone=tone)


def _end(word: str, font: Font, room: float) -> int:
    """How much of a word fits: to the end of a part of a name or an address, where there is one."""
    most = next(n for n in range(len(word), 0, -1) if n == 1 or measured(word[:n], font) <= room)
    joint = max(word.rfind(one, 0, most) for one in "-.:@_") + 1
    return joint if joint > most / 2 else most


def line_height(line: Line) -> float:
    """From one line to the next."""
    return SIZES[line.font] * LEAD


def laid_out(bands: Sequence[Band], trunks: Sequence[Trunk], top: float) -> Layout:
    """Everything in its place; `top` is the room above. A box that stands alone is a band without a heading."""
    boxes = {box.name: box for band in bands for box in band.boxes}
    middle, outer = _by_channel(trunks, boxes)
    for trunk in (*middle, *outer):
        for name, side in _ends(trunk, boxes, is_middle=trunk in middle):
            boxes[name].slots[side] += 1
    begin = MARGIN + LEFT_WIDTH
    before = _room([tip.words for trunk in middle for tip in trunk.targets if boxes[tip.box].is_left])
    behind = _room([tip.words for trunk in middle for tip in trunk.targets if not boxes[tip.box].is_left])
    lanes = begin + PADDING + before
    right = lanes + LANE * (len(middle) + 1) + behind
    bottoms = [
        _stack([band for band in bands if band.is_left is is_left], x, width, top)
        for is_left, x, width in ((True, MARGIN, LEFT_WIDTH), (False, right, RIGHT_WIDTH + 2 * PADDING))
    ]
    outer_room = _room([tip.words for trunk in outer for tip in trunk.targets])
    outer_lanes = right + PADDING + RIGHT_WIDTH + outer_room
    routes = [_route(trunk, boxes, lanes + LANE * (number + 1), is_middle=True) for number, trunk in enumerate(middle)]
    routes += [_route(trunk, boxes, outer_lanes + LANE * number, is_middle=False) for number, trunk in enumerate(outer)]
    width = max(right + RIGHT_WIDTH + 2 * PADDING, outer_lanes + LANE * len(outer)) + MARGIN
    for band in bands:
        if not band.is_left:
            band.width = width - MARGIN - band.x
    return Layout(wire=lanes, width=width, height=max(bottoms), bands=tuple(bands), routes=tuple(routes))


def _by_channel(trunks: Sequence[Trunk], boxes: dict[str, Box]) -> tuple[list[Trunk], list[Trunk]]:
    """Those with an end on the left go between the columns, the others on the right."""
    middle: list[Trunk] = []
    outer: list[Trunk] = []
    for trunk in trunks:
        names = (*trunk.sources, *(tip.box for tip in trunk.targets))
        (middle if any(boxes[name].is_left for name in names) else outer).append(trunk)
    return middle, outer


def _ends(trunk: Trunk, boxes: dict[str, Box], *, is_middle: bool) -> Iterator[tuple[str, str]]:
    """(box, side) of all ends."""
    for name in (*trunk.sources, *(tip.box for tip in trunk.targets)):
        yield name, "left" if is_middle and not boxes[name].is_left else "right"


def _room(words: Iterable[str]) -> float:
    """For the words above the tips of arrows."""
    return max((measured(one, Font.STRONG) for one in words if one), default=0) + GAP + LANE


def _stack(bands: Sequence[Band], x: float, width: float, y: float) -> float:
    """Places the bands below each other, and their boxes in them; answers where they end."""
    for band in bands:
        inset = PADDING if band.heading else 0
        band.x, band.y, band.width = x, y, width
        y += inset + sum(map(line_height, band.heading))
        y += PADDING / 2 if band.heading else 0
        for box in band.boxes:
            box.x, box.y, box.width = x + inset, y, width - 2 * inset
            text = sum(map(line_height, box.lines)) + PADDING * 1.5
            box.height = max(text, SLOT * (max(box.slots.values()) + 0.6))
            y += box.height + (GAP if box is not band.boxes[-1] else 0)
        y += inset
        band.height = y - band.y
        y += GAP
    return y


def _route(trunk: Trunk, boxes: dict[str, Box], lane: float, *, is_middle: bool) -> Route:
    ends = list(_ends(trunk, boxes, is_middle=is_middle))
    tips = [None] * len(trunk.sources) + [tip.words for tip in trunk.targets]
    stubs = []
    for (name, side), words in zip(ends, tips, strict=True):
        box = boxes[name]
        edge = box.x if side == "left" else box.x + box.width
        stubs.append(Stub(edge=edge, lane=lane, y=box.take(side), is_target=words is not None, words=words or ""))
    return Route(trunk=trunk, stubs=tuple(stubs))
