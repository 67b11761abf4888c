"""A database with a campaign of four contacts, on either kind of database, and the ways in which it can be damaged from
outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from attrs import define

from dialer.store.connection import Dialect
from dialer.store.location import dialect_of, opened, sqlite_path
from dialer.store.node_statements import CLOCK
from dialer.store.schema import upgrade
from dialer.store.times import to_column
from tests.grounds import furnished_database
from tests.postgresql import Server

AT = to_column(datetime.now(UTC))
"""When everything in the database happened: a server goes by its own clock."""

CAMPAIGN = f"""
INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at)
    VALUES (1, 'ann', '', 0, 1, '{AT}');
INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status,
    created_at, updated_at) VALUES (1, 'carrier', '', 'LOCAL', '', '', '', '', '', 1, '{AT}', '{AT}');
INSERT INTO voip_app (id, name, description, type, data, created_at, updated_at)
    VALUES (1, 'hello', '', 2, 'a', '{AT}', '{AT}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) VALUES (1, 1, 'spring', '', 1, '{AT}', '{AT}', 60, 1, 1, 1, '{AT}', '{AT}');
INSERT INTO gateway_user (gateway_id, user_id) VALUES (1, 1);
INSERT INTO user_voip_app (user_id, voip_app_id) VALUES (1, 1);
INSERT INTO phonebook (id, user_id, name, description, created_at) VALUES (1, 1, 'spring', '', '{AT}');
INSERT INTO campaign_phonebook VALUES (1, 1);
INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits,
    figures) VALUES ('here', 1, 'host', 4711, '1.0', '{{"fs1:8021": ""}}', 1, '{AT}', '{AT}', '{AT}', 0, '{{}}');
"""

CONTACT = f"""
INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at,
    updated_at, identity) VALUES (?, 1, ?, '', '', '', '', '{{}}', '{AT}', '{AT}', ?)
"""

SUBSCRIBER = f"""
INSERT INTO subscriber (id, campaign_id, contact_id, number, status, ready_at, count_attempt, free_retries, identity)
    VALUES (?, 1, ?, ?, 1, '{AT}', 0, 0, ?)
"""

ATTEMPT = f"""
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, owner,
    epoch, core_uuid, planned_at, due_at, deadline, state, ended_at, cause, disposition, counts_as_attempt, duration_ms,
    identity, switch)
    VALUES (?, ?, 1, ?, 1, ?, '', ?, 'here', 1, '', '{AT}', '{AT}', '{AT}', ?, ?, ?, ?, ?, ?, ?, 'fs1:8021')
"""


@define
class Damaged:
    """What is done to a database behind the dialer's back. Subscribers 1 to 4 have the numbers 1001 to 1004."""

    url: str

    @classmethod
    def in_file(cls, folder: Path) -> Damaged:
        """A new one in a SQLite file."""
        return cls(furnished_database(folder, "to be damaged", lambda url: cls(url).furnish()))

    @classmethod
    @contextmanager
    def on_server(cls, server: Server) -> Iterator[Damaged]:
        """A new one on a PostgreSQL server, gone at the end."""
        url = server.new_database(_template(server))
        try:
            here = cls(url)
            # The template is as old as the suite has run, and the audit tells nodes that were not heard of for ten minutes.
            here.sql(f"UPDATE node SET started_at = {CLOCK}, seen_at = {CLOCK}, lease_until = {CLOCK}")
            yield here
        finally:
            server.drop_database(url)

    @property
    def dialect(self) -> Dialect:
        return dialect_of(self.url)

    @property
    def path(self) -> Path:
        return sqlite_path(self.url)

    def furnish(self) -> None:
        for statement in CAMPAIGN.split(";\n"):
            if statement.strip():
                self.sql(statement)
        for key in range(1, 5):
            self.sql(CONTACT, key, str(1000 + key), str(1000 + key))
            self.sql(SUBSCRIBER, key, key, str(1000 + key), str(1000 + key))

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """To a file without any of the guards that a dialer asks for."""
        if self.dialect is Dialect.SQLITE:
            with closing(sqlite3.connect(self.path)) as connection:
                yield connection
        else:
            with opened(self.url) as connection:
                yield connection

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with self.connected() as connection:
            cursor = connection.execute(statement, values)
            rows = cursor.fetchall() if cursor.description else []
            connection.commit()
            return rows

    def subscriber(self, key: int) -> tuple[Any, ...]:
        """Status, wish, when it is ready, how many attempts count."""
        (row,) = self.sql("SELECT status, requested_status, ready_at, count_attempt FROM subscriber WHERE id = ?", key)
        return row

    def attempt(self, key: int, subscriber: int, disposition: str = "", *, counts: int = 1, number: int = 1) -> None:
        """An ended attempt of a disposition, or an open one, and nothing else."""
        end = ("ended", AT, "X", disposition, counts, 0) if disposition else ("planned", *(None,) * 5)
        self.sql(ATTEMPT, key, f"call-{key}", subscriber, str(1000 + subscriber), number, *end, str(1000 + subscriber))

    def call(self, key: int, subscriber: int) -> None:
        """An open attempt, as a dialer leaves it."""
        self.attempt(key, subscriber)
        self.sql("UPDATE subscriber SET status = 6 WHERE id = ?", subscriber)

    def miscount(self, status: int, subscribers: int) -> None:
        """Keep a wrong count of the subscribers with a status."""
        if self.dialect is Dialect.SQLITE:
            self.sql("UPDATE subscriber_count SET subscribers = ? WHERE status = ?", subscribers, status)
        else:
            self.sql("DELETE FROM subscriber_count_part WHERE status = ?", status)
            self.sql("INSERT INTO subscriber_count_part VALUES (1, ?, 7, ?)", status, subscribers)

    def statistics(self) -> list[tuple[Any, ...]]:
        """All that is counted of attempts."""
        return self.sql("SELECT * FROM attempt_count WHERE attempts <> 0 ORDER BY disposition, purged")

    def miscount_attempts(self, disposition: str, attempts: int) -> None:
        """Keep a wrong count of the attempts that are there and have ended so."""
        table = "attempt_count" if self.dialect is Dialect.SQLITE else "attempt_count_part"
        self.sql(f"UPDATE {table} SET attempts = ? WHERE disposition = ? AND purged = 0", attempts, disposition)

    def forget_attempts(self) -> None:
        """Lose all that was counted of attempts."""
        self.sql(f"DELETE FROM {'attempt_count' if self.dialect is Dialect.SQLITE else 'attempt_count_part'}")


@cache
def _template(server: Server) -> str:
    here = Damaged(server.new_database())
    upgrade(here.url)
    here.furnish()
    return here.url
