"""docker:index/container:Container, with the same calls to the engine as the docker provider makes."""

from __future__ import annotations

import re
from typing import Any

from offline.docker_engine import labels
from offline.schema import CONTAINER, OUTPUT_EXTRAS
from offline.values import OfflineError, Props

MIB = 1024 * 1024
CONFIG = {
    "command": "Cmd", "domainname": "Domainname", "entrypoints": "Entrypoint", "envs": "Env",
    "hostname": "Hostname", "stdinOpen": "OpenStdin", "stopSignal": "StopSignal",
    "stopTimeout": "StopTimeout", "tty": "Tty", "user": "User", "workingDir": "WorkingDir",
}  # fmt: skip
HOST_CONFIG = {
    "cgroupParent": "CgroupParent", "cgroupnsMode": "CgroupnsMode", "cpuPeriod": "CpuPeriod",
    "cpuQuota": "CpuQuota", "cpuSet": "CpusetCpus", "cpuShares": "CpuShares", "dns": "Dns",
    "dnsOpts": "DnsOptions", "dnsSearches": "DnsSearch", "groupAdds": "GroupAdd", "init": "Init",
    "ipcMode": "IpcMode", "networkMode": "NetworkMode", "pidMode": "PidMode", "privileged": "Privileged",
    "publishAllPorts": "PublishAllPorts", "readOnly": "ReadonlyRootfs", "rm": "AutoRemove",
    "runtime": "Runtime", "securityOpts": "SecurityOpt", "storageOpts": "StorageOpt", "sysctls": "Sysctls",
    "tmpfs": "Tmpfs", "usernsMode": "UsernsMode",
}  # fmt: skip
IN_MIB = {
    "memory": "Memory",
    "memoryReservation": "MemoryReservation",
    "memorySwap": "MemorySwap",
    "shmSize": "ShmSize",
}
_NESTED = (
    "capabilities cpus devices healthcheck hosts image labels logDriver logOpts maxRetryCount mounts name "
    "networksAdvanced platform ports restart ulimits volumes"
).split()
_RECORDED = (
    "containerReadRefreshTimeoutMilliseconds destroyGraceSeconds mustRun removeVolumes start waitTimeout".split()
)
SUPPORTED = frozenset((*CONFIG, *HOST_CONFIG, *IN_MIB, *_NESTED, *_RECORDED, "attach", "logs", "wait"))
UPDATABLE = frozenset("restart maxRetryCount cpuShares memory memoryReservation cpuSet memorySwap".split())
NOT_READ = frozenset(("cgroupParent", "cgroupnsMode", "cpuPeriod", "cpuQuota", "envs"))
NOT_READ_WHEN_ABSENT = frozenset(("ulimits", "devices", "pidMode", "ports", "capabilities", "logOpts"))


def check(name: str, inputs: Props) -> None:
    """Raise OfflineError for inputs that this engine can't honour."""
    unknown = sorted(key for key in inputs if key not in SUPPORTED and key != "__defaults")
    waits = sorted(key for key in ("attach", "logs", "wait") if inputs.get(key))
    if unknown or waits:
        raise OfflineError(f"{name}: the offline engine does not support a Container's {', '.join(unknown + waits)}")


def create(api: Any, inputs: Props) -> str:
    """Create the container, connect it, start it; returns its id. A failure leaves nothing behind."""
    config = {field: inputs[key] for key, field in CONFIG.items() if inputs.get(key)}
    config |= {"Image": inputs["image"], "Labels": labels(inputs), "HostConfig": _host_config(inputs)}
    if health := inputs.get("healthcheck"):
        config["Healthcheck"] = _health_to_docker(health)
    if ports := inputs.get("ports"):
        config["ExposedPorts"] = {_port_key(port): {} for port in ports}
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
    config: Props = {field: inputs[key] for key, field in HOST_CONFIG.items() if inputs.get(key)}
    config["Init"] = bool(inputs.get("init"))
    config |= _restart(inputs) | _memory(inputs)
    config["LogConfig"] = {"Type": inputs.get("logDriver", ""), "Config": inputs.get("logOpts") or {}}
    capabilities = inputs.get("capabilities") or {}
    config["CapAdd"], config["CapDrop"] = capabilities.get("adds") or [], capabilities.get("drops") or []
    config["Mounts"] = [_mount(mount) for mount in inputs.get("mounts") or []]
    config["Binds"] = [_bind(volume) for volume in inputs.get("volumes") or []]
    config["ExtraHosts"] = [f"{host['host']}:{host['ip']}" for host in inputs.get("hosts") or []]
    config["PortBindings"] = _port_bindings(inputs.get("ports") or [])
    config["Ulimits"] = [
        {"Name": limit["name"], "Soft": limit["soft"], "Hard": limit["hard"]} for limit in inputs.get("ulimits") or []
    ]
    config["Devices"] = [
        {
            "PathOnHost": device["hostPath"],
            "PathInContainer": device.get("containerPath") or device["hostPath"],
            "CgroupPermissions": device["permissions"],
        }
        for device in inputs.get("devices") or []
    ]
    if cpus := inputs.get("cpus"):
        config["NanoCpus"] = round(float(cpus) * 1e9)
    return config


def _restart(inputs: Props) -> Props:
    policy = {"Name": inputs.get("restart", "no"), "MaximumRetryCount": inputs.get("maxRetryCount") or 0}
    return {"RestartPolicy": policy}


def _memory(inputs: Props) -> Props:
    sizes = {field: inputs[key] for key, field in IN_MIB.items() if inputs.get(key)}
    return {field: size * MIB if size > 0 else size for field, size in sizes.items()}


def _mount(mount: Props) -> Props:
    converted: Props = {"Type": mount["type"], "Target": mount["target"], "Source": mount.get("source", "")}
    converted["ReadOnly"] = bool(mount.get("readOnly"))
    if mount.get("bindOptions"):
        converted["BindOptions"] = {"Propagation": mount["bindOptions"].get("propagation", "")}
    if options := mount.get("volumeOptions"):
        converted["VolumeOptions"] = {"NoCopy": bool(options.get("noCopy")), "Labels": labels(options)}
    if options := mount.get("tmpfsOptions"):
        converted["TmpfsOptions"] = {"SizeBytes": options.get("sizeBytes", 0), "Mode": options.get("mode", 0)}
    return converted


def _bind(volume: Props) -> str:
    source = volume.get("volumeName") or volume.get("hostPath")
    if not source or volume.get("fromContainer") or volume.get("selinuxRelabel"):
        raise OfflineError(
            f"volumes {volume}: only volumeName or hostPath with containerPath and readOnly are supported"
        )
    return f"{source}:{volume['containerPath']}:{'ro' if volume.get('readOnly') else 'rw'}"


def _port_key(port: Props) -> str:
    return f"{port['internal']}/{port['protocol']}"


def _port_bindings(ports: list[Props]) -> dict[str, list[Props]]:
    bindings: dict[str, list[Props]] = {}
    for port in ports:
        binding = {"HostIp": port["ip"], "HostPort": str(port.get("external") or "")}
        bindings.setdefault(_port_key(port), []).append(binding)
    return bindings


def _connect(api: Any, container: str, networks: list[Props]) -> None:
    if not networks:
        return
    api.disconnect_container_from_network(container, "bridge")
    for network in networks:
        api.connect_container_to_network(
            container,
            network["name"],
            aliases=network.get("aliases") or [],
            ipv4_address=network.get("ipv4Address"),
            ipv6_address=network.get("ipv6Address"),
            link_local_ips=network.get("linkLocalIps"),
            driver_opt=dict(option.split("=", 1) for option in network.get("driverOpts") or []),
            mac_address=network.get("macAddress"),
        )


def update(api: Any, container: str, inputs: Props, changed: set[str]) -> None:
    """Change what the engine can change in a running container; start it when it was stopped."""
    if "mustRun" in changed and inputs.get("mustRun") and inputs.get("start", True):
        api.start(container)
    if changed & UPDATABLE:
        resources = {"CpuShares": inputs.get("cpuShares") or 0, "CpusetCpus": inputs.get("cpuSet") or ""}
        body = {**resources, **_memory(inputs), **_restart(inputs)}
        body.pop("ShmSize", None)
        api._raise_for_status(api._post_json(api._url("/containers/{0}/update", container), data=body))


def delete(api: Any, container: str, inputs: Props) -> None:
    """Stop (with `destroyGraceSeconds`, else at once) and remove the container."""
    if not inputs.get("attach"):
        api.stop(container, timeout=inputs.get("destroyGraceSeconds") or 0)
    api.remove_container(container, force=True, v=bool(inputs.get("removeVolumes", True)))


def read(api: Any, container: str, inputs: Props) -> Props:
    """The container's outputs as the provider reads them; a stopped one has `mustRun` false."""
    data = api.inspect_container(container)
    config, host = data["Config"], data["HostConfig"]
    found: Props = {key: config.get(field) for key, field in CONFIG.items() if key not in NOT_READ}
    found |= {key: host.get(field) for key, field in HOST_CONFIG.items() if key not in NOT_READ}
    found |= {key: size // MIB if (size := host.get(field) or 0) > 0 else size for key, field in IN_MIB.items()}
    found |= {
        "name": data["Name"].lstrip("/"),
        "image": data["Image"] if inputs["image"].startswith("sha256:") else config["Image"],
        "platform": data.get("Platform"),
        "init": bool(host.get("Init")),
        "restart": host["RestartPolicy"]["Name"] or "no",
        "maxRetryCount": host["RestartPolicy"]["MaximumRetryCount"],
        "hosts": [dict(zip(("host", "ip"), item.split(":", 1), strict=True)) for item in host.get("ExtraHosts") or []],
        "capabilities": {"adds": host.get("CapAdd") or [], "drops": host.get("CapDrop") or []},
        "logDriver": host["LogConfig"]["Type"],
        "logOpts": host["LogConfig"].get("Config") or {},
        "networkDatas": [_network_data(name, net) for name, net in data["NetworkSettings"]["Networks"].items()],
        "bridge": data["NetworkSettings"].get("Bridge", ""),
    }
    if config.get("Healthcheck"):
        found["healthcheck"] = _health_from_docker(config["Healthcheck"])
    if not data["State"]["Running"]:
        found["exitCode"] = data["State"]["ExitCode"]
        found["mustRun"] = False
    kept = {key: value for key, value in found.items() if key in inputs or key not in NOT_READ_WHEN_ABSENT}
    return OUTPUT_EXTRAS[CONTAINER] | inputs | {key: value for key, value in kept.items() if value is not None}


def _network_data(name: str, network: Props) -> Props:
    return {
        "networkName": name,
        "ipAddress": network["IPAddress"],
        "ipPrefixLength": network["IPPrefixLen"],
        "gateway": network["Gateway"],
        "globalIpv6Address": network["GlobalIPv6Address"],
        "globalIpv6PrefixLength": network["GlobalIPv6PrefixLen"],
        "ipv6Gateway": network["IPv6Gateway"],
        "macAddress": network["MacAddress"],
    }


_DURATIONS = {"interval": "Interval", "timeout": "Timeout", "startPeriod": "StartPeriod"}
_UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


def _health_to_docker(health: Props) -> Props:
    times = {field: nanoseconds(health.get(key, "0s")) for key, field in _DURATIONS.items()}
    return {"Test": health.get("tests") or [], "Retries": health.get("retries") or 0, **times}


def _health_from_docker(health: Props) -> Props:
    times = {key: duration(health.get(field) or 0) for key, field in _DURATIONS.items()}
    return {"tests": health.get("Test"), "retries": health.get("Retries") or 0, "startInterval": "0s", **times}


def nanoseconds(text: str) -> int:
    """A Go duration such as `1m30s` in nanoseconds."""
    return sum(round(float(number) * _UNITS[unit]) for number, unit in re.findall(r"([\d.]+)(ms|us|ns|h|m|s)", text))


def duration(nanos: int) -> str:
    """Nanoseconds as Go prints them: `1m30s`, `500ms`, `0s`."""
    if 0 < nanos < _UNITS["s"]:
        return f"{nanos / _UNITS['ms']:g}ms"
    minutes, seconds = divmod(nanos / _UNITS["s"], 60)
    hours, minutes = divmod(int(minutes), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + f"{seconds:g}s"
