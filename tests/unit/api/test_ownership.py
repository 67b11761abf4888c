"""Every route, asked by somebody else: what belongs to another user is as if it did not exist."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from api.app import all_routes
from tests.unit.api.world import World

CASES: list[tuple[str, str, Any, int, str]] = [
    ("GET", "campaign/1/", None, 404, "Campaign(s) not found"),
    ("PUT", "campaign/1/", {"status": "2"}, 404, "Campaign not found."),
    ("GET", "phonebook/1/", None, 404, "Phonebook not found"),
    ("POST", "phonebook/", {"name": "x", "campaign_id": "1"}, 400, "The Campaign ID doesn't exist!"),
    ("GET", "contact/1/", None, 404, "Campaign not found."),
    ("GET", "contact/1/1230/", None, 404, "Campaign not found."),
    ("PUT", "contact/1/1230/", {"status": "2"}, 404, "CampaignSubscriber is not found"),
    ("POST", "contact/", {"contact": "5", "phonebook_id": "1"}, 400, "The PhoneBook ID doesn't exist!"),
    ("POST", "bulkcontact/", {"phoneno_list": "5", "phonebook_id": "1"}, 400, "The PhoneBook ID doesn't exist!"),
    ("DELETE", "campaign/1/", None, 404, "Campaign not found."),
    ("DELETE", "campaign/delete_cascade/1/", None, 404, "Campaign not found."),
    ("GET", "/api/dialer_cdr/callrequest/2/", None, 404, "Callrequest not found"),
    ("PUT", "/api/dialer_cdr/callrequest/2/", {"status": "5"}, 404, "Callrequest not found"),
    (
        "POST",
        "campaign/",
        {"name": "x", "aleg_gateway": "1", "voipapp": "1", "phonebook_id": "1"},
        400,
        "The PhoneBook ID doesn't exist!",
    ),
]
OWN: list[tuple[str, str]] = [("GET", "campaign/"), ("POST", "campaign/"), ("GET", "phonebook/"), ("GET", "contact/")]
OWN += [("GET", "callrequest/"), ("POST", "callrequest/")]
"""Routes that name no object of a user."""


async def furnish(api: World) -> None:
    await api.campaign()
    await api.contact("1230")
    assert (await api.post("/api/dialer_cdr/callrequest/", {"phone_number": "1231"})).status == 200


def test_every_route_is_looked_at() -> None:
    asked = {(method, path.replace("1/1230/", "<campaign_id>/<contact>/")) for method, path, *_ in CASES}
    asked = {(method, path.replace("contact/1/", "contact/<campaign_id>/")) for method, path in asked}
    asked = {(method, path.replace("campaign/1/", "campaign/<campaign_id>/")) for method, path in asked}
    asked = {(method, path.replace("cascade/1/", "cascade/<campaign_id>/")) for method, path in asked}
    asked = {
        (method, path.replace("/api/dialer_cdr/callrequest/2/", "callrequest/<callrequest_id>/")) for method, path in asked
    }
    asked = {(method, path.replace("phonebook/1/", "phonebook/<phonebook_id>/")) for method, path in asked}
    assert asked | set(OWN) == {(route.method, route.path) for route in all_routes()}


@pytest.mark.parametrize(("method", "path", "data", "status", "sentence"), CASES)
@pytest_twisted.ensureDeferred
async def test_another_users_object_is_as_if_it_did_not_exist(
    api: World, method: str, path: str, data: Any, status: int, sentence: str
) -> None:
    await furnish(api)
    before = api.dump()
    reply = await api.ask(method, path, data, user="bob")
    assert reply.refusal == (status, sentence)
    missing = await api.ask(method, path.replace("1/", "77/", 1).replace("2/", "77/"), _missing(data), user="bob")
    assert missing.refusal == reply.refusal, "an object that does not exist looks the same"
    assert api.dump() == before


def _missing(data: Any) -> Any:
    return data and {name: "77" if name.endswith("_id") else value for name, value in data.items()}


@pytest.mark.parametrize(("method", "path", "data", "status", "sentence"), CASES[:-1])
@pytest_twisted.ensureDeferred
async def test_a_superuser_may_do_it(api: World, method: str, path: str, data: Any, status: int, sentence: str) -> None:
    await furnish(api)
    assert (await api.ask(method, path, data, user="root")).status == (204 if method == "DELETE" else 200)


@pytest_twisted.ensureDeferred
async def test_lists_hold_the_users_own_objects_and_a_superusers_all(api: World) -> None:
    await api.campaign("anns")
    await api.campaign("bobs", user="bob")
    for path in ("campaign/", "phonebook/"):
        names = {user: [each["name"] for each in (await api.get(path, user=user)).json] for user in ("ann", "bob", "root")}
        assert names == {"ann": ["anns"], "bob": ["bobs"], "root": ["bobs", "anns"]}


@pytest_twisted.ensureDeferred
async def test_what_a_superuser_links_to_a_campaign_belongs_to_the_campaigns_user(api: World) -> None:
    await api.campaign("anns")
    await api.post("phonebook/", {"name": "more", "campaign_id": "1"}, user="root")
    assert [each["name"] for each in (await api.get("phonebook/")).json] == ["more", "anns"]


@pytest_twisted.ensureDeferred
async def test_a_new_campaign_calls_phonebooks_of_its_own_user_only(api: World) -> None:
    await furnish(api)
    before = api.dump()
    given = {"name": "x", "aleg_gateway": "1", "voipapp": "1", "phonebook_id": "1"}
    reply = await api.post("campaign/", given, user="root")
    assert reply.refusal == (400, "phonebook_id: spring is another user's than the campaign x")
    assert api.dump() == before
