"""Secrets are never shown, and stay secrets in the state; configuration with `secure:` values is read."""

from __future__ import annotations

import base64
import hashlib
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from maillab.offline.project import ITERATIONS, load_project
from maillab.offline.values import OfflineError, matches, parse_path
from tests.engine.stacks import OfflineStack, Stack

SALT = b"12345678"


def secured(text: str, passphrase: str = "") -> str:
    """What `pulumi config set --secret` writes."""
    key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), SALT, ITERATIONS, 32)
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"


def salted(stack: OfflineStack, config: str) -> None:
    """A stack configuration with the salt that `secured` uses."""
    text = f"encryptionsalt: v1:{base64.b64encode(SALT).decode()}:{secured('pulumi')}\nconfig:\n"
    names = f"  kit:prefix: {stack.prefix}\n  kit:subnet: {stack.subnet}\n"
    (stack.root / "Pulumi.test.yaml").write_text(f"{text}{names}{config}", "utf-8")


TOLD = """
    word = pulumi.Output.secret("%s")
    lab.command("config", "%s", environment={"WORD": word, "OTHER": "%s"})
    pulumi.export("word", word)
"""


def test_a_secret_is_never_shown(stack: Stack) -> None:
    stack.program(TOLD % ("swordfish", "true", "one"))
    texts = [stack.preview("--diff").text, stack.up("--diff").text]
    stack.program(TOLD % ("sturgeon", "true", "two"))
    texts.append(stack.preview("--diff").text)
    assert '"one" => "two"' in texts[-1]
    assert not [text for text in texts if "swordfish" in text or "sturgeon" in text]


def test_a_secret_is_hidden_in_what_a_command_says(offline: OfflineStack) -> None:
    offline.program(TOLD % ("swordfish", "echo told $WORD; echo moaned $WORD >&2; false", "one"))
    failed = offline.up("--diff")
    assert not failed.ok
    assert "moaned [secret]" in failed.text
    assert "told [secret]" in failed.errors
    assert "swordfish" not in failed.text + failed.errors


def test_a_secret_stays_one_in_the_state(stack: Stack) -> None:
    stack.program(
        """lab.command("config", "true", environment={"WORD": pulumi.Output.secret("swordfish"), "X": "y"})"""
    )
    assert stack.up().ok
    environment = stack.resource("config")["inputs"]["environment"]
    assert environment["X"] == "y"
    assert environment["WORD"]["plaintext"] == '"swordfish"'
    assert stack.preview().ops == {}


def test_a_multi_line_secret_shows_no_line_of_it(offline: OfflineStack) -> None:
    program = """lab.command("config", "true", environment={"/etc/key": pulumi.Output.secret("first line\\n%s\\n")})"""
    offline.program(program % "alpha")
    assert offline.up().ok
    offline.program(program % "omega")
    text = offline.preview("--diff").text
    assert '~ environment["/etc/key"]: [secret] => [secret]' in text
    assert "first line" not in text


def test_a_line_of_a_secret_file_is_hidden_in_what_a_command_says(offline: OfflineStack) -> None:
    program = """
        files = {"KEY": pulumi.Output.secret("# accounts\\nyh:swordfish\\n")}
        lab.command("config", "echo bad line: yh:swordfish >&2; false", environment=files)
    """
    offline.program(program)
    done = offline.up()
    assert not done.ok
    assert "bad line: [secret]" in done.text
    assert "bad line: [secret]" in done.errors


def test_secure_configuration_is_opened_and_hidden(offline: OfflineStack) -> None:
    salted(offline, f"  kit:word:\n    secure: {secured('swordfish')}\n")
    offline.program('lab.command("config", "echo $WORD", environment={"WORD": lab.config.require_secret("word")})')
    done = offline.up("--diff")
    assert done.ok, done.text
    assert "swordfish" not in done.text
    assert offline.resource("config")["outputs"]["stdout"] == "swordfish"


def test_a_nested_secure_value_arrives_as_plain_text(offline: OfflineStack) -> None:
    salted(offline, f"  kit:word:\n    users:\n      - password:\n          secure: {secured('swordfish')}\n")
    project = load_project(offline.root, "test")
    assert project.config["kit:word"] == '{"users":[{"password":"swordfish"}]}'
    assert project.secret_keys == ["kit:word"]


def test_the_passphrase_is_taken_from_the_environment(offline: OfflineStack, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"encryptionsalt: v1:{base64.b64encode(SALT).decode()}:x:y:z\nconfig:\n  kit:prefix: p\n  kit:subnet: s\n"
    file = offline.root / "Pulumi.other.yaml"
    file.write_text(f"{text}  kit:word: {{secure: '{secured('swordfish', 'open sesame')}'}}\n", "utf-8")
    with pytest.raises(OfflineError, match="incorrect passphrase; set PULUMI_CONFIG_PASSPHRASE"):
        load_project(offline.root, "other")
    # Another salt text with the same salt: the key of the wrong passphrase is remembered for the first one.
    file.write_text(file.read_text("utf-8").replace(":x:y:z", ":x:y:w"), "utf-8")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    assert load_project(offline.root, "other").config["kit:word"] == "swordfish"


def test_defaults_and_texts_of_the_configuration(offline: OfflineStack) -> None:
    schema = (
        "name: kit\nconfig:\n  plain: 3\n  typed: {type: object, default: {a: [1, true]}}\n"
        "  kit:full: {type: string, default: yes please}\n  other:key: {value: elsewhere}\n"
    )
    (offline.root / "Pulumi.yaml").write_text(schema, "utf-8")
    (offline.root / "Pulumi.test.yaml").write_text("config: {plain: 4, kit:flag: true}\n", "utf-8")
    assert load_project(offline.root, "test").config == {
        "kit:plain": "4", "kit:flag": "true", "kit:typed": '{"a":[1,true]}', "kit:full": "yes please",
        "other:key": "elsewhere",
    }  # fmt: skip


def test_a_missing_value_is_named(offline: OfflineStack) -> None:
    (offline.root / "Pulumi.test.yaml").write_text("config: {}\n", "utf-8")
    with pytest.raises(OfflineError, match=r"Pulumi.test.yaml: config has no 'kit:prefix', which Pulumi.yaml requires"):
        load_project(offline.root, "test")


def test_the_stack_may_be_left_out_when_there_is_one(offline: OfflineStack) -> None:
    assert load_project(offline.root).stack == "test"
    (offline.root / "Pulumi.other.yaml").write_text("config: {}\n", "utf-8")
    with pytest.raises(OfflineError, match="which stack\\? Give --stack, one of: other, test"):
        load_project(offline.root)


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("environment", ["environment"]),
        ("build.args", ["build", "args"]),
        ('environment["/etc/postfix/main.cf"].x', ["environment", "/etc/postfix/main.cf", "x"]),
        ("ports[0].ip", ["ports", "0", "ip"]),
        ("triggers[*]", ["triggers", "*"]),
    ],
)
def test_property_paths(path: str, segments: list[str]) -> None:
    assert parse_path(path) == segments
    assert matches(path, [segment.replace("*", "7") for segment in segments])
    assert not matches(path, ["something", "else"])
