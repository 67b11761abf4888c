"""A dialer in this process, with a campaign of made-up contacts, for the benchmarks to look at."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from attrs import Factory, define, field, frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from dialer.esl.inbound import SwitchConfig
from dialer.management import Management, caller_ids, campaigns, gateways, phonebooks, users
from dialer.management.contacts import import_contacts
from dialer.model import Account, AttemptResult, Contact, VoipAppType
from dialer.pace_meter import PaceMeter
from dialer.rules.book import NO_RULES, RuleBook
from dialer.rules.places import area_codes
from dialer.service import DialerService
from dialer.service_settings import ServiceSettings
from dialer.settings import OutboundSettings, WebhookSettings
from dialer.store.database import NodeIdentity
from dialer.store.schema import upgrade
from dialer.wall_clock import utc_now


@frozen(kw_only=True)
class Load:
    """What shall be dialled, with the database at `url`, as the node of that name; a node that `joins` calls the contacts of a
    campaign that another one has made. With `caller_ids`, the campaign takes its numbers from a pool of so many."""

    port: int
    url: str
    contacts: int
    calls_per_minute: int
    audio: str = ""
    ring_timeout: int = 60
    node: str = "local"
    joins: bool = False
    caller_ids: int = 0
    webhooks: WebhookSettings = Factory(WebhookSettings)
    rules: RuleBook | None = None
    """With a book, also an empty one, the contacts are spread over all area codes of the United States."""


@define(eq=False)
class SendTimes(PaceMeter):
    """Remembers when each call was sent, in seconds since 1970."""

    times: list[float] = field(factory=list, init=False)

    def note(self, at: datetime) -> None:
        """A call was sent at `at`."""
        self.times.append(at.timestamp())
        super().note(at)


@define(eq=False)
class Dialling:
    """A running dialer. `ended` counts the attempts that have ended."""

    service: DialerService
    load: Load
    sent: SendTimes = field(factory=SendTimes, init=False)
    contacts: int = field(default=0, init=False)
    ended: int = field(default=0, init=False)
    phonebook: int = field(default=0, init=False)
    campaign: int = field(default=0, init=False)
    user: Account = field(default=Account(id=1, username="bench"), init=False)
    management: Management = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.management = Management(self.service.database, utc_now, receivers=self.service.telling.receivers)
        self.service.pace = self.sent

    async def add_contacts(self, count: int) -> None:
        """So many more contacts, ready to be called."""
        numbers = range(self.contacts, self.contacts + count)
        self.contacts += count
        codes = (
            ["555"] if self.load.rules is None else [code for code, area in area_codes().items() if area.place[:3] == "US-"]
        )
        contacts = (Contact(number=f"1{codes[index % len(codes)]}{index:07}") for index in numbers)
        await import_contacts(self.management, self.phonebook, contacts)

    async def add_phonebook(self, count: int) -> None:
        """A phonebook that no campaign has."""
        idle = await self.management.ask(phonebooks.create, self.user, {"name": "idle"})
        contacts = (Contact(number=f"1666{index:07}") for index in range(count))
        await import_contacts(self.management, idle.id, contacts)

    async def open_campaign(self) -> None:
        """A started campaign with the contacts of the load."""
        load, ask = self.load, self.management.ask
        gateway = {"name": "bench", "dial_string": "sofia/gateway/simulator/{number}"}
        self.user = Account(id=await ask(users.create, {"username": "bench", "is_superuser": True}), username="bench")
        given = {
            "name": "bench",
            "gateway_id": await ask(gateways.create, gateway),
            "voip_app_id": await ask(
                gateways.create_application, {"name": "bench", "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"}
            ),
            "frequency": load.calls_per_minute,
            "max_retry": 0,
            "call_timeout": load.ring_timeout,
            "call_max_duration": 600,
            "voip_app_data": load.audio,
        }
        details = await ask(campaigns.create, self.user, given)
        self.campaign, self.phonebook = details.campaign.id, details.phonebooks[0].id
        if load.caller_ids:
            await self._take_from_a_pool(load.caller_ids)
        await self.add_contacts(load.contacts)

    async def _take_from_a_pool(self, numbers: int) -> None:
        ask = self.management.ask
        pool = await ask(caller_ids.create_pool, self.user, {"name": "bench"})
        for index in range(numbers):
            given = {"pool_id": pool.id, "number": f"+1212555{index:04}", "daily_cap": 1_000_000, "warm_up_start": 900_000}
            await ask(caller_ids.create, self.user, {**given, "warm_up_days": 30})
        await ask(campaigns.change, self.user, self.campaign, {"caller_id_pool_id": pool.id})

    def call_faster(self, calls_per_minute: int) -> Deferred[Any]:
        """Change the campaign's frequency."""
        values = (calls_per_minute, self.campaign)
        return self.service.database.run(lambda base: base.execute("UPDATE campaign SET frequency = ? WHERE id = ?", values))


def sleep(seconds: float) -> Deferred[None]:
    """Let the reactor work."""
    return deferLater(reactor, seconds)


def dial(load: Load, watch: Callable[[Dialling], Awaitable[None]]) -> None:
    """Dial while `watch` looks on; stops when it returns."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if not load.joins:
        upgrade(load.url)
    config = SwitchConfig(port=load.port, calls_per_second=10_000, max_in_flight=500)
    outbound = OutboundSettings(endpoint="tcp:0:interface=127.0.0.1", inline=True)
    settings = ServiceSettings(
        database=load.url,
        node=NodeIdentity(name=load.node),
        switches=(config,),
        outbound=outbound,
        webhooks=load.webhooks,
        rules=load.rules or NO_RULES,
    )

    def count(_: AttemptResult) -> None:
        dialling.ended += 1

    dialling = Dialling(DialerService(reactor, settings, count), load)

    async def run() -> None:
        await dialling.service.start()
        while not dialling.service.fleet.ready:
            await sleep(0.1)
        if not load.joins:
            await dialling.open_campaign()
        await watch(dialling)
        await dialling.service.quiesce()

    run_reactor(run)


def run_reactor(run: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine on the reactor and stop; a failure ends the process with its traceback."""
    failures: list[object] = []
    reactor.callWhenRunning(
        lambda: Deferred.fromCoroutine(run()).addErrback(failures.append).addBoth(lambda _: reactor.stop())
    )
    reactor.run()
    if failures:
        sys.exit(str(failures[0]))
