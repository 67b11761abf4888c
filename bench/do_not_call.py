"""What long do-not-call lists cost the flow, against empty ones in the same run.

`python -m bench.do_not_call [ENTRIES] [--rounds N]` fills the lists of a SQLite database by chunks, as `dialer dnc import`
does, a third each on the list of everybody, on one of the user and on one of the campaign, and prints rows a second,
microseconds a contact of the search for candidates and of the claim of `begin` (the statements of the flow, which look each
contact up in the lists), and of a check as `dialer dnc check` does it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dialer.cli.blocking import with_database
from dialer.management import (
    Management,
    campaigns,
    contacts,
    do_not_call,
    do_not_call_lists,
    gateways,
    phonebooks,
    users,
)
from dialer.model import Account, VoipAppType
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.user import ADMINISTRATOR
from dialer.store import statements
from dialer.store.begin import LARGEST_STATEMENT
from dialer.store.database import Database
from dialer.store.do_not_call import NewNumbers
from dialer.store.location import sqlite_url
from dialer.store.may_call import moments
from dialer.store.schema import upgrade

CONTACTS = 2000
CHUNK = 5000
LIMIT = 20.0
"""Microseconds a contact."""
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
LATER = "2036-01-01 00:00:00.000000"


async def seed(management: Management) -> None:
    """A campaign with contacts, none of which is on the list."""
    who = Account(id=await management.ask(users.create, {"username": "bench", "is_superuser": True}), username="bench")
    await management.ask(gateways.create, {"name": "bench", "protocol": "LOCAL"})
    await management.ask(gateways.create_application, {"name": "bench", "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"})
    await management.ask(campaigns.create, who, {"name": "bench", "gateway_id": 1, "voip_app_id": 1})
    (book,) = await management.ask(phonebooks.listed, who)
    some = [(f"+44{2000000000 + n * 977}", f"44{2000000000 + n * 977}") for n in range(CONTACTS)]
    await management.ask(contacts.create_several, who, book.id, some)


def searched(connection: Any) -> float:
    """Microseconds a contact."""
    began = time.perf_counter()
    found = connection.execute(statements.READY, (*moments(LATER), 1, 5, 0, LATER, CONTACTS)).fetchall()
    assert len(found) == CONTACTS
    return (time.perf_counter() - began) / CONTACTS * 1e6


def claimed(connection: Any) -> float:
    """The same for the statement of `begin`."""
    began = time.perf_counter()
    for start in range(0, CONTACTS, LARGEST_STATEMENT):
        some = range(start + 1, start + LARGEST_STATEMENT + 1)
        asked = (*moments(LATER), LATER, *some)
        found = connection.execute(statements.claimable(len(some)).of(connection), asked).fetchall()
        assert len(found) == len(some)
    return (time.perf_counter() - began) / CONTACTS * 1e6


async def measure(database: Database, entries: int, rounds: int) -> None:
    """Print the figures."""
    management = Management(database, lambda: NOW)
    await seed(management)
    lists = [EVERYBODYS]
    for given in ({"user_id": 1}, {"campaign_id": 1}):
        made = await management.ask(do_not_call_lists.create, ADMINISTRATOR, {"name": str(given), **given})
        lists.append(made.id)
    empty = [statistics.median([await database.run(each) for _ in range(rounds)]) for each in (searched, claimed)]
    began = time.perf_counter()
    for start in range(0, entries, CHUNK):
        some = range(start, min(start + CHUNK, entries))
        block = NewNumbers(numbers={f"1{2000000000 + n * 3}": f"+1{2000000000 + n * 3}" for n in some})
        await management.ask(do_not_call.add_numbers, ADMINISTRATOR, lists[start // CHUNK % 3], [block])
    took = time.perf_counter() - began
    print(f"do-not-call lists: {entries:,} entries, added at {entries / took:,.0f} rows/s")
    full = [statistics.median([await database.run(each) for _ in range(rounds)]) for each in (searched, claimed)]
    for what, with_entries, without in zip(("search for candidates", "claim of begin"), full, empty, strict=True):
        word = "within" if with_entries - without <= LIMIT else "beyond"
        print(f"{what}: {with_entries:.1f} us a contact, {without:.1f} with empty lists ({word} {LIMIT:.0f} more)")
    asked = [f"+1{2000000000 + n * 3 * (entries // 1000 or 1)}" for n in range(1000)]
    began = time.perf_counter()
    await management.ask(do_not_call.check_everywhere, ADMINISTRATOR, asked)
    print(f"check by number: {(time.perf_counter() - began) / len(asked) * 1e6:.1f} us a number")


def main() -> None:
    """Fill and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entries", type=int, nargs="?", default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dialer-bench-") as folder:
        url = sqlite_url(Path(folder) / "bench.db")
        upgrade(url)
        with_database(url, lambda database: measure(database, arguments.entries, arguments.rounds))


if __name__ == "__main__":
    main()
