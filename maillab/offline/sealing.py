"""Secrets of a state, encrypted as Pulumi encrypts them: where the stack's file has `secure:` values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maillab.offline.project import decrypt, encrypt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from maillab.offline.values import Value

WHERE = "the state"


def unsealing(deployment: Mapping[str, Value]) -> Callable[[str], str]:
    """What opens the secrets of this deployment: the salt is in it, whatever the stack's file has by now."""
    return lambda text: decrypt(text, _salt(deployment), WHERE)


def sealing(salt: str) -> Callable[[str], str]:
    """What encrypts a secret."""
    return lambda text: encrypt(text, salt)


def sealing_as(deployment: Mapping[str, Value], text: str) -> Callable[[str], str] | None:
    """What encrypts secrets as in this deployment, whose JSON is `text`; None when they are not encrypted there."""
    return sealing(_salt(deployment)) if '"ciphertext"' in text else None


def _salt(deployment: Mapping[str, Value]) -> str:
    found = ((deployment.get("secrets_providers") or {}).get("state") or {}).get("salt")
    return str(found or "")
