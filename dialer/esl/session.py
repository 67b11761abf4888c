"""One answered call that the switch has handed to the dialer: `dialer.interfaces.AnsweredCall` over an Event Socket.

The orphan race: in async mode, a listener that closed within 5 ms of the answer to `connect` left the channel parked for ever
in three of six tries. Every call carries `socket_resume=true`, which ends that; and for calls of others, a session is never
closed earlier than `SETTLE` after that answer, and a call that is not wanted is hung up, not dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, DeferredList, fail, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from dialer.errors import BadValue, CommandFailed, DialerError, SessionGone, SwitchUnavailable
from dialer.esl import bridging, commands
from dialer.esl.connection import AuthRequested, CommandReply, Disconnected, Rejected, Unreadable
from dialer.esl.door_log import DoorLog, Unwanted
from dialer.esl.events import EslEvent, VariablePacker
from dialer.esl.frames import Limits
from dialer.esl.proof import VARIABLE
from dialer.esl.protocol import EventSocket
from dialer.interfaces import CallHandler
from dialer.model.flow import Transfer, Transferred

SETTLE = 0.01
"""Seconds; see the orphan race."""

MAX_DIGITS = 256

STRANGER = Limits(header=128 * 1024, body=16 * 1024)
"""Before it is known that a connection brings a call of ours: enough for the answer to `connect`, and not more."""

LONGEST_UUID = 64
"""Characters of a channel's id that are looked at: those of calls of ours have 36."""

BREAK = 1.0
"""Seconds that what is playing may take to end once it was broken off; FreeSWITCH looks every 20 ms."""


@frozen(kw_only=True)
class SessionRules:
    """Seconds: `greeting` until the session is set up, `linger` for the last events of a call, `parting` until the switch
    confirms a hang-up, `grace` for a handler whose call is over."""

    greeting: float = 10.0
    linger: int = 10
    parting: float = 5.0
    grace: float = 10.0


class Session:
    """`judge` is given the session and the token that it brings, and says why its call is not wanted, None when it is; `ended`
    is called once, after the handler and the connection."""

    _log = Logger()

    def __init__(
        self,
        clock: IReactorTime,
        rules: SessionRules,
        handler: CallHandler,
        judge: Callable[[Session, str], Unwanted | None],
        new_id: Callable[[], str],
        packer: VariablePacker,
        door: DoorLog,
        ended: Callable[[Session], None],
    ) -> None:
        self._clock = clock
        self._rules = rules
        self._handler = handler
        self._judge = judge
        self._new_id = new_id
        self._packer = packer
        self._door = door
        self._ended = ended
        self._socket = EventSocket(self, STRANGER)
        self._trusted = False
        self._call_uuid = ""
        self._variables = b""
        self._opened_at = 0.0
        self._over = ""
        self._lost = False
        self._timers: list[IDelayedCall] = []
        self._running: Deferred[None] | None = None
        self._executing: dict[str, Deferred[Any]] = {}
        self._bridging = ""
        self._quiet: Deferred[None] | None = None
        self._closed_waiters: list[Deferred[None]] = []
        self._digit_waiters: list[Deferred[str]] = []
        self._digits = ""

    @property
    def socket(self) -> EventSocket:
        """The connection's protocol."""
        return self._socket

    # --- dialer.interfaces.AnsweredCall ---

    @property
    def call_uuid(self) -> str:
        """The channel's id; "" before the switch has told it."""
        return self._call_uuid

    @property
    def digits(self) -> str:
        """The DTMF digits that the callee has pressed so far."""
        return self._digits

    def variable(self, name: str) -> str:
        """A channel variable as it was when the session opened; "" when it was not set."""
        return self._packer.value(self._variables, name) if self._variables else ""

    def execute(self, application: str, argument: str = "") -> Deferred[str]:
        """Run an application; fires with its response when it has completed. Fails with `SessionGone`, `CommandFailed`, or
        `BadValue` when the argument cannot be sent exactly."""
        return self._perform(application, argument, self._new_id())

    def bridge(self, transfer: Transfer) -> Deferred[Transferred]:
        """Dial a second leg and connect the callee to it; fires when either has ended, also when it was the callee who hung
        up. Fails as `execute`."""
        return Deferred.fromCoroutine(self._bridge(transfer))

    def stop_playing(self) -> Deferred[None]:
        """Break off what is playing; fires when nothing runs any more, `BREAK` seconds later at the latest. Fails with
        `SessionGone`."""
        return Deferred.fromCoroutine(self._break_off())

    def hangup(self, cause: str = "NORMAL_CLEARING") -> Deferred[None]:
        """End the call; fires when the switch has accepted that."""
        if self._over:
            return fail(SessionGone(self._over))
        try:
            command = commands.hangup(cause)
        except BadValue as error:
            return fail(error)
        accepted = self._socket.send(command).addCallback(CommandReply.checked)
        return accepted.addCallbacks(lambda _: None, _session_gone)

    def next_digit(self) -> Deferred[str]:
        """Fires with the next DTMF digit that the callee presses. Fails with `SessionGone`."""
        if self._over:
            return fail(SessionGone(self._over))
        pressed: Deferred[str] = Deferred()
        self._digit_waiters.append(pressed)
        return pressed

    def when_closed(self) -> Deferred[None]:
        """Fires once the call is over for this session; each caller gets its own Deferred."""
        if self._over:
            return succeed(None)
        closed: Deferred[None] = Deferred()
        self._closed_waiters.append(closed)
        return closed

    def _perform(self, application: str, argument: str, event_uuid: str) -> Deferred[Any]:
        if self._over:
            return fail(SessionGone(self._over))
        try:
            command = commands.execute(application, argument, event_uuid)
        except BadValue as error:
            return fail(error)
        completed: Deferred[Any] = Deferred()
        self._executing[event_uuid] = completed
        self._socket.send(command).addCallback(CommandReply.checked).addErrback(self._not_executed, event_uuid)
        return completed

    async def _bridge(self, transfer: Transfer) -> Transferred:
        settings, argument = bridging.settings(transfer.ringback), bridging.argument(transfer)
        await self.execute("multiset", settings)
        self._bridging = self._new_id()
        ended: EslEvent = await self._perform("bridge", argument, self._bridging)
        return bridging.outcome(ended)

    async def _break_off(self) -> None:
        if self._over:
            raise SessionGone(self._over)
        try:
            (await self._socket.send(commands.break_off(self._call_uuid))).checked()
        except CommandFailed:
            return  # there is no channel any more: its end is about to be told
        except SwitchUnavailable as error:
            raise SessionGone(error.reason) from error
        if self._executing and not self._over:
            self._quiet = Deferred()
            await self._quiet.addTimeout(BREAK, self._clock, lambda _result, _seconds: None)

    def interrupt(self) -> None:
        """The Deferred that the handler awaits fails with `CancelledError`."""
        if self._running is not None:
            self._running.cancel()

    # --- the story of a session ---

    def leave(self) -> None:
        """Give the call back: close the connection without hanging up, and the dialplan goes on."""
        self._end_call("the dialer gave the call back")

    async def _run(self) -> None:
        unwanted = await self._open()
        if unwanted is not None:
            await self._decline(unwanted)
            return
        try:
            await self._handler(self)
        except SessionGone:
            pass  # the callee has hung up, which a handler need not expect
        except CancelledError:
            self._log.warn("the application of {call} went on after the end of its call", call=self._call_uuid)
        except Exception:
            self._log.failure("the application of {call} failed", call=self._call_uuid)
        await self._part("NORMAL_CLEARING")

    async def _decline(self, unwanted: Unwanted) -> None:
        self._door.decline(unwanted, self._call_uuid, _host(self._socket.peer))
        if unwanted.hang_up:
            await self._part("CALL_REJECTED")
        else:
            self.leave()

    async def _open(self) -> Unwanted | None:
        """Learn which call this is and subscribe to its events; returns why the call is not wanted, None when it is."""
        limit = self._clock.callLater(self._rules.greeting, self._socket.abort, "the session could not be set up in time")
        try:
            return await self._greet()
        finally:
            if limit.active():
                limit.cancel()

    async def _greet(self) -> Unwanted | None:
        reply = await self._socket.send(commands.connect())
        self._opened_at = self._clock.seconds()
        channel = reply.channel_data()
        self._call_uuid = channel.value("Unique-ID")[:LONGEST_UUID]
        if channel.value("Socket-Mode") != "async" or channel.value("Control") != "full":
            return Unwanted("the dialplan must say 'async full' to its socket application")
        unwanted = self._judge(self, channel.value(f"variable_{VARIABLE}"))
        if unwanted is not None:
            return unwanted
        self._trusted = True
        self._socket.limit(Limits())
        self._variables = self._packer.pack(channel)
        # filter before event, so that no other channel's event ever comes. myevents would turn on 23 types of event; this way
        # a call that plays one file sends two or three (seen on FreeSWITCH 1.10.12).
        wanted = (
            commands.linger(self._rules.linger),
            commands.filter_channel(self._call_uuid),
            commands.subscribe(commands.SESSION_EVENTS),
        )
        # All are heard before one is judged: when the connection is lost, each of them fails.
        told: list[tuple[bool, Any]] = await DeferredList([self._socket.send(one) for one in wanted], consumeErrors=True)
        for answered, reply in told:
            if not answered:
                reply.raiseException()
            reply.checked()
        return None

    async def _part(self, cause: str) -> None:
        if not self._over:
            closed = self.when_closed()
            closed.addTimeout(self._rules.parting, self._clock, lambda _result, _seconds: None)
            self.hangup(cause).addErrback(_refused_hangup)
            await closed
        self._end_call("the session is over")

    def _end_call(self, reason: str) -> None:
        """Tell everybody who waits, and close the connection; only the first time counts."""
        if self._over:
            return
        self._over = reason
        executing, self._executing = self._executing, {}
        digit_waiters, self._digit_waiters = self._digit_waiters, []
        closed_waiters, self._closed_waiters = self._closed_waiters, []
        self._later(max(0.0, self._opened_at + SETTLE - self._clock.seconds()), self._socket.close)
        if self._running is not None:
            self._later(self._rules.grace, self._running.cancel)
        waiting: list[Deferred[Any]] = [*executing.values(), *digit_waiters]
        for waiter in waiting:
            waiter.errback(SessionGone(reason))
        self._tell_quiet()
        for closed in closed_waiters:
            closed.callback(None)

    # --- Owner of the connection ---

    def connected(self) -> None:
        """The switch has opened the connection."""
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(self._failed)
        self._running.addCallback(lambda _: self._finished())

    def happened(self, happening: EslEvent | Unreadable | AuthRequested | Disconnected | Rejected) -> None:
        """An event of the channel, or a notice."""
        if not self._trusted and not isinstance(happening, Disconnected):
            self._socket.abort("it told of something else than a call")
        elif isinstance(happening, EslEvent):
            self._event(happening)
        elif isinstance(happening, Unreadable):
            self._door.unreadable.happened(call=self._call_uuid, reason=happening.reason)
        elif isinstance(happening, Disconnected) and happening.lingering:
            # The channel is down; CHANNEL_HANGUP_COMPLETE should follow within milliseconds.
            self._later(self._rules.parting, self._end_call, "the call is over")

    def lost(self, reason: str) -> None:
        """The connection is closed."""
        self._end_call(reason)
        self._lost = True
        self._finished()

    def _event(self, event: EslEvent) -> None:
        name = event.name
        if name == "CHANNEL_EXECUTE_COMPLETE":
            self._executed(event)
        elif name == "DTMF":
            self._pressed(event.value("DTMF-Digit"))
        elif name == "CHANNEL_HANGUP_COMPLETE":
            self._end_call(f"the call is over ({event.value('Hangup-Cause')})")

    def _pressed(self, digit: str) -> None:
        self._digits = (self._digits + digit)[-MAX_DIGITS:]
        waiters, self._digit_waiters = self._digit_waiters, []
        for waiter in waiters:
            waiter.callback(digit)

    def _not_executed(self, failure: Failure, event_uuid: str) -> None:
        completed = self._executing.pop(event_uuid, None)
        if completed is not None:
            completed.errback(_session_gone(failure))
        self._tell_quiet()

    def _executed(self, event: EslEvent) -> None:
        """An application has ended. One that did because the callee hung up says so in its event (seen on FreeSWITCH
        1.10.12), some tens of milliseconds before the end of the call is told."""
        event_uuid = event.value("Application-UUID")
        completed = self._executing.pop(event_uuid, None)
        if completed is not None:
            if event_uuid == self._bridging:
                completed.callback(event)
            elif cause := event.value("Hangup-Cause"):
                completed.errback(SessionGone(f"the call is over ({cause})"))
            else:
                completed.callback(event.value("Application-Response"))
        self._tell_quiet()

    def _tell_quiet(self) -> None:
        if self._quiet is not None and not self._executing:
            quiet, self._quiet = self._quiet, None
            if not quiet.called:
                quiet.callback(None)

    def _failed(self, failure: Failure) -> None:
        error = failure.value
        if isinstance(error, DialerError) and not self._call_uuid:
            self._door.probes.happened(peer=_host(self._socket.peer), reason=str(error))
        elif isinstance(error, DialerError):
            self._door.broken.happened(call=self._call_uuid, peer=_host(self._socket.peer), reason=str(error))
        else:
            self._log.failure("the session of {peer} failed", failure, peer=self._socket.peer)
        self._socket.abort(str(error))

    def _later(self, seconds: float, do: Callable[..., object], *arguments: object) -> IDelayedCall:
        timer = self._clock.callLater(seconds, do, *arguments)
        self._timers.append(timer)
        return timer

    def _finished(self) -> None:
        if not self._lost or self._running is None or not self._running.called:
            return
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()
        self._ended(self)


def _host(peer: IAddress) -> str:
    """The address without its port, which is another one each time."""
    return str(getattr(peer, "host", peer))


def _refused_hangup(failure: Failure) -> None:
    failure.trap(DialerError)


def _session_gone(failure: Failure) -> Failure:
    if isinstance(failure.value, SwitchUnavailable):
        return Failure(SessionGone(failure.value.reason))
    return failure
