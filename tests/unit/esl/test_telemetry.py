"""The figures of a switch, as its connections see it."""

from __future__ import annotations

import pytest

from dialer.esl.telemetry import SwitchTelemetry
from tests.unit.esl.test_inbound import Setup
from tests.unit.esl.wire import api_response, json_event, reply


def sequences(*numbers: str) -> tuple[int, int]:
    telemetry = SwitchTelemetry()
    for number in numbers:
        telemetry.sequence(number)
    return telemetry.skipped, telemetry.late


@pytest.mark.parametrize(
    ("numbers", "counted"),
    [
        (("7", "8", "9"), (0, 0)),
        (("7", "10"), (2, 0)),
        (("7", "9", "8", "10"), (1, 1)),
        (("7", "7"), (0, 0)),
        (("7", "", "x", "-9", "٩", "9" * 4000, "8"), (0, 0)),
    ],
)
def test_numbers_that_were_passed_over_are_counted_and_those_that_came_late(numbers, counted) -> None:
    assert sequences(*numbers) == counted


def test_a_new_connection_begins_its_numbers_anew() -> None:
    telemetry = SwitchTelemetry()
    telemetry.sequence("5000000")
    telemetry.connection_made()
    telemetry.sequence("3")
    assert (telemetry.skipped, telemetry.late, telemetry.connected) == (0, 0, 1)


def answered(at: float, sequence: int = 1) -> bytes:
    return json_event(
        f'{{"Event-Name":"CHANNEL_ANSWER","Unique-ID":"c1","Event-Sequence":"{sequence}",'
        f'"Event-Date-Timestamp":"{int(at * 1_000_000)}"}}'
    )


def test_the_lag_of_an_event_is_from_the_time_of_the_switch_to_the_end_of_its_handling() -> None:
    here = Setup().start()
    here.clock.advance(1.5)
    here.there.wire_of("event").say(answered(at=1.0))
    lag = here.switch.telemetry.event_lag
    assert (lag.count, lag.sum) == (1, pytest.approx(0.5))


def test_a_clock_of_the_switch_that_is_ahead_adds_nothing_to_the_lag() -> None:
    here = Setup()
    here.there.clock_ahead = 3600.0
    here.start()
    here.clock.advance(1.5)
    here.there.wire_of("event").say(answered(at=3601.0))
    assert here.switch.telemetry.event_lag.sum == pytest.approx(0.5)


def test_an_event_that_is_not_about_a_call_has_a_number_and_no_lag() -> None:
    here = Setup().start()
    wire = here.there.wire_of("event")
    wire.say(answered(at=1.0, sequence=10))
    wire.say(json_event('{"Event-Name":"HEARTBEAT","Event-Sequence":"14"}'))
    assert here.switch.telemetry.event_lag.count == 1
    assert here.switch.telemetry.skipped == 3


def test_a_reconnect_is_a_connection_more() -> None:
    here = Setup().start()
    assert here.switch.telemetry.connected == 1
    here.there.wire_of("event").abortConnection()
    here.there.settle(10)
    assert here.switch.ready
    assert here.switch.telemetry.connected == 2


def test_the_round_trip_of_a_ping_is_from_its_writing_to_its_reply() -> None:
    here = Setup().start()
    here.there.silent = True
    here.clock.advance(2.0)
    here.clock.advance(0.25)
    ping = here.switch.telemetry.ping
    assert ping.count == 0
    for wire in here.there.wires:
        wire.say(api_response("2000000"))
    assert (ping.count, ping.sum) == (2, pytest.approx(0.5))


def test_originates_are_counted_with_the_round_trip_of_each_and_the_pace_that_is_allowed() -> None:
    here = Setup(calls_per_second=10.0).start()
    here.there.holding = True
    submitted = here.submit()
    here.clock.advance(0.05)
    assert here.switch.originated == 1
    assert here.switch.telemetry.originate.count == 0
    [(wire, _)] = here.there.held
    wire.say(reply("+OK Job-UUID: x"))
    assert submitted == [None]
    assert (here.switch.telemetry.originate.count, here.switch.telemetry.originate.sum) == (1, pytest.approx(0.05))
    here.switch.limit(40.0, 5)
    assert here.switch.calls_per_second == 40.0


def test_an_originate_without_a_reply_has_no_round_trip() -> None:
    here = Setup().start()
    here.there.holding = True
    here.submit()
    here.there.held[0][0].abortConnection()
    here.there.settle()
    assert not here.switch.ready
    assert here.switch.originated == 1
    assert here.switch.telemetry.originate.count == 0
