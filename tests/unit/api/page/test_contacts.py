"""Contacts on the page: a number in any spelling, and why it is not called."""

from __future__ import annotations

import pytest_twisted

from dialer.model import IdleCode, IdleReason
from tests.unit.api.page.browser import seen, signed_in, text_of
from tests.unit.api.v2.support import Client
from tests.unit.api.world import World


@pytest_twisted.ensureDeferred
async def test_a_national_number_is_found_by_the_region_of_its_phonebook(api: World) -> None:
    ann = Client(api)
    book = (await ann.post("phonebooks", {"name": "german", "region": "DE"})).json["id"]
    added = await ann.post(f"phonebooks/{book}/contacts", {"number": "030 1234567", "last_name": "Ada"})
    assert added.status == 201
    browser, bob, root = await signed_in(api, "ann"), await signed_in(api, "bob"), await signed_in(api)
    for spelling in ("030 1234567", "%2B49 30 1234567", "0049301234567", "030/1234567"):
        assert "in german" in seen(await browser.get(f"/ui/contacts?number={spelling}")), spelling
        assert "german" not in seen(await bob.get(f"/ui/contacts?number={spelling}"))
    page = text_of(await root.get("/ui/contacts?number=030 1234567"))
    assert 'name="number" value="+49301234567"' in page, "what is forbidden is that number, whoever reads it"
    assert (await root.send("/ui/do-not-call/add", {"number": "+49301234567", "reason": "asked"})).status == 303
    assert "do not call" in seen(await browser.get("/ui/contacts?number=030 1234567"))


@pytest_twisted.ensureDeferred
async def test_a_contact_whose_campaign_is_not_calling_says_so(api: World) -> None:
    await api.campaign("spring")
    await api.contact("15550000001")
    api.flow.reason = IdleReason(IdleCode.NO_SWITCH, "no switch is connected")
    ann = await signed_in(api, "ann")
    words = " ".join(seen(await ann.get("/ui/contacts?number=15550000001")).split())
    assert "the campaign is not calling: no switch is connected" in words
    api.flow.reason = None
    words = " ".join(seen(await ann.get("/ui/contacts?number=15550000001")).split())
    assert "the campaign is not calling" not in words
    assert "called when its turn comes" in words


@pytest_twisted.ensureDeferred
async def test_a_contact_that_must_not_be_called_is_not_said_to_be_called_later(api: World) -> None:
    api.flow.reason = None
    await api.campaign("spring")
    await api.contact("15550000001")
    ann, root = await signed_in(api, "ann"), await signed_in(api)
    assert (await root.send("/ui/do-not-call/add", {"number": "15550000001", "reason": "asked"})).status == 303
    words = " ".join(seen(await ann.get("/ui/contacts?number=15550000001")).split())
    assert "on the do-not-call list" in words
    assert "called when its turn comes" not in words
    assert (await root.send("/ui/do-not-call/remove", {"number": "15550000001"})).status == 303
    assert "called when its turn comes" in seen(await ann.get("/ui/contacts?number=15550000001"))
