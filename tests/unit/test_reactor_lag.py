"""How late the reactor is."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from dialer.reactor_lag import EVERY, ReactorLag


def test_a_reactor_that_is_late_is_seen_by_how_much() -> None:
    clock = Clock()
    lag = ReactorLag(clock)
    lag.start()
    clock.advance(EVERY)
    assert (lag.seconds.count, lag.seconds.sum) == (1, 0.0)
    clock.advance(EVERY + 0.3)
    assert (lag.seconds.count, lag.seconds.sum) == (2, pytest.approx(0.3))
    clock.advance(EVERY)
    assert (lag.seconds.count, lag.seconds.sum) == (3, pytest.approx(0.3))


def test_after_its_stop_nothing_waits() -> None:
    clock = Clock()
    lag = ReactorLag(clock)
    lag.start()
    clock.advance(EVERY)
    lag.stop()
    assert clock.getDelayedCalls() == []
