"""Whatever passes our checks, the real validators accept: named-checkzone with all failures on, postconf, postfix."""

import io
import secrets
import tarfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings

from components.blueprints import blueprints
from components.load import parse
from tests.support.configurations import schools
from tests.support.lab import ROOT, Lab
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


def _refused(lab: Lab, name: str, files: Mapping[str, str]) -> str:
    """What the validators have against the files of the machine `name`; empty when they take them."""
    folder = f"/tmp/any-{secrets.token_hex(6)}"
    for path, machine, script in (("/etc/maillab/zones", "dns", ZONES), ("/etc/postfix/main.cf", "mail", POSTFIX)):
        if path in files:
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
    plans = blueprints(parse(data, "any"))
    asked = {name: plan.part.files for name, plan in plans.items() if name not in NOT_THE_SCHOOLS}
    with ThreadPoolExecutor() as pool:
        refusals = list(pool.map(lambda name: _refused(lab, name, asked[name]), asked))
    assert refusals == [""] * len(asked)
