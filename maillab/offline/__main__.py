"""`python -m maillab.offline`: the engine's command line."""

from __future__ import annotations

import atexit
import gc

from maillab.offline.terminal import die_quietly, run_main

if __name__ == "__main__":
    die_quietly()
# As in maillab/__main__.py.
gc.disable()
atexit.register(gc.freeze)

import argparse  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, cast  # noqa: E402

from maillab.offline import engine  # noqa: E402
from maillab.offline.display import Display, show  # noqa: E402
from maillab.offline.values import OfflineError, plain, public  # noqa: E402


def main(arguments: list[str] | None = None) -> int:
    """Run one operation; returns the exit status: 0 done, 1 failed, 2 wrong use."""
    options = _parser().parse_args(arguments)
    try:
        if options.verb == "outputs":
            return _outputs(options)
        if options.verb == "stack-export":
            print(json.dumps(engine.export_stack(options.cwd, options.stack), ensure_ascii=False, indent=1))
            return 0
        if options.verb == "stack-import":
            engine.import_stack(options.cwd, options.stack, _given())
            return 0
        return _run(options)
    except OfflineError as error:
        if options.json:
            item = {"severity": "error", "urn": "", "message": str(error)}
            print(json.dumps({"result": "failed", "diagnostics": [item]}, ensure_ascii=False))
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="offline", description="Run the lab's Pulumi program without Pulumi.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--stack", "-s", help="the stack; default: the only one, or dc1es")
    common.add_argument("--cwd", "-C", type=Path, default=Path(), help="the project's folder")
    common.add_argument("--json", "-j", action="store_true", help="print the result as JSON")
    common.add_argument("--yes", "-y", action="store_true", help="do not ask")
    verbs = parser.add_subparsers(required=True, metavar="COMMAND", dest="verb")
    verbs.add_parser("refresh", parents=[common], help="bring the state to what is there")
    verbs.add_parser("destroy", parents=[common], help="delete the lab")
    verbs.add_parser("stack-export", parents=[common], help="print what `pulumi stack import` takes")
    verbs.add_parser("stack-import", parents=[common], help="read what `pulumi stack export --show-secrets` gives")
    shown = verbs.add_parser("outputs", parents=[common], help="print the stack's outputs")
    shown.add_argument("--show-secrets", action="store_true", help="print secrets in plain text")
    for name, text in (("up", "create or update the lab"), ("preview", "show what up would do")):
        verb = verbs.add_parser(name, parents=[common], help=text)
        verb.add_argument("--diff", action="store_true", help="show each changed property")
        verb.add_argument("--refresh", "-r", action="store_true", help="look at what is there first")
        verb.add_argument("--expect-no-changes", action="store_true", help="fail when there is a change")
    return parser


def _run(options: argparse.Namespace) -> int:
    asked = options.verb == "destroy" and not options.yes
    if asked and not _confirmed():
        raise OfflineError("destroy: not confirmed; give --yes to delete without a question")
    changing = options.verb in ("up", "preview")
    display = Display(diff=changing and options.diff, quiet=options.json)
    more = {"refresh": True} if changing and options.refresh else {}
    result = getattr(engine, options.verb)(options.cwd, options.stack, display=display, **more)
    if options.json:
        print(result.as_json())
    if result.ok and changing and options.expect_no_changes and result.changes:
        print("error: no changes were expected but changes occurred", file=sys.stderr)
        return 1
    return 0 if result.ok else 1


def _confirmed() -> bool:
    try:
        return sys.stdin.isatty() and input("Delete all resources of the stack? [y/N] ") == "y"
    except EOFError:
        return False


def _given() -> dict[str, Any]:
    """The export on stdin. Raises OfflineError; what else it may be is seen when it is taken over."""
    try:
        return cast("dict[str, Any]", json.load(sys.stdin))
    except (ValueError, RecursionError) as error:
        remedy = "give it what `pulumi stack export --show-secrets` prints"
        raise OfflineError(f"the export is not JSON: {error}; {remedy}") from error


def _outputs(options: argparse.Namespace) -> int:
    found = engine.outputs(options.cwd, options.stack)
    if options.json:
        print(json.dumps(plain(found) if options.show_secrets else public(found), ensure_ascii=False, indent=2))
        return 0
    for key, value in sorted(found.items()):
        print(f"{key}: {show(plain(value) if options.show_secrets else value)}")
    return 0


if __name__ == "__main__":
    sys.exit(run_main(main))
