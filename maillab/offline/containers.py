"""docker:index/container:Container, with the same calls to the engine as the docker provider makes."""

from __future__ import annotations

import re

from maillab.offline.docker_engine import Api, labels
from maillab.offline.schema import OUTPUT_EXTRAS
from maillab.offline.values import OfflineError, Props, given, words

MIB = 1024 * 1024
CONFIG = {
    "command": "Cmd", "domainname": "Domainname", "entrypoints": "Entrypoint", "envs": "Env", "hostname": "Hostname",
    "stdinOpen": "OpenStdin", "stopSignal": "StopSignal", "stopTimeout": "StopTimeout", "tty": "Tty", "user": "User",
    "workingDir": "WorkingDir",
}  # fmt: skip
HOST_CONFIG = {
    "cpuPeriod": "CpuPeriod", "cpuQuota": "CpuQuota", "cpuSet": "CpusetCpus", "cpuShares": "CpuShares", "dns": "Dns",
    "dnsOpts": "DnsOptions", "dnsSearches": "DnsSearch", "groupAdds": "GroupAdd", "ipcMode": "IpcMode",
    "networkMode": "NetworkMode", "pidMode": "PidMode", "privileged": "Privileged",
    "publishAllPorts": "PublishAllPorts", "readOnly": "ReadonlyRootfs", "rm": "AutoRemove", "runtime": "Runtime",
    "securityOpts": "SecurityOpt", "sysctls": "Sysctls", "tmpfs": "Tmpfs", "usernsMode": "UsernsMode",
}  # fmt: skip
IN_MIB = {
    "memory": "Memory", "memoryReservation": "MemoryReservation", "memorySwap": "MemorySwap", "shmSize": "ShmSize",
}  # fmt: skip
DURATIONS = {
    "interval": "Interval", "startInterval": "StartInterval", "startPeriod": "StartPeriod", "timeout": "Timeout",
}  # fmt: skip
UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
SUPPORTED = {*CONFIG, *HOST_CONFIG, *IN_MIB} | words(
    "capabilities containerReadRefreshTimeoutMilliseconds destroyGraceSeconds healthcheck image init labels "
    "logDriver logOpts maxRetryCount mounts mustRun name networksAdvanced platform ports removeVolumes restart start "
    "ulimits volumes waitTimeout"
)
SUPPORTED_PARTS = {
    "healthcheck": words("interval retries startInterval startPeriod tests timeout"),
    "mounts": words("readOnly source target type"),
    "networksAdvanced": words("aliases ipv4Address ipv6Address name"),
    "ports": words("external internal ip protocol"),
    "volumes": words("containerPath readOnly volumeName"),
}
UPDATABLE = words("restart maxRetryCount cpuShares memory memoryReservation cpuSet memorySwap")
NEVER_READ = words("cpuPeriod cpuQuota envs")
READ_WHEN_GIVEN = words("capabilities logOpts pidMode ports")


def unsupported(inputs: Props) -> list[str]:
    """The inputs that this engine can't honour, as paths."""
    found = given(inputs) - SUPPORTED
    for key, known in SUPPORTED_PARTS.items():
        parts = inputs.get(key) or []
        items = parts if isinstance(parts, list) else [parts]
        found |= {f"{key}.{part}" for item in items if isinstance(item, dict) for part in given(item) - known}
    return sorted(found)


def create(api: Api, inputs: Props) -> str:
    """Create the container, connect it, start it; returns its id. A failure leaves nothing behind."""
    config = {field: inputs[key] for key, field in CONFIG.items() if inputs.get(key)}
    config |= {"Image": inputs["image"], "Labels": labels(inputs), "HostConfig": _host_config(inputs)}
    if health := inputs.get("healthcheck"):
        times = {field: nanoseconds(health.get(key, "0s")) for key, field in DURATIONS.items()}
        config["Healthcheck"] = {"Test": health.get("tests") or [], "Retries": health.get("retries") or 0, **times}
    config["ExposedPorts"] = {_port(port): {} for port in inputs.get("ports") or []}
    config["Volumes"] = {volume["containerPath"]: {} for volume in inputs.get("volumes") or []} or None
    made = api.create_container_from_config(config, inputs["name"], inputs.get("platform"))["Id"]
    finished = False
    try:
        _connect(api, made, inputs.get("networksAdvanced") or [])
        if inputs.get("start", True):
            api.start(made)
        finished = True
    finally:
        if not finished:
            api.remove_container(made, force=True, v=True)
    return str(made)


def _host_config(inputs: Props) -> Props:
    capabilities = inputs.get("capabilities") or {}
    bindings: dict[str, list[Props]] = {}
    for port in inputs.get("ports") or []:
        target = {"HostIp": port["ip"], "HostPort": str(port.get("external") or 0)}
        bindings.setdefault(_port(port), []).append(target)
    return {
        **{field: inputs[key] for key, field in HOST_CONFIG.items() if inputs.get(key)},
        **_limits(inputs),
        "Init": bool(inputs.get("init")),
        "LogConfig": {"Type": inputs.get("logDriver", ""), "Config": inputs.get("logOpts") or {}},
        "CapAdd": capabilities.get("adds"),
        "CapDrop": capabilities.get("drops"),
        "Mounts": [
            {
                "Type": one["type"],
                "Target": one["target"],
                "Source": one.get("source", ""),
                "ReadOnly": bool(one.get("readOnly")),
            }
            for one in inputs.get("mounts") or []
        ],
        "Binds": [
            f"{one['volumeName']}:{one['containerPath']}:{'ro' if one.get('readOnly') else 'rw'}"
            for one in inputs.get("volumes") or []
        ],
        "PortBindings": bindings or None,
        "Ulimits": [
            {key.title(): limit[key] for key in ("name", "soft", "hard")} for limit in inputs.get("ulimits") or []
        ]
        or None,
    }


def _limits(inputs: Props) -> Props:
    """Restart policy and memory, which can be changed in a running container too."""
    sizes = {field: inputs[key] for key, field in IN_MIB.items() if inputs.get(key)}
    policy = {"Name": inputs.get("restart", "no"), "MaximumRetryCount": inputs.get("maxRetryCount") or 0}
    return {"RestartPolicy": policy, **{field: size * MIB if size > 0 else size for field, size in sizes.items()}}


def _port(port: Props) -> str:
    return f"{port['internal']}/{port['protocol']}"


def _connect(api: Api, container: str, networks: list[Props]) -> None:
    if networks:
        api.disconnect_container_from_network(container, "bridge")
    for network in networks:
        addresses = {f"{family}_address": network.get(f"{family}Address") for family in ("ipv4", "ipv6")}
        api.connect_container_to_network(container, network["name"], aliases=network.get("aliases") or [], **addresses)


def update(api: Api, container: str, inputs: Props, changed: set[str]) -> None:
    """Change what the engine can change in a running container; start it when it was stopped."""
    if "mustRun" in changed and inputs.get("mustRun") and inputs.get("start", True):
        api.start(container)
    if changed & UPDATABLE:
        body = {"CpuShares": inputs.get("cpuShares") or 0, "CpusetCpus": inputs.get("cpuSet") or "", **_limits(inputs)}
        body.pop("ShmSize", None)
        # The SDK's own update_container has no way to take a limit away.
        api._raise_for_status(api._post_json(api._url("/containers/{0}/update", container), data=body))


def delete(api: Api, container: str, inputs: Props) -> None:
    """Stop (with `destroyGraceSeconds`, else at once) and remove the container."""
    api.stop(container, timeout=inputs.get("destroyGraceSeconds") or 0)
    api.remove_container(container, force=True, v=bool(inputs.get("removeVolumes", True)))


def read(api: Api, container: str, inputs: Props) -> Props:
    """The container's outputs as the provider reads them; a stopped one has `mustRun` false."""
    data = api.inspect_container(container)
    config, host, state = data["Config"], data["HostConfig"], data["State"]
    sizes = {key: host.get(field) or 0 for key, field in IN_MIB.items()}
    found: Props = {
        **{key: config.get(field) for key, field in CONFIG.items() if key not in NEVER_READ},
        **{key: host.get(field) for key, field in HOST_CONFIG.items() if key not in NEVER_READ},
        **{key: size // MIB if size > 0 else size for key, size in sizes.items()},
        **({} if state["Running"] else {"exitCode": state["ExitCode"], "mustRun": False}),
        "name": data["Name"].lstrip("/"),
        "image": data["Image"] if inputs["image"].startswith("sha256:") else config["Image"],
        "platform": data.get("Platform"),
        "init": bool(host.get("Init")),
        "restart": host["RestartPolicy"]["Name"] or "no",
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "capabilities": {"adds": host.get("CapAdd") or [], "drops": host.get("CapDrop") or []},
        "logDriver": host["LogConfig"]["Type"],
        "logOpts": host["LogConfig"].get("Config") or {},
        "networkDatas": [_network_data(*item) for item in data["NetworkSettings"]["Networks"].items()],
        "bridge": data["NetworkSettings"].get("Bridge", ""),
    }
    if health := config.get("Healthcheck"):
        times = {key: duration(health.get(field) or 0) for key, field in DURATIONS.items()}
        tests = {"tests": health.get("Test"), "retries": health.get("Retries") or 0}
        found["healthcheck"] = {**tests, **times}
    if state["Running"]:
        found["ports"] = _ports(data["NetworkSettings"]["Ports"] or {})
    kept = {key: value for key, value in found.items() if key in inputs or key not in READ_WHEN_GIVEN}
    return OUTPUT_EXTRAS | inputs | {key: value for key, value in kept.items() if value is not None}


def _ports(published: dict[str, list[Props] | None]) -> list[Props]:
    """What is published, with the ports that the engine chose; by inner port."""
    ports = []
    for inner in sorted(published, key=lambda name: int(name.partition("/")[0])):
        internal, _, protocol = inner.partition("/")
        for one in published[inner] or []:
            found = {"internal": int(internal), "external": int(one["HostPort"]), "ip": one["HostIp"]}
            ports.append({**found, "protocol": protocol})
    return ports


def _network_data(name: str, network: Props) -> Props:
    fields = {
        "ipAddress": "IPAddress", "ipPrefixLength": "IPPrefixLen", "gateway": "Gateway", "macAddress": "MacAddress",
        "globalIpv6Address": "GlobalIPv6Address", "globalIpv6PrefixLength": "GlobalIPv6PrefixLen",
        "ipv6Gateway": "IPv6Gateway",
    }  # fmt: skip
    return {"networkName": name, **{key: network[field] for key, field in fields.items()}}


def nanoseconds(text: str) -> int:
    """A Go duration such as `1m30s` in nanoseconds. Raises OfflineError."""
    parts = re.findall(r"([\d.]+)(ms|us|ns|h|m|s)", text)
    if "".join(map("".join, parts)) != text:
        raise OfflineError(f"'{text}' is no duration; write it like 1m30s")
    return sum(round(float(number) * UNITS[unit]) for number, unit in parts)


def duration(nanos: int) -> str:
    """Nanoseconds as Go prints them: `1m30s`, `500ms`, `0s`."""
    if 0 < nanos < UNITS["s"]:
        return f"{nanos / UNITS['ms']:g}ms"
    minutes, seconds = divmod(nanos / UNITS["s"], 60)
    hours, minutes = divmod(int(minutes), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds:g}s"
