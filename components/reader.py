"""Reads plain data (YAML, JSON) into frozen dataclasses, and reports everything that does not fit at once."""

import dataclasses
import difflib
import enum
import ipaddress
import types
import typing
from collections.abc import Mapping, Sequence

from components.problem import Problem

ADDRESSES: dict[object, str] = {
    ipaddress.IPv4Address: "an IPv4 address",
    ipaddress.IPv6Address: "an IPv6 address",
    ipaddress.IPv4Network: "an IPv4 network such as 163.26.182.0/24 (host bits zero)",
    ipaddress.IPv6Network: "an IPv6 network such as 2001:db8:182::/64 (host bits zero)",
}


T = typing.TypeVar("T")


class _MisfitError(Exception):
    """This value does not fit; the problem is on the list already."""


class Reader:
    """One reading: `problems` grows, `read` never raises for bad data but returns None."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, wanted: type[T], data: object, where: str) -> T | None:
        """The `wanted` dataclass made of `data`, or None with the reasons in `problems`."""
        try:
            return typing.cast("T", self._value(wanted, data, where))
        except _MisfitError:
            return None

    def _misfit(self, id_: str, where: str, what: str, remedy: str) -> _MisfitError:
        self.problems.append(Problem(id=id_, where=where, what=what, remedy=remedy))
        return _MisfitError()

    def _value(self, wanted: object, data: object, where: str) -> object:
        origin = typing.get_origin(wanted)
        if origin in (types.UnionType, typing.Union):
            inner = [arg for arg in typing.get_args(wanted) if arg is not types.NoneType]
            return None if data is None else self._value(inner[0], data, where)
        if origin is tuple:
            return self._sequence(typing.get_args(wanted)[0], data, where)
        if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
            return self._dataclass(wanted, data, where)
        if origin is dict or origin is Mapping:
            return self._mapping(typing.get_args(wanted)[1], data, where)
        return self._scalar(wanted, data, where)

    def _scalar(self, wanted: object, data: object, where: str) -> object:
        if wanted is bool or wanted is int:
            if isinstance(data, bool) == (wanted is bool) and isinstance(data, int | float) and int(data) == data:
                return wanted(data)
            kind = "true or false" if wanted is bool else "a whole number"
            raise self._misfit("wrong-type", where, f"{data!r} is not {kind}", f"write {kind}")
        if not isinstance(data, str) or not data:
            raise self._misfit("wrong-type", where, f"{data!r} is not a text", "write a text, in quotes")
        if isinstance(wanted, type) and issubclass(wanted, enum.StrEnum):
            return self._choice(wanted, data, where)
        if wanted in ADDRESSES:
            try:
                return typing.cast("type", wanted)(data)
            except ValueError as error:
                raise self._misfit("no-address", where, str(error), f"write {ADDRESSES[wanted]}") from error
        return data

    def _choice(self, wanted: type[enum.StrEnum], data: str, where: str) -> enum.StrEnum:
        choices = [str(item) for item in wanted]
        if data not in choices:
            remedy = f"{did_you_mean(data, choices)}one of: {', '.join(choices)}"
            raise self._misfit("unknown-value", where, f"{data!r} is not known", remedy)
        return wanted(data)

    def _sequence(self, wanted: object, data: object, where: str) -> tuple[object, ...]:
        if isinstance(data, str) or not isinstance(data, Sequence):
            raise self._misfit("wrong-type", where, f"{data!r} is not a list", "write a list ('- …' lines)")
        return tuple(self._each((f"{where}[{i}]", wanted, item) for i, item in enumerate(data)))

    def _mapping(self, wanted: object, data: object, where: str) -> dict[str, object]:
        if not isinstance(data, Mapping):
            raise self._misfit("wrong-type", where, f"{data!r} is not a mapping", "write 'name: value' lines")
        values = self._each((_below(where, key), wanted, item) for key, item in data.items())
        return dict(zip(map(str, data), values, strict=True))

    def _each(self, items: typing.Iterable[tuple[str, object, object]]) -> list[object]:
        """All values, so that each bad one is reported; then the misfit."""
        values, bad = [], False
        for where, wanted, item in items:
            try:
                values.append(self._value(wanted, item, where))
            except _MisfitError:
                bad = True
        if bad:
            raise _MisfitError
        return values

    def _dataclass(self, wanted: type, data: object, where: str) -> object:
        if not isinstance(data, Mapping):
            raise self._misfit("wrong-type", where, f"{data!r} is not a mapping", "write 'name: value' lines")
        hints = typing.get_type_hints(wanted)
        fields = {field.name: field for field in dataclasses.fields(wanted)}
        before = len(self.problems)
        for key in data:
            if key not in fields:
                remedy = f"{did_you_mean(str(key), list(fields))}known here: {', '.join(sorted(fields))}"
                self._misfit("unknown-key", _below(where, key), "this key is not known", remedy)
        for name, field in fields.items():
            required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            if required and name not in data:
                self._misfit("missing-key", _below(where, name), "this key is missing", "add it")
        present = [name for name in fields if name in data]
        try:
            values = self._each((_below(where, name), hints[name], data[name]) for name in present)
        except _MisfitError:
            values = []
        if len(self.problems) > before:
            raise _MisfitError
        return wanted(**dict(zip(present, values, strict=True)))


def _below(where: str, key: object) -> str:
    """The place of `key` below `where`; `maillab:` is the namespace of the top-level keys."""
    return f"{where}{key}" if where.endswith(":") else f"{where}.{key}"


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """`did you mean X? ` when one of `choices` is near `word`, else the empty string."""
    near = difflib.get_close_matches(word, choices, n=1)
    return f"did you mean {near[0]}? " if near else ""
