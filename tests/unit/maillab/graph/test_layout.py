"""Nothing in the picture lies on something else: boxes, lanes, arrows at a box, and the words above them."""

from itertools import combinations, permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.config.lab import LabConfig
from components.plan import plan_of
from maillab.graph.layout import PADDING, Box, Font, Layout, Stub, broken, laid_out, measured
from maillab.graph.network import Picture, picture_of
from maillab.graph.scene import Hop, Way, bands_of, trunks_of
from tests.support.documents import LANGUAGES
from tests.support.language import speaking
from tests.unit.maillab.graph.labs import drawn_of, make_large, two_schools
from tests.unit.strategies import labs

HIGH = 24  # of words above an arrow


def layout_of(picture: Picture) -> Layout:
    return laid_out(bands_of(picture), trunks_of(picture), 100)


def check(layout: Layout) -> None:
    boxes = [box for band in layout.bands for box in band.boxes]
    for band in layout.bands:
        assert 0 < band.x < band.x + band.width < layout.width
        assert 100 <= band.y < band.y + band.height < layout.height
        assert all(band.y <= box.y and box.y + box.height <= band.y + band.height for box in band.boxes)
    assert not [pair for pair in combinations(boxes, 2) if overlap(*pair)]
    for box in boxes:
        assert all(measured(line.text, line.font) <= box.width - 2 * PADDING for line in box.lines)
    lanes = [route.lane[0] for route in layout.routes]
    assert len(set(lanes)) == len(lanes)
    assert not [x for x in lanes for box in boxes if box.x <= x <= box.x + box.width]
    stubs = [stub for route in layout.routes for stub in route.stubs]
    assert not [pair for pair in combinations(stubs, 2) if pair[0].edge == pair[1].edge and near(*pair)]
    for stub in stubs:
        assert {box.x for box in boxes} | {box.x + box.width for box in boxes} >= {stub.edge}
        assert not [x for x in lanes if stub.words and under(stub, x)]


def overlap(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (beside or one.y + one.height <= other.y or other.y + other.height <= one.y)


def near(one: Stub, other: Stub) -> bool:
    return abs(one.y - other.y) < HIGH


def under(stub: Stub, x: float) -> bool:
    """Does a lane go through the words at the end of an arrow?"""
    width = measured(stub.words, Font.STRONG)
    return stub.edge < x < stub.edge + width if stub.lane > stub.edge else stub.edge - width < x < stub.edge


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labs(), st.sampled_from(LANGUAGES))
def test_any_lab(lab: LabConfig, language: str) -> None:
    with speaking(language):
        check(layout_of(picture_of(plan_of(lab))))


@pytest.mark.parametrize("language", LANGUAGES)
def test_large_lab_and_two_schools(language: str) -> None:
    with speaking(language):
        check(layout_of(drawn_of(make_large)))
        check(layout_of(two_schools()))
        check(layout_of(drawn_of(stack="onehost")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_message_that_went_everywhere(language: str) -> None:
    with speaking(language):
        picture = two_schools()
        pairs = list(permutations(picture.stations, 2))
        tones = ["good", "bad", "wait", "notice"]
        hops = [Hop(number=n, source=s, target=t, tone=tones[n % 4]) for n, (s, t) in enumerate(pairs, 1)]
        notes = {name: [("bad", "✗ " + "refused " * 20)] for name in picture.stations}
        way = Way(hops=hops, notes=notes)
        layout = laid_out(bands_of(picture, way), trunks_of(picture, way), 100)
    assert len(layout.routes) == len(pairs)
    check(layout)


def test_arrows_of_one_target_share_a_lane() -> None:
    layout = layout_of(drawn_of(make_large))
    assert [len(route.stubs) for route in layout.routes] == [18, 17, 3]


def test_picture_of_the_tutorial_has_the_form_of_a_slide() -> None:
    layout = layout_of(drawn_of())
    assert 1.3 < layout.width / layout.height < 1.9


def test_name_is_broken_at_its_joints() -> None:
    lines = [line.text for line in broken("mail-server-of-the-school.example.org", Font.NAME, 300)]
    assert lines == ["mail-server-of-", "the-school.", "example.org"]
    assert "".join(line.text for line in broken("x" * 90, Font.NAME, 300)) == "x" * 90
