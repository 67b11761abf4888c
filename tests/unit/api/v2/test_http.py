"""HTTP itself, in this branch: what no route has seen is refused in the same manner as what one has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_twisted
from attrs import evolve

from dialer.errors import Busy, StoreError
from dialer.store.connection import Dialect
from tests.unit.api.raw import exchange
from tests.unit.api.v2.support import Client, everything, furnish, pointers, problem
from tests.unit.api.world import MANY, SteppedClock, World, basic, world

AUTHORIZATION = f"Authorization: {basic('ann', 'ann')}\r\n".encode()


@pytest.fixture
def database_kind() -> Dialect:
    """What becomes of a request on its way does not depend on the database."""
    return Dialect.SQLITE


@pytest.mark.parametrize(
    "path", ["", "nope", "campaigns/", "campaigns/1/2/3", "Campaigns", "phonebooks//contacts", "%2e%2e/x"]
)
@pytest_twisted.ensureDeferred
async def test_an_address_that_is_not_there_is_404(api: World, path: str) -> None:
    assert problem(await Client(api).get(path)) == (404, "not-found")


@pytest_twisted.ensureDeferred
async def test_an_id_that_is_none_is_404_and_an_address_that_is_not_utf_8_400(api: World) -> None:
    for key in ("0", "x", "-1", "1.0", "9" * 30, "1%00"):
        assert problem(await Client(api).get(f"campaigns/{key}")) == (404, "not-found")
    assert (await api.get("/api/v2/campaigns/%ff")).status == 400


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "DELETE", "FOO"])
@pytest_twisted.ensureDeferred
async def test_a_method_that_is_not_taken_is_405_with_those_that_are(api: World, method: str) -> None:
    reply = await Client(api).ask(method, "campaigns", headers={"Origin": "https://evil.example"})
    assert (problem(reply), reply.headers["allow"]) == ((405, "method-not-allowed"), "GET, HEAD, POST")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/*", 200),
        ("", 200),
        ("text/html", 406),
        ("application/json;q=0", 406),
        ("application/json; q=0.000, text/csv", 406),
    ],
)
@pytest_twisted.ensureDeferred
async def test_who_takes_no_json_is_told(api: World, accept: str, status: int) -> None:
    assert (await Client(api).get("campaigns", headers={"Accept": accept})).status == status


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/json", "application/json; charset=latin-1", None]
)
@pytest_twisted.ensureDeferred
async def test_a_body_of_another_type_is_415(api: World, content_type: str | None) -> None:
    reply = await Client(api).ask("POST", "phonebooks", data=b'{"name": "x"}', content_type=content_type)
    assert problem(reply) == (415, "unsupported-type")
    merge = await Client(api).ask("POST", "phonebooks", data=b"{}", content_type="application/merge-patch+json")
    assert problem(merge) == (415, "unsupported-type")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "bad-request"),
        (b"[]", "bad-request"),
        (b"\xff", "bad-request"),
        (b'{"name": NaN}', "bad-request"),
        (b'{"name": ' + b"[" * 50 + b"]" * 50 + b"}", "bad-request"),
        (b'{"name": "a", "name": "b"}', "bad-value"),
        (b'{"name": "\\ud800"}', "bad-value"),
        (b'{"name": "\\u0000"}', "bad-value"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_body_that_is_not_accepted_is_refused_with_its_reason(api: World, body: bytes, kind: str) -> None:
    before = everything(api)
    reply = await Client(api).ask("POST", "phonebooks", data=body, content_type="application/json")
    assert problem(reply) == (400, kind)
    assert everything(api) == before


@pytest_twisted.ensureDeferred
async def test_a_body_is_taken_where_one_is_wanted_and_a_query_likewise(api: World) -> None:
    ann = await furnish(api)
    assert problem(await ann.post("campaigns/1/pause", {"status": 1})) == (400, "bad-request")
    reply = await ann.post("phonebooks?name=x", {"name": "y"})
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["name"])
    assert pointers(await ann.post("phonebooks")) == ["#/name"]


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_too_large_is_413_declared_or_not(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, max_body=1024)) as api:
        head = b"POST /api/v2/phonebooks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + AUTHORIZATION
        declared = await exchange(api, head + b"Content-Length: 2000\r\n\r\n")
        chunked = await exchange(api, head + b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n")
        for reply in (declared, chunked):
            told, _, body = reply.partition(b"\r\n\r\n")
            assert told.startswith(b"HTTP/1.1 413 ")
            assert b"Content-Type: application/problem+json" in told
            assert orjson.loads(body)["type"] == "/api/v2/problems#too-large"


@pytest_twisted.ensureDeferred
async def test_an_answer_without_a_body_tells_no_length(api: World) -> None:
    ann = await furnish(api)
    await ann.get("me")
    reply = await exchange(
        api, b"DELETE /api/v2/tokens/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + AUTHORIZATION + b"\r\n"
    )
    assert reply.startswith(b"HTTP/1.1 204 ")
    assert b"content-length" not in reply.lower()
    assert reply.endswith(b"\r\n\r\n")


@pytest_twisted.ensureDeferred
async def test_every_answer_tells_what_is_left_and_one_too_many_is_429(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with world(tmp_path, evolve(MANY, requests_per_minute=3), clock=clock) as api:
        ann, told = Client(api), []
        for _ in range(4):
            reply = await ann.get("me")
            told.append((reply.status, reply.headers["ratelimit"]))
            assert reply.headers["ratelimit-policy"] == '"requests";q=3;w=60'
        assert told == [
            (200, '"requests";r=2;t=20'),
            (200, '"requests";r=1;t=40'),
            (200, '"requests";r=0;t=60'),
            (429, '"requests";r=0;t=60'),
        ]
        assert (problem(reply), reply.headers["retry-after"]) == ((429, "too-many-requests"), "20")
        assert (await api.get("campaign/")).status == 503, "as in 2011"
        assert (await ann.of("bob").get("me")).status == 200
        clock.advance(20)
        assert (await ann.get("me")).status == 200


@pytest_twisted.ensureDeferred
async def test_without_a_limit_nothing_is_told_of_one(api: World) -> None:
    assert "ratelimit" not in (await Client(api).get("me")).headers


@pytest.mark.parametrize(("error", "seconds"), [(StoreError("away"), "1"), (Busy("full", 7.0), "7")])
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_done_now_is_503_with_retry_after(
    api: World, monkeypatch: pytest.MonkeyPatch, error: Exception, seconds: str
) -> None:
    def away(*_: Any) -> None:
        raise error

    monkeypatch.setattr("dialer.management.users.value_of", away)
    reply = await Client(api).get("me")
    assert (problem(reply), reply.headers["retry-after"]) == ((503, "unavailable"), seconds)


@pytest.mark.parametrize(
    ("name", "method", "status"),
    [
        ("Accept", "GET", 406),
        ("If-Match", "GET", 412),
        ("If-None-Match", "GET", 200),
        ("If-Match", "PATCH", 412),
        ("Idempotency-Key", "POST", 400),
        ("Content-Type", "PATCH", 415),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_header_that_is_not_utf_8_is_some_text(api: World, name: str, method: str, status: int) -> None:
    ann = await furnish(api)
    path = "campaigns/1/pause" if method == "POST" else "campaigns/1"
    body = b"{}" if method == "PATCH" else None
    usual = {"Content-Type": "application/json"} if method == "PATCH" else {}
    reply = await ann.ask(method, path, data=body, content_type=None, headers={**usual, name: b"\x9b"})
    assert reply.status == status


@pytest_twisted.ensureDeferred
async def test_each_request_has_an_id_of_its_own_that_no_client_chooses(api: World) -> None:
    ann = Client(api)
    ids = {(await ann.get("me", headers={"X-Request-Id": "chosen"})).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert "chosen" not in ids


@pytest_twisted.ensureDeferred
async def test_the_branch_of_2011_is_as_it_was(api: World) -> None:
    reply = await api.get("campaign/")
    assert "x-request-id" not in reply.headers
    assert "cross-origin-resource-policy" not in reply.headers
    assert "etag" not in reply.headers
    assert (await api.get("/api/v1/")).refusal == (404, "There is no such resource")
