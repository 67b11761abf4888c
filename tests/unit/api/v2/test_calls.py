"""`calls` over HTTP: made, read, listed, cancelled."""

from __future__ import annotations

import pytest_twisted

from tests.unit.api.v2.support import Client, pointers, problem
from tests.unit.api.world import World

CALL = {"number": "+1 555 123-0001", "gateway_id": 1, "voip_app_id": 1}


@pytest_twisted.ensureDeferred
async def test_a_call_is_made_read_and_cancelled(api: World) -> None:
    ann = Client(api)
    made = await ann.post("calls", {**CALL, "reference": "order 7", "additional_vars": {"city": "Bonn"}})
    assert (made.status, made.headers["location"]) == (201, f"/api/v2/calls/{made.json['id']}")
    found = made.json
    assert (found["number"], found["state"], found["reference"]) == ("+15551230001", "waiting", "order 7")
    assert (found["max_retry"], found["starting_at"], found["expires_at"]) == (
        0,
        "2026-11-23T10:00:00.000Z",
        "2026-11-24T10:00:00.000Z",
    )
    assert api.flow.looks == 1
    assert (await ann.get(f"calls/{found['id']}")).json == found
    cancelled = await ann.post(f"calls/{found['id']}/cancel")
    assert (cancelled.status, cancelled.json["state"]) == (200, "cancelled")
    assert api.flow.hung_up == [found["id"]]


@pytest_twisted.ensureDeferred
async def test_a_request_that_comes_again_makes_no_second_call(api: World) -> None:
    ann, key = Client(api), {"Idempotency-Key": "one"}
    first, second = await ann.post("calls", CALL, headers=key), await ann.post("calls", CALL, headers=key)
    assert first.json["id"] == second.json["id"]
    assert len((await ann.get("calls")).json["data"]) == 1


@pytest_twisted.ensureDeferred
async def test_calls_are_listed_by_pages_the_newest_first(api: World) -> None:
    ann = Client(api)
    ids = [(await ann.post("calls", CALL)).json["id"] for _ in range(3)]
    page = (await ann.get("calls?limit=2")).json
    rest = (await ann.get(f"calls?limit=2&cursor={page['next_cursor']}")).json
    assert [each["id"] for each in (*page["data"], *rest["data"])] == ids[::-1]
    assert not rest["has_more"]
    assert (await ann.get("campaigns")).json["data"] == (await ann.get("phonebooks")).json["data"] == []
    assert (await ann.of("bob").get("calls")).json["data"] == []


@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_pointed_at(api: World) -> None:
    ann = Client(api)
    before = api.dump()
    assert pointers(await ann.post("calls", {"number": "x", "gateway_id": 1, "voip_app_id": 1})) == ["#/number"]
    assert pointers(await ann.post("calls", {**CALL, "gateway_id": 7})) == ["#/gateway_id"]
    assert pointers(await ann.post("calls", {**CALL, "max_retry": -1, "colour": 1})) == ["#/max_retry", "#/colour"]
    assert pointers(await ann.post("calls", {**CALL, "starting_at": "soon"})) == ["#/starting_at"]
    assert pointers(
        await ann.post("calls", {**CALL, "starting_at": "2999-12-31T23:59:59Z", "expires_at": "2027-01-01T00:00:00Z"})
    )
    assert pointers(await ann.post("calls", {})) == ["#/number", "#/gateway_id", "#/voip_app_id"]
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_a_call_that_is_over_is_not_cancelled(api: World) -> None:
    ann = Client(api)
    key = (await ann.post("calls", CALL)).json["id"]
    api.sql("UPDATE subscriber SET status = 5, ready_at = NULL")
    assert problem(await ann.post(f"calls/{key}/cancel")) == (409, "over")


@pytest_twisted.ensureDeferred
async def test_a_limit_of_the_user_holds(api: World) -> None:
    ann = Client(api)
    api.sql("UPDATE user_account SET max_frequency = 10")
    for _ in range(10):
        assert (await ann.post("calls", CALL)).status == 201
    assert problem(await ann.post("calls", CALL)) == (403, "limit-exceeded")
