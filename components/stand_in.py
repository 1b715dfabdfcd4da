"""What stands where a value could not be read, so that everything around it can still be checked."""

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A place whose value could not be read (the fault is reported), and the words of what stands there instead."""

    where: str
    words: tuple[str, ...] = ()


# Of these, number n is not number m, none is inside another, and nobody has them: a stand-in is never something
# "twice". .invalid: RFC 2606. 240.0.0.0/4: RFC 1112, section 4. 100::/8: RFC 4291, section 2.4.
# The IPv4 network is the smallest that a segment may be: where it finds no room, no other does.
NEUTRAL: Mapping[object, Callable[[int], object]] = {
    str: "unreadable-{}.invalid".format,
    IPv4Address: lambda number: IPv4Address("250.0.0.0") + number,
    IPv6Address: lambda number: IPv6Address("100::") + number,
    IPv4Network: lambda number: IPv4Network((int(IPv4Address("240.0.0.0")) + (number << 4), 28)),
    IPv6Network: lambda number: IPv6Network((int(IPv6Address("100::")) + (number << 64), 64)),
}


def inner_type(wanted: object) -> object:
    """X of `X | None`; every other type is its own."""
    if typing.get_origin(wanted) in (types.UnionType, typing.Union):
        return next(arg for arg in typing.get_args(wanted) if arg is not types.NoneType)
    return wanted


def is_required(field: dataclasses.Field[object]) -> bool:
    """Whether a dataclass can't be made without this field."""
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


@functools.cache
def types_of(section: type) -> Mapping[str, object]:
    """The type of each field of a dataclass, evaluated once."""
    return types.MappingProxyType(typing.get_type_hints(section))


def stand_in(wanted: object, numbers: Iterator[int]) -> tuple[object, tuple[str, ...]]:
    """A value of the type `wanted`, and the words by which a problem's text would name it.

    Lists and mappings are empty, numbers 1, choices the first one; a section has its defaults, and
    stand-ins for the rest. `numbers` keeps the stand-ins of one configuration apart.
    """
    wanted = inner_type(wanted)
    origin = typing.get_origin(wanted)
    if origin is not None:
        return (() if origin is tuple else {}), ()
    if wanted in NEUTRAL:
        value = NEUTRAL[wanted](next(numbers))
        return value, (str(value),)
    if wanted is bool or wanted is int:
        return wanted(1), ()
    if dataclasses.is_dataclass(wanted) and isinstance(wanted, type):
        return _section(wanted, numbers)
    return next(iter(typing.cast("type[enum.Enum]", wanted))), ()


def _section(wanted: type, numbers: Iterator[int]) -> tuple[object, tuple[str, ...]]:
    hints = types_of(wanted)
    values: dict[str, object] = {}
    words: list[str] = []
    for field in filter(is_required, dataclasses.fields(wanted)):
        values[field.name], own = stand_in(hints[field.name], numbers)
        words += own
    return wanted(**values), tuple(words)
