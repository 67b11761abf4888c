"""Contacts: one and many, by their numbers and by the client's own references."""

from __future__ import annotations

import pytest_twisted

from tests.unit.api.v2.support import Client, everything, problem
from tests.unit.api.world import World

BOOK = "phonebooks/1/contacts"


async def begun(api: World) -> Client:
    """A phonebook that a started campaign calls, with two contacts."""
    ann = Client(api)
    await ann.post("campaigns", {"name": "spring", "gateway_id": 1, "voip_app_id": 1})
    await ann.post(BOOK, {"number": "+15551230001", "reference": "one", "additional_vars": {"a": "1", "b": "2"}})
    await ann.post(BOOK, {"number": "+15551230002"})
    return ann


@pytest_twisted.ensureDeferred
async def test_a_reference_names_one_contact_of_its_phonebook(api: World) -> None:
    ann = await begun(api)
    reply = await ann.post(BOOK, {"number": "+15551230003", "reference": "one"})
    assert (problem(reply), reply.json["errors"][0]["pointer"]) == ((409, "already-exists"), "#/reference")
    reply = await ann.post(BOOK, {"number": "+15551230001", "reference": "two"})
    assert (problem(reply), reply.json["errors"][0]["pointer"]) == ((409, "already-exists"), "#/number")
    reply = await ann.patch(f"{BOOK}/2", {"reference": "one"})
    assert (problem(reply), reply.json["errors"][0]["pointer"]) == ((409, "already-exists"), "#/reference")
    assert (await ann.patch(f"{BOOK}/1", {"reference": "one"})).status == 200
    await ann.post("phonebooks", {"name": "other"})
    assert (await ann.post("phonebooks/2/contacts", {"number": "+15551230001", "reference": "one"})).status == 201
    assert (await ann.delete(f"{BOOK}/1")).status == 204
    assert (await ann.patch(f"{BOOK}/2", {"reference": "one"})).status == 200, "that of a removed one is free"
    assert (await ann.post(BOOK, {"number": "+15551230009"})).status == 201, "many may have none"


@pytest_twisted.ensureDeferred
async def test_a_contact_is_found_by_any_spelling_and_by_its_reference(api: World) -> None:
    ann = await begun(api)
    await ann.post("phonebooks", {"name": "german", "region": "DE"})
    await ann.post("phonebooks/2/contacts", {"number": "030 5550001", "reference": "x"})

    async def found(query: str) -> list[str]:
        return [each["number"] for each in (await ann.get(f"contacts?{query}")).json["data"]]

    assert await found("number=%2B49305550001") == await found("number=0305550001") == ["0305550001"]
    assert await found("number=0015551230001") == await found("reference=one") == ["+15551230001"]
    assert await found("reference=one&phonebook_id=2") == []
    assert await found("number=15551230001&reference=x") == []
    assert problem(await ann.get("contacts")) == (400, "bad-value")
    assert problem(await ann.get("contacts?number=abc")) == (400, "bad-value")
    assert (await ann.of("bob").get("contacts?reference=one")).json["data"] == []
    assert problem(await ann.of("bob").get("contacts?reference=one&phonebook_id=1")) == (404, "not-found")
    assert [each["id"] for each in (await ann.get(f"{BOOK}?number=15551230002")).json["data"]] == [2]
    assert [each["id"] for each in (await ann.get(f"{BOOK}?reference=one")).json["data"]] == [1]


@pytest_twisted.ensureDeferred
async def test_a_change_names_what_changes_and_takes_a_variable_away(api: World) -> None:
    ann = await begun(api)
    tag = (await ann.get(f"{BOOK}/1")).headers["etag"]
    changed = await ann.patch(
        f"{BOOK}/1", {"last_name": "B", "additional_vars": {"b": None, "c": "3"}}, headers={"If-Match": tag}
    )
    assert changed.json["additional_vars"] == {"a": "1", "c": "3"}
    assert (changed.json["last_name"], changed.json["reference"]) == ("B", "one")
    assert problem(await ann.delete(f"{BOOK}/1", headers={"If-Match": tag})) == (412, "precondition-failed")
    assert problem(await ann.patch(f"{BOOK}/1", {"number": "+15559990000"})) == (400, "bad-value")


@pytest_twisted.ensureDeferred
async def test_many_contacts_are_added_as_far_as_they_can_be(api: World) -> None:
    ann = await begun(api)
    given = [
        {"number": "+15551230003", "reference": "three"},
        {"number": "+15551230001"},
        {"number": "nobody"},
        {"number": "+15551230003"},
        {"number": "+15551230004", "color": "red"},
        {"number": "+15551230005", "reference": "one"},
        {"number": "+15551230006", "reference": "three"},
        {"number": "112"},
        {},
    ]
    before = everything(api)
    dry = (await ann.post(f"{BOOK}/batch", {"contacts": given, "dry_run": True})).json
    assert everything(api) == before
    done = (await ann.post(f"{BOOK}/batch", {"contacts": given})).json
    assert {**dry, "dry_run": False} == done
    assert (done["taken"], done["known"]) == (1, 1)
    assert [(each["index"], each["reason"]) for each in done["refused"]] == [
        (2, "no number"),
        (3, "twice in the file"),
        (4, "value not allowed"),
        (5, "reference of another contact"),
        (6, "reference of another contact"),
        (7, "no number"),
        (8, "value not allowed"),
    ]
    assert api.sql("SELECT count(*) FROM subscriber") == [(3,)]
    assert problem(await ann.post(f"{BOOK}/batch", {"contacts": []})) == (400, "bad-value")
    assert problem(await ann.post(f"{BOOK}/batch", {"contacts": [{"number": "1"}] * 401})) == (400, "bad-value")


@pytest_twisted.ensureDeferred
async def test_many_contacts_are_removed_by_number_and_by_reference(api: World) -> None:
    ann = await begun(api)
    wanted = {"numbers": ["15551230002", "+15559999999"], "references": ["one", "nobody"]}
    before = everything(api)
    dry = (await ann.post(f"{BOOK}/remove", {**wanted, "dry_run": True})).json
    assert everything(api) == before
    done = (await ann.post(f"{BOOK}/remove", wanted)).json
    assert (dry["removed"], sorted(dry["contact_ids"])) == (2, [1, 2])
    assert {**dry, "dry_run": False} == done
    assert done["unknown"] == ["+15559999999", "nobody"]
    assert (await ann.get(BOOK)).json["data"] == []
    assert api.sql("SELECT count(*) FROM subscriber") == [(0,)]
    assert problem(await ann.post(f"{BOOK}/remove", {})) == (400, "bad-value")
