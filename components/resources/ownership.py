"""What a lab takes on its engine is looked at first: names and subnets that are another folder's are left to it."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pulumi
import pulumi_command as command

from components.config.folder import STATE_FOLDER
from components.resources.place import where_command

OWNER_LABEL, STACK_LABEL = "maillab.owner", "maillab.stack"
OWNER_FILE = Path(STATE_FOLDER) / "owner"


def owner_of(root: Path) -> str:
    """The id of the project's folder `root`, made once: what its labs carry as `maillab.owner`.

    It lies beside the states: a folder that is moved stays the same, another clone is another one.
    """
    path = root / OWNER_FILE
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(f".{secrets.token_hex(4)}")
    if path.exists() and not path.read_text("ascii").strip():
        path.unlink()  # a disk was full
    if not path.exists():
        draft.write_text(f"{secrets.token_hex(8)}\n", encoding="ascii")
        with suppress(FileExistsError):  # another run was first
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text(encoding="utf-8").strip()


def look_first(
    takes: Mapping[str, str], owner: str, docker_host: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> command.local.Command:
    """The Command that fails when what the lab takes is another's; it runs whenever that changes.

    All that is made on the engine, or removed from it, comes after it.
    """
    return where_command("ownership", "own", {**takes, "OWNER": owner, "DOCKER_HOST": docker_host}, opts)
