"""Reads plain data (YAML, JSON) into frozen dataclasses, and reports everything that does not fit at once."""

import dataclasses
import difflib
import enum
import ipaddress
import itertools
import typing
from collections.abc import Mapping, Sequence

from components.problem import Problem
from components.stand_in import Gap, inner_type, is_required, stand_in, types_of

ADDRESSES: dict[object, str] = {
    ipaddress.IPv4Address: "an IPv4 address",
    ipaddress.IPv6Address: "an IPv6 address",
    ipaddress.IPv4Network: "an IPv4 network such as 163.26.182.0/24 (host bits zero)",
    ipaddress.IPv6Network: "an IPv6 network such as 2001:db8:182::/64 (host bits zero)",
}
TO_WRITE = {
    "true or false": "write true or false",
    "a whole number": "write a whole number",
    "a text": "write a text, in quotes",
    "a list": "write a list ('- …' lines)",
    "a mapping": "write 'name: value' lines",
}
# In place of a value that was found unreadable before, and reported.
REPORTED = object()
# How near a key must be to be read as another: `machnes` and `mial` are (0.93, 0.75), `ip` and `ipv4` are not (0.67).
SURELY_MEANT = 0.75

T = typing.TypeVar("T")


class Reader:
    """One reading: `problems` has what did not fit, `gaps` where that was and what stands there instead."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.gaps: list[Gap] = []
        self._numbers = itertools.count(1)

    def read(self, wanted: type[T], data: object, where: str) -> T:
        """The `wanted` dataclass made of `data`. It never raises for bad data: what did not fit is a stand-in."""
        return typing.cast("T", self._value(wanted, data, where))

    def _misfit(self, id_: str, wanted: object, where: str, what: str, remedy: str) -> object:
        """The stand-in for a value that is reported with this."""
        self.problems.append(Problem(id=id_, where=where, what=what, remedy=remedy))
        return self._stand_in(wanted, where)

    def _wrong_type(self, wanted: object, data: object, where: str, kind: str) -> object:
        return self._misfit("wrong-type", wanted, where, f"{data!r} is not {kind}", TO_WRITE[kind])

    def _stand_in(self, wanted: object, where: str) -> object:
        value, words = stand_in(wanted, self._numbers)
        self.gaps.append(Gap(where=where, words=words))
        return value

    def _value(self, wanted: object, data: object, where: str) -> object:
        if data is REPORTED:
            return self._stand_in(wanted, where)
        inner = inner_type(wanted)
        if data is None and inner is not wanted:
            return None
        origin = typing.get_origin(inner)
        if origin is tuple:
            return self._sequence(inner, data, where)
        if origin is not None:
            return self._mapping(inner, data, where)
        if dataclasses.is_dataclass(inner) and isinstance(inner, type):
            return self._dataclass(inner, data, where)
        return self._scalar(inner, data, where)

    def _scalar(self, wanted: object, data: object, where: str) -> object:
        if wanted is bool:
            return data if isinstance(data, bool) else self._wrong_type(wanted, data, where, "true or false")
        if wanted is int:
            return self._number(data, where)
        if isinstance(data, str) and data:
            return self._text(wanted, data, where)
        return self._wrong_type(wanted, data, where, "a text")

    def _text(self, wanted: object, data: str, where: str) -> object:
        if isinstance(wanted, type) and issubclass(wanted, enum.StrEnum):
            return self._choice(wanted, data, where)
        if wanted in ADDRESSES:
            try:
                return typing.cast("type", wanted)(data)
            except ValueError as error:
                return self._misfit("no-address", wanted, where, str(error), f"write {ADDRESSES[wanted]}")
        return data

    def _number(self, data: object, where: str) -> object:
        # true is an int to Python; Pulumi's own form has whole numbers as 1.0 now and then.
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        whole = isinstance(data, float) and data.is_integer()
        return int(typing.cast("float", data)) if whole else self._wrong_type(int, data, where, "a whole number")

    def _choice(self, wanted: type[enum.StrEnum], data: str, where: str) -> object:
        choices = [str(item) for item in wanted]
        if data in choices:
            return wanted(data)
        remedy = f"{did_you_mean(data, choices)}one of: {', '.join(choices)}"
        return self._misfit("unknown-value", wanted, where, f"{data!r} is not known", remedy)

    def _sequence(self, wanted: object, data: object, where: str) -> object:
        if isinstance(data, str) or not isinstance(data, Sequence):
            return self._wrong_type(wanted, data, where, "a list")
        kind = typing.get_args(wanted)[0]
        values = []
        for index, item in enumerate(data):
            place = f"{where}[{index}]"
            value = self._value(kind, item, place)
            # An unreadable role is left out, because no role is neutral. Everything else stays,
            # because problems say which item they mean by its number.
            if not (isinstance(value, enum.Enum) and self.gaps and self.gaps[-1].where == place):
                values.append(value)
        return tuple(values)

    def _mapping(self, wanted: object, data: object, where: str) -> object:
        if not isinstance(data, Mapping):
            return self._wrong_type(wanted, data, where, "a mapping")
        kind = typing.get_args(wanted)[1]
        return {str(key): self._value(kind, item, _below(where, key)) for key, item in data.items()}

    def _dataclass(self, wanted: type, data: object, where: str) -> object:
        if not isinstance(data, Mapping):
            return self._wrong_type(wanted, data, where, "a mapping")
        hints = types_of(wanted)
        fields = {field.name: field for field in dataclasses.fields(wanted)}
        given = self._known_keys(data, list(fields), where)
        values = {}
        for name, field in fields.items():
            place = _below(where, name)
            if name in given:
                values[name] = self._value(hints[name], given[name], place)
            elif is_required(field):
                values[name] = self._misfit("missing-key", hints[name], place, "this key is missing", "add it")
        return wanted(**values)

    def _known_keys(self, data: Mapping[object, object], fields: list[str], where: str) -> dict[str, object]:
        """What `data` says of each field. A key with a typing error is reported, and read as the field it means."""
        given = {name: data[name] for name in fields if name in data}
        absent = [name for name in fields if name not in data]
        for key in data:
            if key in given:
                continue
            remedy = f"{did_you_mean(str(key), fields)}known here: {', '.join(sorted(fields))}"
            self.problems.append(
                Problem(id="unknown-key", where=_below(where, key), what="this key is not known", remedy=remedy)
            )
            meant = difflib.get_close_matches(str(key), absent, n=2, cutoff=SURELY_MEANT)
            if len(meant) == 1:
                given.setdefault(meant[0], data[key])
        return given


def _below(where: str, key: object) -> str:
    """The place of `key` below `where`; `maillab:` is the namespace of the top-level keys."""
    return f"{where}{key}" if where.endswith(":") else f"{where}.{key}"


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """`did you mean X? ` when one of `choices` is near `word`, else the empty string."""
    near = difflib.get_close_matches(word, choices, n=1)
    return f"did you mean {near[0]}? " if near else ""
