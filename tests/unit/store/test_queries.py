"""What the scheduler asks is answered by indexes, and its price does not grow with what is finished."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from dialer.store import contacts, outbox, statements
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.unit.store.test_schema import FURNITURE, T

LATE = "2026-11-24 10:00:00.000000"
QUERIES = {
    "started campaigns": (statements.STARTED_CAMPAIGNS, ()),
    "ready": (statements.READY, (1, LATE, 20, 0)),
    "counts": (statements.COUNTS, (1,)),
    "waiting": (statements.WAITING, (1, LATE)),
    "claimable": (statements.claimable(3).sqlite, (LATE, 1, 2, 3)),
    "claim": (statements.claim(3), (1, 2, 3)),
    "forbid": (statements.forbid(3), (1, 2, 3)),
    "advance campaign": (statements.ADVANCE_CAMPAIGN, (LATE, 1, LATE)),
    "move": (statements.MOVE, ("ringing", T, None, None, None, 1, "here")),
    "end attempt": (statements.END_ATTEMPT, (T, "X", "BUSY", 1, "", *[None] * 5, 0, 0, 0, 0, "{}", 1, "here")),
    "settle subscriber": (statements.SETTLE_SUBSCRIBER, (5, 5, None, 1, 1, T, 2)),
    "adopt": (statements.ADOPT_OPEN, ("there", "there")),
    "open attempts": (statements.OPEN_ATTEMPTS, ("here",)),
    "outbox": (outbox.DUE, (LATE, 10)),
    "settle outbox": (outbox.SETTLE, ("delivered", T, "", 1)),
    "set status": (contacts.SET_STATUS, (2, 2, T, 2, 1, "100")),
    "known calls": (statements.open_among(2), ("call-1", "call-10001")),
    "known contacts": (statements.contacts_among(2), (1, "100", "200")),
}
WHOLE_INDEX_IS_WANTED = {"SCAN c USING INDEX campaign_started", "SCAN attempt USING INDEX attempt_open_campaign"}
"""These indexes hold what is started, and what is open: nothing else."""

FINISHED = f"""
WITH RECURSIVE n (i) AS (SELECT 10000 UNION ALL SELECT i + 1 FROM n WHERE i < 10000 + :count)
INSERT INTO contact SELECT i, 1, cast(i AS TEXT), '', '', '', '', '{{}}', '{T}', '{T}' FROM n;
INSERT INTO subscriber SELECT id, 1, id, number, 5, NULL, NULL, 1, 0, '{T}' FROM contact WHERE id >= 10000;
INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, counts, duration_ms)
    SELECT 'call-' || id, 1, id, 1, number, 'x', 1, 'ended', 'here', 1, '', '{T}', '{T}', '{T}', '{T}', 'X', 'BUSY', 1, 0
    FROM subscriber WHERE id >= 10000;
INSERT INTO outbox (kind, campaign_id, payload, status, tries, created_at, due_at, settled_at, last_error)
    SELECT 'k', 1, '{{}}', 'delivered', 1, '{T}', '{T}', '{T}', '' FROM subscriber WHERE id >= 10000;
INSERT INTO campaign SELECT id, 1, 'c' || id, '', 4, '{T}', '{T}', '00:00:00', '23:59:59', 1, 1, 1, 1, 1, 1, 1, 'UTC', 10,
    1800, 3, 300, 45, 1, 1, '', '', '', 'retry', NULL, NULL, '{T}', '{T}'
    FROM contact WHERE id BETWEEN 10000 AND 10000 + :count / 10;
"""


@pytest.fixture(scope="module")
def databases(tmp_path_factory):
    """The same state with little and with much that is finished."""
    opened = []
    for count in (5, 5000):
        path = tmp_path_factory.mktemp("queries") / "dialer.db"
        upgrade(sqlite_url(path))
        connection = sqlite3.connect(path, isolation_level=None)
        connection.executescript("BEGIN;" + FURNITURE + FINISHED.replace(":count", str(count)) + "COMMIT;")
        opened.append(connection)
    yield opened
    for connection in opened:
        connection.close()


def price(connection: sqlite3.Connection, statement: str, values: tuple[object, ...]) -> int:
    """Instructions of SQLite's virtual machine."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.execute("BEGIN")
    connection.set_progress_handler(step, 1)
    try:
        connection.execute(statement, values).fetchall()
    finally:
        connection.set_progress_handler(None, 0)
        connection.execute("ROLLBACK")
    return steps


@pytest.mark.parametrize("name", QUERIES)
def test_no_table_is_read_from_end_to_end(databases, name):
    statement, values = QUERIES[name]
    with closing(databases[0].execute(f"EXPLAIN QUERY PLAN {statement}", values)) as rows:
        plan = [row[3] for row in rows]
    assert plan
    assert [line for line in plan if line.startswith("SCAN") and line not in WHOLE_INDEX_IS_WANTED] == []
    assert [line for line in plan if "TEMP B-TREE" in line] == []


@pytest.mark.parametrize("name", QUERIES)
def test_the_price_does_not_grow_with_what_is_finished(databases, name):
    little, much = (price(connection, *QUERIES[name]) for connection in databases)
    assert little > 0
    assert much <= little + 20
