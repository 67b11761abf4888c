"""The upgrade from which on a call that was never dialled has shown no caller id."""

from __future__ import annotations

from pathlib import Path

import pytest

from dialer.calls.causes import OWN_CAUSES
from dialer.store import histories, overview, reports, statistics
from dialer.store.caller_id_counts import MISCOUNTED
from dialer.store.location import dialect_of, opened
from dialer.store.schema import upgrade, upgrades
from tests.grounds import bare_database, new_database, on_sqlite, rows, script
from tests.seeding import SEED, T

CALLS = """
INSERT INTO attempt (id, call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, state,
    owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, counts_as_attempt, duration_ms,
    identity, pooled_caller_id, caller_day)
    VALUES ({id}, 'call-{id}', 1, 1, 1, '1', 'x', 1, 'ended', 'here', 1, '', '{t}', '{t}', '{t}', '{t}', '{cause}', 'FAILED',
    0, 0, '1', 1, '2026-11-2{day}');
"""
POOL = f"""
INSERT INTO caller_id_pool (id, user_id, name, description, strategy, foreign_callees, time_zone, turn, created_at, updated_at)
    VALUES (1, 1, 'p', '', 'sticky', 'allow', 'UTC', 0, '{T}', '{T}');
INSERT INTO caller_id (id, pool_id, number, identity, country, name, note, warm_up_start, warm_up_days, active, created_at,
    updated_at) VALUES (1, 1, '+12125550001', '12125550001', 'US', '', '', 1, 0, 1, '{T}', '{T}');
"""
COUNTED = "SELECT day, sum(calls), sum(unsent) FROM caller_id_count GROUP BY day ORDER BY day"


def calls(first: int, *made: tuple[str, int]) -> str:
    return "".join(CALLS.format(id=first + at, cause=cause, day=day, t=T) for at, (cause, day) in enumerate(made))


def test_calls_that_were_never_dialled_count_in_no_cap_of_a_caller_id_also_earlier_ones(
    database_kind: str, tmp_path: Path
) -> None:
    url = bare_database(tmp_path)
    steps = upgrades(dialect_of(url))
    upgrade(url, [step for step in steps if step.version <= 29])
    made = calls(100, ("NEVER_DIALLED", 3), ("NEVER_DIALLED", 3), ("USER_BUSY", 3), ("LATE", 3), ("NEVER_DIALLED", 4))
    script(url, SEED + POOL + made)
    assert rows(url, COUNTED) == [("2026-11-23", 4, 1), ("2026-11-24", 1, 0)]
    assert 30 in upgrade(url, steps)
    assert rows(url, COUNTED) == [("2026-11-23", 4, 3), ("2026-11-24", 1, 1)]
    script(url, calls(200, ("NEVER_DIALLED", 4), ("USER_BUSY", 4)) + "DELETE FROM attempt WHERE id IN (100, 102);")
    assert rows(url, COUNTED) == [("2026-11-23", 4, 3), ("2026-11-24", 3, 2)]
    with opened(url) as connection:
        assert connection.execute(MISCOUNTED).fetchall() == []


def test_each_cause_of_a_call_that_was_never_made_is_one_of_these(database_kind: str, tmp_path: Path) -> None:
    url = bare_database(tmp_path)
    upgrade(url)
    script(url, SEED + POOL + calls(100, *((str(cause), 3) for cause in OWN_CAUSES)))
    (_, made, unsent) = rows(url, COUNTED)[0]
    assert (made, unsent) == (len(OWN_CAUSES), sum(not verdict.tried for verdict in OWN_CAUSES.values()))


@on_sqlite
@pytest.mark.parametrize(
    "statement",
    [
        overview.CAMPAIGNS,
        histories.CAMPAIGNS,
        reports.CAMPAIGNS_BY_STATUS,
        statistics.CONTACTS_OF_ALL,
        "SELECT c.id FROM campaign c WHERE c.archived_at IS NULL AND c.user_id = ? ORDER BY c.id DESC LIMIT 50",
    ],
)
def test_campaigns_that_are_shown_are_found_beside_any_number_of_archived_ones(
    database_kind: str, tmp_path: Path, statement: str
) -> None:
    with opened(new_database(tmp_path)) as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {statement}", (1,) * statement.count("?")).fetchall()
    assert any("USING INDEX campaign_live" in row[-1] for row in plan), plan


def test_campaigns_that_ask_for_a_consent_look_at_their_contacts_again(database_kind: str, tmp_path: Path) -> None:
    url = bare_database(tmp_path)
    steps = upgrades(dialect_of(url))
    upgrade(url, [step for step in steps if step.version <= 29])
    script(url, SEED + "UPDATE campaign SET consent = 'express';")
    upgrade(url, steps)
    assert rows(url, "SELECT recheck FROM campaign") == [(1,)]
