"""Reads plain data (YAML, JSON) into a section's class, and reports every value of the wrong form at once."""

import dataclasses
import difflib
import enum
import functools
import ipaddress
import json
import types
import typing
from collections.abc import Mapping, Sequence

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from components.config.catalogue import Phrase, PhraseError, phrase
from components.config.problem import Problem, problem, quoted, shown
from components.config.section import NOT_A_KEY

T = typing.TypeVar("T")
Location = tuple[int | str, ...]
# The sentences of values that can't be read: `no-address.…` and `wrong-type.…` of the catalogue.
ADDRESSES: dict[object, str] = {
    ipaddress.IPv4Address: "ipv4-address",
    ipaddress.IPv6Address: "ipv6-address",
    ipaddress.IPv4Network: "ipv4-network",
    ipaddress.IPv6Network: "ipv6-network",
}
# pydantic's error types that say which kind of value is wanted.
KINDS = {
    "string_type": "text",
    "string_too_short": "text",
    "int_type": "number",
    "bool_type": "boolean",
    "tuple_type": "list",
    "dict_type": "mapping",
    "dataclass_type": "mapping",
}
# How near a key must be to be meant: `machnes` and `mial` are (0.93, 0.75), `ip` and `ipv4` are not (0.67).
SURELY_MEANT = 0.75


def read(wanted: type[T], data: Mapping[str, object], where: str) -> tuple[T | None, list[Problem]]:
    """The `wanted` section made of `data`, or None and every value that does not fit. `where`: the section's place."""
    try:
        # As JSON, because strict reading of JSON takes texts for addresses and lists for tuples, and nothing else.
        return _adapter(typing.cast("type", wanted)).validate_json(json.dumps(_whole_numbers(data))), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
    meant = _meant_keys(errors)
    # What is neither a value nor the keyword beside it is one fault: the value's.
    first = {_location(wanted, error["loc"]): error for error in reversed(errors)}
    # A section in a word's place has faults of its own, or none: that it is no word is not one.
    around = {at[:length] for at in first for length in range(len(at))}
    reported = [
        error
        for at, error in reversed(first.items())
        if not (error["type"] == "missing" and at in meant) and not (_keywords_at(wanted, at) and at in around)
    ]
    return None, [_problem(wanted, error, where) for error in reported]


@functools.cache
def _adapter(wanted: type) -> TypeAdapter[typing.Any]:
    return TypeAdapter(wanted)


def _whole_numbers(data: object) -> object:
    """`data` with 1 for 1.0: Pulumi's own form has whole numbers as floats now and then."""
    if isinstance(data, float) and data.is_integer():
        return int(data)
    if isinstance(data, Mapping):
        return {str(key): _whole_numbers(value) for key, value in data.items()}
    if isinstance(data, Sequence) and not isinstance(data, str):
        return [_whole_numbers(item) for item in data]
    return data


def _problem(wanted: type, error: ErrorDetails, where: str) -> Problem:
    kind, location, value = error["type"], _location(wanted, error["loc"]), error["input"]
    place = place_of(where, location)
    if kind == "missing":
        return problem("missing-key", place)
    if kind == "unexpected_keyword_argument":
        known = _keys_of(typing.cast("type", _type_at(wanted, location[:-1])))
        near = did_you_mean(str(location[-1]), known)
        return problem("unknown-key.here", place, near=near, known=", ".join(sorted(known)))
    here = _type_at(wanted, location)
    words = _keywords_at(wanted, location)
    other = phrase("or-words", words=" | ".join(words)) if words else ""
    near = did_you_mean(str(value).lower(), words)
    if kind == "enum":
        choices = [str(choice) for choice in typing.cast("type[enum.Enum]", here)]
        near = did_you_mean(str(value), choices)
        return problem("unknown-value", place, value=quoted(value), near=near, choices=", ".join(choices))
    if here in ADDRESSES and kind == "value_error":
        reason = _reason(error["ctx"]["error"], value)
        return problem(f"no-address.{ADDRESSES[here]}", place, reason=reason, near=near, other=other)
    wish = KINDS.get(kind, "number")  # int_from_float and int_parsing_size are left
    return problem(f"wrong-type.{wish}", place, value=quoted(value), near=near, other=other)


def _reason(error: Exception, value: object) -> Phrase:
    """Why `value` is no address: in our words, or in those of the library, which quotes all of it."""
    if isinstance(error, PhraseError):
        return error.reason
    return phrase("no-address-because", text=str(error).replace(repr(value), quoted(value)))


def _keys_of(wanted: type) -> list[str]:
    return [field.name for field in dataclasses.fields(wanted) if field.init and field.metadata != NOT_A_KEY]


def _meant_keys(errors: Sequence[ErrorDetails]) -> set[Location]:
    """Keys that are missing only because they stand there with a typing error, which is reported already."""
    meant = set()
    for error in errors:
        if error["type"] == "unexpected_keyword_argument":
            *section, key = error["loc"]
            missing = [str(e["loc"][-1]) for e in errors if e["type"] == "missing" and e["loc"][:-1] == tuple(section)]
            near = difflib.get_close_matches(str(key), missing, n=1, cutoff=SURELY_MEANT)
            meant |= {(*section, name) for name in near}
    return meant


def _location(wanted: object, location: Location) -> Location:
    """`location` without what pydantic adds to it for each choice of a value or a keyword."""
    for at in range(1, len(location)):
        if _keywords_at(wanted, location[:at]):
            return location[:at] + location[at + 1 :]
    return location


def _keywords_at(wanted: object, location: Location) -> list[str]:
    """The words that may stand at `location` instead of a value, as in `IPv4Network | NoCarrier | None`."""
    choices = typing.get_args(whole) if _is_union(whole := _whole_type_at(wanted, location)) else ()
    keywords = [kind for kind in choices if isinstance(kind, type) and issubclass(kind, enum.StrEnum)]
    return [str(word) for kind in keywords for word in kind]


def _type_at(wanted: object, location: Location) -> object:
    """The type of what stands at `location` below a section of the type `wanted`, None left out."""
    return _inner_type(_whole_type_at(wanted, location))


def _whole_type_at(wanted: object, location: Location) -> object:
    for key in location:
        inner = _inner_type(wanted)
        origin = typing.get_origin(inner)
        if origin is tuple:
            wanted = typing.get_args(inner)[0]
        elif origin is not None:
            wanted = typing.get_args(inner)[1]
        else:
            wanted = _types_of(typing.cast("type", inner)).get(str(key))  # None below a key that is not known
    return wanted


@functools.cache
def _types_of(section: type) -> Mapping[str, object]:
    return types.MappingProxyType(typing.get_type_hints(section))


def _is_union(wanted: object) -> bool:
    return typing.get_origin(wanted) in (types.UnionType, typing.Union)


def _inner_type(wanted: object) -> object:
    """X of `X | None` and of `X | Keyword | None`; every other type is its own."""
    if _is_union(wanted):
        return next(arg for arg in typing.get_args(wanted) if arg is not types.NoneType)
    return wanted


def place_of(where: str, location: Location) -> str:
    """`location` below the place `where`: maillab:schools[0].name. Behind the namespace `maillab:` stands no dot."""
    for key in location:
        where += f"[{key}]" if isinstance(key, int) else shown(key) if where.endswith(":") else f".{shown(key)}"
    return where


def did_you_mean(word: str, choices: Sequence[str]) -> Phrase | str:
    """`did you mean X? ` when one of `choices` is near `word`, else the empty string."""
    near = difflib.get_close_matches(word, choices, n=1)
    return phrase("did-you-mean", name=near[0]) if near else ""
