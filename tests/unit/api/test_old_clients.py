"""What clients of the old server really send: parts, `?format=json`, whole names, removals, calls without a campaign."""

from __future__ import annotations

import time
from typing import Any

import pytest
import pytest_twisted

from api.bodies import MOST_ATTRIBUTES, parse_body
from api.errors import HttpError
from dialer.errors import BadValue
from tests.unit.api.world import CAMPAIGN, World

BOUNDARY = "------------------------d74496d66958873e"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
CALLS = "/api/dialer_cdr/callrequest/"


def parts(*fields: tuple[str, str]) -> bytes:
    """As curl writes them."""
    heads = (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields)
    return f"{''.join(heads)}--{BOUNDARY}--\r\n".encode()


# --- parts ----------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_form_of_parts_is_taken_and_a_plus_in_it_is_one(api: World) -> None:
    made = await api.post("campaign/", parts(*CAMPAIGN.items(), ("description", "a+b & c")), content_type=TYPE)
    assert (made.status, made.json["description"]) == (200, "a+b & c")
    body = parts(("contact", "+15551230001"), ("phonebook_id", "1"), ("last_name", "Müller"))
    found = (await api.post("contact/", body, content_type=TYPE)).json["contact"]
    assert (found["contact"], found["last_name"]) == ("+15551230001", "Müller")
    assert (await api.put("campaign/1/", parts(("status", "2")), content_type=TYPE)).json["status"] == 2


LARGE = b"\r\n" * 1_000_000
HEAD = parts(("a", "")).partition(b"\r\n\r\n")[0]
DAMAGED = "The body is not multipart/form-data, or not whole"


@pytest.mark.parametrize(
    ("body", "content_type", "sentence"),
    [
        (parts(("name", "x"))[:-8], TYPE, DAMAGED),
        (b"", TYPE, DAMAGED),
        (b"name=x", TYPE, DAMAGED),
        (b"preamble\r\n" + parts(("name", "x")), TYPE, DAMAGED),
        (parts(("name", "x")), "multipart/form-data", "The boundary of the body is missing, or longer than 70 characters"),
        (parts(("name", "x")), f"{TYPE}{'x' * 70}", "The boundary of the body is missing, or longer than 70 characters"),
        (parts(("name", "x")).replace(b"\r\nx", b"\r\n\xff"), TYPE, "The body is not UTF-8"),
        (parts(*[(f"n{i}", "x") for i in range(MOST_ATTRIBUTES + 2)]), TYPE, "The body has too many attributes"),
        (HEAD + b"; x=y" * 100_000 + b"\r\n\r\n" + parts(), TYPE, DAMAGED),
        (f"--{BOUNDARY}\r\n".encode() + LARGE, TYPE, DAMAGED),
        (LARGE, TYPE, DAMAGED),
        (f"--{BOUNDARY}".encode() * 20_000, TYPE, "The body has too many attributes"),
    ],
    ids=range(12),
)
def test_a_body_that_is_no_form_of_parts_is_refused_soon(body: bytes, content_type: str, sentence: str) -> None:
    began = time.thread_time()
    with pytest.raises(HttpError) as caught:
        parse_body(content_type.encode(), body)
    assert (caught.value.status, caught.value.sentence) == (400, sentence)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (parts(("a", "1"), ("a", "2")), "a: is given more than once"),
        (parts(("a", "1")).replace(b'name="a"', b'name="a"; filename="b"'), "'a': is a file; a text is expected"),
    ],
)
def test_a_part_that_cannot_be_taken_is_named(body: bytes, problem: str) -> None:
    with pytest.raises(BadValue) as caught:
        parse_body(TYPE.encode(), body)
    assert str(caught.value) == problem


# --- addresses ------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_the_format_may_be_named_in_every_address_and_is_json(api: World) -> None:
    assert (await api.post("campaign/?format=json", CAMPAIGN)).status == 200
    for path in ("campaign/", "campaign/1/", "campaign/1", "contact/1/", "phonebook/", CALLS):
        assert (await api.get(f"{path}?format=json")).status == 200, path
    assert (await api.get("campaign/?status=2&format=json")).json == []
    assert (await api.get("campaign/?format=xml")).refusal == (400, "format: expected json, the one format of all answers")
    assert (await api.post("phonebook/?name=x", {"name": "x"})).status == 400


# --- contacts, campaigns --------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_whole_name_is_taken_and_comes_back(api: World) -> None:
    await api.campaign()
    assert (await api.contact("1230", name="Belaid Arezqui"))["contact"]["last_name"] == "Belaid Arezqui"
    changed = await api.put("contact/1/1230/", {"status": "2"})
    assert changed.json["contact"]["name"] == "Belaid Arezqui"
    given = {"contact": "1240", "phonebook_id": "1", "name": "a", "first_name": "b"}
    assert (await api.post("contact/", given)).refusal == (
        400,
        "body: name is the whole name; expected it, or last_name and first_name",
    )


@pytest_twisted.ensureDeferred
async def test_a_new_campaign_calls_a_phonebook_that_is_there(api: World) -> None:
    await api.post("phonebook/", {"name": "there"})
    numbers = ",".join(str(15551230000 + place) for place in range(1500))
    assert (await api.post("bulkcontact/", {"phonebook_id": "1", "phoneno_list": numbers})).json == 1500
    made = await api.campaign(phonebook_id="1")
    assert made["phonebook"] == [{"id": 1, "name": "there"}]
    assert api.sql("SELECT count(*) FROM subscriber WHERE campaign_id = 1") == [(1500,)]
    assert len((await api.get("phonebook/")).json) == 1
    await api.contact("1230")
    assert api.sql("SELECT count(*) FROM subscriber WHERE campaign_id = 1") == [(1501,)]
    api.sql("UPDATE user_account SET max_number_subscriber_campaign = 1500")
    reply = await api.post("campaign/", {**CAMPAIGN, "name": "more", "phonebook_id": "1"})
    assert reply.refusal == (400, "You have too many contacts per campaign. You are allowed a maximum of 1500")
    assert len((await api.get("campaign/")).json) == 1


@pytest_twisted.ensureDeferred
async def test_a_removed_campaign_leaves_its_phonebook_and_a_cascade_takes_it(api: World) -> None:
    for name in ("one", "two", "three"):
        await api.campaign(name)
    await api.contact("1230", 2)
    await api.campaign("four", phonebook_id="3")
    for path in ("campaign/1/", "campaign/delete_cascade/2", "campaign/delete_cascade/3/"):
        reply = await api.ask("DELETE", path)
        assert (reply.status, reply.text) == (204, b"")
        assert (await api.ask("DELETE", path)).refusal == (404, "Campaign not found.")
    assert api.flow.hung_up == [1, 2, 3]
    assert [each["id"] for each in (await api.get("campaign/?status=all")).json] == [4]
    assert [each["name"] for each in (await api.get("phonebook/")).json] == ["three", "one"], "another campaign uses three"
    assert api.sql("SELECT count(*) FROM contact") == [(0,)]


# --- calls ----------------------------------------------------------------------------------------------------------------

EXAMPLE = {
    "request_uuid": "2342jtdsf-00123",
    "call_time": "2036-05-07 13:03:11",
    "phone_number": "8792749823",
    "voipapp": "",
    "timeout": "30000",
    "callerid": "650784355",
    "call_type": "1",
}
"""The document's own."""


@pytest_twisted.ensureDeferred
async def test_the_documents_own_call_is_made_once(api: World) -> None:
    made = (await api.post(CALLS, EXAMPLE)).json
    wanted: dict[str, Any] = {
        **EXAMPLE,
        "voipapp": 1,
        "aleg_gateway": 1,
        "timeout": 30,
        "call_type": 1,
        "status": 1,
        "num_attempt": 0,
        "last_attempt_time": None,
        "result": "",
    }
    assert {name: made[name] for name in wanted} == wanted
    assert (await api.post(CALLS, EXAMPLE)).refusal == (409, "Duplicate Entry")
    assert (await api.post(CALLS, EXAMPLE, user="bob")).status == 200
    assert (await api.get(CALLS)).json == [made]
    assert (await api.get(f"{CALLS}{made['id']}")).json == made


@pytest_twisted.ensureDeferred
async def test_a_call_is_cancelled_by_status_5_alone(api: World) -> None:
    key = (await api.post(CALLS, "phone_number=+15551230001&call_time=2093547600")).json["id"]
    assert (await api.get(f"{CALLS}{key}/")).json["phone_number"] == "+15551230001"
    assert (await api.put(f"{CALLS}{key}/", {"status": "6"})).refusal == (
        400,
        "status: expected 5, which cancels the call; nothing else can be set",
    )
    assert (await api.put(f"{CALLS}{key}/", {"status": "5"})).json["status"] == 5
    done = (await api.post(CALLS, {"phone_number": "1230"})).json["id"]
    api.sql(f"UPDATE subscriber SET status = 5, ready_at = NULL WHERE campaign_id = {done}")
    assert (await api.get(f"{CALLS}{done}/")).json["status"] == 4
    assert (await api.put(f"{CALLS}{done}/", {"status": "5"})).refusal == (409, "The call is over")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"phone_number": "x"}, "phone_number: 'x' is not a number"),
        ({"phone_number": "112"}, "phone_number: 112 is an emergency number"),
        ({"phone_number": "1230", "call_time": "soon"}, "call_time: expected a date and a time"),
        ({"phone_number": "1230", "timeout": "0"}, "timeout: expected a whole number"),
        ({"phone_number": "1230", "voipapp": "7"}, "The VoipApp doesn't exist!"),
        ({"phone_number": "1230", "aleg_gateway": "7"}, "The Gateway ID doesn't exist!"),
        ({"phone_number": "1230", "call_type": "2"}, "call_type: expected"),
        ({}, "phone_number: is missing"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_call_that_cannot_be_made_is_refused_by_name(api: World, given: dict[str, str], sentence: str) -> None:
    before = api.dump()
    reply = await api.post(CALLS, given)
    assert reply.status == 400
    assert reply.error.startswith(sentence)
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_a_gateway_that_is_one_of_several_has_to_be_named(api: World) -> None:
    reply = await api.post(CALLS, {"phone_number": "1230"}, user="root")
    assert reply.status == 200
    api.sql("DELETE FROM gateway_user WHERE user_id = 1")
    assert (await api.post(CALLS, {"phone_number": "1230"})).refusal == (
        400,
        "aleg_gateway: is missing; expected the id of a gateway",
    )
