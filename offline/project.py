"""Pulumi.yaml and Pulumi.<stack>.yaml: the project, its stacks and their configuration."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from offline.values import OfflineError

ITERATIONS = 1_000_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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


def load_project(root: Path, stack: str | None = None) -> Project:
    """Read project and stack; without a name the only stack, or `dc1es`. Raises OfflineError."""
    main = _read_yaml(root / "Pulumi.yaml")
    name = stack or _default_stack(root)
    stack_file = root / f"Pulumi.{name}.yaml"
    settings = _read_yaml(stack_file)
    salt = str(settings.get("encryptionsalt") or "")
    given = {_full(main["name"], key): value for key, value in (settings.get("config") or {}).items()}
    secret_keys: list[str] = []
    config: dict[str, str] = {}
    for key, value in given.items():
        opened, was_secret = _open_secrets(value, salt, stack_file)
        config[key] = _text(opened)
        secret_keys += [key] if was_secret else []
    for key, schema in (main.get("config") or {}).items():
        full = _full(main["name"], key)
        if full not in config and (default := _default(schema)) is not None:
            config[full] = _text(default)
        if full not in config and _is_required(schema):
            raise OfflineError(
                f"{stack_file.name}: stack '{name}' is missing configuration value '{full}' "
                f"(Pulumi.yaml: config.{key}); add it under `config:`"
            )
        secret_keys += [full] if isinstance(schema, dict) and schema.get("secret") and full in config else []
    return Project(
        root=root, name=main["name"], stack=name, config=config, secret_keys=sorted(set(secret_keys)), salt=salt
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text("utf-8"), _LOADER)
    except FileNotFoundError as error:
        raise OfflineError(f"{path}: no such file; run from the project's folder or give --cwd") from error
    except yaml.YAMLError as error:
        raise OfflineError(f"{path}: not valid YAML: {error}") from error
    return data if isinstance(data, dict) else {}


def _default_stack(root: Path) -> str:
    stacks = sorted(path.name[len("Pulumi.") : -len(".yaml")] for path in root.glob("Pulumi.*.yaml"))
    if len(stacks) == 1 or "dc1es" in stacks:
        return stacks[0] if len(stacks) == 1 else "dc1es"
    raise OfflineError(f"{root}: which stack? Give --stack, one of: {', '.join(stacks) or '(there is none)'}")


def _full(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _is_required(schema: Any) -> bool:
    return isinstance(schema, dict) and "type" in schema and "default" not in schema


def _default(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    return schema.get("default", schema.get("value"))


def _text(value: Any) -> str:
    """Configuration as the SDK wants it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _open_secrets(value: Any, salt: str, where: Path) -> tuple[Any, bool]:
    """The value with `secure:` parts decrypted, and whether there was one."""
    if isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str):
        return decrypt(value["secure"], salt, where.name), True
    if isinstance(value, dict):
        parts = {key: _open_secrets(item, salt, where) for key, item in value.items()}
        return {key: part for key, (part, _) in parts.items()}, any(was for _, was in parts.values())
    if isinstance(value, list):
        items = [_open_secrets(item, salt, where) for item in value]
        return [part for part, _ in items], any(was for _, was in items)
    return value, False


def decrypt(ciphertext: str, salt: str, where: str) -> str:
    """Open a `v1:nonce:ciphertext` with the passphrase. Raises OfflineError, which names `where`."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (0.1 s, needed for secrets only)

    if not salt:
        raise OfflineError(f"{where}: has a `secure:` value but no `encryptionsalt`; set the value again")
    try:
        _, nonce, data = ciphertext.split(":")
        return _cipher(salt).decrypt(base64.b64decode(nonce), base64.b64decode(data), None).decode()
    except InvalidTag as error:
        raise OfflineError(f"{where}: incorrect passphrase for its secrets; set PULUMI_CONFIG_PASSPHRASE") from error
    except ValueError as error:
        raise OfflineError(f"{where}: a `secure:` value or `encryptionsalt` is damaged: {error}") from error


@cache
def _cipher(salt: str) -> Any:
    """The stack's AES-256-GCM, from its `encryptionsalt` (`v1:<salt>:v1:<nonce>:<check>`)."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    passphrase = os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    if path := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE", ""):
        passphrase = Path(path).read_text("utf-8").strip()
    raw = base64.b64decode(salt.split(":")[1])
    return AESGCM(hashlib.pbkdf2_hmac("sha256", passphrase.encode(), raw, ITERATIONS, 32))
