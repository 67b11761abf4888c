"""The calling rules over HTTP: all of them, those of a number, those of a campaign."""

from __future__ import annotations

from datetime import date

import pytest
import pytest_twisted

from dialer.rules.book import RuleBook, shipped_rows
from tests.unit.api.v2.support import Client, furnish, pointers, problem
from tests.unit.api.v2.test_remote_commands import shell
from tests.unit.api.world import World

FLORIDA = "%2B18505550100"
MORNING = "at=2027-03-01T13:30:00Z"
"""07:30 in the west of Florida, 08:30 in the east: its area code 850 is in both."""


async def ruled(api: World) -> Client:
    api.management.rules = RuleBook(shipped_rows())
    return await furnish(api)


@pytest_twisted.ensureDeferred
async def test_the_rules_are_listed_with_their_sources_page_by_page(api: World) -> None:
    ann = await ruled(api)
    names: list[str] = []
    query = "limit=7"
    while query:
        page = (await ann.get(f"rules?{query}")).json
        names += [each["name"] for each in page["data"]]
        query = page["has_more"] and f"limit=7&cursor={page['next_cursor']}"
    assert names == [row.name for row in shipped_rows()]
    [france] = [each for each in (await ann.get("rules?country=fr")).json["data"] if each["weekday"]]
    assert (france["weekday"], france["saturday"], france["place"]) == (["10:00-13:00", "14:00-20:00"], [], "FR")
    assert france["source"]
    assert france["read_on"] == "2026-11-27"


@pytest.mark.parametrize(
    ("query", "there", "missing"),
    [
        ("country=US", {"Florida", "Texas", "United States, federal"}, {"France"}),
        ("place=US-FL", {"Florida", "United States, federal"}, {"Texas"}),
        ("place=US-FL&purpose=debt", {"United States, federal: debts"}, {"United States, federal: ring", "Florida"}),
        ("at=2020-01-01T00:00:00Z", {"Florida"}, set()),
    ],
)
@pytest_twisted.ensureDeferred
async def test_filters_leave_the_rules_that_are_asked_for(api: World, query: str, there: set[str], missing: set[str]) -> None:
    ann = await ruled(api)
    names = {each["name"] for each in (await ann.get(f"rules?limit=100&{query}")).json["data"]}
    assert there <= names
    assert not missing & names


@pytest_twisted.ensureDeferred
async def test_a_row_that_holds_no_more_is_left_out_of_that_day(api: World) -> None:
    ann = await ruled(api)
    florida = next(row for row in shipped_rows() if row.name == "Florida")
    api.management.rules = RuleBook((florida.model_copy(update={"valid_to": date(2026, 1, 1)}),))
    assert [each["valid_to"] for each in (await ann.get("rules")).json["data"]] == ["2026-01-01"]
    assert (await ann.get("rules?at=2026-01-02T00:00:00Z")).json["data"] == []


@pytest_twisted.ensureDeferred
async def test_a_number_is_told_where_it_is_what_forbids_it_and_when_it_opens(api: World) -> None:
    ann = await ruled(api)
    told = (await ann.get(f"rules/whereabouts?number={FLORIDA}&{MORNING}")).json
    assert (told["number"], told["places"]) == ("+18505550100", [{"place": "US-FL", "name": "Florida"}])
    assert {each["time_zone"]: each["shows"][11:] for each in told["clocks"]} == {
        "America/Chicago": "07:30:00",
        "America/New_York": "08:30:00",
    }
    assert (told["permission"], told["until"]) == ("closed", "2027-03-01T14:00:00.000Z")
    [obstacle] = told["obstacles"]
    by_id = {each["id"]: each["name"] for each in told["rules"]}
    assert {by_id[key] for key in obstacle["rule_ids"]} == {"Florida", "United States, federal"}
    assert obstacle["until"] == told["until"]
    assert told["min_ring"] == 15
    known = (await ann.get(f"rules/whereabouts?number={FLORIDA}&{MORNING}&time_zone=America/New_York")).json
    assert (known["permission"], known["until"], known["obstacles"]) == ("open", None, [])


@pytest_twisted.ensureDeferred
async def test_where_nobody_can_tell_the_clock_the_number_is_never_called(api: World) -> None:
    ann = await ruled(api)
    told = (await ann.get("rules/whereabouts?number=%2B18005550100")).json
    assert (told["permission"], told["until"], told["clocks"]) == ("never", None, [])
    assert told["unknown"] == "area code 800 belongs to no place"


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("", "number"),
        ("number=abc", "number"),
        ("number=%2B18505550100&at=noon", "at"),
        ("number=%2B18505550100&time_zone=Nowhere", "time_zone"),
        ("number=%2B18505550100&purpose=fun", "purpose"),
        ("number=%2B18505550100&technology=smoke", "technology"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_question_that_is_none_is_pointed_at(api: World, query: str, wrong: str) -> None:
    ann = await ruled(api)
    reply = await ann.get(f"rules/whereabouts?{query}")
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), [wrong])


@pytest.mark.parametrize(("query", "wrong"), [("country=XX", "country"), ("place=Texas", "place"), ("place=../x", "place")])
@pytest_twisted.ensureDeferred
async def test_a_place_that_is_none_is_pointed_at(api: World, query: str, wrong: str) -> None:
    ann = await ruled(api)
    reply = await ann.get(f"rules?{query}")
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), [wrong])


@pytest_twisted.ensureDeferred
async def test_a_campaign_has_the_rules_of_all_places_that_it_calls(api: World) -> None:
    ann = await ruled(api)
    for number in ("+18505550101", "+18505550102", "+13055550100", "+33142685300", "+18005550100", "+4930123456"):
        await api.contact(number)
    told = (await ann.get("campaigns/1/rules")).json
    assert {"US-FL", "FR", "DE"} <= {each["place"] for each in told["places"]}
    names = {each["name"] for each in told["rules"]}
    assert {"Florida", "United States, federal"} <= names
    assert "Texas" not in names
    assert told["unknown"] == 2, "+1 555 and +1 800"
    api.sql('UPDATE campaign SET rules = \'{"override": "notice of a broken dam"}\'')
    overridden = (await ann.get("campaigns/1/rules")).json
    assert (overridden["override"], overridden["rules"]) == ("notice of a broken dam", [])


@pytest_twisted.ensureDeferred
async def test_without_rules_everything_is_open(api: World) -> None:
    ann = await furnish(api)
    assert (await ann.get("rules")).json["data"] == []
    told = (await ann.get(f"rules/whereabouts?number={FLORIDA}&{MORNING}")).json
    assert (told["permission"], told["rules"]) == ("open", [])


@pytest_twisted.ensureDeferred
async def test_the_shell_is_told_the_same_at_a_distance(api: World) -> None:
    await ruled(api)
    ann = await shell(api)
    listed = await ann.json("rules", "list", "FR")
    assert listed[0]["weekday"] == "10:00-13:00 14:00-20:00"
    assert "Florida" in [each["name"] for each in await ann.json("rules", "show", "US-FL")]
    out, _ = await ann.run("rules", "why", "+18505550100", "--at", "2027-03-01T13:30:00Z", status=1)
    assert out.splitlines()[-1].startswith("closed until 2027-03-01 14:00:00 UTC: outside the hours of")
