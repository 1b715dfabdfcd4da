"""Lines with a grammar of their own are parsed once, when a stack file is read."""

from collections import Counter
from pathlib import Path

import pytest

from components.config import lab, mail
from components.load import parse
from components.plan import plan_of
from tests.support.stacks import stack_data

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("module", "name"), [(mail, "parse_alias"), (lab, "parse_record")])
def test_each_line_is_parsed_once(module: object, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: Counter[str] = Counter()
    real = getattr(module, name)

    def counting(line: str, *rest: str) -> object:
        parsed[line] += 1
        return real(line, *rest)

    monkeypatch.setattr(module, name, counting)
    config = parse(stack_data(ROOT, "dc1es"), "dc1es")
    plan_of(config)
    (school,) = config.schools
    aliases = [line for machine in school.machines if machine.mail for line in machine.mail.aliases]
    assert parsed == Counter(aliases if module is mail else school.zone.records)
