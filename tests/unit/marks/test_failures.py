"""Apps that fail: they are told of, timed, and switched off; the reactor waits for none of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred

from dialer.marks.package import MOST_UNSAID
from dialer.marks.trouble import HookLimits
from dialer.marks.worker import NEVER, START_LIMIT
from tests.unit.marks.world import PATIENCE, World

New = Callable[..., World]


def lines(logs: list[Any], event: str) -> list[Any]:
    return [line for line in logs if line["event"] == event]


def test_what_an_app_raises_is_logged_once_a_minute_and_counted(world: New) -> None:
    here = world("Fails")
    with capture_logs() as logs:
        for _ in range(5):
            here.event("DTMF")
        here.reactor.until(lambda: here.worker.figures.failures == 5)
        here.app.broken = False
        here.event("DTMF")
        assert here.heard() == "fine"
        here.reactor.drain()
        here.reactor.advance(61)
    first, rest = lines(logs, "a hook failed")
    assert (first["app"], first["method"], first["on"]) == ("tests.hooked:Fails", "on_event", "DTMF")
    assert (first["reason"], first["times"], rest["times"]) == ("ValueError: it is broken", 1, 4)
    assert (here.worker.figures.calls, here.worker.off, here.told) == (6 + 1, "", [])


def test_after_failures_in_a_row_an_app_is_switched_off_and_that_is_told(world: New) -> None:
    here = world("Fails", "Recorder", limits=HookLimits(failures=3))
    with capture_logs() as logs:
        for broken in (True, True, False, True, True, True, False):
            here.app.broken = broken
            failures = here.worker.figures.failures
            here.event("DTMF")
            if broken:
                here.reactor.until(lambda failures=failures: here.worker.figures.failures > failures)
            elif not here.worker.off:
                assert here.heard() == "fine"
        here.reactor.until(lambda: here.told)
    reason = "failures in a row: 3, the last: ValueError: it is broken"
    assert here.told == [("hook.switched_off", "tests.hooked:Fails", reason)]
    (line,) = lines(logs, "a hook is switched off")
    assert (line["app"], line["reason"]) == ("tests.hooked:Fails", reason)
    assert (here.hub.figures["hooks-off"], here.worker.figures.failures) == (1, 5)
    other = here.hub.workers[1]
    assert not other.off
    assert other.made.heard.get(timeout=PATIENCE)[0] == "DTMF"


def test_coroutines_that_raise_count_as_well(world: New) -> None:
    here = world("FailsLater", limits=HookLimits(failures=2))
    here.event("DTMF")
    here.event("DTMF")
    here.reactor.until(lambda: here.told)
    assert here.told[0][2] == "failures in a row: 2, the last: ValueError: later"


@pytest.mark.parametrize("app", ["Slow", "SlowStep"])
def test_a_method_that_takes_too_long_has_failed(world: New, app: str) -> None:
    here = world(app, limits=HookLimits(seconds=1.0, failures=2))

    def work() -> None:
        here.now += 1.5

    here.app.work = work
    with capture_logs() as logs:
        here.event("DTMF")
        assert here.heard() == "back"
        here.event("DTMF")
        assert here.heard() == "back"
        here.reactor.until(lambda: here.told)
    assert lines(logs, "a hook failed")[0]["reason"] == "took 1.5 s, more than 1 s"
    assert here.told[0][2].startswith("failures in a row: 2")
    assert here.worker.figures.slowest == 1.5


@pytest.mark.parametrize("app", ["Blocks", "Endless"])
def test_a_method_that_does_not_return_is_given_up(world: New, app: str) -> None:
    here = world(app)
    here.event("DTMF")
    here.reactor.until(lambda: here.worker._busy is not None and here.worker._busy.event == "DTMF")
    with capture_logs() as logs:
        here.now += 2
        here.look()
        here.look()
        here.reactor.advance(61)
        assert [line["reason"] for line in lines(logs, "a hook failed")] == ["has not returned for 2.0 s, more than 1 s"]
        assert here.told == []
        here.now += NEVER
        here.look()
    assert here.told == [("hook.switched_off", f"tests.hooked:{app}", "on_event has not returned for 7.0 s")]
    here.event("DTMF")
    assert here.worker.waiting == 0
    if app == "Endless":
        here.reactor.until(lambda: not here.worker.alive)  # what computes is ended
    else:
        assert here.worker.alive  # what waits in the operating system is left behind, and the stop of the dialer does not wait
        stopped = Deferred.fromCoroutine(here.hub.stop())
        assert stopped.called
        here.app.go_on.set()
        here.reactor.until(lambda: not here.worker.alive)
        here.app.go_on.clear()


def test_an_app_that_ends_the_program_ends_itself(world: New) -> None:
    here = world("Exits")
    here.event("DTMF")
    here.reactor.until(lambda: here.told)
    assert here.told == [("hook.switched_off", "tests.hooked:Exits", "SystemExit: 3")]


def test_an_app_whose_prepost_fails_is_off(world: New) -> None:
    here = world("WrongStart")
    here.reactor.until(lambda: here.told)
    reason = "TypeError: prepost asks for slaves, which is not there; expected client, listener or pool"
    assert here.told == [("hook.switched_off", "tests.hooked:WrongStart", reason)]


def test_a_slow_prepost_has_more_time(world: New) -> None:
    here = world("Slow", limits=HookLimits(seconds=0.1))
    here.app.work = lambda: None
    with here.worker._watched("prepost", "", START_LIMIT) as watch:
        here.now += 5
    assert watch.fast


def test_what_an_app_writes_to_its_log_comes_into_the_dialers(world: New) -> None:
    here = world("Recorder")
    with capture_logs() as logs:
        here.app.client.log.warning("low on %s", "sounds")
        here.app.client.log.info("not told")
        here.reactor.drain()
    assert [(line["text"], line["level"]) for line in lines(logs, "a hook says")] == [("low on sounds", "warning")]


def test_an_app_that_writes_without_end_is_not_listened_to(world: New) -> None:
    here = world("Recorder")
    with capture_logs() as logs:
        for number in range(MOST_UNSAID + 50):
            here.app.client.log.error("line %d", number)
        here.reactor.drain()
        here.app.client.log.error("and again")
        here.reactor.drain()
    told = [line["text"] for line in lines(logs, "a hook says")]
    assert (len(told), told[-1]) == (MOST_UNSAID + 1, "and again")


def test_other_limits_act_at_once(world: New) -> None:
    here = world("Fails")
    here.app.broken = True
    here.hub.use(HookLimits(failures=1), commands=5.0)
    here.event("DTMF")
    here.reactor.until(lambda: here.told)
    assert here.told[0][2].startswith("failures in a row: 1")
