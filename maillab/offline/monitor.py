"""The resource monitor and engine that the Pulumi SDK talks to, as plain objects in this process."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from google.protobuf import empty_pb2, struct_pb2  # type: ignore[import-untyped]
from pulumi.runtime.proto import engine_pb2, resource_pb2

from maillab.offline.aliases import STACK, former_urns, urn_of
from maillab.offline.plan import Goal
from maillab.offline.schema import COMMAND, CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME
from maillab.offline.values import Message, OfflineError, Props, from_protobuf, secret_texts, words

if TYPE_CHECKING:
    from maillab.offline.deployment import Deployment
    from maillab.offline.display import Display
    from maillab.offline.entries import Entry
    from maillab.offline.project import Project

TYPES = (NETWORK, VOLUME, IMAGE, CONTAINER, COMMAND, PROVIDER)
HONOURED = words(
    "type name parent custom object protect dependencies provider providers propertyDependencies version "
    "deleteBeforeReplace deleteBeforeReplaceDefined ignoreChanges additionalSecretOutputs replaceOnChanges "
    "retainOnDelete deletedWith aliases aliasURNs customTimeouts"
)
# What Docker is asked to do has its own limits here.
OF_COMMANDS = {"customTimeouts"}
TECHNICAL = words(
    "acceptSecrets acceptResources accept_byte_string supportsPartialValues supportsResultReporting sourcePosition "
    "stackTrace parentStackTraceHandle"
)
UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")  # time.ParseDuration of Go, without a sign
DURATION = re.compile(rf"(?:{PART.pattern})+")
LEVELS = {engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error"}


class Monitor:
    """Answers the SDK; after the first failure every resource fails, what runs may come to its end."""

    def __init__(self, project: Project, deployment: Deployment, display: Display) -> None:
        """The project's names go into the URNs."""
        self.project = project
        self.deployment = deployment
        self.display = display
        self.failed = False
        self.outputs: Props = {}
        self._stack: Entry | None = None  # before the program gave it new outputs
        self._former: dict[str, list[str]] = {}  # a resource's URN to those that it may have had before

    def GetDeploymentInfo(self, _request: Message) -> Message:  # noqa: N802 (the SDK's names)
        """What this engine can do; what is not in it the SDK itself refuses."""
        can = [
            resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
            resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
            resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
        ]
        return resource_pb2.DeploymentInfo(supportedFeatures=can)

    def RegisterResource(self, request: Message) -> Message:  # noqa: N802
        """Bring one resource to the program's goal; called in a worker thread."""
        urn = urn_of(self.project.stack, self.project.name, request.parent, request.type, request.name)
        refusal = resource_pb2.RegisterResourceResponse(urn=urn, result=resource_pb2.FAIL)
        if self.failed or self.display.cancelled:
            return refusal
        try:
            _refuse_unsupported(request)
            self._former[urn] = former_urns(request, urn, self._former.get(request.parent, ()))
            goal = _goal(request, urn, self._former[urn])
            self.display.secrets |= secret_texts(goal.inputs)
            made, outputs = self.deployment.register(goal)
        except (OfflineError, OSError) as error:
            self.failed = True
            words = (
                f"{request.name}: {error.strerror}: {error.filename!r}" if isinstance(error, OSError) else str(error)
            )
            self.display.diagnostic("error", urn, words)
            return refusal
        body = struct_pb2.Struct()
        body.update({key: value for key, value in outputs.items() if not key.startswith("__")})
        return resource_pb2.RegisterResourceResponse(urn=urn, id=made, object=body)

    def RegisterResourceOutputs(self, request: Message) -> Message:  # noqa: N802
        """Keep the outputs of a component or of the stack."""
        outputs, entry = from_protobuf(request.outputs), self.deployment.store.get(request.urn)
        if request.urn.split("::")[2] == STACK:
            self.outputs = outputs
            self._stack = entry
        if entry and not self.failed:
            self.deployment.store.keep({**entry, "outputs": outputs})
        return empty_pb2.Empty()

    def restore_outputs(self) -> None:
        """The program failed: what the stack's outputs were before is still true. The SDK has registered none."""
        if self._stack:
            self.deployment.store.keep(self._stack)

    def SignalAndWaitForShutdown(self, _request: Message) -> Message:  # noqa: N802
        """The program is done."""
        return empty_pb2.Empty()

    def __getattr__(self, name: str) -> Callable[[Message], Message]:
        """Any other request (Invoke, ReadResource, Call, RegisterPackage …) is refused by name."""

        def refuse(request: Message) -> Message:
            what = next((text for key in ("tok", "type", "name") if (text := getattr(request, key, ""))), "")
            raise OfflineError(f"the offline engine does not support {name} ({what})")

        return refuse


class EngineLog:
    """Takes what the program logs."""

    def __init__(self, display: Display) -> None:
        """Messages go to the display."""
        self.display = display

    def Log(self, request: Message) -> Message:  # noqa: N802
        """Keep messages for the end; debugging ones are dropped."""
        if request.severity in LEVELS:
            self.display.diagnostic(LEVELS[request.severity], request.urn, request.message)
        return empty_pb2.Empty()


def _refuse_unsupported(request: Message) -> None:
    """Raise OfflineError for a type or an option that this engine would have to ignore."""
    if request.custom and request.type not in TYPES:
        raise OfflineError(
            f"{request.name}: the offline engine does not support the type '{request.type}'; only Pulumi itself "
            "(make pulumi) does"
        )
    given = {field.name for field, value in request.ListFields() if not hasattr(value, "ByteSize") or value.ByteSize()}
    honoured = HONOURED if request.type == COMMAND else HONOURED - OF_COMMANDS
    if unknown := sorted(given - honoured - TECHNICAL):
        raise OfflineError(f"{request.name}: the offline engine does not support the option {', '.join(unknown)}")


def _goal(request: Message, urn: str, former: list[str]) -> Goal:
    version = {"version": request.version} if request.type == PROVIDER and request.version else {}
    by_key = request.propertyDependencies
    return Goal(
        urn=urn,
        former=former,
        kind=request.type,
        name=request.name,
        custom=request.custom,
        inputs=from_protobuf(request.object) | version,
        parent=request.parent,
        provider=request.provider,
        dependencies=sorted(request.dependencies),
        property_dependencies={key: sorted(by_key[key].urns) for key in sorted(by_key)},
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        deleted_with=request.deletedWith,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        replace_on_changes=list(request.replaceOnChanges),
        ignore_changes=list(request.ignoreChanges),
        secret_outputs=list(request.additionalSecretOutputs),
        timeouts=_timeouts(request),
    )


def _timeouts(request: Message) -> dict[str, float]:
    """The limits of `customTimeouts` that are given, in seconds. Raises OfflineError."""
    given = {name: getattr(request.customTimeouts, name) for name in ("create", "update", "delete")}
    return {name: _seconds(request.name, text) for name, text in given.items() if text}


def _seconds(name: str, text: str) -> float:
    """The seconds in a duration as Go writes it (`1h30m`, `2.5s`). Raises OfflineError."""
    if not DURATION.fullmatch(text):
        raise OfflineError(f"{name}: customTimeouts: {text!r} is no duration such as 90s, 10m, 1h30m")
    return sum(float(number) * UNITS[unit] for number, unit in PART.findall(text))
