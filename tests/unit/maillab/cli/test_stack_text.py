"""Settings that are changed in the text of a stack file: they are read back, and all the rest is as it was."""

import difflib

import pytest
import yaml

from maillab.cli.stack import ROOT
from maillab.cli.stack_text import with_settings

SETTINGS = {"prefix": "x-", "network.carrier": "198.18.64.0/22"}


def changed(text: str) -> str:
    return with_settings(text, "maillab", SETTINGS)


def config(text: str) -> dict[str, object]:
    """The settings, with their namespace."""
    found = yaml.safe_load(text)["config"]
    return {key if ":" in key else f"maillab:{key}": value for key, value in found.items()}


FORMS = {
    "namespaces": "config:\n  maillab:prefix: a-\n  maillab:network: {carrier: 10.0.0.0/22}\n  maillab:b: 1\n",
    "no namespaces": "config:\n  prefix: a-\n  network: {carrier: none}\n  b: 1\n",
    "neither": "config:\n  b: 1\n",
    "a block": "config:\n  network:\n    # two\n    carrier: none # three\n  b: 1\n",
    "an empty block": "config:\n  network:\n    carrier:\n  b: 1\n",
    "no values": "config:\n  prefix:\n  network:\n  b: 1\n",
    "braces": "config: {prefix: a-, network: {carrier: none}, b: 1} # end\n",
    "braces without them": "config: {b: 1}\n",
    "quotes": "config:\n  'prefix': \"a-\"\n  \"network\": {'carrier': 'none'}\n  b: 1\n",
    "other keys first": "# config: no\nencryptionsalt: v1:x\nconfig: # here\n\n  # of b\n  b: 1\n",
    "the same names elsewhere": "config:\n  b: 1\n  links:\n    prefix: {carrier: no}\n  internet: [{prefix: no}]\n",
    "wide": "config:\n      prefix: a-\n      b: 1\n",
    "no last line end": "config:\n  b: 1\n  prefix: a-",
    "a comment below": "config:\n  network:\n    carrier: none\n  # of b\n  b: 1\n# end\n",
    "Chinese": "# 大成國小\nconfig:\n  # 位址\n  b: 1 # 學校\n  prefix: 'a-' # 名稱\n",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_settings_are_read_back_and_the_others_are_as_they_were(text: str) -> None:
    before, after = config(text), config(changed(text))
    assert after == before | {"maillab:prefix": "x-", "maillab:network": {"carrier": "198.18.64.0/22"}}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_comments_stay(text: str) -> None:
    comments = [line[line.index("#") :] for line in text.splitlines() if "#" in line]
    assert [line[line.index("#") :] for line in changed(text).splitlines() if "#" in line] == comments


@pytest.mark.parametrize("stack", ["dc1es", "onehost"])
def test_nothing_but_the_two_lines_changes(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8")
    lines = list(difflib.ndiff(text.splitlines(), changed(text).splitlines()))
    assert [line for line in lines if line.startswith("+")] == [
        "+   maillab:prefix: x-",
        "+   maillab:network: {carrier: 198.18.64.0/22}",
    ]
    assert len([line for line in lines if line.startswith("-")]) == 1
