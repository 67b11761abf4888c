"""The requests to webhooks that told of an attempt, over the API."""

from __future__ import annotations

import pytest_twisted

from tests.unit.api.page.test_course import delivery, webhook
from tests.unit.api.v2.support import Client, furnish, problem
from tests.unit.api.world import World


@pytest_twisted.ensureDeferred
async def test_deliveries_of_an_attempt_come_page_by_page_and_only_those_of_ones_own_webhooks(api: World) -> None:
    ann = await furnish(api)
    webhook(api, 7, 2)
    for place in (1, 7, 1, 1):
        delivery(api, place, "other call-1" if place == 1 else "call-1")
    delivery(api, 1, "call-10")
    first = (await ann.get("attempts/call-1/deliveries?limit=2")).json
    assert [(each["id"], each["webhook_id"], each["status"]) for each in first["data"]] == [
        (1, 1, "dead"),
        (2, 1, "delivered"),
    ]
    assert first["data"][0]["events"] == [f"evt_{api.database.installation_id}_1"]
    rest = (await ann.get(f"attempts/call-1/deliveries?limit=2&cursor={first['next_cursor']}")).json
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == ([4, 5], False)
    everything = (await ann.of("root").get("attempts/call-1/deliveries")).json["data"]
    assert [each["id"] for each in everything] == [1, 2, 3, 4, 5]
    same = (await ann.get("webhooks/1/deliveries/1")).json
    assert same == first["data"][0]
    assert problem(await ann.of("bob").get("attempts/call-1/deliveries")) == (404, "not-found")
    assert problem(await ann.get("attempts/nowhere/deliveries")) == (404, "not-found")
    elsewhere = Client(api, "root")
    assert problem(await elsewhere.get(f"attempts/call-2/deliveries?cursor={first['next_cursor']}")) == (400, "bad-cursor")
