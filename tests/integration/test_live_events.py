"""The program of the page follows the live events of `dialer run`, which is killed and stopped meanwhile: it misses no event,
and gets none twice."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_twisted

from dialer.envelope import parse_id
from dialer.management import Management, tokens, users
from dialer.model import Contact
from dialer.store.database import Database
from dialer.wall_clock import utc_now
from tests.grounds import new_database, rows
from tests.harness.campaign import CampaignRules, seed
from tests.harness.node import Node
from tests.integration.test_webhooks import sleep
from tests.processes import environment, lasting_port
from tests.seeding import Seeds

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
RULES = CampaignRules(frequency=1200, max_retry=0, interval=1, call_timeout=20, max_duration=60)
CONTACTS = 150
PATIENCE = 60.0
"""Seconds."""

pytestmark = [pytest.mark.usefixtures("database_kind"), pytest.mark.timeout(150)]


async def furnish(url: str) -> str:
    """A campaign, and a token of a user that hears of it."""
    from twisted.internet import reactor

    database = Database(url, reactor)
    await database.start()
    seeded = await seed(database, RULES, utc_now())
    contacts = [Contact(number=str(5_550_000 + number)) for number in range(CONTACTS)]
    await Seeds(database, utc_now()).add(seeded.phonebook_id, contacts)
    management = Management(database, utc_now)
    admin = await management.ask(users.account, "admin")
    made = await management.ask(tokens.create, admin, {"name": "follower", "scopes": ["read"]})
    await database.stop()
    return made.text


def program(port: int, token: str) -> list[str]:
    """That of the page."""
    (found,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert "127.0.0.1:8000" in found
    return [sys.executable, "-c", f"TOKEN = {token!r}\n" + found.replace("127.0.0.1:8000", f"127.0.0.1:{port}")]


async def until(condition: Callable[[], bool], node: Node) -> None:
    last = time.monotonic() + PATIENCE
    while not condition():
        assert not node.died_by_itself(), node.last_words()
        assert time.monotonic() < last, node.last_words()
        await sleep(0.05)


@pytest_twisted.ensureDeferred
async def test_nothing_is_lost_and_nothing_comes_twice_when_the_dialer_is_killed_and_stopped(tmp_path: Path) -> None:
    port = lasting_port()
    url = new_database(tmp_path)
    token = await furnish(url)
    node = Node.create(
        "one",
        tmp_path,
        {
            "database": {"url": url},
            "http": {"endpoint": f"tcp:{port}:interface=127.0.0.1"},
            "simulator": {"callees": ["*=answers:ring=0.2,talk=0.3"], "calls_per_second": 100.0},
            "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"},
            "recovery": {"grace": 2.0, "originate_window": 2.0},
        },
    )
    heard = tmp_path / "heard"
    with heard.open("w") as out, (tmp_path / "errors").open("w") as errors:
        follower = subprocess.Popen(program(port, token), stdout=out, stderr=errors, env=environment())

    def ids() -> list[int]:
        return [parse_id(line.split(" ")[1])[1] for line in heard.read_text().splitlines()]

    try:
        node.start()
        await until(lambda: len(ids()) > 60, node)
        node.kill()
        node.start()
        before = len(ids())
        await until(lambda: len(ids()) > before + 60, node)
        assert node.stop() == 0
        node.start()
        await until(lambda: rows(url, "SELECT count(*) FROM attempt")[0][0] >= CONTACTS, node)
        rows(url, "UPDATE campaign SET status = 2")
        await until(lambda: rows(url, "SELECT count(*) FROM attempt WHERE ended_at IS NULL") == [(0,)], node)
        last = rows(url, "SELECT max(id) FROM event")[0][0]
        await until(lambda: ids()[-1] >= last, node)
    finally:
        follower.kill()
        follower.wait()
        if node.died_by_itself():
            node.buried()
        elif node.alive:
            node.kill()
    told = ids()
    assert told == sorted(told)
    assert [number for number, times in Counter(told).items() if times > 1] == []
    assert {number for (number,) in rows(url, "SELECT id FROM event") if number >= told[0]} == set(told)
    assert len(told) > CONTACTS * 3
    assert "stream.lost" not in heard.read_text()
    # Kinds that nobody but the client asks for were written while it was away, too.
    for kind in ("attempt.started", "attempt.ended"):
        of_kind = f"SELECT call_uuid FROM event WHERE kind = '{kind}'"
        since = "SELECT min(attempt_id) FROM event WHERE kind = 'attempt.started'"
        assert rows(url, f"SELECT id FROM attempt WHERE id >= ({since}) AND call_uuid NOT IN ({of_kind})") == []
    assert (tmp_path / "errors").read_text() == ""
