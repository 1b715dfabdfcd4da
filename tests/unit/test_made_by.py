"""Pulumi's own CLI beside a lab of the offline engine."""

import json
import pathlib

import pytest

from components.made_by import OFFLINE_RUN, refuse_lab_of_offline_engine
from components.problem import ConfigurationError


def leave(root: pathlib.Path, text: str) -> None:
    """The offline engine's state of stack `school`."""
    folder = root / ".pulumi-state" / "offline"
    folder.mkdir(parents=True)
    (folder / "school.json").write_text(text, "utf-8")


@pytest.mark.parametrize(
    "text", [json.dumps({"version": 3, "deployment": {"resources": [{"urn": "u"}]}}), "{", "[]", '{"deployment": 1}']
)
def test_lab_of_the_offline_engine_is_refused(tmp_path: pathlib.Path, text: str) -> None:
    leave(tmp_path, text)
    with pytest.raises(ConfigurationError) as failed:
        refuse_lab_of_offline_engine("school", tmp_path)
    (problem,) = failed.value.problems
    assert problem.id == "made-by-offline"
    assert "bin/maillab --stack school state move --to pulumi" in problem.remedy


def test_nothing_made_is_nobodys(tmp_path: pathlib.Path) -> None:
    refuse_lab_of_offline_engine("school", tmp_path)
    leave(tmp_path, json.dumps({"version": 3, "deployment": {"resources": []}}))
    refuse_lab_of_offline_engine("school", tmp_path)
    refuse_lab_of_offline_engine("other", tmp_path)


def test_the_offline_engine_itself_goes_on(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave(tmp_path, "{")
    monkeypatch.setenv(OFFLINE_RUN, "yes")
    refuse_lab_of_offline_engine("school", tmp_path)
