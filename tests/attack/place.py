"""Where attacks happen: a dialer as a process in a folder of its own, with a database that was filled before it started."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from dialer.cli.blocking import with_database
from dialer.store.database import Database
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.harness.dialer_log import errors
from tests.harness.node import READY, START, Node
from tests.processes import lasting_port
from tests.seeding import Seeds

LOCAL: Final = "127.0.0.1"
PASSWORD: Final = "correct horse"
"""Of every user."""
RECORDS: Final = ("freeswitch", "secret word")
"""The user and the password of the port for call detail records."""

Sections = Mapping[str, Mapping[str, object]]
Furnish = Callable[[Seeds], Awaitable[Any]]


def basic(user: str, password: str = PASSWORD) -> str:
    """The header of a login."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@frozen
class Place:
    """A dialer that runs."""

    node: Node
    url: str
    records: int
    """The port for call detail records."""

    @property
    def pid(self) -> int:
        """Its process."""
        return self.node.lives[-1].process.pid

    def port(self, name: str) -> int:
        """Where it listens: `http` or `outbound`."""
        found = json.loads((self.node.folder / READY).read_text())
        return int(str(found[name]).rpartition(":")[2])

    def resident(self) -> float:
        """Its memory, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1000

    def comes_back(self, limit: float, patience: float) -> float:
        """Its memory as soon as that is below a limit, or after so many seconds; MB."""
        until = time.monotonic() + patience
        while (found := self.resident()) > limit and time.monotonic() < until:
            time.sleep(0.1)
        return found

    def complaints(self) -> list[str]:
        """The errors of its log."""
        return errors(self.node.log())


@contextmanager
def opened(folder: Path, sections: Sections, furnish: Furnish, url: str = "") -> Iterator[Place]:
    """A dialer of that configuration, whose database `furnish` fills: the empty one at `url`, or a file. It is gone
    afterwards."""
    url = url or sqlite_url(folder / "dialer.db")
    upgrade(url)

    async def fill(database: Database) -> None:
        await furnish(Seeds(database, datetime.now(UTC)))

    with_database(url, fill)
    endpoint, records = f"tcp:0:interface={LOCAL}", lasting_port()
    here: Sections = {
        "database": {"url": url},
        "outbound": {"endpoint": endpoint},
        "cdr": {"endpoint": f"tcp:{records}:interface={LOCAL}", "password": RECORDS[1]},
    }
    whole = {**here, **sections, "http": {"endpoint": endpoint, **sections.get("http", {})}}
    node = Node.create("dialer", folder, whole)
    node.start()
    try:
        until = time.monotonic() + START
        while not node.is_ready():
            assert not node.died_by_itself() and time.monotonic() < until, node.last_words()
            time.sleep(0.02)
        yield Place(node, url, records)
    finally:
        if node.alive:
            node.kill()
