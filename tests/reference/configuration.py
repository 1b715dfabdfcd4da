"""The page of the configuration's keys: what there is comes from the sections' classes, by their schema."""

from collections.abc import Iterator, Mapping
from typing import Any

from components.config.schema import stack_file_schema
from maillab.offline.yaml_file import read_yaml
from tests.reference.words import cell, meaning, table, word
from tests.support.documents import ROOT, slug

Schema = Mapping[str, Any]


def page(language: str) -> list[str]:
    """Its lines."""
    schema = stack_file_schema()
    config = schema["properties"]["config"]
    names: dict[str, str] = {}
    for section, path in _names(config["properties"], schema["$defs"]):
        names.setdefault(section, path)
    lines = [f"# {word(language, 'configuration')}", "", word(language, "made"), "", word(language, "keys"), ""]
    defaults = read_yaml(ROOT / "Pulumi.yaml")["config"]
    rows = [_top(language, key, what, defaults, names) for key, what in config["properties"].items()]
    lines += table(_head(language), *rows)
    for section, name in names.items():
        lines += ["", f"## `{name}`", "", meaning(language, section, "_"), ""]
        required = schema["$defs"][section].get("required", [])
        rows = [
            (f"`{key}`", _form(language, what, names), _default(language, key, what, required), text)
            for key, what in schema["$defs"][section]["properties"].items()
            for text in [cell(meaning(language, section, key))]
        ]
        lines += table(_head(language), *rows)
    return lines


def sections() -> dict[str, list[str]]:
    """Each section's class with its keys, and that of the whole lab."""
    schema = stack_file_schema()
    found = {name: list(what["properties"]) for name, what in schema["$defs"].items() if "properties" in what}
    top = [key.removeprefix("maillab:") for key in schema["properties"]["config"]["properties"]]
    return {**found, "LabConfig": top}


def _head(language: str) -> tuple[str, ...]:
    return tuple(word(language, key) for key in ("key", "form", "default", "meaning"))


def _top(language: str, key: str, what: Schema, defaults: Schema, names: Mapping[str, str]) -> tuple[str, ...]:
    """A key of the file itself: its default is in Pulumi.yaml."""
    given = defaults[key].get("default")
    if key == "maillab:schools":
        default = word(language, "required")
    elif isinstance(given, str) and given:
        default = f"`{given}`"
    else:
        default = word(language, "pulumi-yaml") if given else ""
    text = meaning(language, "LabConfig", key.removeprefix("maillab:"))
    return f"`{key}`", _form(language, what, names), default, cell(text)


def _names(properties: Schema, definitions: Schema, before: str = "") -> Iterator[tuple[str, str]]:
    """Each section's class and the path of the key that has it, from the outside in."""
    for key, what in sorted(properties.items(), key=lambda item: item[0] != "maillab:schools"):
        for section in _sections_in(what):
            if "properties" in definitions[section]:
                path = f"{before}.{key}".removeprefix(".").removeprefix("maillab:")
                yield section, path
                yield from _names(definitions[section]["properties"], definitions, path)


def _sections_in(what: Schema) -> Iterator[str]:
    if "$ref" in what:
        yield what["$ref"].rpartition("/")[2]
    for choice in what.get("anyOf", []):
        yield from _sections_in(choice)
    for inner in ("items", "additionalProperties"):
        if isinstance(what.get(inner), Mapping):
            yield from _sections_in(what[inner])


def _form(language: str, what: Schema, names: Mapping[str, str]) -> str:
    """What a value looks like, in the page's language."""
    if "$ref" in what:
        section = what["$ref"].rpartition("/")[2]
        if section in names:
            return f"[`{names[section]}`](#{slug(names[section])})"
        values = stack_file_schema()["$defs"][section]
        return ", ".join(f"`{value}`" for value in values.get("enum", [values.get("const")]))
    if "anyOf" in what:
        return ", ".join(_form(language, one, names) for one in what["anyOf"] if one.get("type") != "null")
    if what.get("type") == "array":
        return word(language, "list", what=_form(language, what["items"], names))
    if what.get("type") == "object":
        return word(language, "map", what=_form(language, what["additionalProperties"], names))
    return word(language, what.get("format") or what["type"])


def _default(language: str, key: str, what: Schema, required: list[str]) -> str:
    if key in required:
        return word(language, "required")
    given = what.get("default")
    return f"`{str(given).lower() if isinstance(given, bool) else given}`" if given not in (None, "", []) else ""
