"""Streams of live events as connections: how long they last, whom they end for, and what a client may cost."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from api.event_stream import PIECE, SILENT, EventStream
from api.open_stream import HEARTBEAT, PATIENCE
from dialer.envelope import outward_id
from dialer.errors import StoreError
from dialer.management import live
from dialer.store.connection import Dialect
from dialer.store.database import Database
from tests.unit.api.raw import connect
from tests.unit.api.v2.listening import Listening, happen, happen_often, listen, number_of, refused
from tests.unit.api.v2.support import BROWSER_SAFE, Client
from tests.unit.api.world import MANY, NOW, SteppedClock, World, basic, cheap_hash, world

BUFFER = 16_384
"""Bytes that the kernel holds for each side, so that the rest is the server's."""


@pytest.fixture
def database_kind() -> Dialect:
    """What becomes of a connection does not depend on the database."""
    return Dialect.SQLITE


async def turns(number: int) -> None:
    from twisted.internet import reactor

    for _ in range(number):
        await deferLater(reactor, 0.002)


async def step(api: World, clock: SteppedClock, seconds: float) -> None:
    """Time passes, in steps within which the database answers."""
    for _ in range(round(seconds * 5)):
        clock.advance(0.2)
        await turns(1)
        while api.database.backlog:
            await turns(1)


# --- HTTP -------------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_the_head_says_that_the_answer_goes_on(api: World) -> None:
    ann = await listen(api, headers="Accept: text/event-stream\r\n")
    assert ann.head.startswith("HTTP/1.1 200 OK\r\n")
    told = {name: value for name, value in ann.headers.items() if name not in ("date", "x-request-id")}
    assert told == {
        **{name: value.lower() for name, value in BROWSER_SAFE.items()},
        "content-type": "text/event-stream",
        "connection": "close",
        "x-accel-buffering": "no",
    }
    assert api.site.streams == 1
    await ann.leave()
    assert api.site.streams == 0


@pytest_twisted.ensureDeferred
async def test_http_1_0_gets_the_same(api: World) -> None:
    ann = await listen(api, version="1.0")
    assert "transfer-encoding" not in ann.headers
    number = await happen(api)
    await ann.has(number)


@pytest_twisted.ensureDeferred
async def test_head_opens_no_stream(api: World) -> None:
    ann = await listen(api, method="HEAD", start=False)
    await ann.ends()
    assert (ann.status, ann.headers["content-type"], ann.body) == (200, "text/event-stream", "")
    assert "content-length" not in ann.headers
    assert (await listen(api, "?kinds=x", method="HEAD", start=False)).status == 400
    assert api.site.streams == 0


@pytest_twisted.ensureDeferred
async def test_what_is_sent_behind_the_request_is_not_answered(api: World) -> None:
    second = b"GET /api/v2/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    ann = await listen(api, behind=second * 1000)
    number = await happen(api)
    await ann.has(number)
    ann.client.send(second * 1000)
    following = await happen(api)
    await ann.has(number, following)
    api.site.drain()
    await ann.ends()
    assert ann.client.received.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Accept: text/html\r\n", 406),
        ("Accept: application/json\r\n", 406),
        ("Accept: text/event-stream;q=0\r\n", 406),
        ("Origin: https://evil.example\r\n", 403),
        ("Sec-Fetch-Site: cross-site\r\n", 403),
        ("Content-Length: 2\r\n", 400),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_cannot_have_it_is_told(api: World, headers: str, status: int) -> None:
    body = b"{}" if "Length" in headers else b""
    assert (await refused(api, headers=headers, behind=body)).status == status
    assert api.site.streams == 0


@pytest.mark.parametrize("accept", ["*/*", "text/*", "text/html, text/event-stream;q=0.5"])
@pytest_twisted.ensureDeferred
async def test_who_takes_texts_gets_it(api: World, accept: str) -> None:
    await (await listen(api, headers=f"Accept: {accept}\r\n")).leave()


# --- logins -----------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_token_needs_the_scope(api: World) -> None:
    dial = await Client(api).with_token("dial")
    assert (await refused(api, token=dial.token)).status == 403
    assert (await refused(api, token="dlr_live_0123456789ab_" + "x" * 43)).status == 401


ENDS = {
    "revoked": "DELETE FROM api_token",
    "expired": "UPDATE api_token SET expires_at = '2026-11-23 10:00:00.000000'",
    "locked": "UPDATE user_account SET is_active = 0 WHERE id = 1",
}


@pytest.mark.parametrize("statement", ENDS.values(), ids=ENDS)
@pytest_twisted.ensureDeferred
async def test_a_stream_ends_when_its_token_is_void(tmp_path: Path, statement: str) -> None:
    clock = SteppedClock()
    async with world(tmp_path, clock=clock) as api:
        expires_at = (NOW + timedelta(days=1)).isoformat()
        reader = await Client(api).with_token("read", expires_at=expires_at)
        ann, bob = await listen(api, token=reader.token), await listen(api, user="bob")
        await step(api, clock, HEARTBEAT)
        assert not ann.closed
        api.sql(statement)
        await step(api, clock, HEARTBEAT + 1)
        await ann.ends()
        assert ann.body.endswith(": the login is not good any more\n\n")
        assert not bob.closed
        assert api.site.streams == 1
        assert (await refused(api, token=reader.token, last=outward_id(api.database.installation_id, 0))).status == 401


@pytest_twisted.ensureDeferred
async def test_a_stream_ends_when_the_password_is_another_one(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with world(tmp_path, clock=clock) as api:
        ann = await listen(api)
        api.sql("UPDATE user_account SET password_hash = ? WHERE id = 1", cheap_hash("other"))
        await step(api, clock, HEARTBEAT + 1)
        await ann.ends()


@pytest_twisted.ensureDeferred
async def test_a_superuser_that_is_none_any_more_hears_of_its_own_things_only(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with world(tmp_path, clock=clock) as api:
        root = await listen(api, user="root")
        before = await happen(api, user=1)
        await step(api, clock, 1)
        await root.has(before)
        api.sql("UPDATE user_account SET is_superuser = 0 WHERE id = 3")
        newcomer = await listen(api, user="root")
        await step(api, clock, HEARTBEAT)
        await happen(api, user=1)
        own = await happen(api, user=3)
        await step(api, clock, 1)
        await root.has(before, own)
        await newcomer.has(own)


@pytest_twisted.ensureDeferred
async def test_a_database_that_is_away_ends_no_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SteppedClock()
    async with world(tmp_path, clock=clock) as api:
        ann = await listen(api)
        await step(api, clock, 1)

        def away(_: Database, job: Any) -> Any:
            job.done.errback(StoreError("away"))
            return job.done

        with monkeypatch.context() as patched:
            patched.setattr(Database, "_submit", away)
            await step(api, clock, 2 * HEARTBEAT + 1)
        await ann.until(lambda: ann.body.count(":\n") >= 2)
        number = await happen(api)
        await step(api, clock, 1)
        await ann.has(number)


# --- while nothing happens --------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_comment_comes_every_15_seconds(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with world(tmp_path, clock=clock) as api:
        ann = await listen(api)
        await step(api, clock, 4 * HEARTBEAT + 1)
        await ann.until(lambda: ann.body.count(":\n") >= 4)
        assert ann.body.partition("\n")[2] == ":\n" * 4


@pytest_twisted.ensureDeferred
async def test_who_is_told_of_nothing_learns_how_far_it_is(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with world(tmp_path, clock=clock) as api:
        ann = await listen(api)
        await happen_often(api, SILENT, user_id=2)
        await step(api, clock, HEARTBEAT + 1)
        await ann.until(lambda: "id: " in ann.body)
        assert (ann.events, number_of(ann.last_id)) == ([], SILENT)
        await step(api, clock, HEARTBEAT)
        assert ann.body.count("id: ") == 1


# --- what a client may cost -------------------------------------------------------------------------------------------------


async def who_does_not_read(api: World) -> Listening:
    ann = await listen(api, start=False)
    ann.client.transport.pauseProducing()
    ann.client.transport.getHandle().setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    return ann


def unsent(api: World) -> list[int]:
    return [len(channel.transport.dataBuffer) + channel.transport._tempDataLen for channel in api.site._channels]


@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_read_holds_a_bounded_number_of_bytes_and_gets_everything_when_it_does(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_RECENT", 50)
    api.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    clients = [await who_does_not_read(api) for _ in range(5)]
    most = 0
    for _ in range(40):
        await happen_often(api, 50, size=1000)
        await turns(20)
        most = max(most, *unsent(api))
    assert 0 < most < 3 * PIECE, "one piece waits, and one more at most was written behind it"
    quick = await listen(api, last=outward_id(api.database.installation_id, 1900))
    await quick.has(*range(1901, 2001))
    for ann in clients:
        ann.client.transport.resumeProducing()
    for ann in clients:
        await ann.has(*range(1, 2001))


@pytest_twisted.ensureDeferred
async def test_a_client_that_reads_nothing_for_half_a_minute_is_cut_off(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with world(tmp_path, clock=clock) as api:
        api.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        await who_does_not_read(api)
        bob = await listen(api, user="bob")
        for _ in range(10):
            await happen_often(api, 50, size=10_000)
            await step(api, clock, 0.4)
        await step(api, clock, PATIENCE - 5)
        assert api.site.streams == 2
        await step(api, clock, 6)
        await bob.until(lambda: api.site.streams == 1)
        assert not bob.closed


@pytest_twisted.ensureDeferred
async def test_nothing_is_read_when_nobody_listens_and_a_page_is_read_once_for_all(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_RECENT", 50)
    pages: list[int] = []
    page = live._page
    monkeypatch.setattr(live, "_page", lambda connection, after, last: pages.append(after) or page(connection, after, last))
    await happen_often(api, 350)
    streams = [await listen(api, last=outward_id(api.database.installation_id, 0)) for _ in range(10)]
    for ann in streams:
        await ann.has(*range(1, 351))
    assert len(pages) < 20, "of 40"
    for ann in streams:
        await ann.leave()
    await turns(150)
    looks: list[object] = []
    monkeypatch.setattr(Database, "_submit", lambda _, job: looks.append(job))
    await turns(300)
    monkeypatch.undo()
    assert looks == []


@pytest_twisted.ensureDeferred
async def test_a_stream_that_fails_keeps_nobody_else_from_being_told(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_RECENT", 50)
    monkeypatch.setattr(live, "AGAIN", 0.01)
    take = EventStream.take

    def fail_for_bob(stream: EventStream, page: live.LivePage) -> None:
        assert stream.who.username != "bob"
        take(stream, page)

    monkeypatch.setattr(EventStream, "take", fail_for_bob)
    await happen_often(api, 350)
    first = outward_id(api.database.installation_id, 0)
    await listen(api, user="bob", last=first)
    await (await listen(api, last=first)).has(*range(1, 351))


@pytest_twisted.ensureDeferred
async def test_long_events_do_not_fill_the_memory(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_BYTES", 100_000)
    ann = await listen(api)
    await happen_often(api, 60, size=10_000)
    await ann.has(*range(1, 61))
    hub: Any = api.site._streams.live
    assert sum(len(each.told.event.data) for each in hub._recent) == hub._bytes <= 100_000
    assert hub._floor == 60 - len(hub._recent)
    late = await listen(api, last=outward_id(api.database.installation_id, 3))
    await late.has(*range(4, 61))


# --- how many ---------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_there_is_a_limit_for_each_user_and_one_for_all(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, max_streams=3, max_streams_per_user=2)) as api:
        first, _ = [await listen(api) for _ in range(2)]
        third = await refused(api)
        assert (third.status, third.headers["retry-after"]) == (429, "30")
        assert third.problem["detail"].startswith("there are 2 streams of events already (http.max_streams_per_user)")
        await listen(api, user="bob")
        of_root = await refused(api, user="root")
        assert (of_root.status, of_root.headers["retry-after"]) == (503, "30")
        assert "3 streams of events already (http.max_streams)" in of_root.problem["detail"]
        await first.leave()
        await listen(api, user="root")
        assert (await refused(api)).status == 503
        api.site.use(MANY)
        await listen(api)


@pytest_twisted.ensureDeferred
async def test_half_of_the_connections_are_left_to_who_asks_and_goes(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, max_connections=4)) as api:
        for _ in range(2):
            await listen(api)
        assert (await refused(api)).status == 503
        assert (await Client(api).get("me")).status == 200


@pytest_twisted.ensureDeferred
async def test_many_clients_come_and_go_and_leave_nothing(api: World) -> None:
    for _ in range(10):
        streams = [await listen(api) for _ in range(40)]
        number = await happen(api)
        for ann in streams:
            await ann.has(number)
        for ann in streams:
            ann.client.transport.abortConnection()
        for ann in streams:
            await ann.ends()
    hub: Any = api.site._streams.live
    assert (api.site.streams, hub._followers, hub._behind, +hub._kinds) == (0, {}, {}, {})
    assert not api.site._streams._of_user


@pytest_twisted.ensureDeferred
async def test_a_client_that_goes_while_it_is_looked_up_leaves_nothing(api: World) -> None:
    for place in range(20):
        ann = await listen(api, start=False) if place % 2 else await who_waits_for_nothing(api)
        ann.client.transport.abortConnection()
        await ann.ends()
    await turns(50)
    assert api.site.streams == 0


async def who_waits_for_nothing(api: World) -> Listening:
    found = Listening(await connect(api))
    login = basic("ann", "ann")
    found.client.send(f"GET /api/v2/events HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\n\r\n".encode())
    return found


# --- the end ----------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_streams_end_when_the_dialer_does(api: World) -> None:
    ann, bob = await listen(api), await listen(api, user="bob")
    number = await happen(api)
    await ann.has(number)
    drained: Deferred[None] = api.site.drain()
    await ann.ends()
    await bob.ends()
    await drained
    assert ann.ids == [number]


@pytest_twisted.ensureDeferred
async def test_nobody_who_reads_nothing_delays_the_end(api: World) -> None:
    api.port.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    await who_does_not_read(api)
    slow = await who_does_not_read(api)
    await happen_often(api, 60, size=1000)
    await turns(200)
    assert api.site.streams == 2
    await happen_often(api, 100, size=10_000)
    await turns(200)
    drained = api.site.drain()
    await turns(800)
    assert drained.called
    assert not slow.ids
