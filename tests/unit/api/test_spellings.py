"""One person in several spellings: in a phonebook, in a campaign, on the do-not-call list and in an address."""

from __future__ import annotations

import pytest
import pytest_twisted

from tests.unit.api.world import World

SPELLINGS = ("+15551230001", "15551230001", "0015551230001", "+1 (555) 123-0001")


@pytest.mark.parametrize("other", SPELLINGS)
@pytest_twisted.ensureDeferred
async def test_a_phonebook_has_a_person_once(api: World, other: str) -> None:
    await api.campaign()
    assert (await api.post("contact/", {"contact": SPELLINGS[0], "phonebook_id": "1"})).status == 200
    reply = await api.post("contact/", {"contact": other, "phonebook_id": "1"})
    dialled = other if other in SPELLINGS[1:3] else SPELLINGS[0]
    assert reply.refusal == (409, f"The contact duplicated {dialled}")
    bulk = await api.post("bulkcontact/", {"phoneno_list": f"15551230002,{other}", "phonebook_id": "1"})
    assert bulk.refusal == (409, f"The contact duplicated {dialled}!")
    assert api.sql("SELECT number FROM contact") == [(SPELLINGS[0],)]


@pytest_twisted.ensureDeferred
async def test_a_list_has_a_person_once(api: World) -> None:
    await api.campaign()
    reply = await api.post("bulkcontact/", {"phoneno_list": ",".join(SPELLINGS[:2]), "phonebook_id": "1"})
    assert reply.refusal == (409, "The contact duplicated 15551230001!")
    assert api.sql("SELECT count(*) FROM contact") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_a_campaign_calls_a_person_of_two_phonebooks_once(api: World) -> None:
    await api.campaign()
    await api.post("phonebook/", {"name": "more", "campaign_id": "1"})
    await api.post("contact/", {"contact": SPELLINGS[0], "phonebook_id": "1"})
    assert (await api.post("bulkcontact/", {"phoneno_list": "15551230001,15551230002", "phonebook_id": "2"})).json == 2
    assert api.sql("SELECT number FROM subscriber ORDER BY id") == [(SPELLINGS[0],), ("15551230002",)]


@pytest.mark.parametrize("spelling", ["15551230001", "%2B15551230001", "0015551230001"])
@pytest_twisted.ensureDeferred
async def test_a_subscriber_is_found_and_changed_in_any_spelling(api: World, spelling: str) -> None:
    await api.campaign()
    await api.post("contact/", {"contact": SPELLINGS[0], "phonebook_id": "1"})
    assert [each["contact_id"] for each in (await api.get(f"contact/1/{spelling}/")).json] == [1]
    assert (await api.put(f"contact/1/{spelling}/", {"status": "2"})).json["status"] == 2
    assert api.sql("SELECT status FROM subscriber") == [(2,)]
