"""Looks at effects on the running machines, all at once: what should be seen, and what is seen."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock

from maillab.exercises.exercise import MAIL_KINDS, PATIENCE, Effect, Mail, kind_of
from maillab.exercises.finding import Finding, Known, State
from maillab.exercises.judging import expected_words, in_boxes, in_words, is_met, listed, of_answer, of_cell
from maillab.exercises.scene import Scene, SceneError
from maillab.exercises.text import text
from maillab.exercises.whereabouts import MARKS, boxes_with, marks_of, queues_with
from maillab.postman.mailboxes import Mailbox, Pop3Error, fetch, mailbox_of
from maillab.postman.problem import PostError
from maillab.trace.ending import Ending, How
from maillab.trace.machines import MachineError
from maillab.trace.trail import Fate
from maillab.verify.cells import Cell, Verdict
from maillab.verify.messages import Message, Postman
from maillab.verify.probe import probe
from maillab.verify.sweep import sweep_mailboxes, sweep_queues

# So many times longer for one that still moves: a crowded computer is no fault of the student's.
MOVING, LONGEST = 4.0, 4
POLL = 0.2
AGAIN = 0.7  # each look at all mailboxes costs a docker exec for each server
STILL = 1.5  # seconds without news of a message that waits for another try
SECONDS = 3  # for one question to DNS, one login
IN_USE = "login: [IN-USE]"  # of another POP3 session (RFC 2449, section 8.1.2)
DOMAIN = "exercise.invalid"  # of the messages' Message-IDs
VERDICTS = {"connects": Verdict.ACCEPT, "dropped": Verdict.DROP, "closed": Verdict.REFUSE}
# What machines are asked first; the names in /var/mail are what LIST prints.
FLUSH = "rndc flush >/dev/null 2>&1"
RETRY = "{ postqueue -f || sendmail -q; } >/dev/null 2>&1"
LIST = "ls /var/mail 2>/dev/null"
# A message to a mailbox, on stdin, handed in on its server: prints why that can't be, as when the disk is full.
PUT = 'said=$(sendmail -i "$1" 2>&1) || echo "${said:-sendmail}"'


def fresh_answers(scene: Scene, *, retry: bool = False) -> dict[str, str]:
    """Name servers forget what others answered before.

    `retry`: mail servers forget which others did not answer, and try their queues again: for some seconds a server asks
    no more whom it has not reached (minimal_backoff_time, postconf(5)). Answers what there is in the mailboxes' folder,
    by machine; a machine that can't be asked is left out.
    """
    # All name servers first: what is tried again meets the old answers else, and with them a server that is given up.
    scene.machines.ask(dict.fromkeys(scene.name_servers, ("sh", "-c", FLUSH)))
    asked: dict[str, list[str]] = {name: [RETRY] for name in (scene.mail_servers if retry else ())}
    for name in scene.mailbox_machines:
        asked.setdefault(name, []).append(LIST)
    # What any of it can't do is looked at next.
    printed = scene.machines.ask({name: ("sh", "-c", "; ".join([*words, ":"])) for name, words in asked.items()})
    return {name: words for name in scene.mailbox_machines if (words := printed[name]) is not None}


@dataclass(slots=True, kw_only=True)
class Looker:
    """One look at `effects` (name to effect); `known`: messages that were sent before."""

    scene: Scene
    effects: Mapping[str, Effect]
    known: Mapping[str, Sequence[Known]] = field(default_factory=dict)
    patience: float = PATIENCE
    _still: Mapping[str, str] = field(default_factory=dict)
    _fetching: dict[str, Lock] = field(default_factory=dict)
    _postman: Postman = field(init=False)

    def __post_init__(self) -> None:
        """What this look sends has one mark, by which it is swept away."""
        self._postman = Postman(self.scene.machines, self.scene.plan.machines, domain=DOMAIN)

    def look(self) -> dict[str, Finding]:
        """What there is to be seen; a finding for each effect, in their order. Nothing that it sends stays behind."""
        boxes = fresh_answers(self.scene, retry=any(kind_of(effect) in MAIL_KINDS for effect in self.effects.values()))
        try:
            self._still = self.scene.still()
        except MachineError as error:
            return {name: self._unknown(name, str(error)) for name in self.effects}
        try:
            return self._look()
        finally:
            sweep_mailboxes(self.scene.machines, boxes, self._postman.mark)

    def _look(self) -> dict[str, Finding]:
        with ThreadPoolExecutor(8) as pool:
            mails = pool.submit(self._mails)
            sent = {name: pool.submit(self._try, name, self._sent) for name in self._of("message")}
            wires = pool.submit(self._connections)
            others = {
                name: pool.submit(self._try, name, self._question if self.effects[name].answers else self._fetch)
                for name, effect in self.effects.items()
                if effect.answers or effect.fetches
            }
            found = mails.result() | wires.result()
            found |= {name: one.result() for name, one in (sent | others).items()}
        return {name: found[name] for name in self.effects}

    def _of(self, kind: str) -> dict[str, Mail]:
        """The mails that were sent before (`message`), or that this look sends."""
        mails = {name: getattr(effect, kind_of(effect)) for name, effect in self.effects.items()
                 if kind_of(effect) in MAIL_KINDS}  # fmt: skip
        return {name: mail for name, mail in mails.items() if (mail.message is not None) == (kind == "message")}

    def _finding(self, name: str, *, met: bool, expected: str, seen: str, message_id: str = "") -> Finding:
        says = str(self.effects[name].says)
        state = State.MET if met else State.MISSED
        return Finding(name=name, says=says, state=state, expected=expected, seen=seen, message_id=message_id)

    def _unknown(self, name: str, why: str) -> Finding:
        return Finding(name=name, says=str(self.effects[name].says), state=State.UNKNOWN, seen=why)

    def _try(self, name: str, look: Callable[[str], Finding]) -> Finding:
        try:
            return look(name)
        except MachineError as error:
            if self._still:
                return self._finding(name, met=False, expected=text("machines-run"), seen=self._words_of_still())
            return self._unknown(name, str(error))

    def _words_of_still(self) -> str:
        return ", ".join(text("machine-still", machine=name, state=state) for name, state in self._still.items())

    # Messages that this look sends

    def _mails(self) -> dict[str, Finding]:
        mails = self._of("sent now")
        if not mails:
            return {}
        silent = [name for name in self.scene.mail_servers if name in self._still]
        if silent:
            words = self._words_of_still()
            return {name: self._finding(name, met=False, expected=text("machines-run"), seen=words) for name in mails}
        try:
            return self._send_and_follow(mails)
        except MachineError as error:
            return {name: self._unknown(name, str(error)) for name in mails}

    def _send_and_follow(self, mails: Mapping[str, Mail]) -> dict[str, Finding]:
        scene, postman = self.scene, self._postman
        messages = {
            name: scene.message(mail, f"{number}{postman.mark}") for number, (name, mail) in enumerate(mails.items())
        }
        with postman.at_work():
            try:
                postman.send(messages.values())
                ends = self._follow(postman, messages)
            finally:
                sweep_queues(scene.machines, scene.plan.machines, postman.left())
        return {
            name: self._judged(name, mails[name], ends[name], message.message_id) for name, message in messages.items()
        }

    def _follow(self, postman: Postman, messages: Mapping[str, Message]) -> dict[str, frozenset[Ending]]:
        """Until each is as it should be, or nothing more comes of it."""
        mails = self._of("sent now")
        deadline, latest = (time.monotonic() + self.patience * times for times in (1, LONGEST))
        before: dict[Message, Fate] = {}
        changed = dict.fromkeys(messages, time.monotonic())
        while True:
            fates = postman.fates(list(messages.values()))
            now = time.monotonic()
            changed = {name: at if fates[messages[name]] == before.get(messages[name]) else now
                       for name, at in changed.items()}  # fmt: skip
            waiting = [name for name, one in messages.items()
                       if not self._is_settled(name, mails[name], fates[one], now - changed[name])]  # fmt: skip
            moving = any(now - changed[name] < MOVING for name in waiting)
            if not waiting or now > (latest if moving else deadline):
                return {name: fates[message].ends for name, message in messages.items()}
            before = fates
            time.sleep(POLL)

    def _is_settled(self, name: str, mail: Mail, fate: Fate, still: float) -> bool:
        """Does nothing more come of it: for ever, or (it is as wanted, or has not moved for a while) for the moment?

        An alias is delivered name by name: what is at rest need not be all.
        """
        if fate.is_over or not fate.is_at_rest:
            return fate.is_over
        kind = kind_of(self.effects[name])
        return still > STILL or is_met(kind, mail, fate.ends, self._wanted(kind, mail))

    def _judged(self, name: str, mail: Mail, ends: frozenset[Ending], message_id: str) -> Finding:
        kind = kind_of(self.effects[name])
        wanted = self._wanted(kind, mail)
        expected, met = expected_words(kind, mail, wanted), is_met(kind, mail, ends, wanted)
        seen = listed(sorted(map(in_words, ends))) or text("nothing-yet", seconds=int(self.patience))
        if mail.marked is not None:
            mark = self._mark(ends, message_id)
            wish = MARKS[mail.marked]
            met, expected = met and mark == {wish}, listed([expected, text(wish)])
            seen = listed([seen, *(text(one) for one in sorted(mark))])
        return self._finding(name, met=met, expected=expected, seen=seen, message_id=message_id)

    def _mark(self, ends: frozenset[Ending], message_id: str) -> set[str]:
        """What the filter says in the message's header, in each mailbox that has it. Raises MachineError."""
        return marks_of(self.scene.machines, {end.hops[-1] for end in ends if end.how is How.MAILBOX}, message_id)

    def _wanted(self, kind: str, mail: Mail) -> frozenset[Ending]:
        """What the good configuration makes of it, where the effect does not say it all."""
        if kind in ("arrives", "relays") and mail.ends is None:
            return self.scene.post.way(self.scene.writer(mail), str(mail.to))
        return frozenset()

    # Messages that were sent before

    def _sent(self, name: str) -> Finding:
        """By the mailboxes: logs go with their containers, and may be long. What is gone is in no queue either."""
        effect, mail = self.effects[name], self._of("message")[name]
        kind = kind_of(effect)
        known = self.known.get(str(mail.message), ())
        ids = [one.message_id for one in known]
        deadline = time.monotonic() + self.patience
        while True:
            queues = queues_with(self.scene.machines, self.scene.mail_servers, ids) if kind == "gone" else {}
            boxes = self._boxes(ids)
            bad = [one for one in known if queues.get(one.message_id)
                   or boxes[one.message_id] != self._boxes_wanted(kind, mail, one)]  # fmt: skip
            # What lies in a mailbox stays there; what is in a queue may be on its way to a filter that throws it away.
            final = kind == "gone" and any(boxes.values())
            if not bad or final or time.monotonic() > deadline:
                break
            time.sleep(AGAIN)
        one = (bad or known)[0]
        wanted, queued = self._boxes_wanted(kind, mail, one), queues.get(one.message_id)
        seen = text("in-queues", machines=", ".join(sorted(queued))) if queued else in_boxes(boxes[one.message_id])
        return self._finding(name, met=not bad, expected=in_boxes(wanted), seen=seen, message_id=one.message_id)

    def _boxes_wanted(self, kind: str, mail: Mail, one: Known) -> frozenset[str]:
        if kind == "gone":
            return frozenset()
        if mail.ends is not None:
            return frozenset(mail.ends)
        ends = self.scene.post.way(self.scene.writer(one.mail), str(one.mail.to))
        return frozenset(f"{end.what}@{end.hops[-1]}" for end in ends if end.how is How.MAILBOX)

    def _boxes(self, ids: Sequence[str]) -> dict[str, frozenset[str]]:
        return boxes_with(self.scene.machines, self.scene.mailbox_machines, ids)

    # Connections

    def _connections(self) -> dict[str, Finding]:
        wanted = {name: (effect.connects or effect.dropped or effect.closed) for name, effect in self.effects.items()}
        asked = {name: self.scene.cells(one) for name, one in wanted.items() if one}
        if not asked:
            return {}
        failures: list[str] = []
        try:
            seen = probe(self.scene.machines, [cell for cells in asked.values() for cell in cells], failures=failures)
        except MachineError as error:
            return {name: self._unknown(name, str(error)) for name in asked}
        return {name: self._wire(name, cells, seen, failures) for name, cells in asked.items()}

    def _wire(self, name: str, cells: Sequence[Cell], seen: Mapping[Cell, Verdict], failures: list[str]) -> Finding:
        should = VERDICTS[kind_of(self.effects[name])]
        unasked = [line for line in failures if line.startswith(f"{cells[0].source.machine}:")]
        if unasked and not self._still:
            return self._unknown(name, unasked[0])
        return self._finding(
            name,
            met=all(seen[cell] is should for cell in cells),
            expected=listed(of_cell(cell, should) for cell in cells),
            seen=listed(of_cell(cell, seen[cell]) for cell in cells),
        )

    # DNS and POP3

    def _question(self, name: str) -> Finding:
        question = self.effects[name].answers
        assert question is not None
        server = f"@{self.scene.address(question.server)}" if question.server else ""
        words = [server, question.name, question.type, "+short", f"+time={SECONDS}", "+tries=1"]
        # Its exit status is not 0 when nobody answers.
        command = ["sh", "-c", 'dig "$@" 2>&1; :', "dig", *filter(None, words)]
        printed = self.scene.machines.run(question.machine, command)
        lines = [line.strip() for line in printed.splitlines() if line.strip()]
        silent = [line for line in lines if line.startswith(";;")]
        seen = sorted(line for line in lines if not line.startswith(";"))
        return self._finding(
            name,
            met=not silent and seen == sorted(question.says),
            expected=of_answer(question, question.says),
            seen=silent[0].lstrip("; ") if silent else of_answer(question, seen),
        )

    def _fetch(self, name: str) -> Finding:
        wish = self.effects[name].fetches
        assert wish is not None
        try:
            mailbox = mailbox_of(self.scene.plan, wish.user)
        except PostError as error:
            raise SceneError(f"nobody in this lab fetches mail as {wish.user}") from error
        # A POP3 session has the mailbox for itself (RFC 1939, section 4): another one is refused meanwhile.
        with self._fetching.setdefault(f"{mailbox.user}@{mailbox.server}", Lock()):
            return self._fetch_from(name, mailbox, text("fetched", user=wish.user))

    def _fetch_from(self, name: str, mailbox: Mailbox, expected: str) -> Finding:
        scene = self.scene
        message_id = f"{secrets.token_hex(6)}@{DOMAIN}"
        box = f"{mailbox.user}@{mailbox.server}"
        # By the mark in its text it is swept out of the mailbox; in its Message-ID it would be swept out of the queue.
        words = f"Message-ID: <{message_id}>\nSubject: check\n\n{self._postman.mark}\n"
        if refused := scene.machines.run(mailbox.server, ["sh", "-c", PUT, "put", mailbox.user], words).strip():
            return self._finding(name, met=False, expected=expected, seen=refused.splitlines()[-1])
        deadline = time.monotonic() + self.patience
        while box not in boxes_with(scene.machines, [mailbox.server], [message_id])[message_id]:
            if time.monotonic() > deadline:
                seen = in_boxes(self._boxes([message_id])[message_id])
                return self._finding(name, met=False, expected=expected, seen=seen)
            time.sleep(AGAIN)
        # A session before this one may not have ended yet.
        deadline = time.monotonic() + self.patience
        while (why := self._why_not_fetched(mailbox, message_id)).startswith(IN_USE) and time.monotonic() < deadline:
            time.sleep(AGAIN)
        return self._finding(name, met=not why, expected=expected, seen=why or expected)

    def _why_not_fetched(self, mailbox: Mailbox, message_id: str) -> str:
        """Empty when the message was fetched. Raises MachineError."""
        try:
            there = fetch(self.scene.machines, mailbox, seconds=SECONDS)
            offered = (one.number for one in reversed(there.messages) if f"<{message_id}>".encode() in one.raw)
            number = next(offered, None)
            if number is None:
                return text("not-offered", total=there.total)
            fetch(self.scene.machines, mailbox, number, seconds=SECONDS)
        except Pop3Error as error:
            return str(error)
        return ""
