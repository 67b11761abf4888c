from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dialer.calls.register import REMEMBERED_FOR, Overheard
from dialer.model import Hangup, Signal, SignalKind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def hung_up(uuid: str, after: float = 0.0) -> Signal:
    at = NOW + timedelta(seconds=after)
    return Signal(kind=SignalKind.HUNG_UP, call_uuid=uuid, at=at, cause="USER_BUSY", hangup=Hangup(cause="USER_BUSY"))


def test_the_end_of_a_call_is_remembered_once() -> None:
    overheard = Overheard(10)
    overheard.note(hung_up("a"))
    overheard.note(Signal(kind=SignalKind.RANG, call_uuid="b", at=NOW))
    assert overheard.recall("a") == [hung_up("a")]
    assert overheard.recall("a") == []
    assert overheard.recall("b") == []


def test_only_so_many_are_remembered_the_last_ones() -> None:
    overheard = Overheard(3)
    for number in range(5):
        overheard.note(hung_up(str(number)))
    assert [len(overheard.recall(str(number))) for number in range(5)] == [0, 0, 1, 1, 1]


def test_what_is_older_than_any_lease_makes_room() -> None:
    overheard = Overheard(10)
    overheard.note(hung_up("old"))
    overheard.note(hung_up("new", REMEMBERED_FOR.total_seconds() + 1))
    assert overheard.recall("old") == []


def test_nothing_is_remembered_where_there_is_no_other_node() -> None:
    overheard = Overheard()
    overheard.note(hung_up("a"))
    assert overheard.recall("a") == []
