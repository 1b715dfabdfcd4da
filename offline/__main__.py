"""`python -m offline`: the engine's command line. `maillab` calls `main` with the same arguments."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from offline import engine
from offline.display import Display, public, show
from offline.values import OfflineError, plain


def main(arguments: list[str] | None = None) -> int:
    """Run one operation; returns the exit status: 0 done, 1 failed, 2 wrong use."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except OfflineError as error:
        if getattr(options, "json", False):
            print(
                json.dumps(
                    {"result": "failed", "diagnostics": [{"severity": "error", "urn": "", "message": str(error)}]}
                )
            )
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="offline", description="Run the lab's Pulumi program without Pulumi.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--stack", "-s", help="the stack; default: the only one, or dc1es")
    common.add_argument("--cwd", "-C", type=Path, default=Path(), help="the project's folder")
    common.add_argument("--json", action="store_true", help="print the result as JSON")
    common.add_argument("--yes", "-y", action="store_true", help="do not ask")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run, text in (
        ("up", _up, "create or update the lab"),
        ("preview", _preview, "show what up would do"),
        ("refresh", _refresh, "bring the state to what is there"),
        ("destroy", _destroy, "delete the lab"),
        ("outputs", _outputs, "print the stack's outputs"),
    ):
        verb = verbs.add_parser(name, parents=[common], help=text)
        verb.set_defaults(run=run)
        if name in ("up", "preview"):
            verb.add_argument("--diff", action="store_true", help="show each changed property")
            verb.add_argument("--refresh", "-r", action="store_true", help="look at what is there first")
            verb.add_argument("--expect-no-changes", action="store_true", help="fail when there is a change")
        if name == "outputs":
            verb.add_argument("--show-secrets", action="store_true", help="print secrets in plain text")
    return parser


def _display(options: argparse.Namespace) -> Display:
    return Display(diff=getattr(options, "diff", False), quiet=options.json)


def _end(options: argparse.Namespace, result: engine.Result) -> int:
    if options.json:
        print(result.as_json())
    if result.ok and getattr(options, "expect_no_changes", False) and result.changes:
        print("error: no changes were expected but changes occurred", file=sys.stderr)
        return 1
    return 0 if result.ok else 1


def _up(options: argparse.Namespace) -> int:
    result = engine.up(options.cwd, options.stack, display=_display(options), refresh=options.refresh)
    return _end(options, result)


def _preview(options: argparse.Namespace) -> int:
    result = engine.preview(options.cwd, options.stack, display=_display(options), refresh=options.refresh)
    return _end(options, result)


def _refresh(options: argparse.Namespace) -> int:
    return _end(options, engine.refresh(options.cwd, options.stack, display=_display(options)))


def _destroy(options: argparse.Namespace) -> int:
    if not options.yes and (not sys.stdin.isatty() or input("Delete all resources of the stack? [y/N] ") != "y"):
        raise OfflineError("destroy: not confirmed; give --yes to delete without a question")
    return _end(options, engine.destroy(options.cwd, options.stack, display=_display(options)))


def _outputs(options: argparse.Namespace) -> int:
    outputs = engine.outputs(options.cwd, options.stack)
    if options.json:
        values = plain(outputs) if options.show_secrets else public(outputs)
        print(json.dumps(values, ensure_ascii=False, indent=2))
        return 0
    for key, value in sorted(outputs.items()):
        print(f"{key}: {show(plain(value) if options.show_secrets else value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
