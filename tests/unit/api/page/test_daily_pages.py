"""Previews, exports and do-not-call lists on the page."""

from __future__ import annotations

import csv
import io
from typing import Any

import orjson
import pytest
import pytest_twisted

from dialer.management import do_not_call_lists, users
from dialer.model import Account
from dialer.model.user import ADMINISTRATOR
from tests.grounds import on_sqlite, script
from tests.seeding import RECORDS
from tests.unit.api.page.browser import seen, signed_in, text_of
from tests.unit.api.world import Reply, World, cheap_hash

FORMULA = "=HYPERLINK(1)"


def table(reply: Reply) -> list[list[str]]:
    return list(csv.reader(io.StringIO(reply.text.decode())))


# --- exports ----------------------------------------------------------------------------------------------------------------


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_attempts_are_exported_as_the_filters_leave_them(api: World) -> None:
    await api.campaign("spring")
    await api.contact("15550000001")
    script(api.database.url, RECORDS.replace(":count", "1200").replace("'100', '100'", "'15550000001', '15550000001'"))
    api.sql("UPDATE attempt SET caller_name = ?", FORMULA)
    ann = await signed_in(api, "ann")
    ended = {disposition for (disposition,) in api.sql("SELECT DISTINCT disposition FROM attempt")}
    reply = await ann.get("/ui/export/attempts?format=csv&campaign=1&number=&disposition=")
    assert reply.headers["content-disposition"] == 'attachment; filename="attempts.csv"'
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    head, *rows = table(reply)
    assert len(rows) == 1200
    assert rows[0][head.index("caller_name")] == f'="{FORMULA}"', "no spreadsheet runs it"
    assert rows[0][head.index("number")] == "15550000001"
    lines = (await ann.get("/ui/export/attempts?format=jsonl&campaign=1")).text.splitlines()
    assert (len(lines), orjson.loads(lines[0])["caller_name"]) == (1200, FORMULA)
    for word in ("ANSWERED", "BUSY"):
        found = (await ann.get(f"/ui/export/attempts?format=jsonl&disposition={word}")).text.splitlines()
        assert len(found) == (1200 if ended == {word} else 0)
    assert "/ui/export/attempts?format=csv&amp;campaign=1" in text_of(await ann.get("/ui/campaigns/1"))
    assert (await ann.get("/ui/export/attempts?format=xls")).status == 400
    bob = await signed_in(api, "bob")
    assert len(table(await bob.get("/ui/export/attempts"))) == 1
    assert (await bob.get("/ui/export/attempts?campaign=1")).status == 400


@pytest_twisted.ensureDeferred
async def test_contacts_and_lists_are_exported_and_nobody_elses_are(api: World) -> None:
    await api.campaign("spring")
    for number in range(3):
        await api.contact(f"1555000000{number}", first_name=FORMULA)
    await api.management.ask(do_not_call_lists.create, Account(id=1, username="ann"), {"name": "letters"})
    ann, bob = await signed_in(api, "ann"), await signed_in(api, "bob")
    form = {"number": "+1 555 000 0009", "reason": FORMULA, "source": "", "expires_at": "2030-01-01 00:00:00"}
    assert (await ann.send("/ui/do-not-call/2/add", form)).status == 303
    head, *rows = table(await ann.get("/ui/export/phonebooks/1"))
    assert [row[0] for row in rows] == ["15550000000", "15550000001", "15550000002"]
    assert rows[0][head.index("first_name")] == f'="{FORMULA}"'
    listed = table(await ann.get("/ui/export/do-not-call/2"))
    assert listed[1][:2] == ["+15550000009", f'="{FORMULA}"']
    assert listed[1][4] == "2030-01-01 00:00:00"
    for path in ("phonebooks/1", "do-not-call/2", "phonebooks/x"):
        assert (await bob.get(f"/ui/export/{path}")).status == 404
    assert (await bob.get("/ui/export/do-not-call/1")).status == 403


# --- previews ---------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_preview_tells_who_is_called_who_later_and_who_never(api: World) -> None:
    await api.campaign("spring", frequency="1")
    for number in range(70):
        await api.contact(f"155500000{number:02}")
    root = await signed_in(api)
    await root.send("/ui/do-not-call/add", {"number": "+1 555 000 0099", "reason": "x"})
    await root.send("/ui/do-not-call/add", {"number": "+1 555 000 0003", "reason": "asked for it"})
    page = await root.get("/ui/campaigns/1/preview?horizon=1h")
    words = " ".join(seen(page).split())
    assert "called · 60" in words
    assert "later · 9" in words
    assert "never · 1" in words
    assert "on a do-not-call list for ever" in words
    assert "15550000003" in words
    assert "1555000000" in words
    first = await root.get("/ui/campaigns/1/preview/contacts?horizon=1h&prospect=called")
    place = text_of(first).partition("&amp;after=")[2].partition('"')[0]
    second = await root.get(f"/ui/campaigns/1/preview/contacts?horizon=1h&prospect=called&after={place}")
    assert (text_of(first).count("/ui/contacts?number"), text_of(second).count("/ui/contacts?number")) == (50, 10)
    assert api.sql("SELECT count(*) FROM attempt") == [(0,)]
    for query, status in (("horizon=2y", 400), ("prospect=rich", 400), ("after=x", 400), ("after=x~1", 400)):
        assert (await root.get(f"/ui/campaigns/1/preview/contacts?{query}")).status == status, query
    assert (await (await signed_in(api, "bob")).get("/ui/campaigns/1/preview")).status == 404


# --- do-not-call lists ------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_lists_are_made_filled_searched_changed_and_removed(api: World) -> None:
    await api.campaign("spring")
    ann = await signed_in(api, "ann")
    form = {"name": "letters", "description": "by post", "campaign_id": ""}
    assert (await ann.send("/ui/do-not-call/new", form)).headers["location"] == "/ui/do-not-call/2?done=list-created"
    assert (await ann.send("/ui/do-not-call/new", form)).status == 400, "the name is taken"
    assert (await ann.send("/ui/do-not-call/new", {**form, "name": "one", "campaign_id": "1"})).status == 303
    assert api.sql("SELECT name, user_id, campaign_id FROM do_not_call_list WHERE id > 1 ORDER BY id") == [
        ("letters", 1, None), ("one", 1, 1),
    ]  # fmt: skip
    page = text_of(await ann.get("/ui/do-not-call"))
    assert ("letters" in page, "campaign 1" in page, "/ui/do-not-call/1" in page) == (True, True, False)

    entry = {"number": "+1 (555) 000-0001", "reason": "asked", "source": "a letter", "expires_at": ""}
    assert (await ann.send("/ui/do-not-call/2/add", entry)).status == 303
    for wrong, problem in (
        ({"number": "x"}, "number"), ({"expires_at": "soon"}, "expected"), ({"expires_at": "2020-01-01"}, "lies in the past"),
        ({"reason": "x" * 300}, "expected"),
    ):  # fmt: skip
        reply = await ann.send("/ui/do-not-call/2/add", {**entry, "number": "+15550000002", **wrong})
        assert (reply.status, problem in seen(reply)) == (400, True), wrong
    found = seen(await ann.get("/ui/do-not-call/2?number=1-555-0000001"))
    for words in ("+15550000001", "asked", "a letter", "for ever", "ann"):
        assert words in found
    assert "No number" in seen(await ann.get("/ui/do-not-call/2?number=15550000077"))
    assert (await ann.get("/ui/do-not-call/2?number=x")).status == 400

    assert (await ann.send("/ui/do-not-call/2/remove", {"number": "15550000001"})).status == 303
    assert (await ann.send("/ui/do-not-call/2/remove", {"number": "15550000001"})).status == 404
    history = seen(await ann.get("/ui/do-not-call/2/history?number=%2B1 555 000 0001"))
    assert history.count("ann") >= 2
    assert (await ann.send("/ui/do-not-call/2/settings", {"name": "mail", "description": ""})).status == 303
    assert (await ann.send("/ui/do-not-call/2/settings", {"name": "one", "description": ""})).status == 400
    assert (await ann.send("/ui/do-not-call/2/remove-list")).status == 303
    assert (await ann.get("/ui/do-not-call/2")).status == 404
    deeds = [action for (action,) in api.sql("SELECT action FROM audit_entry ORDER BY id")]
    assert deeds == ["do-not-call.new", "do-not-call.new", "do-not-call.add", "do-not-call.remove", "do-not-call.settings",
                     "do-not-call.remove-list"]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_the_list_of_everybody_is_kept_by_admins_and_stays(api: World) -> None:
    root, bob = await signed_in(api), await signed_in(api, "bob")
    assert "everybody" in seen(await root.get("/ui/do-not-call"))
    assert (await root.send("/ui/do-not-call/1/add", {"number": "+15550000001"})).status == 303
    assert (await root.send("/ui/do-not-call/1/remove-list")).status == 403
    form = {"name": "register", "description": "", "campaign_id": ""}
    assert (await root.send("/ui/do-not-call/new", {**form, "everybody": "1"})).status == 303
    assert (await bob.send("/ui/do-not-call/new", {**form, "everybody": "1"})).status == 303
    assert api.sql("SELECT user_id FROM do_not_call_list WHERE name = 'register' ORDER BY id") == [(None,), (2,)]
    for path in ("do-not-call/1", "do-not-call/2", "do-not-call/1/history"):
        assert (await bob.get(f"/ui/{path}")).status == 403
    for path in ("do-not-call/1/add", "do-not-call/2/remove", "do-not-call/1/settings"):
        assert (await bob.send(f"/ui/{path}", {"number": "+15550000001", "name": "x"})).status == 403


@on_sqlite
@pytest.mark.parametrize("superuser", [False, True])
@pytest_twisted.ensureDeferred
async def test_a_viewer_sees_lists_and_imports_and_has_no_buttons(api: World, superuser: bool) -> None:
    await api.campaign("spring")
    await api.management.ask(do_not_call_lists.create, ADMINISTRATOR, {"name": "letters", "user_id": 1})
    given: dict[str, Any] = {
        "username": "eve",
        "password_hash": cheap_hash("eve"),
        "is_superuser": superuser,
        "role": "viewer",
    }
    await api.management.ask(users.create, given)
    eve = await signed_in(api, "eve")
    page = text_of(await eve.get("/ui/do-not-call"))
    assert ("letters" in page, "New list" in page, "/ui/do-not-call/1" in page) == (superuser, False, False)
    assert (await eve.get("/ui/do-not-call/2")).status == (200 if superuser else 404)
    assert "/ui/imports/new" not in text_of(await eve.get("/ui/imports"))
    assert (await eve.get("/ui/imports/new")).status == 403
