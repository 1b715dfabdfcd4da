"""What must go on working whatever an exercise is about: about ten effects, each as the good configuration says."""

from collections.abc import Iterator
from dataclasses import replace

from components.config.lab import LabConfig, Role, SchoolConfig
from maillab.exercises.exercise import Connection, Effect, Fetch, Mail, Question
from maillab.exercises.scene import Scene
from maillab.exercises.text import both
from maillab.trace.ending import How
from maillab.verify.cells import Verdict, predict
from maillab.verify.pairs import NOBODY, domains_of, plain_users

SMTP = 25


def probes(scene: Scene) -> dict[str, Effect]:
    """Name to effect. Names are the same in every lab; what a lab has not has no probe."""
    lab = scene.plan.config
    found: dict[str, Effect] = {}
    for school in lab.schools[:1]:
        found |= dict(_of_mail(scene, lab, school))
        found |= dict(_of_connections(scene, lab, school))
        mx = sorted(one.data for one in school.good_records
                    if one.type == "MX" and one.name.rstrip(".") == school.domain.lower())  # fmt: skip
        if mx:
            asked = Question(machine="outside", name=school.domain, type="MX", says=tuple(mx))
            found["mail-exchangers"] = Effect(says=both("probe-mail-exchangers", domain=school.domain), answers=asked)
    return found


def _of_mail(scene: Scene, lab: LabConfig, school: SchoolConfig) -> Iterator[tuple[str, Effect]]:
    stranger = f"somebody@{lab.internet.senders[0].domain}"
    known = f"{lab.internet.mail.users[0].name if lab.internet.mail.users else 'postmaster'}@{lab.internet.mail.domain}"
    for role, name in ((Role.MAIL, "incoming"), (Role.SECOND_MAIL, "incoming-second")):
        for server in school.with_role(role):
            users = plain_users(server)
            if not users or not (domains := domains_of(school, server)):
                continue
            own = f"{users[-1]}@{domains[0]}"
            yield name, _effect(scene, name, Mail(sender=stranger, to=own))
            if role is Role.MAIL:
                yield "outgoing", _effect(scene, "outgoing", Mail(sender=own, to=known))
                yield "unknown-user", _effect(scene, "unknown-user", Mail(sender=stranger, to=f"{NOBODY}@{domains[0]}"))
                yield "spam", _spam(scene, Mail(sender=stranger, to=own, body="spam"))
                yield "postmaster", _effect(scene, "postmaster", Mail(sender=stranger, to=f"postmaster@{domains[0]}"))
                if scene.plan.machines[server.name].part.logins and school.with_role(Role.WORKSTATION):
                    yield "fetching", Effect(says=both("probe-fetching", user=own), fetches=Fetch(user=own))
    for server in school.with_role(Role.SPAMFILTER):
        mail = Mail(sender=stranger, to=f"other@{lab.internet.senders[-1].domain}", via=server.name)
        yield "no-relay", _effect(scene, "no-relay", mail)


def _effect(scene: Scene, name: str, mail: Mail) -> Effect:
    """The effect that the good configuration predicts of the message."""
    says = both(f"probe-{name}", sender=mail.sender or "", to=mail.to or "", machine=mail.via or "")
    ends = scene.post.way(scene.writer(mail), str(mail.to))
    hows = {end.how for end in ends}
    if hows in ({How.REFUSED}, {How.HELD}):
        at, code = sorted({(end.hops[-1], end.what) for end in ends})[0]
        judged = Mail(sender=mail.sender, to=mail.to, via=mail.via, body=mail.body, at=at, code=code or None)
        return Effect(says=says, refused=judged) if hows == {How.REFUSED} else Effect(says=says, held=judged)
    return Effect(says=says, arrives=mail)


def _spam(scene: Scene, mail: Mail) -> Effect:
    """Held by the county's filter; amavis lets it through, and marks it (tutorial: Amavis-new)."""
    found = _effect(scene, "spam", mail)
    if found.arrives is None:
        return found
    marks = any("amavis" in plan.part.roles for plan in scene.plan.machines.values())
    says = both("probe-spam-marked" if marks else "probe-spam-arrives")
    return Effect(says=says, arrives=replace(mail, marked=True if marks else None))


def _of_connections(scene: Scene, lab: LabConfig, school: SchoolConfig) -> Iterator[tuple[str, Effect]]:
    """One sender whom each server's packet filter lets in, and one whom it does not, where there are such."""
    for server in school.with_role(Role.MAIL)[:1]:
        for verdict, name in ((Verdict.ACCEPT, "allowed"), (Verdict.DROP, "dropped")):
            for sender in reversed(lab.internet.senders) if verdict is Verdict.DROP else lab.internet.senders:
                wire = Connection(source=sender.host, to=server.name, port=SMTP)
                seen = {predict(scene.policy, cell).verdict for cell in scene.cells(wire)}
                if seen == {verdict}:
                    says = both(f"probe-{name}", host=sender.host, machine=server.name)
                    yield (
                        name,
                        Effect(says=says, connects=wire) if name == "allowed" else Effect(says=says, dropped=wire),
                    )
                    break
