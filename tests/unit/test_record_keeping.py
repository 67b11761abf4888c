"""Old records are removed step by step, as long as there are some, and again a while later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import define, field
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.errors import StoreError
from dialer.record_keeping import AGAIN, AT_ONCE, CALLS_AT_ONCE, EVERY, RecordKeeper

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@define(eq=False)
class Records:
    """So many records are old, and so many calls without a campaign."""

    old: int = 0
    calls: int = 0
    asked: list[tuple[datetime, int, int]] = field(factory=list)
    looked: list[int] = field(factory=list)
    error: StoreError | None = None

    def purge_calls(self, before: datetime, limit: int) -> Deferred[int]:
        gone = min(self.calls, limit)
        self.calls -= gone
        self.looked.append(gone)
        return succeed(gone)

    def purge(self, before: datetime, after: int, limit: int) -> Deferred[tuple[int, int]]:
        self.asked.append((before, after, limit))
        if self.error is not None:
            return fail(self.error)
        gone = min(self.old, limit)
        self.old -= gone
        return succeed((gone, after + gone))


def keeper(records: Records, days: int = 1826) -> tuple[RecordKeeper, Clock]:
    clock = Clock()
    return RecordKeeper(clock, lambda: NOW, records, timedelta(days=days)), clock


def test_a_step_a_second_as_long_as_there_is_something() -> None:
    records = Records(old=2 * AT_ONCE + 1)
    here, clock = keeper(records)
    here.start()
    before = NOW - timedelta(days=1826)
    assert records.asked == [(before, 0, AT_ONCE)]
    clock.pump([EVERY] * 2)
    assert records.asked[1:] == [(before, AT_ONCE, AT_ONCE), (before, 2 * AT_ONCE, AT_ONCE)]
    clock.pump([EVERY] * (int(AGAIN) - 1))
    assert (len(records.asked), records.old) == (3, 0)
    clock.pump([EVERY] * 2)
    assert records.asked[3:] == [(before, 0, AT_ONCE)]
    here.stop()


def test_calls_without_a_campaign_go_in_steps_too() -> None:
    records = Records(calls=CALLS_AT_ONCE + 1)
    here, clock = keeper(records)
    here.start()
    clock.pump([EVERY] * 3)
    assert records.looked == [CALLS_AT_ONCE, 1]
    clock.pump([EVERY] * int(AGAIN))
    assert records.looked[2:] == [0]
    here.stop()


def test_a_database_that_is_away_is_asked_again() -> None:
    records = Records(error=StoreError("away"))
    here, clock = keeper(records)
    here.start()
    records.error = None
    clock.advance(EVERY)
    assert len(records.asked) == 2
    here.stop()
    clock.advance(AGAIN * 2)
    assert len(records.asked) == 2


@pytest.mark.parametrize(("days", "told"), [(1825, True), (1826, False), (36_500, False)])
def test_it_is_told_that_records_go_before_five_years_are_over(days: int, told: bool) -> None:
    here, _ = keeper(Records(), days)
    with capture_logs() as lines:
        here.start()
    here.stop()
    assert [line["log_level"] for line in lines if "16 CFR 310.5" in line["event"]] == ["warning"] * told
