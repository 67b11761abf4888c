"""`dialer cdr`: the call detail records that FreeSWITCH has spooled to disk, and those of the dialer."""

from __future__ import annotations

import argparse
import json
import stat
import sys
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from dialer.calls.cdr_reconciler import CdrReconciler, RecordVerdict
from dialer.calls.flow_settings import FlowSettings
from dialer.cdr import LARGEST, DetailRecord, read_record
from dialer.cli.blocking import config_option, database_url, with_database
from dialer.cli.cdr_export import add_export
from dialer.cli.frame import printable, works_here_only
from dialer.errors import BadValue
from dialer.safe_files import Folder, UnsafeFile
from dialer.safe_paths import open_folder
from dialer.store.connection import Dialect
from dialer.store.corrections import Corrections
from dialer.store.database import Database
from dialer.store.location import dialect_of
from dialer.store.maintenance import at_work
from dialer.wall_clock import utc_now

PATTERN = "*.cdr.json"
TAKEN = "imported"
"""The folder, in that of the records, to which those go that are done with."""
DEEPEST = 8
"""Folders in one another that are looked into: one a day, or an hour, is usual."""
LEFT = (RecordVerdict.FOREIGN,)
"""Records of these stay where they are: another dialer may need them."""

EXIT_DONE = 0
EXIT_UNREADABLE = 1


def add_parser(commands: Any) -> None:
    """Register the command with its subcommand."""
    parser = commands.add_parser("cdr", help="call detail records", description="Call detail records of FreeSWITCH.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add_export(actions)
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
    works_here_only(importing, "takes files of the FreeSWITCH beside it")


def run(arguments: argparse.Namespace) -> int:
    """Import. Raises `BadValue`, `StoreError`."""
    url = database_url(arguments.config)
    try:
        folder = open_folder(arguments.folder)
    except UnsafeFile as error:
        raise BadValue(str(arguments.folder), error.problem) from None
    except OSError:
        raise BadValue(str(arguments.folder), "is not a folder") from None
    with folder:
        return _import(folder, url, as_json=arguments.json)


def _import(folder: Folder, url: str, *, as_json: bool) -> int:
    alone = at_work(url) is None
    files, bad = _found(folder)
    # A file is held meanwhile, so that no dialer starts with attempts that are about to end. On a server that does no harm:
    # the second one to come finds the attempt ended.
    held = alone and dialect_of(url) is Dialect.SQLITE
    counts, more = with_database(url, lambda database: _take_all(database, folder, files, alone=alone), dialling=held)
    bad += more
    if as_json:
        print(json.dumps({**{str(verdict): count for verdict, count in counts.items()}, "unreadable": bad}))
    else:
        told = ", ".join(f"{verdict} {count}" for verdict, count in counts.items() if count)
        print(f"records: {told or 'none'}")
    for problem in bad:
        print(printable(f"dialer: {problem}"), file=sys.stderr)
    return EXIT_UNREADABLE if bad else EXIT_DONE


def _found(folder: Folder) -> tuple[list[str], list[str]]:
    """The records below a folder, by their paths in it, and the problems. What is no plain file is none; the folder is
    FreeSWITCH's, which may have put anything there."""
    found: list[str] = []
    bad: list[str] = []
    waiting: list[tuple[str, ...]] = [()]
    while waiting:
        parents = waiting.pop()
        try:
            with folder.below(parents) as here:
                for name in here.names():
                    status = here.status(name)
                    if status is None:
                        continue
                    if stat.S_ISDIR(status.st_mode):
                        if name == TAKEN:
                            continue
                        if len(parents) < DEEPEST:
                            waiting.append((*parents, name))
                        else:
                            bad.append(f"{here.path / name}: more than {DEEPEST} folders deep, and not looked into")
                    elif fnmatch(name, PATTERN):
                        found.append("/".join((*parents, name)))
        except (UnsafeFile, OSError) as error:
            bad.append(str(error))
    return sorted(found), bad


async def _take_all(
    database: Database, folder: Folder, files: Sequence[str], *, alone: bool
) -> tuple[dict[RecordVerdict, int], list[str]]:
    code = FlowSettings(installation=database.installation_id, outbound="").account_code
    cdr_reconciler = CdrReconciler(now=utc_now, account_code=code, store=Corrections(database), alone=alone)
    bad: list[str] = []
    for path in files:
        try:
            record = _read(folder, path)
        except (BadValue, OSError, UnsafeFile) as error:
            bad.append(f"{folder.path / path}: {error.problem}" if isinstance(error, BadValue) else str(error))
            continue
        if await cdr_reconciler.take(record) in LEFT:
            continue
        try:
            _move(folder, path)
        except (OSError, UnsafeFile) as error:
            bad.append(str(error))
    return cdr_reconciler.counts, bad


def _read(folder: Folder, path: str) -> DetailRecord:
    with folder.within(path) as (here, name):
        found = here.read(name, LARGEST)
    if found is None:
        raise UnsafeFile(folder.path / path, "is not there any more")
    return read_record(found.content)


def _move(folder: Folder, path: str) -> None:
    *parents, name = path.split("/")
    with folder.below(parents) as here, folder.below((TAKEN, *parents), make=True) as there:
        here.move(name, there, name)
