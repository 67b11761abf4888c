"""PostgreSQL as the store sees it: a connection that takes the statements of SQLite, and Pony's provider on top of it.

psycopg2 puts parameters into the text itself, so a text parameter becomes an untyped literal, which PostgreSQL reads as what
the place needs: a time is compared and stored as a time although it travels as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final

import psycopg2
from pony.orm.dbapiprovider import BoolConverter
from pony.orm.dbproviders.postgres import PGDatetimeConverter, PGPool, PGProvider
from psycopg2.extensions import TRANSACTION_STATUS_INERROR, new_type, register_type
from psycopg2.extensions import connection as PsycopgConnection  # noqa: N812 - a class, whatever its name
from psycopg2.extensions import cursor as PsycopgCursor  # noqa: N812
from psycopg2.extras import execute_batch

from dialer.errors import BadValue
from dialer.store.connection import Dialect, Parameters

TIMESTAMP_OID: Final = 1114
NUMERIC_OID: Final = 1700
ROWS_AT_ONCE: Final = 200
"""Rows of `executemany` in one message to the server."""

TIMEOUT: Final = 10
"""Seconds to connect, and until the kernel gives up on packets that nobody confirms."""

OPTIONS: Final = {
    "connect_timeout": TIMEOUT,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": TIMEOUT * 1000,
}
"""libpq's parameters; what the URL says comes first."""

SESSION: Final = (
    # What is answered as stored must survive a power cut, whatever the server's default is.
    "SET synchronous_commit = on",
    "SET TIME ZONE 'UTC'",
    "SET datestyle = 'ISO'",
    "SET default_transaction_isolation = 'read committed'",
    "SET client_min_messages = 'warning'",
)


@lru_cache(maxsize=512)
def _translated(statement: str) -> str:
    """`?` becomes `%s`. No statement of the product has a question mark in a literal; a percent sign is doubled where the
    driver looks for them, which it does only when there are parameters."""
    return statement.replace("%", "%%").replace("?", "%s")


class _Cursor(PsycopgCursor):
    """Counts what is written, also by entities."""

    def execute(self, query: Any, vars: Any = None) -> None:
        super().execute(query, vars)
        if self.rowcount > 0 and not self.statusmessage.startswith("SELECT"):
            self.connection.total_changes += self.rowcount

    def executemany(self, query: Any, vars_list: Any) -> None:
        super().executemany(query, vars_list)
        self.connection.total_changes += len(vars_list)


class PostgresConnection(PsycopgConnection):
    """`dialer.store.connection.Connection` on a server."""

    dialect: ClassVar[Dialect] = Dialect.POSTGRESQL
    total_changes: int = 0

    @property
    def is_undone(self) -> bool:
        """Whether a statement has failed since the transaction began: the server then takes a COMMIT for a ROLLBACK."""
        return bool(self.get_transaction_status() == TRANSACTION_STATUS_INERROR)

    def execute(self, statement: str, parameters: Parameters = ()) -> PsycopgCursor:
        """Run one statement."""
        cursor: PsycopgCursor = self.cursor()
        try:
            if parameters:
                cursor.execute(_translated(statement), tuple(parameters))
            else:
                cursor.execute(statement)
        except ValueError as error:
            raise _unstorable(error) from error
        return cursor

    def executemany(self, statement: str, rows: Sequence[Parameters]) -> None:
        """Run one statement for each row, many of them in one message."""
        if not rows:
            return
        with self.cursor() as cursor:
            try:
                execute_batch(cursor, _translated(statement), rows, ROWS_AT_ONCE)
            except ValueError as error:
                raise _unstorable(error) from error
        self.total_changes += len(rows)


def _unstorable(error: ValueError) -> BadValue:
    """Texts of PostgreSQL are UTF-8 without NUL."""
    what = "a NUL character" if "NUL" in str(error) else "half a character (a lone surrogate)"
    return BadValue("text", f"may not contain {what}")


class _TimesAsText(PGDatetimeConverter):
    """Of an entity's times, which come as text: see `prepare`."""

    def sql2py(self, value: str) -> datetime:
        return datetime.fromisoformat(value)


class _FlagsAsNumbers(BoolConverter):
    """Of an entity's flags, which are 0 and 1 on both kinds of database."""

    def py2sql(self, value: Any) -> int:
        return int(value)


_CONVERTERS: Final = {datetime: _TimesAsText, bool: _FlagsAsNumbers}


class _Pool(PGPool):
    def release(self, con: Any) -> None:
        """Pony would have the server forget the whole session after each transaction, our locks included."""
        try:
            con.rollback()
        except BaseException:
            self.drop(con)
            raise


class Provider(PGProvider):
    """Pony's provider, which never goes on with a transaction on another connection: its first half would be lost."""

    converter_classes: ClassVar[Any] = [
        (kind, _CONVERTERS.get(kind, converter)) for kind, converter in PGProvider.converter_classes
    ]

    def should_reconnect(self, exc: Exception) -> bool:
        """The runner of the transaction decides that."""
        return False

    def get_pool(self, *args: Any, **kwargs: Any) -> _Pool:
        """One connection for each thread."""
        return _Pool(self.dbapi_module, *args, **kwargs)


def connect(url: str, application: str) -> PostgresConnection:
    """A connection to the server, set up. Raises what psycopg2 raises."""
    connection: PostgresConnection = psycopg2.connect(**connect_arguments(url, application))
    try:
        prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def connect_arguments(url: str, application: str) -> dict[str, Any]:
    """The arguments of `psycopg2.connect`, Pony's pool included."""
    given = psycopg2.extensions.parse_dsn(url)
    options = {name: value for name, value in OPTIONS.items() if name not in given}
    return {
        "dsn": url,
        "connection_factory": PostgresConnection,
        "cursor_factory": _Cursor,
        "application_name": application[:63],
        **options,
    }


def prepare(connection: PostgresConnection) -> None:
    """Set a new connection up: times come as text, sums as integers."""
    register_type(new_type((TIMESTAMP_OID,), "TIME", _text), connection)
    register_type(new_type((NUMERIC_OID,), "COUNT", _count), connection)
    connection.set_client_encoding("UTF8")
    with connection.cursor() as cursor:
        cursor.execute("; ".join(SESSION))
    connection.commit()


def _text(value: str | None, _: object) -> str | None:
    return value


def _count(value: str | None, _: object) -> int | None:
    return None if value is None else int(value)
