"""Millions of finished contacts, put into a SQLite file fast: each was called once, and answered."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from dialer.store.statistics import COUNT_AGAIN
from dialer.store.times import to_column

FIRST = 49_300_000_000
"""The first number; the others follow it, so that rows go to the ends of all indexes."""

_N = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
_FILL = f"""
{_N} INSERT INTO contact (id, phonebook_id, number, identity, first_name, last_name, email, description, additional_vars,
    created_at, updated_at)
    SELECT :contact + i, (SELECT min(phonebook_id) FROM campaign_phonebook WHERE campaign_id = :campaign + i % :campaigns),
    '+' || (:first + i), CAST(:first + i AS TEXT), 'Ana', 'Berg', '', '', '{{}}', :now, :now FROM n;
{_N} INSERT INTO subscriber (id, campaign_id, contact_id, number, identity, status, count_attempt, free_retries,
    last_attempt_at) SELECT :subscriber + i, :campaign + i % :campaigns, :contact + i, '+' || (:first + i),
    CAST(:first + i AS TEXT), 5, 1, 0, :now FROM n;
{_N} INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string,
    number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition,
    counts_as_attempt, reason, duration_ms, talk_ms)
    SELECT :attempt + i, 'finished-' || i, :campaign + i % :campaigns, :subscriber + i, 1, '+' || (:first + i),
    CAST(:first + i AS TEXT), 'x', 1, 'ended', 'here', 1, '',
    strftime('%Y-%m-%d %H:%M:%f', :now, '-' || (:count - i) || ' seconds') || '000', :now, :now, :now, 'NORMAL_CLEARING',
    'ANSWERED', 1, 'reached', 36000, 31000 FROM n
"""
_COUNTS = (
    "INSERT OR REPLACE INTO subscriber_count (campaign_id, status, subscribers) "
    "SELECT campaign_id, status, count(*) FROM subscriber GROUP BY campaign_id, status"
)


def add_finished(path: Path, number: int, now: datetime, campaigns: int = 1, first_campaign: int = 1) -> None:
    """So many more in the campaigns, which follow each other, of a file that nobody uses meanwhile. What triggers count is
    counted at the end."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        last = {
            f"{table}": connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
            for table in ("contact", "subscriber", "attempt")
        }
        values = {
            **last,
            "count": number,
            "campaign": first_campaign,
            "campaigns": campaigns,
            "first": FIRST,
            "now": to_column(now - timedelta(hours=1)),
        }
        connection.execute("BEGIN")
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for statement in _FILL.split(";"):
            connection.execute(statement, values)
        for _, definition in triggers:
            connection.execute(definition)
        connection.execute(_COUNTS)
        connection.execute(COUNT_AGAIN.sqlite)
        connection.execute("COMMIT")
