"""A section of a stack file as a class: frozen, only known keys, every value of exactly its type."""

from dataclasses import field
from ipaddress import IPv6Address
from typing import Annotated, TypeVar, dataclass_transform

from pydantic import AfterValidator, ConfigDict, StringConstraints
from pydantic.dataclasses import dataclass

from components.config.catalogue import PhraseError, phrase
from components.config.problem import quoted

T = TypeVar("T")
# The metadata of a field that no stack file sets. One that is made of others is `field(init=False)`.
NOT_A_KEY = {"maillab": "not a key"}
MayBeEmpty = Annotated[str, StringConstraints(min_length=0)]
# Strict, because pydantic's lax mode turns `ipv4: true` into 0.0.0.1. A text that says nothing is left out instead.
CONFIG = ConfigDict(strict=True, extra="forbid", str_min_length=1)


def _without_interface(address: IPv6Address) -> IPv6Address:
    # RFC 4007, section 11: the library takes any text behind the %, a line end too.
    if address.scope_id is not None:
        raise PhraseError(phrase("names-an-interface", address=quoted(str(address))))
    return address


HostAddress6 = Annotated[IPv6Address, AfterValidator(_without_interface)]


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def section(cls: type[T]) -> type[T]:
    """Makes a frozen pydantic dataclass, with keyword arguments only, of a class with annotations."""
    made: type[T] = dataclass(cls, frozen=True, slots=True, kw_only=True, config=CONFIG)  # type: ignore[assignment]
    return made
