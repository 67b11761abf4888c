"""Changing things: merge patches, tags, and who comes second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted

from api.v2.routes import Route
from api.v2.table import all_routes
from dialer.management import subscribers, why
from dialer.management.management import Transaction
from dialer.model import Account, SubscriberStatus
from dialer.model.user import ADMINISTRATOR
from tests.grounds import on_postgresql, on_sqlite
from tests.unit.api.v2.support import Client, address, everything, furnish, identified, pointers, problem, routes
from tests.unit.api.world import World

CONDITIONAL = [route for route in all_routes() if route.current is not None]


@pytest_twisted.ensureDeferred
async def test_a_patch_changes_what_it_names_and_null_takes_away(api: World) -> None:
    ann = await furnish(api)
    given = {
        "frequency": 77,
        "description": "of 2027",
        "max_concurrent": 3,
        "weekdays": ["sunday", "monday"],
        "daily_start": "09:00:00",
    }
    first = (await ann.patch("campaigns/1", given)).json
    assert {name: first[name] for name in given} == {**given, "weekdays": ["monday", "sunday"]}
    second = (await ann.patch("campaigns/1", {"description": None, "max_concurrent": None, "frequency": None})).json
    expected = {"description": "", "max_concurrent": None, "frequency": 10, "daily_start": "09:00:00"}
    assert {name: second[name] for name in expected} == expected
    assert second == (await ann.get("campaigns/1")).json
    assert (await ann.patch("campaigns/1", {})).json["name"] == "spring"
    reply = await ann.ask("PATCH", "campaigns/1", data='{"frequency": 9}', content_type="application/merge-patch+json")
    assert reply.json["frequency"] == 9


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"name": None}, ["#/name"]),
        ({"starting_at": None}, ["#/starting_at"]),
        ({"frequency": "10", "max_retry": 2.5, "weekdays": ["mon"]}, ["#/frequency", "#/max_retry", "#/weekdays"]),
        ({"frequency": True}, ["#/frequency"]),
        ({"weekdays": ["monday", "monday"]}, ["#/weekdays"]),
        ({"starting_at": "2027-03-01T09:00:00"}, ["#/starting_at"]),
        ({"starting_at": 1301392136}, ["#/starting_at"]),
        ({"status": "start"}, ["#/status"]),
        ({"id": 2, "user_id": 2, "next_call_at": None}, ["#/id", "#/user_id", "#/next_call_at"]),
        ({"gateway_id": 77}, ["#/gateway_id"]),
        ({"caller_id": "112"}, ["#/caller_id"]),
        ({"a/b~c": 1}, ["#/'a~1b~0c'"]),
        ({"retry": "busy=3/60s"}, ["#/retry"]),
        ({"retry": {"busy": 3}}, ["#/retry/busy"]),
        ({"retry": {"bus/y": {"retries": 3, "after": 60}}}, ["#/retry/bus~1y"]),
        ({"retry": {"busy": {"retries": 3}}}, ["#/retry/busy/after"]),
        ({"retry": {"busy": {"retries": "3", "after": 60}}}, ["#/retry/busy/retries"]),
        ({"retry": {"busy": {"retries": 3, "after": 60, "growth": 0.5}}}, ["#/retry/busy/growth"]),
        (
            {"retry": {"no_answer": {"retries": 3, "after": 60, "per_day": 0}}, "order": "mixed"},
            ["#/retry/no_answer/per_day", "#/order"],
        ),
    ],
)
@pytest_twisted.ensureDeferred
async def test_every_wrong_attribute_is_pointed_at_and_nothing_is_changed(api: World, given: Any, wrong: list[str]) -> None:
    ann = await furnish(api)
    before = everything(api)
    reply = await ann.patch("campaigns/1", given)
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), wrong)
    assert everything(api) == before


@pytest_twisted.ensureDeferred
async def test_retries_by_outcome_are_an_object_of_rows_and_null_takes_them_away(api: World) -> None:
    ann = await furnish(api)
    given = {"busy": {"retries": 3, "after": 60, "growth": 2.0}, "no_answer": {"retries": 2, "after": 14400, "per_day": 1}}
    found = (await ann.patch("campaigns/1", {"retry": given, "order": "mix", "retry_share": 30})).json
    assert found["retry"] == {
        "busy": {"retries": 3, "after": 60, "growth": 2.0, "per_day": None},
        "no_answer": {"retries": 2, "after": 14400, "growth": 1.0, "per_day": 1},
    }
    assert (found["order"], found["retry_share"]) == ("mix", 30)
    again = (await ann.get("campaigns/1")).json
    assert again == found
    assert (await ann.patch("campaigns/1", {"retry": again["retry"]})).json["retry"] == found["retry"]
    assert (await ann.patch("campaigns/1", {"retry": None, "order": None})).json["retry"] == {}


@pytest_twisted.ensureDeferred
async def test_moments_have_their_offset(api: World) -> None:
    ann = await furnish(api)
    given = {"starting_at": "2027-03-01T09:00:00+01:00", "expires_at": "2027-03-02T00:00:00.25Z"}
    found = (await ann.patch("campaigns/1", given)).json
    assert (found["starting_at"], found["expires_at"]) == ("2027-03-01T08:00:00.000Z", "2027-03-02T00:00:00.250Z")
    assert (await ann.patch("campaigns/1", {"starting_at": found["starting_at"]})).json["starting_at"] == found["starting_at"]


@pytest_twisted.ensureDeferred
async def test_a_limit_of_the_user_holds(api: World) -> None:
    ann = await furnish(api)
    api.sql("UPDATE user_account SET max_frequency = 20, max_number_campaign = 1 WHERE id = 1")
    assert problem(await ann.patch("campaigns/1", {"frequency": 21})) == (403, "limit-exceeded")
    more = {"name": "more", "gateway_id": 1, "voip_app_id": 1}
    assert problem(await ann.post("campaigns", more)) == (403, "limit-exceeded")


@pytest_twisted.ensureDeferred
async def test_a_campaign_obeys_its_sub_resources(api: World) -> None:
    ann = await furnish(api)
    for action, status, stored in (("pause", "pause", 2), ("start", "start", 1), ("stop", "end", 4), ("abort", "abort", 3)):
        assert (await ann.post(f"campaigns/1/{action}")).json["status"] == status
        assert api.sql("SELECT status FROM campaign WHERE single = 0") == [(stored,)]
    assert (api.flow.released, api.flow.hung_up) == ([1, 1], [1])


@pytest_twisted.ensureDeferred
async def test_a_campaign_says_why_it_is_not_calling(api: World) -> None:
    ann = await furnish(api)
    api.flow.live[1] = 2
    found = (await ann.get("campaigns/1/explain")).json
    assert found["reason"] == {"code": "no-switch", "text": "no switch is connected", "until": None}
    assert (found["calls"], found["contacts"]["pending"], found["live_calls"]) == (False, 1, 2)
    api.flow.reason = None
    assert (await ann.get("campaigns/1/explain")).json["calls"]


@pytest_twisted.ensureDeferred
async def test_a_phonebook_made_for_a_campaign_is_called_by_it(api: World) -> None:
    ann = await furnish(api)
    assert (await ann.post("phonebooks", {"name": "more", "campaign_id": 1})).status == 201
    assert (await ann.get("campaigns/1")).json["phonebook_ids"] == [1, 3]
    reply = await ann.of("bob").post("phonebooks", {"name": "his", "campaign_id": 1})
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["#/campaign_id"])
    await ann.post("phonebooks/3/contacts", {"number": "+15551230005", "additional_vars": {"city": "Bonn"}})
    assert api.sql("SELECT number FROM subscriber WHERE campaign_id = 1 ORDER BY id") == [("15551230001",), ("+15551230005",)]
    reply = await ann.post("phonebooks/3/contacts", {"number": "0015551230005"})
    assert problem(reply)[0] in (400, 409)


@pytest_twisted.ensureDeferred
async def test_a_number_is_found_and_taken_off_the_list_in_any_spelling(api: World) -> None:
    root = (await furnish(api)).of("root")
    again = await root.post("do-not-call", {"number": "+1 555 123 0009", "reason": "other"})
    assert (again.json["number"], again.json["reason"]) == ("+15551230009", "asked")
    assert (await root.get("do-not-call/15551230009")).json == again.json
    assert (await root.delete("do-not-call/%2B1-555-123-0009")).status == 204
    assert problem(await root.get("do-not-call/15551230009")) == (404, "not-found")
    assert problem(await root.delete("do-not-call/15551230009")) == (404, "not-found")
    assert problem(await root.post("do-not-call", {"number": "abc"})) == (400, "bad-value")


@pytest_twisted.ensureDeferred
async def test_the_secrets_of_a_gateway_are_masked(api: World) -> None:
    api.sql("UPDATE gateway SET addparameter = 'sip_auth_password=geheim,x=1'")
    for path in ("gateways", "gateways/1"):
        text = (await Client(api).get(path)).text
        assert b"geheim" not in text
        assert b"sip_auth_password=********,x=1" in text


# --- tags -----------------------------------------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize("route", list(routes(conditional=True)), ids=identified)
@pytest_twisted.ensureDeferred
async def test_who_has_seen_it_is_told_that_it_is_the_same(api: World, route: Route) -> None:
    root = (await furnish(api)).of("root")
    tag = (await root.route(route)).headers["etag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        reply = await root.route(route, headers={"If-None-Match": known})
        assert (reply.status, reply.headers["etag"]) == (304, tag)
    assert (await root.route(route, headers={"If-None-Match": '"x"'})).status == 200
    assert problem(await root.route(route, headers={"If-Match": '"x"'})) == (412, "precondition-failed")


@pytest.mark.parametrize("route", CONDITIONAL, ids=identified)
@pytest_twisted.ensureDeferred
async def test_what_was_changed_meanwhile_is_not_changed_over(api: World, route: Route) -> None:
    root = (await furnish(api)).of("root")
    tag, before = (await root.get(address(route))).headers["etag"], everything(api)
    for stale in ('"x"', f"W/{tag}", "", "x"):
        reply = await root.route(route, headers={"If-Match": stale})
        assert problem(reply) == (412, "precondition-failed"), stale
    assert everything(api) == before
    assert (await root.route(route, headers={"If-Match": f'"x", {tag}'})).status == route.status


@pytest.mark.parametrize("route", CONDITIONAL, ids=identified)
@pytest_twisted.ensureDeferred
async def test_a_condition_tells_nothing_of_what_belongs_to_others(api: World, route: Route) -> None:
    root = (await furnish(api)).of("root")
    tag = (await root.get(address(route))).headers["etag"]
    told = {problem(await root.of("bob").route(route, headers={"If-Match": each})) for each in (tag, '"x"', "*")}
    assert told in ({(404, "not-found")}, {(403, "forbidden")})


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_a_contact_of_a_campaign_stays_as_it_was_seen_until_it_is_changed(api: World) -> None:
    await furnish(api)
    (route,) = [
        each for each in CONDITIONAL if (each.method, each.path) == ("PATCH", "campaigns/<campaign_id>/contacts/<number>")
    ]
    assert route.current is not None
    read, asked = route.current.use_case, (Account(id=1, username="ann"), 1, "15551230001")
    free: list[Any] = []

    def around(t: Transaction, run: Callable[[], Any]) -> Any:
        read(t, *asked)
        free.extend(api.sql("SELECT 1 FROM subscriber WHERE campaign_id = 1 FOR UPDATE SKIP LOCKED"))
        return run()

    await api.management.ask_within(around, subscribers.changed, *asked, SubscriberStatus.PAUSE)
    assert free == [], "another node waits until this one has changed it"


@pytest_twisted.ensureDeferred
async def test_of_two_who_have_seen_the_same_the_second_is_told(api: World) -> None:
    ann = await furnish(api)
    tag = (await ann.get("campaigns/1")).headers["etag"]
    first = await ann.patch("campaigns/1", {"frequency": 20}, headers={"If-Match": tag})
    assert first.headers["etag"] == (await ann.get("campaigns/1")).headers["etag"] != tag
    second = await ann.patch("campaigns/1", {"frequency": 30}, headers={"If-Match": tag})
    assert problem(second) == (412, "precondition-failed")
    third = await ann.patch("campaigns/1", {"frequency": 30}, headers={"If-Match": first.headers["etag"]})
    assert third.json["frequency"] == 30


@pytest_twisted.ensureDeferred
async def test_a_condition_on_what_has_no_tag_is_not_met(api: World) -> None:
    ann = await furnish(api)
    assert problem(await ann.post("campaigns/1/pause", headers={"If-Match": "*"})) == (412, "precondition-failed")
    assert api.sql("SELECT status FROM campaign WHERE single = 0") == [(1,)]


@pytest_twisted.ensureDeferred
async def test_a_campaign_with_a_caller_name_that_no_switch_can_carry_is_not_started_until_it_has_another(api: World) -> None:
    await api.campaign()
    ann = Client(api)
    api.sql("UPDATE campaign SET rules = ?", '{"caller_name": "50% apples"}')
    reason = (await api.management.ask(why.campaign, ADMINISTRATOR, 1)).reason
    assert reason is not None
    assert (reason.code, "50% apples" in reason.text) == ("caller-id", True), "as the command line tells it"
    await ann.post("campaigns/1/pause")
    reply = await ann.post("campaigns/1/start")
    assert problem(reply) == (400, "bad-value")
    assert "caller_name: may not contain '% a'" in reply.json["detail"]
    assert (await ann.patch("campaigns/1", {"caller_name": "apples"})).status == 200
    assert (await ann.post("campaigns/1/start")).json["status"] == "start"
