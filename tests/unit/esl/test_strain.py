"""A switch that slows down slows the dialer before it breaks."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from dialer.esl.strain import LEAST, Strain
from tests.unit.esl.test_inbound import Setup
from tests.unit.esl.wire import json_event


class Watched:
    def __init__(self) -> None:
        self.clock = Clock()
        self.shares: list[float] = []
        self.strain = Strain(self.clock, "fs1", self.shares.append)

    def after(self, seconds: int) -> float:
        self.clock.pump([1.0] * seconds)
        return round(self.strain.share, 2)


def test_a_late_reply_halves_the_pace_and_it_grows_back_by_steps() -> None:
    watched = Watched()
    watched.strain.replied(0.9)
    assert watched.shares == []
    watched.strain.replied(1.1)
    assert watched.shares == [0.5]
    assert watched.after(3) == 0.5
    assert watched.after(1) == 0.6
    assert watched.after(8) == 1.0
    assert not watched.clock.getDelayedCalls()


def test_many_late_replies_at_once_are_one_word() -> None:
    watched = Watched()
    for _ in range(50):
        watched.strain.replied(3.0)
    assert watched.shares == [0.5]


def test_replies_that_stay_late_bring_the_pace_down_to_the_least_and_not_to_nothing() -> None:
    watched = Watched()
    for _ in range(60):
        watched.strain.replied(3.0)
        watched.clock.advance(1.0)
    assert LEAST <= watched.strain.share <= LEAST + 0.1


@pytest.mark.parametrize(
    ("idle", "sessions", "most"), [("3.5", "10", "1000"), ("96.4", "900", "1000"), ("", "1000", "1000"), ("nan", "95", "100")]
)
def test_a_heartbeat_that_tells_of_strain_holds_the_pace_down_until_the_next(idle: str, sessions: str, most: str) -> None:
    watched = Watched()
    watched.strain.beat(idle, sessions, most)
    assert watched.after(20) == 0.5
    watched.strain.beat("96.4", "10", "1000")
    assert watched.after(12) == 1.0


@pytest.mark.parametrize(
    ("idle", "sessions", "most"),
    [
        ("10.0", "899", "1000"),
        ("0.000000", "0", "0"),
        ("", "", ""),
        ("-1", "x", "1000"),
        ("nan", "nan", "nan"),
        ("9" * 400, "1", ""),
    ],
)
def test_a_heartbeat_without_strain_or_without_sense_changes_nothing(idle: str, sessions: str, most: str) -> None:
    watched = Watched()
    watched.strain.beat(idle, sessions, most)
    assert watched.shares == []


def test_a_switch_that_was_away_begins_anew() -> None:
    watched = Watched()
    watched.strain.replied(3.0)
    watched.strain.forget()
    assert watched.shares == [0.5, 1.0]
    assert not watched.clock.getDelayedCalls()
    watched.strain.replied(3.0)
    assert watched.strain.share == 0.5


def test_a_heartbeat_with_little_idle_time_slows_the_calls_and_new_settings_do_not_undo_that() -> None:
    here = Setup(calls_per_second=20.0).start()
    wire = next(wire for wire in here.there.wires if any(command.startswith("event") for command in wire.commands))
    wire.say(json_event('{"Event-Name":"HEARTBEAT","Idle-CPU":"2.5","Session-Count":"4","Max-Sessions":"1000"}'))
    here.there.settle()
    assert here.switch.calls_per_second == 10.0
    here.switch.limit(40.0, 50)
    assert here.switch.calls_per_second == 20.0


def test_an_originate_that_is_accepted_late_slows_the_calls() -> None:
    here = Setup(calls_per_second=20.0).start()
    here.there.answer = lambda *_: None
    here.submit()
    here.there.settle()
    here.clock.advance(1.5)
    originate = next(wire for wire in here.there.wires if any(command.startswith("bgapi") for command in wire.commands))
    originate.say(b"Content-Type: command/reply\nReply-Text: +OK Job-UUID: c1\nJob-UUID: c1\n\n")
    here.there.settle()
    assert here.switch.calls_per_second == 10.0
