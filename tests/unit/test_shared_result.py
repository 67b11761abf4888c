"""One piece of work for all who ask."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from dialer.shared_result import SharedResult


@define(eq=False)
class Work:
    clock: Clock = field(factory=Clock)
    runs: list[Deferred[str]] = field(factory=list)
    shared: SharedResult[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.shared = SharedResult(self.run, 5.0, self.clock)

    async def run(self) -> str:
        self.runs.append(Deferred())
        return await self.runs[-1]


def results(*asked: Deferred[str]) -> list[object]:
    found: list[object] = []
    for each in asked:
        each.addBoth(lambda result: found.append(result.type if isinstance(result, Failure) else result))
    return found


def test_who_asks_meanwhile_waits_for_the_same_run() -> None:
    work = Work()
    found = results(work.shared.get(), work.shared.get())
    assert (found, len(work.runs)) == ([], 1)
    work.runs[0].callback("done")
    assert found == ["done", "done"]


def test_a_result_is_given_again_while_it_is_fresh_counted_from_its_end() -> None:
    work = Work()
    work.shared.get()
    work.clock.advance(60)
    work.runs[0].callback("first")
    work.clock.advance(4.9)
    assert results(work.shared.get()) == ["first"]
    work.clock.advance(0.1)
    assert results(work.shared.get()) == []
    assert len(work.runs) == 2


def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    work = Work()
    found = results(work.shared.get(), work.shared.get())
    work.runs[0].errback(Failure(ValueError("x")))
    assert found == [ValueError, ValueError]
    results(work.shared.get())
    assert len(work.runs) == 2


def test_who_waits_no_more_takes_nothing_from_the_others() -> None:
    work = Work()
    one, other = work.shared.get(), work.shared.get()
    found = results(one, other)
    one.cancel()
    work.runs[0].callback("done")
    assert found == [CancelledError, "done"]
    assert results(work.shared.get()) == ["done"]
