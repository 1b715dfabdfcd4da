"""Pulumi.yaml and Pulumi.<stack>.yaml: the project, its stacks and their configuration."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from maillab.offline.stack_file import full_name, read_stack_file, stack_path
from maillab.offline.values import OfflineError, Value
from maillab.offline.yaml_file import mapping, read_yaml

ITERATIONS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project and one of its stacks; `config` is what the SDK gets: `project:key` to text.

    `secret_texts`: what is in the `secure:` parts of `config`. `looks_first`: its `options` say that
    `up` and `preview` refresh, without being told to.
    """

    root: Path
    name: str
    stack: str
    config: dict[str, str] = field(repr=False)
    secret_keys: list[str]
    salt: str
    looks_first: bool = False
    secret_texts: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def state_dir(self) -> Path:
        """Where both engines keep their state."""
        return self.root / ".pulumi-state"  # as components/config/folder.py has it


def load_project(root: Path | str, stack: str | None = None) -> Project:
    """Read project and stack; without a name the only stack, or `dc1es`. Raises OfflineError."""
    folder = Path(root).resolve()
    main_file = folder / "Pulumi.yaml"
    main = read_yaml(main_file)
    if not isinstance(main.get("name"), str):
        raise OfflineError(f"{main_file}: it has no `name`, and must name the project")
    name = stack or _default_stack(folder)
    file = read_stack_file(stack_path(folder, name), main["name"])
    config: dict[str, str] = {}
    secret_keys: set[str] = set()
    secret_texts: set[str] = set()
    for full, value in file.config.items():
        secret_keys |= {full} if _is_secure(value) else set()
        config[full] = _text(_opened(value, file.salt, f"Pulumi.{name}.yaml", secret_texts))
    for key, schema in mapping(main_file, main, "config").items():
        full = full_name(main["name"], key)
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
        salt=file.salt,
        looks_first=_looks_first(main_file, mapping(main_file, main, "options")),
        secret_texts=frozenset(secret_texts),
    )


def _looks_first(path: Path, options: Mapping[str, Value]) -> bool:
    """`options: {refresh: always}`, the only one that Pulumi.yaml knows there. Raises OfflineError."""
    wanted = options.get("refresh")
    if wanted not in (None, "always"):
        raise OfflineError(f"{path}: options.refresh is {wanted!r}; it can be `always`, or be left out")
    return wanted == "always"


def _default_stack(root: Path) -> str:
    stacks = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in root.glob("Pulumi.*.yaml"))
    if len(stacks) == 1 or "dc1es" in stacks:
        return stacks[0] if len(stacks) == 1 else "dc1es"
    raise OfflineError(f"{root}: which stack? Give --stack, one of: {', '.join(stacks) or '(there is none)'}")


def _text(value: Value) -> str:
    """Configuration as the SDK wants it: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_secure(value: Value) -> bool:
    """Whether there is a `secure:` anywhere in the value."""
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(_is_secure(item) for item in value.values())
    return isinstance(value, list) and any(_is_secure(item) for item in value)


def _opened(value: Value, salt: str, where: str, texts: set[str]) -> Value:
    """The value with its `secure:` parts decrypted, which `texts` gets."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            texts.add(text := decrypt(str(value["secure"]), salt, where))
            return text
        return {key: _opened(item, salt, where, texts) for key, item in value.items()}
    return [_opened(item, salt, where, texts) for item in value] if isinstance(value, list) else value


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


def encrypt(text: str, salt: str) -> str:
    """The text as Pulumi encrypts it with the passphrase: what `decrypt` opens."""
    nonce = os.urandom(12)
    sealed = _cipher(salt).encrypt(nonce, text.encode("utf-8"), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"


@cache
def _cipher(salt: str) -> Value:
    """The stack's AES-256-GCM, from its `encryptionsalt` (`v1:<salt>:v1:<nonce>:<check>`)."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    passphrase = os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    if path := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            passphrase = Path(path).read_text("utf-8").strip()
        except OSError as error:
            what = f"PULUMI_CONFIG_PASSPHRASE_FILE: {path}: {error.strerror}; correct or unset it"
            raise OfflineError(what) from error
    raw = base64.b64decode(salt.split(":")[1])
    return AESGCM(hashlib.pbkdf2_hmac("sha256", passphrase.encode(), raw, ITERATIONS, 32))
