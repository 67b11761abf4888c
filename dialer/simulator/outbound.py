"""The `socket` application: the switch connects to a listener and hands it the call.

Read from `socket_function` and `listener_run` of mod_event_socket.c and recordings 21 to 28. In `async` mode the call is
parked once the listener has said `connect`; the dialplan goes on when the listener closes. Without `async` each command
is answered when it has been carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from attrs import define
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, connectProtocol
from twisted.internet.interfaces import IDelayedCall, IReactorTCP, IReactorTime, ITransport

from dialer.simulator import wire
from dialer.simulator.applications import park
from dialer.simulator.causes import named
from dialer.simulator.channel import Action, Channel, Runner, Running
from dialer.simulator.dialstring import leading_int, separate
from dialer.simulator.listener import Handler, Listener, ListenerProtocol
from dialer.simulator.wire import ReceivedCommand

FIRST_COMMAND = 25.0  # seconds that a listener has for its first command
CONNECT_TIMEOUT = 30.0  # seconds


class Reactor(IReactorTCP, IReactorTime):
    """The interfaces that connecting needs."""


@define(eq=False, kw_only=True)
class OutboundListener(Listener):
    """A listener that controls a call."""

    channel: Channel
    running: Running
    full: bool = False
    asynchronous: bool = False
    connected_at: float = 0.0
    connected: bool = False
    said_something: bool = False
    linger: int | None = None  # seconds, -1 for ever, None for not at all
    _first: IDelayedCall | None = None
    _lingering: IDelayedCall | None = None
    _over: bool = False
    _told: bool = False
    _held: bool = False

    def begin(self) -> None:
        """The connection is there."""
        self._first = self.channel.later_call(FIRST_COMMAND, self.hang_up)
        self.channel.when_hung_up.append(self.call_ended)

    def goodbye(self) -> bytes:
        """The notice names the call."""
        return wire.disconnect_notice(session=self.channel.uuid)

    # --- commands ---------------------------------------------------------------------------------------------------------

    def handle(self, command: ReceivedCommand) -> bool:
        """The reply to a first command that is not `connect` is never sent."""
        first, self.said_something = not self.said_something, True
        if first and self._first is not None and self._first.active():
            self._first.cancel()
        if first and not command.line.lower().startswith(("connect", "exit")):
            self.silent = True
            done = Listener.handle(self, command)
            self.silent = False
            return done
        line = command.line.lower()
        if not self.full and line.startswith(
            ("api ", "bgapi ", "event", "nixevent", "noevents", "linger", "nolinger", "log", "nolog")
        ):
            self.reply(wire.NOT_FOUND)
            return True
        return Listener.handle(self, command)

    def handlers(self) -> list[tuple[str, Handler]]:
        """The commands that need a call come first."""
        mine: list[tuple[str, Handler]] = [
            ("connect", self._connect),
            ("getvar", self._getvar),
            ("myevents", lambda c: self.limit_to(self.channel.uuid, c.line)),
            ("resume", lambda c: self.reply("+OK")),
            ("divert_events", self._divert),
            ("linger", self._linger),
            ("nolinger", self._nolinger),
        ]
        return mine + Listener.handlers(self)

    def _connect(self, command: ReceivedCommand) -> None:
        channel = self.channel
        channel.fill()
        self.bus.sequence += 1
        self.bus.put_time(channel.slots)
        block = self.bus.templates["sofia/CHANNEL_DATA"].plain(channel.slots)
        if not self.asynchronous:
            block = block.replace(b"\nSocket-Mode: async\n", b"\nSocket-Mode: static\n")
        if not self.full:
            block = block.replace(b"\nControl: full\n", b"\nControl: single-channel\n")
        self.send(block)
        if not self.connected:
            self.connected = True
            self.connected_at = self.switch.clock.now()
            if self.asynchronous and channel.alive:
                park(channel.runner, self.running)

    def _getvar(self, command: ReceivedCommand) -> None:
        name = command.argument("getvar")
        self.reply((self.channel.variable(name) or "") if name else "")

    def _divert(self, command: ReceivedCommand) -> None:
        value = command.argument("divert_events")
        if not value:
            self.reply("-ERR missing value.")
        else:
            self.reply("+OK events diverted" if value.lower() == "on" else "+OK events not diverted")

    def _linger(self, command: ReceivedCommand) -> None:
        argument = command.argument("linger")
        self.linger = leading_int(argument) if argument else -1
        self.reply(f"+OK will linger {self.linger} seconds" if argument else "+OK will linger")

    def _nolinger(self, command: ReceivedCommand) -> None:
        self.linger = None
        self.reply("+OK will not linger")

    def _sendmsg(self, command: ReceivedCommand) -> None:
        uuid = command.argument("sendmsg")
        channel = self.channel if uuid in ("", self.channel.uuid) else self.switch.channels.get(uuid)
        if channel is None or (channel is not self.channel and not channel.alive):
            self.reply(f"-ERR invalid session id [{uuid}]")
            return
        self.reply("+OK")
        headers = command.headers
        verb = headers.get("call-command", "")
        if verb == "hangup":
            self.switch.hang_up(channel, named(headers.get("hangup-cause", "")) or "NORMAL_CLEARING")
        elif verb == "execute" and headers.get("execute-app-name"):
            argument = headers.get("execute-app-arg", "")
            if not argument and headers.get("content-type", "").lower() == "text/plain":
                argument = command.body
            locked = headers.get("event-lock", "").lower() == "true"
            channel.runner.send(Action(headers["execute-app-name"], argument, headers.get("event-uuid", ""), locked))

    # --- the end ----------------------------------------------------------------------------------------------------------

    def call_ended(self) -> None:
        """The call is over. The channel is not destroyed before its listener is gone."""
        if not self.closed:
            self._over = self._held = True
            self.channel.held += 1
            self.idle()

    def idle(self) -> None:
        """Between commands, after the events: tell the end of the call, and close unless the listener lingers."""
        if not self._over or self._told or self._busy or self.closed:
            return
        self._told = True
        self.flush()
        if self.linger is None:
            self.hang_up()
            return
        self.send(wire.linger_notice(self.channel.uuid, self.channel.name, self.linger))
        if self.linger >= 0:
            self._lingering = self.switch.clock.reactor.callLater(self.linger, self.hang_up)

    def forget(self) -> None:
        """The connection is over: the dialplan goes on, at once where the channel has `socket_resume=true`, which breaks off
        what is playing (CS_RESET). Unless the channel has `socket_resume=true`, FreeSWITCH loses a call
        whose listener left before `connect`, or within the orphan window after it (facts, orphans)."""
        if self.closed:
            return
        Listener.forget(self)
        if self._held:
            self.channel.let_go()
        if self._lingering is not None and self._lingering.active():
            self._lingering.cancel()
        if not self.channel.alive:
            return
        if self._first is not None and self._first.active():
            self._first.cancel()
        now = self.switch.clock.now()
        if self.asynchronous and self.channel.variable("socket_resume") == "true":
            self.channel.runner.break_off()
            self.release()
        elif self.asynchronous and not self.connected:
            park(self.channel.runner, self.running)
            self.channel.runner.controlled = False
        elif now - self.connected_at >= self.switch.config.orphan_window or not self.asynchronous:
            self.release()

    def release(self) -> None:
        """End the `socket` application as soon as what runs in it has ended."""
        runner = self.channel.runner
        if self.running not in runner.stack:
            return
        runner.controlled = False
        if runner.stack[-1] is not self.running:
            inner = runner.stack[runner.stack.index(self.running) + 1]
            before = inner.on_end

            def after() -> None:
                if before is not None:
                    before()
                self.release()

            inner.on_end = after
            return
        if self.running.parked:
            self.running.parked = False
            self.channel.emit("CHANNEL_UNPARK")
        runner.end(self.running)


def open_socket(
    reactor: Reactor,
    runner: Runner,
    running: Running,
    make: Callable[[ITransport], OutboundListener],
) -> None:
    """Connect to the `host:port [async] [full]` of the application's argument; with nobody listening, the application ends
    at once. Several hosts, separated by `|`, are tried in turn."""
    channel = runner.channel
    words = separate(running.action.argument, " ", 80)
    hosts = words[0].split("|") if words and words[0] else []

    def attempt() -> None:
        if not hosts or not channel.alive:
            if channel.alive:
                runner.end(running)
            return
        host, _, port = hosts.pop(0).rpartition(":")
        channel.set_variable("socket_host", host)
        endpoint_type = TCP6ClientEndpoint if ":" in host else TCP4ClientEndpoint
        endpoint = endpoint_type(reactor, host, leading_int(port), timeout=CONNECT_TIMEOUT)
        connectProtocol(endpoint, ListenerProtocol(begin)).addErrback(lambda _: attempt())

    def begin(protocol: ListenerProtocol) -> Listener:
        listener = make(cast(Any, protocol.transport))
        listener.begin()
        return listener

    attempt()
