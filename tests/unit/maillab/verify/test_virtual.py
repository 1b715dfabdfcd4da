"""virtual_alias_maps with an inline table, as cleanup(8) follows it."""

import pytest

from maillab.verify.parameters import Parameters
from maillab.verify.virtual import VirtualAliases, read_inline


@pytest.mark.parametrize(
    ("value", "table"),
    [
        ("inline:{a@b.tw=c@d.tw}", {"a@b.tw": ("c@d.tw",)}),
        ("inline:{A@b.tw=c, d=e@f.tw}", {"a@b.tw": ("c",), "d": ("e@f.tw",)}),
        ("inline:{{a@b.tw = c, d@e.tw} @f.tw=g}", {"a@b.tw": ("c", "d@e.tw"), "@f.tw": ("g",)}),
        ("inline:{}", {}),
    ],
)
def test_inline_table(value: str, table: dict[str, tuple[str, ...]]) -> None:
    assert read_inline(value) == table


@pytest.mark.parametrize("value", ["", "hash:/etc/postfix/virtual", "inline:{a@b.tw}", "inline:{a=b} inline:{c=d}"])
def test_everything_else_is_no_inline_table(value: str) -> None:
    assert read_inline(value) is None


TABLE = {
    "chen@b.tw": ("lin",),
    "lin": ("wang@b.tw", "far@d.tw"),
    "keep@b.tw": ("keep@b.tw", "copy@b.tw"),
    "ring@b.tw": ("round@b.tw",),
    "round@b.tw": ("ring@b.tw",),
    "@all.tw": ("chen@b.tw",),
}


def followed(address: str, delimiter: str = "") -> set[str]:
    parameters = Parameters(given={"recipient_delimiter": delimiter})
    aliases = VirtualAliases(table=TABLE)
    return aliases.follow(address, lambda one: one.endswith("@b.tw"), "b.tw", parameters.base)


@pytest.mark.parametrize(
    ("address", "found"),
    [
        pytest.param("else@b.tw", {"else@b.tw"}, id="in no line"),
        pytest.param("CHEN@b.tw", {"wang@b.tw", "far@d.tw"}, id="line after line"),
        pytest.param("lin@d.tw", {"lin@d.tw"}, id="a bare name is of the own domain"),
        pytest.param("keep@b.tw", {"keep@b.tw", "copy@b.tw"}, id="keeps a copy"),
        pytest.param("ring@b.tw", set(), id="round and round"),
        pytest.param("anybody@all.tw", {"wang@b.tw", "far@d.tw"}, id="a whole domain"),
        pytest.param("chen+x@b.tw", {"chen+x@b.tw"}, id="an extension that is none"),
    ],
)
def test_addresses_that_an_address_stands_for(address: str, found: set[str]) -> None:
    assert followed(address) == found


def test_extension_goes_on_with_the_result() -> None:
    assert followed("chen+x@b.tw", "+") == {"wang+x@b.tw", "far+x@d.tw"}
