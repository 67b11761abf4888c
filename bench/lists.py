"""What a page of a list costs: `GET` of each list of the API v2 with 50 entries, by a program with a token.

`python -m bench.lists [--seconds S] [--rows N] [--apart]` prints for each noun the requests a second over 16 keep-alive
connections, and the processor's time of a request in the process that serves it, database thread included: a busy machine
slows the one, not the other. The load comes from a process of its own. Clients that ask the same at the same moment get one
answer; with `--apart`, each connection asks for a page of another length, from 50 entries on, and none of them do.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from twisted.internet import reactor
from twisted.internet.utils import getProcessOutput

from api import build_site
from bench.api import CONNECTIONS, UNLIMITED, USER, connection, now, run, seed
from bench.no_flow import NoFlow
from dialer.management import (
    Management,
    caller_ids,
    calls,
    campaigns,
    contacts,
    do_not_call,
    do_not_call_lists,
    gateways,
    phonebooks,
    tokens,
    users,
    webhooks,
)
from dialer.model import VoipAppType
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.user import ADMINISTRATOR
from dialer.store.database import Database
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade

PAGE = 50
LISTS = (
    "campaigns",
    "phonebooks",
    "phonebooks/1/contacts",
    "campaigns/1/contacts",
    "attempts",
    "campaigns/1/attempts",
    "calls",
    "gateways",
    "voice-applications",
    "caller-id-pools",
    "caller-ids",
    "users",
    "tokens",
    "do-not-call",
    "do-not-call-lists",
    "do-not-call-lists/1/entries",
    "do-not-call-lists/1/history",
    "webhooks",
    "rules",
)


async def fill(management: Management, rows: int) -> str:
    """So many of everything. Returns a token."""
    later = datetime(2100, 1, 1, tzinfo=UTC)
    settings = {"gateway_id": 1, "voip_app_id": 1, "starting_at": later, "expires_at": datetime(2100, 1, 2, tzinfo=UTC)}
    await management.ask(caller_ids.create_pool, USER, {"name": "pool"})
    for each in range(rows):
        name = f"number {each}"
        await management.ask(campaigns.create, USER, {"name": name, **settings})
        await management.ask(phonebooks.create, USER, {"name": f"book {each}"})
        await management.ask(gateways.create, {"name": name, "protocol": "LOCAL"})
        app = {"name": name, "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"}
        await management.ask(gateways.create_application, app)
        await management.ask(users.create, {"username": f"user{each}", "blacklist": ("4990",)})
        await management.ask(do_not_call_lists.create, USER, {"name": name})
        await management.ask(calls.create, USER, {"number": f"1212666{each:04}", **settings})
        if each < 20:
            webhook = {"url": f"https://erp.example.com/{each}", "kinds": "*"}
            await management.ask(webhooks.add, USER, webhook, management.receivers)
        await management.ask(caller_ids.create_pool, USER, {"name": name})
        await management.ask(caller_ids.create, USER, {"pool_id": 1, "number": f"+1212555{each:04}"})
        await management.ask(contacts.create, USER, 1, contacts.Contact(number=f"+1213555{each:04}"))
    numbers = [f"+1214555{each:04}" for each in range(rows)]
    await do_not_call.put(management, ADMINISTRATOR, EVERYBODYS, numbers, {})
    for _ in range(rows):
        made = await management.ask(tokens.create, USER, {"name": "bench", "scopes": "read,admin"})
    return made.text


ATTEMPTS = (
    "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
    "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, "
    "counts_as_attempt, duration_ms, session) SELECT 'call-' || s.id, s.campaign_id, s.id, 1, s.number, s.identity, 'x', 1, "
    "'ended', 'local', 1, '', '{at}', '{at}', '{at}', '{at}', 'USER_BUSY', 'BUSY', 1, 5, '{{}}' FROM subscriber s"
)


async def load(port: int, path: str, token: str, seconds: float, apart: bool) -> None:
    """Print how it went as JSON."""
    tail = f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    limits = (PAGE + (each if apart else 0) for each in range(CONNECTIONS))
    heads = [f"GET /api/v2/{path}?limit={limit} {tail}".encode() for limit in limits]
    times: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(connection(port, partial(bytes, head), began + seconds, times) for head in heads))
    told = {"rate": len(times) / (time.perf_counter() - began), "requests": len(times), "p50": statistics.median(times)}
    print(orjson.dumps(told).decode())


async def measure(folder: Path, seconds: float, rows: int, apart: bool) -> None:
    """Each list, one after the other."""
    database = Database(sqlite_url(folder / "bench.db"), reactor, dialling=True)
    upgrade(database.url)
    await database.start()
    management: Any = Management(database, now, NoFlow(), reactor)
    management.start()
    await seed(management)
    token = await fill(management, rows)
    at = "2026-11-23 10:00:00.000000"
    await database.run(lambda connection: connection.execute(ATTEMPTS.format(at=at)))
    port = reactor.listenTCP(0, build_site(management, UNLIMITED, reactor), interface="127.0.0.1").getHost().port
    for path in LISTS:
        arguments = ["-m", "bench.lists", "--load", path, "--port", str(port), "--seconds", str(seconds)]
        arguments += ["--apart"] if apart else []
        before = time.process_time()
        output = await getProcessOutput(sys.executable, arguments, {**os.environ, "BENCH_TOKEN": token}, errortoo=True)
        used = time.process_time() - before
        try:
            found = orjson.loads(output)
        except orjson.JSONDecodeError:
            raise RuntimeError(output.decode()) from None
        each = used / found["requests"]
        print(
            f"{path:30} {found['rate']:7,.0f}/s, {each * 1000:5.2f} ms of a processor each ({1 / each:,.0f}/s of one)",
            flush=True,
        )
    management.stop()
    await database.stop()


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each list")
    parser.add_argument("--rows", type=int, default=70, help="of each noun")
    parser.add_argument("--apart", action="store_true", help="no two connections ask the same")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        asyncio.run(load(options.port, options.load, os.environ["BENCH_TOKEN"], options.seconds, options.apart))
        return
    run(lambda folder: measure(folder, options.seconds, options.rows, options.apart))


if __name__ == "__main__":
    main()
