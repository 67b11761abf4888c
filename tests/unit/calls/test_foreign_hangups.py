from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dialer.calls.register import REMEMBERED_FOR, ForeignHangups
from dialer.model import Hangup, Signal, SignalKind

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def hung_up(uuid: str, after: float = 0.0) -> Signal:
    at = NOW + timedelta(seconds=after)
    return Signal(kind=SignalKind.HUNG_UP, call_uuid=uuid, at=at, cause="USER_BUSY", hangup=Hangup(cause="USER_BUSY"))


def test_the_end_of_a_call_is_remembered_once() -> None:
    foreign_hangups = ForeignHangups(10)
    foreign_hangups.note(hung_up("a"))
    foreign_hangups.note(Signal(kind=SignalKind.RANG, call_uuid="b", at=NOW))
    assert foreign_hangups.recall("a") == [hung_up("a")]
    assert foreign_hangups.recall("a") == []
    assert foreign_hangups.recall("b") == []


def test_only_so_many_are_remembered_the_last_ones() -> None:
    foreign_hangups = ForeignHangups(3)
    for number in range(5):
        foreign_hangups.note(hung_up(str(number)))
    assert [len(foreign_hangups.recall(str(number))) for number in range(5)] == [0, 0, 1, 1, 1]


def test_what_is_older_than_any_lease_makes_room() -> None:
    foreign_hangups = ForeignHangups(10)
    foreign_hangups.note(hung_up("old"))
    foreign_hangups.note(hung_up("new", REMEMBERED_FOR.total_seconds() + 1))
    assert foreign_hangups.recall("old") == []


def test_nothing_is_remembered_where_there_is_no_other_node() -> None:
    foreign_hangups = ForeignHangups()
    foreign_hangups.note(hung_up("a"))
    assert foreign_hangups.recall("a") == []
