"""Files that are no contacts, bodies that do not end, and hostile rows: what is sent to `imports` and refused."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pytest_twisted
from attrs import evolve

from dialer.management import users
from tests.unit.api.raw import connect
from tests.unit.api.v2.support import Client, pointers, problem
from tests.unit.api.v2.test_imports import CSV, MIXED, done, files, send, sleep, until
from tests.unit.api.v2.test_imports import ann as ann
from tests.unit.api.world import MANY, Reply, World, basic, world

# --- what is refused --------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_what_is_no_file_of_contacts_is_refused_at_once_and_nothing_stays(api: World, ann: Client) -> None:
    zipped = gzip.compress(b"contact\n+15551230001\n")
    cases: list[tuple[Any, str, dict[str, Any], tuple[int, str]]] = [
        (zipped, CSV, {}, (400, "bad-value")),
        (b"PK\x03\x04" + b"\0" * 100, "application/octet-stream", {}, (400, "bad-value")),
        ("name,city\nAna,Lima\n", CSV, {}, (400, "bad-value")),
        ("contact\n" * 2, CSV, {"mapping": "contact=Phone"}, (400, "bad-value")),
        ("contact\n1\n", CSV, {"mapping": "contact"}, (400, "bad-value")),
        ("contact\n1\n", CSV, {"encoding": "klingon"}, (400, "bad-value")),
        ("contact\n1\n", CSV, {"region": "XX"}, (400, "bad-value")),
        ("contact\n1\n", CSV, {"phonebook_id": 77}, (400, "bad-value")),
        ("contact\n1\n", CSV, {"phonebook_id": "x"}, (400, "bad-value")),
        ("contact\n1\n", CSV, {"colour": "red"}, (400, "bad-value")),
        ("[1]", "application/x-ndjson", {}, (400, "bad-value")),
        ("contact\n1\n", "application/json", {}, (415, "unsupported-type")),
        ("contact\n1\n", "application/x-www-form-urlencoded", {}, (415, "unsupported-type")),
        ("contact\n1\n", "multipart/form-data", {}, (400, "bad-request")),
        ("contact\n1\n", "multipart/form-data; boundary=b", {}, (400, "bad-request")),
        ("--b\r\n\r\n--b--\r\n", "multipart/form-data; boundary=b", {}, (400, "bad-request")),
        ("", CSV, {}, (400, "bad-request")),
        ("x" * 1_100_000, CSV, {}, (400, "bad-value")),
    ]
    for content, content_type, parameters, expected in cases:
        reply = await send(ann, content, content_type, **parameters)
        assert problem(reply) == expected, (reply, content[:40], content_type, parameters)
        assert "--" not in reply.json["detail"], "words of the command line"
    reply = await ann.ask("POST", "imports", data=b"contact\n1\n", content_type=CSV)
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["phonebook_id"])
    headers = {"Content-Encoding": "gzip"}
    reply = await ann.ask("POST", "imports?phonebook_id=1", data=zipped, content_type=CSV, headers=headers)
    assert problem(reply) == (415, "unsupported-type")
    await until(lambda: files(api) == [])
    assert api.sql("SELECT count(*) FROM import_job") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_a_viewer_starts_and_cancels_no_import_and_sees_its_own(api: World, ann: Client) -> None:
    assert (await send(ann, "contact\n+15551230001\n")).status == 202
    await api.management.ask(users.change, 1, {"role": "viewer"})
    before = files(api)
    for reply in (
        await send(ann, "contact\n+15551230002\n"),
        await send(ann, "contact\n+15551230002\n", phonebook_id=77),
        await ann.post("imports/1/cancel"),
        await ann.delete("imports/1"),
    ):
        assert problem(reply) == (403, "forbidden"), reply
    await until(lambda: files(api) == before)
    assert api.sql("SELECT id, state FROM import_job") == [(1, "queued")]
    assert [each["id"] for each in (await ann.get("imports")).json["data"]] == [1]


@pytest_twisted.ensureDeferred
async def test_others_phonebooks_are_none_and_a_login_without_the_scope_sends_nothing(api: World, ann: Client) -> None:
    assert problem(await send(ann.of("bob"), MIXED)) == (400, "bad-value")
    reader = await ann.with_token("read")
    assert problem(await send(reader, MIXED)) == (403, "forbidden")
    assert problem(await send(ann.of(None), MIXED)) == (401, "unauthorized")
    cross = await ann.ask(
        "POST", "imports?phonebook_id=1", data=b"x", content_type=CSV, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert problem(cross) == (403, "cross-site")
    assert (await send(ann.of("root"), MIXED)).json["user_id"] == 1
    await until(lambda: files(api) == [".upload"])


@pytest_twisted.ensureDeferred
async def test_the_same_request_with_its_key_is_one_import(api: World, ann: Client) -> None:
    async def ask(content: bytes, query: str = "phonebook_id=1", boundary: str = "b") -> Reply:
        form = b'--%b\r\nContent-Disposition: form-data; name="f"; filename="l"\r\n\r\n%b\r\n--%b--\r\n'
        body = form % (boundary.encode(), content, boundary.encode())
        kind = f"multipart/form-data; boundary={boundary}"
        return await ann.ask("POST", f"imports?{query}", data=body, content_type=kind, headers={"Idempotency-Key": "k"})

    first, again = await ask(b"contact\n1555123"), await ask(b"contact\n1555123", boundary="another")
    assert (first.status, again.status, again.json) == (202, 202, first.json)
    assert again.headers["idempotent-replayed"] == "true"
    assert problem(await ask(b"contact\n1555124")) == (422, "key-reused")
    assert problem(await ask(b"contact\n1555123", "phonebook_id=1&dry_run=yes")) == (422, "key-reused")
    await until(lambda: files(api) == [".upload"])
    assert api.sql("SELECT count(*) FROM import_job") == [(1,)]


@pytest_twisted.ensureDeferred
async def test_a_user_has_so_many_imports_that_have_not_ended(api: World, ann: Client) -> None:
    for _ in range(5):
        assert (await send(ann, MIXED)).status == 202
    assert problem(await send(ann, MIXED)) == (403, "limit-exceeded")
    await ann.post("imports/1/cancel")
    assert (await send(ann, MIXED)).status == 202


# --- bodies that do not end, or are slow ------------------------------------------------------------------------------------

HEAD = (
    "POST /api/v2/imports?phonebook_id=1 HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\nContent-Type: text/csv\r\n{more}\r\n"
)


def head(more: str, login: str = basic("ann", "ann")) -> bytes:
    return HEAD.format(login=login, more=more).encode()


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_declared_too_long_or_never_ends_is_refused(tmp_path: Path, database_kind: str) -> None:
    async with world(tmp_path, evolve(MANY, max_import=100_000)) as api:
        await api.campaign()
        long = await connect(api)
        long.send(head("Content-Length: 100001\r\nExpect: 100-continue\r\n"))
        await until(lambda: bool(long.received))
        assert long.received.startswith(b"HTTP/1.1 413 "), "before any of the body came"
        long.transport.abortConnection()
        client = await connect(api)
        client.send(head("Transfer-Encoding: chunked\r\n"))
        piece = b"4000\r\n" + b"contact\n" * 2048 + b"\r\n"
        for _ in range(200):
            if client.received:
                break
            client.send(piece)
            await sleep(0.005)
        assert b" 413 " in client.received
        client.transport.abortConnection()
        stranger = await connect(api)
        stranger.send(head("Content-Length: 90000\r\nExpect: 100-continue\r\n", "Basic eDp4"))
        await until(lambda: bool(stranger.received))
        assert stranger.received.startswith(b"HTTP/1.1 401 "), "before any of the body came"
        stranger.transport.abortConnection()
        await until(lambda: files(api) == [])


@pytest_twisted.ensureDeferred
async def test_a_client_that_goes_away_or_is_slow_leaves_nothing(tmp_path: Path, database_kind: str) -> None:
    async with world(tmp_path, evolve(MANY, request_timeout=1.0)) as api:
        await api.campaign()
        client = await connect(api)
        client.send(head("Content-Length: 1000\r\n") + b"contact\n1555")
        await until(lambda: bool(files(api)))
        client.transport.abortConnection()
        await until(lambda: not files(api))
        slow = await connect(api)
        slow.send(head("Content-Length: 1000\r\n") + b"contact\n")
        for _ in range(1000):
            if slow.closed.called:
                break
            slow.send(b"1")
            await sleep(0.01)
        assert slow.closed.called, "a byte now and then keeps nothing open"
        await until(lambda: not files(api))
        long = await connect(api)
        row = b"+15551230001,x\n"
        body = b"contact,a\n" + row * 60_000
        long.send(head(f"Content-Length: {len(body)}\r\nConnection: close\r\n"))
        for start in range(0, len(body), 300_000):
            long.send(body[start : start + 300_000])
            await sleep(0.4)
        assert (await long.closed).startswith(b"HTTP/1.1 202 "), "longer than the time of a request, and fast enough"


@pytest_twisted.ensureDeferred
async def test_one_user_sends_only_a_few_files_at_the_same_time(api: World, ann: Client) -> None:
    clients = [await connect(api) for _ in range(5)]
    for client in clients:
        client.send(head("Content-Length: 1000\r\n") + b"contact\n1555")
    await until(lambda: bool(any(client.received for client in clients)))
    assert [client.received[:12] for client in clients if client.received] == [b"HTTP/1.1 429"]
    for client in clients:
        client.transport.abortConnection()
    await until(lambda: not files(api))
    assert (await send(ann, MIXED)).status == 202


# --- hostile content --------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_hostile_rows_are_refused_alone_and_cells_of_the_errors_run_nothing(api: World, ann: Client) -> None:
    rows = [
        b"contact,first_name",
        b"+15551230001,Ana",
        b"x,=cmd|'/C calc'!A0",
        b'x,"=HYPERLINK(""http://evil.example"",""a,b"")"',
        b"x,@SUM(1)",
        b"x,-2+3+cmd|x",
        b'x,"=""a""&cmd|x"',
        b"x,+49 171 2345",
        b"x,\xff\xfe",
        b"x\0,NUL",
        b'=cmd|x,"open',
        b"+15551230002,\xc3\xa9",
    ]
    found = await done(api, ann, b"\n".join(rows) + b"\n", encoding="utf-8")
    assert (found["state"], found["taken"], found["refused"]) == ("finished", 2, 9)
    errors = (await ann.get("imports/1/errors")).text

    table = list(csv.reader(io.StringIO(errors.decode("utf-8", "replace").replace("\0", "?")), strict=False))
    cells = [cell for row in table for cell in row]
    for cell in cells:
        runs = cell.lstrip()[:1] in ("=", "@", "-") or (cell.startswith("+4") and not cell[1:2].isdigit())
        assert not runs or (cell.startswith('="') and '"' not in cell[2:-1].replace('""', "")), cell
    mended = errors.replace(b"x,", b"+15551230009,", 1)
    again = await done(api, ann, mended, encoding="utf-8")
    assert again["taken"] == 1
    assert api.sql("SELECT first_name FROM contact WHERE number = '+15551230009'") == [("=cmd|'/C calc'!A0",)]
