"""The attacks, each a coroutine that goes on until it is cancelled: strangers and a hostile user at the port of the API,
strangers at the ports for records and for answered calls. They come from many addresses of the loopback.

`Attack.tally` counts what came of them, so that an attack which did nothing can be told from one that was withstood.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Final

from attrs import Factory, define, frozen

from dialer.esl.proof import VARIABLE
from tests.attack.place import LOCAL, RECORDS, basic

API: Final = "/api/dialer_campaign/"
CAMPAIGN: Final = API + "campaign/"
CONTACT: Final = API + "contact/"
RECORD: Final = "/cdr/"
HOSTILE: Final = "mallory"
"""The user who has a login, and the id of its campaign with many contacts, and of the phonebook of that."""
HOSTILES_CAMPAIGN: Final = 2
HOSTILES_PHONEBOOK: Final = 2

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@frozen
class Target:
    """The ports of the dialer."""

    http: int
    records: int
    outbound: int


@define(eq=False)
class Attack:
    """One that is under way."""

    target: Target
    rng: random.Random
    tally: Counter[str] = Factory(Counter)

    async def connect(self, port: int) -> Streams:
        """From any of 40 addresses."""
        found = await asyncio.open_connection(LOCAL, port, local_addr=(f"127.0.1.{self.rng.randrange(1, 41)}", 0))
        self.tally["connections"] += 1
        return found

    async def swarm(self, size: int, port: int, one: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
                    pause: float = 0.2) -> None:  # fmt: skip
        """So many connections at a time; one that is over is followed by the next, after a pause of seconds."""

        async def again(number: int) -> None:
            await asyncio.sleep(number / 1000)
            while True:
                with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                    reader, writer = await self.connect(port)
                    try:
                        await one(reader, writer)
                    finally:
                        writer.transport.abort()
                await asyncio.sleep(pause)

        await asyncio.gather(*map(again, range(size)))

    async def answer(self, reader: asyncio.StreamReader) -> None:
        """Read one answer, and count its status."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.tally[head.split(b" ", 2)[1].decode(errors="replace")] += 1
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length or 0))


def head(method: str, path: str, *more: str, login: str = "", length: int | None = None, kind: str = "") -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: dialer", *more]
    if login:
        lines.append(f"Authorization: {login}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
        lines.append(f"Content-Type: {kind or 'application/json'}")
    return "\r\n".join([*lines, "", ""]).encode()


Run = Callable[[Attack], Awaitable[None]]
ATTACKS: Final[dict[str, Run]] = {}
"""By name."""


def attack(function: Run) -> Run:
    """Put it into `ATTACKS`."""
    ATTACKS[function.__name__] = function  # type: ignore[attr-defined]
    return function


# --- the same at each port --------------------------------------------------------------------------------------------------


async def idle(attack: Attack, port: int, size: int) -> None:
    """Connections that say nothing."""

    async def one(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        attack.tally["closed"] += not await reader.read(100)

    await attack.swarm(size, port, one, pause=2)


async def drips(attack: Attack, port: int, size: int, first: bytes) -> None:
    """A byte now and then, behind a beginning."""

    async def one(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(b"a")
            await writer.drain()
            await asyncio.sleep(0.2)
        attack.tally["closed"] += 1

    await attack.swarm(size, port, one)


async def endless(attack: Attack, port: int, size: int, first: bytes, piece: bytes) -> None:
    """A beginning that has no end, as fast as it is taken."""

    async def one(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(piece)
            attack.tally["kB"] += len(piece) // 1000
            await writer.drain()
            await asyncio.sleep(0.001)
        attack.tally["closed"] += 1

    await attack.swarm(size, port, one)


async def garbage(attack: Attack, port: int, size: int) -> None:
    """Bytes by chance, with line ends in them."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(attack.rng.randbytes(attack.rng.randrange(1, 3000)).replace(b"x", b"\r\n"))
        writer.write_eof()
        attack.tally["answers"] += bool(await reader.read())

    await attack.swarm(size, port, one, pause=0.1)


async def requests(attack: Attack, port: int, size: int, make: Callable[[], bytes], pause: float = 0.05) -> None:
    """Whole requests on connections that are kept, one after the other."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            writer.write(make())
            await attack.answer(reader)
            await asyncio.sleep(pause)

    await attack.swarm(size, port, one)


# --- strangers at the API ---------------------------------------------------------------------------------------------------

CHUNKED: Final = "Transfer-Encoding: chunked"
CHUNK: Final = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"


@attack
async def idle_connections(attack: Attack) -> None:
    """Thousands that say nothing."""
    await idle(attack, attack.target.http, 3000)


@attack
async def slow_headers(attack: Attack) -> None:
    """A header, byte by byte."""
    await drips(attack, attack.target.http, 400, b"GET " + CAMPAIGN.encode() + b" HTTP/1.1\r\nX-Slow: ")


@attack
async def slow_bodies(attack: Attack) -> None:
    """A body, byte by byte, half of them with a login."""
    await asyncio.gather(
        drips(attack, attack.target.http, 150, head("POST", CAMPAIGN, length=1_000_000)),
        drips(attack, attack.target.http, 150, head("POST", CAMPAIGN, length=1_000_000, login=basic(HOSTILE))),
    )


@attack
async def endless_headers(attack: Attack) -> None:
    """One header after the other."""
    line = b"X-Header: " + b"a" * 1000 + b"\r\n"
    await endless(attack, attack.target.http, 30, head("GET", CAMPAIGN).removesuffix(b"\r\n"), line)


@attack
async def endless_lines(attack: Attack) -> None:
    """An address, or a header, without an end."""
    await asyncio.gather(
        endless(attack, attack.target.http, 15, b"GET /", b"a" * 10_000),
        endless(attack, attack.target.http, 15, head("GET", CAMPAIGN).removesuffix(b"\r\n") + b"X: ", b"a" * 10_000),
    )


@attack
async def endless_bodies(attack: Attack) -> None:
    """A body in pieces without an end, of strangers and with a login."""
    await asyncio.gather(
        endless(attack, attack.target.http, 20, head("POST", CAMPAIGN, CHUNKED), CHUNK),
        endless(attack, attack.target.http, 20, head("POST", CAMPAIGN, CHUNKED, login=basic(HOSTILE)), CHUNK),
    )


@attack
async def bodies_of_strangers(attack: Attack) -> None:
    """Bodies as long as they may be, all but their last byte, which never comes; as many as there may be connections."""
    size = 2_000_000

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head("POST", CAMPAIGN, length=size, login=basic(f"user {attack.rng.random()}")))
        for _ in range(size // 100_000):
            writer.write(b"x" * 99_999)
            await writer.drain()
        attack.tally["waiting"] += 1
        await reader.read(100)

    await attack.swarm(150, attack.target.http, one)


@attack
async def pipelined_requests(attack: Attack) -> None:
    """A thousand requests at once, answers unread."""
    many = head("GET", CAMPAIGN, login=basic(HOSTILE)) * 1000

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(many)
        attack.tally["requests"] += 1000
        await writer.drain()
        await asyncio.sleep(3600)

    await attack.swarm(20, attack.target.http, one)


@attack
async def guessed_passwords(attack: Attack) -> None:
    """Of users that are there, and of others."""
    numbers = count()

    def make() -> bytes:
        user = attack.rng.choice(["ann", "admin", HOSTILE, f"user {next(numbers)}"])
        return head("GET", CAMPAIGN, login=basic(user, f"guess {next(numbers)}"))

    await requests(attack, attack.target.http, 40, make)


@attack
async def long_addresses(attack: Attack) -> None:
    """A new address of 12 kB with each request."""
    await requests(attack, attack.target.http, 20, lambda: head("GET", f"{CAMPAIGN}{attack.rng.randbytes(6000).hex()}/"))


@attack
async def http_garbage(attack: Attack) -> None:
    """What is no HTTP."""
    await garbage(attack, attack.target.http, 40)


# --- a user -----------------------------------------------------------------------------------------------------------------


def _posted(path: str, body: bytes, kind: str = "application/json") -> bytes:
    return head("POST", path, login=basic(HOSTILE), length=len(body), kind=kind) + body


@attack
async def deep_json(attack: Attack) -> None:
    """Lists in lists."""
    body = b'{"name":' + b"[" * 900_000 + b"]" * 900_000 + b"}"
    await requests(attack, attack.target.http, 10, lambda: _posted(CAMPAIGN, body))


@attack
async def wide_json(attack: Attack) -> None:
    """As many lists, texts and numbers as a body holds."""
    bodies = [b'{"name":[' + piece * (1_900_000 // len(piece)) + b"1]}" for piece in (b"[],", b'"",', b"1,", b'{"a":1},')]
    await requests(attack, attack.target.http, 10, lambda: _posted(CAMPAIGN, attack.rng.choice(bodies)))


@attack
async def unread_lists(attack: Attack) -> None:
    """Long lists are asked for, and not read."""
    ask = head("GET", f"{CONTACT}{HOSTILES_CAMPAIGN}/?status=all", login=basic(HOSTILE))

    async def one(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(ask)
        attack.tally["requests"] += 1
        await asyncio.sleep(3600)

    await attack.swarm(40, attack.target.http, one)


@attack
async def many_campaigns(attack: Attack) -> None:
    """New ones as fast as they are taken, beside thousands that are there, and lists of all of them."""
    numbers = count()

    def make() -> bytes:
        number = next(numbers)
        if number % 10 == 0:
            return head("GET", f"{CAMPAIGN}?status=all", login=basic(HOSTILE))
        return _posted(CAMPAIGN, b'{"name":"more %d","aleg_gateway":1,"voipapp":1}' % number)

    await requests(attack, attack.target.http, 8, make, pause=0.2)


@attack
async def long_phonebooks(attack: Attack) -> None:
    """Ten thousand numbers in a request, which are there already or not, and long settings."""
    numbers = count(10_000_000)

    def make() -> bytes:
        some = ",".join(str(34_600_000_000 + next(numbers)) for _ in range(10_000))
        return _posted(
            f"{API}bulkcontact/",
            f"phonebook_id={HOSTILES_PHONEBOOK}&phoneno_list={some}".encode(),
            "application/x-www-form-urlencoded",
        )

    await requests(attack, attack.target.http, 4, make)


@attack
async def filters(attack: Attack) -> None:
    """Filters that are long, or that read much."""
    queries = ["status=" + "a" * 10_000, "&".join(f"a{n}=1" for n in range(1500)), "after=0&limit=10000", "status=all"]

    def make() -> bytes:
        return head("GET", f"{CONTACT}{HOSTILES_CAMPAIGN}/?{attack.rng.choice(queries)}", login=basic(HOSTILE))

    await requests(attack, attack.target.http, 8, make)


@attack
async def guessed_ids(attack: Attack) -> None:
    """Other users' objects by number."""

    def make() -> bytes:
        number = attack.rng.choice([1, attack.rng.randrange(2**62)])
        path = attack.rng.choice([f"campaign/{number}/", f"phonebook/{number}/", f"contact/{number}/1555000000{number}/"])
        return head("GET", API + path, login=basic(HOSTILE))

    await requests(attack, attack.target.http, 10, make)


# --- at the port for call detail records ------------------------------------------------------------------------------------


@attack
async def idle_at_records(attack: Attack) -> None:
    """Thousands that say nothing."""
    await idle(attack, attack.target.records, 2000)


@attack
async def endless_at_records(attack: Attack) -> None:
    """Bodies and headers without an end or by drips, of strangers."""
    port = attack.target.records
    await asyncio.gather(
        endless(attack, port, 15, head("POST", RECORD, CHUNKED), CHUNK),
        endless(attack, port, 15, head("POST", RECORD).removesuffix(b"\r\n") + b"X: ", b"a" * 10_000),
        drips(attack, port, 50, head("POST", RECORD, length=1_000_000)),
        garbage(attack, port, 15),
    )


@attack
async def guesses_at_records(attack: Attack) -> None:
    """Wrong passwords."""
    await requests(
        attack, attack.target.records, 20, lambda: head("POST", RECORD, login=basic(RECORDS[0], str(attack.rng.random())))
    )


@attack
async def hostile_records(attack: Attack) -> None:
    """Records that are none, of who has the password: deep, wide, long, and of calls that nobody made."""
    bodies = [
        b"[" * 500_000,
        b"[" + b"[]," * 300_000 + b"1]",
        b'{"variables":{' + b'"a":"",' * 100_000 + b'"b":""}}',
        b'{"variables":{"uuid":"' + b"x" * 900_000 + b'"}}',
        b'{"variables":{"uuid":"00000000-0000-0000-0000-000000000000","accountcode":"dialer-1"}}',
        b"{}",
    ]

    def make() -> bytes:
        body = attack.rng.choice(bodies)
        return head("POST", RECORD, login=basic(*RECORDS), length=len(body)) + body

    await requests(attack, attack.target.records, 6, make)


# --- at the port for answered calls -----------------------------------------------------------------------------------------


@attack
async def idle_at_sessions(attack: Attack) -> None:
    """Thousands that say nothing."""
    await idle(attack, attack.target.outbound, 2000)


@attack
async def endless_at_sessions(attack: Attack) -> None:
    """A header, or a body, without an end."""
    port = attack.target.outbound
    frame = b"Content-Type: api/response\nContent-Length: 60000000\n\n"
    await asyncio.gather(
        endless(attack, port, 20, b"Channel-Name: ", b"a" * 10_000),
        endless(attack, port, 20, frame, b"a" * 10_000),
        drips(attack, port, 50, b"Channel-Name: "),
        garbage(attack, port, 20),
    )


@attack
async def forged_sessions(attack: Attack) -> None:
    """Calls that nobody made, with a token that nobody has."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"connect\n\n")
        uuid = f"00000000-0000-4000-8000-{attack.rng.randrange(10**12):012d}"
        lines = [
            "Content-Type: command/reply",
            "Reply-Text: +OK",
            f"Unique-ID: {uuid}",
            f"Channel-Call-UUID: {uuid}",
            f"variable_{VARIABLE}: {attack.rng.randbytes(16).hex()}",
        ]
        writer.write("\n".join([*lines, "", ""]).encode())
        attack.tally["turned away"] += bool(await reader.read())

    await attack.swarm(60, attack.target.outbound, one, pause=0.1)


GUESSING: Final = frozenset({"bodies_of_strangers", "guessed_passwords"})
"""Those that make the dialer verify passwords."""
TOGETHER: Final = "+"
"""Between the names of attacks that are one."""
