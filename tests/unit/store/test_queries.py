"""What the scheduler asks is answered by indexes, and its price does not grow with what is finished."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from dialer.store import (
    blocked,
    call_records,
    consumers,
    contact_list,
    contacts,
    events,
    held,
    may_call,
    node_statements,
    previews,
    purge,
    purge_calls,
    reports,
    single_calls,
    statements,
    statistics,
)
from dialer.store.call_records import RecordFilter
from dialer.store.connection import Dialect, Variants
from dialer.store.location import opened
from tests.grounds import KINDS, new_database, standing_on
from tests.seeding import SEED, T
from tests.unit.store.test_schema import EVENTS

MOMENT = datetime(2026, 11, 23, 10, tzinfo=UTC)
LATE = "2026-11-24 10:00:00.000000"


def records_walk(
    *, campaign_id: int | None = None, dialect: Dialect = Dialect.SQLITE, **given: Any
) -> tuple[str, tuple[object, ...]]:
    """A page of call records from behind a place. Attempts of one moment, of which a batch has some, are looked at in vain."""
    place = (LATE if given.get("newest_first") else T, 1)
    text, values = call_records.walk(RecordFilter(campaign_id=campaign_id, **given), place, campaign_id, dialect)
    return text, (*values, 20)


QUERIES: dict[str, tuple[str | Variants, tuple[object, ...]]] = {
    "started campaigns": (statements.STARTED_CAMPAIGNS, ()),
    "ready campaigns": (statements.READY_CAMPAIGNS, (LATE,)),
    "started among": (statements.started_among(2), (1, 2)),
    "ready": (statements.READY, (*may_call.moments(LATE), 1, 5, 0, LATE, 20)),
    "retries": (statements.READY, (*may_call.moments(LATE), 1, 5, 1, LATE, 20)),
    "lanes": (statements.LANES, (1, 1, 1, LATE, 1, LATE)),
    "counts": (statements.COUNTS, (1,)),
    "progress": (reports.PROGRESS, (1, 1, 1, 1)),
    "held": (statements.HELD, (1,)),
    "hold": (blocked.HOLD, (LATE, "x", "do-not-call", 1000)),
    "recheck": (held.RECHECK, ()),
    "release some": (held.RELEASE_SOME, (1, 100)),
    "release contact": (held.RELEASE_CONTACT, (1000,)),
    "time zones": (held.time_zones(3), (1000, 1001, 10002)),
    "history": (held.history(3), ("1000", "10001", "10002", T)),
    "started page": (statements.STARTED_PAGE, (0, 100)),
    "counts of started": (reports.COUNTS_OF_STARTED, (0, 100)),
    "first ready": (reports.FIRST_READY, (0, 100)),
    "subscriber": (reports.SUBSCRIBER, (1, "100")),
    "subscribers": (reports.SUBSCRIBERS, (1, "100", 10)),
    "last of some subscribers": (reports.LAST_OF_SUBSCRIBERS, (1, "100", 20)),
    "subscribers by status": (reports.subscribers_between(2), (1, "2", "300", 1, 6)),
    "outcomes": (reports.OUTCOMES, (1, "100", 20)),
    "contacts of a number": (contact_list.OF_IDENTITIES, ('["100"]', 1, 0, 0, 0)),
    "contacts of a reference": (contact_list.OF_REFERENCE, ("x", 1, 0, 0, 0)),
    "previewed contacts": (previews.CANDIDATES, ("[1, 2, 1000]", 1)),
    "calls that a preview counts": (previews.EARLIER, ('["100", "1000"]', T)),
    "end of a part of a preview": (previews.LAST_OF_SOME, (1, "100", 20)),
    "waiting": (statements.WAITING, (1, LATE)),
    "claimable": (statements.claimable(3), (*may_call.moments(LATE), LATE, 1, 2, 3)),
    "claim": (statements.claim(3), (1, 2, 3)),
    "forbid": (statements.forbid(3), ("consent", 1, 2, 3)),
    "blocked among": (may_call.blocked_among(3), (*may_call.moments(LATE), LATE, LATE, 1, 2, 3)),
    "refuse": (statements.refuse(3), ("x", "consent", 1, 2, 3)),
    "advance campaign": (statements.ADVANCE_CAMPAIGN, (LATE, 1, LATE)),
    "advance gateway": (statements.ADVANCE_GATEWAY, (LATE, 1, LATE)),
    "move": (statements.MOVE, ("ringing", T, None, None, None, None, 1, "here")),
    "end attempt": (statements.END_ATTEMPT, (T, "X", "BUSY", 1, "", *[None] * 6, 0, 0, 0, 0, "{}", 1, "here")),
    "settle subscriber": (statements.SETTLE_SUBSCRIBER, (5, 5, None, 1, 1, T, None, 2)),
    "open attempts": (statements.OPEN_ATTEMPTS, ("here",)),
    "events": (events.AFTER, (1000, 10)),
    "last event": (events.LAST, ()),
    "advance consumer": (consumers.ADVANCE, (1, "c", "", 1)),
    "set status": (contacts.SET_STATUS, (2, 2, T, 2, 2, 2, 2, 1, "100")),
    "begin second leg": (statements.BEGIN_SECOND_LEG, (1, "call-1", "here")),
    "end second leg": (statements.END_SECOND_LEG, ("call-1", "here")),
    "known calls": (statements.open_among(2), ("call-1", "call-10001")),
    "known contacts": (contacts.KNOWN, (1, '["100", "200"]')),
    "record": (statements.RECORDED_ATTEMPT, ("call-10001",)),
    "buckets": (statistics.BUCKETS, (1, *statistics.FIRST, 1000)),
    "live calls": (statistics.LIVE, (1,)),
    "recent calls": (statistics.RECENT, (1, 1, 5, T)),
    "last ready": (statistics.LAST_READY, (1,)),
    "call no more": (statements.CALL_NO_MORE, (4, 1000, 4, 5)),
    "records": records_walk(),
    "records, newest first": records_walk(newest_first=True),
    "records of a campaign": records_walk(campaign_id=1),
    "records of a number": records_walk(identity="200"),
    "records of a span": records_walk(since=MOMENT, until=MOMENT, disposition="BUSY", answered=False),
    "records of a campaign's span": records_walk(campaign_id=1, until=MOMENT, newest_first=True, cause="X"),
    "records by id": (call_records.THESE, ("[1, 10001, 10002]",)),
    "more campaigns than are merged": (call_records.HAS_MORE, (2, 1000)),
    "one record": (call_records.ONE, ("call-10001", True, 1)),
    "oldest records": (purge.NEXT, (0, 20)),
    "oldest calls": (purge_calls.NEXT, (T, 20)),
    "calls with records": (purge_calls.recorded(2), (1000, 1001)),
    "ids of calls": (single_calls.IDS_OF_USER, (1, 1000, 20)),
    "calls within a minute": (single_calls.WITHIN, (1, T, LATE)),
    "calls awake beside": (single_calls.AWAKE_BESIDE, (LATE, T, 1000, 500)),
    "calls awake behind": (single_calls.AWAKE_BEHIND, (LATE, T, LATE, 500)),
    "end calls": (single_calls.end(2), (LATE, 1000, 1001)),
}
OF_SQLITE = {"adopt": (statements.ADOPT_OPEN, ("there", "there"))}
ON_SERVER = Dialect.POSTGRESQL
OF_POSTGRESQL = {
    "records of a campaign there": records_walk(campaign_id=1, dialect=ON_SERVER),
    "records of a campaign's span there": records_walk(campaign_id=1, since=MOMENT, newest_first=True, dialect=ON_SERVER),
    "records of a campaign that has none": records_walk(campaign_id=10_100, dialect=ON_SERVER),
    "first records of campaigns": call_records.firsts(RecordFilter(user_id=2), None, ON_SERVER),
    "lock campaign": (statements.LOCK_CAMPAIGN, (1,)),
    "lock gateways": (statements.lock_gateways(2), (1, 2)),
    "open of campaign": (statements.OPEN_OF_CAMPAIGN, (1,)),
    "open of gateway": (statements.OPEN_OF_GATEWAY, (1, 1)),
    "open elsewhere": (node_statements.OPEN_ELSEWHERE, ("there", "there")),
    "take over": (node_statements.TAKE_OVER, ("there", "here", ["fs1:8021"])),
    "expired nodes": (node_statements.EXPIRED, ("there", ["fs1:8021"])),
}
ASKED = [(kind, name) for kind in KINDS for name in (QUERIES | (OF_SQLITE if kind is Dialect.SQLITE else OF_POSTGRESQL))]

WANTED_WHOLE = {"pending", "campaign_started", "attempt_open_campaign", "attempt_open_owner", "attempt_open_gateway"} | {
    "attempt_second_gateway",
    "newest",
    "level",
    "campaign_recheck",
    "p",
    "found",
}
"""Indexes that hold what is started, and what is open: nothing else; the campaigns with pending subscribers, and their
priorities, found one by one; the phonebooks; and a few rows, found by an index."""

GROWING = {"campaign", "contact", "subscriber", "attempt", "event"}
"""Tables that keep what is finished."""

IN_ORDER = {
    "ready",
    "retries",
    "events",
    "subscribers",
    "last of some subscribers",
    "outcomes",
    "end of a part of a preview",
    "oldest records",
    *(name for name in QUERIES | OF_POSTGRESQL if name.startswith("records of")),
}
"""What takes the first rows of many, which must come in their order: sorting would read them all."""

UNFINISHED = f"""
WITH RECURSIVE n (i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 1399)
INSERT INTO contact SELECT i, 1, cast(i AS TEXT), '', '', '', '', '{{}}', '{T}', '{T}', cast(i AS TEXT), NULL, NULL, '', 5,
    '', NULL, NULL, NULL, '' FROM n;
INSERT INTO subscriber SELECT id, 1, id, number, 1, NULL, '{T}', id % 2, 0, NULL, number, 5 - id % 3, '{{}}', NULL, NULL, NULL
    FROM contact WHERE id BETWEEN 1000 AND 1349;
INSERT INTO subscriber SELECT id, 1, id, number, 6, NULL, '{T}', 0, 0, NULL, number, 5, '{{}}', NULL, NULL, NULL
    FROM contact WHERE id BETWEEN 1350 AND 1399;
UPDATE subscriber SET held_from = ready_at, held_by = 'x', blocked_by = 'calling-rules' WHERE id BETWEEN 1000 AND 1299;
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, identity, switch)
    SELECT id, 'call-' || id, 1, id, 1, number, 'x', 1, 'planned', 'here', 1, '', '{T}', '{T}', '{T}', number, 'fs1:8021'
    FROM subscriber WHERE id BETWEEN 1350 AND 1399;
INSERT INTO event (id, kind, version, at, sequence, call_uuid, data)
    SELECT id, 'k', 1, '{T}', 1, '', '{{}}' FROM subscriber WHERE id BETWEEN 1000 AND 1099;
INSERT INTO node (id, name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits,
    figures) VALUES (1, 'here', 1, 'h', 1, '1', '{{"fs1:8021": ""}}', 1, '{T}', '{T}', '{T}', 0, '{{}}');
"""
"""What a campaign on its way has to do, and does."""

FINISHED = f"""
WITH RECURSIVE n (i) AS (SELECT 10000 UNION ALL SELECT i + 1 FROM n WHERE i < 10000 + :count)
INSERT INTO contact SELECT i, 1, cast(i AS TEXT), '', '', '', '', '{{}}', '{T}', '{T}', cast(i AS TEXT), NULL, NULL, '', 5,
    '', NULL, NULL, NULL, '' FROM n;
INSERT INTO subscriber SELECT id, 1, id, number, 5, NULL, NULL, 1, 0, '{T}', number, 5, '{{}}', NULL, NULL, NULL FROM contact
    WHERE id >= 10000;
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, counts_as_attempt, duration_ms,
    identity)
    SELECT id, 'call-' || id, 1, id, 1, number, 'x', 1, 'ended', 'here', 1, '', '{T}', '{T}', '{T}', '{T}', 'X', 'BUSY', 1, 0,
    number
    FROM subscriber WHERE id >= 10000;
INSERT INTO event (id, kind, version, at, sequence, call_uuid, data)
    SELECT id, 'k', 1, '{T}', 1, '', '{{}}' FROM subscriber WHERE id >= 10000;
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) SELECT id, 1, 'c' || id, '', 4, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}'
    FROM contact WHERE id BETWEEN 10000 AND 10000 + :count / 10;
"""


class OnSqlite:
    """How SQLite goes about a statement."""

    slack = 20
    """Instructions more that a query may cost: trees are deeper when more is in them."""

    def __init__(self, connection: sqlite3.Connection, count: int) -> None:
        self.connection = connection
        connection.executescript("BEGIN;" + SEED + EVENTS + UNFINISHED + FINISHED.replace(":count", str(count)) + "COMMIT;")

    def objections(self, statement: str, values: tuple[object, ...], *, in_order: bool) -> list[str]:
        """What of its plan reads a table from end to end, or sorts, be it only what is unfinished."""
        plan = [row[3] for row in self.connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        assert plan
        whole = [line for line in plan if line.startswith("SCAN") and line.rpartition(" ")[2] not in WANTED_WHOLE]
        whole = [line for line in whole if "VIRTUAL TABLE" not in line]  # the list that is asked for
        return whole + [line for line in plan if "TEMP B-TREE" in line]

    def price(self, statement: str, values: tuple[object, ...]) -> int:
        """Instructions of its virtual machine."""
        steps = 0

        def step() -> int:
            nonlocal steps
            steps += 1
            return 0

        self.connection.execute("BEGIN")
        self.connection.set_progress_handler(step, 1)
        try:
            self.connection.execute(statement, values).fetchall()
        finally:
            self.connection.set_progress_handler(None, 0)
            self.connection.execute("ROLLBACK")
        return steps


class OnPostgresql:
    """How PostgreSQL goes about a statement."""

    slack = 5
    """Rows more that a query may handle: plans differ."""

    def __init__(self, connection: Any, count: int) -> None:
        self.connection = connection
        connection.execute(SEED + EVENTS + UNFINISHED + FINISHED.replace(":count", str(count)))
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")
        connection.autocommit = False
        # At this size, reading a table whole to join it may be cheaper than its index; at the size of a campaign it is not.
        connection.execute("SET enable_hashjoin = off; SET enable_mergejoin = off")
        connection.commit()

    def objections(self, statement: str, values: tuple[object, ...], *, in_order: bool) -> list[str]:
        """What of its plan reads a table that grows from end to end, or sorts what has to come in order."""
        nodes = list(self._nodes(self._explained("COSTS OFF", statement, values)))
        whole = [node for node in nodes if node.get("Relation Name") in GROWING and self._reads_all(node)]
        sorts = [node for node in nodes if in_order and node["Node Type"] in ("Sort", "Incremental Sort")]
        return [json.dumps(node) for node in whole + sorts]

    def price(self, statement: str, values: tuple[object, ...]) -> int:
        """Rows that it handles, those included that it throws away."""
        nodes = self._nodes(self._explained("ANALYZE, TIMING OFF", statement, values))
        seen = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        return round(sum(sum(node.get(rows, 0) for rows in seen) * node["Actual Loops"] for node in nodes))

    def _explained(self, options: str, statement: str, values: tuple[object, ...]) -> Any:
        found = self.connection.execute(f"EXPLAIN ({options}, FORMAT JSON) {statement}", values).fetchone()[0]
        self.connection.rollback()
        return (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]

    def _nodes(self, node: Any) -> Iterator[Any]:
        yield node
        for inner in node.get("Plans", ()):
            yield from self._nodes(inner)

    @staticmethod
    def _reads_all(node: Any) -> bool:
        if "Index Name" in node:
            return "Index Cond" not in node and node["Index Name"] not in WANTED_WHOLE
        return node["Node Type"] == "Seq Scan"


@pytest.fixture(scope="module")
def databases(request, tmp_path_factory):
    """The same state with little and with much that is finished, for each kind."""
    made = {}
    with ExitStack() as stack:
        for kind, way in zip(KINDS, (OnSqlite, OnPostgresql), strict=True):
            server = request.getfixturevalue("postgres_server") if kind is Dialect.POSTGRESQL else None
            stack.enter_context(standing_on(server))
            urls = [new_database(tmp_path_factory.mktemp("queries")) for _ in range(2)]
            made[kind] = [way(stack.enter_context(opened(url)), count) for url, count in zip(urls, (5, 5000), strict=True)]
        yield made


def asked(kind: Dialect, name: str) -> tuple[str, tuple[object, ...]]:
    statement, values = (QUERIES | OF_SQLITE | OF_POSTGRESQL)[name]
    return (statement if isinstance(statement, str) else getattr(statement, kind)), values


@pytest.mark.parametrize(("kind", "name"), ASKED)
def test_no_table_is_read_from_end_to_end(databases, kind, name):
    assert databases[kind][1].objections(*asked(kind, name), in_order=name in IN_ORDER) == []


@pytest.mark.parametrize(("kind", "name"), ASKED)
def test_the_price_does_not_grow_with_what_is_finished(databases, kind, name):
    little, much = databases[kind]
    before, after = (database.price(*asked(kind, name)) for database in (little, much))
    assert before > 0
    assert after <= before + little.slack


OTHER_CAMPAIGN = f"""
INSERT INTO campaign (id, user_id, name, description, status, starting_at, expires_at, frequency, max_retry, gateway_id,
    voip_app_id, created_at, updated_at) VALUES (2, 1, 'other', '', 4, '{T}', '{T}', 10, 3, 1, 1, '{T}', '{T}');
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, counts_as_attempt, duration_ms,
    identity) SELECT 1000 + i, 'call-' || i, 1, 1, 1, '100', 'x', 1, 'ended', 'here', 1, '',
    timestamp '{T}' - i * interval '1 s', '{T}', '{T}', '{T}', 'X', 'BUSY', 1, 0, '100' FROM generate_series(1, 10000) i;
ANALYZE
"""


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("after", [None, ("2026-11-23 09:00:00.000000", 4000)])
def test_a_server_looks_for_the_records_of_a_campaign_in_its_index_alone(postgres_server, tmp_path, newest_first, after):
    with standing_on(postgres_server), opened(new_database(tmp_path)) as connection:
        connection.execute(SEED + OTHER_CAMPAIGN)
        connection.commit()
        text, values = call_records.firsts(RecordFilter(user_id=1, newest_first=newest_first), after, ON_SERVER)
        plan = "\n".join(row[0] for row in connection.execute(f"EXPLAIN {text}", values))
        assert "attempt_campaign" in plan
        assert "attempt_planned" not in plan
        assert [row[3] for row in connection.execute(text, values).fetchall()] == [1]
