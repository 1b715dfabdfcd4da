"""The Mermaid chart: every machine in its network, every arrow, and nothing that ends a label."""

import re
from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from components.config.lab import LabConfig
from components.plan import plan_of
from maillab.graph.mermaid import WIDE, flowchart
from maillab.graph.network import picture_of
from tests.unit.maillab.graph.labs import drawn_of, two_schools
from tests.unit.strategies import labs

LABEL = r'"(?P<label>[^"]*)"'
FORMS = tuple(
    map(
        re.compile,
        (
            re.escape(WIDE),
            r"flowchart TB",
            r"  accTitle: .+",
            r"  +m\d+\[" + LABEL + r"\]",
            r"  subgraph n\d+\[" + LABEL + r"\]",
            r"  end",
            r"  n0 --- m0|  m0 --- n\d+",
            r"  m\d+ (--|-\.|==) " + LABEL + r" (-->|\.->|==>) m\d+",
        ),
    )
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labs())
def test_every_line_has_a_known_form(lab: LabConfig) -> None:
    picture = picture_of(plan_of(lab))
    lines = flowchart(picture)
    found = [match for line in lines if (match := next(filter(None, (f.fullmatch(line) for f in FORMS)), None))]
    assert len(found) == len(lines)
    own = re.compile(r"</?b>|<br/>|#(quot|amp|lt|gt|35|96);")
    assert not [match for match in found if re.search('[#&"<>`]', own.sub("", match.groupdict().get("label") or ""))]
    assert sum(line.startswith("  m") and "---" not in line for line in lines) == len(picture.links) + 1


def test_words_can_not_end_a_label() -> None:
    picture = drawn_of()
    hostile = replace(picture.router, role='x"] --> y <script>`#')
    lines = flowchart(replace(picture, router=hostile))
    assert lines[3].startswith('  m0["<b>router</b><br/>x#quot;] --#gt; y #lt;script#gt;#96;#35;<br/>')


def test_two_schools_have_two_subgraphs() -> None:
    assert sum("subgraph" in line for line in flowchart(two_schools())) == 3
