"""`campaign/`, over HTTP, on a database."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from dialer.declare import noun_of
from dialer.model import Campaign
from tests.grounds import on_sqlite
from tests.unit.api.world import CAMPAIGN, SHOWN_NOW, World

DOCUMENTED = {
    "name": "mylittlecampaign",
    "description": "",
    "startingdate": "1301392136.0",
    "expirationdate": "1301332136.0",
    "frequency": "20",
    "callmaxduration": "50",
    "maxretry": "3",
    "intervalretry": "3000",
    "calltimeout": "60",
    "aleg_gateway": "1",
    "voipapp": "1",
    "voipapp_data": "2000",
}
WHOLE_ANSWER = {
    "id": 1,
    "name": "mylittlecampaign",
    "description": "",
    "status": 1,
    "startingdate": "2011-03-29 09:48:56",
    "expirationdate": "2011-03-28 17:08:56",
    "daily_start_time": "00:00:00",
    "daily_stop_time": "23:59:59",
    "monday": 1,
    "tuesday": 1,
    "wednesday": 1,
    "thursday": 1,
    "friday": 1,
    "saturday": 1,
    "sunday": 1,
    "time_zone": "UTC",
    "frequency": 20,
    "max_concurrent": None,
    "callmaxduration": 50,
    "maxretry": 3,
    "intervalretry": 3000,
    "calltimeout": 60,
    "callerid": "",
    "caller_name": "",
    "unknown_policy": "retry",
    "voipapp_data": "2000",
    "phonebook": [{"id": 1, "name": "mylittlecampaign"}],
    "aleg_gateway": {
        "id": 1,
        "name": "Default_Gateway",
        "description": "",
        "protocol": "SIP",
        "hostname": "localhost",
        "status": 1,
        "removeprefix": "",
        "addprefix": "",
        "addparameter": "",
        "maximum_call": None,
        "failover_id": None,
        "count_call": 0,
        "count_in_use": 0,
        "secondused": 0,
        "created_date": "2026-11-22 10:00:00",
        "updated_date": "2026-11-22 10:00:00",
    },
    "voipapp": {
        "id": 1,
        "name": "Default_VoIP_App",
        "description": "",
        "type": 2,
        "gateway_id": None,
        "created_date": "2026-11-22 10:00:00",
        "updated_date": "2026-11-22 10:00:00",
    },
}


REPORTED = ("progress", "idle", "finished_at")
"""What the answer about one campaign tells beside it."""


def alone(answer: dict[str, Any]) -> dict[str, Any]:
    """A campaign without what is told beside it."""
    assert answer.keys() >= set(REPORTED)
    return {name: value for name, value in answer.items() if name not in REPORTED}


def whole(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without the settings that came later: each of these has its default, as declared."""
    later = {field.v1: field for field in noun_of(Campaign).rules if field.v1 in answer.keys() - WHOLE_ANSWER.keys()}
    assert {name: answer[name] for name in later} == {name: field.kind.stored(field.default) for name, field in later.items()}
    return {name: value for name, value in answer.items() if name not in later}


@pytest_twisted.ensureDeferred
async def test_the_documented_campaign_is_created_and_answered_whole(api: World) -> None:
    reply = await api.post("campaign/", DOCUMENTED)
    assert (reply.status, whole(reply.json)) == (200, WHOLE_ANSWER)


@pytest_twisted.ensureDeferred
async def test_a_campaign_is_read_as_it_was_answered(api: World) -> None:
    await api.post("campaign/", DOCUMENTED)
    assert whole(alone((await api.get("campaign/1/")).json)) == WHOLE_ANSWER
    assert [whole(each) for each in (await api.get("campaign/")).json] == [WHOLE_ANSWER]


@pytest_twisted.ensureDeferred
async def test_json_means_what_a_form_means(api: World) -> None:
    numbers = {"startingdate", "expirationdate"}
    body = {
        name: float(value) if name in numbers else int(value) if value.isdigit() and name != "voipapp_data" else value
        for name, value in DOCUMENTED.items()
    }
    assert whole((await api.post("campaign/", json=body)).json) == WHOLE_ANSWER


@pytest_twisted.ensureDeferred
async def test_what_is_not_given_has_the_documented_default(api: World) -> None:
    found = await api.campaign()
    assert found["startingdate"] == SHOWN_NOW
    assert found["expirationdate"] == "2026-11-30 10:00:00"
    assert [found[name] for name in ("frequency", "callmaxduration", "maxretry", "intervalretry", "calltimeout")] == [
        10,
        1800,
        3,
        300,
        45,
    ]


@pytest_twisted.ensureDeferred
async def test_a_new_campaign_gets_a_phonebook_of_its_name(api: World) -> None:
    await api.campaign("spring")
    assert (await api.get("phonebook/1")).json == {
        "id": 1,
        "name": "spring",
        "description": "Auto created Phonebook from API",
    }


@pytest_twisted.ensureDeferred
async def test_a_phonebook_of_that_name_that_exists_already_is_not_taken(api: World) -> None:
    await api.post("phonebook/", {"name": "spring"})
    await api.post("phonebook/", {"name": "spring-1"})
    found = await api.campaign("spring")
    assert found["phonebook"] == [{"id": 3, "name": "spring-1-2"}]


@pytest_twisted.ensureDeferred
async def test_the_longest_name_leaves_room_for_the_phonebooks_suffix(api: World) -> None:
    name = "n" * 255
    await api.post("phonebook/", {"name": name})
    found = await api.campaign(name)
    assert found["phonebook"][0]["name"] == "n" * 253 + "-1"


@pytest_twisted.ensureDeferred
async def test_names_are_unique_per_user_only(api: World) -> None:
    await api.campaign("spring")
    reply = await api.post("campaign/", CAMPAIGN)
    assert reply.refusal == (409, "The Campaign name duplicated!")
    assert (await api.campaign("spring", user="bob"))["id"] == 2


@pytest_twisted.ensureDeferred
async def test_a_gateway_and_a_voip_app_must_exist(api: World) -> None:
    for name, sentence in (("aleg_gateway", "The Gateway ID doesn't exist!"), ("voipapp", "The VoipApp doesn't exist!")):
        assert (await api.post("campaign/", {**CAMPAIGN, name: "7"})).refusal == (400, sentence)
        assert (await api.get("campaign/")).json == []


@pytest_twisted.ensureDeferred
async def test_a_user_has_no_more_campaigns_than_it_is_allowed(api: World) -> None:
    api.sql("UPDATE user_account SET max_number_campaign = 2 WHERE id = 1")
    await api.campaign("one")
    await api.campaign("two")
    reply = await api.post("campaign/", {**CAMPAIGN, "name": "three"})
    assert reply.refusal == (400, "You have too many campaign. Max allowed 2")
    await api.campaign("three", user="bob")


LIMITS = [
    ("frequency", "max_frequency", "Frequency"),
    ("callmaxduration", "max_duration", "Duration"),
    ("maxretry", "max_retries", "Retries"),
    ("calltimeout", "max_timeout", "Timeout"),
]


@pytest.mark.parametrize(("attribute", "column", "word"), LIMITS)
@pytest_twisted.ensureDeferred
async def test_a_users_limits_hold_when_a_campaign_is_created_and_when_it_is_changed(
    api: World, attribute: str, column: str, word: str
) -> None:
    api.sql("UPDATE user_account SET max_frequency = 100, max_duration = 3600, max_retries = 9, max_timeout = 60")
    api.sql(f"UPDATE user_account SET {column} = 5 WHERE id = 1")
    modest = {"frequency": "1", "callmaxduration": "1", "maxretry": "1", "calltimeout": "1"}
    sentence = f"Maximum {word} limit of 5 exceeded."
    assert (await api.post("campaign/", {**CAMPAIGN, **modest, attribute: "6"})).refusal == (400, sentence)
    await api.campaign(**{**modest, attribute: "5"})
    assert (await api.put("campaign/1", {attribute: "6"})).refusal == (400, sentence)
    assert (await api.get("campaign/1")).json[attribute] == 5


@pytest_twisted.ensureDeferred
async def test_the_list_holds_what_has_not_ended_newest_first(api: World) -> None:
    for name, status in (("one", 1), ("two", 2), ("three", 3), ("four", 4)):
        campaign = await api.campaign(name)
        await api.put(f"campaign/{campaign['id']}/", {"status": status})

    async def names(query: str) -> list[str]:
        return [each["name"] for each in (await api.get(f"campaign/{query}")).json]

    assert await names("") == ["two", "one"]
    assert await names("?status=all") == ["four", "three", "two", "one"]
    assert await names("?status=3") == ["three"]
    assert (await api.get("campaign/?status=5")).refusal == (400, "status: expected all or a whole number from 1 to 4")


@pytest_twisted.ensureDeferred
async def test_a_status_is_set_and_answered(api: World) -> None:
    await api.post("campaign/", DOCUMENTED)
    for status in (2, 3, 4, 1, 3, 1):
        reply = await api.put("campaign/1/", {"status": status})
        assert whole(reply.json) == {**WHOLE_ANSWER, "status": status}
    assert (await api.put("campaign/1/", {"status": 5})).refusal == (400, "status: expected a whole number from 1 to 4")
    assert (await api.put("campaign/9/", {"status": 2})).refusal == (404, "Campaign not found.")


@pytest_twisted.ensureDeferred
async def test_stopping_a_campaign_releases_what_waits_and_abort_hangs_up(api: World) -> None:
    await api.campaign()
    await api.put("campaign/1", {"status": 2})
    await api.put("campaign/1", {"status": 4})
    assert (api.flow.released, api.flow.hung_up) == ([1, 1], [])
    await api.put("campaign/1", {"status": 3})
    assert (api.flow.released, api.flow.hung_up) == ([1, 1], [1])


@pytest_twisted.ensureDeferred
async def test_the_flow_looks_at_once_at_what_was_changed(api: World) -> None:
    await api.campaign()
    assert api.flow.looks == 1
    await api.put("campaign/1", {"frequency": 60})
    assert api.flow.looks == 2
    assert api.flow.released == []


CHANGES: list[tuple[str, Any]] = [
    ("name", "autumn"),
    ("description", "a text\nof two lines"),
    ("startingdate", 1301392136),
    ("expirationdate", 1301332136.5),
    ("daily_start_time", "09:30:00"),
    ("daily_stop_time", "18:00:00"),
    *((day, 0) for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")),
    ("frequency", 20),
    ("callmaxduration", 50),
    ("maxretry", 0),
    ("intervalretry", 3000),
    ("calltimeout", 60),
    ("voipapp_data", "2000"),
    ("callerid", "+3412345"),
    ("unknown_policy", "never"),
]
SHOWN = {"startingdate": "2011-03-29 09:48:56", "expirationdate": "2011-03-28 17:08:56"}


@pytest.mark.parametrize(("attribute", "value"), CHANGES)
@pytest_twisted.ensureDeferred
async def test_every_attribute_can_be_changed_and_the_others_stay(api: World, attribute: str, value: Any) -> None:
    before = await api.campaign()
    reply = await api.put("campaign/1/", {attribute: value})
    assert reply.json == {**before, attribute: SHOWN.get(attribute, value)}
    assert alone((await api.get("campaign/1")).json) == reply.json


@pytest_twisted.ensureDeferred
async def test_gateway_and_voip_app_can_be_changed_to_existing_ones(api: World) -> None:
    await api.campaign()
    reply = await api.put("campaign/1", {"aleg_gateway": "2"})
    assert reply.refusal == (400, "The Gateway ID doesn't exist!")
    assert (await api.put("campaign/1", {"voipapp": "2"})).refusal == (400, "The VoipApp doesn't exist!")
    assert (await api.put("campaign/1", {"aleg_gateway": "1", "voipapp": "1"})).status == 200


@pytest_twisted.ensureDeferred
async def test_a_name_cannot_be_changed_to_that_of_another_campaign(api: World) -> None:
    await api.campaign("spring")
    await api.campaign("autumn")
    assert (await api.put("campaign/2", {"name": "spring"})).refusal == (409, "The Campaign name duplicated!")
    assert (await api.put("campaign/2", {"name": "autumn"})).status == 200


@pytest_twisted.ensureDeferred
async def test_extra_data_is_another_name_of_voipapp_data(api: World) -> None:
    assert (await api.campaign(extra_data="2000"))["voipapp_data"] == "2000"
    reply = await api.put("campaign/1", {"extra_data": "1", "voipapp_data": "2"})
    assert reply.status == 400
    assert "voipapp_data and extra_data" in reply.error


@pytest_twisted.ensureDeferred
async def test_the_id_may_be_repeated_in_the_body_and_must_be_the_same(api: World) -> None:
    await api.campaign()
    assert (await api.put("campaign/1", {"campaign_id": "1", "status": "2"})).json["status"] == 2
    reply = await api.put("campaign/1", {"campaign_id": "2", "status": "1"})
    assert reply.refusal == (400, "campaign_id: is not the one in the address")


@pytest.mark.parametrize("text", ["${system rm}", "`x`", "a$b", "shell_stream://x", "SHELL_STREAM:x"])
@pytest_twisted.ensureDeferred
async def test_application_data_that_the_switch_would_execute_is_refused(api: World, text: str) -> None:
    reply = await api.post("campaign/", {**CAMPAIGN, "voipapp_data": text})
    assert reply.status == 400
    assert reply.error.startswith("voipapp_data: may not contain")
    assert (await api.get("campaign/?status=all")).json == []


@pytest_twisted.ensureDeferred
async def test_a_campaign_can_be_created_that_never_calls_again_after_an_unknown_end(api: World) -> None:
    assert (await api.campaign(unknown_policy="never"))["unknown_policy"] == "never"
    ((rules,),) = api.sql("SELECT rules FROM campaign")
    assert '"unknown_policy":"never"' in rules
    reply = await api.put("campaign/1", {"unknown_policy": "sometimes"})
    assert reply.refusal == (400, "unknown_policy: expected retry or never")


@pytest.mark.parametrize("text", ["not a number", "1,2", "{x=y}1", "123$", "+"])
@pytest_twisted.ensureDeferred
async def test_a_caller_id_is_a_number(api: World, text: str) -> None:
    reply = await api.post("campaign/", {**CAMPAIGN, "callerid": text})
    assert reply.status == 400
    assert reply.error.startswith("callerid: ")


BAD: list[tuple[str, str]] = [
    *(
        (name, value)
        for name in ("frequency", "callmaxduration", "calltimeout")
        for value in ("0", "-1", "1.5", "x", "", "1e3")
    ),
    ("frequency", "1000001"),
    ("callmaxduration", "86401"),
    ("maxretry", "1001"),
    ("maxretry", "-1"),
    ("intervalretry", "31536001"),
    ("calltimeout", "3601"),
    ("frequency", "9" * 30),
    *(("startingdate", value) for value in ("nan", "inf", "-inf", "1e400", "-1", "32503680000", "1301392136000", "now", "")),
    ("expirationdate", "NaN"),
    *(("daily_start_time", value) for value in ("24:00:00", "9:00", "09:60:00", "noon", "")),
    *(("unknown_policy", value) for value in ("perhaps", "Never", "1", "")),
    *(("monday", value) for value in ("2", "yes", "", "-0", "01")),
    ("name", ""),
    ("name", " "),
    ("name", "n" * 256),
    ("name", "a\nb"),
    ("name", "a\x00b"),
    ("description", "d" * 2001),
    ("voipapp_data", "d" * 501),
    *(("aleg_gateway", value) for value in ("0", "-1", "x", "", "9223372036854775808", "1.0", "0x1", "１")),
    ("voipapp", "99999999999999999999"),
]


@on_sqlite
@pytest.mark.parametrize(("attribute", "value"), BAD)
@pytest_twisted.ensureDeferred
async def test_a_bad_value_is_refused_by_name_and_nothing_is_written(api: World, attribute: str, value: str) -> None:
    before = api.dump()
    reply = await api.post("campaign/", {**CAMPAIGN, attribute: value})
    assert reply.status == 400
    assert reply.error.startswith(f"{attribute}: expected ")
    assert api.dump() == before
