"""Previews and explanations of contacts over HTTP."""

from __future__ import annotations

import pytest
import pytest_twisted

from tests.unit.api.v2.support import furnish, problem
from tests.unit.api.world import World


@pytest_twisted.ensureDeferred
async def test_the_contacts_of_a_preview_come_page_by_page(api: World) -> None:
    ann = await furnish(api)
    for number in range(5):
        assert (await ann.post("phonebooks/1/contacts", {"number": f"+1555123100{number}"})).status == 201
    whole = (await ann.get("campaigns/1/preview?horizon=1h")).json
    assert (whole["called"], whole["later"], whole["never"]) == (6, 0, 0)
    found, cursor = [], ""
    while cursor is not None:
        page = (await ann.get(f"campaigns/1/preview/contacts?horizon=1h&limit=4{cursor and '&cursor='}{cursor}")).json
        found += [(each["number"], each["prospect"]) for each in page["data"]]
        cursor = page["next_cursor"]
    assert len(found) == len(set(found)) == 6
    assert {prospect for _, prospect in found} == {"called"}
    assert (await ann.get("campaigns/1/preview/contacts?prospect=blacklist")).json["data"] == []


@pytest.mark.parametrize("query", ["horizon=8d", "horizon=0", "horizon=soon", "horizon=-1h", "prospect=none", "cursor=AAAA"])
@pytest_twisted.ensureDeferred
async def test_a_preview_of_nonsense_is_refused(api: World, query: str) -> None:
    ann = await furnish(api)
    assert problem(await ann.get(f"campaigns/1/preview/contacts?{query}"))[0] == 400


@pytest_twisted.ensureDeferred
async def test_somebody_elses_are_not_there(api: World) -> None:
    bob = (await furnish(api)).of("bob")
    for path in ("preview", "preview/contacts", "contacts/1/explain"):
        assert problem(await bob.get(f"campaigns/1/{path}")) == (404, "not-found")


@pytest_twisted.ensureDeferred
async def test_an_explanation_names_what_is_in_the_way(api: World) -> None:
    ann = await furnish(api)
    assert (await ann.of("root").post("do-not-call", {"number": "15551230001"})).status == 201
    found = (await ann.get("campaigns/1/contacts/1/explain")).json
    assert (found["is_next"], found["obstacles"][0]["code"]) == (False, "do-not-call")
    assert found["attempts"][0]["cause"] == "USER_BUSY"
    assert problem(await ann.get("campaigns/1/contacts/77/explain")) == (404, "not-found")
