"""The schema for PostgreSQL is the one for SQLite, said in another dialect."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.integration.postgresql_support import Rows, ask, connected, furnished, schema
from tests.seeding import LISTED, SEED, T
from tests.unit.store.test_schema import EVENTS, REFUSED

__all__ = ["furnished", "schema"]

OF_SQLITE_ONLY = {"UPDATE campaign SET starting_at = '2026-11-23'"}
"""A time that is no text has one form only."""

MORE_REFUSED = [
    f"INSERT INTO user_account VALUES (9, 'ann', '', 0, 1, NULL, NULL, NULL, NULL, NULL, NULL, '{T}', '{{}}', NULL, "
    "'operator')",
    "UPDATE user_account SET username = ''",
    "UPDATE user_account SET username = NULL",
    "UPDATE user_account SET is_active = 2",
    "UPDATE gateway SET name = ''",
    "UPDATE gateway SET dial_string = 'loopback/1'",
    "UPDATE gateway SET hostname = ''",
    f"INSERT INTO gateway VALUES (9, 'g', '', 'SIP', 'h', '', '', '', '', NULL, NULL, NULL, 1, '{T}', '{T}', NULL, '{{}}')",
    "INSERT INTO voip_app SELECT 9, name, '', 1, NULL, '', created_at, updated_at, '{}' FROM voip_app",
    "INSERT INTO phonebook SELECT 9, user_id, name, '', created_at, '{}', NULL FROM phonebook",
    "UPDATE gateway SET rules = ''",
    "UPDATE contact SET number = '' WHERE id = 1",
    "UPDATE contact SET number = '1+' WHERE id = 1",
    "UPDATE contact SET number = '1' || char_10 WHERE id = 1",
    f"UPDATE contact SET number = '{'1' * 65}' WHERE id = 1",
    f"INSERT INTO subscriber VALUES (9, 1, 1, '100', 1, NULL, '{T}', 0, 0, NULL, '101', 5, '{{}}', NULL, NULL, NULL)",
    f"INSERT INTO subscriber VALUES (9, 1, 1, '101', 1, NULL, '{T}', 0, 0, NULL, '100', 5, '{{}}', NULL, NULL, NULL)",
    "UPDATE subscriber SET campaign_id = 2 WHERE id = 1",
    "DELETE FROM subscriber WHERE id = 2",
    "UPDATE attempt SET counts_as_attempt = 2",
    "UPDATE attempt SET epoch = 0",
    "UPDATE event SET data = '{'",
    "UPDATE event_consumer SET position = -1",
    "INSERT INTO campaign_phonebook VALUES (1, 77)",
    "INSERT INTO campaign_phonebook VALUES (1, 1), (1, 1)",
    "INSERT INTO number_pattern VALUES (1, 'greylist', '1', '1')",
    "INSERT INTO number_pattern VALUES (1, 'blacklist', '', '1')",
    "INSERT INTO number_pattern VALUES (1, 'blacklist', '1', '1%2')",
    "INSERT INTO number_pattern VALUES (1, 'blacklist', '1', '1%'), (1, 'blacklist', '1', '2%')",
    "UPDATE installation SET installation_id = ''",
]

ACCEPTED = [
    "UPDATE gateway SET dial_string = 'loopback/{number}/default', hostname = ''",
    "UPDATE user_account SET password_hash = '$argon2id$'",
    "UPDATE contact SET number = '+1*#' WHERE id = 1",
    f"UPDATE contact SET number = '{'1' * 64}' WHERE id = 1",
    'UPDATE contact SET additional_vars = \'[1, null, {"a": "\\u00e9"}]\' WHERE id = 1',
    "UPDATE subscriber SET requested_status = 2 WHERE id = 2",
    "UPDATE attempt SET session = 'null'",
    "INSERT INTO number_pattern VALUES (1, 'blacklist', '1', '1_*#%%'), (1, 'whitelist', '1', '%')",
    "INSERT INTO campaign_phonebook VALUES (1, 1)",
    "DELETE FROM event",
]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same rows in SQLite."""
    path = tmp_path_factory.mktemp("schema") / "dialer.db"
    upgrade(sqlite_url(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(SEED + EVENTS + LISTED)
    return path


def ask_sqlite(path: Path, statement: str) -> Rows:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def test_the_tables_have_the_same_columns_in_the_same_order(schema, sqlite):
    of_sqlite = {
        table: [
            (name, bool(not_null or key)) for _, name, _, not_null, _, key in ask_sqlite(sqlite, f"PRAGMA table_info({table})")
        ]
        for (table,) in ask_sqlite(sqlite, "SELECT name FROM sqlite_master WHERE type = 'table'")
        if table not in ("schema_version", "sqlite_sequence", "subscriber_count", "attempt_count", "caller_id_count")
    }
    of_postgresql: dict[str, list[tuple[str, bool]]] = {}
    for table, name, nullable in ask(
        schema,
        "SELECT table_name, column_name, is_nullable FROM information_schema.columns WHERE table_schema = 'public' "
        "AND table_name !~ '_(count(_part)?|share)$' ORDER BY table_name, ordinal_position",
    ):
        of_postgresql.setdefault(table, []).append((name, nullable == "NO"))
    assert of_postgresql == of_sqlite


def test_check_constraints_have_the_same_names_but_for_those_of_the_form_of_a_time(schema, sqlite):
    source = "\n".join(sql for (sql,) in ask_sqlite(sqlite, "SELECT sql FROM sqlite_master WHERE type = 'table'"))
    of_sqlite = set(re.findall(r"CONSTRAINT (\w+) CHECK", re.sub(r"CONSTRAINT \w+ CHECK \(length\(\w+\) = 26\)", "", source)))
    assert {name for (name,) in ask(schema, "SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0")} == {
        *of_sqlite
    }


def test_indexes_have_the_same_names_and_conditions(schema, sqlite):
    of_sqlite = ask_sqlite(
        sqlite,
        "SELECT name, sql LIKE '% UNIQUE %', sql LIKE '% WHERE %' FROM sqlite_master WHERE type = 'index' AND sql <> ''",
    )
    of_postgresql = ask(
        schema,
        "SELECT c.relname, i.indisunique::int, (i.indpred IS NOT NULL)::int FROM pg_index i "
        "JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace "
        "AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u'))",
    )
    assert sorted(of_postgresql) == sorted(of_sqlite)


def field_of_sqlite(error: sqlite3.IntegrityError) -> str | None:
    """The column that a unique constraint or a missing value names, or the name of a check."""
    kind, _, subject = str(error).partition(" constraint failed: ")
    if kind == "CHECK":
        return subject
    return subject.rpartition(".")[2] if kind in ("UNIQUE", "NOT NULL") else None


def field_of_postgresql(error: psycopg2.Error) -> str | None:
    name, table = error.diag.constraint_name or "", error.diag.table_name or ""
    if isinstance(error, psycopg2.errors.UniqueViolation):
        return name.removeprefix(f"{table}_").removesuffix("_key").removeprefix("open_")
    if isinstance(error, psycopg2.errors.CheckViolation):
        return name
    return error.diag.column_name


@pytest.mark.parametrize("statement", [one for one in (*REFUSED, *MORE_REFUSED) if one not in OF_SQLITE_ONLY])
def test_what_sqlite_refuses_is_refused_for_the_same_field(furnished, sqlite, statement):
    with closing(sqlite3.connect(sqlite, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN")
        with pytest.raises(sqlite3.IntegrityError) as by_sqlite:
            connection.execute(statement.replace("char_10", "char(10)"))
    with connected(furnished) as cursor, pytest.raises((psycopg2.IntegrityError, psycopg2.DataError)) as by_postgresql:
        cursor.execute(statement.replace("char_10", "chr(10)"))
    if isinstance(by_postgresql.value, psycopg2.errors.InvalidTextRepresentation):
        assert "type json" in str(by_postgresql.value)
    else:
        assert field_of_postgresql(by_postgresql.value) == field_of_sqlite(by_sqlite.value)


@pytest.mark.parametrize("statement", ACCEPTED)
def test_what_sqlite_accepts_is_accepted(furnished, sqlite, statement):
    with closing(sqlite3.connect(sqlite, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN")
        connection.execute(statement)
    with connected(furnished) as cursor:
        cursor.execute(statement)


def test_a_time_that_is_none_is_refused(furnished):
    with connected(furnished) as cursor, pytest.raises(psycopg2.DataError):
        cursor.execute("UPDATE campaign SET starting_at = 'soon'")


def test_text_sorts_as_in_sqlite_whatever_the_locale_of_the_database(schema):
    columns = ask(
        schema,
        "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' "
        "AND collation_name IS DISTINCT FROM 'C' AND column_name IN ('number', 'name', 'username', 'pattern', 'call_uuid')",
    )
    assert columns == []
