"""Docker networks: creating, reading, and what is in their way."""

from __future__ import annotations

from ipaddress import ip_network

from maillab.offline.docker_engine import STACK_LABEL, Api, foreign, label_list, labels
from maillab.offline.values import OfflineError, Props, words

SUPPORTED = words("attachable driver ingress internal ipamConfigs ipamDriver ipamOptions ipv6 labels name options")
POOL = {"subnet": "Subnet", "gateway": "Gateway", "ipRange": "IPRange", "auxAddress": "AuxiliaryAddresses"}


def read(api: Api, resource_id: str) -> Props:
    """What the engine says of it, as outputs."""
    data = api.inspect_network(resource_id)
    keys = {"name": "Name", "driver": "Driver", "internal": "Internal", "attachable": "Attachable"}
    keys |= {"ingress": "Ingress", "ipv6": "EnableIPv6", "scope": "Scope"}
    pools = data["IPAM"].get("Config") or []
    return {
        **{key: data[field] for key, field in keys.items()},
        "labels": label_list(data["Labels"]),
        "ipamDriver": data["IPAM"]["Driver"],
        "ipamOptions": data["IPAM"].get("Options") or {},
        "ipamConfigs": [{key: pool[field] for key, field in POOL.items() if field in pool} for pool in pools],
        "options": data["Options"] or {},
    }


def named(api: Api, name: str) -> list[Props]:
    """The networks of exactly this name: Docker itself allows several."""
    return [network for network in api.networks(names=[name]) if network["Name"] == name]


def create(api: Api, inputs: Props) -> str:
    """Make it; answers its id. Raises OfflineError when there is one of this name."""
    if there := named(api, inputs["name"]):
        raise OfflineError(foreign("network", inputs["name"], there[0]["Labels"] or {}))
    pools = [{POOL[key]: pool[key] for key in POOL if key in pool} for pool in inputs.get("ipamConfigs") or []]
    made = api.create_network(
        inputs["name"], driver=inputs.get("driver"), options=inputs.get("options"), labels=labels(inputs),
        ipam={"Driver": inputs["ipamDriver"], "Config": pools, "Options": inputs.get("ipamOptions")},
        internal=bool(inputs.get("internal")), enable_ipv6=bool(inputs.get("ipv6")), check_duplicate=True,
        attachable=inputs.get("attachable"), ingress=inputs.get("ingress"),
    )  # fmt: skip
    return str(made["Id"])


def refuse_overlap(where: str, inputs: Props, others: list[Props]) -> None:
    """Raise OfflineError, which begins with `where`, when one of `others` has addresses that are wanted."""
    wanted = [ip_network(pool["subnet"]) for pool in inputs.get("ipamConfigs") or [] if pool.get("subnet")]
    for other in others:
        for pool in other["IPAM"].get("Config") or []:
            taken = ip_network(pool["Subnet"]) if pool.get("Subnet") else None
            if taken and any(one.version == taken.version and one.overlaps(taken) for one in wanted):
                lab = (other.get("Labels") or {}).get(STACK_LABEL)
                remedy = f"that network is of the lab {lab}" if lab else "or remove that network, if nobody needs it"
                raise OfflineError(
                    f"{where}: Pool overlaps with other one on this address space: the network {other['Name']} "
                    f"holds {taken}; set another carrier ({remedy})"
                )
