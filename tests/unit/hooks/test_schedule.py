"""When a request is made again."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from dialer.hooks.schedule import JITTER, LONGEST_ASKED, PAUSES, asked_pause, pause_after

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def test_the_tries_are_those_of_standard_webhooks() -> None:
    minutes = [5 / 60, 5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60, 20 * 60, 24 * 60]
    assert list(PAUSES) == [timedelta(minutes=each) for each in minutes]
    assert sum(PAUSES, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@pytest.mark.parametrize("tries", range(1, 10))
def test_a_pause_is_never_shorter_and_a_little_longer(tries: int) -> None:
    found = {pause_after(tries, random.Random(seed)) for seed in range(50)}
    assert len(found) > 40
    assert all(PAUSES[tries - 1] <= pause <= PAUSES[tries - 1] * (1 + JITTER) for pause in found if pause is not None)


def test_after_ten_tries_there_is_no_other() -> None:
    assert pause_after(9, random.Random(1)) is not None
    assert pause_after(10, random.Random(1)) is None


@pytest.mark.parametrize(
    ("text", "pause"),
    [
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta()),
        ("Fri, 27 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Fri, 27 Nov 2026 11:00:00 GMT", timedelta()),
        ("Fri, 27 Nov 2099 12:00:00 GMT", LONGEST_ASKED),
        ("99999999999999999999999999", LONGEST_ASKED),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("٣", None),
        ("Fri, 99 Nov 2026 12:01:00 GMT", None),
    ],
)
def test_what_a_receiver_asks_for_is_bounded(text: str, pause: timedelta | None) -> None:
    assert asked_pause(text, NOW) == pause
