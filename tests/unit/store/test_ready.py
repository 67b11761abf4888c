"""Whom a campaign calls next, on both kinds of database."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from dialer.model.campaign import CallOrder
from dialer.store.blocked import Blocking
from dialer.store.connection import Connection
from dialer.store.location import opened
from dialer.store.ready import Mixer, candidates
from tests.grounds import KINDS, new_database, standing_on
from tests.unit.store.test_schema import SEED

WHY = Blocking(at=datetime(2026, 11, 27, 12, tzinfo=UTC), wanted=frozenset())
ADD_CONTACT = (
    "INSERT INTO contact (id, phonebook_id, number, first_name, last_name, email, description, additional_vars, created_at, "
    "updated_at, identity) VALUES (?, 1, ?, '', '', '', '', '{}', ?, ?, ?)"
)
ADD = (
    "INSERT INTO subscriber (id, campaign_id, contact_id, number, identity, status, ready_at, count_attempt, free_retries, "
    "priority) VALUES (?, 1, ?, ?, ?, 1, ?, ?, ?, ?)"
)


def at(seconds: int) -> str:
    return f"2026-11-27 {11 + seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.000000"


@pytest.fixture(params=KINDS)
def connection(request: Any, tmp_path: Any) -> Iterator[Connection]:
    server = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    with standing_on(server), opened(new_database(tmp_path)) as found:
        if isinstance(found, sqlite3.Connection):
            found.executescript(SEED)
        else:
            found.execute(SEED)
        found.execute("UPDATE subscriber SET status = 5, ready_at = NULL")
        yield found


def add(connection: Connection, key: int, ready: int, *, attempts: int = 0, free: int = 0, priority: int = 5) -> None:
    number = str(1000 + key)
    connection.execute(ADD_CONTACT, (1000 + key, number, at(0), at(0), number))
    connection.execute(ADD, (1000 + key, 1000 + key, number, number, at(ready), attempts, free, priority))


def forbid(connection: Connection, key: int) -> None:
    number = str(1000 + key)
    connection.execute(
        "INSERT INTO do_not_call (list_id, number, identity, reason, created_at) VALUES (1, ?, ?, '', ?)",
        (number, number, at(0)),
    )


def ready(connection: Connection, limit: int, order: CallOrder = CallOrder.RETRIES_FIRST, **more: Any) -> list[int]:
    found = candidates(connection, more.pop("mixer", Mixer()), 1, WHY, limit, order=order, **more)
    return [one.subscriber_id - 1000 for one in found]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (CallOrder.RETRIES_FIRST, [11, 10, 1, 2, 3, 4, 5]),
        (CallOrder.FRESH_FIRST, [1, 2, 3, 4, 5, 11, 10]),
        (CallOrder.LIST, [1, 2, 3, 11, 4, 5, 10]),
    ],
)
def test_the_order_of_a_campaign_says_who_is_first(connection: Connection, order: CallOrder, expected: list[int]) -> None:
    for key in range(1, 6):
        add(connection, key, 10 * key)
    add(connection, 10, 3000, attempts=1)
    add(connection, 11, 35, free=1)
    add(connection, 12, 4000, attempts=1)  # not yet
    assert ready(connection, 20, order) == expected
    assert ready(connection, 3, order) == expected[:3]
    assert ready(connection, 3, order, skip=2) == expected[2:5]
    assert ready(connection, 3, order, skip=20) == expected[:3]


@pytest.mark.parametrize("order", CallOrder)
def test_a_priority_comes_before_the_order(connection: Connection, order: CallOrder) -> None:
    add(connection, 1, 10, attempts=1)
    add(connection, 2, 20)
    add(connection, 3, 30, priority=9)
    add(connection, 4, 5, priority=0, attempts=1)
    assert ready(connection, 1, order) == [3]
    assert ready(connection, 20, order)[-1] == 4


def test_155_retries_do_not_wait_behind_5000_new_contacts(connection: Connection) -> None:
    for key in range(1, 501):
        add(connection, key, 10)
    for key in range(600, 755):
        add(connection, key, 20, attempts=1)
    assert ready(connection, 155) == list(range(600, 755))


@pytest.mark.parametrize("share", [1, 20, 50, 99])
def test_in_a_mix_retries_have_their_share_over_time(connection: Connection, share: int) -> None:
    for key in range(1, 201):
        add(connection, key, 10)
    for key in range(600, 800):
        add(connection, key, 20, attempts=1)
    mixer, seen = Mixer(), Counter[bool]()
    for _ in range(200):  # one at a time, as at a low frequency
        (key,) = ready(connection, 1, CallOrder.MIX, share=share, mixer=mixer)
        mixer.begun(1, share, [key >= 600])
        seen[key >= 600] += 1
    assert seen[True] == pytest.approx(200 * share / 100, abs=1)
    assert len(ready(connection, 400, CallOrder.MIX, share=share)) == 400


def test_a_mix_takes_what_there_is_and_owes_nothing_for_later(connection: Connection) -> None:
    for key in range(1, 101):
        add(connection, key, 10)
    mixer = Mixer()
    assert ready(connection, 100, CallOrder.MIX, share=50, mixer=mixer) == list(range(1, 101))
    mixer.begun(1, 50, [False] * 100)
    for key in range(600, 700):
        add(connection, key, 20, attempts=1)
    taken = ready(connection, 20, CallOrder.MIX, share=50, mixer=mixer)
    assert sum(key >= 600 for key in taken) in (10, 11)


def test_in_a_mix_nobody_uses_up_a_turn_who_is_read_and_not_called(connection: Connection) -> None:
    for key in range(1, 11):
        add(connection, key, 10)
        add(connection, 600 + key, 20, attempts=1)
    forbid(connection, 601)
    mixer = Mixer()
    expected = [1, 602, 2, 603]
    assert ready(connection, 4, CallOrder.MIX, share=50, mixer=mixer) == expected
    assert ready(connection, 4, CallOrder.MIX, share=50, mixer=mixer) == expected
    mixer.begun(1, 50, [False])
    assert ready(connection, 1, CallOrder.MIX, share=50, mixer=mixer) == [602]


def test_who_must_not_be_called_is_set_so_and_the_next_ones_are_read(connection: Connection) -> None:
    for key in range(1, 4):
        add(connection, key, 10)
    forbid(connection, 1)
    assert ready(connection, 2) == [2, 3]
    (status,) = connection.execute("SELECT status FROM subscriber WHERE id = 1001").fetchone()
    assert status == 7
