"""`dialer tail`: events in a terminal, as they happen."""

from __future__ import annotations

import argparse
import os
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, Final

import orjson
from attrs import define, field
from rich.text import Text

from dialer.cli.blocking import config_option, database_url, with_database
from dialer.cli.tables import console
from dialer.envelope import envelope, outward_id, parse_id
from dialer.errors import BadValue
from dialer.model.event import EventKind, EventPlace, Told, kinds_of, words_of
from dialer.store import events
from dialer.store.consumers import Consumers
from dialer.store.database import Database
from dialer.wall_clock import utc_now

LOOK_EVERY: Final = 0.2
"""Seconds."""

ASK_EVERY: Final = 20.0
"""Seconds after which a reader says again that it is there."""

ASKED_FOR: Final = timedelta(seconds=60)
"""For so long, events are written for a reader that was killed."""

BATCH: Final = 500

_FACTS: Final = ("name", "number", "digits", "disposition", "cause", "taken", "refused", "switch", "reason")
"""The facts that a line for people has, in this order."""


def add_parser(commands: Any) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "tail",
        help="events as they happen",
        description="Prints what happens, from now on, until it is interrupted: attempts, contacts, campaigns, imports, the "
        "switch. Beside a running dialer; events of kinds that nobody asked for before are there a second later.",
    )
    parser.add_argument(
        "--kinds", default="*", metavar="KINDS", help="such as attempt.ended or attempt.*,campaign.*; all unless it is given"
    )
    parser.add_argument("--campaign", type=int, metavar="ID", help="of this campaign only")
    parser.add_argument("--after", metavar="ID", help="begin behind the event with this id, as far as events are kept")
    parser.add_argument("--count", type=int, metavar="N", help="end after so many events")
    parser.add_argument("--json", action="store_true", help="for programs: each event a line of JSON, as webhooks get it")
    config_option(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    kinds = kinds_of(arguments.kinds)
    printed = PrintedEvents(arguments.count, arguments.json)
    if arguments.server is not None:
        words = words_of(kinds).replace(" ", ",")
        wanted = {"kinds": words, "campaign": arguments.campaign, "after": arguments.after}
        there = import_module("dialer.cli.remote").followed_there(arguments, wanted)
        while not printed.is_full:
            printed.add(next(there))
        return 0
    following = _Following(kinds, arguments.campaign, printed)
    with_database(database_url(arguments.config), lambda database: following.run(database, arguments.after))
    return 0


@define(eq=False)
class PrintedEvents:
    """Prints events, until there were `count` of them."""

    count: int | None
    json: bool
    _printed: int = field(default=0, init=False)

    @property
    def is_full(self) -> bool:
        """Whether there were as many as are wanted."""
        return self.count is not None and self._printed >= self.count

    def add(self, event: Mapping[str, Any]) -> None:
        """Print one."""
        self._printed += 1
        if self.json:
            print(orjson.dumps(event).decode(), flush=True)
        else:
            console().print(Text(" ".join(_words(event))), soft_wrap=True)


@define(eq=False)
class _Following:
    """Follows events of `kinds` in the database, of one campaign where it is given."""

    kinds: frozenset[EventKind]
    campaign: int | None
    printed: PrintedEvents

    async def run(self, database: Database, after: str | None) -> None:
        name = f"tail {os.getpid()} on {socket.gethostname()}"
        readers = Consumers(database, name)
        place = EventPlace(await database.run(events.last) if after is None else _number(database, after))
        ask_at = 0.0
        try:
            while not self.printed.is_full:
                if time.monotonic() >= ask_at:
                    await readers.enter(name, self.kinds, utc_now(), ASKED_FOR)
                    ask_at = time.monotonic() + ASK_EVERY
                place, found = await readers.read(place, BATCH)
                self._print(found)
                if len(found) < BATCH:
                    time.sleep(LOOK_EVERY)
        finally:
            await readers.leave(name)

    def _print(self, found: list[Told]) -> None:
        for told in found:
            if told.kind not in self.kinds or (self.campaign is not None and told.event.campaign_id != self.campaign):
                continue
            if self.printed.is_full:
                return
            self.printed.add(envelope(told))


def _number(database: Database, after: str) -> int:
    """Of the event with that id. Raises `BadValue` for one of another database."""
    installation, number = parse_id(after, "--after")
    if installation != database.installation_id:
        first = outward_id(database.installation_id, 0)
        raise BadValue("--after", f"is the id of an event of another database; those of this one are such as {first}")
    return number


def _words(event: Mapping[str, Any]) -> Iterator[str]:
    """A line for people, in local time."""
    if "timestamp" not in event:
        yield f"{event['type']}: events before {event.get('oldest', 'this one')} are not kept any more"
        return
    yield datetime.fromisoformat(event["timestamp"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    yield f"{event['type']:<18}"
    if event["campaign_id"] is not None:
        yield f"campaign {event['campaign_id']}"
    facts = event["data"]
    for name in _FACTS:
        if facts.get(name) not in (None, ""):
            yield str(facts[name]) if name in ("number", "name", "disposition", "switch") else f"{name}={facts[name]}"
    if event["reference"]:
        yield f"({event['reference']})"
