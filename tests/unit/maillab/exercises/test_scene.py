"""What an exercise's messages have in them."""

import base64
from typing import Any, cast

import pytest

from maillab.cli.configuration import stack_plan
from maillab.cli.stack import ROOT, Stack
from maillab.exercises.exercise import BODIES, Mail
from maillab.exercises.scene import Scene, SceneError, body_of


@pytest.mark.parametrize("body", [*BODIES, "3", "100k"])
def test_body_is_one_word(body: str) -> None:
    """The programs that hand messages in read it to the first blank (maillab.verify.messages)."""
    assert len(body_of(body).split()) == (body != "spam")


def test_size_is_in_kilobytes() -> None:
    assert (len(body_of("3")), len(body_of("100k"))) == (3, 100_000)


def test_virus_is_the_test_file() -> None:
    assert body_of("virus").startswith("X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-")


def test_archive_is_one_that_filters_decode() -> None:
    """They look for base64 in runs of 60 characters at least (lua/mail_decoders.lua)."""
    word = body_of("archive")
    assert len(word) >= 60
    assert base64.b64decode(word).startswith(b"Rar!\x1a\x07")


def scene(stack: str) -> Scene:
    """The lab of a stack file; nothing is asked of its machines."""
    return Scene(plan=stack_plan(Stack(name=stack, root=ROOT)), machines=cast("Any", None))


@pytest.mark.parametrize(("login", "user"), [(None, "chen"), ("lin", "lin")])
def test_where_users_log_in_to_send_somebody_does(login: str | None, user: str) -> None:
    writer = scene("standalone").writer(Mail(sender="chen@yaes.example", to="lin@yaes.example", login=login))
    assert writer.login is not None
    assert (writer.login.user, writer.login.port) == (user, 587)


def test_user_logs_in_at_the_port_that_an_effect_names() -> None:
    mail = Mail(sender="admin@yaes.example", to="lin@yaes.example", login="chen", port=465)
    writer = scene("standalone").writer(mail)
    assert writer.login is not None
    assert (writer.login.user, writer.login.port) == ("chen", 465)


def test_port_without_a_login_is_a_mistake() -> None:
    with pytest.raises(SceneError, match="logs in"):
        scene("standalone").writer(Mail(sender="somebody@example.com", to="lin@yaes.example", via="mail", port=465))


def test_where_nobody_is_asked_nobody_logs_in() -> None:
    assert scene("dc1es").writer(Mail(sender="chen@dc1es.tnc.edu.tw", to="lin@dc1es.tnc.edu.tw")).login is None


@pytest.mark.parametrize(("stack", "domain"), [("standalone", "yaes.example"), ("dc1es", "dc1es.tnc.edu.tw")])
def test_login_that_there_is_not_is_named(stack: str, domain: str) -> None:
    with pytest.raises(SceneError, match="nobody"):
        scene(stack).writer(Mail(sender=f"chen@{domain}", to=f"lin@{domain}", login="nobody"))
