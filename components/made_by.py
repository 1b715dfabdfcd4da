"""Whose a lab is: what one engine made, the other must not make a second time."""

import json
import os
from pathlib import Path

from components.problem import ConfigurationError, Problem

# Set by the offline engine while it runs the program; Pulumi's CLI knows nothing of that engine's states.
OFFLINE_RUN = "MAILLAB_OFFLINE_RUN"


def refuse_lab_of_offline_engine(stack: str, root: Path) -> None:
    """Stop a `pulumi up` beside a lab of the offline engine, whose mail volumes Pulumi would take for its own.

    The other way round the offline engine refuses by itself.

    Raises:
        ConfigurationError: the offline engine's state of `stack` in the project's folder `root` has resources.
    """
    path = root / ".pulumi-state" / "offline" / f"{stack}.json"
    if os.environ.get(OFFLINE_RUN) or not path.exists():
        return
    try:
        made = bool(json.loads(path.read_text("utf-8"))["deployment"]["resources"])
    except (ValueError, KeyError, TypeError):
        made = True  # nobody knows what it says: it may be a lab
    if made:
        what = "this lab was made by the offline engine, and Pulumi does not know its resources"
        remedy = f"hand it over: bin/maillab --stack {stack} state move --to pulumi; or go on with bin/maillab"
        raise ConfigurationError([Problem(id="made-by-offline", where=f"{path}", what=what, remedy=remedy)])
