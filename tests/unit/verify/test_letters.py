"""Letters are handed in where their writers are, and looked for in every mail log until they came to their ends."""

import json
from collections.abc import Callable, Mapping

import pytest

from tests.unit.labs import Model
from tests.unit.verify.fakes import Asked, FakeMachines
from verify import letters as module
from verify.letters import LOG, SENDMAIL, SUBMIT, Letter, Postman
from verify.machines import MachineError
from verify.routes import NO_CONNECTION, Ending, How, Writer

STRANGER = Writer(address="verify+v4@example.com", machine="outside", families=(4,))
TEACHER = Writer(address="admin@dc1es.tnc.edu.tw", machine="mail", client="workstation")
CHEN, NOBODY = "chen@dc1es.tnc.edu.tw", "no-such-user@dc1es.tnc.edu.tw"
SERVERS = {"mail", "mail2", "spamfilter", "tn", "outside"}
DELIVERED = Ending(hops=("outside",), how=How.MAILBOX, what="chen")
WAITING = Ending(hops=("outside",), how=How.WAITS)


def log(letter: Letter, *outcomes: str) -> str:
    """A log in which a server took the letter and tried to put it into its mailbox."""
    stamp, queue_id = "2026-11-22T14:23:48.1+00:00 outside", "4jXWXM5Zn7z8"
    rest = f"to=<{letter.recipient}>, relay=local, delay=0, delays=0/0/0/0, dsn=2.0.0, status="
    lines = [f"postfix/cleanup[1]: {queue_id}: message-id=<{letter.message_id}>"]
    lines += [f"postfix/local[1]: {queue_id}: {rest}{outcome}" for outcome in outcomes]
    return "".join(f"{stamp} {line}\n" for line in lines)


def answering(look: Callable[[str], str] = lambda _: "", refused: Mapping[str, str] | None = None) -> FakeMachines:
    """Servers whose logs have 100 bytes before the run; `look`: machine to what its log has since."""

    def answer(asked: Asked) -> str:
        match asked.command[0]:
            case "stat":
                return "100\n"
            case "tail":
                return look(asked.machine)
            case "python3":
                return json.dumps(refused or {})
        return ""

    return FakeMachines(answer=answer)


def postman(tutorial: Model, machines: FakeMachines | None = None) -> Postman:
    found = Postman(machines or answering(), tutorial.plans)
    found.begin()
    return found


def given(sending: Postman, machine: str | None = None) -> list[Asked]:
    """What one machine was asked, or all of them."""
    assert isinstance(sending.machines, FakeMachines)
    return [asked for asked in sending.machines.asked if machine in (None, asked.machine)]


def test_every_pair_has_a_letter(tutorial: Model) -> None:
    found = postman(tutorial).letters([(STRANGER, CHEN), (TEACHER, NOBODY)])
    assert [(letter.writer, letter.recipient) for letter in found] == [(STRANGER, CHEN), (TEACHER, NOBODY)]


def test_letters_of_a_run_carry_its_mark_and_differ(tutorial: Model) -> None:
    one = postman(tutorial)
    first, second = one.letters([(STRANGER, CHEN)] * 2)
    assert first.message_id != second.message_id
    assert {letter.message_id.endswith(one.mark) for letter in (first, second)} == {True}


def test_two_runs_have_two_marks(tutorial: Model) -> None:
    assert postman(tutorial).mark != postman(tutorial).mark


def test_strangers_letter_is_given_to_his_own_machine(tutorial: Model) -> None:
    sending = postman(tutorial)
    (letter,) = sending.letters([(STRANGER, CHEN)])
    sending.send([letter])
    assert given(sending, "outside")[-1] == Asked(
        machine="outside",
        command=("bash", "-c", SENDMAIL),
        text=f"{STRANGER.address} {CHEN} {letter.message_id}\n",
    )


def test_teachers_letter_is_submitted_from_the_workstation(tutorial: Model) -> None:
    sending = postman(tutorial)
    (letter,) = sending.letters([(TEACHER, CHEN)])
    sending.send([letter])
    assert given(sending, "workstation") == [
        Asked(
            machine="workstation",
            command=("python3", "-c", SUBMIT, "163.26.182.2"),
            text=f"{TEACHER.address} {CHEN} {letter.message_id}\n",
        )
    ]


def test_letters_of_one_way_go_together(tutorial: Model) -> None:
    sending = postman(tutorial)
    sending.send(sending.letters([(STRANGER, CHEN), (STRANGER, NOBODY)]))
    assert len(given(sending, "outside")[-1].text.splitlines()) == 2


def test_logs_of_all_servers_are_read_from_where_they_were(tutorial: Model) -> None:
    sending = postman(tutorial)
    sending.logs()
    read = {asked.machine for asked in given(sending) if asked.command == ("tail", "-c", "+101", LOG)}
    assert read == SERVERS


def test_letter_is_found_by_its_message_id(tutorial: Model) -> None:
    texts: dict[str, str] = {}
    sending = postman(tutorial, answering(lambda machine: texts.get(machine, "")))
    letter, other = sending.letters([(STRANGER, CHEN)] * 2)
    sending.send([letter, other])
    texts["outside"] = log(letter, "sent (delivered to mailbox)")
    assert sending.seen([letter, other]) == {letter: {DELIVERED}, other: frozenset()}


def test_refusal_at_the_mail_client_is_an_end(tutorial: Model) -> None:
    refused: dict[str, str] = {}
    sending = postman(tutorial, answering(refused=refused))
    (letter,) = sending.letters([(TEACHER, NOBODY)])
    refused[letter.message_id] = "5.1.1"
    sending.send([letter])
    assert sending.seen([letter]) == {letter: {Ending(hops=("workstation", "mail"), how=How.REFUSED, what="5.1.1")}}


def test_letter_that_the_mail_client_could_not_hand_in_ends_with_it(tutorial: Model) -> None:
    refused: dict[str, str] = {}
    sending = postman(tutorial, answering(refused=refused))
    (letter,) = sending.letters([(TEACHER, CHEN)])
    refused[letter.message_id] = NO_CONNECTION
    sending.send([letter])
    assert sending.seen([letter]) == {letter: {Ending(hops=("workstation",), how=How.REFUSED, what=NO_CONNECTION)}}


def test_letter_that_the_mail_client_handed_in_has_it_as_first_hop(tutorial: Model) -> None:
    texts: dict[str, str] = {}
    sending = postman(tutorial, answering(lambda machine: texts.get(machine, "")))
    (letter,) = sending.letters([(TEACHER, CHEN)])
    sending.send([letter])
    texts["mail"] = log(letter, "sent (delivered to mailbox)")
    assert sending.seen([letter]) == {letter: {Ending(hops=("workstation", "mail"), how=How.MAILBOX, what="chen")}}


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch, tutorial: Model) -> tuple[Postman, Letter, list[str]]:
    """A letter that is deferred at the first two looks and then delivered; what was looked at."""
    monkeypatch.setattr(module, "POLL", 0)
    seen: list[str] = []

    def look(machine: str) -> str:
        if machine != "outside":
            return ""
        seen.append(machine)
        return log(letter, "deferred (not yet)", *(["sent (delivered to mailbox)"] if len(seen) > 2 else []))

    sending = postman(tutorial, answering(look))
    (letter,) = sending.letters([(STRANGER, CHEN)])
    sending.send([letter])
    return sending, letter, seen


def test_letter_is_followed_until_it_is_where_it_was_expected(looks: tuple[Postman, Letter, list[str]]) -> None:
    sending, letter, seen = looks
    assert sending.follow({letter: frozenset({DELIVERED})}) == {letter: {DELIVERED}}
    assert len(seen) == 3


def test_letter_that_waits_as_expected_is_not_followed_further(looks: tuple[Postman, Letter, list[str]]) -> None:
    sending, letter, seen = looks
    assert sending.follow({letter: frozenset({WAITING})}) == {letter: {WAITING}}
    assert len(seen) == 1


def test_letter_that_never_comes_is_given_up(looks: tuple[Postman, Letter, list[str]]) -> None:
    sending, letter, _ = looks
    assert sending.follow({letter: frozenset({DELIVERED})}, still=0) == {letter: {WAITING}}


@pytest.mark.parametrize(
    ("finds", "last"),
    [
        pytest.param("aaabbbcccdddX", "X", id="something new every three seconds"),
        pytest.param("aaabbbbbbbbbX", "b", id="nothing new for five seconds"),
    ],
)
def test_what_moves_is_watched_on(monkeypatch: pytest.MonkeyPatch, finds: str, last: str) -> None:
    """A look takes no time here, and the pause after it a second."""
    clock = [0.0]

    def pause(_: float) -> None:
        clock[0] += 1

    monkeypatch.setattr("verify.letters.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("verify.letters.time.sleep", pause)
    looks = iter(finds)
    assert module.watch(lambda: next(looks), lambda found: found == "X", 5) == last


def test_machine_that_takes_no_letters_is_an_error(tutorial: Model) -> None:
    def full(asked: Asked) -> str:
        if asked.command[0] == "bash":
            raise MachineError("outside: `bash` failed: no space left")
        return "100\n"

    sending = Postman(FakeMachines(answer=full), tutorial.plans)
    with pytest.raises(MachineError, match="no space left"):
        sending.send(sending.letters([(STRANGER, CHEN)]))
