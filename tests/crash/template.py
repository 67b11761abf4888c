"""The database in which a scenario begins: made once, and copied for each run."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from dialer.cli.blocking import with_database
from dialer.management import do_not_call, do_not_call_lists
from dialer.model import Contact
from dialer.model.user import ADMINISTRATOR
from dialer.store.database import Database
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from tests.crash.scenarios import Scenario
from tests.harness.campaign import seed
from tests.seeding import Seeds


def number_of(index: int) -> str:
    """The number of a scenario's contact."""
    return f"1555000{index}"


def database_for(scenario: Scenario, folder: Path) -> Path:
    """The file to copy."""
    path = folder / f"{scenario.name}.template"
    if not path.exists():
        making = path.with_suffix(".making")
        upgrade(sqlite_url(making))
        with_database(sqlite_url(making), lambda database: _fill(database, scenario))
        with closing(sqlite3.connect(making, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        making.rename(path)
    return path


async def _fill(database: Database, scenario: Scenario) -> None:
    seeded = await seed(database, scenario.rules, scenario.begins)
    numbers = [number_of(index) for index in range(len(scenario.callees))]
    forbidden = [f"1556000{index}" for index in range(scenario.forbidden)]
    seeds = Seeds(database, scenario.begins)
    await seeds.add(seeded.phonebook_id, [Contact(number=number) for number in (*numbers, *forbidden)])
    await seeds.forbid(*forbidden, reason="asked")
    given = {"expires_at": scenario.begins + timedelta(seconds=scenario.rest), "reason": "rests"}
    resting = do_not_call.entries_of(numbers[:1] if scenario.rest else [], seeds.management.numbering, given)
    mine = await seeds.ask(do_not_call_lists.create, ADMINISTRATOR, {"name": "rests", "user_id": 1})
    await seeds.ask(do_not_call.add, ADMINISTRATOR, mine.id, resting)
