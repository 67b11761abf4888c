"""The wiring: everything is built here once, and nothing starts before `start`.

store  <-  lifecycle  ->  switch (inbound Event Socket)  ->  FreeSWITCH
              ^   ^                                              |
      scheduler   +--  outbound server (answered calls)  <-------+
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from attrs import define, field, frozen
from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.python.failure import Failure

from dialer.apps import run_application
from dialer.calls.lifecycle import FlowSettings, Lifecycle
from dialer.campaigns.scheduler import Scheduler
from dialer.config import Config
from dialer.errors import BadValue, DialerError
from dialer.esl.inbound import InboundSwitch, SwitchConfig
from dialer.esl.outbound import OutboundConfig, OutboundServer
from dialer.interfaces import Switch, VoiceApplication
from dialer.metrics import PaceMeter
from dialer.model import Finish, Signal
from dialer.store.database import Database
from dialer.store.flow import Store
from dialer.store.location import absolute_url

log = structlog.get_logger()


@frozen(kw_only=True)
class ServiceSettings:
    """What a dialling service is made of. `advertise` is the `host:port` at which FreeSWITCH reaches the outbound server, ""
    for where it listens."""

    database: str
    switch: SwitchConfig
    outbound_endpoint: str = "tcp:0:interface=127.0.0.1"
    advertise: str = ""
    peers: frozenset[str] = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
    inline: bool = False
    outbox: bool = False
    application: VoiceApplication = run_application


def utc_now() -> datetime:
    """The clock of the wiring: everything below it is handed this function."""
    return datetime.now(UTC)


def new_id() -> str:
    """A new UUID, for calls and for what is executed on them."""
    return str(uuid.uuid4())


@define(eq=False, slots=False)
class DialerService(Service):
    """A dialler on one database and one FreeSWITCH. `finished` is told of each stored end of an attempt."""

    reactor: Any
    settings: ServiceSettings
    finished: Callable[[Finish], None] = lambda _: None
    pace: PaceMeter = field(factory=PaceMeter, init=False)
    database: Database = field(init=False)
    store: Store = field(init=False)
    switch: InboundSwitch = field(init=False)
    lifecycle: Lifecycle = field(init=False)
    scheduler: Scheduler = field(init=False)
    outbound: OutboundServer = field(init=False)
    _port: IListeningPort | None = field(default=None, init=False)
    _up: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        settings, reactor = self.settings, self.reactor
        self.database = Database(settings.database, reactor, dialling=True)
        self.store = Store(self.database, reactor, node="local", outbox=settings.outbox)
        self.switch = InboundSwitch(reactor, self, settings.switch, utc_now, random.Random())

    @classmethod
    def from_config(cls, reactor: Any, config: Config, folder: Path) -> DialerService:
        """The service that a configuration file describes; relative paths count from `folder`."""
        (switch,) = config.switch
        settings = ServiceSettings(
            database=absolute_url(config.database.url, folder),
            switch=SwitchConfig(
                host=switch.host,
                port=switch.port,
                password=switch.password,
                calls_per_second=switch.calls_per_second,
                max_in_flight=switch.max_in_flight,
            ),
            outbound_endpoint=config.outbound.endpoint,
            advertise=config.outbound.advertise,
            peers=frozenset(config.outbound.allow),
            inline=config.outbound.inline,
        )
        return cls(reactor, settings)

    @property
    def up(self) -> bool:
        """True from a successful `start` until `stop`."""
        return self._up

    # --- start and stop ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Open the database, listen for answered calls, take over what was left open, connect, and begin to call.

        Fails with `DialerError`, with nothing left running: the database cannot serve, or the outbound port is taken.
        """
        await self.database.start()
        try:
            await self._listen()
            left = await self.lifecycle.recover()
        except BaseException:
            await self._close()
            raise
        if left:
            log.warning("attempts left open by an earlier run", attempts=left)
        self._up = True
        self.switch.startService()
        self.scheduler.start()

    async def quiesce(self) -> None:
        """Begin no more calls, and give back those that were not sent. Live calls go on."""
        await self.scheduler.stop()
        self.lifecycle.release_unsent()

    async def stop(self) -> None:
        """Stop at once: what was not sent is given back, live calls stay with the switch and open in the database."""
        if not self._up:
            return
        self._up = False
        await self.quiesce()
        await self.outbound.stop()
        await self.switch.stopService()
        await self.store.flush()
        await self._close()

    async def _listen(self) -> None:
        server = OutboundServer(
            self.reactor,
            self._connected,
            self._owns,
            new_id,
            OutboundConfig(peers=self.settings.peers),
        )
        self.outbound = server
        try:
            self._port = await serverFromString(self.reactor, self.settings.outbound_endpoint).listen(server)
        except CannotListenError as error:
            raise BadValue(
                "outbound.endpoint", f"cannot listen on {error.interface}:{error.port}: {error.socketError}"
            ) from None
        except ValueError as error:
            raise BadValue("outbound.endpoint", str(error)) from None
        self._build_flow(self.settings.advertise or _address(self._port))

    def _build_flow(self, outbound: str) -> None:
        flow = FlowSettings(installation=self.database.installation_id, outbound=outbound, inline=self.settings.inline)
        self.lifecycle = Lifecycle(
            clock=self.reactor,
            now=utc_now,
            store=self.store,
            switch=self.switch,
            settings=flow,
            application=self.settings.application,
            finished=self.finished,
            submitted=self.pace.note,
        )
        self.scheduler = Scheduler(
            clock=self.reactor, now=utc_now, store=self.store, switch=self.switch, lifecycle=self.lifecycle, new_id=new_id
        )

    async def _close(self) -> None:
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
            self._port = None
        await self.database.stop()

    # --- Twisted's service ------------------------------------------------------------------------------------------------

    def startService(self) -> None:
        """For `twist`: start, and end the process with one clear line when that fails."""
        super().startService()
        Deferred.fromCoroutine(self.start()).addErrback(self._not_started)

    def stopService(self) -> Deferred[None]:
        """For `twist`: as `stop`."""
        super().stopService()
        return Deferred.fromCoroutine(self.stop())

    def _not_started(self, failure: Failure) -> None:
        error = failure.value
        text = str(error) if isinstance(error, DialerError) else failure.getTraceback()
        log.error("the dialer cannot start", reason=text)
        self.reactor.stop()

    # --- dialer.interfaces.SwitchListener, and the outbound server's questions ----------------------------------------------

    def signal_received(self, signal: Signal) -> None:
        """Something happened to a call."""
        self.lifecycle.signal_received(signal)

    def switch_up(self, switch: Switch) -> None:
        """The switch is there."""
        self.lifecycle.switch_up(switch)
        self.scheduler.call_soon()

    def switch_down(self, switch: Switch, reason: str) -> None:
        """The switch went away."""
        self.lifecycle.switch_down(switch, reason)

    def _owns(self, call_uuid: str) -> bool:
        return self.lifecycle.owns(call_uuid)

    async def _connected(self, call: Any) -> None:
        await self.lifecycle.connected(call)


def _address(port: IListeningPort) -> str:
    address: Any = port.getHost()
    host = "127.0.0.1" if address.host in ("0.0.0.0", "::") else address.host  # noqa: S104 - compared, not listened on
    return f"{host}:{address.port}"
