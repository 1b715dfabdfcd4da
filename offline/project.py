"""Pulumi.yaml and Pulumi.<stack>.yaml: the project, its stacks and their configuration."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from offline.values import OfflineError, Props, Value

ITERATIONS = 1_000_000
_LOADER: Value = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C when it is there: ten times faster


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project and one of its stacks; `config` is what the SDK gets: `project:key` to text."""

    root: Path
    name: str
    stack: str
    config: dict[str, str] = field(repr=False)
    secret_keys: list[str]
    salt: str

    @property
    def state_dir(self) -> Path:
        """Where both engines keep their state."""
        return self.root / ".pulumi-state"


def load_project(root: Path | str, stack: str | None = None) -> Project:
    """Read project and stack; without a name the only stack, or `dc1es`. Raises OfflineError."""
    folder = Path(root).resolve()
    main = _read_yaml(folder / "Pulumi.yaml")
    name = stack or _default_stack(folder)
    settings = _read_yaml(folder / f"Pulumi.{name}.yaml")
    salt = str(settings.get("encryptionsalt") or "")
    config: dict[str, str] = {}
    secret_keys = set()
    for key, value in (settings.get("config") or {}).items():
        full = _full(main["name"], key)
        secret_keys |= {full} if _is_secure(value) else set()
        config[full] = _text(_opened(value, salt, f"Pulumi.{name}.yaml"))
    for key, schema in (main.get("config") or {}).items():
        full = _full(main["name"], key)
        default = schema.get("default", schema.get("value")) if isinstance(schema, dict) else schema
        if full not in config and default is None and isinstance(schema, dict) and "type" in schema:
            raise OfflineError(f"Pulumi.{name}.yaml: config has no '{full}', which Pulumi.yaml requires; add it")
        if full not in config and default is not None:
            config[full] = _text(default)
        secret_keys |= {full} if isinstance(schema, dict) and schema.get("secret") else set()
    return Project(
        root=folder,
        name=main["name"],
        stack=name,
        config=config,
        secret_keys=sorted(secret_keys & {*config}),
        salt=salt,
    )


def _read_yaml(path: Path) -> Props:
    try:
        data = yaml.load(path.read_text("utf-8"), _LOADER)
    except FileNotFoundError as error:
        raise OfflineError(f"{path}: no such file; run from the project's folder or give --cwd") from error
    except yaml.YAMLError as error:
        raise OfflineError(f"{path}: not valid YAML: {error}") from error
    return data if isinstance(data, dict) else {}


def _default_stack(root: Path) -> str:
    stacks = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml"))
    if len(stacks) == 1 or "dc1es" in stacks:
        return stacks[0] if len(stacks) == 1 else "dc1es"
    raise OfflineError(f"{root}: which stack? Give --stack, one of: {', '.join(stacks) or '(there is none)'}")


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Value) -> str:
    """Configuration as the SDK wants it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_secure(value: Value) -> bool:
    """Whether there is a `secure:` anywhere in the value."""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(_is_secure(item) for item in value.values())
    return isinstance(value, list) and any(_is_secure(item) for item in value)


def _opened(value: Value, salt: str, where: str) -> Value:
    """The value with its `secure:` parts decrypted."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return decrypt(str(value["secure"]), salt, where)
        return {key: _opened(item, salt, where) for key, item in value.items()}
    return [_opened(item, salt, where) for item in value] if isinstance(value, list) else value


def decrypt(ciphertext: str, salt: str, where: str) -> str:
    """Open a `v1:nonce:ciphertext` with the passphrase. Raises OfflineError, which names `where`."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (0.1 s, needed for secrets only)

    if not salt:
        raise OfflineError(f"{where}: has a `secure:` value but no `encryptionsalt`; set the value again")
    try:
        _, nonce, data = ciphertext.split(":")
        return str(_cipher(salt).decrypt(base64.b64decode(nonce), base64.b64decode(data), None), "utf-8")
    except InvalidTag as error:
        raise OfflineError(f"{where}: incorrect passphrase; set PULUMI_CONFIG_PASSPHRASE") from error
    except (ValueError, IndexError) as error:
        raise OfflineError(f"{where}: a `secure:` value or `encryptionsalt` is damaged: {error}") from error


@cache
def _cipher(salt: str) -> Value:
    """The stack's AES-256-GCM, from its `encryptionsalt` (`v1:<salt>:v1:<nonce>:<check>`)."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    passphrase = os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    if path := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        passphrase = Path(path).read_text("utf-8").strip()
    raw = base64.b64decode(salt.split(":")[1])
    return AESGCM(hashlib.pbkdf2_hmac("sha256", passphrase.encode(), raw, ITERATIONS, 32))
