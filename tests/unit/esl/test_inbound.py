from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from dialer.errors import BadValue, CommandFailed, SwitchUnavailable
from dialer.esl.inbound import InboundSwitch, Observation, SwitchConfig
from dialer.model import Origination, Signal, SignalKind
from tests.unit.esl.wire import DAMAGED_EVENTS, FakeSwitch, api_response, event_frame, json_event, reply

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SINCE = "api expand hash insert_ifempty/dialer-sent/since/${strmicroepoch()}"
SUBSCRIPTION = (
    "event json CHANNEL_PROGRESS CHANNEL_PROGRESS_MEDIA CHANNEL_ANSWER CHANNEL_HANGUP_COMPLETE "
    "BACKGROUND_JOB HEARTBEAT SHUTDOWN"
)
GATEWAY_STATE = '{"Event-Subclass":"sofia::gateway_state","Event-Name":"CUSTOM","Gateway":"carrier"}'
ANSWER = '{"Event-Name":"CHANNEL_ANSWER","Unique-ID":"c1","Event-Date-Timestamp":"1000000"}'


class Listener:
    def __init__(self) -> None:
        self.told: list[Any] = []

    def signal_received(self, signal: Signal) -> None:
        self.told.append(signal)

    def switch_up(self, switch: Any) -> None:
        self.told.append(("up", switch.core_uuid))

    def switch_down(self, switch: Any, reason: str) -> None:
        self.told.append(("down", reason))

    def gateways_changed(self, switch: Any) -> None:
        self.told.append("gateways changed")


class Setup:
    def __init__(
        self, owns: Callable[[str], bool] | None = None, observation: Observation | None = None, **config: Any
    ) -> None:
        self.clock = Clock()
        self.there = FakeSwitch(self.clock)
        self.listener = Listener()
        self.switch = InboundSwitch(
            self.clock,
            self.listener,
            SwitchConfig(host="192.0.2.7", port=8021, **{"name": "fs1", **config}),
            lambda: EPOCH + timedelta(seconds=self.clock.seconds()),
            random.Random(1),
            self.there,
            owns,
            observation,
        )

    def start(self) -> Setup:
        self.switch.startService()
        self.there.settle()
        return self

    def call(self, number: int = 1, deadline: float = 1000.0) -> Origination:
        return Origination(
            call_uuid=f"c{number}",
            dial_string="loopback/answer/default",
            account_code="dialer-x",
            timeout=30,
            max_duration=60,
            deadline=EPOCH + timedelta(seconds=deadline),
            outbound="127.0.0.1:8084",
        )

    def submit(self, number: int = 1, deadline: float = 1000.0) -> list[Any]:
        return outcome(self.switch.submit(self.call(number, deadline)))

    def originates(self) -> int:
        return sum(command.startswith("bgapi") for wire in self.there.wires for command in wire.commands)


def outcome(deferred: Deferred[Any]) -> list[Any]:
    """What it fired with, once it has."""
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found


def unsent(found: list[Any]) -> bool:
    (error,) = found
    assert isinstance(error, SwitchUnavailable)
    return not error.sent


def test_both_connections_log_in_and_only_one_subscribes() -> None:
    here = Setup().start()
    assert here.listener.told == [("up", "core-1")]
    assert (here.switch.ready, here.switch.core_uuid, here.switch.last_error) == (True, "core-1", "")
    setup = ["auth ClueCon", "api global_getvar core_uuid", "api strmicroepoch"]
    assert sorted(wire.commands for wire in here.there.wires) == [
        setup,
        [*setup, SINCE, f"{SUBSCRIPTION} CUSTOM sofia::gateway_state"],
    ]


def test_events_become_signals() -> None:
    here = Setup().start()
    here.there.wire_of("event").say(json_event(ANSWER))
    assert here.listener.told[-1] == Signal(kind=SignalKind.ANSWERED, call_uuid="c1", at=EPOCH + timedelta(seconds=1))


def test_a_switch_that_is_not_asked_for_its_gateways_does_not_tell_of_them_either() -> None:
    here = Setup(gateway_interval=0.0).start()
    assert here.there.wire_of("event").commands[-1] == SUBSCRIPTION


@pytest.mark.parametrize("owns", [None, lambda _: False])
def test_that_a_gateway_has_changed_is_told(owns: Callable[[str], bool] | None) -> None:
    here = Setup(owns=owns).start()
    here.there.wire_of("event").say(json_event(GATEWAY_STATE))
    here.there.wire_of("event").say(json_event(GATEWAY_STATE.replace("sofia::gateway_state", "sofia::register")))
    assert here.listener.told[1:] == ["gateways changed"]


LACKING = [event_frame(ANSWER.replace(gone, "x").encode()) for gone in ('"Unique-ID"', '"Event-Date-Timestamp"', '"1000000"')]


@pytest.mark.parametrize("frame", [*map(event_frame, DAMAGED_EVENTS), *LACKING])
@pytest.mark.parametrize("owns", [None, lambda _: True])
def test_a_damaged_event_is_passed_over(frame: bytes, owns: Callable[[str], bool] | None) -> None:
    here = Setup(owns=owns).start()
    wire = here.there.wire_of("event")
    with structlog.testing.capture_logs() as lines:
        for _ in range(100):
            wire.say(frame)
        wire.say(json_event(ANSWER))
        here.clock.advance(61)
    assert not wire.closing
    assert [type(each) for each in here.listener.told] == [tuple, Signal]
    assert here.switch.unreadable == 100
    assert [line["times"] for line in lines] == [1, 99]


@pytest.mark.parametrize("fault", [b"Content-Length: x\nContent-Type: text/event-json\n\n", b"Content-Length: 2\n\n{}"])
def test_a_fault_of_the_framing_drops_the_connection(fault: bytes) -> None:
    here = Setup().start()
    wire = here.there.wire_of("event")
    wire.say(fault)
    assert wire.closing
    assert here.switch.unreadable == 0


def test_of_calls_of_other_dialers_only_the_ends_are_told() -> None:
    here = Setup(owns=lambda call_uuid: call_uuid == "c1").start()
    ending = ANSWER.replace("CHANNEL_ANSWER", "CHANNEL_HANGUP_COMPLETE")
    for event in (ANSWER, ANSWER.replace("c1", "c2"), ending.replace("c1", "c2")):
        here.there.wire_of("event").say(json_event(event))
    told = [(each.call_uuid, each.kind) for each in here.listener.told if isinstance(each, Signal)]
    assert told == [("c1", SignalKind.ANSWERED), ("c2", SignalKind.HUNG_UP)]


def test_a_switch_without_a_configured_name_is_known_by_its_host_name_and_port() -> None:
    here = Setup(name="")
    answer = here.there.answer
    here.there.answer = lambda wire, block: (  # type: ignore[method-assign]
        api_response("fs-in-the-cellar") if block == "api hostname" else answer(wire, block)
    )
    here.start()
    assert here.switch.identity == "fs-in-the-cellar:8021"
    assert Setup().start().switch.identity == "fs1"


def test_an_originate_goes_over_the_connection_for_commands_and_fires_when_accepted() -> None:
    here = Setup().start()
    accepted = here.submit()
    here.there.settle()
    assert accepted == [None]
    assert here.there.wire_of("event") is not here.there.wire_of("bgapi")


def test_a_refused_originate_fails_with_the_reply() -> None:
    here = Setup().start()
    here.there.holding = True
    refused = here.submit()
    wire, _ = here.there.held[0]
    wire.say(reply("-ERR permission denied"))
    (error,) = refused
    assert isinstance(error, CommandFailed)
    assert error.reply == "-ERR permission denied"


def test_a_call_that_cannot_be_written_fails_by_the_name_of_its_field() -> None:
    here = Setup().start()
    (error,) = outcome(here.switch.submit(evolve(here.call(), dial_string="a b")))
    assert isinstance(error, BadValue)
    assert (error.field, here.originates()) == ("dial_string", 0)


def test_originates_are_paced() -> None:
    here = Setup(calls_per_second=10.0).start()
    for number in range(30):
        here.submit(number)
    here.there.settle(1.0)
    assert 10 <= here.originates() <= 12
    here.there.settle(3.0)
    assert here.originates() == 30


def test_no_more_originates_are_unanswered_than_allowed() -> None:
    here = Setup(calls_per_second=1000.0, max_in_flight=3).start()
    here.there.holding = True
    for number in range(5):
        here.submit(number)
    here.there.settle(0.5)
    assert len(here.there.held) == 3
    wire, _ = here.there.held[0]
    wire.say(reply("+OK"))
    here.there.settle(0.1)
    assert len(here.there.held) == 4


def test_room_counts_pace_and_commands_in_flight() -> None:
    here = Setup(calls_per_second=100.0, max_in_flight=4).start()
    here.there.settle(1.0)
    assert here.switch.headroom(0.0) == 4
    here.there.holding = True
    here.submit()
    assert here.switch.headroom(0.0) == 3
    assert Setup().switch.headroom(1.0) == 0


def test_room_looks_ahead_at_the_pace() -> None:
    here = Setup(calls_per_second=10.0).start()
    assert (here.switch.headroom(0.0), here.switch.headroom(1.0)) == (1, 11)


def test_an_originate_that_has_its_deadline_behind_it_is_not_sent() -> None:
    here = Setup().start()
    here.there.settle(5.0)
    assert unsent(here.submit(deadline=5.0))
    assert here.originates() == 0


def test_an_originate_whose_deadline_passes_in_the_queue_is_not_sent() -> None:
    here = Setup(calls_per_second=1.0).start()
    here.submit(1)
    waiting = here.submit(2, deadline=here.clock.seconds() + 0.5)
    here.there.settle(2.0)
    assert unsent(waiting)
    assert here.originates() == 1


def test_a_lost_command_connection_fails_written_commands_as_perhaps_sent_and_waiting_ones_as_unsent() -> None:
    here = Setup(calls_per_second=100.0, max_in_flight=1).start()
    here.there.holding = True
    written, waiting = here.submit(1), here.submit(2)
    here.there.wire_of("bgapi").close()
    here.there.settle()
    assert not unsent(written)
    assert unsent(waiting)
    assert here.listener.told[-1][0] == "down"
    assert not here.switch.ready
    assert unsent(here.submit(3))


def test_a_lost_event_connection_is_told_and_made_again_with_its_subscription() -> None:
    here = Setup().start()
    here.there.wire_of("event").close()
    here.there.settle()
    assert [told[0] for told in here.listener.told] == ["up", "down"]
    assert "192.0.2.7:8021" in here.switch.last_error
    here.there.settle(5.0)
    assert [told[0] for told in here.listener.told] == ["up", "down", "up"]
    assert here.there.wire_of("event").commands[-1] in (SUBSCRIPTION, "api strmicroepoch")
    assert len(here.there.open_wires) == 2


def test_losing_one_of_two_command_connections_is_no_loss_of_the_switch() -> None:
    here = Setup(command_connections=2).start()
    assert len(here.there.wires) == 3
    subscribed = here.there.wire_of("event")
    next(wire for wire in here.there.wires if wire is not subscribed).close()
    here.there.settle()
    assert here.switch.ready
    accepted = here.submit()
    here.there.settle()
    assert accepted == [None]


def test_a_restarted_switch_is_told_by_its_core_uuid() -> None:
    here = Setup().start()
    here.there.core_uuid = "core-2"
    here.there.wire_of("event").close()
    here.there.settle(10.0)
    assert here.listener.told[-1] == ("up", "core-2")
    assert len(here.there.open_wires) == 2


def test_a_wrong_password_is_told_with_host_and_port_and_tried_again() -> None:
    here = Setup(password="wrong").start()
    assert here.switch.last_error == "fs1 (192.0.2.7:8021): the switch refused the password (-ERR invalid)"
    before = here.there.attempts
    here.there.settle(10.0)
    assert here.there.attempts > before
    assert here.there.open_wires == []
    assert here.listener.told == []


def test_a_rude_rejection_is_told() -> None:
    here = Setup()
    here.there.greeting = b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n"
    here.start()
    assert here.switch.last_error.endswith("the switch does not accept this address (Access Denied, go away.)")


def test_a_switch_that_is_not_there_is_told_and_found_later() -> None:
    here = Setup()
    here.there.accepting = False
    here.start()
    assert here.switch.last_error.startswith("fs1 (192.0.2.7:8021): cannot connect (")
    here.there.accepting = True
    here.there.settle(10.0)
    assert here.switch.ready


def test_however_long_a_switch_was_away_it_is_found_within_six_seconds() -> None:
    here = Setup().start()
    here.there.accepting = False
    for wire in here.there.open_wires:
        wire.close()
    here.there.settle(300)
    assert not here.switch.ready
    here.there.accepting = True
    here.there.settle(6.1)  # five, and up to one that is drawn, so that many dialers do not come at once
    assert here.switch.ready


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", b"Content-Type: command/reply\n\n"])
def test_garbage_is_told(garbage: bytes) -> None:
    here = Setup()
    here.there.greeting = garbage
    here.start()
    assert "the peer broke the protocol" in here.switch.last_error


def test_silence_instead_of_a_greeting_ends_after_the_handshake_time() -> None:
    here = Setup(handshake=5.0)
    here.there.greeting = b"SSH-2.0-x\r\n"
    here.start()
    here.there.settle(5.1)
    assert "no greeting of an Event Socket within 5 seconds" in here.switch.last_error


def test_a_switch_that_falls_silent_is_dropped_within_the_stated_time() -> None:
    here = Setup(ping_interval=2.0, silence=6.0).start()
    here.there.settle(20.0)
    assert here.switch.ready
    here.there.silent = True
    here.there.settle(9.0)
    assert not here.switch.ready
    assert "nothing was heard for 6 seconds" in here.switch.last_error


def test_a_connection_on_which_events_arrive_is_not_silent() -> None:
    here = Setup(ping_interval=2.0, silence=6.0).start()
    events = here.there.wire_of("event")
    here.there.silent = True
    for _ in range(10):
        events.say(json_event(ANSWER))
        here.there.settle(1.0)
    assert not events.closing


def test_the_clock_of_the_switch_moves_the_deadline() -> None:
    here = Setup()
    here.there.clock_ahead = 100.0
    here.start()
    assert here.switch.clock_offset == timedelta(seconds=100)
    here.submit(deadline=1000.0)
    assert ">= 1100 ?" in here.there.wire_of("bgapi").commands[-1]


def test_a_switch_without_a_clock_is_not_used() -> None:
    here = Setup()
    answer = here.there.answer
    here.there.answer = lambda wire, block: (  # type: ignore[method-assign]
        reply("-ERR strmicroepoch Command not found!") if "strmicroepoch" in block else answer(wire, block)
    )
    here.start()
    assert not here.switch.ready
    assert "strmicroepoch" in here.switch.last_error


def test_kill_tells_whether_there_was_such_a_channel() -> None:
    here = Setup().start()
    killed = outcome(here.switch.kill("c1", "NORMAL_CLEARING"))
    here.there.settle()
    assert killed == [False]
    here.there.holding = True
    killed = outcome(here.switch.kill("c1", "NORMAL_CLEARING"))
    here.there.held[0][0].say(b"Content-Type: api/response\nContent-Length: 4\n\n+OK\n")
    assert killed == [True]


def test_is_alive_asks_the_switch() -> None:
    here = Setup().start()
    alive = outcome(here.switch.is_alive("c1"))
    here.there.settle()
    assert alive == [True]


def test_a_switch_that_shuts_down_takes_no_more_calls_but_still_tells_of_the_old_ones() -> None:
    here = Setup().start()
    events = here.there.wire_of("event")
    events.say(json_event('{"Event-Name":"SHUTDOWN"}'))
    assert not here.switch.ready
    assert unsent(here.submit())
    events.say(json_event(ANSWER))
    assert here.listener.told[-1].call_uuid == "c1"


def test_stopping_closes_both_connections_and_leaves_nothing_behind() -> None:
    here = Setup(calls_per_second=1.0).start()
    here.submit(1)
    waiting = here.submit(2)
    stopped = outcome(here.switch.stopService())
    here.there.settle()
    assert unsent(waiting)
    assert stopped == [None]
    assert here.there.open_wires == []
    assert here.clock.getDelayedCalls() == []


def test_stopping_while_connecting_leaves_nothing_behind() -> None:
    here = Setup()
    here.there.silent = True
    here.start()
    stopped = outcome(here.switch.stopService())
    here.there.settle()
    assert stopped == [None]
    assert here.clock.getDelayedCalls() == []


def test_the_password_is_in_no_message() -> None:
    config = SwitchConfig(password="hunter2")
    assert "hunter2" not in repr(config)
