"""The Event Socket over real sockets on the loopback interface."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from dialer.errors import SwitchUnavailable
from dialer.esl.inbound import InboundSwitch, SwitchConfig
from dialer.esl.outbound import OutboundServer
from dialer.model import Origination, Signal
from tests.unit.esl.recorded import said_by_switch
from tests.unit.esl.wire import api_response, json_event, reply

CHANNEL = said_by_switch("21-outbound-async-full-linger").partition(b"\n\n")[0] + b"\n\n"
HANGUP = json_event(
    '{"Event-Name":"CHANNEL_HANGUP_COMPLETE","Event-Date-Timestamp":"1795687200000000","Hangup-Cause":"NORMAL_CLEARING"}'
)


class SwitchEnd(Protocol):
    """Answers each command line by a function, in either direction."""

    answer: Callable[[SwitchEnd, str], bytes | None]
    greeting = b""

    def __init__(self) -> None:
        self.buffer = b""
        self.lines: list[str] = []
        self.closed: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self.greeting)

    def dataReceived(self, data: bytes) -> None:
        self.buffer += data
        *blocks, self.buffer = self.buffer.split(b"\n\n")
        for block in blocks:
            line = block.decode().split("\n")[0]
            self.lines.append(line)
            answer = type(self).answer(self, block.decode())
            if answer is not None:
                self.transport.write(answer)

    def connectionLost(self, reason: Any = None) -> None:
        self.closed.callback(None)


def login(end: SwitchEnd, block: str) -> bytes | None:
    line = block.split("\n")[0]
    if line.startswith("auth "):
        return reply("+OK accepted") if line == "auth ClueCon" else reply("-ERR invalid")
    if line.startswith("api global_getvar"):
        return api_response("core-1")
    if line.startswith("api strmicroepoch"):
        return api_response(str(int(datetime.now(UTC).timestamp() * 1e6)))
    if line.startswith("api show"):
        return api_response('{"row_count":2000,"rows":[' + ",".join(['{"uuid":"c","accountcode":"a"}'] * 2000) + "]}")
    return reply("+OK")


class Inbound(SwitchEnd):
    answer = login
    greeting = b"Content-Type: auth/request\n\n"


class Listener:
    def __init__(self) -> None:
        self.up: Deferred[None] = Deferred()
        self.down: Deferred[str] = Deferred()
        self.signals: list[Signal] = []

    def signal_received(self, signal: Signal) -> None:
        self.signals.append(signal)

    def switch_up(self, switch: Any) -> None:
        self.up.callback(None)

    def switch_down(self, switch: Any, reason: str) -> None:
        self.down.callback(reason)

    def gateways_changed(self, switch: Any) -> None:
        """No gateway changes here."""


class Ends(Factory):
    """Builds the switch's ends and keeps them."""

    noisy = False

    def __init__(self, kind: type[SwitchEnd]) -> None:
        self.kind = kind
        self.built: list[SwitchEnd] = []

    def buildProtocol(self, addr: Any) -> SwitchEnd:
        self.built.append(self.kind())
        return self.built[-1]


@asynccontextmanager
async def connected(kind: type[SwitchEnd], **config: Any) -> AsyncIterator[tuple[InboundSwitch, Listener, Ends]]:
    from twisted.internet import reactor

    ends, listener = Ends(kind), Listener()
    port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(ends)
    settings = SwitchConfig(host="127.0.0.1", port=port.getHost().port, **config)
    switch = InboundSwitch(reactor, listener, settings, lambda: datetime.now(UTC), random.Random(1))
    switch.startService()
    try:
        yield switch, listener, ends
    finally:
        await port.stopListening()
        await switch.stopService()


async def until(condition: Callable[[], bool]) -> None:
    from twisted.internet import reactor

    while not condition():
        await deferLater(reactor, 0.01)


@pytest_twisted.ensureDeferred
async def test_a_switch_is_logged_into_and_tells_of_its_calls() -> None:
    async with connected(Inbound, calls_per_second=1000.0) as (switch, listener, ends):
        await listener.up
        call = Origination(
            call_uuid="c1",
            dial_string="loopback/x/default",
            account_code="a",
            timeout=1,
            max_duration=1,
            deadline=datetime.now(UTC) + timedelta(seconds=60),
            outbound="127.0.0.1:1",
        )
        await switch.submit(call)
        (events,) = [end for end in ends.built if any(line.startswith("event json") for line in end.lines)]
        stream = (
            json_event('{"Event-Name":"CHANNEL_ANSWER","Event-Date-Timestamp":"1795687200000000","Unique-ID":"c1"}') * 1000
        )
        events.transport.write(stream)
        await until(lambda: len(listener.signals) == 1000)
        assert abs(switch.clock_offset) < timedelta(seconds=1)


@pytest_twisted.ensureDeferred
async def test_a_long_list_of_channels_arrives_whole() -> None:
    async with connected(Inbound) as (switch, listener, _):
        await listener.up
        assert len(await switch.live_channels()) == 2000


@pytest_twisted.ensureDeferred
async def test_a_switch_that_goes_away_fails_what_was_asked_and_is_told() -> None:
    class Silent(Inbound):
        @staticmethod
        def answer(end: SwitchEnd, block: str) -> bytes | None:
            if block.startswith("api uuid_exists"):
                end.transport.abortConnection()
                return None
            return login(end, block)

    async with connected(Silent) as (switch, listener, _):
        await listener.up
        try:
            await switch.is_alive("c1")
        except SwitchUnavailable as error:
            assert error.sent
            assert error.command == "api uuid_exists"
        else:
            raise AssertionError("the command was answered")
        assert "the connection was lost" in await listener.down


@pytest_twisted.ensureDeferred
async def test_a_wrong_password_is_told_by_host_and_port() -> None:
    async with connected(Inbound, password="wrong") as (switch, _, _ends):
        await until(lambda: "refused the password" in switch.last_error)
        assert switch.last_error.startswith(f"{switch.name}: ")


@pytest_twisted.ensureDeferred
async def test_a_port_where_nobody_listens_is_told_by_host_and_port() -> None:
    from twisted.internet import reactor

    port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Ends(Inbound))
    number = port.getHost().port
    await port.stopListening()
    switch = InboundSwitch(reactor, Listener(), SwitchConfig(port=number), lambda: datetime.now(UTC), random.Random(1))
    switch.startService()
    await until(lambda: "cannot connect" in switch.last_error)
    assert f"127.0.0.1:{number}" in switch.last_error
    await switch.stopService()


@pytest_twisted.ensureDeferred
async def test_an_answered_call_is_played_to_and_hung_up() -> None:
    from twisted.internet import reactor

    class Outbound(SwitchEnd):
        @staticmethod
        def answer(end: SwitchEnd, block: str) -> bytes | None:
            if block == "connect":
                return CHANNEL
            if "execute-app-name" in block:
                (event_uuid,) = [line.split(": ")[1] for line in block.split("\n") if line.startswith("Event-UUID")]
                done = f'{{"Event-Name":"CHANNEL_EXECUTE_COMPLETE","Application-UUID":"{event_uuid}",'
                return reply("+OK") + json_event(done + '"Application-Response":"FILE PLAYED"}')
            if "call-command: hangup" in block:
                return reply("+OK") + HANGUP
            return reply("+OK")

    responses: list[str] = []

    async def play(call: Any) -> None:
        responses.append(await call.execute("answer"))

    server = OutboundServer(reactor, play, lambda _: True, lambda: "ev-1")
    port: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(server)
    end: Any = await TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port).connect(Factory.forProtocol(Outbound))
    await end.closed
    await until(lambda: server.sessions == 0)
    await port.stopListening()
    assert responses == ["FILE PLAYED"]
