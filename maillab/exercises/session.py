"""One exercise from its start to its end, in one lab."""

import secrets
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from components.plan import Plan
from maillab.exercises import kept_mail, steps
from maillab.exercises.exercise import Effect, Exercise, Hint, Mail, Sent, Step
from maillab.exercises.finding import Finding, Known, State
from maillab.exercises.library import FOLDER, Variant, names, variant
from maillab.exercises.look import DOMAIN, Looker, fresh_answers
from maillab.exercises.probes import probes
from maillab.exercises.progress import Book, Check, Progress, now
from maillab.exercises.scene import Scene
from maillab.reset import differences
from maillab.trace.machines import MachineError, Machines
from maillab.verify.messages import Postman
from maillab.verify.run import Proof, prove
from maillab.where import maillab

CHECKS = 3  # after so many the solution opens, or after all hints
SETTLE = 20.0  # seconds for messages that are delivered before the fault comes
BEFORE = "stack-file"  # the student's file as it was


class Lab(Protocol):
    """What an exercise wants of the lab that it is in. Each raises what the command line raises."""

    @property
    def machines(self) -> Machines:
        """The running machines."""

    def plan_of(self, text: str) -> Plan:
        """The plan of a stack file with this text."""

    def up(self) -> None:
        """Bring the lab to what its stack file says."""

    def bring_back(self) -> None:
        """The same, whatever was done by hand on its machines."""

    def reset(self, names: Sequence[str]) -> None:
        """Have these machines be as the last `up` configured them."""

    def edited(self, names: Sequence[str]) -> list[str]:
        """Those of these machines that are not as configured, or on which files were edited by hand."""


class SessionError(Exception):
    """`key` of the text that says what can't be done, with its values."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key, self.values = key, values


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A check: the goals, everything else, what an `again` step undid, the proof (None: not made), the verdict."""

    goals: Sequence[Finding]
    others: Sequence[Finding]
    undone: Sequence[Finding] = ()
    undone_by: str = ""
    proof: Proof | None = None
    solved: bool = False
    seconds: float = 0.0

    @property
    def missed(self) -> list[Finding]:
        """Goals that are not met."""
        return [one for one in (*self.goals, *self.undone) if one.state is State.MISSED]

    @property
    def broken(self) -> list[Finding]:
        """What else is not as it was."""
        return [one for one in self.others if one.state is State.MISSED]

    @property
    def unknown(self) -> list[Finding]:
        """What could not be looked at."""
        return [one for one in (*self.goals, *self.others, *self.undone) if one.state is State.UNKNOWN]


@dataclass(kw_only=True)
class Session:
    """The exercises of one stack."""

    lab: Lab
    book: Book
    _scenes: dict[str, Scene] = field(default_factory=dict)

    @property
    def current(self) -> Progress:
        """The exercise that runs. Raises SessionError: none does."""
        found = self.book.current()
        if found is None:
            raise SessionError("none-runs")
        return found

    def variant(self, progress: Progress) -> Variant:
        """The exercise as the student has it. Raises ExerciseError."""
        return variant(self.book.root, progress.name, progress.student, maillab(self.book.stack))

    def scene(self, exercise: Exercise) -> Scene:
        """The lab as the good configuration says. Raises StepError: it is none for this lab's configuration."""
        text = self.book.read(BEFORE) or self.book.stack_file.read_text("utf-8")
        good = steps.edited(text, exercise.good, self.book.stack_file.name)
        if good not in self._scenes:
            self._scenes[good] = self._scene(good)
        return self._scenes[good]

    def _scene(self, text: str) -> Scene:
        return Scene(plan=self.lab.plan_of(text), machines=self.lab.machines, folder=self.book.root / FOLDER)

    def find(self, name: str, student: str) -> Variant:
        """The exercise for a student. Raises SessionError: there is none; ExerciseError: its file has problems."""
        if name not in names(self.book.root):
            raise SessionError("no-such", name=name, names=", ".join(names(self.book.root)))
        return variant(self.book.root, name, student, maillab(self.book.stack))

    # Start

    def start(self, wanted: Variant) -> list[Finding]:
        """Put the fault in; answers the symptom as it was seen.

        Raises:
            SessionError: another one runs; or the symptom did not show (everything is as before then).
            StepError: the fault could not be put in (everything is as before then).
        """
        if (running := self.book.current()) is not None:
            raise SessionError("already-runs", name=running.name)
        exercise = wanted.exercise
        self._refuse_other_lab(exercise)
        self.book.write(BEFORE, self.book.stack_file.read_text("utf-8"))
        scene = self.scene(exercise)
        if still := scene.still():
            raise SessionError("not-running", machines=", ".join(still))
        progress = Progress(name=wanted.name, stack=self.book.stack, student=wanted.student, started=now())
        progress.touched = steps.machines_of(exercise.fault)
        self._keep(scene, progress)
        self.book.save(progress)
        try:
            self._send(scene, progress, exercise.before, settled=True)
            self._inject(exercise, progress)
            self._send(scene, progress, exercise.during, settled=False)
            self.book.save(progress)
            found = self._look(scene, progress, exercise.symptom)
        except BaseException:
            self.put_back(progress)
            raise
        if unseen := [one for one in found if one.state is not State.MET]:
            self.put_back(progress)
            words = "\n".join(f"{one.says}: {one.seen}" for one in unseen)
            raise SessionError("no-symptom", name=wanted.name, words=words)
        progress.started = now()
        self.book.save(progress)
        return found

    def _refuse_other_lab(self, exercise: Exercise) -> None:
        """An exercise speaks of machines, users and programs: the lab must be of the school that it is made for."""
        text = self.book.stack_file.read_text("utf-8")
        try:
            wanted = (self.book.root / f"Pulumi.{exercise.stack}.yaml").read_text("utf-8")
        except FileNotFoundError:
            return  # what the lab does not have is said where it is asked for
        if text == wanted:
            return
        ours, theirs = (self.lab.plan_of(one) for one in (text, wanted))
        domain, wanted_domain = (plan.config.schools[0].domain for plan in (ours, theirs))
        if domain != wanted_domain:
            raise SessionError("other-lab", domain=wanted_domain, ours=domain, wanted=exercise.stack)
        for name in theirs.machines.keys() & ours.machines.keys():
            if lacks := set(theirs.machines[name].part.roles) - set(ours.machines[name].part.roles):
                raise SessionError(
                    "other-programs", machine=name, lacks=", ".join(sorted(lacks)), wanted=exercise.stack
                )

    def _keep(self, scene: Scene, progress: Progress) -> None:
        """Mailboxes, queues, and what is in no file, as they are now."""

        def keep(name: str) -> None:
            self.book.write(f"before/{name}", kept_mail.keep(self.lab.machines, name))

        with ThreadPoolExecutor(len(scene.plan.machines)) as pool:
            kept = pool.map(keep, scene.kept_machines)
            progress.facts = self._facts(list(scene.plan.machines), pool)
            list(kept)

    def _facts(self, names: Sequence[str], pool: ThreadPoolExecutor) -> dict[str, dict[str, list[str]]]:
        def facts(name: str) -> dict[str, list[str]]:
            try:
                words = self.lab.machines.run(name, ["sh", "-c", differences.INSIDE])
            except MachineError:
                return {}
            return {section: sorted(lines) for section, lines in differences.seen(words).items()}

        return dict(zip(names, pool.map(facts, names), strict=True))

    def _inject(self, exercise: Exercise, progress: Progress) -> None:
        text = self.book.stack_file.read_text("utf-8")
        broken = steps.edited(text, exercise.fault, self.book.stack_file.name)
        if broken != text:
            self.book.stack_file.write_text(broken, "utf-8")
            self.lab.up()
        for step in exercise.fault:
            if step.machine is not None:
                steps.do(self.lab.machines, step)
        steps.renew_manifests(self.lab.machines, progress.touched)

    def _send(self, scene: Scene, progress: Progress, sent: Mapping[str, Sent], *, settled: bool) -> None:
        """The exercise's own messages; `settled`: each has come to its end before this returns."""
        if not sent:
            return
        postman = Postman(scene.machines, scene.plan.machines, domain=DOMAIN)
        messages = [
            scene.message(one, f"{name}-{secrets.token_hex(8)}@{DOMAIN}")
            for name, one in sent.items()
            for _ in range(one.number)
        ]
        ids = iter(messages)
        progress.messages |= {name: [next(ids).message_id for _ in range(one.number)] for name, one in sent.items()}
        if not settled:
            postman.send(messages)
            return
        with postman.at_work():
            postman.send(messages)
            deadline = time.monotonic() + SETTLE
            while not all(fate.is_over for fate in postman.fates(messages).values()):
                if time.monotonic() > deadline:
                    raise SessionError("not-delivered", names=", ".join(sent))
                time.sleep(0.2)

    # Check

    def _look(self, scene: Scene, progress: Progress, effects: Mapping[str, Effect]) -> list[Finding]:
        exercise = self.variant(progress).exercise
        mails = {name: Mail(sender=one.sender, to=one.to, via=one.via, body=one.body, login=one.login)
                 for name, one in (*exercise.before.items(), *exercise.during.items())}  # fmt: skip
        known = {name: [Known(message_id=one, mail=mails[name]) for one in ids]
                 for name, ids in progress.messages.items()}  # fmt: skip
        return list(Looker(scene=scene, effects=effects, known=known, patience=exercise.patience).look().values())

    def check(self, *, final: bool = True) -> Result:
        """Look whether the fault is repaired, and everything else still works; noted. `final`: the proof too.

        Raises SessionError: no exercise runs.
        """
        started = time.monotonic()
        progress = self.current
        exercise = self.variant(progress).exercise
        scene = self.scene(exercise)
        others = {name: one for name, one in probes(scene).items() if name not in exercise.excused}
        found = self._look(scene, progress, {**{f"goal {k}": e for k, e in exercise.goals.items()}, **others})
        goals = [_named(one) for one in found[: len(exercise.goals)]]
        result = Result(goals=goals, others=found[len(exercise.goals) :])
        if not (result.missed or result.broken or result.unknown):
            result = self._again(scene, progress, exercise, result)
        if not (result.missed or result.broken or result.unknown):
            result = self._drill(scene, progress, exercise, result)
        if final and not (result.missed or result.broken or result.unknown):
            proof = prove(scene.plan, environment=scene.machines.environment)
            result = replace(result, proof=proof, solved=proof.holds)
        result = replace(result, seconds=time.monotonic() - started)
        progress.checks.append(
            Check(
                when=now(),
                missed=[one.name for one in result.missed],
                broken=[one.name for one in result.broken] + (["proof"] if result.proof and not result.solved else []),
                unknown=[one.name for one in result.unknown],
                solved=result.solved,
            )
        )
        if result.solved and not progress.solved:
            progress.solved = now()
        self.book.save(progress)
        return result

    def _again(self, scene: Scene, progress: Progress, exercise: Exercise, result: Result) -> Result:
        """The goals once more after what might undo a repair: a repair lasts."""
        for step in exercise.again:
            steps.do(self.lab.machines, step)
        if not exercise.again:
            return result
        found = self._look(scene, progress, exercise.goals)
        undone = [one for one in found if one.state is not State.MET]
        return replace(result, undone=undone, undone_by=_typed(exercise.again))

    def _drill(self, scene: Scene, progress: Progress, exercise: Exercise, result: Result) -> Result:
        """What must be so while something is out of order; afterwards that is in order again, whatever was seen."""
        if exercise.drill is None:
            return result
        try:
            for step in exercise.drill.steps:
                steps.do(self.lab.machines, step)
            found = self._look(scene, progress, exercise.drill.goals)
        finally:
            for step in exercise.drill.end:
                steps.do(self.lab.machines, step)
        undone = [one for one in found if one.state is not State.MET]
        return replace(result, undone=undone, undone_by=_typed(exercise.drill.steps))

    # Help

    def hint(self) -> tuple[Hint | None, int, int]:
        """The next hint (None: there are no more), its number, and how many there are. Noted.

        One that is about a goal comes when the last check missed that goal, and else when no other is left.
        """
        progress = self.current
        hints = self.variant(progress).exercise.hints
        missed = set(progress.checks[-1].missed) if progress.checks else set()
        left = [number for number in range(len(hints)) if number not in progress.shown]
        fitting = [number for number in left if hints[number].missed in (None, *missed)]
        if not left:
            return None, len(hints), len(hints)
        number = (fitting or left)[0]
        progress.shown.append(number)
        self.book.save(progress)
        return hints[number], len(progress.shown), len(hints)

    def solution(self) -> Exercise:
        """The exercise with its solution; from now on it counts as given up, if it is not solved.

        Raises SessionError: it is too early.
        """
        progress = self.current
        exercise = self.variant(progress).exercise
        if not progress.solved and len(progress.checks) < CHECKS and len(progress.shown) < len(exercise.hints):
            left = len(exercise.hints) - len(progress.shown)
            raise SessionError("too-early", checks=CHECKS - len(progress.checks), hints=left)
        progress.solution_shown = True
        progress.give_up("solution")
        self.book.save(progress)
        return exercise

    # End

    def stop(self) -> Progress:
        """End it and leave the machines as they are."""
        progress = self.current
        self.book.end(progress, "stopped")
        return progress

    def reset(self) -> Progress:
        """End it, and have the lab be as before it; when it has been ended, the last one."""
        progress = self.book.current()
        if progress is None:
            if not (ended := self.book.ended()) or self.book.read(BEFORE) is None:
                raise SessionError("none-runs")
            self._restore(ended[-1])
            return ended[-1]
        self._restore(progress)
        self.book.end(progress, "reset")
        return progress

    def put_back(self, progress: Progress) -> None:
        """After a start that failed: the lab as before, and no exercise. While that fails, `reset` can try it again."""
        self._restore(progress)
        (self.book.folder / "current.json").unlink(missing_ok=True)

    def _restore(self, progress: Progress) -> None:
        before = self.book.read(BEFORE)
        text = self.book.stack_file.read_text("utf-8")
        if before is not None and text != before:
            # What the student has written there is kept beside it.
            self.book.write(f"kept/Pulumi.{self.book.stack}.yaml.{now().replace(':', '-')}", text)
            try:
                self.book.stack_file.write_text(before, "utf-8")
                self.lab.bring_back()
            except BaseException:
                self.book.stack_file.write_text(text, "utf-8")  # so that the next reset brings it back
                raise
        scene = self._scene(before or text)
        self._reset_touched(scene, progress)
        kept = {name: self.book.read(f"before/{name}") for name in scene.kept_machines}
        kept_mail.put_back(self.lab.machines, {name: words for name, words in kept.items() if words is not None})
        fresh_answers(scene)

    def _reset_touched(self, scene: Scene, progress: Progress) -> None:
        """The machines of the fault, and each that is not as it was; who is looked at while the first are reset."""
        still = scene.still()
        first = sorted({*progress.touched, *still})
        others = [name for name in scene.plan.machines if name not in first]
        with ThreadPoolExecutor(len(scene.plan.machines) + 2) as pool:
            resetting = pool.submit(self.lab.reset, first) if first else None
            edited = pool.submit(self.lab.edited, others)
            facts = self._facts(others, pool)
            changed = [name for name, seen in facts.items() if progress.facts.get(name) != seen]
            if resetting:
                resetting.result()
            if second := sorted({*changed, *edited.result()}):
                self.lab.reset(second)


def _typed(done: Sequence[Step]) -> str:
    return "; ".join(f"{one.machine}: {one.run or 'docker restart'}" for one in done)


def _named(finding: Finding) -> Finding:
    return replace(finding, name=finding.name.removeprefix("goal "))
