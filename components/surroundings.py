"""What lies around the program and would lead its run astray: it is refused before anything is made.

`maillab` and the offline engine see to it by themselves; who types `pulumi up` is told by the program.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from components.problem import ConfigurationError, Problem

# Set by the offline engine while it runs the program; Pulumi's CLI knows nothing of that engine's states.
OFFLINE_RUN = "MAILLAB_OFFLINE_RUN"


def refuse_surroundings(stack: str, root: Path, environment: Mapping[str, str] = os.environ) -> None:
    """Stop a run of `stack`, in the project's folder `root`, that would end in another place or in two labs.

    Raises:
        ConfigurationError: the offline engine has made this lab, or DOCKER_CONTEXT is set.
    """
    problems = [*_other_engine(stack, root, environment), *_context(environment)]
    if problems:
        raise ConfigurationError(problems)


def _other_engine(stack: str, root: Path, environment: Mapping[str, str]) -> list[Problem]:
    """Beside a lab of the offline engine Docker would give Pulumi the mail volumes that are there, for its own."""
    path = root / ".pulumi-state" / "offline" / f"{stack}.json"
    if environment.get(OFFLINE_RUN) or not path.exists():
        return []
    try:
        deployment = json.loads(path.read_text("utf-8"))["deployment"]
        made = any(map(is_made, deployment["resources"])) or bool(deployment.get("pending_operations"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        made = True  # nobody knows what it says: it may be a lab
    what = "this lab was made by the offline engine, and Pulumi does not know its resources"
    remedy = f"hand it over: bin/maillab --stack {stack} state move --to pulumi; or go on with bin/maillab"
    return [Problem(id="made-by-offline", where=f"{path}", what=what, remedy=remedy)] if made else []


def is_made(resource: Mapping[str, object]) -> bool:
    """Whether a resource of a state exists outside it; the stack itself, components and providers are only entries.

    A run that failed early leaves those.
    """
    return bool(resource.get("custom")) and not str(resource.get("type", "")).startswith("pulumi:")


def _context(environment: Mapping[str, str]) -> list[Problem]:
    """Pulumi's docker provider follows it rather than the host that it is given."""
    name = environment.get("DOCKER_CONTEXT")
    what = f"the docker context {name} would be followed, wherever the lab's own Docker engine is"
    remedy = "unset DOCKER_CONTEXT; for another engine set DOCKER_HOST, or maillab:where in the stack's file"
    return [Problem(id="docker-context", where="DOCKER_CONTEXT", what=what, remedy=remedy)] if name else []
