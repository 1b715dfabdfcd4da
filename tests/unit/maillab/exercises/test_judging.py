"""When an effect is what was wanted: by all ends of a message, not by one of them."""

import pytest

from maillab.exercises.exercise import Mail
from maillab.exercises.judging import is_met
from maillab.trace.ending import Ending, How

WAY = ("outside", "spamfilter", "mail")
ADMIN, CHEN = (Ending(hops=WAY, how=How.MAILBOX, what=name) for name in ("admin", "chen"))
BESIDE = Ending(hops=("outside", "mail"), how=How.MAILBOX, what="admin")
REFUSED = Ending(hops=("outside", "spamfilter"), how=How.REFUSED, what="5.1.1")
HELD = Ending(hops=("outside", "spamfilter"), how=How.HELD)
GONE = Ending(hops=("mail",), how=How.GONE, what="250 2.7.0 Ok, discarded")
WAITS = Ending(hops=("outside",), how=How.WAITS)


def mail(**values: object) -> Mail:
    return Mail(sender="a@example.com", to="admin@dc1es.tnc.edu.tw", **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "wish", "ends", "wanted", "met"),
    [
        ("arrives", mail(), [ADMIN], [ADMIN], True),
        ("arrives", mail(), [ADMIN], [ADMIN, CHEN], False),
        ("arrives", mail(), [ADMIN, CHEN], [ADMIN], False),
        ("arrives", mail(), [BESIDE], [ADMIN], False),
        ("arrives", mail(), [], [], False),
        ("arrives", mail(ends=("admin@mail",)), [BESIDE], [], True),
        ("arrives", mail(ends=("admin@mail",), through=("spamfilter",)), [BESIDE], [], False),
        ("arrives", mail(ends=("admin@mail",), through=("spamfilter",)), [ADMIN], [], True),
        ("arrives", mail(ends=("admin@mail",)), [ADMIN, WAITS], [], False),
        ("relays", mail(ends=("admin@mail",)), [REFUSED], [], False),
        ("refused", mail(), [REFUSED], [], True),
        ("refused", mail(at="mail"), [REFUSED], [], False),
        ("refused", mail(at="spamfilter", code="5.1"), [REFUSED], [], True),
        ("refused", mail(code="5.7"), [REFUSED], [], False),
        ("refused", mail(), [REFUSED, ADMIN], [], False),
        ("refused", mail(), [], [], False),
        ("held", mail(at="spamfilter"), [HELD], [], True),
        ("held", mail(), [ADMIN], [], False),
        ("waits", mail(at="outside"), [WAITS, ADMIN], [], True),
        ("waits", mail(at="mail"), [WAITS], [], False),
        ("gone", mail(at="mail"), [GONE], [], True),
        ("gone", mail(at="spamfilter"), [GONE], [], False),
        ("gone", mail(), [GONE, ADMIN], [], False),
        ("gone", mail(), [], [], False),
    ],
)
def test_effect(kind: str, wish: Mail, ends: list[Ending], wanted: list[Ending], *, met: bool) -> None:
    assert is_met(kind, wish, ends, frozenset(wanted)) is met
