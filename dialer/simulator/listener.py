"""A connection of the Event Socket as FreeSWITCH serves it: one command after the other, events only in between."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, cast

from attrs import Factory, define
from twisted.internet.interfaces import IDelayedCall, ITransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from dialer.simulator import wire
from dialer.simulator.api import SwitchApi
from dialer.simulator.bus import EVENT_NAMES, MY_EVENTS, EventBus, Subscription
from dialer.simulator.switch import SimulatedSwitch
from dialer.simulator.wire import CommandParser, ReceivedCommand

Handler = Callable[[ReceivedCommand], None]


@define(eq=False)
class Listener:
    """A connection, inbound or outbound. Subclasses add to `handlers`."""

    switch: SimulatedSwitch
    api: SwitchApi
    transport: ITransport
    parser: CommandParser = Factory(CommandParser)
    subscription: Subscription | None = None
    listening: bool = False
    logging: bool = False
    closed: bool = False
    silent: bool = False  # a fault: nothing goes out any more
    delay: float = 0.0  # a fault: replies wait for so many seconds
    _table: list[tuple[str, Handler]] | None = None
    _busy: bool = False
    _waiting: list[bytes] = Factory(list)
    _flush: IDelayedCall | None = None
    _late: deque[bytes] = Factory(deque)
    _late_until: float = 0.0

    @property
    def bus(self) -> EventBus:
        """Where the events come from."""
        return self.switch.bus

    # --- bytes ------------------------------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """Bytes came from the peer."""
        self.parser.feed(data)
        self.process()

    def process(self) -> None:
        """Run the commands that are complete, unless one still runs; then send the events that have waited."""
        if self._busy:
            return
        self._busy = True
        while not self.closed and (command := self.parser.next()) is not None:
            if not self.handle(command):
                return  # `resume` goes on
        self._busy = False
        self.flush()
        self.idle()

    def idle(self) -> None:
        """Nothing is left to be done for the peer at the moment."""

    def resume(self) -> None:
        """The command that blocked the connection is done."""
        self._busy = False
        if not self.closed:
            self.process()

    def send(self, data: bytes) -> None:
        """Send at once, or late when that fault is on."""
        if self.closed or self.silent:
            return
        if self.delay > 0 or self._late:
            self._send_late(data)
        else:
            self.transport.write(data)

    def _send_late(self, data: bytes) -> None:
        """Nothing overtakes what was sent before, also when the fault has ended meanwhile."""
        clock = self.switch.clock.reactor
        self._late.append(data)
        self._late_until = max(self._late_until, clock.seconds() + self.delay)
        clock.callLater(self._late_until - clock.seconds(), self._write_late)

    def _write_late(self) -> None:
        data = self._late.popleft()
        if not self.closed and not self.silent:
            self.transport.write(data)

    def deliver(self, frame: bytes) -> None:
        """An event: it waits while commands are pending (read_packet of mod_event_socket.c)."""
        self._waiting.append(frame)
        if not self._busy:
            poll = self.switch.config.poll
            if poll <= 0:
                self.flush()
            elif self._flush is None:
                self._flush = self.switch.clock.reactor.callLater(poll, self.flush)

    def flush(self) -> None:
        """Send the events that have waited, unless a command has begun and not ended."""
        self._flush = None
        if self._waiting and not self._busy and not self.parser.half:
            frames, self._waiting = self._waiting, []
            self.send(b"".join(frames))

    def forget(self) -> None:
        """The connection is over."""
        self.closed = True
        if self.subscription is not None:
            self.bus.remove(self.subscription)
        if self._flush is not None and self._flush.active():
            self._flush.cancel()

    def hang_up(self, notice: bytes = b"") -> None:
        """Close from our side, after a last frame."""
        if not self.closed:
            self.send(notice or self.goodbye())
            self.forget()
            self.transport.loseConnection()

    def goodbye(self) -> bytes:
        """The notice before the connection is closed."""
        return wire.disconnect_notice()

    # --- commands ---------------------------------------------------------------------------------------------------------

    def handle(self, command: ReceivedCommand) -> bool:
        """Run a command. False when it blocks the connection until `resume`."""
        line = command.line
        lowered = line.lower()
        if lowered.startswith(("exit", "...")):
            self.reply("+OK bye")
            self.hang_up()
            return True
        if lowered.startswith("api ") and len(line) > 4:
            return self._api(line[4:])
        if self._table is None:
            self._table = self.handlers()
        handler = next((handler for verb, handler in self._table if lowered.startswith(verb)), None)
        if handler is None:
            self.reply(wire.NOT_FOUND)
        else:
            handler(command)
        return True

    def handlers(self) -> list[tuple[str, Handler]]:
        """The commands by what their line begins with, in order."""
        return [
            ("filter ", self._filter),
            ("myevents ", self._myevents),
            ("divert_events", lambda c: self.reply("-ERR not controlling a session.")),
            ("sendmsg", self._sendmsg),
            ("bgapi ", self._bgapi),
            ("log", self._log),
            ("linger", lambda c: self.reply("-ERR not controlling a session")),
            ("nolinger", lambda c: self.reply("-ERR not controlling a session")),
            ("nolog", self._nolog),
            ("event", self._event),
            ("nixevent", self._nixevent),
            ("noevents", self._noevents),
        ]

    def reply(self, text: str) -> None:
        """Answer the command."""
        self.send(wire.reply(text))

    def _api(self, text: str) -> bool:
        command, _, argument = text.partition(" ")
        finished = False
        waiting = False

        def output(said: str) -> None:
            nonlocal finished
            finished = True
            self.send(wire.api_response(said))
            if waiting:
                self.resume()

        self.api.run(command, argument, output)
        waiting = not finished
        return finished

    def _bgapi(self, command: ReceivedCommand) -> None:
        text = command.line[6:]
        if not text:
            self.reply(wire.NOT_FOUND)
            return
        job = command.headers.get("job-uuid") or self.switch.new_uuid()
        self.send(wire.job_reply(job))
        name, _, argument = text.partition(" ")
        switch = self.switch
        self.api.run(name, argument, lambda said: switch.job_done(job, name, argument, said))

    def _log(self, command: ReceivedCommand) -> None:
        level = command.argument("log") or "7"
        self.logging = True
        self.reply(f"+OK log level {level} [{level}]")

    def _nolog(self, command: ReceivedCommand) -> None:
        self.reply("+OK no longer logging" if self.logging else "-ERR not loging")
        self.logging = False

    def _sendmsg(self, command: ReceivedCommand) -> None:
        self.reply(f"-ERR invalid session id [{command.argument('sendmsg')}]")

    # --- subscriptions ----------------------------------------------------------------------------------------------------

    def subscribe(self) -> Subscription:
        """The connection's subscription, made when it is first needed."""
        if self.subscription is None:
            self.subscription = Subscription(self)
            self.bus.changed(self.subscription)
        return self.subscription

    def _event(self, command: ReceivedCommand) -> None:
        words = command.line.split(" ")[1:]
        subscription = self.subscribe()
        if words and words[0].lower() in ("plain", "json", "xml"):
            subscription.kind = words.pop(0).lower()
        known = 0
        for word in words:
            name = word.upper()
            if name not in EVENT_NAMES:
                continue
            known += 1
            subscription.names.add(name)
            if name == "CUSTOM":
                break  # whatever follows is a subclass
        self.bus.changed(self.subscribe())
        if not known:
            self.reply("-ERR no keywords supplied")
            return
        self.listening = True
        self.reply(f"+OK event listener enabled {subscription.kind}")

    def _nixevent(self, command: ReceivedCommand) -> None:
        names = [name for name in map(str.upper, command.line.split(" ")[1:]) if name in EVENT_NAMES]
        if not names:
            self.reply("-ERR no keywords supplied")
            return
        subscription = self.subscribe()
        if "ALL" in names:
            subscription.names.clear()
        elif "ALL" in subscription.names:
            subscription.names = set(EVENT_NAMES) - {"ALL"}
        subscription.names.difference_update(names)
        self.bus.changed(self.subscribe())
        self.listening = True
        self.reply("+OK events nixed")

    def _noevents(self, command: ReceivedCommand) -> None:
        self._waiting.clear()
        if not self.listening:
            self.reply("-ERR not listening for events")
            return
        self.listening = False
        self.subscribe().names.clear()
        self.bus.changed(self.subscribe())
        self.reply("+OK no longer listening for events")

    def _myevents(self, command: ReceivedCommand) -> None:
        words = command.line.split(" ")[1:]
        self.limit_to(words[0] if words else "", command.line)

    def limit_to(self, session: str, line: str) -> None:
        """`myevents`: the events of one call and no other."""
        subscription = self.subscribe()
        if subscription.session:
            self.reply("-ERR aready enabled.")
            return
        self.bus.remove(subscription)
        subscription.session = session
        subscription.names |= MY_EVENTS
        if "json" in line.lower():
            subscription.kind = "json"
        self.listening = True
        self.bus.changed(self.subscribe())
        self.reply("+OK Events Enabled")

    def _filter(self, command: ReceivedCommand) -> None:
        name, blank, value = command.argument("filter ").partition(" ")
        filters = self.subscribe().filters
        if name.lower() == "delete" and blank:
            name, blank, value = value.partition(" ")
            kept = [
                f for f in filters if name.lower() != "all" and (f[0].lower() != name.lower() or (value and f[1] != value))
            ]
            filters[:] = kept
            self.bus.changed(self.subscribe())
            self.reply(f"+OK filter deleted. [{name}][{value}]")
        elif blank:
            if name.lower() == "add":
                name, _, value = value.partition(" ")
            filters.append((name, value))
            self.bus.changed(self.subscribe())
            self.reply(f"+OK filter added. [{name}]=[{value}]")
        else:
            self.reply("-ERR invalid syntax")


@define(eq=False, slots=False)
class ListenerProtocol(Protocol):
    """Hands bytes to a listener, which `accepted` makes once there is a transport; None when the peer is not listened to.
    `lost` is told when the connection is over."""

    accepted: Callable[[ListenerProtocol], Listener | None]
    lost: Callable[[ListenerProtocol], None] = lambda _: None
    listener: Listener | None = None

    def connectionMade(self) -> None:
        if hasattr(self.transport, "setTcpNoDelay"):
            cast(Any, self.transport).setTcpNoDelay(True)
        self.listener = self.accepted(self)

    def dataReceived(self, data: bytes) -> None:
        if self.listener is not None:
            self.listener.receive(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.listener is not None:
            self.listener.forget()
        self.lost(self)
