"""Gateways and caller ids are chosen together: a pool that has no number for one gateway leaves the call to the next one."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from tests.flow.played import Played, playing

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = "2026-11-24"


def furnish(played: Played, contacts: int = 6) -> None:
    """The gateway g, whose failover is h, and a pool."""
    played.rows.sql("UPDATE campaign SET caller_id_pool_id = NULL")
    played.rows.sql(
        "INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, "
        "status, created_at, updated_at) SELECT 2, 'h', description, protocol, hostname, 'sofia/gateway/h/{number}', "
        "removeprefix, '00', addparameter, status, created_at, updated_at FROM gateway WHERE id = 1"
    )
    played.rows.sql("UPDATE gateway SET failover_id = 2 WHERE id = 1")
    day = f"{DAY} 00:00:00.000000"
    played.rows.sql(
        "INSERT INTO caller_id_pool (id, user_id, name, description, strategy, foreign_callees, time_zone, turn, created_at, "
        "updated_at) VALUES (1, 1, 'sales', '', 'sticky', 'allow', 'UTC', 0, ?, ?)", day, day,
    )  # fmt: skip
    played.rows.sql("UPDATE campaign SET caller_id_pool_id = 1")
    for index in range(contacts):
        played.contact(f"44207946{1000 + index}")


def number(played: Played, key: int, *gateways: int, cap: int | None = None) -> None:
    played.rows.sql(
        "INSERT INTO caller_id (id, pool_id, number, identity, country, name, note, daily_cap, warm_up_start, warm_up_days, "
        "active, created_at, updated_at) VALUES (?, 1, ?, ?, 'GB', '', '', ?, 1, 0, 1, ?, ?)",
        key, f"+44207000{key:04}", f"44207000{key:04}", cap, f"{DAY} 00:00:00.000000", f"{DAY} 00:00:00.000000",
    )  # fmt: skip
    for gateway_id in gateways:
        played.rows.sql("INSERT INTO caller_id_gateway (caller_id_id, gateway_id) VALUES (?, ?)", key, gateway_id)


def calls(played: Played) -> list[Any]:
    """Gateways and numbers shown, in order."""
    return played.rows.sql("SELECT gateway_id, pooled_caller_id FROM attempt ORDER BY id")


def test_another_gateway_carries_the_call_with_another_caller_id() -> None:
    with playing(NOON) as played:
        furnish(played)
        number(played, 1, 1, cap=2)
        number(played, 2, 2)
        played.run(7)
        assert calls(played) == [(1, 1), (1, 1), (2, 2), (2, 2), (2, 2), (2, 2)]
        assert [text[:2] for _, text in played.sent] == ["44", "44", "00", "00", "00", "00"]


def test_the_limit_of_the_other_gateway_is_kept_and_its_calls_come_as_it_has_room() -> None:
    with playing(NOON, call_seconds=4.0) as played:
        furnish(played)
        played.rows.sql("UPDATE gateway SET maximum_call = 1 WHERE id = 2")
        played.change(frequency=600)
        number(played, 2, 2)
        played.run(3)
        assert calls(played) == [(2, 2)]
        assert played.rows.sql("SELECT count(*) FROM caller_id_wait") == [(0,)]
        played.run(27)
        assert calls(played) == [(2, 2)] * 6
        moments = [seconds for seconds, _ in played.sent]
        assert all(after - before >= 4 for before, after in pairwise(moments))


def test_those_whom_no_free_gateway_may_call_let_the_others_pass() -> None:
    """Numbers of a country are shown to callees of that country only."""
    with playing(NOON) as played:
        furnish(played)
        played.rows.sql("UPDATE caller_id_pool SET foreign_callees = 'refuse'")
        for index in range(3):
            played.contact(f"3314268530{index}")
        played.rows.sql("UPDATE subscriber SET ready_at = '2026-11-24 11:30:00.000000' WHERE number LIKE '44%'")
        played.rows.sql("UPDATE gateway SET status = 0 WHERE id = 2")
        number(played, 1, 1)
        number(played, 2, 2)
        played.rows.sql("UPDATE caller_id SET country = 'FR' WHERE id = 2")
        played.run(4)
        assert [key for key, _ in calls(played)] == [1] * len(played.sent)
        assert 3 <= len(played.sent) <= 5
        played.rows.sql("UPDATE gateway SET status = 1 WHERE id = 2")
        played.run(12)
        assert sorted(calls(played)) == [(1, 1)] * 6 + [(2, 2)] * 3


def test_a_campaign_without_a_pool_is_begun_without_a_choice() -> None:
    with playing(NOON) as played:
        furnish(played)
        played.change(caller_id_pool_id=None)
        seen: list[str] = []
        played.rows.connection.set_trace_callback(seen.append)
        played.run(3)
        played.rows.connection.set_trace_callback(None)
        assert len(played.sent) >= 3
        assert not [
            text for text in seen if "calls_per_second, next_call_at FROM gateway" in text or "caller_id_pool p" in text
        ]
