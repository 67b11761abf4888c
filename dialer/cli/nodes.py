"""`dialer nodes`: the dialling processes of a database, and how they are."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from attrs import asdict
from attrs.filters import exclude
from rich.table import Table
from rich.text import Text

from dialer.calls.corrections import Correction
from dialer.cli.blocking import config_option
from dialer.cli.objects import manage
from dialer.cli.tables import console
from dialer.errors import BadValue, WrongState
from dialer.management import Management, installation
from dialer.management.installation import NodeEntry, Standing
from dialer.management.listing import Slice
from dialer.model.user import ADMINISTRATOR

WAITING = "waiting-changes"
"""The figure of the changes that wait for the database."""

_CORRECTIONS = frozenset(map(str, Correction))

OURS = frozenset({"id", "session", "commits"})
"""Of a node's record, how the store guards transactions: not for programs."""

ORDINARY = 20
"""So many are under way at any moment."""


def add_parser(commands: Any) -> None:
    """Register the command with its subcommand."""
    parser = commands.add_parser(
        "nodes",
        help="the dialling processes of the database, and how they are",
        description="Lists the dialers that share the database: what each is doing, as which process and with which switch, "
        "how long ago it was heard of, how long others still leave its calls alone (lease), its open attempts, and what it "
        "put right. A SQLite file has one dialer, whose right to dial is the file's lock.",
    )
    config_option(parser)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_list)
    actions = parser.add_subparsers(metavar="remove")
    removing = actions.add_parser("remove", help="forget a node that will not come back")
    removing.add_argument("name", metavar="NAME")
    config_option(removing)
    removing.set_defaults(run=_remove)


def _list(arguments: argparse.Namespace) -> int:
    async def look(management: Management) -> list[NodeEntry]:
        return await management.ask(installation.nodes, ADMINISTRATOR, Slice(sort="name"))

    found = manage(arguments, look)
    if arguments.json:
        print(json.dumps([_plain(entry) for entry in found], indent=2, ensure_ascii=False))
    elif found:
        _show(found)
    else:
        print("no dialer has dialled with this database yet")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    async def remove(management: Management) -> None:
        try:
            await management.ask(installation.remove_node, ADMINISTRATOR, arguments.name)
        except WrongState as error:
            raise BadValue("node", str(error).removeprefix("node: ")) from None

    manage(arguments, remove)
    print(f"node {arguments.name} removed")
    return 0


# --- for programs -----------------------------------------------------------------------------------------------------------


def _plain(entry: NodeEntry) -> dict[str, object]:
    """Times in UTC with their offset, spans in seconds."""
    told = asdict(entry.node, filter=exclude(*OURS)) | asdict(entry, filter=exclude("node", "leased"))
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
    return {
        **plain,
        "standing": entry.standing.name.lower().replace("_", "-"),
        "seen_seconds_ago": round(_ago(entry), 3),
        "lease_seconds_left": round(_lease_left(entry), 3),
    }


def _ago(entry: NodeEntry) -> float:
    return max((entry.moment - entry.node.seen_at).total_seconds(), 0.0)


def _lease_left(entry: NodeEntry) -> float:
    return max((entry.node.lease_until - entry.moment).total_seconds(), 0.0)


# --- for people -------------------------------------------------------------------------------------------------------------


def _show(found: Sequence[NodeEntry]) -> None:
    out = console()
    leases = any(entry.leased for entry in found)
    table = Table(box=None, padding=(0, 1))
    table.add_column("node", overflow="fold", min_width=12)
    table.add_column("state", min_width=9)
    table.add_column("process (version)", overflow="fold", min_width=11)
    table.add_column("switch", overflow="fold", min_width=14)
    for column in ("heard of", *(["lease"] if leases else []), "open"):
        table.add_column(column, no_wrap=True, justify="right")
    for entry in found:
        cells = [
            entry.node.name,
            _state(entry),
            f"{entry.node.pid} on {entry.node.host} ({entry.node.version})",
            ", ".join(_switches(entry)) or "-",
            span(_ago(entry)),
            *([span(_lease_left(entry)) if entry.alive else "-"] if leases else []),
            str(entry.open_attempts),
        ]
        table.add_row(*map(_text, cells))
    out.print(table)
    for entry in found:
        for line in _figures(entry):
            out.print(_text(line), highlight=False)


def _switches(entry: NodeEntry) -> Iterator[str]:
    several = len(entry.node.switches) > 1
    for name, process in entry.node.switches.items():
        yield f"{name} (away)" if several and not process else name


def _state(entry: NodeEntry) -> str:
    if entry.standing is Standing.DEAD:
        left = ", left attempts open" if entry.open_attempts else ""
        return f"dead{left}"
    return str(entry.standing)


def _figures(entry: NodeEntry) -> Iterator[str]:
    counted = [(kind, f"{kind} {count}") for kind, count in sorted(entry.node.figures.items()) if kind != WAITING and count]
    corrections = [text for kind, text in counted if kind in _CORRECTIONS]
    noticed = [text for kind, text in counted if kind not in _CORRECTIONS]
    if corrections:
        yield f"{entry.node.name} put right: {', '.join(corrections)}"
    if noticed:
        yield f"{entry.node.name} noticed: {', '.join(noticed)}"
    if entry.node.figures.get(WAITING, 0) > ORDINARY:
        yield f"{entry.node.name}: changes that wait for the database: {entry.node.figures[WAITING]}"


def _text(value: str) -> Text:
    """Processes describe themselves in the database: no control character of theirs reaches the terminal."""
    return Text("".join(character if character.isprintable() else "?" for character in value))


def span(seconds: float) -> str:
    """A time span in its largest unit."""
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
