"""`contact/`, `bulkcontact/` and `phonebook/`, over HTTP, on a database."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
import pytest_twisted

from tests.grounds import on_sqlite
from tests.unit.api.world import SHOWN_NOW, World

CONTACT = {
    "contact": "650784355",
    "last_name": "belaid",
    "first_name": "areski",
    "email": "areski@gmail.com",
    "phonebook_id": "1",
}
DETAILS = {
    "status": 1,
    "contact": "650784355",
    "last_name": "belaid",
    "first_name": "areski",
    "email": "areski@gmail.com",
    "description": None,
    "additional_vars": "",
    "phonebook": {"id": 1, "name": "spring", "description": "Auto created Phonebook from API"},
    "created_date": SHOWN_NOW,
    "updated_date": SHOWN_NOW,
}


# --- phonebook/ -----------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_phonebooks_are_created_and_listed_newest_first(api: World) -> None:
    first = {"id": 1, "name": "Default_Phonebook", "description": "This is default phone book"}
    second = {"id": 2, "name": "mylittlephonebook", "description": ""}
    created = await api.post("phonebook/", {"name": first["name"], "description": first["description"]})
    assert created.json == first
    await api.campaign("unrelated", user="bob")
    await api.post("phonebook/", {"name": "bobs"}, user="bob")
    reply = await api.post("phonebook/", {"name": "mylittlephonebook", "description": ""})
    assert reply.json == {**second, "id": 4}
    assert (await api.get("phonebook/")).json == [{**second, "id": 4}, first]
    assert (await api.get("phonebook/1/")).json == first


@pytest_twisted.ensureDeferred
async def test_a_phonebook_is_linked_to_the_campaign_that_is_named(api: World) -> None:
    await api.campaign()
    await api.post("phonebook/", {"name": "more", "campaign_id": "1"})
    assert (await api.get("campaign/1")).json["phonebook"] == [{"id": 1, "name": "spring"}, {"id": 2, "name": "more"}]
    reply = await api.post("phonebook/", {"name": "less", "campaign_id": "7"})
    assert reply.refusal == (400, "The Campaign ID doesn't exist!")


@pytest_twisted.ensureDeferred
async def test_a_duplicate_name_and_an_unknown_id_have_the_documented_sentences(api: World) -> None:
    await api.post("phonebook/", {"name": "one"})
    assert (await api.post("phonebook/", {"name": "one"})).refusal == (409, "Error adding Phonebook!")
    assert (await api.post("phonebook/", {"name": "one"}, user="bob")).status == 200
    assert (await api.get("phonebook/9")).refusal == (404, "Phonebook not found")


# --- contact/ -------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_the_documented_contact_is_created_and_answered_whole(api: World) -> None:
    await api.campaign()
    reply = await api.post("contact/", CONTACT)
    assert (reply.status, reply.json) == (200, {"id": 1, "status": 1, "contact": DETAILS})


@pytest_twisted.ensureDeferred
async def test_subscribers_come_by_pages_in_the_order_of_their_numbers(api: World) -> None:
    await api.campaign()
    numbers = [str((7919 * index) % 2503 + 10_000) for index in range(2500)]
    await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": ",".join(numbers)})
    api.sql("UPDATE subscriber SET status = 5, ready_at = NULL WHERE contact_id > 2000")
    for query, limit, wanted in (("", 300, 2000), ("&status=all", 1250, 2500), ("&status=completed", 499, 500)):
        found: list[str] = []
        page = (await api.get(f"contact/1/?limit={limit}{query}")).json
        while page:
            assert len(page) <= limit
            found += [each["contact"] for each in page]
            page = (await api.get(f"contact/1/?limit={limit}&after={found[-1]}{query}")).json
        assert len(found) == wanted
        assert found == sorted(set(found))
    everybody = (await api.get("contact/1/?after=1&status=all")).json
    assert [each["contact"] for each in everybody] == sorted(numbers)
    assert (await api.get("contact/1/?limit=0")).refusal == (400, "limit: expected a whole number from 1 to 10000")


@pytest_twisted.ensureDeferred
async def test_a_subscriber_tells_how_its_last_attempt_ended_and_when_the_next_one_comes(api: World) -> None:
    await api.campaign()
    await api.contact("15550001")
    await api.contact("15550002")
    ended_call(api, 1, "BUSY", "busy: again in 3600 s")
    ended_call(api, 1, "NO_ANSWER", "no answer: again in 7200 s")
    api.sql("UPDATE subscriber SET count_attempt = 2, ready_at = '2026-11-23 12:00:00.500000' WHERE id = 1")
    first, second = (await api.get("contact/1/")).json
    assert (first["contact"], first["disposition"], first["reason"], first["next_attempt"]) == (
        "15550001",
        "NO_ANSWER",
        "no answer: again in 7200 s",
        "2026-11-23 12:00:00",
    )
    assert {name: second[name] for name in NEVER_CALLED} == NEVER_CALLED
    assert (await api.get("contact/1/15550001/")).json == [first]
    api.sql("UPDATE subscriber SET status = 5 WHERE id = 1")
    assert (await api.get("contact/1/15550001/")).json[0]["next_attempt"] is None


def ended_call(api: World, subscriber: int, disposition: str, reason: str) -> None:
    """As the flow stores it."""
    columns = {
        "call_uuid": f"{subscriber} {disposition}",
        **dict.fromkeys(("campaign_id", "gateway_id", "number_of_attempt", "epoch", "counts_as_attempt", "duration_ms"), 1),
        **dict.fromkeys(("number", "dial_string", "owner", "cause"), f"1555000{subscriber}"),
        **dict.fromkeys(("planned_at", "due_at", "deadline", "ended_at"), "2026-11-23 09:00:00.000000"),
        "subscriber_id": subscriber,
        "state": "ended",
        "core_uuid": "",
        "disposition": disposition,
        "reason": reason,
    }
    marks = ", ".join("?" * len(columns))
    api.sql(f"INSERT INTO attempt ({', '.join(columns)}) VALUES ({marks})", *columns.values())


@pytest_twisted.ensureDeferred
async def test_without_a_campaign_the_answer_has_the_contacts_own_id(api: World) -> None:
    await api.post("phonebook/", {"name": "alone"})
    await api.contact("1110")
    found = await api.contact("222")
    assert (found["id"], found["status"]) == (2, 1)


@pytest_twisted.ensureDeferred
async def test_a_contact_becomes_a_subscriber_of_the_campaigns_that_have_not_ended(api: World) -> None:
    for number, status in ((1, 1), (2, 2), (3, 3), (4, 4)):
        await api.campaign(f"c{number}")
        api.sql("INSERT INTO campaign_phonebook VALUES (?, 1) ON CONFLICT DO NOTHING", number)
        await api.put(f"campaign/{number}", {"status": status})
    looks = api.flow.looks
    found = await api.contact("650784355")
    assert api.flow.looks == looks + 1
    subscribers = api.sql("SELECT id, campaign_id FROM subscriber ORDER BY campaign_id")
    assert [campaign for _, campaign in subscribers] == [1, 2]
    assert found["id"] == subscribers[1][0], "the subscriber of the newest campaign is answered"


@pytest_twisted.ensureDeferred
async def test_a_number_is_unique_per_phonebook(api: World) -> None:
    await api.campaign("one")
    await api.campaign("two")
    await api.contact("12345", 1)
    reply = await api.post("contact/", {"contact": " 12345 ", "phonebook_id": 1})
    assert reply.refusal == (409, "The contact duplicated 12345")
    await api.contact("12345", 2)


@pytest_twisted.ensureDeferred
async def test_a_contact_needs_a_phonebook_that_exists(api: World) -> None:
    assert (await api.post("contact/", CONTACT)).refusal == (400, "The PhoneBook ID doesn't exist!")


@pytest_twisted.ensureDeferred
async def test_the_limit_of_contacts_counts_each_campaign(api: World) -> None:
    api.sql("UPDATE user_account SET max_number_subscriber_campaign = 2 WHERE id = 1")
    sentence = "You have too many contacts per campaign. You are allowed a maximum of 2"
    await api.campaign("one")
    await api.campaign("two")
    assert (await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": "1,2,3"})).refusal == (400, sentence)
    await api.contact("1")
    await api.contact("2")
    assert (await api.post("contact/", {"contact": "3", "phonebook_id": 1})).refusal == (400, sentence)
    await api.contact("3", 2)


@on_sqlite
@pytest.mark.parametrize("number", ["abc", "12 x 34", "1;2", "+", "", "9" * 33, "1\n2", "${x}", "12,34", "{a=b}5", "１２３"])
@pytest_twisted.ensureDeferred
async def test_what_is_not_a_number_is_refused_by_name(api: World, number: str) -> None:
    await api.campaign()
    before = api.dump()
    reply = await api.post("contact/", {"contact": number, "phonebook_id": 1})
    assert reply.status == 400
    assert reply.error.startswith("contact: ")
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_emergency_numbers_are_refused_alone_and_in_a_list(api: World) -> None:
    await api.campaign()
    for path, name, value in (("contact/", "contact", "112"), ("bulkcontact/", "phoneno_list", "1234,911")):
        reply = await api.post(path, {name: value, "phonebook_id": 1})
        assert reply.status == 400
        assert "emergency" in reply.error
    assert api.sql("SELECT count(*) FROM contact") == [(0,)]


VARIABLES: list[tuple[Any, str]] = [
    ("", ""),
    ("amount=1", "amount=1"),
    ("amount=1, city=Madrid", "amount=1,city=Madrid"),
    ("place=Madrid, Spain", "place=Madrid, Spain"),
    ('{"amount": "1"}', "amount=1"),
    ('{"note": "a, b=c"}', '{"note":"a, b=c"}'),
]


@pytest.mark.parametrize(("given", "shown"), VARIABLES)
@pytest_twisted.ensureDeferred
async def test_additional_settings_come_back_as_a_text_that_means_the_same(api: World, given: Any, shown: str) -> None:
    await api.campaign()
    found = await api.contact("1230", additional_vars=given)
    assert found["contact"]["additional_vars"] == shown
    again = await api.contact("1240", additional_vars=shown)
    assert again["contact"]["additional_vars"] == shown
    stored = api.sql("SELECT DISTINCT additional_vars FROM contact")
    assert len(stored) == 1


@pytest.mark.parametrize(
    "given", ["a", "=1", "a=1,a=2", '{"a": []}', '{"a": {"b": 1}}', "{", "[1]", "a b=1", "a=" + "x" * 1001, "a=\x01"]
)
@on_sqlite
@pytest_twisted.ensureDeferred
async def test_additional_settings_that_are_neither_object_nor_pairs_are_refused(api: World, given: str) -> None:
    await api.campaign()
    reply = await api.post("contact/", {"contact": "1", "phonebook_id": 1, "additional_vars": given})
    assert reply.status == 400
    assert reply.error.startswith("additional_vars: expected a JSON object")


@pytest_twisted.ensureDeferred
async def test_a_json_object_of_settings_is_kept(api: World) -> None:
    await api.campaign()
    reply = await api.post("contact/", json={"contact": "1", "phonebook_id": 1, "additional_vars": {"a": "x", "n": 2}})
    assert reply.json["contact"]["additional_vars"] == "a=x,n=2"


# --- subscribers ----------------------------------------------------------------------------------------------------------


NEVER_CALLED = {"disposition": None, "reason": None, "next_attempt": None}


@pytest_twisted.ensureDeferred
async def test_pending_subscribers_are_listed_and_all_of_them_on_request(api: World) -> None:
    await api.campaign()
    for number in range(1, 8):
        await api.contact(str(2000 - number))
        api.sql("UPDATE subscriber SET status = ? WHERE number = ?", number, str(2000 - number))

    async def listed(query: str = "") -> list[tuple[int, int | None]]:
        return [(each["contact_id"], each["status"]) for each in (await api.get(f"contact/1/{query}")).json]

    assert await listed() == [(1, None), (2, 2), (6, 6), (7, 7)]
    assert await listed("?status=all") == [(1, None), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7)]
    words = ("pending", "paused", "aborted", "failed", "completed", "in_process", "not_authorised")
    for number, word in enumerate(words, 1):
        expected = [(number, number if number > 1 else None)]
        assert await listed(f"?status={word}") == await listed(f"?status={number}") == expected
    for wrong in ("0", "8", "done", ""):
        assert (await api.get(f"contact/1/?status={wrong}")).refusal == (
            400,
            f"status: expected all or {' or '.join(words)} or a whole number from 1 to 7",
        )


@pytest_twisted.ensureDeferred
async def test_a_subscriber_that_was_attempted_shows_when_and_how_often(api: World) -> None:
    await api.campaign()
    await api.contact("1230")
    api.sql("UPDATE subscriber SET count_attempt = 2, last_attempt_at = '2026-11-23 09:00:00.123456'")
    expected = {"status": 1, "contact_id": 1, "last_attempt": "2026-11-23 09:00:00", "count_attempt": 2}
    assert (await api.get("contact/1")).json == [{**expected, **NEVER_CALLED, "contact": "1230"}]


@pytest_twisted.ensureDeferred
async def test_a_named_contact_is_returned_whatever_its_status(api: World) -> None:
    await api.campaign()
    await api.contact("+1230")
    api.sql("UPDATE subscriber SET status = 5")
    documented = {"status": 5, "contact_id": 1, "last_attempt": None, "count_attempt": 0}
    expected = [{**documented, **NEVER_CALLED, "contact": "+1230"}]
    assert (await api.get("contact/1/+1230/")).json == expected
    assert (await api.get("contact/1/%2B1230")).json == expected
    assert (await api.get("contact/1/1240")).json == []
    assert (await api.get("contact/1/x")).status == 400


@pytest_twisted.ensureDeferred
async def test_more_subscribers_than_a_page_come_in_order(api: World) -> None:
    await api.campaign()
    numbers = [str((7919 * index) % 2503 + 10_000) for index in range(2500)]
    reply = await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": ",".join(numbers)})
    assert reply.json == 2500
    found = (await api.get("contact/1/")).json
    assert [each["contact_id"] for each in found] == list(range(1, 2501))


@pytest_twisted.ensureDeferred
async def test_without_a_campaign_the_documented_sentence_comes(api: World) -> None:
    assert (await api.get("contact/")).refusal == (400, "No value for Campaign ID !")
    assert (await api.get("contact/9/")).refusal == (404, "Campaign not found.")


@pytest_twisted.ensureDeferred
async def test_a_subscribers_status_is_set_and_answered_whole(api: World) -> None:
    await api.campaign()
    await api.post("contact/", CONTACT)
    for status in (2, 3, 4, 5, 1):
        reply = await api.put("contact/1/650784355/", {"status": status})
        assert reply.json == {"id": 1, "status": status, "contact": {**DETAILS, "name": "belaid areski"}}
        assert api.sql("SELECT status FROM subscriber") == [(status,)]
    for bad in ("0", "6", "7", "x"):
        assert (await api.put("contact/1/650784355/", {"status": bad})).refusal == (
            400,
            "status: expected a whole number from 1 to 5",
        )


@pytest_twisted.ensureDeferred
async def test_while_a_call_is_live_the_wish_is_kept_and_answered(api: World) -> None:
    await api.campaign()
    await api.contact("1230")
    api.sql("UPDATE subscriber SET status = 6")
    assert (await api.put("contact/1/1230", {"status": 3})).json["status"] == 3
    assert api.sql("SELECT status, requested_status FROM subscriber") == [(6, 3)]
    assert (await api.get("contact/1/1230")).json[0]["status"] == 6


@pytest_twisted.ensureDeferred
async def test_a_subscriber_that_does_not_exist_is_not_found(api: World) -> None:
    await api.campaign()
    sentence = (404, "CampaignSubscriber is not found")
    assert (await api.put("contact/1/1230", {"status": 2})).refusal == sentence
    assert (await api.put("contact/9/1230", {"status": 2})).refusal == sentence
    await api.contact("1230")
    reply = await api.put("contact/1/1230", {"contact": "1240", "status": "2"})
    assert reply.refusal == (400, "contact: is not the one in the address")


# --- bulkcontact/ ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["phoneno_list", "contact"])
@pytest_twisted.ensureDeferred
async def test_many_contacts_are_created_under_either_name(api: World, name: str) -> None:
    await api.campaign()
    reply = await api.post("bulkcontact/", {"phonebook_id": 1, name: " 12345, 54344,,\n"})
    assert (reply.status, reply.text) == (200, b"2")
    assert api.sql("SELECT number FROM subscriber ORDER BY id") == [("12345",), ("54344",)]


@pytest_twisted.ensureDeferred
async def test_bulk_is_all_or_nothing(api: World) -> None:
    await api.campaign()
    await api.contact("3")
    before = api.dump()
    refusals = {
        "1,2,3": (409, "The contact duplicated 3!"),
        "1,2,1": (409, "The contact duplicated 1!"),
    }
    for numbers, refusal in refusals.items():
        reply = await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": numbers})
        assert reply.refusal == refusal
        assert api.dump() == before
    reply = await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": "1,2,x3"})
    assert reply.status == 400
    assert "'x3'" in reply.error
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_bulk_refuses_an_unknown_phonebook_no_list_two_lists_and_a_list_that_is_too_long(api: World) -> None:
    reply = await api.post("bulkcontact/", {"phonebook_id": 7, "phoneno_list": "1"})
    assert reply.refusal == (400, "The PhoneBook ID doesn't exist!")
    await api.campaign()
    assert (await api.post("bulkcontact/", {"phonebook_id": 1})).status == 400
    assert (await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": "1", "contact": "2"})).status == 400
    assert (await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": " , "})).error.startswith("phoneno_list: ")
    long = ",".join(str(number) for number in range(20_001))
    reply = await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": long})
    assert reply.refusal == (400, "phoneno_list: has 20001 numbers; at most 20000 are taken at once")


@pytest_twisted.ensureDeferred
async def test_ten_thousand_numbers_are_taken_at_once(api: World) -> None:
    await api.campaign()
    numbers = ",".join(f"+34{number:09}" for number in range(10_000))
    reply = await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": numbers})
    assert reply.text == b"10000"
    assert api.sql("SELECT count(*) FROM subscriber WHERE status = 1") == [(10_000,)]


@pytest_twisted.ensureDeferred
async def test_all_that_is_no_number_in_a_list_is_named_at_once(api: World) -> None:
    await api.campaign()
    before = api.dump()
    reply = await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": "15550001,abc,112,15550002,14/06/2011"})
    assert reply.status == 400
    assert reply.error.startswith(
        "phoneno_list: 3 of 5 are not numbers that may be dialled: 'abc', '112', '14/06/2011'; the first: 'abc' is not"
    )
    many = ",".join(f"x{index}" for index in range(1, 31))
    reply = await api.post("bulkcontact/", {"phonebook_id": 1, "phoneno_list": many})
    assert "30 of 30 are not numbers" in reply.error
    assert "'x20' and 10 more" in reply.error
    assert "'x21'" not in reply.error
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_an_item_of_a_list_is_one_number(api: World) -> None:
    await api.campaign()
    reply = await api.post("bulkcontact/", json={"phonebook_id": 1, "phoneno_list": ["15550001,15550002"]})
    assert reply.status == 400
    assert "is more than one number" in reply.error


@pytest.mark.parametrize("path", ["contact/", "bulkcontact/"])
@pytest_twisted.ensureDeferred
async def test_numbers_are_taken_as_people_write_them(api: World, path: str) -> None:
    await api.campaign()
    assert (await api.post(path, {"phonebook_id": 1, "contact": "(555) 123-4567"})).status == 200
    assert api.sql("SELECT number FROM contact") == [("5551234567",)]


@pytest.mark.parametrize("spelling", ["+15551230001", "0015551230001", "15551230001", "+1 (555) 123-0001", "+1.555.123.0001"])
@pytest_twisted.ensureDeferred
async def test_a_subscriber_is_found_in_any_spelling(api: World, spelling: str) -> None:
    await api.campaign()
    await api.contact("+1 555 123 0001")
    path = f"contact/1/{quote(spelling)}/"
    assert [each["contact"] for each in (await api.get(path)).json] == ["+15551230001"]
    assert (await api.put(path, {"status": 2})).json["status"] == 2
    assert api.sql("SELECT status FROM subscriber") == [(2,)]
