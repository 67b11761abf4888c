"""The difference of two schemas: the parts that a database lacks, or has otherwise.

The schema that it must have is the one that the upgrades make: in a database in memory for SQLite, in a schema that is never
committed for PostgreSQL, whose own descriptions of both are compared. Objects beyond that are the business of the database's
owner.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any, Final

from dialer.errors import StoreError
from dialer.store.connection import Dialect
from dialer.store.faults import is_database_error
from dialer.store.schema import upgrades

_OF_SQLITE: Final = "SELECT '', '', name, sql FROM sqlite_master WHERE sql IS NOT NULL"

_OF_POSTGRESQL: Final = """
WITH here AS (SELECT ?::regnamespace AS nsp), tables AS (
    SELECT c.oid, c.relname, c.relkind FROM pg_class c, here WHERE c.relnamespace = here.nsp AND c.relkind IN ('r', 'p', 'v')
)
SELECT 'table', '', relname, 'there' FROM tables WHERE relkind <> 'v'
UNION ALL
SELECT 'view', '', relname, pg_get_viewdef(oid) FROM tables WHERE relkind = 'v'
UNION ALL
SELECT 'column', t.relname, a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> y.typcollation THEN 'COLLATE ' || l.collname END,
    CASE WHEN a.attnotnull THEN 'NOT NULL' END, a.attidentity::text, pg_get_expr(d.adbin, d.adrelid))
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type y ON y.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
LEFT JOIN pg_attrdef d ON d.adrelid = t.oid AND d.adnum = a.attnum WHERE t.relkind <> 'v'
UNION ALL
SELECT 'constraint', t.relname, k.conname, pg_get_constraintdef(k.oid)
FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'index', t.relname, c.relname, pg_get_indexdef(i.indexrelid) || CASE WHEN i.indisvalid THEN '' ELSE ' (invalid)' END
FROM tables t JOIN pg_index i ON i.indrelid = t.oid JOIN pg_class c ON c.oid = i.indexrelid
UNION ALL
SELECT 'trigger', t.relname, g.tgname, pg_get_triggerdef(g.oid) || ' ' || g.tgenabled::text
FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid AND NOT g.tgisinternal
UNION ALL
SELECT 'function', '', p.proname, pg_get_functiondef(p.oid) FROM pg_proc p, here WHERE p.pronamespace = here.nsp
"""
"""Parameter: the schema. To be asked where that is not on the search path: then its name stands before all that is in it."""

Part = tuple[str, str, str]
"""Its kind, the table that it belongs to ("" for none), its name."""

_BESIDE: Final = "dialer_check"
"""The schema for comparison. It is in nobody's way: no other transaction ever sees it."""


class CannotCompare(StoreError):
    """The schema cannot be compared; the text says why."""


def differences(connection: Any) -> list[str]:
    """The parts that are missing or differ, one text each. In a transaction, which has to be rolled back on a server. Raises
    `CannotCompare`."""
    expected, present = (_of_sqlite if connection.dialect is Dialect.SQLITE else _of_postgresql)(connection)
    return sorted(
        f"{_named(part)} {'differs' if part in present else 'is missing'}"
        for part, definition in expected.items()
        if present.get(part) != definition and (not part[1] or ("table", "", part[1]) in present)
    )


def _named(part: Part) -> str:
    kind, table, name = part
    return f"{kind} {name}".strip() + (f" of {table}" if table else "")


def _of_sqlite(connection: Any) -> tuple[Mapping[Part, str], Mapping[Part, str]]:
    with closing(sqlite3.connect(":memory:")) as fresh:
        for step in upgrades():
            fresh.executescript(step.sql)
        return _read(fresh.execute(_OF_SQLITE)), _read(connection.execute(_OF_SQLITE))


def _of_postgresql(connection: Any) -> tuple[Mapping[Part, str], Mapping[Part, str]]:
    (schema,) = connection.execute(
        "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.oid = 'schema_version'::regclass"
    ).fetchone()
    try:
        connection.execute(f"CREATE SCHEMA {_BESIDE}")
    except Exception as error:
        if not is_database_error(error):
            raise
        reason = " ".join(str(error).split())
        raise CannotCompare(
            f"the parts of the schema were not compared, for which a schema would have to be made and thrown away: {reason}"
        ) from error
    connection.execute(f"SET LOCAL search_path = {_BESIDE}")
    for step in upgrades(Dialect.POSTGRESQL):
        connection.execute(step.sql)
    connection.execute("SET LOCAL search_path = pg_catalog")
    return _parts(connection, _BESIDE), _parts(connection, schema)


def _parts(connection: Any, schema: str) -> Mapping[Part, str]:
    (quoted,) = connection.execute("SELECT quote_ident(?)", (schema,)).fetchone()
    found = _read(connection.execute(_OF_POSTGRESQL, (quoted,)))
    return {part: _plain(part, definition.replace(f"{quoted}.", "")) for part, definition in found.items()}


def _plain(part: Part, definition: str) -> str:
    """A condition that was dumped and restored has fewer parentheses than the one that was written."""
    return definition if part[0] == "function" else re.sub(r"[()\s]+", "", definition)


def _read(rows: Iterable[tuple[str, str, str, str]]) -> Mapping[Part, str]:
    return {(kind, table, name): definition for kind, table, name, definition in rows}
