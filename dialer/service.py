"""The wiring: everything is built here once, and nothing starts before `start`.

store  <-  lifecycle  ->  fleet (inbound Event Sockets)  ->  FreeSWITCH, one or several
              ^   ^                                              |
      scheduler   +--  outbound server (answered calls)  <-------+
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from attrs import Factory, define, field, frozen
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort

from dialer import hook_wiring
from dialer.apps.context import Application
from dialer.apps.runner import BUILT_IN, VoiceApplications
from dialer.calls.cdr_reconciler import CdrReconciler
from dialer.calls.fleet import Fleet, Member
from dialer.calls.heartbeat import Heartbeat
from dialer.calls.lifecycle import FlowSettings, Lifecycle
from dialer.calls.register import MOST_FOREIGN_HANGUPS, ForeignHangups
from dialer.campaigns.scheduler import Scheduler
from dialer.emergency import everywhere
from dialer.esl.inbound import InboundSwitch, SwitchConfig
from dialer.esl.outbound import OutboundConfig, OutboundServer
from dialer.hook_wiring import HookedCalls
from dialer.hooks.addresses import AddressRules
from dialer.hooks.consumer import EventFeed
from dialer.hooks.http_client import WebhookClient
from dialer.hooks.interests import Interests
from dialer.hooks.json_lines import JsonLines
from dialer.hooks.webhooks import Webhooks
from dialer.interfaces import AnsweredCall, Switch
from dialer.listening import address_of, listen
from dialer.marks.app import HookApp
from dialer.model import Attempt, AttemptResult, Campaign, Disposition, EventKind, IdleReason, Progress, Signal, VoipAppType
from dialer.numbering import numbering
from dialer.open_files import STRANGERS_SHARE, files_for
from dialer.pace_meter import PaceMeter
from dialer.reactor_lag import ReactorLag
from dialer.settings import AppSettings, HooksSettings, OutboundSettings, RecoverySettings, WebhookSettings
from dialer.store.answered import AnsweredCalls
from dialer.store.connection import Dialect
from dialer.store.consumers import Consumers
from dialer.store.corrections import Corrections
from dialer.store.database import Database, NodeIdentity
from dialer.store.flow import Store
from dialer.store.nodes import Nodes
from dialer.store.webhooks import StoredWebhooks
from dialer.wall_clock import utc_now

if TYPE_CHECKING:
    from dialer.marks.hub import Hub

log = structlog.get_logger()

OUTCOMES = "outcomes"
"""The reader of events that writes to a file."""
OUTCOME_KINDS = frozenset({EventKind.ATTEMPT_ENDED})

MOST_STRANGERS = 300
"""Connections to the outbound port that have brought no call of ours; each may cost 128 kB for 10 s."""

TOLERANCE = timedelta(milliseconds=50)
"""Between the clocks of this machine and of the database: a tenth of what a deadline leaves."""


@frozen(kw_only=True)
class ServiceSettings:
    """The parts of a dialling service: settings of the installation, and those that only the wiring knows. The outbound server
    listens at any free port of this machine by default. `outcomes` is a file that gets the end of each attempt as a line of
    JSON. `hook_apps` are the classes that `hooks` names."""

    database: str
    switches: tuple[SwitchConfig, ...]
    node: NodeIdentity = Factory(NodeIdentity)
    outbound: OutboundSettings = Factory(lambda: OutboundSettings(endpoint="tcp:0:interface=127.0.0.1"))
    outcomes: Path | None = None
    apps: AppSettings = Factory(AppSettings)
    applications: Mapping[VoipAppType, Application] = BUILT_IN
    recovery: RecoverySettings = Factory(RecoverySettings)
    keep_events: timedelta = timedelta(days=7)
    emergency: frozenset[str] = frozenset()
    hooks: HooksSettings = Factory(HooksSettings)
    hook_apps: tuple[HookApp, ...] = ()
    webhooks: WebhookSettings = Factory(WebhookSettings)


@define(eq=False)
class DatabaseClock:
    """The clock of the database, as far as it is known: nodes that share one compare moments, and a deadline of one node is
    read by another. `own` is the clock of the process; a difference within `TOLERANCE` is not worth a step."""

    own: Callable[[], datetime]
    offset: timedelta = field(factory=timedelta, init=False)

    def now(self) -> datetime:
        """This moment."""
        return self.own() + self.offset

    def learn(self, before: datetime, told: datetime, after: datetime) -> None:
        """The database told its moment, when it was asked between two moments of this clock."""
        error = told - (before + (after - before) / 2)
        if abs(error) > max(TOLERANCE, after - before):
            log.warning("the clock differs from that of the database", seconds=round((self.offset + error).total_seconds(), 3))
            self.offset += error


@frozen
class SwitchProofs:
    """`dialer.esl.proof.Proof`: a session proves to come from the switch that has its call."""

    switch_of: Callable[[str], InboundSwitch | None]

    def holds(self, call_uuid: str, token: str) -> bool:
        switch = self.switch_of(call_uuid)
        return switch is not None and switch.proof.holds(call_uuid, token)


def new_id() -> str:
    """A new UUID, for calls and for what is executed on them."""
    return str(uuid.uuid4())


@define(eq=False, slots=False)
class DialerService:
    """A dialer on one database and its FreeSWITCH servers. `finished` is told of each stored end of an attempt."""

    reactor: Any
    settings: ServiceSettings
    finished: Callable[[AttemptResult], None] = lambda _: None
    pace: PaceMeter = field(factory=PaceMeter, init=False)
    database: Database = field(init=False)
    store: Store = field(init=False)
    switches: tuple[InboundSwitch, ...] = field(init=False)
    """In the order of the settings."""
    fleet: Fleet = field(init=False)
    lifecycle: Lifecycle = field(init=False)
    scheduler: Scheduler = field(init=False)
    cdr_reconciler: CdrReconciler = field(init=False)
    heartbeat: Heartbeat = field(init=False)
    applications: VoiceApplications = field(init=False)
    reactor_lag: ReactorLag = field(init=False)
    ended: dict[Disposition, int] = field(factory=lambda: dict.fromkeys(Disposition, 0), init=False)
    """How many attempts ended, and that is stored, by disposition."""
    oldest_undelivered: Callable[[], datetime | None] | None = field(default=None, init=False)
    """Tells the moment of the oldest event that a receiver still waits for, None when none does; set by whoever delivers
    events, and asked now and then: its answer must be at hand."""
    clock: DatabaseClock = field(init=False)
    outbound: OutboundServer = field(init=False)
    consumers: Consumers = field(init=False)
    interests: Interests = field(init=False)
    outcomes: EventFeed | None = field(default=None, init=False)
    hub: Hub | None = field(default=None, init=False)
    receivers: AddressRules = field(init=False)
    sender: WebhookClient = field(init=False)
    webhooks: Webhooks = field(init=False)
    _port: IListeningPort | None = field(default=None, init=False)
    _up: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        settings, reactor = self.settings, self.reactor
        self.clock = DatabaseClock(utc_now)
        self.reactor_lag = ReactorLag(reactor)
        self.database = Database(settings.database, reactor, dialling=True, node=settings.node)
        self.store = Store(self.database, reactor, node=settings.node.name)
        self.consumers = Consumers(self.database, settings.node.name)
        self.interests = Interests(reactor, self.now, self.consumers, self.store, settings.keep_events)
        self.switches = tuple(map(self._new_switch, settings.switches))
        members = zip(self.switches, settings.switches, strict=True)
        self.fleet = Fleet([Member(switch=one, gateways=of.gateways, max_calls=of.max_calls) for one, of in members])
        self.receivers = AddressRules(settings.webhooks.allow, settings.webhooks.http)
        self.sender = WebhookClient(reactor, self.receivers)
        self.webhooks = Webhooks(
            clock=reactor,
            now=self.now,
            store=StoredWebhooks(self.database, settings.node.name),
            sender=self.sender,
            rng=random.Random(),
            keep=settings.keep_events,
            most=settings.webhooks.requests,
        )
        if settings.outcomes is not None:
            lines = JsonLines(settings.outcomes)
            self.outcomes = EventFeed(reactor, self.now, self.consumers, OUTCOMES, OUTCOME_KINDS, lines)

    def _new_switch(self, config: SwitchConfig) -> InboundSwitch:
        shared = self.database.dialect is Dialect.POSTGRESQL
        return InboundSwitch(
            self.reactor,
            self,
            config,
            self.now,
            random.Random(),
            owns=self._has if shared else None,
            observation=hook_wiring.observation(self.settings.hook_apps, lambda: self.hub),
        )

    def now(self) -> datetime:
        """The moment by the clock that all nodes of the database share."""
        return self.clock.now()

    @property
    def up(self) -> bool:
        """True from a successful `start` until `stop`."""
        return self._up

    @property
    def database_serves(self) -> bool:
        """Whether the database answered the last heartbeat; False before the first one."""
        return self._up and self.heartbeat.answered

    @property
    def outbound_address(self) -> str:
        """Where the outbound server listens; "" when it does not."""
        return "" if self._port is None else address_of(self._port)

    # --- start and stop ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """`open`, then `begin`."""
        await self.open()
        self.begin()

    async def open(self) -> None:
        """Open the database, listen for answered calls, take over what was left open.

        Fails with `DialerError`, with nothing left running: the database cannot serve, or the outbound port is taken.
        """
        await self.database.start()
        try:
            if self.outcomes is not None:
                await self.consumers.enter(OUTCOMES, OUTCOME_KINDS, self.now())
            await self.interests.load()
            left = await self.store.open_attempts()
            # From the listening on, a call of an earlier run may come back: in that very step it must be known as ours.
            await self._listen()
            self.lifecycle.take_over(left)
        except BaseException:
            await self._close()
            raise
        if left:
            log.warning("attempts left open by an earlier run", attempts=len(left))
        self._up = True

    def begin(self) -> None:
        """Connect to the switches, and begin to call. To be called once, after `open`."""
        if self.hub is not None:
            self.hub.start()
        for switch in self.switches:
            switch.startService()
        self.scheduler.start()
        self.lifecycle.start()
        self.heartbeat.start()
        self.reactor_lag.start()
        self.interests.start()
        self.webhooks.start()
        if self.outcomes is not None:
            self.outcomes.start()

    async def quiesce(self) -> None:
        """Begin no more calls, and give back those that were not sent. Live calls go on."""
        await self.scheduler.stop()
        self.lifecycle.release_unsent()

    async def stop(self) -> None:
        """Stop at once: unsent attempts are given back, live calls stay with the switch and open in the database."""
        if not self._up:
            return
        self._up = False
        self.reactor_lag.stop()
        await self.quiesce()
        await self.lifecycle.stop()
        await self.outbound.stop()
        if self.hub is not None:
            await self.hub.stop()
        await gatherResults([switch.stopService() for switch in self.switches])
        await self.heartbeat.stop()
        await self.store.flush()
        await self.interests.stop()
        if self.outcomes is not None:
            await self.outcomes.stop()
        await self.webhooks.stop()
        await self._close()

    async def _listen(self) -> None:
        server = OutboundServer(
            self.reactor,
            self._connected,
            self._owns,
            new_id,
            OutboundConfig(
                peers=frozenset(self.settings.outbound.allow),
                max_strangers=min(MOST_STRANGERS, files_for(STRANGERS_SHARE) or MOST_STRANGERS),
                proof=SwitchProofs(self._switch_of),
            ),
        )
        self.outbound = server
        self._port = await listen(self.reactor, self.settings.outbound.endpoint, server, "outbound.endpoint")
        self._build_flow(self.settings.outbound.advertise or _address(self._port))

    def _build_flow(self, outbound: str) -> None:
        settings = self.settings
        everywhere()  # is told now, and not while calls are made
        flow = FlowSettings(
            installation=self.database.installation_id,
            outbound=outbound,
            inline=settings.outbound.inline,
            recovery=settings.recovery,
        )
        self.lifecycle = Lifecycle(
            clock=self.reactor,
            now=self.now,
            store=self.store,
            fleet=self.fleet,
            settings=flow,
            application=self._run_application,
            finished=self._attempt_ended,
            submitted=self.pace.note,
            foreign_hangups=ForeignHangups(MOST_FOREIGN_HANGUPS if self.database.dialect is Dialect.POSTGRESQL else 0),
        )
        self.cdr_reconciler = CdrReconciler(
            now=self.now,
            account_code=flow.account_code,
            store=Corrections(self.database, lambda: self.store.wanted),
            tell=self.lifecycle.signal_received,
            register=self.lifecycle.register,
            corrections=self.lifecycle.corrections,
        )
        self.scheduler = Scheduler(
            clock=self.reactor,
            now=self.now,
            store=self.store,
            fleet=self.fleet,
            lifecycle=self.lifecycle,
            new_id=new_id,
            numbering=numbering(self.database.region, settings.emergency),
        )
        self.applications = VoiceApplications(
            settings=settings.apps,
            store=AnsweredCalls(self.database),
            clock=self.reactor,
            now=self.now,
            applications=settings.applications,
            numbering=numbering(self.database.region, settings.emergency),
            limits=self.scheduler.second_legs,
        )
        self.hub = hook_wiring.new_hub(
            self.reactor,
            settings.hook_apps,
            settings.hooks,
            HookedCalls(
                register=self.lifecycle.register,
                switch_of=self._switch_of,
                any_switch=self._any_switch,
                numbering=self.applications.numbering,
                store=self.applications.store,
                limits=self.scheduler.second_legs,
                clock=self.reactor,
            ),
            settings.switches[0].host,
            self._hook_switched_off,
        )
        self.heartbeat = Heartbeat(
            clock=self.reactor,
            now=self.now,
            nodes=Nodes(self.database, utc_now()),
            store=self.store,
            fleet=self.fleet,
            lifecycle=self.lifecycle,
            figures=self._figures,
            learn=self.clock.learn,
            lease=self.settings.node.lease,
        )

    def _figures(self) -> dict[str, int]:
        """The figures of this process for `dialer nodes`."""
        done = {str(kind): count for kind, count in self.lifecycle.corrections.items() if count}
        now = self.now()
        noticed = {
            "unreadable-events": sum(switch.unreadable for switch in self.switches) + self.outbound.door.unreadable.total,
            "unserved-callees": self.applications.unserved,
            "gateways-backed-off": self.fleet.backed_off(now),
            **self.outbound.door.figures,
            **(self.hub.figures if self.hub is not None else {}),
        }
        told = {name: count for name, count in noticed.items() if count}
        return {**done, **told, "waiting-changes": self.store.backlog}

    def _attempt_ended(self, result: AttemptResult) -> None:
        self.ended[result.disposition] += 1
        self.finished(result)

    async def _close(self) -> None:
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
            self._port = None
        await self.sender.close()
        await self.database.stop()

    # --- dialer.interfaces.FlowControl ------------------------------------------------------------------------------------

    def call_soon(self) -> None:
        """Campaigns or contacts changed."""
        self.scheduler.call_soon()

    def release(self, campaign_id: int) -> None:
        """Give back what was begun and not sent."""
        self.lifecycle.release_unsent(campaign_id)

    def hang_up(self, campaign_id: int) -> None:
        """The same, and hang up the campaign's live calls."""
        self.release(campaign_id)
        hung_up = Deferred.fromCoroutine(self.lifecycle.hang_up_all(campaign_id))
        hung_up.addErrback(lambda failure: log.error("calls not hung up", reason=failure.getErrorMessage()))

    def live_calls(self, campaign_id: int) -> int:
        """How many are open here, and at the other nodes as far as they are known."""
        return self.scheduler.live_calls(campaign_id)

    def explain(self, campaign: Campaign, progress: Progress) -> IdleReason | None:
        """Why it is not calling."""
        return self.scheduler.explain(campaign, progress)

    # --- dialer.interfaces.SwitchListener, and the outbound server's questions ----------------------------------------------

    def signal_received(self, signal: Signal) -> None:
        """Something happened to a call."""
        self.lifecycle.signal_received(signal)

    def switch_up(self, switch: Switch) -> None:
        """The switch is there."""
        self.lifecycle.switch_up(switch)
        if self.hub is not None:
            self.hub.switch_up()
        self.scheduler.call_soon()
        self._tell_of_switch(EventKind.SWITCH_UP, switch, "")

    def switch_down(self, switch: Switch, reason: str) -> None:
        """The switch went away."""
        self.lifecycle.switch_down(switch, reason)
        self._tell_of_switch(EventKind.SWITCH_DOWN, switch, reason)

    def _tell_of_switch(self, kind: EventKind, switch: Switch, reason: str) -> None:
        self._tell(kind, switch=switch.name, reason=reason)

    def _hook_switched_off(self, app: str, reason: str) -> None:
        self._tell(EventKind.HOOK_SWITCHED_OFF, app=app, reason=reason)

    def _tell(self, kind: EventKind, **facts: str) -> None:
        told = self.store.tell(kind, self.now(), {"node": self.settings.node.name, **facts})
        told.addErrback(lambda failure: log.error("an event is not stored", kind=kind, reason=failure.getErrorMessage()))

    def _switch_of(self, call_uuid: str) -> InboundSwitch | None:
        """The one that has a call of ours."""
        live = self.lifecycle.register.find(call_uuid)
        member = None if live is None else self.fleet.of(live)
        return None if member is None else next(switch for switch in self.switches if switch is member.switch)

    def _any_switch(self) -> InboundSwitch:
        """One that can be asked, if there is any."""
        return next((switch for switch in self.switches if switch.ready), self.switches[0])

    def _has(self, call_uuid: str) -> bool:
        return call_uuid in self.lifecycle.register.calls

    def _owns(self, call_uuid: str) -> bool:
        return self.lifecycle.register.owns(call_uuid)

    async def _run_application(self, call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
        return await self.applications.run(call, attempt)

    async def _connected(self, call: Any) -> None:
        await self.lifecycle.connected(call)


def _address(port: IListeningPort) -> str:
    """Where a switch on this machine finds what listens everywhere."""
    return address_of(port).replace("0.0.0.0:", "127.0.0.1:").replace("[::]:", "127.0.0.1:")
