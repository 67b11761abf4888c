"""Caller ids over HTTP: pools, numbers, rest, and what came of their calls."""

from __future__ import annotations

import pytest
import pytest_twisted

from tests.unit.api.v2.support import Client, furnish, pointers, problem
from tests.unit.api.world import World


@pytest_twisted.ensureDeferred
async def test_a_pool_and_its_numbers_are_made_changed_rested_and_removed(api: World) -> None:
    ann = await furnish(api)
    pool = (await ann.post("caller-id-pools", {"name": "sales", "time_zone": "America/New_York"})).json
    assert (pool["strategy"], pool["foreign_callees"], pool["user_id"]) == ("sticky", "refuse", 1)
    given = {"pool_id": pool["id"], "number": "+1 (212) 555-0100", "daily_cap": 40, "gateways": [1], "note": "contract 7"}
    made = await ann.post("caller-ids", given)
    assert made.headers["location"] == f"/api/v2/caller-ids/{made.json['id']}"
    number = made.json
    assert (number["number"], number["identity"], number["country"]) == ("+12125550100", "12125550100", "US")
    assert (number["daily_cap"], number["gateways"], number["active"], number["rest_until"]) == (40, [1], True, None)
    where = f"caller-ids/{number['id']}"
    assert (await ann.get(where)).json == number
    assert [each["id"] for each in (await ann.get(f"caller-ids?pool_id={pool['id']}")).json["data"]] == [number["id"]]
    changed = (await ann.patch(where, {"daily_cap": None, "gateways": None, "active": False})).json
    assert (changed["daily_cap"], changed["gateways"], changed["active"]) == (None, [], False)
    rested = (await ann.post(f"{where}/rest", {"until": "2999-01-01T00:00:00Z"})).json
    assert rested["rest_until"] == "2999-01-01T00:00:00.000Z"
    [use] = (await ann.get(f"caller-id-pools/{pool['id']}/use")).json["numbers"]
    assert (use["caller_id_id"], use["unusable"], use["calls"], use["answer_rate"]) == (
        number["id"],
        "it is inactive",
        0,
        None,
    )
    assert (await ann.post(f"{where}/rest", {"until": None})).json["rest_until"] is None
    assert problem(await ann.delete(f"caller-id-pools/{pool['id']}")) == (409, "in-use")
    assert (await ann.delete(where)).status == 204
    assert problem(await ann.get(where)) == (404, "not-found")
    assert (await ann.delete(f"caller-id-pools/{pool['id']}")).status == 204


@pytest_twisted.ensureDeferred
async def test_a_campaign_takes_its_numbers_from_a_pool_of_its_user_only(api: World) -> None:
    ann = await furnish(api)
    assert (await ann.patch("campaigns/1", {"caller_id_pool_id": 2})).json["caller_id_pool_id"] == 2
    theirs = (await ann.of("root").post("caller-id-pools", {"name": "sales"})).json["id"]
    refused = await ann.patch("campaigns/1", {"caller_id_pool_id": theirs})
    assert (refused.status, pointers(refused)) == (400, ["#/caller_id_pool_id"])
    assert problem(await ann.delete("caller-id-pools/2")) == (409, "in-use")
    assert (await ann.patch("campaigns/1", {"caller_id_pool_id": None})).json["caller_id_pool_id"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("number", "+1212555\r\nX-Evil: 1"),
        ("number", "+12125550100,+13055550100"),
        ("number", "sip:ann@example.com"),
        ("number", "112"),
        ("name", "Ann\r\nX-Evil: 1"),
        ("name", 'Ann" <sip:x@y>'),
        ("name", "${system id}"),
        ("daily_cap", 0),
        ("gateways", [1, 99]),
        ("gateways", "1"),
        ("warm_up_days", 9),
        ("identity", "1"),
        ("rest_until", "tomorrow"),
        ("pool_id", 99),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_no_switch_should_see_is_refused_and_pointed_at(api: World, name: str, value: object) -> None:
    ann = await furnish(api)
    reply = await ann.post("caller-ids", {"pool_id": 2, "number": "+12125550100", name: value})
    assert reply.status == 400, reply
    wanted = {"warm_up_days": "#/daily_cap"}.get(name, f"#/{name}")
    assert pointers(reply) == [wanted]
    assert api.sql("SELECT count(*) FROM caller_id") == [(1,)]


@pytest_twisted.ensureDeferred
async def test_who_may_only_read_changes_nothing(api: World) -> None:
    ann = await furnish(api)
    reader = await ann.with_token("read")
    assert (await reader.get("caller-ids")).status == 200
    for reply in (
        await reader.post("caller-ids", {"pool_id": 2, "number": "+12125550100"}),
        await reader.patch("caller-ids/1", {"active": False}),
        await reader.post("caller-ids/1/rest", {"until": None}),
        await reader.delete("caller-ids/1"),
    ):
        assert reply.status == 403, reply
    other = Client(api, "root")
    assert (await other.get("caller-ids/1")).status == 200
