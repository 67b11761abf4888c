"""`dialer import`: files that were sent to the page or to the API, and are taken in the background by a dialer."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

import orjson

from dialer.cli.blocking import config_option
from dialer.cli.contact_export import written
from dialer.cli.contact_import import columns_of
from dialer.cli.objects import manage
from dialer.cli.showing import Shown, option_of_json, print_all, print_json, print_one
from dialer.errors import BadValue
from dialer.kinds import LARGEST_ID, Whole
from dialer.management import Management, import_errors, import_jobs, users
from dialer.model import ImportJob
from dialer.model.import_job import Doubles
from dialer.model.user import ADMINISTRATOR

LISTED: Final = 50
"""The newest ones, which are shown."""
COLUMNS: Final = (
    "id", "user", "name", "phonebook_id", "list_id", "state", "rows", "taken", "already_there", "duplicates", "refused",
    "dry_run", "problem", "created_at",
)  # fmt: skip
_OPTIONS: Final = {"mapping": "--map", "region": "--region", "encoding": "--encoding"}
STANDARD_OUTPUT: Final = "-"
_ID: Final = Whole(1, LARGEST_ID)


def add_parser(commands: Any) -> None:
    """Register the command with its subcommands."""
    told = "files of contacts, or of numbers that are not called, that were sent to the page or the API"
    parser = commands.add_parser("import", help=told, description=f"{told[0].upper()}{told[1:]}.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|show|start|cancel|errors")
    _action(actions, "list", _list, f"the newest {LISTED} of them")
    _of_one(actions, "show", _show, "all of one: how far it is, and what became of its rows")
    start = _of_one(actions, "start", _start, "take the file of a draft; what is not named stays as it was")
    start.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="NAME=COLUMN",
        help="which column is what, such as contact=Phone or first_name=2; may be repeated",
    )
    start.add_argument("--region", metavar="REGION", help="whose numbers its national numbers are, such as DE")
    start.add_argument("--encoding", metavar="NAME", help="such as utf-8 or cp1252")
    start.add_argument("--header", action=argparse.BooleanOptionalAction, help="whether the first row names the columns")
    start.add_argument(
        "--doubles",
        choices=[str(each) for each in Doubles],
        help="contacts that are there: keep leaves them alone, change has them take what the file has",
    )
    start.add_argument("--dry-run", action="store_true", help="tell what would be done; it is a draft again then")
    _of_one(actions, "cancel", _cancel, "take no more of its rows; what was taken stays")
    errors = actions.add_parser("errors", help="the rows that were not taken, each with its reason")
    errors.add_argument("id", metavar="ID")
    errors.add_argument("file", metavar="FILE", nargs="?", default=STANDARD_OUTPUT, help="where to (default: standard output)")
    config_option(errors)
    errors.set_defaults(run=_errors)


def _action(actions: Any, word: str, run: Any, told: str) -> Any:
    sub = actions.add_parser(word, help=told)
    option_of_json(sub)
    config_option(sub)
    sub.set_defaults(run=run)
    return sub


def _of_one(actions: Any, word: str, run: Any, told: str) -> Any:
    sub = _action(actions, word, run, told)
    sub.add_argument("id", metavar="ID")
    return sub


def _key(arguments: argparse.Namespace) -> int:
    try:
        return int(_ID.parse(arguments.id))
    except ValueError:
        raise BadValue("id", f"expected {_ID.takes}") from None


def _row(job: ImportJob, owners: Mapping[int, str]) -> Shown:
    shared = (
        "changed", "duplicates", "refused", "errors_left_out", "problem", "size", "format", "region", "header", "doubles",
        "added_by", "created_at", "started_at", "ended_at",
    )  # fmt: skip
    first = ("name", "phonebook_id", "list_id", "state", "dry_run", "taken", "already_there")
    return {
        "id": job.id,
        "user": owners.get(job.user_id, ""),
        **{name: getattr(job, name) for name in (*first, *shared)},
        "rows": job.row_count,
        "reasons": orjson.loads(job.reasons),
        "read": job.size_read,
        "encoding": job.encoding_found or job.encoding,
        "mapping": orjson.loads(job.mapping),
    }


async def _shown(management: Management, found: Sequence[ImportJob]) -> list[Shown]:
    owners = {each.user.id: each.user.username for each in await management.ask(users.listed)}
    return [_row(each, owners) for each in found]


def _list(arguments: argparse.Namespace) -> int:
    async def look(management: Management) -> list[Shown]:
        return await _shown(management, await management.ask(import_jobs.listed, ADMINISTRATOR, None, None, LISTED))

    entries = manage(arguments, look)
    if arguments.json:
        print_json(entries)
    else:
        print_all(COLUMNS, entries)
    return 0


def _show(arguments: argparse.Namespace) -> int:
    key = _key(arguments)

    async def look(management: Management) -> Shown:
        return (await _shown(management, [await management.ask(import_jobs.read, ADMINISTRATOR, key)]))[0]

    entry = manage(arguments, look)
    if arguments.json:
        print_json(entry)
    else:
        print_one(entry)
    return 0


def _start(arguments: argparse.Namespace) -> int:
    key = _key(arguments)
    given: dict[str, Any] = {"dry_run": arguments.dry_run}
    if arguments.map:
        given["mapping"] = columns_of(arguments.map)
    for name in ("region", "encoding", "header", "doubles"):
        if (value := getattr(arguments, name)) is not None:
            given[name] = value

    async def start(management: Management) -> ImportJob:
        try:
            return await management.ask(import_jobs.start, ADMINISTRATOR, key, given)
        except BadValue as error:
            raise BadValue(_OPTIONS.get(error.field, error.field), error.problem) from None

    return _tell(arguments, manage(arguments, start))


def _cancel(arguments: argparse.Namespace) -> int:
    key = _key(arguments)

    async def cancel(management: Management) -> ImportJob:
        return await management.ask(import_jobs.cancel, ADMINISTRATOR, key)

    return _tell(arguments, manage(arguments, cancel))


def _tell(arguments: argparse.Namespace, job: ImportJob) -> int:
    if arguments.json:
        print_json({"id": job.id, "state": str(job.state), "dry_run": job.dry_run})
    else:
        print(f"import {job.id}: {job.state}{', which writes nothing' if job.dry_run else ''}")
    return 0


def _errors(arguments: argparse.Namespace) -> int:
    key = _key(arguments)
    with ExitStack() as stack:

        async def fetch(management: Management) -> None:
            await management.ask(import_jobs.read, ADMINISTRATOR, key)
            stream: Any = None
            async for piece in management.iterate(import_errors.pieces, key):
                if stream is None:  # not before: a wrong id leaves the file of yesterday as it is
                    stream = stack.enter_context(written(arguments.file))
                stream.write(piece)

        manage(arguments, fetch)
    return 0
