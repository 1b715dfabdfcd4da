"""Whatever passes our checks, the real validators accept: named-checkzone with all failures on, postconf, postfix."""

import io
import secrets
import tarfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from components.load import parse
from components.part import Blueprint
from components.plan import plan_of
from driver.lab import ROOT, Lab
from tests.support.configurations import schools
from tests.support.stacks import stack_data

NOT_THE_SCHOOLS = ("tn", "outside")  # nothing of the school is in their files
# In the machine's image, on files that only stand in a folder of their own.
ZONES = r"""
cd "$1" && while read -r zone file; do
  named-checkzone -k fail -m fail -M fail -n fail -r fail -i local "$zone" "etc/bind/$file" >words 2>&1 ||
    { cat words; exit 1; }
done <etc/maillab/zones
sed "s|\"/etc/bind/|\"$1/etc/bind/|" etc/bind/named.conf >named.conf && named-checkconf -z named.conf >words 2>&1 ||
  { cat words; exit 1; }
"""
POSTFIX = r"""
cd "$1" && cp -n /usr/share/maillab/skel/etc/postfix/* etc/postfix/ 2>/dev/null
words=$(postconf -c "$1/etc/postfix" -n 2>&1 >/dev/null; postconf -c "$1/etc/postfix" -M 2>&1 >/dev/null
        postfix -c "$1/etc/postfix" check 2>&1)
[ -z "$words" ] || { echo "$words"; exit 1; }
"""


def _put(lab: Lab, machine: str, folder: str, files: Mapping[str, str]) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(f"{folder}{path}".lstrip("/"))
            info.size, info.mode = len(text.encode()), 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    assert lab[machine].container.put_archive("/", archive.getvalue())


def _has_zones(plan: Blueprint) -> bool:
    """By what the machine is, not by its files: one without zones would be a fault that nobody sees."""
    return "bind" in plan.part.roles


def _has_postfix(plan: Blueprint) -> bool:
    return "postfix" in plan.part.roles


def _refused(lab: Lab, name: str, plan: Blueprint) -> str:
    """What the validators have against the files of the machine `name`; empty when they take them."""
    folder, files = f"/tmp/any-{secrets.token_hex(6)}", plan.part.files
    for has, path, machine, script in (
        (_has_zones, "/etc/maillab/zones", "dns", ZONES),
        (_has_postfix, "/etc/postfix/main.cf", "mail", POSTFIX),
    ):
        if has(plan) != bool(files.get(path)):
            return f"{name}: {path} is {'missing or empty' if has(plan) else 'there'}"
        if has(plan):
            _put(lab, machine, folder, files)
            outcome = lab[machine].execute(f"set -- {folder}\n({script})\nstatus=$?; rm -rf {folder}; exit $status")
            if outcome.status != 0:
                return f"{name}: {outcome.output or outcome.status}"
    return ""


# The lab is only the place where the validators are: examples leave nothing behind in it.
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(school=schools())
def test_validators_accept_every_valid_configuration(lab: Lab, school: Mapping[str, object]) -> None:
    data = stack_data(ROOT, "dc1es") | {"schools": [school]}
    plans = plan_of(parse(data, "any")).machines
    asked = {name: plan for name, plan in plans.items() if name not in NOT_THE_SCHOOLS}
    assert any(map(_has_zones, asked.values()))
    assert any(map(_has_postfix, asked.values()))
    with ThreadPoolExecutor() as pool:
        refusals = list(pool.map(lambda name: _refused(lab, name, asked[name]), asked))
    assert refusals == [""] * len(asked)


def edited(machine: str, path: str, edit: Callable[[str], str | None]) -> Blueprint:
    """A machine of the tutorial's school with one file edited; without it when the edit gives None."""
    plan = plan_of(parse(stack_data(ROOT, "dc1es"), "dc1es")).machines[machine]
    text = edit(plan.part.files[path])
    files = {name: old for name, old in plan.part.files.items() if name != path}
    return replace(plan, part=replace(plan.part, files=files | ({path: text} if text is not None else {})))


ZONE = "/etc/bind/db.dc1es.tnc.edu.tw"


@pytest.mark.parametrize(
    ("machine", "path", "edit", "words"),
    [
        pytest.param("dns", ZONE, lambda text: f"{text}bad A 163.26.182.999\n", "bad dotted quad", id="address"),
        pytest.param("dns", ZONE, lambda text: f"{text}@ MX 5 163.26.182.2\n", "MX", id="mx-to-an-address"),
        pytest.param("dns", "/etc/bind/named.conf", lambda text: f"{text}nonsense;\n", "nonsense", id="named.conf"),
        pytest.param("dns", "/etc/maillab/zones", lambda _: None, "missing or empty", id="no-zones"),
        pytest.param("dns", "/etc/maillab/zones", lambda _: "", "missing or empty", id="empty-zones"),
        pytest.param("mail", "/etc/postfix/main.cf", lambda text: f"{text}no_such = yes\n", "no_such", id="main.cf"),
        pytest.param("mail", "/etc/postfix/main.cf", lambda _: None, "missing or empty", id="no-main.cf"),
    ],
)
def test_validators_refuse_what_is_wrong(
    lab: Lab, machine: str, path: str, edit: Callable[[str], str | None], words: str
) -> None:
    """The control: that all is accepted means something."""
    assert _refused(lab, machine, edited(machine, path, lambda text: text)) == ""
    assert words in _refused(lab, machine, edited(machine, path, edit))
