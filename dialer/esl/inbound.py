"""A FreeSWITCH, reached through its inbound Event Socket: one connection for events, one or more for commands.

They are separate because FreeSWITCH sends events only while no command waits on the same connection.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from attrs import evolve, field, frozen
from twisted.application.internet import backoffPolicy
from twisted.application.service import Service
from twisted.internet.defer import Deferred, fail, gatherResults
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.logger import Logger

from dialer.errors import BadValue, CommandFailed, SwitchUnavailable
from dialer.esl import commands, sent_marks, sip_gateways
from dialer.esl.connection import CommandReply
from dialer.esl.events import EslEvent, concerns, concerns_legs
from dialer.esl.link import ClockOffset, Hooks, Link, LinkRules
from dialer.esl.originate_queue import OriginateQueue
from dialer.esl.proof import SessionProof
from dialer.esl.sent_marks import MarkRemover
from dialer.esl.signals import live_channels, signal
from dialer.esl.strain import Strain
from dialer.esl.telemetry import SwitchTelemetry
from dialer.interfaces import Now, SwitchListener
from dialer.model import Execution, LiveChannel, Origination
from dialer.model.sip_gateway import SipGateway
from dialer.periodic import RepeatedLog
from dialer.settings import SwitchSettings

_Result = TypeVar("_Result")
_NO_SUCH_CHANNEL = "-ERR No such channel"


@frozen(kw_only=True)
class SwitchConfig(SwitchSettings):
    """The settings, and what has none. Times are seconds: `handshake` to connect and log in, `retry_max` between two tries to
    connect, while callees may be on the line and others wait to be called."""

    password: str = field(default="ClueCon", repr=False)
    command_connections: int = 1
    handshake: float = 10.0
    ping_interval: float = 2.0
    retry_initial: float = 1.0
    retry_max: float = 5.0


@frozen(kw_only=True)
class Observation:
    """The events that somebody wants to see beside the flow: those of `kinds` and of the CUSTOM `subclasses`, of the calls
    that `owns` knows, their second legs, and no call at all. The subscription is widened by them. `tell` gets each event
    that was decoded, before the flow does; it may not raise."""

    kinds: frozenset[str]
    subclasses: frozenset[str]
    owns: Callable[[str], bool]
    tell: Callable[[EslEvent], None]


class InboundSwitch(Service):
    """`dialer.interfaces.Switch` for one FreeSWITCH; a service that connects, and reconnects with growing pauses.

    `last_error` says why there is no connection, naming the switch; "" while there is one. Where other dialers use the
    switch, `owns` tells the calls that are this one's: of others, only the ends are told. `proof` makes what its calls bring
    back to the outbound server. With an `observation`, there is a connection more, for the commands of the one who observes:
    no originate waits behind them.
    """

    _log = Logger()
    name: str

    def __init__(
        self,
        reactor: IReactorTime,
        listener: SwitchListener,
        config: SwitchConfig,
        now: Now,
        rng: random.Random,
        endpoint: IStreamClientEndpoint | None = None,
        owns: Callable[[str], bool] | None = None,
        observation: Observation | None = None,
    ) -> None:
        self._listener = listener
        self._config = config
        self._now = now
        self._clock = ClockOffset()
        self._ready = False
        self._shutting_down = False
        self._core_uuid = ""
        self._identity = config.name
        self.proof = SessionProof(config.password)
        self.name = config.name or f"{config.host}:{config.port}"
        self._where = f"{config.name} ({config.host}:{config.port})" if config.name else self.name
        self.last_error = f"{self._where}: not connected yet"
        self._unreadable = RepeatedLog("an event of the switch cannot be read, and is passed over", reactor)
        self.telemetry = SwitchTelemetry()
        self._originate_queue = OriginateQueue(
            reactor, now, config.calls_per_second, config.max_in_flight, self._send, self._originate_took
        )
        self._marks = MarkRemover(reactor, self._send)
        self._limits = config.calls_per_second, config.max_in_flight
        self.strain = Strain(reactor, self.name, lambda _: self._apply_limits())
        there = endpoint or HostnameEndpoint(reactor, config.host, config.port, timeout=config.handshake)
        rules = LinkRules(
            password=config.password,
            handshake=config.handshake,
            ping_interval=config.ping_interval,
            silence=config.silence,
        )
        retry = backoffPolicy(config.retry_initial, config.retry_max, jitter=rng.random)
        hooks = Hooks(
            prepare=self._prepare,
            up=self._link_up,
            down=self._link_down,
            failed=self._link_failed,
            event=self._event,
            pinged=self._pinged,
            concerns=None if owns is None else partial(concerns, owns=owns),
            unreadable=self._passed_over,
            round_trip=self._ping_took,
        )
        self._observation = observation
        self._side: Link | None = None
        if observation is not None:
            hooks = evolve(hooks, concerns=partial(concerns_legs, owns=observation.owns))
            apart = evolve(hooks, prepare=_unprepared, up=_apart, down=_apart, failed=_apart, pinged=_apart)
            self._side = Link(reactor, there, rules, retry, apart)
        self._events = Link(reactor, there, rules, retry, hooks)
        self._commands = [Link(reactor, there, rules, retry, hooks) for _ in range(config.command_connections)]

    # --- dialer.interfaces.Switch ---

    @property
    def ready(self) -> bool:
        """True while calls can be made and their events arrive."""
        return self._ready and not self._shutting_down

    @property
    def identity(self) -> str:
        """Which FreeSWITCH it is; "" before the first connection, unless the configuration names it."""
        return self._identity

    @property
    def core_uuid(self) -> str:
        """The identity of the running FreeSWITCH process; "" before the first connection."""
        return self._core_uuid

    @property
    def clock_offset(self) -> timedelta:
        """The switch's clock minus ours; never too large, so that a deadline is never too late."""
        return self._clock.offset

    @property
    def unreadable(self) -> int:
        """How many events could not be read."""
        return self._unreadable.total

    @property
    def originated(self) -> int:
        """How many originates were sent."""
        return self._originate_queue.started

    @property
    def calls_per_second(self) -> float:
        """How many are allowed now: fewer than configured while it is under strain."""
        return self._originate_queue.calls_per_second

    def headroom(self, within: float) -> int:
        """How many more originates can be sent within so many seconds."""
        return self._originate_queue.headroom(within)

    def limit(self, calls_per_second: float, max_in_flight: int) -> None:
        """How hard the switch may be driven, from now on."""
        self._limits = calls_per_second, max_in_flight
        self._apply_limits()

    def _apply_limits(self) -> None:
        calls_per_second, max_in_flight = self._limits
        self._originate_queue.limit(calls_per_second * self.strain.share, max_in_flight)

    def submit(self, call: Origination) -> Deferred[None]:
        """Originate, as soon as the pace allows. Fails with `SwitchUnavailable` or `CommandFailed`, or with `BadValue` when
        the call cannot be written as a command (nothing was sent then)."""
        try:
            command = commands.originate(call, self._clock.offset, self.proof.token(call.call_uuid))
        except BadValue as error:
            return fail(error)
        return self._originate_queue.submit(call, command)

    def kill(self, call_uuid: str, cause: str) -> Deferred[bool]:
        """Hang a call up. Fires with False when there is no such channel."""
        return self._ask(commands.kill(call_uuid, cause), _found)

    def lead(self, call_uuid: str, outbound: str) -> Deferred[bool]:
        """Have a call ask for its sessions elsewhere. Fires with False when there is no such channel."""
        return self._ask(commands.lead(call_uuid, outbound), _found)

    def is_alive(self, call_uuid: str) -> Deferred[bool]:
        """Whether the channel exists."""
        return self._ask(commands.exists(call_uuid), lambda reply: reply.checked().text == "true")

    def live_channels(self) -> Deferred[list[LiveChannel]]:
        """Every channel of the switch."""
        return self._ask(commands.channels(), lambda reply: live_channels(reply.checked().text))

    def sip_gateways(self) -> Deferred[Sequence[SipGateway] | None]:
        """Its SIP gateways with their states; None when it cannot tell."""
        return self._ask(sip_gateways.ask(), sip_gateways.read)

    async def execution(self, call_uuid: str, planned_at: datetime) -> Execution:
        """What it made of the originate of a call. To be asked after the deadline."""
        mark = await self._send(sent_marks.mark_of(call_uuid))
        since = await self._send(sent_marks.since())
        return sent_marks.execution(mark, since, planned_at + self._clock.offset)

    def forget(self, call_uuid: str) -> None:
        """Nobody will ask any more whether that call was dialled."""
        self._marks.add(call_uuid)

    # --- for the one who observes ---

    def ask_aside(self, command: commands.Command) -> Deferred[str]:
        """Give a command on the connection for that; fires with the answer. Fails with `SwitchUnavailable` or
        `CommandFailed`."""
        if self._side is None or not self._side.is_up:
            return fail(SwitchUnavailable(command.name, self.last_error or "not connected", sent=False))
        return self._side.send(command).addCallback(lambda reply: reply.checked().text)

    # --- the service ---

    def startService(self) -> None:
        """Twisted: connect."""
        super().startService()
        for link in self._all_links():
            link.service.startService()

    def stopService(self) -> Deferred[None]:
        """Twisted: disconnect. Fires when all connections are closed; the calls on the switch go on."""
        super().stopService()
        self._originate_queue.closed("the dialer is stopping")
        self._marks.closed()
        self.strain.forget()
        return gatherResults([link.service.stopService() for link in self._all_links()]).addCallback(lambda _: None)

    # --- what the links tell ---

    def _links(self) -> list[Link]:
        return [self._events, *self._commands]

    def _all_links(self) -> list[Link]:
        return [*self._links(), *([] if self._side is None else [self._side])]

    async def _prepare(self, link: Link) -> None:
        link.core_uuid = (await link.send(commands.core_uuid())).checked().text
        self._pinged((await link.send(commands.clock())).checked())
        if not self._identity:
            self._identity = f"{(await link.send(commands.host_name())).checked().text.strip()}:{self._config.port}"
        if link is self._events:
            await link.send(sent_marks.remember_since())  # whatever it answers: without mod_hash, nothing is remembered
            (await link.send(self._subscription())).checked()

    def _subscription(self) -> commands.Command:
        seen = self._observation
        subclasses = {sip_gateways.CHANGED} if self._config.gateway_interval else set()
        if seen is None:
            return commands.subscribe(subclasses=sorted(subclasses))
        more = sorted(seen.kinds.difference(commands.EVENTS))
        return commands.subscribe([*commands.EVENTS, *more], sorted(seen.subclasses | subclasses))

    def _link_up(self, link: Link) -> None:
        others = [other for other in self._links() if other.is_up and other.core_uuid != link.core_uuid]
        for other in others:
            other.drop("the switch has been restarted")
        if self._ready or others or not self._events.is_up or not any(command.is_up for command in self._commands):
            return
        self._ready = True
        self._shutting_down = False
        self._core_uuid = link.core_uuid
        self.telemetry.connection_made()
        self.last_error = ""
        self._originate_queue.opened()
        self._marks.opened()
        self._log.info("connected to {name}, core {core}", name=self._where, core=self._core_uuid)
        self._listener.switch_up(self)

    def _link_down(self, link: Link, reason: str) -> None:
        if link is not self._events and any(other.is_up for other in self._commands):
            return
        self.last_error = f"{self._where}: {reason}"
        if not self._ready:
            return
        self._ready = False
        self._clock.forget()
        self._originate_queue.closed(self.last_error)
        self._marks.closed()
        self.strain.forget()
        if self.running:
            self._log.warn("lost {name}: {reason}", name=self._where, reason=reason)
        self._listener.switch_down(self, reason)

    def _link_failed(self, reason: str) -> None:
        error = f"{self._where}: {reason}"
        if error != self.last_error and not self._ready and self.running:
            self._log.warn("no connection to {error}", error=error)
            self.last_error = error

    def _pinged(self, reply: CommandReply) -> None:
        if not reply.text.isdigit():
            raise CommandFailed(reply.command.name, f"{reply.text[:80]!r} is not a time; is mod_dptools loaded?")
        self._clock.answered(int(reply.text), self._now())

    def _event(self, event: EslEvent) -> None:
        self.telemetry.sequence(event.value("Event-Sequence"))
        if self._observation is not None:
            self._observation.tell(event)
        told = signal(event)
        if told is not None:
            self._listener.signal_received(told)
            self.telemetry.event_lag.observe((self._now() + self._clock.offset - told.at).total_seconds())
        elif event.name == "HEARTBEAT":
            self.strain.beat(event.value("Idle-CPU"), event.value("Session-Count"), event.value("Max-Sessions"))
        elif event.name == "CUSTOM" and event.value("Event-Subclass") == sip_gateways.CHANGED:
            self._listener.gateways_changed(self)
        elif event.name == "SHUTDOWN":
            # Its calls still end one by one, with events, before it closes the connection.
            self._shutting_down = True
            self._originate_queue.closed(f"{self._where}: the switch is shutting down")

    def _ping_took(self, seconds: float) -> None:
        self.telemetry.ping.observe(seconds)
        self.strain.replied(seconds)

    def _originate_took(self, seconds: float) -> None:
        self.telemetry.originate.observe(seconds)
        self.strain.replied(seconds)

    def _passed_over(self, reason: str) -> None:
        self._unreadable.happened(switch=self.name, reason=reason)

    # --- commands ---

    def _send(self, command: commands.Command) -> Deferred[CommandReply]:
        able = [link for link in self._commands if link.is_up]
        if not able:
            return fail(SwitchUnavailable(command.name, self.last_error or "not connected", sent=False))
        return min(able, key=lambda link: link.in_flight).send(command)

    def _ask(self, command: commands.Command, read: Callable[[CommandReply], _Result]) -> Deferred[_Result]:
        return self._send(command).addCallback(read)


def _apart(*_: object) -> None:
    """That a connection beside the flow comes and goes, and how fast it answers, is nothing to the flow."""


async def _unprepared(_: Link) -> None:
    """It needs neither events nor the switch's identity."""


def _found(reply: CommandReply) -> bool:
    return not reply.text.startswith(_NO_SUCH_CHANNEL) and not reply.checked().failed
