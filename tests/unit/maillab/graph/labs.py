"""Labs to draw: the project's, random ones, and one that is too large for every picture."""

import json

from maillab.graph.network import Picture, picture_of
from tests.unit.labs import Data, Edit, add_second_school, machine, model, school

LONG = "the-mail-server-with-the-longest-name-that-a-label-of-dns-has-"  # 63 characters with the one behind it
MANY = 14


def drawn_of(edit: Edit | None = None, stack: str = "dc1es") -> Picture:
    """The picture of `Pulumi.<stack>.yaml`, its data first given to `edit`."""
    return picture_of(model(edit, stack).plan)


def make_large(data: Data) -> None:
    """A school with a large network, long addresses, and many mail servers with the longest names there are."""
    found = school(data)
    text = json.dumps(found).replace("163.26.182.0/24", "164.176.0.0/12").replace("163.26.182.", "164.190.182.")
    text = text.replace("2001:db8:182::/64", "2001:db8:1111:2222::/64")
    found.update(json.loads(text.replace("2001:db8:182::", "2001:db8:1111:2222:ffff:ffff:ffff:1")))
    for number in range(1, MANY + 1):
        name, ipv4 = f"{LONG}{chr(ord('a') + number)}", f"164.180.100.{number + 100}"
        ipv6 = f"2001:db8:1111:2222:ffff:ffff:fff1:{number + 0x1000:x}"
        mail = {"mydestination": ["$myhostname"], "relayhost": "[164.190.182.249]", "users": [], "aliases": []}
        found["machines"].append({"name": name, "roles": ["mail"], "ipv4": ipv4, "ipv6": ipv6, "mail": mail})
        found["zone"]["records"] += [f"{name} A {ipv4}", f"{name} AAAA {ipv6}", f"@ MX {number + 20} {name}"]


def two_schools() -> Picture:
    """The tutorial's school twice."""
    return drawn_of(add_second_school)


def without_relayhost(data: Data) -> None:
    """`mail2` sends to the Internet itself."""
    del machine(data, "mail2")["mail"]["relayhost"]
