"""`dialer cdr import`: the call detail records that FreeSWITCH has spooled to disk."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dialer.calls.cdr_reconciler import CdrReconciler, RecordVerdict
from dialer.calls.lifecycle import FlowSettings
from dialer.cdr import LARGEST, DetailRecord, read_record
from dialer.cli.blocking import config_option, database_url, with_database
from dialer.errors import BadValue
from dialer.store.connection import Dialect
from dialer.store.corrections import Corrections
from dialer.store.database import Database
from dialer.store.location import dialect_of
from dialer.store.maintenance import at_work
from dialer.wall_clock import utc_now

PATTERN = "*.cdr.json"
TAKEN = "imported"
"""The folder, in that of the records, to which those go that are done with."""
LEFT = (RecordVerdict.FOREIGN,)
"""Records of these stay where they are: another dialer may need them."""

EXIT_DONE = 0
EXIT_UNREADABLE = 1


def add_parser(commands: Any) -> None:
    """Register the command with its subcommand."""
    parser = commands.add_parser("cdr", help="call detail records", description="Call detail records of FreeSWITCH.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="import")
    importing = actions.add_parser(
        "import",
        help="take the records that mod_json_cdr has spooled",
        description=f"Reads the files {PATTERN} in DIR and below: each ends the attempt that it is about, or corrects one of "
        f"which nobody could tell how it ended. Files that are done with are moved to DIR/{TAKEN}. May be used beside a "
        "running dialer, for which the records of its open attempts are kept, and as often as you like.",
        epilog="Exit status: 0 done; 1 some files are no records, or cannot be moved; 2 wrong configuration or usage.",
    )
    importing.add_argument("folder", type=Path, metavar="DIR")
    config_option(importing)
    importing.add_argument("--json", action="store_true", help="for programs")
    importing.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Import. Raises `BadValue`, `StoreError`."""
    folder: Path = arguments.folder
    if not folder.is_dir():
        raise BadValue(str(folder), "is not a folder")
    url = database_url(arguments.config)
    alone = at_work(url) is None
    files = sorted(path for path in folder.rglob(PATTERN) if path.is_file() and TAKEN not in path.relative_to(folder).parts)
    # A file is held meanwhile, so that no dialer starts with attempts that are about to end. On a server that does no harm:
    # the second one to come finds the attempt ended.
    held = alone and dialect_of(url) is Dialect.SQLITE
    counts, bad = with_database(url, lambda database: _take_all(database, folder, files, alone=alone), dialling=held)
    if arguments.json:
        print(json.dumps({**{str(verdict): count for verdict, count in counts.items()}, "unreadable": bad}))
    else:
        told = ", ".join(f"{verdict} {count}" for verdict, count in counts.items() if count)
        print(f"records: {told or 'none'}")
    for problem in bad:
        print(f"dialer: {problem}", file=sys.stderr)
    return EXIT_UNREADABLE if bad else EXIT_DONE


async def _take_all(
    database: Database, folder: Path, files: Sequence[Path], *, alone: bool
) -> tuple[dict[RecordVerdict, int], list[str]]:
    code = FlowSettings(installation=database.installation_id, outbound="").account_code
    cdr_reconciler = CdrReconciler(now=utc_now, account_code=code, store=Corrections(database), alone=alone)
    bad: list[str] = []
    for path in files:
        try:
            record = _read(path)
        except (BadValue, OSError) as error:
            bad.append(str(error) if isinstance(error, OSError) else f"{path}: {error.problem}")
            continue
        if await cdr_reconciler.take(record) in LEFT:
            continue
        try:
            _move(path, folder)
        except OSError as error:
            bad.append(str(error))
    return cdr_reconciler.counts, bad


def _read(path: Path) -> DetailRecord:
    if path.stat().st_size > LARGEST:
        raise BadValue(str(path), f"is longer than {LARGEST} bytes")
    return read_record(path.read_bytes())


def _move(path: Path, folder: Path) -> None:
    target = folder / TAKEN / path.relative_to(folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
