"""`dialer cdr export`: call records as a file, for a spreadsheet or for programs."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import Any, BinaryIO

from attrs import define, field

from dialer.cli.blocking import config_option
from dialer.cli.campaigns import campaign_named
from dialer.cli.contact_export import STANDARD_OUTPUT, written
from dialer.cli.gateways import gateway_named
from dialer.cli.objects import manage
from dialer.management import Management, call_records
from dialer.model import Disposition
from dialer.model.user import ADMINISTRATOR

_EPILOG = (
    "Times are UTC, durations milliseconds; docs/api-v2.md tells what each column is. GET /api/v2/attempts/export gives the "
    "same over HTTP."
)
TELL_EVERY = 1.0
"""Seconds."""


def add_export(actions: Any) -> None:
    """Register the action `export` of `dialer cdr`."""
    parser = actions.add_parser(
        "export",
        help="write call records to a file",
        description="Writes a record for each attempt, in the order of their begin, beside a dialer that may be running: as "
        "CSV, or as one JSON object a line.",
        epilog=_EPILOG,
    )
    parser.add_argument("file", metavar="FILE", nargs="?", default=STANDARD_OUTPUT, help="the file (default: standard output)")
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object a line")
    parser.add_argument("--campaign", metavar="NAME|ID", help="of this campaign only")
    parser.add_argument(
        "--since", type=_moment, metavar="TIME", help="begun at this time or later, such as 2026-11-27T10:00+01:00"
    )
    parser.add_argument("--until", type=_moment, metavar="TIME", help="begun before this time")
    parser.add_argument(
        "--disposition", choices=[str(each) for each in Disposition], metavar="WORD", help="that ended so, such as ANSWERED"
    )
    parser.add_argument("--cause", metavar="WORD", help="of this cause, such as USER_BUSY")
    parser.add_argument("--number", metavar="NUMBER", help="to this number, in any spelling")
    parser.add_argument("--gateway", metavar="NAME|ID", help="through this gateway")
    parser.add_argument("--answered", type=_flag, metavar="yes|no", help="that were answered, or were not")
    parser.add_argument("--ended", action="store_true", default=None, help="no attempts that are still open")
    config_option(parser)
    parser.set_defaults(run=_run)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a time such as 2026-11-27T10:00:00Z, got {text[:40]!r}") from None
    return moment.astimezone(UTC)


def _flag(text: str) -> bool:
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"expected yes or no, got {text[:40]!r}")
    return text == "yes"


def _run(arguments: argparse.Namespace) -> int:
    async def export(management: Management) -> int:
        campaign_id = gateway_id = None
        if arguments.campaign is not None:
            campaign_id = (await campaign_named(management, arguments.campaign))["id"]
        if arguments.gateway is not None:
            gateway_id = (await gateway_named(management, arguments.gateway))["id"]
        given = {name: getattr(arguments, name) for name in ("since", "until", "disposition", "cause", "answered", "ended")}
        named = {"campaign_id": campaign_id, "gateway_id": gateway_id}
        wanted = ADMINISTRATOR, arguments.number, {**named, **given}, "jsonl" if arguments.json else "csv"
        with written(arguments.file) as stream:
            writing = _Writing(stream, tell=sys.stderr.isatty())
            async for count, piece in management.iterate(call_records.exported, *wanted):
                writing.add(count, piece)
            return writing.finish()

    count = manage(arguments, export)
    if arguments.file != STANDARD_OUTPUT:
        print(f"{arguments.file}: {count} call records")
    return 0


@define(eq=False)
class _Writing:
    """Records onto a stream, and their number onto a terminal from time to time."""

    stream: BinaryIO
    tell: bool
    _count: int = field(default=0, init=False)
    _told_at: float = field(factory=time.monotonic, init=False)

    def add(self, count: int, piece: bytes) -> None:
        self._count += count
        self.stream.write(piece)
        if self.tell and time.monotonic() >= self._told_at + TELL_EVERY:
            self._told_at = time.monotonic()
            print(f"\r{self._count:,} records", end="", file=sys.stderr, flush=True)

    def finish(self) -> int:
        if self.tell and self._count:
            print(f"\r{self._count:,} records", file=sys.stderr)
        return self._count
