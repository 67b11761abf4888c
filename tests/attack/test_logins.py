"""Guesses of strangers, beside users who log in; guesses at the port that takes records."""

from __future__ import annotations

from threading import Event

import pytest
import pytest_twisted
from twisted.internet.task import Clock

from api.errors import HttpError
from api.guard import TRUSTED, PortGuard
from dialer.errors import Busy
from dialer.limiter import Limiter
from dialer.management.workers import LONGEST_QUEUE, Lane, Workers
from tests.unit.api.test_authentication import Door, basic, wrong


@pytest_twisted.ensureDeferred
async def test_guesses_of_strangers_take_neither_thread_nor_place_of_users() -> None:
    from twisted.internet import reactor

    workers, go = Workers(reactor), Event()
    workers.start()
    try:
        guesses = [workers.run(go.wait, lane) for lane in (Lane.FAILED, Lane.NEW) for _ in range(LONGEST_QUEUE)]
        for lane in (Lane.FAILED, Lane.NEW):
            with pytest.raises(Busy):
                await workers.run(go.wait, lane)
        assert await workers.run(lambda: "work", Lane.USERS) == "work"
        assert await workers.run(lambda: "login", Lane.KNOWN) == "login"
        go.set()
        for guess in guesses:
            assert await guess
    finally:
        go.set()
        workers.stop()


@pytest_twisted.ensureDeferred
async def test_the_first_login_from_an_address_comes_before_guesses_from_one_that_fails() -> None:
    from twisted.internet import reactor

    workers, go, order = Workers(reactor), Event(), list[str]()
    workers.start()
    try:
        held = workers.run(go.wait, Lane.FAILED)
        guess = workers.run(lambda: order.append("guess"), Lane.FAILED)
        login = workers.run(lambda: order.append("login"), Lane.NEW)
        go.set()
        for each in (held, guess, login):
            await each
        assert order == ["login", "guess"]
    finally:
        go.set()
        workers.stop()


def test_the_lane_of_a_login_is_that_of_its_past() -> None:
    door = Door()
    door.knock(wrong(), address="10.0.0.9")
    door.knock(wrong(1), address="10.0.0.9")
    door.knock(basic("ann", "right").encode(), address="10.0.0.2")
    door.clock.advance(door.settings.login_memory + 1)
    door.knock(basic("ann", "right").encode(), address="10.0.0.9")
    assert door.verifier.lanes == [Lane.NEW, Lane.FAILED, Lane.NEW, Lane.KNOWN]


def test_a_name_that_no_user_can_have_is_neither_looked_up_nor_remembered() -> None:
    door = Door()
    assert door.knock(basic("x" * 151, "y").encode()) == 401
    assert door.verifier.asked == []


def tried(guard: PortGuard, header: bytes, address: str = "10.0.0.1") -> int:
    try:
        guard.check(header, address)
    except HttpError as refusal:
        return refusal.status
    return 200


def test_guesses_at_the_port_for_records_are_throttled_and_keep_no_switch_out() -> None:
    clock = Clock()
    guard = PortGuard(("freeswitch", "right"), "call detail records", clock, Limiter.per_minute(20))
    right = basic("freeswitch", "right").encode()
    assert tried(guard, right, "10.0.0.2") == 200
    assert [tried(guard, b"wrong") for _ in range(21)] == [401] * 20 + [429]
    assert tried(guard, right) == 429
    assert [tried(guard, b"wrong", "10.0.0.2") for _ in range(30)] == [401] * 30
    assert tried(guard, right, "10.0.0.2") == 200
    clock.advance(TRUSTED)
    assert tried(guard, right) == 200
    assert guard.failed == 50
