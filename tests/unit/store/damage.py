"""A database with a campaign of four contacts, and the ways in which it can be damaged from outside."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade

AT = "2026-11-23 10:00:00.000000"

CAMPAIGN = f"""
INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at)
    VALUES (1, 'ann', '', 0, 1, '{AT}');
INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, status,
    created_at, updated_at) VALUES (1, 'carrier', '', 'LOCAL', '', '', '', '', '', 1, '{AT}', '{AT}');
INSERT INTO voip_app (id, name, description, type, data, created_at, updated_at)
    VALUES (1, 'hello', '', 2, 'a', '{AT}', '{AT}');
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, daily_start, daily_stop, monday,
    tuesday, wednesday, thursday, friday, saturday, sunday, time_zone, frequency, call_max_duration, max_retry, interval_retry,
    call_timeout, gateway_id, voip_app_id, voip_app_data, caller_id, caller_name, unknown_policy, created_at, updated_at)
    VALUES (1, 1, 'spring', '', 1, '{AT}', '{AT}', '00:00:00', '23:59:59', 1, 1, 1, 1, 1, 1, 1, 'UTC', 60, 60, 1, 300, 30,
    1, 1, '', '', '', 'retry', '{AT}', '{AT}');
INSERT INTO phonebook (id, user_id, name, description, created_at) VALUES (1, 1, 'spring', '', '{AT}');
INSERT INTO campaign_phonebook VALUES (1, 1);
"""

CONTACT = f"""
INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at,
    updated_at) VALUES (?1, 1, 1000 + ?1, '', '', '', '', '{{}}', '{AT}', '{AT}')
"""

SUBSCRIBER = f"""
INSERT INTO subscriber (id, campaign_id, contact_id, number, status, ready_at, count_attempt, count_requeue)
    VALUES (?1, 1, ?1, 1000 + ?1, 1, '{AT}', 0, 0)
"""

ATTEMPT = f"""
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, counts, duration_ms)
    VALUES (?1, 'call-' || ?1, 1, ?2, 1, 1000 + ?2, '', 1, ?3, 'here', 1, '', '{AT}', '{AT}', '{AT}', ?4, ?5, ?6, ?7, ?8)
"""


class Damaged:
    """What is done to a database behind the dialer's back. Subscribers 1 to 4 have the numbers 1001 to 1004."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "dialer.db"
        self.url = sqlite_url(self.path)
        upgrade(self.url)
        with closing(sqlite3.connect(self.path)) as connection:
            connection.executescript(CAMPAIGN)
            for key in range(1, 5):
                connection.execute(CONTACT, (key,))
                connection.execute(SUBSCRIBER, (key,))
            connection.commit()

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(statement, values).fetchall()

    def subscriber(self, key: int) -> tuple[object, ...]:
        """Status, wish, when it is ready, how many attempts count."""
        (row,) = self.sql("SELECT status, wanted_status, ready_at, count_attempt FROM subscriber WHERE id = ?", key)
        return row

    def attempt(self, key: int, subscriber: int, disposition: str = "", *, counts: int = 1) -> None:
        """An ended attempt of a disposition, or an open one, and nothing else."""
        end = (AT, "X", disposition, counts, 0) if disposition else (None,) * 5
        self.sql(ATTEMPT, key, subscriber, "ended" if disposition else "planned", *end)

    def call(self, key: int, subscriber: int) -> None:
        """An open attempt, as a dialer leaves it."""
        self.attempt(key, subscriber)
        self.sql("UPDATE subscriber SET status = 6 WHERE id = ?", subscriber)
