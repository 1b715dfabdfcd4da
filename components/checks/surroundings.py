"""What lies around the program and would lead its run astray: it is refused before anything is made.

`maillab` and the offline engine see to it by themselves; for anyone who runs `pulumi up`, the program reports it.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from components.config.folder import STATE_FOLDER
from components.config.problem import ConfigurationError, Problem, problem

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
    path = root / STATE_FOLDER / "offline" / f"{stack}.json"
    if environment.get(OFFLINE_RUN) or not path.exists():
        return []
    try:
        deployment = json.loads(path.read_text("utf-8"))["deployment"]
        made = any(map(is_made, deployment["resources"])) or bool(deployment.get("pending_operations"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        made = True  # nobody knows what it says: it may be a lab
    return [problem("made-by-offline", f"{path}", stack=stack)] if made else []


def is_made(resource: Mapping[str, object]) -> bool:
    """Whether a resource of a state exists outside it; the stack itself, components and providers are only entries.

    A run that failed early leaves those.
    """
    return bool(resource.get("custom")) and not str(resource.get("type", "")).startswith("pulumi:")


def _context(environment: Mapping[str, str]) -> list[Problem]:
    """Pulumi's docker provider follows it rather than the host that it is given."""
    name = environment.get("DOCKER_CONTEXT")
    return [problem("docker-context", "DOCKER_CONTEXT", context=name)] if name else []
