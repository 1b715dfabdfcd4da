"""Lines of a zone, as a teacher writes them, and the records that they are."""

import dns.rdtypes.txtbase
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.config.record import Record, parse_record

ORIGIN = "dc1es.tnc.edu.tw"
LONG = "v=DKIM1; k=rsa; p=" + "A" * 400


def strings(line: str) -> tuple[bytes, ...]:
    """The strings of a text record."""
    rdata = parse_record(line, ORIGIN).rdata
    assert isinstance(rdata, dns.rdtypes.txtbase.TXTBase)
    return rdata.strings


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("@ TXT v=spf1 mx -all", [b"v=spf1 mx -all"], id="words are not joined"),
        pytest.param("_dmarc TXT v=DMARC1; p=none", [b"v=DMARC1; p=none"], id="nothing is lost behind a semicolon"),
        pytest.param(r"_dmarc TXT v=DMARC1\; p=none", [b"v=DMARC1; p=none"], id="an escaped semicolon"),
        pytest.param("@ 3600 IN TXT v=spf1 mx -all", [b"v=spf1 mx -all"], id="behind TTL and class"),
        pytest.param("@ SPF v=spf1 mx; -all", [b"v=spf1 mx; -all"], id="type SPF"),
        pytest.param("@ TXT (v=x)", [b"(v=x)"], id="parentheses"),
        pytest.param("@ TXT 陳老師", ["陳老師".encode()], id="Chinese"),
        pytest.param('@ TXT "v=spf1 mx -all"', [b"v=spf1 mx -all"], id="in quotes"),
        pytest.param('@ TXT "v=spf1 mx" " -all; x" ; remark', [b"v=spf1 mx", b" -all; x"], id="several strings"),
        pytest.param('@ TXT ( "a" "b" )', [b"a", b"b"], id="in parentheses"),
        pytest.param('@ TXT ""', [b""], id="empty string"),
        pytest.param(r"@ TXT say \"hi\"", [b'say "hi"'], id="quotes as characters"),
        pytest.param(f"@ TXT {LONG}", [LONG[:255].encode(), LONG[255:].encode()], id="long"),
        pytest.param(f'@ TXT "{LONG}"', [LONG[:255].encode(), LONG[255:].encode()], id="long, in quotes"),
        pytest.param(f"@ TXT {'x' * 255}", [b"x" * 255], id="as long as a string can be"),
    ],
)
def test_strings_of_a_text(line: str, expected: list[bytes]) -> None:
    assert strings(line) == tuple(expected)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('@ TXT "v=DMARC1"; p=none', id="half of it in quotes"),
        pytest.param('@ TXT v=spf1 "mx"', id="a word in quotes"),
        pytest.param('@ TXT "v=spf1', id="one quote"),
        pytest.param(f"@ TXT {'x' * 65535}", id="longer than a record"),
        pytest.param("@ CAA 0 issue ca.example; account=1", id="a comment in place of a text"),
    ],
)
def test_text_that_could_lose_a_part_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"quotes|longer"):
        parse_record(line, ORIGIN)


def test_comment_behind_a_record_is_none_of_it() -> None:
    assert parse_record("mail A 163.26.182.2 ; the old one", ORIGIN).data == "163.26.182.2"
    assert parse_record('@ CAA 0 issue "ca.example; account=1" ; x', ORIGIN).data == '0 issue "ca.example; account=1"'


@given(text=st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=600))
def test_text_in_quotes_keeps_every_character(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    assert b"".join(strings(f'@ TXT "{escaped}"')) == text.encode()


@pytest.mark.parametrize(
    ("line", "ttl"),
    [
        pytest.param("www A 163.26.182.3", None, id="the zone's"),
        pytest.param("www 3600 A 163.26.182.3", 3600, id="TTL"),
        pytest.param("www 3600 IN A 163.26.182.3", 3600, id="TTL and class"),
        pytest.param("www IN 3600 A 163.26.182.3", 3600, id="class and TTL"),
        pytest.param("www in a 163.26.182.3", None, id="class, in small letters"),
        pytest.param("www 1h30m A 163.26.182.3", 5400, id="with units"),
        pytest.param("www\t0\tA\t163.26.182.3", 0, id="nought, with tabs"),
    ],
)
def test_ttl_and_class(line: str, ttl: int | None) -> None:
    record = parse_record(line, ORIGIN)
    assert (record.name, record.type, record.data) == (f"www.{ORIGIN}.", "A", "163.26.182.3")
    assert record.ttl == ttl


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("www 2147483648 A 163.26.182.3", "TTL 2147483648 is out of range", id="TTL too long"),
        pytest.param(f"www {'9' * 5000} A 163.26.182.3", "out of range", id="TTL of 5,000 digits"),
        pytest.param("www CH A 163.26.182.3", "class IN only", id="class CH"),
        pytest.param("IN A 163.26.182.3", "owner is missing", id="no owner"),
        pytest.param("www 60 60 A 163.26.182.3", "unknown", id="two TTLs"),
        pytest.param("www 3600 IN", "an owner, a type and data", id="no type"),
        pytest.param("$TTL 86400", "directive", id="directive"),
        pytest.param("@ ANY x", "questions", id="a type that no record has"),
    ],
)
def test_no_record(line: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_record(line, ORIGIN)


def test_record_is_the_same_with_its_ttl() -> None:
    plain: Record = parse_record("www A 163.26.182.3", ORIGIN)
    assert parse_record("www 60 A 163.26.182.3", ORIGIN).rdata == plain.rdata
