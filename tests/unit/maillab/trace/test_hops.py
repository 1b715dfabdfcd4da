"""One recipient's copy, hop by hop, through the logs that the prover reads."""

from tests.unit.maillab.trace.logs import (
    FIRST,
    MAILBOX,
    SECOND,
    SERVICE,
    THIRD,
    TO_FILTER,
    TO_MAIL,
    USER,
    passed,
    received,
    trail,
    tried,
)

OUTSIDE = [received(FIRST), passed(FIRST, SERVICE, TO_FILTER, SECOND)]
FILTER = [received(SECOND), passed(SECOND, SERVICE, TO_MAIL, THIRD)]
MAIL = [received(THIRD), tried(THIRD, USER, "local", MAILBOX, orig_to=SERVICE)]


def test_copy_is_followed_into_the_mailbox() -> None:
    hops = trail(outside=OUTSIDE, filter=FILTER, mail=MAIL).recorder.hops("outside", FIRST, SERVICE)
    assert [(hop.machine, hop.entry.queue_id) for hop in hops] == [
        ("outside", FIRST),
        ("filter", SECOND),
        ("mail", THIRD),
    ]
    assert hops[-1].delivery is not None
    assert hops[-1].delivery.mailbox == "chen"


def test_copy_that_the_next_machine_has_not_logged_yet_is_there_all_the_same() -> None:
    *_, last = trail(outside=OUTSIDE).recorder.hops("outside", FIRST, SERVICE)
    assert (last.machine, last.entry.queue_id, last.delivery) == ("filter", SECOND, None)


def test_copy_to_somebody_outside_the_lab_ends_with_the_last_machine_of_it() -> None:
    away = [received(FIRST), passed(FIRST, SERVICE, "x[9.9.9.9]:25", SECOND)]
    (hop,) = trail(outside=away).recorder.hops("outside", FIRST, SERVICE)
    assert hop.machine == "outside"
