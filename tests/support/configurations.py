"""Random valid configurations: schools of every shape that the checks let pass."""

from hypothesis import strategies as st

from components.checks.machines import RESERVED_NAMES
from components.config.programs import SYSTEM_ACCOUNTS, SYSTEM_GROUPS

LABEL = st.from_regex(r"\A[a-z][a-z0-9]{0,9}\Z")
USER = st.from_regex(r"\A[a-z_][a-z0-9_-]{0,15}\Z")
FOREIGN = st.builds("{}@{}.example.org".format, USER, LABEL)
TEXT = st.from_regex(r"[ -!#-[\]-~]{0,40}", fullmatch=True)  # no quote, no backslash
DESTINATIONS = [
    ["$myhostname", "$mydomain"],
    ["$mydomain", "$myhostname", "mail.$mydomain"],
    ["$mydomain"],
    ["$mydomain", "dns.$mydomain"],
]
TAKEN = SYSTEM_ACCOUNTS | SYSTEM_GROUPS | RESERVED_NAMES


@st.composite
def mail_servers(draw: st.DrawFn, destinations: list[str], relayhost: str | None) -> dict[str, object]:
    """A `mail` section: users, if any, and aliases to users, foreigners or earlier aliases (so never round)."""
    users = draw(st.lists(USER.filter(lambda name: name not in TAKEN), max_size=6, unique=True))
    names = draw(st.lists(USER.filter(lambda name: name not in users), max_size=5, unique=True))
    aliases: list[str] = []
    targets = [st.sampled_from(users), FOREIGN] if users else [FOREIGN]
    for index, name in enumerate(names):
        choice = st.one_of(*targets, st.sampled_from(names[:index])) if index else st.one_of(*targets)
        aliases.append(f"{name}: {', '.join(draw(st.lists(choice, min_size=1, max_size=3, unique=True)))}")
    section: dict[str, object] = {
        "mydestination": destinations,
        "users": [{"name": user, "password": f"pw-{index}-{user}"} for index, user in enumerate(users)],
        "aliases": aliases,
        "main_cf": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "smtpd_banner": st.just("$myhostname ESMTP"),
                    "biff": st.sampled_from(["yes", "no"]),
                    "smtpd_client_connection_count_limit": st.integers(1, 500).map(str),
                    **({"always_bcc": st.sampled_from(users)} if users else {}),
                },
            )
        ),
    }
    if relayhost:
        section["relayhost"] = relayhost
    return section


@st.composite
def schools(draw: st.DrawFn) -> dict[str, object]:
    """One school: one host or two, with or without a filter and a second mail server."""
    # The prefixes below are the Internet's: 2001:db8:113::/64 and others.
    third, prefix6 = draw(st.integers(1, 254)), draw(st.integers(0x1000, 0xFFFF))
    domain = f"{draw(LABEL)}.{draw(LABEL)}.edu.tw"
    hosts = draw(st.lists(st.integers(1, 253), min_size=5, max_size=5, unique=True))
    v4 = [f"163.27.{third}.{host}" for host in hosts]
    v6 = [f"2001:db8:{prefix6:x}::{host}" for host in hosts]
    names = ["dns", "mail", "filter", "second", "client"]
    filtered, split, second = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    server = "mail" if split else "dns"
    relay = f"[{v4[2]}]" if filtered else None
    destinations = draw(st.sampled_from(DESTINATIONS))
    main = draw(mail_servers(destinations, relay))
    machines: list[dict[str, object]] = [
        {"name": "dns", "roles": ["dns"] if split else ["dns", "mail"]} | ({} if split else {"mail": main})
    ]
    if split:
        machines.append({"name": "mail", "roles": ["mail"], "mail": main})
    if filtered:
        taken = {one.replace("$mydomain", domain).replace("$myhostname", f"{server}.{domain}") for one in destinations}
        servers = dict.fromkeys(sorted(taken), server) | ({f"second.{domain}": "second"} if second else {})
        chosen = draw(st.lists(st.sampled_from([*servers]), unique=True))
        routes = [{"domain": one, "server": servers[one]} for one in chosen]
        machines.append({"name": "filter", "roles": ["spamfilter"], "spamfilter": {"domains": routes}})
    if second:
        section = draw(mail_servers(["$myhostname"], relay))
        machines.append({"name": "second", "roles": ["second-mail"], "mail": section})
    machines.append({"name": "client", "roles": ["workstation"]})
    for machine in machines:
        index = names.index(str(machine["name"]))
        machine |= {"ipv4": v4[index], "ipv6": v6[index]}
    records = [f"{machine['name']} A {machine['ipv4']}" for machine in machines]
    records += [f"{machine['name']} AAAA {machine['ipv6']}" for machine in machines]
    records += [f"@ MX {draw(st.integers(0, 100))} {server}"]
    if filtered:
        records.append("@ MX 0 filter" if not records[-1].endswith(" 0 filter") else "@ MX 5 filter")
    records.append(f'@ TXT "{draw(TEXT)}"')
    if draw(st.booleans()):
        records.append(f"www CNAME {server}")
    return {
        "name": "school",
        "domain": domain,
        "network": {
            "ipv4": f"163.27.{third}.0/24",
            "ipv6": f"2001:db8:{prefix6:x}::/64",
            "router": f"163.27.{third}.254",
            "router6": f"2001:db8:{prefix6:x}::fffe",
        },
        "zone": {
            "ttl": draw(st.integers(1, 2**31 - 1)),
            "soa": {"mname": "dns", "rname": "admin.dns", "serial": draw(st.integers(1, 2**32 - 2**16))},
            "records": records,
        },
        "machines": machines,
    }
