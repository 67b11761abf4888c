"""The database in which a scenario begins: made once, and copied for each run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dialer.cli.blocking import with_database
from dialer.model import Contact, VoipAppType
from dialer.store.admin import Admin
from dialer.store.contacts import Contacts
from dialer.store.database import Database
from dialer.store.drafts import NewCampaign, NewGateway, NewPhonebook, NewUser, NewVoipApp
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.crash.scenarios import CALL_TIMEOUT, INTERVAL, MAX_RETRY, Scenario

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def number_of(index: int) -> str:
    """The number of a scenario's contact."""
    return f"1555000{index}"


def database_for(scenario: Scenario, folder: Path) -> Path:
    """The file to copy."""
    path = folder / f"{scenario.name}.template"
    if not path.exists():
        making = path.with_suffix(".making")
        upgrade(sqlite_url(making))
        with_database(sqlite_url(making), lambda database: _furnish(database, scenario))
        with closing(sqlite3.connect(making, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        making.rename(path)
    return path


async def _furnish(database: Database, scenario: Scenario) -> None:
    admin, contacts = Admin(database), Contacts(database)
    user_id = await admin.create_user(NewUser(username="ann"), START)
    gateway_id = await admin.create_gateway(NewGateway(name="carrier", dial_string="sofia/gateway/carrier/{number}"), START)
    app_id = await admin.create_voip_app(NewVoipApp(name="hello", type=VoipAppType.PLAY_AUDIO, data="hello.wav"), START)
    campaign = NewCampaign(
        user_id=user_id,
        name=scenario.name,
        gateway_id=gateway_id,
        voip_app_id=app_id,
        starting_at=START - timedelta(days=1),
        expires_at=START + timedelta(days=1),
        frequency=600,
        max_retry=MAX_RETRY,
        interval_retry=INTERVAL,
        call_timeout=CALL_TIMEOUT,
        call_max_duration=20,
        unknown_policy=scenario.policy,
    )
    campaign_id = await admin.create_campaign(campaign, START)
    phonebook_id = await admin.create_phonebook(NewPhonebook(user_id=user_id, name="all"), START)
    await contacts.subscribe(campaign_id, phonebook_id, START)
    numbers = [number_of(index) for index in range(len(scenario.callees))]
    await contacts.import_contacts(phonebook_id, [Contact(number=number) for number in numbers], START)
