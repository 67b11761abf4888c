"""What reads or writes a lot is done for a user one after the other, with pauses between."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from dialer.management.turns import AS_LONG, SHORT, WHILE_BUSY, Turns

ANN, BOB = 1, 2


@define(eq=False)
class Here:
    """Work that lasts until it is told to end; `begun` are those that were begun, in order."""

    clock: Clock = field(factory=Clock)
    turns: Turns = field(init=False)
    begun: list[str] = field(factory=list)
    running: dict[str, Deferred[str]] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.turns = Turns(self.clock)

    def take(self, name: str, user: int = ANN, rest: float = AS_LONG) -> Deferred[str]:
        def work() -> Deferred[str]:
            self.begun.append(name)
            self.running[name] = Deferred()
            return self.running[name]

        return Deferred.fromCoroutine(self.turns.take(user, work, rest))

    def end(self, name: str, result: Any = "done") -> None:
        """With a result, or an exception, which is a failure."""
        work = self.running.pop(name)
        work.errback(result) if isinstance(result, Exception) else work.callback(result)


@pytest.fixture
def here() -> Here:
    return Here()


def result_of(done: Deferred[str]) -> list[Any]:
    found: list[Any] = []
    done.addBoth(found.append)
    return found


def test_a_users_work_waits_for_the_one_before_and_as_long_again(here: Here) -> None:
    first, second = here.take("first"), here.take("second")
    here.clock.advance(0.2)
    assert here.begun == ["first"]
    here.end("first", "found")
    assert result_of(first) == ["found"]
    here.clock.advance(0.19)
    assert here.begun == ["first"]
    here.clock.advance(0.02)
    assert here.begun == ["first", "second"]
    here.end("second")
    assert result_of(second) == ["done"]


@pytest.mark.parametrize(("seconds", "rest"), [(0.04, 0.04 * SHORT), (0.2, 0.2 * WHILE_BUSY)])
def test_work_of_many_pieces_rests_little_unless_the_machine_is_busy(here: Here, seconds: float, rest: float) -> None:
    for name in ("first", "second"):
        here.take(name, rest=SHORT)
    here.clock.advance(seconds)
    here.end("first")
    here.clock.advance(rest * 0.9)
    assert here.begun == ["first"]
    here.clock.advance(rest * 0.2)
    assert here.begun == ["first", "second"]


def test_who_gives_up_while_it_waits_is_not_remembered(here: Here) -> None:
    first, second = here.take("first"), here.take("second")
    here.clock.advance(0.2)
    second.cancel()
    assert result_of(second)[0].check(CancelledError)
    here.end("first")
    assert result_of(first) == ["done"]
    here.clock.advance(0.3)
    here.take("bob's", BOB)
    assert here.turns._queues.keys() == {BOB}
    assert here.begun == ["first", "bob's"]


def test_other_users_do_not_wait_for_it(here: Here) -> None:
    here.take("ann's")
    here.take("bob's", BOB)
    assert here.begun == ["ann's", "bob's"]


def test_work_that_fails_gives_the_turn_on(here: Here) -> None:
    failed = here.take("first")
    here.take("second")
    here.end("first", RuntimeError("no"))
    assert result_of(failed)[0].check(RuntimeError)
    assert here.begun == ["first", "second"]


def test_users_of_whom_nothing_waits_are_forgotten(here: Here) -> None:
    for user in range(50):
        here.take(f"of {user}", user)
        here.clock.advance(0.1)
        here.end(f"of {user}")
        here.clock.advance(0.2)
    assert len(here.turns._queues) <= 1
