from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock, deferLater
from twisted.logger import globalLogPublisher

from dialer.errors import BadValue, CommandFailed, SessionGone
from dialer.esl.outbound import OutboundConfig, OutboundServer
from dialer.esl.session import SETTLE, Session
from tests.unit.esl.recorded import said_by_switch
from tests.unit.esl.wire import DAMAGED_EVENTS, Wire, event_frame, json_event, reply

CHANNEL = said_by_switch("21-outbound-async-full-linger").partition(b"\n\n")[0] + b"\n\n"
CALL_UUID = "c59e1653-0460-45db-a293-392395340abf"
HANGUP = json_event('{"Event-Name":"CHANNEL_HANGUP_COMPLETE","Hangup-Cause":"NORMAL_CLEARING"}')
PEER = IPv4Address("TCP", "127.0.0.1", 40000)
Handler = Callable[[Any], Awaitable[None]]


class Here:
    """A server and the switch's end of one session. `answers` may be changed by a test."""

    def __init__(self, handler: Handler, ours: bool = True, config: OutboundConfig | None = None) -> None:
        self.clock = Clock()
        self.ids = iter(range(1, 1000))
        self.asked: list[str] = []
        self.server = OutboundServer(
            self.clock,
            handler,
            lambda call_uuid: self.asked.append(call_uuid) or ours,  # type: ignore[func-returns-value]
            lambda: f"ev-{next(self.ids)}",
            config,
        )
        self.channel = CHANNEL
        self.wires: list[Wire] = []

    def open(self) -> Wire:
        """FreeSWITCH connects."""
        protocol = self.server.buildProtocol(PEER)
        assert protocol is not None
        wire = Wire(self.clock, self.answer)
        wire.protocol = protocol
        self.wires.append(wire)
        protocol.makeConnection(wire)
        self.settle()
        return wire

    def answer(self, block: str) -> bytes | None:
        if block == "connect":
            return self.channel
        if block.startswith(("linger", "filter", "event", "sendmsg")):
            return reply("+OK")
        return None

    def settle(self, seconds: float = 0.0) -> None:
        for _ in range(20):
            self.clock.advance(0)
        if seconds:
            self.clock.advance(seconds)
            self.settle()


def completed(event_uuid: str, response: str = "_none_") -> bytes:
    return json_event(
        f'{{"Event-Name":"CHANNEL_EXECUTE_COMPLETE","Application-UUID":"{event_uuid}","Application-Response":"{response}"}}'
    )


def outcome(deferred: Deferred[Any]) -> list[Any]:
    found: list[Any] = []
    deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found


async def for_ever(call: Session) -> None:
    """A handler that waits for the end of its call."""
    await call.when_closed()


async def nothing(call: Session) -> None:
    """A handler that is done at once."""


class Keeping:
    """A handler that keeps its calls for the test and waits."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    async def __call__(self, call: Any) -> None:
        self.calls.append(call)
        await call.when_closed()


@pytest.fixture
def told() -> Any:
    """The lines of our own log."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def logged() -> Any:
    lines: list[Any] = []
    globalLogPublisher.addObserver(lines.append)
    yield lines
    globalLogPublisher.removeObserver(lines.append)


def test_a_session_subscribes_to_three_events_of_its_own_channel_only() -> None:
    here = Here(for_ever)
    assert here.open().commands == [
        "connect",
        "linger 10",
        f"filter Unique-ID {CALL_UUID}",
        "event json CHANNEL_EXECUTE_COMPLETE DTMF CHANNEL_HANGUP_COMPLETE",
    ]
    assert here.asked == [CALL_UUID]


def test_the_handler_gets_the_call_with_its_variables() -> None:
    handler = Keeping()
    Here(handler).open()
    (call,) = handler.calls
    assert call.call_uuid == CALL_UUID
    assert call.variable("direction") == "outbound"
    assert call.variable("no_such_variable") == ""


def test_an_application_fires_with_its_response_when_it_has_completed() -> None:
    handler = Keeping()
    wire = Here(handler).open()
    played = outcome(handler.calls[0].execute("playback", "tone_stream://%(200,100,500)"))
    assert wire.commands[4:] == [
        "sendmsg\ncall-command: execute\nexecute-app-name: playback\nEvent-UUID: ev-1\n"
        "content-type: text/plain\ncontent-length: 28",
        "tone_stream://%(200,100,500)",
    ]
    wire.say(reply("+OK"))
    wire.say(completed("somebody-else", "WRONG"))
    assert played == []
    wire.say(completed("ev-1", "FILE PLAYED"))
    assert played == ["FILE PLAYED"]


def test_a_refused_application_fails() -> None:
    handler = Keeping()
    here = Here(handler)
    wire = here.open()
    here.answer = lambda block: None  # type: ignore[method-assign]
    wire.answers = here.answer
    played = outcome(handler.calls[0].execute("playback", "x"))
    wire.say(reply("-ERR memory error"))
    assert isinstance(played[0], CommandFailed)


def test_an_argument_that_cannot_be_sent_fails_and_the_session_goes_on() -> None:
    handler = Keeping()
    wire = Here(handler).open()
    (error,) = outcome(handler.calls[0].execute("playback", "${x}"))
    assert isinstance(error, BadValue)
    assert not wire.closing


def test_a_callee_who_hangs_up_ends_what_is_running() -> None:
    handler = Keeping()
    here = Here(handler)
    wire = here.open()
    played = outcome(handler.calls[0].execute("playback", "x"))
    digit = outcome(handler.calls[0].next_digit())
    closed = outcome(handler.calls[0].when_closed())
    wire.say(HANGUP)
    here.settle(SETTLE)
    assert [type(found[0]) for found in (played, digit)] == [SessionGone, SessionGone]
    assert closed == [None]
    assert outcome(handler.calls[0].when_closed()) == [None]
    assert isinstance(outcome(handler.calls[0].execute("playback", "x"))[0], SessionGone)
    assert isinstance(outcome(handler.calls[0].hangup())[0], SessionGone)
    assert "NORMAL_CLEARING" in str(played[0])
    assert wire.closing
    assert here.server.sessions == 0
    assert here.clock.getDelayedCalls() == []


def test_a_lost_connection_ends_the_session() -> None:
    handler = Keeping()
    here = Here(handler)
    wire = here.open()
    played = outcome(handler.calls[0].execute("playback", "x"))
    wire.close()
    here.settle()
    assert isinstance(played[0], SessionGone)
    assert here.server.sessions == 0
    assert here.clock.getDelayedCalls() == []


def test_a_call_is_hung_up_when_its_handler_returns() -> None:
    here = Here(nothing)
    wire = here.open()
    assert wire.commands[-1] == "sendmsg\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING"
    assert not wire.closing
    wire.say(HANGUP)
    here.settle(SETTLE)
    assert wire.closing


def test_a_call_is_hung_up_when_its_handler_raises(logged: list[Any]) -> None:
    async def broken(call: Session) -> None:
        raise ValueError("a bug")

    here = Here(broken)
    wire = here.open()
    assert wire.commands[-1].startswith("sendmsg\ncall-command: hangup")
    wire.say(HANGUP)
    here.settle(SETTLE)
    assert here.server.sessions == 0
    assert any("a bug" in str(line.get("log_failure")) for line in logged)


def test_a_session_is_not_closed_earlier_than_10_ms_after_the_answer_to_connect() -> None:
    here = Here(nothing)
    wire = here.open()
    wire.say(HANGUP)
    here.settle(SETTLE * 0.9)
    assert not wire.closing
    here.settle(SETTLE * 0.2)
    assert wire.closing


def test_a_hangup_that_the_switch_does_not_confirm_ends_after_a_while() -> None:
    here = Here(nothing)
    wire = here.open()
    here.settle(4.9)
    assert not wire.closing
    here.settle(0.2)
    here.settle(SETTLE)
    assert wire.closing
    assert here.server.sessions == 0


def test_a_notice_of_lingering_without_a_hangup_event_ends_the_session_after_a_while() -> None:
    handler = Keeping()
    here = Here(handler)
    wire = here.open()
    wire.say(b"Content-Type: text/disconnect-notice\nContent-Disposition: linger\nContent-Length: 0\n\n")
    closed = outcome(handler.calls[0].when_closed())
    assert closed == []
    here.settle(5.1)
    assert closed == [None]


def test_digits_are_collected_and_awaited() -> None:
    handler = Keeping()
    wire = Here(handler).open()
    (call,) = handler.calls
    first = outcome(call.next_digit())
    for digit in "4#":
        wire.say(json_event(f'{{"Event-Name":"DTMF","DTMF-Digit":"{digit}"}}'))
    assert (first, call.digits) == (["4"], "4#")


def test_a_call_of_somebody_else_is_hung_up_and_logged(told: list[Any]) -> None:
    handler = Keeping()
    here = Here(handler, ours=False)
    wire = here.open()
    assert wire.commands == ["connect", "sendmsg\ncall-command: hangup\nhangup-cause: CALL_REJECTED"]
    assert handler.calls == []
    assert any("not a call of this dialer" in str(line.get("reason")) for line in told)
    here.settle(6.0)
    assert here.server.sessions == 0


def test_a_call_that_another_dialer_has_by_now_is_given_back_and_not_hung_up() -> None:
    handler = Keeping()
    proofs: list[tuple[str, str]] = []

    def may_be_anothers(call_uuid: str, token: str) -> bool:
        proofs.append((call_uuid, token))
        return True

    here = Here(handler, ours=False, config=OutboundConfig(may_be_anothers=may_be_anothers))
    here.channel = CHANNEL.replace(b"\n\n", b"\nvariable_dialer_proof: abc\n\n")
    wire = here.open()
    assert not wire.closing
    here.settle(SETTLE)
    assert (wire.commands, wire.closing) == (["connect"], True)
    assert proofs == [(CALL_UUID, "abc")]
    assert handler.calls == []
    assert (here.server.door.given_back.total, here.server.door.unwanted.total) == (1, 0)


def test_a_dialer_that_has_stood_still_gives_a_call_back_until_it_knows_what_it_has() -> None:
    handler = Keeping()
    lapsed = [True, False]
    here = Here(handler, config=OutboundConfig(lapsed=lambda: lapsed.pop(0)))
    first = here.open()
    here.settle(SETTLE)
    assert (first.commands, first.closing, handler.calls) == (["connect"], True, [])
    here.open()
    assert len(handler.calls) == 1


@pytest.mark.parametrize(
    ("said", "wrong"), [(b"Mode: async", b"Mode: static"), (b"Control: full", b"Control: single-channel")]
)
def test_a_dialplan_without_async_full_is_told_so(said: bytes, wrong: bytes, told: list[Any]) -> None:
    handler = Keeping()
    here = Here(handler)
    here.channel = CHANNEL.replace(said, wrong)
    wire = here.open()
    assert handler.calls == []
    assert wire.commands[-1].endswith("CALL_REJECTED")
    assert any("async full" in str(line.get("reason")) for line in told)


def test_a_stranger_gets_no_session() -> None:
    here = Here(for_ever)
    assert here.server.buildProtocol(IPv4Address("TCP", "192.0.2.66", 1)) is None
    assert here.server.sessions == 0


def test_a_peer_that_never_answers_connect_is_dropped() -> None:
    here = Here(for_ever)
    here.answer = lambda block: None  # type: ignore[method-assign]
    wire = here.open()
    here.settle(9.9)
    assert not wire.closing
    here.settle(0.2)
    assert wire.closing
    assert here.server.sessions == 0
    assert here.clock.getDelayedCalls() == []


def test_sessions_beyond_the_limit_are_hung_up() -> None:
    handler = Keeping()
    here = Here(handler, config=OutboundConfig(max_sessions=1))
    here.open()
    surplus = here.open()
    assert len(handler.calls) == 1
    assert surplus.commands[-1].endswith("CALL_REJECTED")


def test_a_handler_that_goes_on_after_its_call_is_stopped_after_a_while() -> None:
    stopped: list[str] = []
    clock: list[Clock] = []

    async def stubborn(call: Session) -> None:
        try:
            await deferLater(clock[0], 1000.0)
        except BaseException as error:
            stopped.append(type(error).__name__)
            raise

    here = Here(stubborn)
    clock.append(here.clock)
    wire = here.open()
    wire.say(HANGUP)
    here.settle(9.0)
    assert (stopped, here.server.sessions) == ([], 1)
    here.settle(1.5)
    assert (stopped, here.server.sessions) == (["CancelledError"], 0)


def test_stopping_gives_the_calls_back_without_hanging_up() -> None:
    handler = Keeping()
    here = Here(handler)
    wire = here.open()
    stopped = outcome(here.server.stop())
    assert stopped == []
    here.settle(SETTLE)
    assert stopped == [None]
    assert wire.closing
    assert not any("hangup" in command for command in wire.commands)
    assert here.server.buildProtocol(PEER) is None


def test_a_peer_that_breaks_the_protocol_is_dropped() -> None:
    here = Here(for_ever)
    here.channel = b"HTTP/1.1 200 OK\n\n"
    wire = here.open()
    assert wire.closing
    assert here.server.sessions == 0


# --- strangers at the door ----------------------------------------------------------------------------------------------

PROBES = {
    "closes at once": [b""],
    "HTTP": [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
    "TLS": [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256))],
    "half a header": [b"Content-Type: command/re"],
    "a refusal": [reply("-ERR no")],
    "a reply too many": [reply("+OK"), reply("+OK"), reply("+OK")],
    "a call of its own": [CHANNEL.replace(CALL_UUID.encode(), b"x" * 100_000)],
}


@pytest.mark.parametrize("said", PROBES.values(), ids=PROBES.keys())
def test_a_port_scanner_makes_a_line_a_minute(said: list[bytes], told: list[Any]) -> None:
    here = Here(for_ever, ours=False)
    here.answer = lambda block: None  # type: ignore[method-assign]
    for _ in range(704):
        wire = here.open()
        for data in said:
            wire.say(data)
            here.settle()
        wire.close()
        here.settle(60 / 704)
    here.settle(60.1)
    assert here.server.sessions == 0
    assert sum(here.server.door.figures.values()) == 704
    assert len(told) <= 3
    assert sum(line["times"] for line in told) == 704
    assert all(len(str(line)) < 1000 for line in told)


def test_a_stranger_that_may_not_connect_makes_a_line_a_minute(told: list[Any]) -> None:
    here = Here(for_ever)
    for last in range(200):
        assert here.server.buildProtocol(IPv4Address("TCP", f"192.0.2.{last}", 1)) is None
    assert [line["times"] for line in told] == [1]
    here.settle(61)
    assert [line["times"] for line in told] == [1, 199]
    assert here.server.door.refused.total == 200


@pytest.mark.parametrize("body", DAMAGED_EVENTS)
def test_a_damaged_event_of_a_call_is_passed_over(body: bytes, told: list[Any]) -> None:
    handler = Keeping()
    here = Here(handler)
    wire = here.open()
    played = outcome(handler.calls[0].execute("playback", "x"))
    wire.say(reply("+OK"))
    for _ in range(50):
        wire.say(event_frame(body))
    wire.say(completed("ev-1", "FILE PLAYED"))
    assert (played, wire.closing) == (["FILE PLAYED"], False)
    assert here.server.door.unreadable.total == 50
    assert len(told) == 1
