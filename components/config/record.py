"""One resource record as a line of a zone file has it (RFC 1035, section 5.1)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.txtbase
import dns.tokenizer
import dns.ttl

from components.config.catalogue import PhraseError, phrase
from components.config.problem import shown

MAX_TTL = 2**31 - 1  # RFC 2181, section 8
# A number of seconds, or BIND's form with units: 1h30m.
TTL = re.compile(r"[0-9]+|([0-9]+[wdhms])+", re.IGNORECASE)
CLASSES = frozenset({"IN", "CH", "CS", "HS"})  # RFC 1035, section 3.2.4
# A text record's data that is written as in a zone file: strings in quotes, maybe in parentheses.
STRINGS = re.compile(r'\(?\s*("([^"\\]|\\.)*"\s*)+\)?(\s;.*)?')
UNESCAPED_QUOTE = re.compile(r'(?<!\\)(\\\\)*"')
# Other types whose data ends with a text that may have a semicolon in it (RFC 8659, RFC 1035, RFC 7553).
TEXT_LAST = frozenset({"CAA", "HINFO", "URI"})
LONGEST_STRING = 255  # bytes, RFC 1035, section 3.3
LONGEST_DATA = 65535  # RFC 1035, section 3.2.1: RDLENGTH has 16 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One resource record: absolute owner `name` and `data` (RFC 1035 text form, names absolute).

    `ttl` in seconds; None: the zone's.
    """

    name: str
    type: str
    data: str
    rdata: dns.rdata.Rdata = field(compare=False, hash=False)
    ttl: int | None = None


def parse_record(line: str, origin: str) -> Record:
    """The record that `line` (`owner [TTL] [class] TYPE data…`) says, with names made absolute below `origin`.

    The data of a text record (TXT, SPF) is one text when it has no quotes; what is longer than a string can be (255
    bytes) becomes several, which are read as one (RFC 7208, section 3.3; RFC 6376, section 3.6.2.2).

    Raises:
        PhraseError: the line is no record; the text says why.
    """
    owner, ttl, rtype, data = _fields(line)
    try:
        root = dns.name.from_text(origin)
        name = dns.name.from_text(owner, root).canonicalize()  # names have no case (RFC 4343)
        rdtype = dns.rdatatype.from_text(rtype)
        rdata = _rdata(rdtype, data, root)
        text = rdata.to_text()
        # What the zone file says must be what was meant, whatever quotes and parentheses are in the text.
        again = rdata
        if '"' in text:
            again = dns.rdata.from_text(dns.rdataclass.IN, rdtype, text, dns.name.root, relativize=False)
    except dns.exception.DNSException as error:
        raise PhraseError(phrase("no-record-because", text=shown(str(error) or type(error).__name__))) from error
    if not name.is_subdomain(root):
        raise PhraseError(phrase("not-in-the-zone", name=shown(name), zone=root))
    if again != rdata:
        raise PhraseError(phrase("cannot-be-written", type=rtype))
    return Record(name=name.to_text(), type=dns.rdatatype.to_text(rdtype), data=text, rdata=rdata, ttl=ttl)


def _fields(line: str) -> tuple[str, int | None, str, str]:
    """Owner, TTL, type and data of a line. TTL and class may stand in either order (RFC 1035, section 5.1)."""
    owner, rest = _word(line)
    if owner.startswith("$"):
        raise PhraseError(phrase("is-a-directive", word=shown(owner)))
    if owner.upper() in CLASSES:
        raise PhraseError(phrase("no-owner"))
    ttl: int | None = None
    said_class = False
    word, data = _word(rest)
    while True:
        if ttl is None and TTL.fullmatch(word):
            ttl = dns.ttl.from_text(word) if len(word) <= len("4294967295") else MAX_TTL + 1
            if ttl > MAX_TTL:
                raise PhraseError(phrase("ttl-out-of-range", ttl=shown(word), limit=MAX_TTL))
        elif not said_class and word.upper() in CLASSES:
            said_class = True
            if word.upper() != "IN":
                raise PhraseError(phrase("other-class", word=word.upper()))
        else:
            break
        word, data = _word(data)
    if not word or not data:
        raise PhraseError(phrase("no-data"))
    return owner, ttl, word, data


def _word(text: str) -> tuple[str, str]:
    """The first word of `text` and the rest of it; empty where there is none."""
    word, *rest = text.split(None, 1) or [""]
    return word, "".join(rest)


def _rdata(rdtype: dns.rdatatype.RdataType, data: str, root: dns.name.Name) -> dns.rdata.Rdata:
    if dns.rdatatype.is_metatype(rdtype):
        raise PhraseError(phrase("type-of-questions", type=dns.rdatatype.to_text(rdtype)))
    kind: type[dns.rdata.Rdata] = dns.rdata.get_rdata_class(dns.rdataclass.IN, rdtype)  # type: ignore[no-untyped-call]
    # \# begins the form for unknown types (RFC 3597, section 5).
    if issubclass(kind, dns.rdtypes.txtbase.TXTBase) and not data.startswith("\\#"):
        return kind(dns.rdataclass.IN, rdtype, _in_pieces(_strings(data)))
    if dns.rdatatype.to_text(rdtype) in TEXT_LAST and _cut_off(data):
        raise PhraseError(phrase("semicolon"))
    tokens = dns.tokenizer.Tokenizer(data)
    return dns.rdata.from_text(dns.rdataclass.IN, rdtype, tokens, root, relativize=False)


def _strings(data: str) -> list[bytes]:
    """The strings of a text record: those in quotes, or the whole line as one."""
    if not STRINGS.fullmatch(data):
        if UNESCAPED_QUOTE.search(data):
            raise PhraseError(phrase("quotes"))
        return [dns.tokenizer.Token(dns.tokenizer.IDENTIFIER, data.strip(), True).unescape_to_bytes().value]
    tokens = dns.tokenizer.Tokenizer(data)
    return [token.unescape_to_bytes().value for token in tokens.get_remaining()]


def _in_pieces(strings: Iterable[bytes]) -> list[bytes]:
    pieces = [
        text[start : start + LONGEST_STRING]
        for text in strings
        for start in range(0, max(len(text), 1), LONGEST_STRING)
    ]
    if sum(len(piece) + 1 for piece in pieces) > LONGEST_DATA:
        raise PhraseError(phrase("text-too-long", limit=LONGEST_DATA))
    return pieces


def _cut_off(data: str) -> bool:
    """Whether a semicolon without quotes before it begins a comment: it may have been meant as a part of the text."""
    tokens = dns.tokenizer.Tokenizer(data)
    before = None
    while not (token := tokens.get(want_comment=True)).is_eol_or_eof():
        if token.is_comment():
            return before is None or not before.is_quoted_string()
        before = token
    return False
