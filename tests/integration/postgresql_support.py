"""Databases with the schema for PostgreSQL, empty or with a row in every table, and what asks and changes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2
import pytest

from dialer.store.connection import Dialect
from dialer.store.schema import upgrades
from tests.postgresql import Server
from tests.seeding import LISTED, SEED
from tests.unit.store.test_schema import EVENTS

Rows = list[tuple[Any, ...]]


def statements() -> Iterator[str]:
    for step in upgrades(Dialect.POSTGRESQL):
        yield step.sql


@pytest.fixture(scope="module")
def schema(postgres_server: Server) -> Iterator[str]:
    """The URL of a database with the newest schema; tests take copies."""
    url = postgres_server.new_database()
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements():
            cursor.execute(statement)
        connection.commit()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture(scope="module")
def furnished(postgres_server: Server, schema: str) -> Iterator[str]:
    """The same with a row in every table."""
    url = postgres_server.new_database(template=schema)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(SEED + EVENTS + LISTED)
        for table in ("campaign", "contact", "subscriber", "attempt"):
            cursor.execute(f"ALTER TABLE {table} ALTER id RESTART WITH 10")
        connection.commit()
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def database(postgres_server: Server, furnished: str) -> Iterator[str]:
    """A furnished one for a test to change."""
    url = postgres_server.new_database(template=furnished)
    yield url
    postgres_server.drop_database(url)


@contextmanager
def connected(url: str) -> Iterator[Any]:
    """A cursor in a transaction; nobody waits for a lock for long."""
    with closing(psycopg2.connect(url, options="-c lock_timeout=2s")) as connection, connection.cursor() as cursor:
        yield cursor


def ask(url: str, statement: str) -> Rows:
    with connected(url) as cursor:
        cursor.execute(statement)
        rows: Rows = cursor.fetchall()
    return rows


def change(url: str, *changes: str) -> None:
    with connected(url) as cursor:
        for statement in changes:
            cursor.execute(statement)
        cursor.connection.commit()
