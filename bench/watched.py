"""What open pages cost the flow: dialer CPU per call at a given pace, while nobody looks and while 50 pages watch the
overview.

`python -m bench.watched [--pages N] [--rate R] [--seconds S] [--rounds N]` runs the dialer with its page, a simulator and the
browsers' side in a process each. The pages are opened and closed in turn beside the same campaign, so that both have the same
machine and the same database; what counts is the ratio of the CPU per call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from twisted.internet import reactor
from twisted.internet.threads import deferToThread

from api import build_site
from bench.dialling import Dialling, Load, dial, sleep
from bench.flow import AUDIO, MIX, WARM_UP
from bench.page import SETTINGS, sign_in, watch
from bench.processes import Child, cpu_seconds, raise_file_limit, say, simulator
from dialer.management import Management, page_sessions
from dialer.store.location import sqlite_url
from dialer.wall_clock import utc_now

LIMIT: Final = 1.05
SETTLED: Final = 3.0
"""Seconds after which pages have been painted."""


async def look(task: dict[str, Any]) -> None:
    """Pages that are opened and closed, in turn, when a line comes."""
    cookie = await sign_in(task["site"], task["link"])
    counts = [0]
    say({"signed_in": True})
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        watching = [asyncio.create_task(watch(task["site"], cookie, counts)) for _ in range(task["pages"])]
        counts[0] = 0
        say({})
        await loop.run_in_executor(None, sys.stdin.readline)
        gone = sum(each.done() for each in watching)
        for each in watching:
            each.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        say({"bytes": counts[0], "gone": gone})


def serve(task: dict[str, Any]) -> None:
    """Dial, let pages be opened and closed, and say the figures of each turn."""

    async def measured(dialling: Dialling) -> dict[str, float]:
        cpu, ended = cpu_seconds(os.getpid()), dialling.ended
        await sleep(task["seconds"])
        cpu, ended = cpu_seconds(os.getpid()) - cpu, dialling.ended - ended
        return {"cpu_ms": 1e3 * cpu / ended, "rate": ended / task["seconds"], "share": cpu / task["seconds"]}

    async def turns(dialling: Dialling) -> None:
        management = Management(
            dialling.service.database, utc_now, dialling.service, reactor, receivers=dialling.service.telling.receivers
        )
        management.start()
        site = build_site(management, SETTINGS, reactor)
        port: Any = reactor.listenTCP(0, site, interface="127.0.0.1")  # type: ignore[attr-defined]
        secret = page_sessions.new_secret()
        await management.ask(page_sessions.make_link, "bench", secret)
        address = {"site": port.getHost().port, "link": f"/ui/link/{secret}", "pages": task["pages"]}
        pages = Child("bench.watched", address)
        await deferToThread(pages.hear)
        await sleep(WARM_UP)
        for _ in range(task["rounds"]):
            alone = await measured(dialling)
            pages.go_on(again=True)
            await deferToThread(pages.hear)
            await sleep(SETTLED)
            open_pages = site.streams
            watched = await measured(dialling)
            pages.go_on(again=True)
            told = await deferToThread(pages.hear)
            say({"alone": alone, "watched": watched, "pages": open_pages, **told})
            await sleep(SETTLED)
        await deferToThread(pages.end)
        await port.stopListening()
        await site.drain()
        management.stop()

    contacts = int(task["rate"] * (WARM_UP + 5 + task["rounds"] * 2 * (task["seconds"] + SETTLED)) * 1.1)
    dial(
        Load(
            port=task["port"],
            url=task["database"],
            contacts=contacts,
            calls_per_minute=round(60 * task["rate"]),
            audio=AUDIO,
        ),
        turns,
    )


def main(pages: int = 50, rate: float = 150.0, seconds: float = 15.0, rounds: int = 4) -> float:
    """Measure, print, and return the median ratio."""
    raise_file_limit()
    ratios, more = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        simulator("--sps", "0", "--max-sessions", "0", "--mix", MIX) as (port, _),
    ):
        task = {"port": port, "database": sqlite_url(Path(folder) / "bench.db"), "pages": pages, "rate": rate}
        child = Child("bench.watched", {**task, "seconds": seconds, "rounds": rounds})
        for _ in range(rounds):
            found = child.hear()
            alone, watched = found["alone"], found["watched"]
            ratios.append(watched["cpu_ms"] / alone["cpu_ms"])
            more.append(watched["share"] - alone["share"])
            print(
                f"watched: {alone['rate']:.0f} calls/s ended, {alone['cpu_ms']:.2f} ms of CPU a call; with {found['pages']} "
                f"open pages ({found['gone']} were dropped, {found['bytes'] / seconds / pages / 1e3:.1f} kB/s to each) "
                f"{watched['rate']:.0f} calls/s, {watched['cpu_ms']:.2f} ms: {ratios[-1]:.3f} times",
                flush=True,
            )
        child.end()
    ratio = statistics.median(ratios)
    print(
        f"watched: {ratio:.3f} times, the median ({min(ratios):.3f} to {max(ratios):.3f}; at most {LIMIT} wanted); "
        f"{statistics.median(more):.1%} of a core for {pages} pages (5 % wanted)"
    )
    return ratio


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.watched")
    parser.add_argument("--pages", type=int, default=50)
    parser.add_argument("--rate", type=float, default=150.0, help="calls per second (default: %(default)g)")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each measurement (default: %(default)g)")
    parser.add_argument("--rounds", type=int, default=4, help="of both (default: %(default)s)")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.child:
        main(options.pages, options.rate, options.seconds, options.rounds)
    elif "site" in (given := json.loads(options.child)):
        asyncio.run(look(given))
    else:
        serve(given)
