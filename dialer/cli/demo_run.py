"""The run of a demo: prepare the campaign, dial it in a reactor, show it, report it."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

from attrs import frozen
from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from dialer.cli.demo_campaign import DemoCampaign, DemoRules
from dialer.cli.display import ProgressDisplay, View, pacing_line, report
from dialer.cli.signals import interrupts
from dialer.errors import DialerError
from dialer.esl.inbound import SwitchConfig
from dialer.management import Management, campaigns, statistics, subscribers
from dialer.model import Account, Explanation
from dialer.model.user import ADMINISTRATOR
from dialer.periodic import PeriodicLoop
from dialer.rules.book import NO_RULES, RuleBook
from dialer.service import DialerService
from dialer.service_settings import ServiceSettings
from dialer.settings import OutboundSettings
from dialer.simulator.config import SimulatorConfig
from dialer.simulator.service import Simulator
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from dialer.wall_clock import utc_now

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
LOOK_EVERY = 0.25
SHORTEST_PAUSE, PAUSE_INTERVALS = 0.2, 5
"""A gap between calls of more than so many seconds, and so many intervals of the pace, is a pause and not the pace."""
LAST_WORDS = 5.0
"""Seconds that hung-up calls get to report their end."""


@frozen(kw_only=True)
class DemoPlan:
    """A demo as asked for, checked. `switch` is None for the built-in simulator, whose callees take `time_scale` of their
    usual time; `outbound` is the `host:port` at which the switch reaches us, "" for a free local port."""

    database: Path
    rules: DemoRules
    switch: SwitchConfig | None
    calls_per_second: float
    outbound: str = ""
    connect_wait: float = 10.0
    seed: int = 1
    time_scale: float = 0.3
    outcomes: Path | None = None
    book: RuleBook = NO_RULES


class DemoRun:
    """One run. It owns the reactor: construct and run once per process."""

    def __init__(self, plan: DemoPlan, console: Console | None = None, reactor: Any = None) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.plan = plan
        self.reactor = reactor
        self.console = console or Console()
        self.status = 0
        self.campaign_id = 0
        self.simulator: Simulator | None = None
        self.service: DialerService | None = None
        self._display = ProgressDisplay(self.console)
        self._done: Deferred[None] = Deferred()
        self._interrupted = False

    def run(self) -> int:
        """Dial to the end. Returns the exit status."""
        upgrade(sqlite_url(self.plan.database))
        with interrupts(self.reactor, self._pressed):
            self.reactor.callWhenRunning(self._start)
            self.reactor.run(installSignalHandlers=False)
        return self.status

    def _start(self) -> None:
        Deferred.fromCoroutine(self.perform()).addErrback(self._failed).addBoth(lambda _: self.reactor.stop())

    def _failed(self, failure: Failure) -> None:
        self.status = EXIT_FAILED
        error = failure.value
        text = str(error) if isinstance(error, DialerError) else failure.getTraceback()
        print(f"dialer: {text}", file=sys.stderr)

    async def perform(self) -> None:
        """Everything that happens inside the reactor."""
        switch = await self._find_switch()
        service = self.service = DialerService(self.reactor, self._settings(switch))
        service.pace.idle_after = max(SHORTEST_PAUSE, PAUSE_INTERVALS * 60 / self.plan.rules.frequency)
        try:
            await service.open()
            management = Management(service.database, service.now, service)
            campaign = DemoCampaign(management, self.plan.rules)
            self.campaign_id = await campaign.prepare(utc_now())
            _, progress = await management.ask(campaigns.progress, ADMINISTRATOR, self.campaign_id)
            if progress.finished:
                self._nothing_left()
                return
            service.begin()
            await self._wait_for_switch(service)
            if campaign.continued:
                self.console.print(f"Going on with {campaign.name}, which was not finished.", highlight=False)
            await self._dial(service, management)
            await self._report(service, management, campaign.user)
        finally:
            await service.stop()
            if self.simulator is not None:
                await self.simulator.stop()

    def _nothing_left(self) -> None:
        number = len(self.plan.rules.contacts)
        whom = "the contact" if number == 1 else f"each of the {number} contacts"
        text = f"Nothing is left to call: an earlier run is done with {whom}. --again calls all of them."
        self.console.print(text, highlight=False, soft_wrap=True)
        self.console.print(f"Database: {self.plan.database.absolute()}", highlight=False, soft_wrap=True)

    def _settings(self, switch: SwitchConfig) -> ServiceSettings:
        host, _, port = self.plan.outbound.rpartition(":")
        endpoint = f"tcp:{port}:interface={host}" if self.plan.outbound else "tcp:0:interface=127.0.0.1"
        return ServiceSettings(
            database=sqlite_url(self.plan.database),
            switches=(switch,),
            outbound=OutboundSettings(
                endpoint=endpoint,
                advertise=self.plan.outbound,
                allow=("127.0.0.1", "::1", "::ffff:127.0.0.1", switch.host),
                inline=True,
            ),
            outcomes=self.plan.outcomes,
            rules=self.plan.book,
        )

    # --- the switch -------------------------------------------------------------------------------------------------------

    async def _find_switch(self) -> SwitchConfig:
        if self.plan.switch is not None:
            return self.plan.switch
        config = SimulatorConfig(sps=0, max_sessions=0, time_scale=self.plan.time_scale)
        self.simulator = Simulator(self.reactor, config, random.Random(self.plan.seed))
        port = await self.simulator.start()
        return SwitchConfig(port=port, password=config.password, calls_per_second=self.plan.calls_per_second, retry_max=2.0)

    async def _wait_for_switch(self, service: DialerService) -> None:
        waited = 0.0
        while not service.fleet.ready and not self._interrupted:
            if waited >= self.plan.connect_wait:
                raise DialerError(f"no FreeSWITCH after {waited:.0f} s: {service.switches[0].last_error}")
            await self._sleep(LOOK_EVERY)
            waited += LOOK_EVERY

    def _sleep(self, seconds: float) -> Deferred[None]:
        slept: Deferred[None] = Deferred()
        self.reactor.callLater(seconds, slept.callback, None)
        return slept

    # --- dialling ---------------------------------------------------------------------------------------------------------

    async def _dial(self, service: DialerService, management: Management) -> None:
        began = self.reactor.seconds()

        async def look() -> None:
            explained = await campaigns.explain(management, ADMINISTRATOR, self.campaign_id)
            self._display.show(self._view(service, explained, self.reactor.seconds() - began))
            if explained.progress.finished and not service.lifecycle.register and not self._done.called:
                self._done.callback(None)

        loop = PeriodicLoop("display", LOOK_EVERY, look, self.reactor)
        self._display.start()
        loop.start()
        try:
            await self._done
        finally:
            await loop.stop()
            self._display.stop()

    def _view(self, service: DialerService, explained: Explanation, elapsed: float) -> View:
        note = "" if service.fleet.ready else f"waiting for the switch: {service.switches[0].last_error}"
        if self._interrupted:
            note = "interrupted: no new calls; Ctrl-C again hangs up the live ones"
        elif not note and not service.lifecycle.register and explained.reason is not None:
            note = explained.reason.text
        return View(
            elapsed=elapsed,
            progress=explained.progress,
            states=service.lifecycle.register.states(),
            pace=service.pace.pace(),
            note=note,
        )

    async def _report(self, service: DialerService, management: Management, who: Account) -> None:
        _, progress = await management.ask(campaigns.progress, ADMINISTRATOR, self.campaign_id)
        pending = await subscribers.listed(management, who, self.campaign_id)
        untouched = sum(found.subscriber.untouched for found in pending)
        found = await statistics.of_campaign(management, ADMINISTRATOR, self.campaign_id)
        report(self.console, found.by_cause, progress, untouched)
        self.console.print(pacing_line(service.pace.pace(), self.plan.rules.frequency), highlight=False, soft_wrap=True)
        self.console.print(f"Database: {self.plan.database.absolute()}", highlight=False, soft_wrap=True)
        if self._interrupted and not progress.finished:
            self.status = EXIT_INTERRUPTED
            self.console.print("Interrupted: the same command goes on with the contacts that are left.", highlight=False)

    # --- Ctrl-C -----------------------------------------------------------------------------------------------------------

    def _pressed(self, count: int) -> None:
        self._interrupted = True
        Deferred.fromCoroutine(self._interrupt(count)).addErrback(self._failed)

    async def _interrupt(self, count: int) -> None:
        service = self.service
        if service is None or not service.up:
            return
        if count == 1:
            await service.quiesce()
            await service.lifecycle.register.when_idle()
        elif count == 2:
            await service.lifecycle.hang_up_all()
            await self._sleep(LAST_WORDS)
        if not self._done.called:
            self._done.callback(None)
