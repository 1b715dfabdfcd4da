"""A message as people read it: headers, text and the names of what is attached, in Unicode."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message as Parsed
from email.utils import parsedate_to_datetime

FOLD = re.compile(r"\r?\n(?=[ \t])")
TAG = re.compile(r"(?s)<(script|style)\b.*?</\1\s*>|<[^>]*>")
CHARSETS = ("utf-8", "big5")  # of what says nothing of its own
FILTER = ("x-spam", "x-virus")  # how the headers that the filter writes begin
NAMING = ("content-disposition", "content-type")  # the headers that name a file
LONGEST = 200  # characters of a filter's header


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A part of a message that is not its text."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Readable:
    """A message, decoded. `verdicts`: the headers that the filter wrote."""

    headers: tuple[tuple[str, str], ...]
    text: str
    files: tuple[File, ...]

    def header(self, name: str) -> str:
        """The first header of that name, "" without one."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def date(self) -> datetime | None:
        """When it was written, as its writer says."""
        try:
            return parsedate_to_datetime(self.header("date"))
        except (ValueError, TypeError, OverflowError):
            return None

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        """The filter's headers of one line; the list of all symbols is none."""
        found = [(key, value) for key, value in self.headers if key.lower().startswith(FILTER)]
        return [(key, value) for key, value in found if len(value) <= LONGEST]


def read(raw: bytes) -> Readable:
    """The message, however damaged."""
    parsed = message_from_bytes(raw)
    texts: list[str] = []
    files: list[tuple[Parsed, File]] = []
    for part in _parts(parsed):
        kind, name = part.get_content_type(), _name(part)
        is_text = not name and part.get_content_disposition() != "attachment"
        if is_text and kind == "text/plain" and not texts:
            texts.append(_text(part))
        elif part.get_content_maintype() != "multipart":
            files.append((part, File(name=name, kind=kind, size=len(_content(part)))))
    if not texts:  # then what a browser would show
        page = next((one for one, file in files if file.kind == "text/html" and not file.name), None)
        texts = [html.unescape(TAG.sub("", _text(page)))] if page is not None else []
    headers = tuple((key, decoded(str(value))) for key, value in parsed.raw_items())
    return Readable(headers=headers, text="".join(texts), files=tuple(file for _, file in files))


def decoded(value: str) -> str:
    """A header's value: unfolded, its encoded words (RFC 2047) in Unicode, other bytes by their looks."""
    words = _guessed(FOLD.sub("", value).encode("utf-8", "surrogateescape"))
    try:
        return str(make_header(decode_header(words)))
    except (LookupError, ValueError, MessageError):  # a character set that there is not, or half a character
        return words


def _parts(part: Parsed) -> Iterator[Parsed]:
    """The parts with something in them; what is a message of its own stays whole."""
    payload = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(payload, list):
        for inner in payload:
            if isinstance(inner, Parsed):
                yield from _parts(inner)
    else:
        yield part


def _name(part: Parsed) -> str:
    own = Parsed()
    for key, value in part.raw_items():  # of a header in UTF-8 (RFC 6532), Python's parser knows half
        if key.lower() in NAMING and key not in own:
            own[key] = _guessed(str(value).encode("utf-8", "surrogateescape"))
    try:
        name = own.get_filename()
    except (LookupError, ValueError, TypeError):
        return ""
    return decoded(name) if isinstance(name, str) else ""


def _content(part: Parsed) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b"".join(map(bytes, part.get_payload() or []))


def _text(part: Parsed) -> str:
    content, charset = _content(part), part.get_content_charset()
    try:
        return content.decode(charset) if charset else _guessed(content)
    except (LookupError, ValueError):
        return _guessed(content)


def _guessed(content: bytes) -> str:
    for charset in CHARSETS:
        try:
            return content.decode(charset)
        except UnicodeDecodeError:
            continue
    return content.decode("utf-8", "replace")
