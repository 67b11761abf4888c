"""The grounds that tests stand on: new databases of either kind, and what another program sees and does in them.

A test that asks for the fixture `database_kind` runs once for each kind; in it, `new_database` makes databases of that kind,
and in any other test files of SQLite.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.task import deferLater

from dialer.store.connection import Dialect, Variants
from dialer.store.location import dialect_of, opened, sqlite_path, sqlite_url
from dialer.store.postgresql import TIMESTAMP_OID
from dialer.store.schema import upgrade
from dialer.store.times import from_column, to_column
from tests.postgresql import Server

KINDS = (Dialect.SQLITE, Dialect.POSTGRESQL)

on_sqlite = pytest.mark.parametrize("database_kind", [Dialect.SQLITE], indirect=True)
"""For a test of what only SQLite does, in a module whose tests run on both."""

on_postgresql = pytest.mark.parametrize("database_kind", [Dialect.POSTGRESQL], indirect=True)
"""For a test of what only PostgreSQL does."""

TABLES = (
    "installation", "user_account", "number_pattern", "gateway", "voip_app", "phonebook", "contact", "campaign",
    "campaign_phonebook", "subscriber", "attempt", "event", "event_consumer", "do_not_call", "do_not_call_list",
    "webhook", "webhook_delivery", "purged_attempts", "caller_id_pool", "caller_id", "caller_id_gateway", "caller_id_wait",
    "import_job", "switch_drain",
)  # fmt: skip
"""What is stored, but for nodes, which beat, and for the counts that triggers keep."""


@define(eq=False)
class _Ground:
    """Where new databases come from: the server, or else files."""

    server: Server | None = None
    made: list[str] = field(factory=list)


_grounds = [_Ground()]
"""The last one is stood on."""


@contextmanager
def standing_on(server: Server | None) -> Iterator[None]:
    """New databases are made there; those of a server are gone at the end."""
    ground = _Ground(server)
    _grounds.append(ground)
    try:
        yield
    finally:
        _grounds.remove(ground)
        for url in ground.made:
            assert server is not None
            server.drop_database(url)


_scratch = tempfile.TemporaryDirectory(prefix="dialer-templates-")
copies: set[str] = set()
"""The URLs of databases that were copied from one of these."""
_templates: dict[tuple[Server | None, str], str] = {}
"""Databases that are copied, because making one takes longer than most tests; by the server and what they hold."""


def new_database(folder: Path) -> str:
    """The URL of a database with the newest schema and nothing else. A file is `dialer.db` in the folder."""
    ground = _grounds[-1]
    if (ground.server, "") not in _templates:
        _templates[ground.server, ""] = _lasting_database(ground.server)
    return _copy(ground, _templates[ground.server, ""], folder)


def bare_database(folder: Path) -> str:
    """The URL of a database without a schema: a file that is not there yet, in a folder whose name is no easy one, or a new
    database of a server."""
    ground = _grounds[-1]
    if ground.server is None:
        path = folder / "a folder 100%" / "my dialer.db"
        path.parent.mkdir(parents=True)
        return sqlite_url(path)
    url = ground.server.new_database()
    ground.made.append(url)
    return url


def furnished_database(folder: Path, what: str, furnish: Callable[[str], object]) -> str:
    """The URL of a copy of what `furnish` made of a new database when it was first asked for `what`. Nobody may be connected
    to that any more."""
    ground = _grounds[-1]
    if (ground.server, what) not in _templates:
        url = _lasting_database(ground.server)
        furnish(url)
        _templates[ground.server, what] = url
    return _copy(ground, _templates[ground.server, what], folder)


async def copied_database(folder: Path, what: str, furnish: Callable[[str], Awaitable[None]]) -> str:
    """The same where it takes a reactor to furnish."""
    ground = _grounds[-1]
    if (ground.server, what) not in _templates:
        url = _lasting_database(ground.server)
        await furnish(url)
        _templates[ground.server, what] = url
    return _copy(ground, _templates[ground.server, what], folder)


def _lasting_database(server: Server | None) -> str:
    url = sqlite_url(Path(tempfile.mkdtemp(dir=_scratch.name)) / "dialer.db") if server is None else server.new_database()
    upgrade(url)
    return url


def _copy(ground: _Ground, template: str, folder: Path) -> str:
    if ground.server is None:
        path = folder / "dialer.db"
        shutil.copy(sqlite_path(template), path)
        url = sqlite_url(path)
    else:
        url = ground.server.new_database(template)
        ground.made.append(url)
    copies.add(url)
    return url


# --- what another program does ----------------------------------------------------------------------------------------------


def rows(url: str, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What a statement gives, or changes. Times are texts of one width on both kinds."""
    with opened(url) as connection:
        return rows_of(connection, statement, *values)


async def all_gone(url: str) -> None:
    """Nobody is connected to it any more: a server notices a moment later that a client has gone."""
    from twisted.internet import reactor

    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while dialect_of(url) is Dialect.POSTGRESQL and rows(url, others):
        await deferLater(reactor, 0.02)  # type: ignore[arg-type]


def rows_of(connection: Any, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """The same over a connection that is there."""
    cursor = connection.execute(statement, values)
    found = [] if cursor.description is None else _fetched(cursor)
    connection.commit()
    return found


def script(url: str, statements: str) -> None:
    """Run several statements in a transaction."""
    with opened(url) as connection:
        if connection.dialect is Dialect.SQLITE:
            connection.executescript(f"BEGIN; {statements} COMMIT;")
        else:
            connection.execute(statements)
            connection.commit()


def row(url: str, statement: str, *values: object) -> dict[str, Any]:
    """The only row that a statement gives, by the names of its columns."""
    with opened(url) as connection:
        cursor = connection.execute(statement, values)
        names = [column[0] for column in cursor.description]
        (found,) = _fetched(cursor)
        connection.commit()
    return dict(zip(names, found, strict=True))


def dump(url: str, tables: Sequence[str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is stored in these tables."""
    with opened(url) as connection:
        return dump_of(connection, tables)


def dump_of(connection: Any, tables: Sequence[str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """The same over a connection that is there."""
    return {table: sorted(_fetched(connection.execute(f"SELECT * FROM {table}")), key=repr) for table in tables}


def _fetched(cursor: Any) -> list[tuple[Any, ...]]:
    times = {place for place, column in enumerate(cursor.description) if column[1] == TIMESTAMP_OID}
    return [
        tuple(to_column(from_column(value)) if place in times and value else value for place, value in enumerate(found))
        for found in cursor.fetchall()
    ]


_BROKEN = Variants(
    sqlite="CREATE TRIGGER broken BEFORE UPDATE %s BEGIN SELECT RAISE(ABORT, 'no'); END",
    postgresql="CREATE FUNCTION break() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$; "
    "CREATE TRIGGER broken BEFORE UPDATE %s FOR EACH ROW EXECUTE FUNCTION break()",
)
_MENDED = Variants(sqlite="DROP TRIGGER broken", postgresql="DROP FUNCTION break CASCADE")


@contextmanager
def unwritable(url: str, table: str, column: str | None = None) -> Iterator[None]:
    """No row of the table can be changed, or none in that column."""
    what = f"ON {table}" if column is None else f"OF {column} ON {table}"
    kind = dialect_of(url)
    rows(url, getattr(_BROKEN, kind).replace("%s", what))
    try:
        yield
    finally:
        rows(url, getattr(_MENDED, kind))
