"""The loop that cannot die or overlap."""

from __future__ import annotations

import structlog
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dialer.periodic import MOST_THINGS, PeriodicLoop, RepeatedLog


class Work:
    """Counts its runs; each run lasts until `release` when `slow`."""

    def __init__(self) -> None:
        self.runs = 0
        self.slow = False
        self.gates: list[Deferred[None]] = []
        self.error: Exception | None = None

    async def __call__(self) -> None:
        self.runs += 1
        if self.error:
            raise self.error
        if self.slow:
            gate: Deferred[None] = Deferred()
            self.gates.append(gate)
            await gate


def loop(work: Work, clock: Clock) -> PeriodicLoop:
    return PeriodicLoop("test", 1.0, work, clock)


def test_it_runs_at_once_and_then_after_each_interval() -> None:
    work, clock = Work(), Clock()
    loop(work, clock).start()
    assert work.runs == 1
    clock.advance(1)
    assert work.runs == 2


def test_the_interval_counts_from_the_end_of_a_run() -> None:
    work, clock = Work(), Clock()
    work.slow = True
    loop(work, clock).start()
    clock.advance(5)
    assert work.runs == 1
    work.gates[0].callback(None)
    clock.advance(0.9)
    assert work.runs == 1
    clock.advance(0.2)
    assert work.runs == 2


def test_a_failure_does_not_stop_it() -> None:
    work, clock = Work(), Clock()
    work.error = ValueError("no")
    loop(work, clock).start()
    clock.advance(1)
    assert work.runs == 2


def test_requests_during_a_run_become_one_more_run() -> None:
    work, clock = Work(), Clock()
    work.slow = True
    periodic = loop(work, clock)
    periodic.start()
    periodic.call_soon()
    periodic.call_soon()
    work.slow = False
    work.gates[0].callback(None)
    clock.advance(0)
    assert work.runs == 2
    clock.advance(0.5)
    assert work.runs == 2


def test_a_request_while_it_rests_runs_it_now() -> None:
    work, clock = Work(), Clock()
    periodic = loop(work, clock)
    periodic.start()
    periodic.call_soon()
    assert work.runs == 2


def test_stop_waits_for_the_run_under_way() -> None:
    work, clock = Work(), Clock()
    work.slow = True
    periodic = loop(work, clock)
    periodic.start()
    stopped: list[None] = []
    periodic.stop().addCallback(stopped.append)
    assert stopped == []
    work.gates[0].callback(None)
    assert stopped == [None]
    clock.advance(10)
    assert work.runs == 1


def test_a_stopped_loop_takes_no_requests() -> None:
    work, clock = Work(), Clock()
    periodic = loop(work, clock)
    periodic.start()
    periodic.stop()
    periodic.call_soon()
    clock.advance(5)
    assert work.runs == 1


# --- what happens again and again ---------------------------------------------------------------------------------------


def test_what_happens_again_is_told_once_a_minute_with_its_number() -> None:
    clock = Clock()
    repeated = RepeatedLog("it happened", clock)
    with structlog.testing.capture_logs() as lines:
        for second in range(150):
            repeated.happened(second=second)
            clock.advance(1)
        clock.advance(60)
        clock.advance(60)
        repeated.happened(second=-1)
    assert [(line["times"], line["second"]) for line in lines] == [(1, 0), (59, 59), (60, 119), (30, 149), (1, -1)]
    assert repeated.total == 151


def test_each_thing_has_its_own_minute_and_too_many_share_one() -> None:
    clock = Clock()
    repeated = RepeatedLog("it happened", clock, error=True)
    with structlog.testing.capture_logs() as lines:
        for thing in range(10_000):
            repeated.happened(thing, thing=thing)
        clock.advance(61)
    assert len(lines) <= MOST_THINGS + 2
    assert sum(line["times"] for line in lines) == 10_000
    assert {line["log_level"] for line in lines} == {"error"}
    clock.advance(61)
    with structlog.testing.capture_logs() as lines:
        repeated.happened("another", thing="another")
    assert [line["thing"] for line in lines] == ["another"]
