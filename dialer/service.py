"""The wiring: everything is built here once, and nothing starts before `start`.

store  <-  lifecycle  ->  fleet (inbound Event Sockets)  ->  FreeSWITCH, one or several
              ^   ^                                              |
      scheduler   +--  outbound server (answered calls)  <-------+
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import structlog
from attrs import define, field
from twisted.internet.defer import gatherResults, maybeDeferred
from twisted.internet.interfaces import IListeningPort

from dialer import hook_wiring
from dialer.apps.runner import VoiceApplications
from dialer.calls.cdr_reconciler import CdrReconciler
from dialer.calls.fleet import Fleet
from dialer.calls.flow_settings import FlowSettings
from dialer.calls.gateway_watch import GatewayWatch
from dialer.calls.health_log import HealthLog, learning_of_gateways
from dialer.calls.heartbeat import Heartbeat
from dialer.calls.lifecycle import Lifecycle
from dialer.calls.register import MOST_FOREIGN_HANGUPS, ForeignHangups
from dialer.campaigns.idle_news import IdleNews
from dialer.campaigns.scheduler import Scheduler
from dialer.campaigns.single_calls import keeping_calls_going
from dialer.database_clock import DatabaseClock
from dialer.emergency import everywhere
from dialer.esl.inbound import InboundSwitch
from dialer.esl.outbound import OutboundConfig, OutboundServer
from dialer.fleet_wiring import CallSwitches, new_fleet, new_switches
from dialer.flow_controls import FlowControls
from dialer.hook_wiring import HookedCalls
from dialer.interfaces import AnsweredCall, Switch
from dialer.listening import address_of, listen, local_address_of
from dialer.model import Attempt, AttemptResult, Disposition, EventKind, Signal
from dialer.numbering import numbering
from dialer.open_files import STRANGERS_SHARE, files_for
from dialer.pace_meter import PaceMeter
from dialer.periodic import PeriodicLoop
from dialer.reactor_lag import ReactorLag
from dialer.record_keeping import RecordKeeper
from dialer.service_settings import ServiceSettings
from dialer.store.answered import AnsweredCalls
from dialer.store.caller_ids import CallerIdRules
from dialer.store.connection import Dialect
from dialer.store.corrections import Corrections
from dialer.store.database import Database
from dialer.store.flow import Store
from dialer.store.idle_news import StoredIdleNews
from dialer.store.nodes import Nodes
from dialer.store.purge import StoredRecords
from dialer.store.single_calls import StoredSingleCalls
from dialer.telling import Telling
from dialer.wall_clock import utc_now

if TYPE_CHECKING:
    from dialer.marks.hub import Hub

log = structlog.get_logger()

MOST_STRANGERS = 300
"""Connections to the outbound port that have brought no call of ours; each may cost 128 kB for 10 s."""


def new_id() -> str:
    """A new UUID, for calls and for what is executed on them."""
    return str(uuid.uuid4())


@define(eq=False, slots=False)
class DialerService(FlowControls):
    """A dialer on one database and its FreeSWITCH servers. `finished` is told of each stored end of an attempt."""

    reactor: Any
    settings: ServiceSettings
    finished: Callable[[AttemptResult], None] = lambda _: None
    pace: PaceMeter = field(factory=PaceMeter, init=False)
    database: Database = field(init=False)
    store: Store = field(init=False)
    switches: tuple[InboundSwitch, ...] = field(init=False)
    fleet: Fleet = field(init=False)
    lifecycle: Lifecycle = field(init=False)
    scheduler: Scheduler = field(init=False)
    cdr_reconciler: CdrReconciler = field(init=False)
    heartbeat: Heartbeat = field(init=False)
    idle_news: IdleNews = field(init=False)
    gateway_watch: GatewayWatch = field(init=False)
    applications: VoiceApplications = field(init=False)
    reactor_lag: ReactorLag = field(init=False)
    ended: dict[Disposition, int] = field(factory=lambda: dict.fromkeys(Disposition, 0), init=False)
    """How many attempts ended, and that is stored, by disposition."""
    clock: DatabaseClock = field(init=False)
    outbound: OutboundServer = field(init=False)
    telling: Telling = field(init=False)
    record_keeper: RecordKeeper = field(init=False)
    hub: Hub | None = field(default=None, init=False)
    _port: IListeningPort | None = field(default=None, init=False)
    _up: bool = field(default=False, init=False)
    _call_switches: CallSwitches = field(init=False)
    _gateways: PeriodicLoop = field(init=False)
    _single_calls: PeriodicLoop = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings, reactor = self.settings, self.reactor
        self.clock = DatabaseClock(utc_now)
        self.reactor_lag = ReactorLag(reactor)
        self.database = Database(settings.database, reactor, dialling=True, node=settings.node)
        caller_ids = CallerIdRules(settings.emergency, settings.caller_id_strict)
        self.store = Store(self.database, reactor, node=settings.node.name, rules=settings.rules, caller_ids=caller_ids)
        self._gateways = learning_of_gateways(reactor, self.store.gateways_down, lambda: self.lifecycle.health_log)
        self.telling = Telling(reactor, self.now, self.database, self.store, settings)
        self.record_keeper = RecordKeeper(reactor, self.now, StoredRecords(self.database), settings.keep_records)
        shared = self.database.dialect is Dialect.POSTGRESQL
        self._single_calls = keeping_calls_going(reactor, self.now, StoredSingleCalls(self.database).keep_going)
        self.switches = new_switches(
            reactor,
            self,
            settings.switches,
            self.now,
            owns=self._has if shared else None,
            observation=hook_wiring.observation(settings.hook_apps, lambda: self.hub),
        )
        self.fleet = new_fleet(self.switches, settings.switches)
        self._call_switches = CallSwitches(self.switches, self.fleet, lambda uuid: self.lifecycle.register.find(uuid), shared)

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
            await self.telling.load()
            await self.store.use_rules(self.settings.rules)
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
        self.lifecycle.watchers.start()
        self.heartbeat.start()
        self.reactor_lag.start()
        self.record_keeper.start()
        self.idle_news.start()
        self._gateways.start()
        self.gateway_watch.start()
        self._single_calls.start()
        self.telling.start()

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
        await self.lifecycle.watchers.stop()
        await self.outbound.stop()
        if self.hub is not None:
            await self.hub.stop()
        await gatherResults([switch.stopService() for switch in self.switches])
        await self.heartbeat.stop()
        await self.store.flush()
        await self.record_keeper.stop()
        await self.idle_news.stop()
        await self._gateways.stop()
        await self.gateway_watch.stop()
        await self._single_calls.stop()
        await self.telling.stop()
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
                proof=self._call_switches,
                may_be_anothers=self._call_switches.may_be_anothers,
                lapsed=lambda: self._call_switches.shared and self.heartbeat.lapsed,
            ),
        )
        self.outbound = server
        self._port = await listen(self.reactor, self.settings.outbound.endpoint, server, "outbound.endpoint")
        self._build_flow(self.settings.outbound.advertise or local_address_of(self._port))

    def _build_flow(self, outbound: str) -> None:
        settings = self.settings
        everywhere()  # is told now, and not while calls are made
        flow = FlowSettings(
            installation=self.database.installation_id,
            outbound=outbound,
            wait_for_dialer=settings.outbound.wait_for_dialer,
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
            rules=settings.rules,
            foreign_hangups=ForeignHangups(MOST_FOREIGN_HANGUPS if self.database.dialect is Dialect.POSTGRESQL else 0),
            health_log=HealthLog(self.telling.tell_of_gateway),
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
        self.gateway_watch = GatewayWatch(
            clock=self.reactor,
            now=self.now,
            fleet=self.fleet,
            gateways=lambda: self.scheduler.gateways,
            changed=self.telling.tell_of_gateway,
            call_soon=self.scheduler.call_soon,
        )
        self.applications = VoiceApplications(
            settings=settings.apps,
            store=AnsweredCalls(self.database, self.now),
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
                switches=self._call_switches,
                numbering=self.applications.numbering,
                store=self.applications.store,
                limits=self.scheduler.second_legs,
                clock=self.reactor,
            ),
            settings.switches[0].host,
            self._hook_switched_off,
        )
        self.idle_news = IdleNews(
            clock=self.reactor,
            now=self.now,
            store=StoredIdleNews(self.database, settings.node.name, lambda: self.store.told, self.store.caller_ids),
            explain=self.scheduler.explain,
            wanted=lambda: self.store.told,
            others_call=lambda: self.scheduler.others_call,
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
        noticed = {
            "unreadable-events": sum(switch.unreadable for switch in self.switches) + self.outbound.door.unreadable.total,
            "unserved-callees": self.applications.unserved,
            "gateways-backed-off": self.fleet.backed_off(self.now()),
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
        await self.telling.close()
        await self.database.stop()

    # --- dialer.interfaces.SwitchListener, and the outbound server's questions ----------------------------------------------

    def signal_received(self, signal: Signal) -> None:
        """Something happened to a call."""
        self.lifecycle.signal_received(signal)

    def switch_up(self, switch: Switch) -> None:
        """The switch is there."""
        self.lifecycle.switch_up(switch)
        if self.hub is not None:
            self.hub.switch_up()
        self.gateway_watch.switch_up(switch)
        self.scheduler.call_soon()
        self._tell_of_switch(EventKind.SWITCH_UP, switch, "")

    def gateways_changed(self, switch: Switch) -> None:
        """The switch knows something new of its SIP gateways."""
        self.gateway_watch.look_soon(switch)

    def switch_down(self, switch: Switch, reason: str) -> None:
        """The switch went away."""
        self.lifecycle.switch_down(switch, reason)
        self._tell_of_switch(EventKind.SWITCH_DOWN, switch, reason)

    def _tell_of_switch(self, kind: EventKind, switch: Switch, reason: str) -> None:
        """Not of a connection that this process itself closes because it stops: the switch is where it was."""
        if self._up:
            self.telling.tell(kind, switch=switch.name, reason=reason)

    def _hook_switched_off(self, app: str, reason: str) -> None:
        self.telling.tell(EventKind.HOOK_SWITCHED_OFF, app=app, reason=reason)

    def _has(self, call_uuid: str) -> bool:
        return call_uuid in self.lifecycle.register.calls

    def _owns(self, call_uuid: str) -> bool:
        return self.lifecycle.register.owns(call_uuid)

    async def _run_application(self, call: AnsweredCall, attempt: Attempt) -> dict[str, str]:
        return await self.applications.run(call, attempt)

    async def _connected(self, call: Any) -> None:
        await self.lifecycle.connected(call)
