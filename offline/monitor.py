"""The resource monitor and engine that the Pulumi SDK talks to, as plain objects in this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import engine_pb2, resource_pb2

from offline.deployment import Goal
from offline.schema import COMMAND, CONTAINER, IMAGE, NETWORK, PROVIDER, VOLUME
from offline.values import OfflineError, from_protobuf, secret_texts

if TYPE_CHECKING:
    from offline.deployment import Deployment
    from offline.display import Display

STACK = "pulumi:pulumi:Stack"
TYPES = (NETWORK, VOLUME, IMAGE, CONTAINER, COMMAND, PROVIDER)
HONOURED = frozenset(
    "type name parent custom object protect dependencies provider providers propertyDependencies "
    "deleteBeforeReplace deleteBeforeReplaceDefined version ignoreChanges additionalSecretOutputs "
    "replaceOnChanges retainOnDelete deletedWith".split()
)
TECHNICAL = frozenset(
    "acceptSecrets acceptResources accept_byte_string supportsPartialValues supportsResultReporting "
    "sourcePosition stackTrace parentStackTraceHandle".split()
)
IMAGE_ALIAS = "docker:image:Image"
"""The name Image had before; the SDK's class gives it as an alias to every Image."""
OK, FAIL = resource_pb2.SUCCESS, resource_pb2.FAIL


class Monitor:
    """Answers RegisterResource; after the first failure everything else fails, what runs may finish."""

    def __init__(self, project: str, stack: str, deployment: Deployment, display: Display) -> None:
        """`project` and `stack` are the names in the URNs."""
        self.prefix = f"urn:pulumi:{stack}::{project}::"
        self.deployment = deployment
        self.display = display
        self.failed = threading.Event()
        self.outputs: dict[str, Any] = {}

    def GetDeploymentInfo(self, _request: object) -> Any:  # noqa: N802 (the SDK's names)
        """What this engine can do; the SDK itself refuses what is not in it."""
        features = [
            resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
            resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
        ]
        return resource_pb2.DeploymentInfo(supportedFeatures=features)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        """Bring one resource to the program's goal; called in a worker thread."""
        urn = self.urn(request)
        if self.failed.is_set() or self.display.cancelled:
            return resource_pb2.RegisterResourceResponse(urn=urn, result=FAIL)
        try:
            _refuse_unsupported(request)
            goal = _goal(request, urn)
            self.display.secrets |= secret_texts(goal.inputs)
            made, outputs = self.deployment.register(goal)
        except OfflineError as error:
            self.failed.set()
            self.display.diagnostic("error", urn, str(error))
            return resource_pb2.RegisterResourceResponse(urn=urn, result=FAIL)
        body = struct_pb2.Struct()
        body.update({key: value for key, value in outputs.items() if not key.startswith("__")})
        return resource_pb2.RegisterResourceResponse(urn=urn, id=made, object=body, result=OK)

    def urn(self, request: Any) -> str:
        """`urn:pulumi:STACK::PROJECT::TYPES::NAME`: the parent's type chain, unless that is the stack."""
        parents = request.parent.split("::")[2] if request.parent else ""
        chain = "" if parents in ("", STACK) else f"{parents}$"
        return f"{self.prefix}{chain}{request.type}::{request.name}"

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        """Keep the outputs of a component or of the stack."""
        outputs = from_protobuf(request.outputs)
        if request.urn.split("::")[2] == STACK:
            self.outputs = outputs
        store = self.deployment.store
        if not self.failed.is_set() and (entry := store.get(request.urn)):
            store.finish({**entry, "outputs": outputs}, write=False)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: object) -> Any:  # noqa: N802
        """The program is done."""
        return empty_pb2.Empty()

    def Invoke(self, request: Any) -> Any:  # noqa: N802
        """Refuse: the program must not ask providers."""
        raise OfflineError(f"the offline engine does not support the function '{request.tok}'")

    def Call(self, request: Any) -> Any:  # noqa: N802
        """Refuse methods of remote components."""
        raise OfflineError(f"the offline engine does not support the method '{request.tok}'")

    def ReadResource(self, request: Any) -> Any:  # noqa: N802
        """Refuse `Resource.get`."""
        raise OfflineError(f"the offline engine does not support reading the resource {request.type} '{request.name}'")

    def RegisterPackage(self, request: Any) -> Any:  # noqa: N802
        """Refuse parameterised providers."""
        raise OfflineError(f"the offline engine does not support the package '{request.name}'")


class EngineLog:
    """Takes what the program logs."""

    def __init__(self, display: Display) -> None:
        """Messages go to the display."""
        self.display = display

    def Log(self, request: Any) -> Any:  # noqa: N802
        """Keep warnings and errors for the end, print information."""
        names = {engine_pb2.INFO: "info", engine_pb2.WARNING: "warning", engine_pb2.ERROR: "error"}
        if request.severity in names:
            self.display.diagnostic(names[request.severity], request.urn, request.message)
        return empty_pb2.Empty()


def _refuse_unsupported(request: Any) -> None:
    """Raise OfflineError for a type or an option that this engine would have to ignore."""
    if request.custom and request.type not in TYPES:
        raise OfflineError(
            f"{request.name}: the offline engine does not support the type '{request.type}'; install Pulumi "
            "(make pulumi) to use it"
        )
    given = {
        descriptor.name
        for descriptor, value in request.ListFields()
        if not (hasattr(value, "ByteSize") and value.ByteSize() == 0)
    }
    if all(alias.split("::")[2].endswith(IMAGE_ALIAS) for alias in request.aliasURNs):
        given.discard("aliasURNs")
    if unknown := sorted(given - HONOURED - TECHNICAL):
        raise OfflineError(f"{request.name}: the offline engine does not support the option {', '.join(unknown)}")


def _goal(request: Any, urn: str) -> Goal:
    inputs = from_protobuf(request.object)
    if request.type == PROVIDER:
        inputs |= {"version": request.version} if request.version else {}
    by_key = request.propertyDependencies
    return Goal(
        urn=urn,
        kind=request.type,
        name=request.name,
        custom=request.custom,
        inputs=inputs,
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
    )
