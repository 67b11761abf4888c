"""Whose contacts a campaign calls, contacts that it calls again, and its end: on the page as over the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
import pytest_twisted

from dialer.management import redial
from dialer.model import CampaignStatus
from tests.unit.api.page.browser import Browser, seen, signed_in, text_of
from tests.unit.api.v2.support import Client
from tests.unit.api.v2.test_campaign_course import called
from tests.unit.api.world import World


def words(reply: Any) -> str:
    return " ".join(seen(reply).split())


def deeds(api: World) -> list[Any]:
    return api.sql("SELECT action, subject, username, details FROM audit_entry ORDER BY id")


def states(api: World) -> list[Any]:
    return [status for (status,) in api.sql("SELECT status FROM subscriber ORDER BY id")]


# --- called again -----------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_contacts_are_counted_and_then_called_again(api: World) -> None:
    await called(api)
    ann = await signed_in(api, "ann")
    assert '"/ui/campaigns/1/redial"' in text_of(await ann.get("/ui/campaigns/1"))
    page = text_of(await ann.get("/ui/campaigns/1/redial"))
    assert re.search(r'value="fail" checked>', page)
    assert not re.search(r'value="complete" checked>', page)
    await ann.token()
    before = api.dump()
    counted = await ann.send("/ui/campaigns/1/redial", {"states": "fail", "dispositions": "BUSY", "dry_run": "1"})
    assert "1 of 5 contacts would be called again" in words(counted)
    assert re.search(r'value="BUSY" checked>', text_of(counted)), "what was chosen stays"
    assert api.dump() == before
    looks = api.flow.looks
    done = await ann.send("/ui/campaigns/1/redial", {"states": "fail", "dispositions": "BUSY"})
    assert (done.status, done.headers["location"]) == (303, "/ui/campaigns/1?done=redialled")
    assert (states(api), api.flow.looks) == ([1, 4, 5, 3, 1], looks + 1)
    assert [(action, subject, who) for action, subject, who, _ in deeds(api)] == [("campaigns.redial", "campaign 1", "ann")]
    none = await ann.send("/ui/campaigns/1/redial", {"states": "fail", "dispositions": "BUSY"})
    assert none.headers["location"].endswith("done=redialled-nobody")


@pytest_twisted.ensureDeferred
async def test_all_contacts_are_called_again_however_many_and_one_deed_is_written(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await called(api)
    monkeypatch.setattr(redial, "AT_ONCE", 2)
    ann = await signed_in(api, "ann")
    every = {"states": "abort,fail,complete"}
    counted = await ann.send("/ui/campaigns/1/redial", {**every, "dry_run": "1"})
    assert "4 of 5 contacts would be called again" in words(counted)
    assert (await ann.send("/ui/campaigns/1/redial", every)).status == 303
    assert (states(api), len(deeds(api))) == ([1, 1, 1, 1, 1], 1)


@pytest.mark.parametrize(
    "form", [{}, {"states": "start"}, {"states": "fail,nothing"}, {"states": "fail", "dispositions": "busy"}]
)
@pytest_twisted.ensureDeferred
async def test_a_choice_that_is_none_is_told_and_changes_nothing(api: World, form: dict[str, str]) -> None:
    await called(api)
    ann = await signed_in(api, "ann")
    await ann.token()
    before = api.dump()
    for more in ({}, {"dry_run": "1"}):
        reply = await ann.send("/ui/campaigns/1/redial", {**form, **more})
        assert (reply.status, "expected" in seen(reply)) == (400, True)
    assert api.dump() == before


# --- phonebooks -------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_phonebook_is_attached_and_detached(api: World) -> None:
    client = await called(api)
    await client.post("phonebooks", {"name": "more"})
    await client.of("bob").post("phonebooks", {"name": "of bob"})
    await client.post("phonebooks/2/contacts", {"number": "+15551230009"})
    for user in ("ann", "root"):
        page = text_of(await (await signed_in(api, user)).get("/ui/campaigns/1"))
        assert re.findall(r'<option value="\d+">(more|spring|of bob)</option>', page) == ["more"], user
    ann = await signed_in(api, "ann")
    reply = await ann.send("/ui/campaigns/1/phonebooks/attach", {"phonebook": "2"})
    assert (reply.status, reply.headers["location"]) == (303, "/ui/campaigns/1?done=phonebook-attached")
    assert len(states(api)) == 6
    page = await ann.get("/ui/campaigns/1")
    assert '<select name="phonebook">' not in text_of(page), "there is no other one"
    ask = "/ui/campaigns/1/phonebooks/2/detach"
    assert f'"{ask}"' in text_of(page)
    asked = await ann.get(ask)
    assert "Call the contacts of more no more?" in words(asked)
    assert f'action="{ask}"' in text_of(asked)
    assert len(states(api)) == 6, "nothing is done before it is confirmed"
    assert (await ann.send(ask, on=ask)).headers["location"] == "/ui/campaigns/1?done=phonebook-detached"
    assert len(states(api)) == 5
    assert (await ann.get(ask)).status == 404
    assert [action for action, *_ in deeds(api)] == ["campaigns.phonebooks.attach", "campaigns.phonebooks.detach"]
    assert '"phonebook":"2"' in deeds(api)[0][3]


@pytest_twisted.ensureDeferred
async def test_a_phonebook_that_does_not_fit_is_refused_with_the_reason(api: World) -> None:
    client = await called(api)
    await client.post("phonebooks", {"name": "more"})
    await client.of("bob").post("phonebooks", {"name": "of bob"})
    await client.post("phonebooks/2/contacts", {"number": "+15551230009"})
    api.sql("UPDATE user_account SET max_number_subscriber_campaign = 5 WHERE id = 1")
    ann, root = await signed_in(api, "ann"), await signed_in(api)
    before = api.sql("SELECT count(*) FROM audit_entry"), states(api)
    for browser, book, status, why in (
        (ann, "2", 400, "maximum contacts of 5 is exceeded"),
        (root, "3", 400, "of bob is another user's than the campaign spring"),
        (ann, "3", 404, ""),
        (ann, "77", 404, ""),
        (ann, "x", 404, ""),
        (ann, "", 404, ""),
    ):
        reply = await browser.send("/ui/campaigns/1/phonebooks/attach", {"phonebook": book})
        assert (reply.status, why in words(reply)) == (status, True), (book, words(reply))
    assert (api.sql("SELECT count(*) FROM audit_entry"), states(api)) == before


# --- its end ----------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_campaign_is_removed_once_that_is_confirmed(api: World) -> None:
    await called(api)
    ann = await signed_in(api, "ann")
    assert '"/ui/campaigns/1/remove"' in text_of(await ann.get("/ui/campaigns/1"))
    asked = await ann.get("/ui/campaigns/1/remove")
    assert "Remove spring?" in words(asked)
    assert (api.flow.hung_up, api.sql("SELECT count(*) FROM audit_entry")) == ([], [(0,)])
    reply = await ann.send("/ui/campaigns/1/remove", on="/ui/campaigns/1/remove")
    assert (reply.status, reply.headers["location"]) == (303, "/ui/campaigns?done=campaign-removed")
    assert api.flow.hung_up == [1]
    assert "spring" not in words(await ann.get("/ui/campaigns"))
    assert (await ann.get("/ui/campaigns/1/remove")).status == 404
    assert (await ann.send("/ui/campaigns/1/remove")).status == 404
    assert api.sql("SELECT count(*) FROM attempt") == [(4,)], "the attempts of the past stay"
    assert (await Client(api).get("phonebooks/1")).status == 200
    assert [(action, subject, details) for action, subject, _, details in deeds(api)] == [
        ("campaigns.remove", "campaign 1", '{"name":"spring"}')
    ]


@pytest_twisted.ensureDeferred
async def test_a_viewer_finds_no_button_and_no_form_of_another_site_does_anything(api: World) -> None:
    await called(api)
    paths = ("redial", "remove", "phonebooks/attach", "phonebooks/1/detach")
    ann = await signed_in(api, "ann")
    for path in paths:
        assert (await ann.ask("POST", f"/ui/campaigns/1/{path}", {"states": "fail", "phonebook": "1"})).status == 403
        assert (await ann.send(f"/ui/campaigns/1/{path}", Origin="https://evil.example")).status == 403
    api.sql("UPDATE user_account SET role = 'viewer' WHERE id = 1")
    viewer: Browser = await signed_in(api, "ann")
    page = text_of(await viewer.get("/ui/campaigns/1"))
    assert "spring" in page
    assert not re.search(r"/ui/campaigns/1/(redial|remove|phonebooks)", page)
    for path in paths:
        assert (await viewer.send(f"/ui/campaigns/1/{path}")).status == 403
        if path != "phonebooks/attach":
            assert (await viewer.get(f"/ui/campaigns/1/{path}")).status == 403
    assert states(api) == [4, 4, 5, 3, 1]
    assert api.sql("SELECT status FROM campaign") == [(int(CampaignStatus.START),)]
