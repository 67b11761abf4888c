"""A dialer in this process, with a campaign of made-up contacts, for the benchmarks to look at."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import structlog
from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from dialer.esl.inbound import SwitchConfig
from dialer.model import Contact, Finish, VoipAppType
from dialer.service import DialerService, ServiceSettings, utc_now
from dialer.store.admin import Admin
from dialer.store.contacts import Contacts
from dialer.store.drafts import NewCampaign, NewGateway, NewPhonebook, NewUser, NewVoipApp
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade


@frozen(kw_only=True)
class Load:
    """What shall be dialled."""

    port: int
    database: Path
    contacts: int
    calls_per_minute: int
    audio: str = ""
    ring_timeout: int = 60


def sleep(seconds: float) -> Deferred[None]:
    """Let the reactor work."""
    return deferLater(reactor, seconds)


def dial(load: Load, watch: Callable[[DialerService, list[int]], Awaitable[None]]) -> None:
    """Dial while `watch(service, ended)` looks on; `ended[0]` counts the attempts that have ended. Stops when it returns."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    ended = [0]

    def count(_: Finish) -> None:
        ended[0] += 1

    upgrade(sqlite_url(load.database))
    config = SwitchConfig(port=load.port, calls_per_second=10_000, max_in_flight=500)
    settings = ServiceSettings(database=sqlite_url(load.database), switch=config, inline=True)

    async def run() -> None:
        service = DialerService(reactor, settings, count)
        await service.start()
        while not service.switch.ready:
            await sleep(0.1)
        await _campaign(service, load)
        await watch(service, ended)
        await service.quiesce()

    def failed(failure: object) -> None:
        print(failure)

    reactor.callWhenRunning(lambda: Deferred.fromCoroutine(run()).addErrback(failed).addBoth(lambda _: reactor.stop()))
    reactor.run()


async def _campaign(service: DialerService, load: Load) -> None:
    admin, now = Admin(service.database), utc_now()
    user = await admin.create_user(NewUser(username="bench"), now)
    gateway = await admin.create_gateway(NewGateway(name="bench", dial_string="sofia/gateway/simulator/{number}"), now)
    app = await admin.create_voip_app(NewVoipApp(name="bench", type=VoipAppType.PLAY_AUDIO), now)
    phonebook = await admin.create_phonebook(NewPhonebook(user_id=user, name="bench"), now)
    contacts = (Contact(number=f"1555{index:07}") for index in range(load.contacts))
    await Contacts(service.database).import_contacts(phonebook, contacts, now)
    draft = NewCampaign(
        user_id=user,
        name="bench",
        gateway_id=gateway,
        voip_app_id=app,
        starting_at=now,
        expires_at=now + timedelta(days=1),
        frequency=load.calls_per_minute,
        max_retry=0,
        call_timeout=load.ring_timeout,
        call_max_duration=600,
        voip_app_data=load.audio,
    )
    campaign = await admin.create_campaign(draft, now)
    await Contacts(service.database).subscribe(campaign, phonebook, now)
