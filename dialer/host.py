"""The whole process: the dialer, its API, and the simulator where that stands in for a switch; started, stopped and changed
in order."""

from __future__ import annotations

import random
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from attrs import asdict, define, field, frozen
from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.error import CannotListenError
from twisted.python.failure import Failure

from dialer import emergency
from dialer.apps import runner
from dialer.cdr import read_record
from dialer.config import changes
from dialer.errors import BadValue, CannotListen, DialerError, StoreError
from dialer.esl.inbound import SwitchConfig
from dialer.files.import_folder import ImportFolder
from dialer.hook_wiring import hook_limits
from dialer.interfaces import Monitoring, Scraped
from dialer.listening import Site, WebServer
from dialer.management import Management
from dialer.management.idleness import Idleness, idleness
from dialer.management.import_worker import ImportWorker
from dialer.management.management import Folders
from dialer.marks.app import load_all
from dialer.model import VoipAppType
from dialer.model.readiness import Unready
from dialer.monitoring.declarations import Metric, Sample
from dialer.monitoring.figures import figures
from dialer.monitoring.scrape import Scraper
from dialer.numbering import check_region
from dialer.rule_files import rule_book
from dialer.rules.book import RuleBook
from dialer.service import DialerService
from dialer.service_settings import ServiceSettings
from dialer.settings import Config, HttpSettings, SimulatorSettings
from dialer.simulator.callees import NumberPlan, parse_mix, parse_pattern
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.service import Simulator
from dialer.store.connection import Dialect
from dialer.store.database import NodeIdentity
from dialer.store.location import absolute_url, dialect_of, sqlite_path
from dialer.store.lock import refuse_second

log = structlog.get_logger()


TakeRecord = Callable[[bytes], Awaitable[None]]
"""Takes a call detail record as it came. Raises `BadValue` for what is none, `Busy` and `StoreError` for what is to be brought
again."""


@frozen
class Api:
    """The package `api`, which only the outermost modules may import. `build_site` makes its site of the use cases, the
    limits and the reactor, `build_record_site` that for call detail records: of their receiver, user name and password, the
    longest body and the reactor, `build_monitoring_site` that for metrics and health: of whom to ask, user name and password
    if there are any, and the reactor. `watch_api` serves these on a site for the API, metrics if so wanted."""

    build_site: Callable[[Management, HttpSettings, Any], Site]
    build_record_site: Callable[[TakeRecord, tuple[str, str], int, Any], Site]
    build_monitoring_site: Callable[[Monitoring, tuple[str, str] | None, Any], Site]
    watch_api: Callable[[Any, Management, Monitoring, Any, bool], None]


ANSWER_SHARE = 0.75
"""Of the time that a stop may take, for the requests in flight; the rest is for saving the state."""


RECORDS_SHARE = 1.0
"""Seconds for the records that are being taken; FreeSWITCH keeps what it could not deliver."""


_OF_THIS_MACHINE = ("127.", "[::1]:", "unix:")
"""How the addresses begin that are reached from this machine only."""


@define(eq=False)
class Host:
    """The process that a configuration describes; relative paths in it count from `folder`."""

    reactor: Any
    config: Config
    folder: Path
    api: Api
    service: DialerService = field(init=False)
    management: Management = field(init=False)
    importer: ImportWorker = field(init=False)
    web: WebServer = field(init=False)
    records: WebServer | None = field(default=None, init=False)
    watched: WebServer | None = field(default=None, init=False)
    """Where metrics are served on a port of their own."""
    scraper: Scraper = field(init=False)
    _stopping: bool = field(default=False, init=False)
    simulator: Simulator | None = field(default=None, init=False)
    _started_with: Config = field(init=False)
    _built: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._started_with = self.config

    @property
    def up(self) -> bool:
        """True from a successful `start` until `stop`."""
        return self._built and self.service.up

    async def start(self) -> None:
        """Open the database, listen, take over what an earlier run left open, connect, begin to call.

        Fails with `DialerError`, with nothing left running: `BadValue` for what the configuration cannot mean.
        """
        switches = await self._find_switches()
        try:
            self._build(switches)
            await self.service.open()
            self._check_region()
            self.management.start()
            await self.web.start(self.config.http.endpoint)
            await self._take_records()
            await self._serve_metrics()
        except BaseException:
            await self._close()
            raise
        await self._look_for_gateways()
        self.service.begin()
        self.importer.start()

    async def stop(self) -> None:
        """No new calls; the requests in flight are answered, live calls may go on for the time that is configured, the state
        is saved. Calls that are left stay on the switch. Fails with `DialerError` when that takes too long."""
        self._stopping = True
        answered = Deferred.fromCoroutine(self.web.stop(self.config.stop.timeout * ANSWER_SHARE))
        await self.service.quiesce()
        await self._wait_for_calls(self.config.stop.wait_for_calls)
        closed = Deferred.fromCoroutine(self._answer_and_close(answered))
        try:
            await closed.addTimeout(self.config.stop.timeout, self.reactor)
        except TimeoutError:
            raise DialerError(f"not everything was done within {self.config.stop.timeout} s (stop.timeout)") from None

    def reload(self, config: Config) -> tuple[list[str], list[str]]:
        """Take over the live settings of another configuration, and the file of calling rules as it is now. Returns the
        settings that changed, and those that differ from what the process was started with and need a restart. Raises
        `BadValue`, with nothing taken over, for calling rules that are wrong."""
        book = rule_book(config.rules, self.folder)
        live, _ = changes(self.config, config)
        _, fixed = changes(self._started_with, config)
        same_kind = (config.simulator is None) == (self._started_with.simulator is None)
        sections = {name.partition(".")[0] for name in live}
        if sections & {"switch", "simulator"} and same_kind:
            self._limit_switches(config)
        if "hooks" in sections and self.service.hub is not None:
            self.service.hub.use(hook_limits(config.hooks), config.hooks.commands_per_second)
        if "http" in sections:
            self.web.site.use(config.http)
        if book.fingerprint != self.management.rules.fingerprint:
            self._use_rules(book)
        self.config = config
        return live, fixed

    def _use_rules(self, book: RuleBook) -> None:
        self.management.rules = self.service.lifecycle.rules = book
        self.service.store.use_rules(book).addCallbacks(lambda _: self.service.call_soon(), _not_looked_at_again)

    # --- call detail records ----------------------------------------------------------------------------------------------

    async def _take_records(self) -> None:
        settings = self.config.cdr
        if not settings.password:
            return
        credentials = (settings.username, settings.password)
        site = self.api.build_record_site(self._take_record, credentials, settings.max_body, self.reactor)
        self.records = WebServer(self.reactor, site)
        await self.records.start(settings.endpoint, "cdr.endpoint")

    async def _take_record(self, content: bytes) -> None:
        await self.service.cdr_reconciler.take(read_record(content))

    # --- metrics and health -----------------------------------------------------------------------------------------------

    async def _serve_metrics(self) -> None:
        settings = self.config.metrics
        if not settings.endpoint:
            return
        credentials = (settings.username, settings.password) if settings.password else None
        self.watched = WebServer(self.reactor, self.api.build_monitoring_site(self, credentials, self.reactor))
        await self.watched.start(settings.endpoint, "metrics.endpoint")
        if credentials is None and not self.watched.address.startswith(_OF_THIS_MACHINE):
            log.warning("whoever reaches this port may read the metrics", port=self.watched.address, see="metrics.password")

    def switches(self) -> tuple[int, int]:
        """`dialer.interfaces.Monitoring`."""
        return sum(switch.ready for switch in self.service.switches), len(self.service.switches)

    def unready(self) -> list[Unready]:
        """`dialer.interfaces.Monitoring`."""
        found = {
            Unready.STOPPING: not self._stopping,
            Unready.NO_DATABASE: self.service.database_serves,
            Unready.NO_SWITCH: self.service.fleet.ready,
        }
        return [reason for reason, well in found.items() if not well]

    async def scrape(self, accept: str) -> Scraped:
        """`dialer.interfaces.Monitoring`."""
        return await self.scraper.scrape(accept)

    def _figures(self, idle: Idleness | None) -> Iterator[tuple[Metric, list[Sample]]]:
        ports = {"api": self.web, "records": self.records, "metrics": self.watched}
        sites = {name: server.site for name, server in ports.items() if server is not None}
        return figures(self.service, sites, idle, self.service.now())

    # --- building ---------------------------------------------------------------------------------------------------------

    async def _find_switches(self) -> tuple[SwitchConfig, ...]:
        if self.config.simulator is not None:
            return (await self._start_simulator(self.config.simulator),)
        return tuple(SwitchConfig(**asdict(switch)) for switch in self.config.switch)

    def _limit_switches(self, config: Config) -> None:
        if config.simulator is not None:
            (switch,) = self.service.switches
            switch.limit(config.simulator.calls_per_second, SwitchConfig().max_in_flight)
            return
        several = len(self.service.switches) > 1  # then each has a name, and may stand at another place now
        for switch, member in zip(self.service.switches, self.service.fleet, strict=True):
            settings = next((one for one in config.switch if not several or one.name == switch.name), None)
            if settings is not None:
                switch.limit(settings.calls_per_second, settings.max_in_flight)
                member.max_calls, member.drain = settings.max_calls, settings.drain

    async def _start_simulator(self, settings: SimulatorSettings) -> SwitchConfig:
        config = _simulator(settings)
        simulator = Simulator(self.reactor, config, random.Random(settings.seed))
        try:
            port = await simulator.start(settings.port)
        except CannotListenError as error:
            if dialect_of(url := self._database) is Dialect.SQLITE:
                refuse_second(sqlite_path(url))  # it has this very simulator
            raise CannotListen("simulator.port", f"127.0.0.1:{settings.port}", str(error.socketError)) from None
        self.simulator = simulator
        return SwitchConfig(port=port, password=config.password, calls_per_second=settings.calls_per_second, retry_max=2.0)

    @property
    def _database(self) -> str:
        return absolute_url(self.config.database.url, self.folder)

    def _build(self, switches: tuple[SwitchConfig, ...]) -> None:
        settings = ServiceSettings(
            database=self._database,
            node=NodeIdentity(name=self.config.node.name or socket.gethostname(), lease=self.config.node.lease),
            switches=switches,
            outbound=self.config.outbound,
            apps=self.config.apps,
            applications=runner.applications({kind: getattr(self.config.apps, kind.name.lower()) for kind in VoipAppType}),
            recovery=self.config.recovery,
            emergency=self.config.numbers.emergency,
            caller_id_strict=self.config.numbers.caller_id_strict,
            keep_events=timedelta(days=self.config.events.keep),
            keep_records=timedelta(days=self.config.records.keep),
            hooks=self.config.hooks,
            hook_apps=load_all(self.config.hooks.apps),
            page=self.config.http.page,
            webhooks=self.config.webhooks,
            rules=rule_book(self.config.rules, self.folder),
        )
        self.service = DialerService(self.reactor, settings)
        imports = ImportFolder(self.folder / self.config.imports.folder)
        self.management = Management(
            self.service.database,
            self.service.now,
            self.service,
            self.reactor,
            settings.emergency,
            self.service.telling.receivers,
            self.service.telling.sender,
            settings.rules,
            imports=imports,
            strict_caller_ids=settings.caller_id_strict,
            folders=Folders(sounds=self.config.apps.sounds, recordings=self.config.apps.recordings),
        )
        self.importer = ImportWorker(self.management, imports, settings.node.name, timedelta(days=self.config.imports.keep))
        self.scraper = Scraper(self.reactor, self._figures, partial(idleness, self.management))
        site = self.api.build_site(self.management, self.config.http, self.reactor)
        self.api.watch_api(site, self.management, self, self.reactor, self.config.metrics.on_api)
        self.web = WebServer(self.reactor, site)
        self._built = True

    def _check_region(self) -> None:
        wanted, there = check_region(self.config.numbers.region, "numbers.region"), self.service.database.region
        if wanted != there:
            raise BadValue(
                "numbers.region",
                f"is {wanted or 'none'}, and the database compares numbers by {there or 'none'}: run `dialer upgrade`",
            )
        if not there:
            emergency.everywhere()  # made now, not while a request or a call waits

    async def _look_for_gateways(self) -> None:
        """A gateway may be renamed at any time, so that is no reason not to start."""
        snapshot = await self.service.store.snapshot()
        known = {gateway.name for gateway in snapshot.gateways.values()}
        for switch in self.config.switch:
            for name in sorted(switch.gateways - known):
                log.error("a switch names a gateway that there is not", switch=switch.name, gateway=name, known=sorted(known))

    # --- stopping ---------------------------------------------------------------------------------------------------------

    async def _wait_for_calls(self, seconds: float) -> None:
        live = len(self.service.lifecycle.register)
        if not live or not seconds:
            return
        log.info("waiting for live calls", calls=live, seconds=seconds)
        try:
            await self.service.lifecycle.register.when_idle().addTimeout(seconds, self.reactor)
        except TimeoutError:
            log.info("live calls stay on the switch", calls=len(self.service.lifecycle.register))

    async def _answer_and_close(self, answered: Deferred[None]) -> None:
        await answered
        await self._close()

    async def _close(self) -> None:
        if self._built:
            await self.importer.stop()
            if self.records is not None:
                await self.records.stop(RECORDS_SHARE)
            if self.watched is not None:
                await self.watched.stop(0)
            await self.web.stop(0)
            self.management.stop()
            await self.service.stop()
        if self.simulator is not None:
            await self.simulator.stop()


def _simulator(settings: SimulatorSettings) -> SimulatorConfig:
    """A switch without limits of its own: only the cap of the dialer is seen. It has the gateway that `dialer init` names."""
    try:
        patterns = tuple(parse_pattern(text) for text in settings.callees)
    except ValueError as error:
        raise BadValue("simulator.callees", str(error)) from None
    try:
        plan = NumberPlan(patterns, parse_mix(settings.mix)) if settings.mix else NumberPlan(patterns)
    except ValueError as error:
        raise BadValue("simulator.mix", str(error)) from None
    gateways = frozenset({"simulator"})
    return SimulatorConfig(sps=0, max_sessions=0, plan=plan, time_scale=settings.time_scale, gateways=gateways)


def _not_looked_at_again(failure: Failure) -> None:
    failure.trap(StoreError)
    log.warning("contacts that are held by the rules before are looked at after the next start", reason=str(failure.value))
