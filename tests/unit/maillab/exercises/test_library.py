"""Exercises as files: read like a stack file, filled for a student, every fault with its place."""

from pathlib import Path

import pytest

from maillab.cli.stack import ROOT
from maillab.exercises.library import ExerciseError, all_goals, names, variant

SOURCE = (ROOT / "exercises" / "new-colleague.yaml").read_text("utf-8")
STUDENTS = [f"student-{number}" for number in range(10)]
DRILL = "drill:\n  steps: []\n  goals: {waits: {says: {en: x, zh: x}, waits: {at: mail}}}\n"
EXERCISES = names(ROOT)


def errors(tmp_path: Path, text: str) -> str:
    """What is said of an exercise with this text."""
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "mine.yaml").write_text(text, "utf-8")
    with pytest.raises(ExerciseError) as raised:
        variant(tmp_path, "mine")
    return str(raised.value)


@pytest.mark.parametrize(
    ("old", "new", "place", "what"),
    [
        ("title:", "titel:", "mine.yaml:titel", "did you mean title?"),
        ("{{ user }} gets nothing", "{{ usr }} gets nothing", "mine.yaml:story.en", "'usr' is undefined"),
        ("lives: machine", "lives: stack", "mine.yaml:lives", "lives in the stack file"),
        ("lives: machine", "lives: nowhere", "mine.yaml:lives", "nowhere"),
        ("    edit: /etc/aliases\n", "", "mine.yaml:fault[0]", "exactly one of"),
        ("    edit: /etc/aliases\n", "    edit: /etc/aliases\n    run: date\n", "mine.yaml:fault[0]", "exactly one of"),
        ("{machine: mail, run: newaliases}", "{run: newaliases}", "mine.yaml:repairs.newaliases[0].machine", "missing"),
        ("level: 1", "level: easy", "mine.yaml:level", "number"),
        ("      sender: parent@example.com\n", "", "mine.yaml:symptom.misses-one.arrives", "from whom to whom"),
        ("unmasked: [everybody]", "unmasked: everybody", "unmasked", "list"),
        ("minutes: 10", "minutes: 10\nminutes: 11", "line", "duplicate key"),
    ],
)
def test_fault_is_named_with_its_place(tmp_path: Path, old: str, new: str, place: str, what: str) -> None:
    assert old in SOURCE
    said = errors(tmp_path, SOURCE.replace(old, new))
    assert place in said
    assert what in said


@pytest.mark.parametrize(
    ("old", "new", "id_"),
    [
        ("{{ user }} gets nothing", "{{ usr }} gets nothing", "bad-placeholder"),
        ("    edit: /etc/aliases\n", "", "one-kind"),
        ("{machine: mail, run: newaliases}", "{machine: mail, run: newaliases, by: x}", "key-too-many"),
        ("lives: machine", "lives: stack", "wrong-home"),
        ("zh: 郵件伺服器知道", "missed: nobody\n    zh: 郵件伺服器知道", "unknown-goal"),
        ("      sender: parent@example.com\n", "", "no-message"),
        ("sender: parent@example.com\n", "sender: parent@example.com\n      body: ham\n", "bad-body"),
        ("sender: parent@example.com\n", "message: first\n", "unknown-message"),
        ("sender: parent@example.com\n", "sender: parent@example.com\n      file: nowhere\n", "unknown-message"),
        ("again:\n", f"{DRILL}  end: [{{machine: mail}}]\nagain:\n", "one-kind"),
        ("again:\n", f"{DRILL}  end: []\nagain:\n", "no-message"),
    ],
)
def test_fault_has_its_id(tmp_path: Path, old: str, new: str, id_: str) -> None:
    assert old in SOURCE
    assert f"[{id_}]" in errors(tmp_path, SOURCE.replace(old, new, 1))


def test_exercise_without_goals_is_none(tmp_path: Path) -> None:
    start, end = SOURCE.index("goals:\n"), SOURCE.index("again:\n")
    wanted = "empty-part"
    assert wanted in errors(tmp_path, f"{SOURCE[:start]}goals: {{}}\n{SOURCE[end:]}")


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    said = errors(tmp_path, SOURCE.replace("level: 1", "level: x").replace("minutes: 10", "minutes: y"))
    assert "mine.yaml:level" in said
    assert "mine.yaml:minutes" in said


def test_student_always_gets_the_same_variant() -> None:
    found = {student: variant(ROOT, "new-colleague", student).values["user"] for student in STUDENTS}
    assert len(set(found.values())) > 1
    assert found == {student: variant(ROOT, "new-colleague", student).values["user"] for student in STUDENTS}


@pytest.mark.parametrize(("choice", "placeholder"), [("23", "{{ many }}"), ("{of: 23}", "{{ many.of }}")])
def test_choice_that_is_a_number_stays_one_where_it_stands_alone(tmp_path: Path, choice: str, placeholder: str) -> None:
    (tmp_path / "exercises").mkdir()
    text = SOURCE.replace("variables:\n", f"variables:\n  many: [{choice}]\n")
    text = text.replace("minutes: 10", f'minutes: "{placeholder}"').replace("gets nothing", f"waits {placeholder} days")
    (tmp_path / "exercises" / "mine.yaml").write_text(text, "utf-8")
    exercise = variant(tmp_path, "mine").exercise
    assert exercise.minutes == 23
    assert "waits 23 days" in exercise.story.en


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("student", STUDENTS)
def test_every_variant_can_be_read(name: str, student: str) -> None:
    exercise = variant(ROOT, name, student).exercise
    assert exercise.goals


@pytest.mark.parametrize("name", EXERCISES)
def test_exercise_is_complete(name: str) -> None:
    exercise = variant(ROOT, name).exercise
    assert len(exercise.repairs) >= 2
    assert len(exercise.cheats) >= 2
    assert len(exercise.hints) >= 2
    assert 1 <= exercise.level <= 3
    hints = [(hint.en, hint.zh) for hint in exercise.hints]
    assert len({en for en, _ in hints}) == len({chinese for _, chinese in hints}) == len(hints)
    texts = [exercise.title, exercise.story, exercise.task, exercise.solution, exercise.debrief]
    texts += [effect.says for effect in (*all_goals(exercise).values(), *exercise.symptom.values())]
    for words in texts:
        assert words.en.isascii(), words.en
        assert not words.zh.isascii(), words.zh


@pytest.mark.parametrize("name", EXERCISES)
def test_tutorial_has_the_section(name: str) -> None:
    page = (ROOT / "docs" / "zh-TW" / "explanation" / "county-tutorial.md").read_text("utf-8")
    assert variant(ROOT, name).exercise.section in page


@pytest.mark.parametrize(
    "text", ["no header\n\ntext\n", "", "Subject: x\nFrom: me@example.com\n\ntext\n", " Subject: x\n\nx\n"]
)
def test_message_that_can_not_be_sent_is_named(tmp_path: Path, text: str) -> None:
    messages = tmp_path / "exercises" / "messages"
    messages.mkdir(parents=True)
    (messages / "mine.eml").write_text(text, "utf-8")
    (tmp_path / "exercises" / "mine.yaml").write_text(
        SOURCE.replace("sender: parent@example.com\n", "sender: parent@example.com\n      file: mine\n", 1), "utf-8"
    )
    with pytest.raises(ExerciseError, match=r"bad-message-file"):
        variant(tmp_path, "mine")


def test_message_in_a_file_may_have_any_bytes(tmp_path: Path) -> None:
    messages = tmp_path / "exercises" / "messages"
    messages.mkdir(parents=True)
    (messages / "mine.eml").write_bytes("Subject: 家長會\n\n家長會\n".encode("big5"))
    (tmp_path / "exercises" / "mine.yaml").write_text(
        SOURCE.replace("sender: parent@example.com\n", "sender: parent@example.com\n      file: mine\n", 1), "utf-8"
    )
    assert variant(tmp_path, "mine")
