"""What a request of the API waits for while the dialer makes 100 calls a second, and what it does to their pace.

`python -m bench.api_dialling [--seconds S]` runs the whole dialer in this process, dials a simulator in a second one, and asks
over 16 keep-alive connections, as fast as they can, from a third.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from twisted.internet import reactor, task

from bench.api import USER, ask, bulk, run
from bench.processes import simulator
from dialer.cli.run import API
from dialer.config import parse_config
from dialer.esl.inbound import SwitchConfig
from dialer.host import Host
from dialer.management import campaigns, gateways, users
from dialer.management.contacts import import_contacts
from dialer.model import Contact, VoipAppType
from dialer.settings import Config
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade
from dialer.wall_clock import utc_now

CALLS_PER_SECOND = 100


def config(port: int) -> Config:
    """A dialer of the simulator at `port`."""
    return parse_config(
        {
            "database": {"url": "sqlite:///bench.db"},
            "http": {"endpoint": "tcp:0:interface=127.0.0.1", "requests_per_minute": 0},
            "outbound": {"endpoint": "tcp:0:interface=127.0.0.1"},
            "rules": {"apply": "none"},
            "switch": [{"port": port, "password": SwitchConfig().password, "calls_per_second": 2 * CALLS_PER_SECOND}],
        }
    )


async def dial(host: Host, seconds: float) -> None:
    """A campaign that lasts for the whole run."""
    management, ask = host.management, host.management.ask
    await ask(users.create, {"username": "bench", "is_superuser": True, "password_hash": PasswordHasher().hash("bench")})
    await ask(gateways.create, {"name": "bench", "dial_string": "sofia/gateway/bench/{number}"})
    app = {"name": "bench", "type": VoipAppType.PLAY_AUDIO, "data": "silence_stream://60000"}
    await ask(gateways.create_application, app)
    given = {"name": "bench", "gateway_id": 1, "voip_app_id": 1, "frequency": 60 * CALLS_PER_SECOND}
    await ask(campaigns.create, USER, given)
    numbers = (Contact(number=str(15_550_000_000 + number)) for number in range(int(CALLS_PER_SECOND * seconds * 6)))
    await import_contacts(management, 1, numbers)
    # What the benchmark adds itself goes to a campaign that never calls.
    later = utc_now().replace(year=2100)
    await ask(campaigns.create, USER, {**given, "name": "waits", "starting_at": later, "expires_at": later})


async def measure(folder: Path, seconds: float, simulated: int) -> None:
    """Dial, ask, tell."""
    upgrade(sqlite_url(folder / "bench.db"))
    host = Host(reactor, config(simulated), folder, API)
    await host.start()
    await dial(host, seconds)
    await task.deferLater(reactor, 2.0)
    port = int(host.web.address.rpartition(":")[2])
    for kind in ("quiet", "get", "post"):
        before = calls(host)
        began = reactor.seconds()
        found: dict[str, Any] = {}
        if kind == "quiet":
            await task.deferLater(reactor, seconds)
        else:
            found = await ask(port, kind, seconds, 10_000_000, phonebook=2)
        rate = (calls(host) - before) / (reactor.seconds() - began)
        told = (
            f"{found['rate']:,.0f} requests/s, p50 {found['p50'] * 1000:.1f} ms, p99 {found['p99'] * 1000:.1f} ms"
            if found
            else ""
        )
        print(f"{kind}: {rate:.0f} calls/s; {told}")
    before, began = calls(host), reactor.seconds()
    took, lag = await bulk(port, phonebook=2)
    await task.deferLater(reactor, 1.0)
    rate = (calls(host) - before) / (reactor.seconds() - began)
    print(f"bulkcontact of 10,000: {took:.2f} s, longest reactor lag {lag * 1000:.1f} ms, {rate:.0f} calls/s")
    await host.stop()


def calls(host: Host) -> int:
    """How many calls were sent."""
    return host.service.pace.pace().calls


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each load")
    seconds = parser.parse_args().seconds
    options = ("--sps", "0", "--max-sessions", "0", "--mix", "[answers:ring=0.2,talk=2]=1")
    with simulator(*options) as (port, _):
        run(lambda folder: measure(folder, seconds, port))


if __name__ == "__main__":
    sys.exit(main())
