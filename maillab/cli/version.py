"""Which maillab this is."""

from __future__ import annotations

import subprocess
import tomllib

from maillab.cli.stack import ROOT


def version() -> str:
    """The version, and in a clone the commit."""
    said = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return f"maillab {said}{_commit()}"


def _commit() -> str:
    try:
        words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude=*"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    commit = done.stdout.strip()
    return f" ({commit})" if done.returncode == 0 and commit and (ROOT / ".git").exists() else ""
