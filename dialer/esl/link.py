"""One inbound connection that is kept up: dialled, authenticated, prepared, watched, and dialled again when it is lost.

Why `PreparedEndpoint`: Twisted's ClientService (26.10) raises NoTransition when a connection is lost while it is still being
prepared, which is just what a wrong password does. So here connecting means connecting *and* preparing, and the service
sees only connections that are ready.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from attrs import frozen
from twisted.application.internet import ClientService
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectError, ConnectionDone, DNSLookupError
from twisted.internet.interfaces import IDelayedCall, IProtocolFactory, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from dialer.errors import AddressRefused, AuthenticationFailed, CommandFailed, DialerError, SwitchUnavailable, UnreadableEvent
from dialer.esl import commands
from dialer.esl.connection import AuthRequested, CommandReply, Disconnected, Rejected, Unreadable
from dialer.esl.events import EslEvent
from dialer.esl.protocol import EventSocket


@frozen(kw_only=True)
class LinkRules:
    """How a link behaves; seconds. A link on which nothing at all arrives for `silence` is dropped; it is asked for a sign of
    life every `ping_interval`."""

    password: str
    handshake: float = 10.0
    ping_interval: float = 2.0
    silence: float = 10.0


@frozen(kw_only=True)
class Hooks:
    """The listener of a link. `prepare` runs after the authentication and may fail; `up` and `down` tell of prepared
    connections only; `failed` tells why none could be had; `pinged` gets the switch's clock as text with each sign of life.
    Events whose bytes do not concern anybody are not decoded (None: all are). `event` may raise `UnreadableEvent`; of each
    event that cannot be read, `unreadable` is told the reason. `round_trip` gets the seconds that a sign of life took."""

    prepare: Callable[[Link], Awaitable[None]]
    up: Callable[[Link], None]
    down: Callable[[Link, str], None]
    failed: Callable[[str], None]
    event: Callable[[EslEvent], None]
    pinged: Callable[[CommandReply], None]
    concerns: Callable[[bytes], bool] | None = None
    unreadable: Callable[[str], None] = lambda _reason: None
    round_trip: Callable[[float], None] = lambda _seconds: None


class Link:
    """A connection that is kept up by its `service`."""

    def __init__(
        self,
        clock: IReactorTime,
        endpoint: IStreamClientEndpoint,
        rules: LinkRules,
        retry: Callable[[int], float],
        hooks: Hooks,
    ) -> None:
        self.clock = clock
        self.rules = rules
        self.is_up = False
        self.core_uuid = ""
        self._hooks = hooks
        self._socket: EventSocket | None = None
        self._greeting: Deferred[None] | None = None
        self._ticking: IDelayedCall | None = None
        self._silent_since = 0.0
        self._ping: Deferred[CommandReply] | None = None
        self._lost_told: Callable[[], None] = _nobody
        self.service = ClientService(
            PreparedEndpoint(endpoint, self), Factory.forProtocol(Protocol), retryPolicy=retry, clock=clock
        )

    @property
    def in_flight(self) -> int:
        """How many commands were not answered yet."""
        return self._socket.in_flight if self._socket is not None else 0

    def send(self, command: commands.Command) -> Deferred[CommandReply]:
        """Give a command. Fails with `SwitchUnavailable`."""
        if self._socket is None:
            return fail(SwitchUnavailable(command.name, "not connected", sent=False))
        return self._socket.send(command)

    def drop(self, reason: str) -> None:
        """Give the connection up; a new one is made."""
        if self._socket is not None:
            self._socket.abort(reason)

    def build(self) -> EventSocket:
        """A new connection's protocol."""
        self._greeting = Deferred()
        self._socket = EventSocket(self, concerns=self._hooks.concerns)
        return self._socket

    async def shake_hands(self) -> None:
        """Authenticate and prepare. Fails with any `DialerError`."""
        greeting = self._greeting
        if greeting is not None:
            await greeting
        reply = await self.send(commands.auth(self.rules.password))
        if reply.failed:
            raise AuthenticationFailed(f"the switch refused the password ({reply.text})")
        await self._hooks.prepare(self)

    def opened(self, lost_told: Callable[[], None]) -> None:
        """The connection is ready; `lost_told` is called when it is lost."""
        self._lost_told = lost_told
        self.is_up = True
        self._silent_since = self.clock.seconds()
        self._ticking = self.clock.callLater(self.rules.ping_interval, self._tick)
        self._hooks.up(self)

    def refused(self, failure: Failure) -> None:
        """The connection could not be had."""
        if not failure.check(CancelledError):
            self._hooks.failed(explain(failure))

    def connected(self) -> None:
        """`Owner`: nothing to do before the switch has greeted."""

    def happened(self, happening: EslEvent | Unreadable | AuthRequested | Disconnected | Rejected) -> None:
        """`Owner`: events go up, the greeting starts the handshake."""
        if isinstance(happening, EslEvent):
            if self.is_up:
                self._event(happening)
        elif isinstance(happening, Unreadable):
            self._hooks.unreadable(happening.reason)
        elif isinstance(happening, AuthRequested):
            self._greet(None)
        elif isinstance(happening, Rejected):
            self._greet(AddressRefused(f"the switch does not accept this address ({happening.reason})"))

    def _event(self, event: EslEvent) -> None:
        try:
            self._hooks.event(event)
        except UnreadableEvent as error:
            self._hooks.unreadable(str(error))

    def lost(self, reason: str) -> None:
        """`Owner`: the connection is closed."""
        self._socket = None
        self._ping = None
        if self._ticking is not None:
            self._ticking.cancel()
            self._ticking = None
        was_up, self.is_up = self.is_up, False
        self._greet(SwitchUnavailable("connect", reason, sent=False))
        if was_up:
            self._hooks.down(self, reason)
            self._lost_told()

    def _greet(self, error: DialerError | None) -> None:
        greeting, self._greeting = self._greeting, None
        if greeting is None:
            return
        if error is None:
            greeting.callback(None)
        else:
            greeting.errback(error)

    def _tick(self) -> None:
        self._ticking = self.clock.callLater(self.rules.ping_interval, self._tick)
        socket = self._socket
        if socket is None:
            return
        now = self.clock.seconds()
        if socket.heard:
            socket.heard = False
            self._silent_since = now
        elif now - self._silent_since >= self.rules.silence:
            socket.abort(f"nothing was heard for {self.rules.silence:g} seconds")
            return
        if self._ping is None:
            self._ping = socket.send(commands.clock())
            self._ping.addCallbacks(self._ponged, _lost_with_connection, callbackArgs=(now,))

    def _ponged(self, reply: CommandReply, asked_at: float) -> None:
        self._ping = None
        self._hooks.round_trip(self.clock.seconds() - asked_at)
        try:
            self._hooks.pinged(reply)
        except CommandFailed as error:
            self.drop(str(error))


@implementer(IStreamClientEndpoint)
class PreparedEndpoint:
    """An endpoint whose connections are authenticated and prepared when it gives them out."""

    def __init__(self, endpoint: IStreamClientEndpoint, link: Link) -> None:
        self._endpoint = endpoint
        self._link = link

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """`IStreamClientEndpoint`: fires with what `factory` built, once the connection is ready."""
        connecting = Deferred.fromCoroutine(self._connect(factory))
        connecting.addErrback(self._report)
        return connecting

    async def _connect(self, factory: IProtocolFactory) -> Any:
        link = self._link
        socket = cast(EventSocket, await self._endpoint.connect(Factory.forProtocol(link.build)))
        shaking = Deferred.fromCoroutine(link.shake_hands())
        shaking.addTimeout(link.rules.handshake, link.clock, _timed_out)
        try:
            await shaking
        except BaseException:
            socket.abort("the handshake failed")
            raise
        watched = cast(Protocol, factory.buildProtocol(socket.peer))
        watched.makeConnection(socket.transport)
        link.opened(lambda: watched.connectionLost(Failure(ConnectionDone())))
        return watched

    def _report(self, failure: Failure) -> Failure:
        self._link.refused(failure)
        return failure


def _nobody() -> None:
    """Nobody wants to know of the loss."""


def _lost_with_connection(failure: Failure) -> None:
    failure.trap(SwitchUnavailable)


def _timed_out(_result: object, seconds: float) -> object:
    raise SwitchUnavailable("connect", f"no greeting of an Event Socket within {seconds:g} seconds", sent=False)


def explain(failure: Failure) -> str:
    """Why a connection could not be had, in words."""
    error = failure.value
    if isinstance(error, SwitchUnavailable):
        return error.reason
    if isinstance(error, DNSLookupError):
        return "there is no host of that name"
    if isinstance(error, ConnectError):
        return f"cannot connect ({error})"
    return str(error) or type(error).__name__


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SAMPLES = 8
"""How many answers are remembered; with one every 2 s, a clock that is set back is followed within 16 s."""


class ClockOffset:
    """The switch's clock minus ours, judged so that a deadline on the switch is never later than meant.

    An answer that says T and arrives at A was true at some moment before A, so the offset is at least T - A; of the last few
    answers the largest such bound is the closest one.
    """

    def __init__(self) -> None:
        self._bounds: deque[timedelta] = deque(maxlen=SAMPLES)
        self.offset = timedelta(0)
        """Zero before the first answer."""

    def answered(self, microseconds: int, at: datetime) -> None:
        """The switch said that its clock showed so many microseconds since 1970; the answer arrived at `at`."""
        self._bounds.append(_EPOCH + timedelta(microseconds=microseconds) - at)
        self.offset = max(self._bounds)

    def forget(self) -> None:
        """Another switch process, perhaps another machine."""
        self._bounds.clear()
        self.offset = timedelta(0)
