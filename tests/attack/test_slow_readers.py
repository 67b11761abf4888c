"""Clients that ask for long lists and do not read them."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from api.long_answers import LONG, PIECE, Entries
from api.newfies.contacts import several
from api.whole_lists import FEW
from dialer.management import Management, campaigns, phonebooks, subscribers, users
from dialer.management.contacts import import_contacts
from dialer.model import Account, Contact
from dialer.store.connection import Connection
from tests.unit.api.raw import RawClient, connect
from tests.unit.api.world import MANY, World, basic, world

CONTACTS = 2500
BUFFER = 16_384
"""Bytes that the kernel holds for each side, so that the rest is the server's."""
ASK = f"GET /api/dialer_campaign/contact/1/ HTTP/1.1\r\nHost: x\r\nAuthorization: {basic('ann', 'ann')}\r\n\r\n".encode()


async def long_list(api: World) -> bytes:
    """A campaign with many subscribers; the answer that tells them all."""
    await api.campaign()
    await import_contacts(api.management, 1, (Contact(number=str(999_000_000 - n)) for n in range(CONTACTS)))
    return orjson.dumps(several(await subscribers.listed(api.management, Account(id=1, username="ann"), 1)))


async def turns(number: int) -> None:
    from twisted.internet import reactor

    for _ in range(number):
        await deferLater(reactor, 0.001)


async def who_does_not_read(api: World, what: str = "contact/1/") -> RawClient:
    client = await connect(api)
    client.transport.pauseProducing()
    client.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    client.send(ASK.replace(b"contact/1/", what.encode()))
    return client


def unsent(channel: Any) -> int:
    return len(channel.transport.dataBuffer) + channel.transport._tempDataLen


@pytest_twisted.ensureDeferred
async def test_clients_that_do_not_read_cost_a_piece_each_and_get_the_whole_list_in_the_end(tmp_path: Path) -> None:
    async with world(tmp_path) as api:
        expected = await long_list(api)
        api.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        clients = [await who_does_not_read(api) for _ in range(12)]
        while sum(unsent(channel) > 0 for channel in api.site._channels) < 12:
            await turns(1)
        await turns(50)
        assert all(unsent(channel) <= 2 * PIECE for channel in api.site._channels)
        assert (await api.get("campaign/")).status == 200
        for client in clients:
            client.transport.resumeProducing()
        for client in clients:
            while not client.received.endswith(b"}]"):
                await turns(1)
            head, _, body = client.received.partition(b"\r\n\r\n")
            assert body == expected
            assert f"\r\nContent-Length: {len(expected)}".encode() in head
        clients[0].received = b""
        clients[0].send(ASK.replace(b"contact/1/", b"campaign/"))
        while b"\r\n\r\n" not in clients[0].received:
            await turns(1)
        assert clients[0].received.startswith(b"HTTP/1.1 200 ")


@pytest_twisted.ensureDeferred
async def test_requests_that_are_sent_together_are_answered_as_fast_as_the_client_reads(tmp_path: Path) -> None:
    async with world(tmp_path) as api:
        await long_list(api)
        api.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        client = await who_does_not_read(api)
        while not any(unsent(channel) for channel in api.site._channels):
            await turns(1)
        client.transport.resumeProducing()
        while not client.received.endswith(b"}]"):
            await turns(1)
        client.transport.pauseProducing()
        client.received, page = b"", ASK.replace(b"contact/1/", b"contact/1/?limit=1000")
        client.send(page * 10)
        while not any(unsent(channel) for channel in api.site._channels):
            await turns(1)
        await turns(300)
        assert max(unsent(channel) for channel in api.site._channels) < LONG
        client.transport.resumeProducing()
        while client.received.count(b"HTTP/1.1 200 ") < 10 or not client.received.endswith(b"}]"):
            await turns(1)


@pytest_twisted.ensureDeferred
async def test_a_client_that_never_reads_is_cut_off(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, idle_timeout=0.3)) as api:
        await long_list(api)
        api.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        client = await who_does_not_read(api)
        while not len(api.site._channels):
            await turns(1)
        while len(api.site._channels):
            await turns(1)
        client.transport.abortConnection()


@pytest_twisted.ensureDeferred
async def test_a_client_that_goes_away_leaves_nothing_behind(tmp_path: Path) -> None:
    async with world(tmp_path) as api:
        await long_list(api)
        others = len(api.site._channels)
        api.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        client = await who_does_not_read(api)
        while not any(unsent(channel) for channel in api.site._channels):
            await turns(1)
        client.transport.abortConnection()
        while len(api.site._channels) > others:
            await turns(1)


@pytest_twisted.ensureDeferred
async def test_a_list_is_never_whole_in_memory_while_it_is_made(tmp_path: Path) -> None:
    pages: list[int] = []
    async with world(tmp_path) as api:
        await long_list(api)

        async def take(found: list[Any]) -> None:
            pages.append(len(found))

        await subscribers.read_pages(api.management, Account(id=1, username="ann"), 1, subscribers.PENDING, take)
    assert max(pages) <= subscribers.PAGE
    assert sum(pages) == CONTACTS


async def copies(api: World, table: str, number: int) -> None:
    """The only row of a table, so many times more, each with a name of its own."""

    def copy(connection: Connection) -> None:
        found: Any = connection.execute(f"SELECT * FROM {table}")
        names = [described[0] for described in found.description]
        row = dict(zip(names, found.fetchone(), strict=True))
        insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        made = ({**row, "id": key, "name": f"{row['name']} {key}"} for key in range(2, number + 2))
        connection.executemany(insert, [tuple(each.values()) for each in made])

    await api.database.run(copy)


LISTS = {"campaign": campaigns, "phonebook": phonebooks}


@pytest.mark.parametrize("noun", LISTS)
@pytest_twisted.ensureDeferred
async def test_no_list_is_whole_in_memory_while_it_is_made_and_all_of_it_is_answered_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noun: str
) -> None:
    read, asked = list[int](), Management.ask

    def ask(self: Management, use_case: Any, *arguments: Any, **more: Any) -> Deferred[Any]:
        found = asked(self, use_case, *arguments, **more)
        return found.addCallback(lambda result: (read.append(len(result)), result)[1]) if use_case is module.listed else found

    async with world(tmp_path) as api:
        module: Any = LISTS[noun]
        await api.campaign()
        await copies(api, noun, FEW + 30)
        short = (await api.get(f"{noun}/1/")).json
        monkeypatch.setattr(Management, "ask", ask)
        api.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        idle = await who_does_not_read(api, f"{noun}/")
        while not any(unsent(channel) for channel in api.site._channels):
            await turns(1)
        assert all(unsent(channel) <= 2 * PIECE for channel in api.site._channels)
        listed = (await api.get(f"{noun}/")).json
        idle.transport.abortConnection()
    assert max(read) <= module.PAGE
    assert [entry["id"] for entry in listed] == list(range(FEW + 31, 0, -1))
    assert {**short, **listed[-1]} == short


@pytest_twisted.ensureDeferred
async def test_a_list_that_is_made_while_its_user_is_removed_is_refused(tmp_path: Path) -> None:
    async with world(tmp_path) as api:
        await api.campaign()
        await copies(api, "phonebook", FEW + 30)
        asked = Management.ask
        pages: list[Any] = []

        def ask(self: Management, use_case: Any, *arguments: Any, **more: Any) -> Deferred[Any]:
            if use_case is phonebooks.listed:
                pages.append(arguments)
                if len(pages) == 2:
                    locked = asked(self, users.change, 1, {"is_active": False})
                    return locked.addCallback(lambda _: asked(self, use_case, *arguments, **more))
            return asked(self, use_case, *arguments, **more)

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(Management, "ask", ask)
            assert (await api.get("phonebook/")).status == 401
        assert len(pages) == 2


def test_entries_stand_in_the_order_of_their_keys() -> None:
    entries = Entries()
    entries.add([(3, b"c"), (1, b"a")])
    entries.add([(2, b"bb")])
    answer = entries.finish()
    assert (answer.length, answer.piece(), answer.piece()) == (8, b"[a,bb,c]", b"")
    answer.close()
