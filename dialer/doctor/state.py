"""What the database knows that the doctor asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen

from dialer.doctor.server import ServerFacts, read_facts
from dialer.interfaces import Now
from dialer.model import Campaign, VoipAppType
from dialer.store.catalogue import Catalogue, GatewayEntry
from dialer.store.connection import Dialect
from dialer.store.database import Database
from dialer.store.flow import Store


@frozen(kw_only=True)
class State:
    """`campaigns` are the started ones, `gateways` the active ones, `apps` the kinds of voice application that exist; `server`
    is None when the database is a file."""

    installation: str
    campaigns: tuple[Campaign, ...]
    gateways: tuple[GatewayEntry, ...]
    apps: frozenset[VoipAppType]
    server: ServerFacts | None


async def read_state(url: str, reactor: Any, now: Now) -> State:
    """Read it, beside a dialer that may be running. Fails with `DialerError`: no database, another schema, damaged."""
    database = Database(url, reactor)
    try:
        await database.start()
        catalogue = Catalogue(database)
        snapshot = await Store(database, reactor, node="doctor").snapshot()
        gateways = await catalogue.gateways()
        apps = await catalogue.voip_apps()
        is_server = database.dialect is Dialect.POSTGRESQL
        server = await database.run(lambda connection: read_facts(connection, now)) if is_server else None
    finally:
        await database.stop()
    return State(
        installation=database.installation_id,
        campaigns=snapshot.campaigns,
        gateways=tuple(gateway for gateway in gateways if gateway.status),
        apps=frozenset(app.type for app in apps),
        server=server,
    )


def dialling_process(database: Path) -> int | None:
    """The process that dials with a SQLite file; None when there is none, or it cannot be told.

    The kernel's list is read, rather than the lock tried: a dialer that starts at that moment must get it.
    """
    try:
        inode = str(Path(f"{database.resolve()}.lock").stat().st_ino)
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return None
    for line in locks.splitlines():
        # 1: FLOCK ADVISORY WRITE 1234 08:01:5678 0 EOF; what waits for a lock has "->" in the second place.
        match line.split():
            case [_, "FLOCK", _, _, holder, where, *_] if where.rpartition(":")[2] == inode and holder.isdigit():
                return int(holder) or None
            case _:
                continue
    return None
