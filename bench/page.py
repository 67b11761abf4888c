"""What the page costs: the server's time for the first paint of the overview with many contacts and campaigns, and the
processor's time for pages that are open and watch.

`python -m bench.page [--contacts N] [--campaigns N] [--pages N] [--seconds S]` makes a database, serves the page from it, and
asks for it from a process of its own. There are the attempts of the last minute, as in a busy installation, and ten campaigns
change every second, so that something is told to each page.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred

from api import build_site
from bench.no_flow import NoFlow
from dialer.management import Management, campaigns, gateways, page_sessions, users
from dialer.model import Account, VoipAppType
from dialer.model.user import ADMINISTRATOR
from dialer.settings import HttpSettings
from dialer.store.database import Database
from dialer.store.location import opened, sqlite_url
from dialer.store.schema import upgrade
from dialer.store.times import to_column

PAINTS: Final = 40
RECENT: Final = 1200
"""Attempts of the last minute: twenty a second."""
SETTINGS = HttpSettings(requests_per_minute=0, max_streams=2000, max_streams_per_user=2000)


def now() -> datetime:
    """The clock of the benchmark."""
    return datetime.now(UTC)


# --- the load, in a process of its own --------------------------------------------------------------------------------------


async def answer(port: int, path: str, cookie: str) -> tuple[float, bytes]:
    """A request; how long the first byte took, in seconds, and the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    began = time.perf_counter()
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n".encode())
    first = await reader.read(1)
    took = time.perf_counter() - began
    rest = await reader.read()
    writer.close()
    return took, first + rest


async def sign_in(port: int, link: str) -> str:
    """The cookie that a link of that path gives."""
    _, head = await answer(port, link, "")
    found = re.search(rb"Set-Cookie: (dialer_session=[\w-]+)", head)
    if found is None:
        raise SystemExit(head.decode())
    return found[1].decode()


async def watch(port: int, cookie: str, counts: list[int]) -> None:
    """A page that is open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    writer.write(f"GET /ui/live/overview HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
    while piece := await reader.read(65_536):
        counts[0] += len(piece)


async def load(port: int, link: str, pages: int, seconds: float) -> None:
    """Print how it went as JSON, in two steps: the paints, then the pages."""
    cookie = await sign_in(port, link)
    times, sizes = [], []
    for _ in range(PAINTS):
        took, body = await answer(port, "/ui/", cookie)
        if b" 200 " not in body[:20]:
            raise SystemExit(body[:500].decode())
        times.append(took)
        sizes.append(len(body))
    times_sorted = sorted(times)
    print(
        json.dumps({"first": times[0], "median": statistics.median(times), "p95": times_sorted[-2], "size": sizes[-1]}),
        flush=True,
    )
    await asyncio.sleep(seconds)
    print(json.dumps({"watching": 0}), flush=True)
    counts = [0]
    watching = [asyncio.create_task(watch(port, cookie, counts)) for _ in range(pages)]
    await asyncio.sleep(3)
    print(json.dumps({"watching": len(watching)}), flush=True)
    counts[0] = 0
    await asyncio.sleep(seconds)
    print(json.dumps({"bytes": counts[0] / seconds / max(pages, 1)}), flush=True)


# --- the database -----------------------------------------------------------------------------------------------------------


async def furnish(management: Management, options: argparse.Namespace) -> str:
    """Users, a gateway, campaigns; the link by which the load signs in."""
    user_id = await management.ask(users.create, {"username": "bench", "is_superuser": True})
    who = Account(id=user_id, username="bench", is_superuser=True)
    gateway = await management.ask(gateways.create, {"name": "g", "dial_string": "sofia/gateway/g/{number}"})
    app = await management.ask(gateways.create_application, {"name": "v", "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"})
    for number in range(options.campaigns):
        given = {"name": f"campaign {number}", "gateway_id": gateway, "voip_app_id": app, "frequency": 600}
        await management.ask(campaigns.create, who, given)
    secret = page_sessions.new_secret()
    await management.ask(page_sessions.make_link, "bench", secret)
    return f"/ui/link/{secret}"


def fill(url: str, contacts: int, number_of_campaigns: int) -> None:
    """Contacts of the campaigns, a day of statistics, and the calls of the last minute; by SQL, as there are millions."""
    each, moment = contacts // number_of_campaigns, to_column(now())
    numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
    with opened(url) as connection:
        connection.execute(
            f"{numbers} INSERT INTO contact (phonebook_id, number, identity, first_name, last_name, email, description, "
            "additional_vars, created_at, updated_at) SELECT c.id, 1000000000 + c.id * 1000000 + i, "
            "1000000000 + c.id * 1000000 + i, '', '', '', '', '{}', ?, ? FROM n, campaign c",
            (each, moment, moment),
        )
        connection.execute(
            "INSERT INTO subscriber (campaign_id, contact_id, number, identity, status, ready_at, count_attempt, "
            "free_retries) SELECT phonebook_id, id, number, identity, CASE WHEN id % 3 = 0 THEN 1 ELSE 5 END, "
            "CASE WHEN id % 3 = 0 THEN ? END, 0, 0 FROM contact",
            (moment,),
        )
        for hour in range(24):
            at = to_column((now() - timedelta(hours=hour)).replace(minute=0, second=0, microsecond=0))
            for disposition, cause in (("ANSWERED", "NORMAL_CLEARING"), ("BUSY", "USER_BUSY"), ("NO_ANSWER", "NO_ANSWER")):
                connection.execute(
                    "INSERT INTO attempt_count SELECT id, ?, 1, 1, ?, ?, 0, 100, 100, 5000 FROM campaign",
                    (at, disposition, cause),
                )
        begun = to_column(now() - timedelta(seconds=30))
        connection.execute(
            "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, "
            "state, owner, epoch, core_uuid, planned_at, due_at, deadline, identity) SELECT 'call-' || id, campaign_id, id, "
            "1, number, 'x', 1, 'ringing', 'here', 1, '', ?, ?, ?, identity FROM subscriber WHERE id % ? = 0 LIMIT ?",
            (begun, begun, begun, max(contacts // RECENT, 1), RECENT),
        )
        connection.commit()


# --- the run ----------------------------------------------------------------------------------------------------------------


def sleep(seconds: float) -> Deferred[None]:
    """Later."""
    return task.deferLater(reactor, seconds, lambda: None)


async def run(options: argparse.Namespace, folder: Path) -> None:
    """All of it; prints the figures."""
    url = sqlite_url(folder / "dialer.db")
    upgrade(url)
    database = Database(url, reactor, dialling=True)
    await database.start()
    management = Management(database, now, NoFlow(), reactor)
    link = await furnish(management, options)
    began = time.monotonic()
    fill(url, options.contacts, options.campaigns)
    print(
        f"{options.contacts:,} contacts in {options.campaigns} campaigns ({time.monotonic() - began:.0f} s to make)",
        flush=True,
    )
    management.start()
    site: Any = build_site(management, SETTINGS, reactor)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")  # type: ignore[attr-defined]
    arguments = [sys.executable, "-m", "bench.page", "--load", str(port.getHost().port), link]
    process = subprocess.Popen(
        [*arguments, "--pages", str(options.pages), "--seconds", str(options.seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    began_at = time.process_time()
    paints = json.loads(await _line(process))
    each = (time.process_time() - began_at) / PAINTS
    milliseconds = {name: f"{paints[name] * 1000:.1f} ms" for name in ("first", "median", "p95")}
    print(
        f"first paint of the overview ({paints['size'] / 1000:.0f} kB): {milliseconds}, {each * 1000:.1f} ms of processor",
        flush=True,
    )
    changing = task.LoopingCall(lambda: _change(management, options.campaigns))
    changing.start(1.0)
    used, at = time.process_time(), time.monotonic()
    await _line(process)
    without = (time.process_time() - used) / (time.monotonic() - at)
    await _line(process)
    used, at = time.process_time(), time.monotonic()
    told = json.loads(await _line(process))
    share = (time.process_time() - used) / (time.monotonic() - at) - without
    print(
        f"{options.pages} open pages: {share * 100:.1f} % of a core beside the changes ({without * 100:.1f} %), "
        f"{told['bytes'] / 1000:.1f} kB/s to each",
        flush=True,
    )
    changing.stop()
    process.wait()
    await port.stopListening()
    await site.drain()
    management.stop()
    await database.stop()


def _change(management: Management, number_of_campaigns: int) -> None:
    """Ten campaigns are changed, as if they called."""
    for key in range(1, min(10, number_of_campaigns) + 1):
        given = {"frequency": 500 + int(time.monotonic()) % 100}
        management.ask(campaigns.change, ADMINISTRATOR, key, given)


async def _line(process: subprocess.Popen[str]) -> str:
    from twisted.internet.threads import deferToThread

    assert process.stdout is not None
    line: str = await deferToThread(process.stdout.readline)
    if not line:
        raise RuntimeError("the load has ended")
    return line


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--contacts", type=int, default=5_000_000)
    parser.add_argument("--campaigns", type=int, default=200)
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--load", nargs=2, metavar=("PORT", "LINK"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        asyncio.run(load(int(options.load[0]), options.load[1], options.pages, options.seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        done: list[Any] = []

        def start() -> None:
            Deferred.fromCoroutine(run(options, Path(folder))).addBoth(done.append).addBoth(lambda _: reactor.stop())  # type: ignore[attr-defined]

        reactor.callWhenRunning(start)  # type: ignore[attr-defined]
        reactor.run()  # type: ignore[attr-defined]
    if done and done[0] is not None:
        done[0].raiseException()


if __name__ == "__main__":
    main()
