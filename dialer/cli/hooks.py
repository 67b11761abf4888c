"""`dialer hooks check`: whether the apps of hooks can be loaded, and what they ask for."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from dialer.cli.frame import find_config, works_here_only
from dialer.config import load_config
from dialer.errors import BadValue

EXIT_FINE = 0
EXIT_PROBLEMS = 1


def add_parser(commands: Any) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "hooks",
        help="Python hooks that hear the events of calls",
        description="Python hooks in the dialer's own process: classes whose methods are marked by switchio.marks.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "check",
        help="load the apps, and tell what they ask for",
        description="Loads the apps of the configuration, or those that are named, and tells their marks, the events that the "
        "subscription is widened by, and what they use that a dialer does not have. Nothing of them is run but their modules.",
        epilog="Exit status: 0 all can be loaded; 1 one cannot, or uses what is not there; 2 wrong configuration or usage.",
    )
    check.add_argument("apps", nargs="*", metavar="package.module:Class", help="default: those of the configuration")
    check.add_argument("--json", action="store_true", help="for programs")
    check.set_defaults(run=run)
    works_here_only(check, "loads the apps that are installed on this machine")


def run(arguments: argparse.Namespace) -> int:
    """Check them. Raises `BadValue` for a configuration that is wrong."""
    found = [_checked(name) for name in arguments.apps or _configured(arguments)]
    if arguments.json:
        print(json.dumps({"apps": found}, indent=2, ensure_ascii=False))
    else:
        for line in _as_text(found):
            print(line)
    return EXIT_PROBLEMS if any(app["error"] or app["missing"] for app in found) else EXIT_FINE


def _configured(arguments: argparse.Namespace) -> Sequence[str]:
    return load_config(arguments.config or find_config(os.environ)).hooks.apps


def _checked(name: str) -> dict[str, Any]:
    from dialer.esl.commands import EVENTS
    from dialer.marks.app import load

    told: dict[str, Any] = {"app": name, "error": "", "marks": [], "events": [], "subclasses": [], "missing": []}
    try:
        app = load(name, "app")
    except BadValue as error:
        return {**told, "error": error.problem.removeprefix(f"{name} ")}
    from dialer.marks.surface import missing

    return {
        **told,
        "marks": [{"event": mark.event, "kind": mark.kind, "method": mark.method} for mark in app.marks],
        "events": sorted(app.kinds.difference(EVENTS)),
        "subclasses": sorted(app.subclasses),
        "missing": missing(app),
    }


def _as_text(found: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not found:
        yield "no app is configured (hooks.apps)"
    for app in found:
        if app["error"]:
            yield f"{app['app']}: cannot be loaded: {app['error']}"
            continue
        yield f"{app['app']}: marks: {len(app['marks'])}"
        for mark in app["marks"]:
            yield f"    {mark['event']}: {mark['method']} ({mark['kind']})"
        yield f"  subscribed to beside the dialer's own events: {', '.join(app['events'] + app['subclasses']) or 'none'}"
        for problem in app["missing"]:
            yield f"  not there: {problem}"
