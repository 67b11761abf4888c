from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dialer.errors import ProtocolError
from dialer.esl.link import SAMPLES, ClockOffset
from dialer.esl.originate_queue import limiter
from dialer.esl.signals import live_channels
from dialer.model import LiveChannel
from tests.unit.esl.recorded import frames_of, said_by_switch

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def starts(rate: float, seconds: float) -> list[float]:
    """When calls start that are asked for all the time, every 10 ms."""
    calls = limiter(rate)
    taken = []
    for tick in range(int(seconds * 100)):
        while not calls.take(None, tick / 100):
            taken.append(tick / 100)
    return taken


def test_a_cap_of_25_never_asks_a_stock_switch_for_more_than_the_29_it_admits_in_any_second() -> None:
    taken = starts(25, 10)
    assert all(sum(start <= other < start + 1 for other in taken) <= 27 for start in taken)
    assert 250 <= len(taken) <= 252


def test_a_rate_below_one_still_lets_calls_through() -> None:
    assert starts(0.5, 9) == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_a_pause_does_not_save_up_a_burst() -> None:
    calls = limiter(100)
    assert calls.available(None, 60.0) == 10


def test_the_wait_is_until_the_next_token() -> None:
    calls = limiter(4)
    assert not calls.take(None, 0.0)
    assert calls.wait(None, 0.0) == 0.25
    assert not calls.take(None, 0.25)


def test_a_clock_that_steps_back_gives_nothing() -> None:
    calls = limiter(4)
    assert not calls.take(None, 10.0)
    assert calls.take(None, 5.0) == 0.25
    assert not calls.take(None, 5.25)


def microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_the_closest_answer_decides_the_clock_offset() -> None:
    clock = ClockOffset()
    assert clock.offset == timedelta(0)
    for delay in (300, 5, 80):
        clock.answered(microseconds(NOW + timedelta(seconds=7)), NOW + timedelta(milliseconds=delay))
    assert clock.offset == timedelta(seconds=7) - timedelta(milliseconds=5)


def test_a_clock_that_was_set_back_is_followed() -> None:
    clock = ClockOffset()
    clock.answered(microseconds(NOW + timedelta(hours=1)), NOW)
    for _ in range(SAMPLES):
        clock.answered(microseconds(NOW), NOW)
    assert clock.offset == timedelta(0)


def test_channels_are_read_as_the_switch_lists_them() -> None:
    bodies = [f.body.decode() for f in frames_of([said_by_switch("36-show-channels")]) if b"row_count" in f.body]
    assert live_channels(bodies[0]) == []
    listed = live_channels(bodies[1])
    assert listed[0] == LiveChannel(
        call_uuid="show-1",
        account_code="dialer-inst1",
        answered=True,
        outbound=True,
        bonded_to="show-1",
        created_at=datetime(2026, 11, 23, 4, 27, 43, tzinfo=UTC),
    )
    assert [channel.outbound for channel in listed] == [True, True, False]


@pytest.mark.parametrize("listing", ["", "-ERR x", "[]", '{"rows":[{}]}', '{"rows":[1]}', '{"rows":3}'])
def test_what_is_not_a_list_of_channels_is_a_protocol_error(listing: str) -> None:
    with pytest.raises(ProtocolError, match="not a list of channels"):
        live_channels(listing)
