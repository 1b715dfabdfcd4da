"""Where an alias leads (aliases(5)), and when local(8) sees that a message goes round."""

import pytest

from components.config.mail import parse_alias
from maillab.verify.aliases import Aliases, Targets, targets

OWN = ("b.tw", "mail.b.tw")


def led(recipient: str, *lines: str, delivered: tuple[str, ...] = (), origin: str = "b.tw") -> Targets:
    """Where the message goes on a server of b.tw with these lines in /etc/aliases."""
    aliases = [parse_alias(line) for line in lines]
    given = Aliases(lines={alias.name.lower(): alias for alias in aliases}, own=OWN, origin=origin)
    return targets(given, recipient, delivered)


@pytest.mark.parametrize(
    ("recipient", "lines", "users"),
    [
        pytest.param("chen@b.tw", [], {"chen"}, id="no alias"),
        pytest.param("root@b.tw", ["root: admin"], {"admin"}, id="one"),
        pytest.param("x@b.tw", ["x: root", "root: admin"], {"admin"}, id="two in a row"),
        pytest.param("x@b.tw", ["x: chen, lin"], {"chen", "lin"}, id="many"),
        pytest.param("x@b.tw", ["x: chen, y", "y: chen"], {"chen"}, id="one person by two ways"),
        pytest.param("chen@b.tw", ["chen: chen, lin"], {"chen", "lin"}, id="a copy for himself"),
        pytest.param("X@B.TW", ["x: Chen@MAIL.b.tw"], {"chen"}, id="no case"),
    ],
)
def test_users(recipient: str, lines: list[str], users: set[str]) -> None:
    assert led(recipient, *lines) == Targets(users=users)


def test_addresses_of_others_are_kept_as_written() -> None:
    assert led("x@b.tw", "x: Tnuser@tn.edu.tw") == Targets(elsewhere={"Tnuser@tn.edu.tw"})


def test_name_without_a_domain_is_of_the_servers_origin() -> None:
    """Where the origin is no domain of the server's own, even its own users are elsewhere."""
    assert led("x@b.tw", "x: chen", origin="dns.b.tw") == Targets(elsewhere={"chen@dns.b.tw"})


def test_message_that_was_here_before_goes_round() -> None:
    assert led("x@b.tw", "x: x@c.tw", delivered=("x@b.tw",)) == Targets(looping={"x@b.tw"})


def test_only_the_target_that_was_here_before_goes_round() -> None:
    found = led("all@b.tw", "all: x, chen", "x: x@c.tw", delivered=("x@b.tw",))
    assert found == Targets(users={"chen"}, looping={"x@b.tw"})


def test_same_name_in_another_domain_is_another_address() -> None:
    assert led("x@mail.b.tw", "x: x@c.tw", delivered=("x@b.tw",)) == Targets(elsewhere={"x@c.tw"})
