"""Numbers as clients send them: with a plus that a form takes for a blank, without quotes in JSON, or in a list."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from api.bodies import parse_form
from dialer.kinds import Kind, Number, NumberOrText, Numbers, Text
from tests.unit.api.world import World

ONE: dict[str, Kind] = {"n": Number(64, 1)}
MANY: dict[str, Kind] = {"n": Numbers()}
DATA: dict[str, Kind] = {"n": NumberOrText(500)}
TEXT: dict[str, Kind] = {"n": Text(64)}


@pytest.mark.parametrize(
    ("kinds", "sent", "read"),
    [
        (ONE, b"n=+15551230001", "+15551230001"),
        (ONE, b"n=%2B15551230001", "+15551230001"),
        (ONE, b"n= 15551230001", "+15551230001"),
        (ONE, b"n=%2015551230001", "+15551230001"),
        (ONE, b"n=+1+(555)+123-0001", "+1 (555) 123-0001"),
        (ONE, b"n=15551230001", "15551230001"),
        (ONE, b"n=+0155512300", " 0155512300"),  # no number begins with +0: that was a blank
        (ONE, b"n=+12345+", " 12345 "),  # nor one with so few digits
        (ONE, b"n=+ann", " ann"),
        (ONE, b"n=", ""),
        (MANY, b"n=+15551230001,+15551230002,5550003", "+15551230001,+15551230002,5550003"),
        (MANY, b"n=%2B15551230001%2C%2B15551230002", "+15551230001,+15551230002"),
        (MANY, b"n=+15551230001%2C+15551230002", " 15551230001, 15551230002"),  # this client encodes
        (MANY, b"n=15551230001, 15551230002", "15551230001, 15551230002"),
        (MANY, b"n=12345, 54344", "12345, 54344"),
        (MANY, b"n=12345,%2054344", "12345, 54344"),
        (DATA, b"n=+15551230001", "+15551230001"),
        (DATA, b"n=+3000", " 3000"),
        (DATA, b"n=+1+is+a+number", " 1 is a number"),
        (TEXT, b"n=+15551230001", " 15551230001"),
        ({}, b"n=+15551230001", " 15551230001"),
    ],
)
def test_a_blank_before_the_digits_of_a_number_is_its_plus(kinds: dict[str, Kind], sent: bytes, read: str) -> None:
    assert parse_form(sent, "body", kinds) == {"n": read}


@pytest_twisted.ensureDeferred
async def test_a_lost_plus_is_found_again_in_every_number_of_the_api(api: World) -> None:
    sent = "name=spring&aleg_gateway=1&voipapp=1&callerid=+15550000000"
    assert (await api.post("campaign/", sent)).json["callerid"] == "+15550000000"
    assert (await api.put("campaign/1/", "callerid=+15550000001")).json["callerid"] == "+15550000001"
    reply = await api.post("contact/", "contact=+15551230001&phonebook_id=1")
    assert reply.json["contact"]["contact"] == "+15551230001"
    for name, numbers in (("phoneno_list", "+15551230002,+15551230003"), ("contact", "+15551230004")):
        assert (await api.post("bulkcontact/", f"phonebook_id=1&{name}={numbers}")).status == 200
    assert [row[0] for row in api.sql("SELECT number FROM contact ORDER BY id")] == [
        f"+1555123000{last}" for last in (1, 2, 3, 4)
    ]


@pytest_twisted.ensureDeferred
async def test_a_blank_in_json_is_a_blank(api: World) -> None:
    await api.campaign()
    reply = await api.post("contact/", json={"contact": " 15551230001", "phonebook_id": 1})
    assert reply.json["contact"]["contact"] == "15551230001"


@pytest.mark.parametrize(
    "numbers",
    [["15551230001", "15551230002"], [15551230001, 15551230002], "15551230001,15551230002", ["15551230001", 15551230002]],
)
@pytest_twisted.ensureDeferred
async def test_a_json_list_of_texts_or_numbers_is_taken(api: World, numbers: Any) -> None:
    await api.campaign()
    reply = await api.post("bulkcontact/", json={"phonebook_id": 1, "phoneno_list": numbers})
    assert (reply.status, reply.json) == (200, 2)
    assert [row[0] for row in api.sql("SELECT number FROM contact ORDER BY id")] == ["15551230001", "15551230002"]


@pytest_twisted.ensureDeferred
async def test_a_json_number_is_taken_where_a_telephone_number_is_meant(api: World) -> None:
    await api.campaign()
    reply = await api.post("contact/", json={"contact": 15551230001, "phonebook_id": 1})
    assert reply.json["contact"]["contact"] == "15551230001"


@pytest.mark.parametrize("numbers", [{"a": 1}, [["1"]], [{}], True, [True], 1.5, [1.5], [None], -1, ""])
@pytest_twisted.ensureDeferred
async def test_what_is_no_list_of_numbers_is_refused_in_words(api: World, numbers: Any) -> None:
    await api.campaign()
    before = api.dump()
    reply = await api.post("bulkcontact/", json={"phonebook_id": 1, "phoneno_list": numbers})
    assert reply.refusal == (
        400,
        "phoneno_list: expected telephone numbers: one text in which commas separate them, or a JSON list of texts or numbers",
    )
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_an_empty_list_is_refused(api: World) -> None:
    await api.campaign()
    reply = await api.post("bulkcontact/", json={"phonebook_id": 1, "phoneno_list": []})
    assert reply.status == 400
    assert reply.error.startswith("phoneno_list: has no number in it")
