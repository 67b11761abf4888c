"""What a request of the API costs, against a bare Klein route that returns the same JSON in the same run.

`python -m bench.api [--seconds S] [--rounds N]` prints requests a second over 16 keep-alive connections (GET one campaign,
POST one contact), the ratio to the bare route, the 99th percentile, and what a `bulkcontact` of 10,000 numbers takes and does
to the reactor. The load comes from a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from argon2 import PasswordHasher
from klein import Klein
from twisted.internet import reactor, task
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutput
from twisted.web.server import Site

from api import build_site
from bench.no_flow import NoFlow
from dialer.management import Management, campaigns, contacts, gateways, reports, users
from dialer.management.usage import UseOfGateways
from dialer.model import Account, VoipAppType
from dialer.settings import HttpSettings
from dialer.store.database import Database
from dialer.store.location import sqlite_url
from dialer.store.schema import upgrade

CONNECTIONS = 16
PREFIX = "/api/dialer_campaign/"
USER = Account(id=1, username="bench")
CREDENTIALS = base64.b64encode(b"bench:bench").decode()
UNLIMITED = HttpSettings(requests_per_minute=0)


def now() -> datetime:
    """The clock of the benchmark."""
    return datetime.now(UTC)


# --- the load, in a process of its own --------------------------------------------------------------------------------------


async def connection(port: int, make: Callable[[], bytes], until: float, times: list[float]) -> None:
    """One keep-alive connection that asks again as soon as it was answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < until:
        began = time.perf_counter()
        writer.write(make())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(head)
        times.append(time.perf_counter() - began)
    writer.close()


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {CREDENTIALS}\r\n"
    if body:
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


async def load(port: int, kind: str, seconds: float, first: int, phonebook: int) -> None:
    """Print how it went as JSON."""
    number = first

    def one_contact() -> bytes:
        nonlocal number
        number += 1
        path = PREFIX + "contact/" if kind == "post" else "/bare"
        return request("POST", path, f"contact={number}&last_name=belaid&first_name=areski&phonebook_id={phonebook}".encode())

    same = request("GET", PREFIX + "campaign/1/" if kind == "get" else "/bare")
    make = one_contact if kind in ("post", "bare-post") else lambda: same
    times: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(*(connection(port, make, began + seconds, times) for _ in range(CONNECTIONS)))
    took = time.perf_counter() - began
    times.sort()
    print(
        orjson.dumps({"rate": len(times) / took, "p50": times[len(times) // 2], "p99": times[int(len(times) * 0.99)]}).decode()
    )


async def ask(port: int, kind: str, seconds: float, first: int, phonebook: int = 1) -> dict[str, float]:
    """Run a load against a port of this process."""
    arguments = ["-m", "bench.api", "--load", kind, "--port", str(port), "--seconds", str(seconds), "--first", str(first)]
    arguments += ["--phonebook", str(phonebook)]
    output = await getProcessOutput(sys.executable, arguments, env=None, errortoo=True)
    try:
        return dict(orjson.loads(output))
    except orjson.JSONDecodeError:
        raise RuntimeError(output.decode()) from None


# --- what is asked ----------------------------------------------------------------------------------------------------------


class QuietSite(Site):
    """Writes no log of requests, as the API's site does."""

    def log(self, request: Any) -> None:
        """Nothing."""


def bare(text: bytes) -> Site:
    """A Klein application with one route that returns `text`."""
    app = Klein()

    @app.route("/bare", methods=["GET", "POST"])
    def answer(request: Any) -> bytes:
        request.setHeader(b"Content-Type", b"application/json; charset=utf-8")
        request.setHeader(b"Content-Length", b"%d" % len(text))
        return text

    return QuietSite(app.resource(), parsePOSTFormSubmission=False)


async def seed(management: Management) -> None:
    """A user, and a campaign with its phonebook; it waits for its date, so that nothing of it is dialled."""
    await management.ask(
        users.create, {"username": "bench", "is_superuser": True, "password_hash": PasswordHasher().hash("bench")}
    )
    await management.ask(gateways.create, {"name": "Default_Gateway", "protocol": "LOCAL"})
    await management.ask(
        gateways.create_application, {"name": "Default_VoIP_App", "type": VoipAppType.PLAY_AUDIO, "data": "hello.wav"}
    )
    later = datetime(2100, 1, 1, tzinfo=UTC)
    given = {"name": "bench", "gateway_id": 1, "voip_app_id": 1, "starting_at": later, "expires_at": later}
    await management.ask(campaigns.create, USER, given)


async def bulk(port: int, phonebook: int = 1) -> tuple[float, float]:
    """Seconds that 10,000 numbers in one request take, and the longest time for which the reactor did nothing else."""
    numbers = ",".join(str(34_600_000_000 + number) for number in range(10_000))
    body = f"phonebook_id={phonebook}&phoneno_list={numbers}".encode()
    lags = [0.0]
    last = time.perf_counter()

    def beat() -> None:
        nonlocal last
        at = time.perf_counter()
        lags.append(at - last - 0.002)
        last = at

    heart = task.LoopingCall(beat)
    heart.start(0.002)
    with tempfile.NamedTemporaryFile() as file:
        file.write(request("POST", PREFIX + "bulkcontact/", body))
        file.flush()
        lags.clear()
        took = await getProcessOutput(
            sys.executable, ["-m", "bench.api", "--send", file.name, "--port", str(port)], errortoo=True
        )
    heart.stop()
    return float(took), max(lags)


async def send(port: int, path: Path) -> None:
    """Print how long the request in a file takes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.perf_counter()
    writer.write(path.read_bytes())
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(5)
    if not head.startswith(b"HTTP/1.1 200 ") or body != b"10000":
        raise RuntimeError(head)
    print(time.perf_counter() - began)
    writer.close()


async def measure(folder: Path, seconds: float, rounds: int) -> None:
    """Rounds of everything, alternating with the bare route, because the machine is not always the same."""
    database = Database(sqlite_url(folder / "bench.db"), reactor, dialling=True)
    upgrade(database.url)
    await database.start()
    management = Management(database, now, NoFlow(), reactor)
    management.start()
    await seed(management)
    port = reactor.listenTCP(0, build_site(management, UNLIMITED, reactor), interface="127.0.0.1").getHost().port
    await compare(port, management, seconds, rounds)
    management.stop()
    await database.stop()


async def compare(port: int, management: Management, seconds: float, rounds: int) -> None:
    """Print the ratios."""
    from api.newfies.campaigns import report
    from api.newfies.contacts import contact

    one = orjson.dumps(report(await reports.campaign(management, UseOfGateways(management), USER, 1)))
    created = await management.ask(contacts.create, USER, 1, _sample())
    texts = {"get": one, "post": orjson.dumps(contact(created))}
    bares = {kind: reactor.listenTCP(0, bare(text), interface="127.0.0.1").getHost().port for kind, text in texts.items()}
    for kind, name in (("get", "GET one campaign"), ("post", "POST one contact")):
        found: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
        for index in range(rounds):
            first = 10_000_000 * (index + 1)
            found["bare"].append(await ask(bares[kind], f"bare-{kind}", seconds, first))
            found["ours"].append(await ask(port, kind, seconds, first))
        ratios = [ours["rate"] / bare["rate"] for ours, bare in zip(found["ours"], found["bare"], strict=True)]
        rate, bare_rate = (statistics.median(each["rate"] for each in found[who]) for who in ("ours", "bare"))
        p99 = statistics.median(each["p99"] for each in found["ours"]) * 1000
        print(
            f"{name}: {rate:,.0f}/s, bare Klein {bare_rate:,.0f}/s, ratio {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}), p99 {p99:.1f} ms"
        )
    took, lag = await bulk(port)
    print(f"bulkcontact of 10,000: {took:.2f} s, longest reactor lag {lag * 1000:.1f} ms")


def _sample() -> Any:
    from dialer.model import Contact

    return Contact(number="650784355", last_name="belaid", first_name="areski")


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--load", choices=("get", "post", "bare-get", "bare-post"), help=argparse.SUPPRESS)
    parser.add_argument("--send", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--phonebook", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        asyncio.run(load(options.port, options.load, options.seconds, options.first, options.phonebook))
        return
    if options.send:
        asyncio.run(send(options.port, options.send))
        return
    run(lambda folder: measure(folder, options.seconds, options.rounds))


def run(what: Callable[[Path], Awaitable[None]]) -> None:
    """With the reactor, in a folder of its own."""

    async def inside() -> None:
        with tempfile.TemporaryDirectory() as folder:
            await what(Path(folder))

    task.react(lambda _: Deferred.fromCoroutine(inside()))


if __name__ == "__main__":
    main()
