"""Files that are sent to the page: from the form to the contacts, and what is refused on the way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import pytest_twisted
from attrs import evolve

from api.page import live
from dialer.management import users
from dialer.management.import_worker import ImportWorker
from tests.grounds import on_sqlite
from tests.unit.api.page.browser import Browser, seen, signed_in, text_of
from tests.unit.api.page.test_pages import follow
from tests.unit.api.raw import connect
from tests.unit.api.v2.test_imports import files, until, working
from tests.unit.api.world import MANY, Reply, World, world

BOOK = {"target": "phonebook-1"}
BAD = b"Phone,Name,Notes\n+15551230001,Ana,a\nx,Bob,b\n112,Cy,c\n+15551230002,Di,d\n+15551230002,Ed,e\n"
CHOSEN = {"column-0": "contact", "column-1": "first_name", "column-2": "leave-out", "header": "0,1", "doubles": "keep"}


def state(api: World, key: int = 1) -> str:
    return str(api.sql("SELECT state FROM import_job WHERE id = ?", key)[0][0])


async def taken(api: World, key: int = 1, *ends: str) -> None:
    async with working(api):
        await until(lambda: state(api, key) in (ends or ("finished", "failed", "draft")))


def selected(reply: Reply) -> list[str]:
    """What the columns are, as the form has it."""
    return re.findall(r'<option value="([\w-]+)" selected>', text_of(reply).partition('name="column-0"')[2])


@pytest_twisted.ensureDeferred
async def test_a_file_is_sent_looked_at_tried_taken_corrected_and_sent_again(api: World) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    assert 'value="phonebook-1" selected' in text_of(await root.get("/ui/imports/new?phonebook=1"))
    reply = await root.send_file("/ui/imports/new", BAD, "list of may.csv", BOOK)
    assert (reply.status, reply.headers["location"]) == (303, "/ui/imports/1?done=import-sent")
    page = await root.get("/ui/imports/1")
    for words in ("list of may.csv", "Phone", "+15551230001 · x · 112", "waits to be started"):
        assert words in seen(page)
    assert selected(page)[:3] == ["contact", "variable", "variable"]

    assert (await root.send("/ui/imports/1/start", {**CHOSEN, "dry_run": "1"})).status == 303
    assert state(api) == "queued"
    assert "+15551230001" not in str(api.sql("SELECT number FROM contact"))
    await taken(api)
    assert (state(api), api.sql("SELECT count(*) FROM contact"), files(api)) == ("draft", [(0,)], [".upload"])
    page = await root.get("/ui/imports/1")
    for words in ("nothing is written yet", "no number", "emergency number", "line 3: contact: "):
        assert words in seen(page)
    assert selected(page)[:3] == ["contact", "first_name", "leave-out"]

    assert (await root.send("/ui/imports/1/start", CHOSEN)).headers["location"] == "/ui/imports/1?done=import-started"
    assert (await root.send("/ui/imports/1/start", CHOSEN)).status == 400, "it is started already"
    await taken(api)
    assert state(api) == "finished"
    stored = api.sql("SELECT number, first_name, additional_vars FROM contact ORDER BY id")
    assert stored == [("+15551230001", "Ana", "{}"), ("+15551230002", "Di", "{}")]
    assert files(api) == []

    page = await root.get("/ui/imports/1")
    assert "/ui/imports/new?like=1" in text_of(page)
    errors = await root.get("/ui/imports/1/errors")
    assert errors.headers["content-disposition"] == 'attachment; filename="import-1-errors.csv"'
    lines = errors.text.decode().splitlines()
    assert lines[0] == 'Phone,Name,Notes,"error"'
    assert [line[:3] for line in lines[1:]] == ["x,B", "112", "+15"]
    corrected = errors.text.replace(b"x,Bob", b"+15551230003,Bob")
    reply = await root.send_file("/ui/imports/new", corrected, "errors.csv", {**BOOK, "like": "1"})
    assert reply.headers["location"].startswith("/ui/imports/2?")
    assert selected(await root.get("/ui/imports/2"))[:3] == ["contact", "first_name", "leave-out"]
    assert (await root.send("/ui/imports/2/start", CHOSEN)).status == 303
    await taken(api, 2)
    assert api.sql("SELECT taken, already_there, refused FROM import_job WHERE id = 2") == [(1, 1, 1)]
    assert "errors.csv" in seen(await root.get("/ui/imports"))
    deeds = [action for (action,) in api.sql("SELECT action FROM audit_entry ORDER BY id")]
    assert deeds == ["imports.new", "imports.start", "imports.start", "imports.new", "imports.start"]
    ((details,),) = api.sql("SELECT details FROM audit_entry WHERE id = 2")
    assert orjson.loads(details)["mapping"] == '{"contact":"Phone","first_name":"Name","-":"3"}'


@on_sqlite
@pytest.mark.parametrize(
    ("chosen", "problem"),
    [({"column-0": "variable"}, "choose the column that has the number"), ({"column-1": "contact"}, "cannot both be: number"),
     ({"column-1": "<b>"}, "expected one of"), ({"region": "XX"}, "Region: "), ({"encoding": "klingon"}, "Encoding: "),
     ({"doubles": "both"}, "expected one of keep, change")],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_meant_is_told_and_starts_nothing(api: World, chosen: dict[str, str], problem: str) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    await root.send_file("/ui/imports/new", BAD, "a.csv", BOOK)
    reply = await root.send("/ui/imports/1/start", {**CHOSEN, **chosen})
    assert (reply.status, problem in seen(reply)) == (400, True), seen(reply)
    assert state(api) == "draft"
    assert api.sql("SELECT action FROM audit_entry") == [("imports.new",)]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_columns_of_the_same_long_or_no_names_are_meant_by_their_places(api: World) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    header = ["phone", "phone", "n" * 200, "", "first_name", "additional", "Last Name", "contact"]
    text = ",".join(header) + "\n" + "+15551230001,+15551230002,long,none,Ana,x,Diaz,else\n"
    await root.send_file("/ui/imports/new", text.encode(), "a.csv", BOOK)
    assert selected(await root.get("/ui/imports/1"))[:6] == [
        "variable", "variable", "variable", "leave-out", "first_name", "variable",
    ], "the exact name comes first"  # fmt: skip
    chosen = ("leave-out", "contact", "last_name", "email", "variable", "description", "variable", "variable")
    form = {**{f"column-{at}": each for at, each in enumerate(chosen)}, "header": "1", "doubles": "keep"}
    assert (await root.send("/ui/imports/1/start", form)).status == 303
    await taken(api)
    stored = api.sql("SELECT number, first_name, last_name, email, description, additional_vars FROM contact")
    assert stored == [("+15551230002", "", "long", "none", "x", '{"column_5":"Ana","Last_Name":"Diaz","column_8":"else"}')]


@pytest_twisted.ensureDeferred
async def test_a_mapping_that_does_not_fit_leaves_a_draft_that_says_so(api: World) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    await root.send_file("/ui/imports/new", b"contact;first_name\n+15551230001;Ana\n", "a.csv", BOOK)
    api.sql("UPDATE import_job SET mapping = '{\"contact\":\"gone\"}', state = 'queued', dry_run = 1")
    await taken(api)
    assert state(api) == "draft"
    assert "there is no column" in seen(await root.get("/ui/imports/1"))


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_file_without_a_header_or_of_objects_is_understood(api: World) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    await root.send_file("/ui/imports/new", b"Ana,+15551230001\nBob,+15551230002\n", "bare.csv", BOOK)
    page = await root.get("/ui/imports/1")
    assert selected(page)[:2] == ["variable", "contact"]
    assert 'name="header" value="1" aria-labelledby="f-header-label">' in text_of(page), "not ticked"
    form = {"column-0": "first_name", "column-1": "contact", "header": "0", "doubles": "keep"}
    assert (await root.send("/ui/imports/1/start", form)).status == 303
    await taken(api)
    await root.send_file("/ui/imports/new", b'{"tel": "+15551230003", "given": "Cy"}\n', "more.jsonl", BOOK)
    assert selected(await root.get("/ui/imports/2"))[:2] == ["contact", "variable"]
    assert (await root.send("/ui/imports/2/start", {"column-0": "contact", "column-1": "first_name"})).status == 303
    await taken(api, 2)
    assert api.sql("SELECT number, first_name FROM contact ORDER BY id") == [
        ("+15551230001", "Ana"), ("+15551230002", "Bob"), ("+15551230003", "Cy"),
    ]  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_numbers_go_onto_a_do_not_call_list(api: World) -> None:
    root = await signed_in(api)
    text = b"number,why,since\n+1 (555) 123-0001,asked,2026-01-01\nnobody,,\n"
    reply = await root.send_file("/ui/imports/new", text, "letters.csv", {"target": "list-1"})
    assert reply.status == 303, seen(reply)
    assert selected(await root.get("/ui/imports/1")) == ["contact", "leave-out", "leave-out"]
    form = {"column-0": "contact", "column-1": "reason", "column-2": "leave-out", "header": "0,1"}
    assert (await root.send("/ui/imports/1/start", form)).status == 303
    await taken(api)
    held = api.sql("SELECT number, reason, source, added_by FROM do_not_call")
    assert held == [("+15551230001", "asked", "letters.csv", "root")]
    ann = await signed_in(api, "ann")
    assert (await ann.get("/ui/imports/1")).status == 404
    reply = await ann.send_file("/ui/imports/new", text, "a.csv", {"target": "list-1"})
    assert reply.status == 403
    await until(lambda: not files(api))


# --- what is refused --------------------------------------------------------------------------------------------------------


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_who_may_not_or_does_not_prove_it_sends_nothing(api: World) -> None:
    await api.campaign(user="ann")
    ann, nobody = await signed_in(api, "ann"), Browser(api)
    token = await ann.token()
    for browser, status, more in (
        (nobody, 303, {"token": token}),
        (ann, 403, {"token": "0" * 64}),
        (ann, 403, {"Origin": "https://evil.example"}),
        (ann, 403, {"Sec-Fetch-Site": "cross-site"}),
        (Browser(api, headers={"Authorization": "Basic cm9vdDpyb290"}), 303, {"token": token}),
    ):
        reply = await browser.send_file("/ui/imports/new", BAD, "a.csv", BOOK, **more)
        assert reply.status == status, (more, seen(reply))
    bob = await signed_in(api, "bob")
    assert (await bob.send_file("/ui/imports/new", BAD, "a.csv", BOOK)).status == 400, "another user's phonebook"
    await api.management.ask(users.change, 1, {"role": "viewer"})
    assert (await ann.send_file("/ui/imports/new", BAD, "a.csv", BOOK, token=token)).status == 403
    await until(lambda: not files(api))
    assert api.sql("SELECT count(*) FROM import_job") == [(0,)]
    assert api.sql("SELECT count(*) FROM audit_entry") == [(0,)]


@on_sqlite
@pytest.mark.parametrize(
    ("content", "fields", "problem"),
    [(b"", BOOK, "is empty"), (b"PK\x03\x04" + b"\0" * 50, BOOK, "Excel workbook"), (b"\n\n", BOOK, "is empty"),
     (BAD, {"target": ""}, "choose a phonebook or a list"), (BAD, {"target": "phonebook-77"}, "nothing here"),
     (BAD, {**BOOK, "like": "77"}, "nothing here"), (b'"open\n', BOOK, "a quote is not closed")],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_is_no_file_of_contacts_is_refused_and_does_not_stay(
    api: World, content: bytes, fields: dict[str, str], problem: str
) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    reply = await root.send_file("/ui/imports/new", content, "a.csv", fields)
    assert (reply.status in (400, 404), problem in seen(reply)) == (True, True), seen(reply)
    await until(lambda: not files(api))
    assert api.sql("SELECT count(*) FROM import_job") == [(0,)]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_body_is_taken_of_users_alone_and_up_to_a_length(tmp_path: Path, database_kind: str) -> None:
    async with world(tmp_path, evolve(MANY, max_import=100_000)) as api:
        await api.campaign(user="root")
        root = await signed_in(api)
        head = "POST /ui/imports/new HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        cookie = f"Cookie: dialer_session={root.cookies['dialer_session']}\r\n"
        for more, answer in (
            (f"Content-Length: 90000\r\nExpect: 100-continue\r\n{cookie}", b"HTTP/1.1 100 "),
            (f"Content-Length: 100001\r\nExpect: 100-continue\r\n{cookie}", b"HTTP/1.1 413 "),
            ("Content-Length: 90000\r\nExpect: 100-continue\r\n", b"HTTP/1.1 303 "),
        ):
            client = await connect(api)
            client.send(f"{head}{more}\r\n".encode())
            await until(lambda client=client: bool(client.received))
            assert client.received.startswith(answer), client.received
            client.transport.abortConnection()
        await until(lambda: not files(api))
        # Whatever else is sent to the page is as short as before.
        client = await connect(api)
        client.send(f"POST /ui/tokens/make HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n{cookie}\r\n".encode())
        await until(lambda: bool(client.received))
        assert client.received.startswith(b"HTTP/1.1 413 ")
        client.transport.abortConnection()


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_user_has_so_many_drafts_and_forgets_them(api: World) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    for _ in range(5):
        assert (await root.send_file("/ui/imports/new", BAD, "a.csv", BOOK)).status == 303
    reply = await root.send_file("/ui/imports/new", BAD, "a.csv", BOOK)
    assert (reply.status, "imports that wait to be started" in seen(reply)) == (400, True)
    assert (await root.send("/ui/imports/1/remove")).status == 303
    assert (await root.send("/ui/imports/2/cancel")).status == 303
    await until(lambda: files(api) == [".upload"] * 4)
    assert (await root.send_file("/ui/imports/new", BAD, "a.csv", BOOK)).status == 303
    assert (await root.send("/ui/imports/2/start", CHOSEN)).status == 400, "it was cancelled"


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_draft_that_nobody_starts_is_forgotten(api: World) -> None:
    from datetime import timedelta

    await api.campaign(user="root")
    root = await signed_in(api)
    await root.send_file("/ui/imports/new", BAD, "a.csv", BOOK)
    now = api.management.now()
    api.management.now = lambda: now + timedelta(days=31)
    assert api.management.imports is not None
    worker = ImportWorker(api.management, api.management.imports, "local", timedelta(days=30))
    worker.start()
    await until(lambda: api.sql("SELECT count(*) FROM import_job") == [(0,)])
    await worker.stop()


# --- live -------------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_progress_is_told_live_on_both_pages(api: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "EVERY", 0.05)
    await api.campaign(user="root")
    root = await signed_in(api)
    await root.send_file("/ui/imports/new", BAD, "a.csv", BOOK)
    one, all_ = await follow(api, root, "imports/1"), await follow(api, root, "imports")
    assert "waits to be started" in one.body
    await root.send("/ui/imports/1/start", CHOSEN)
    await one.until(lambda: "queued" in one.body)
    assert await root.token() in one.body, "the button to cancel it has its token"
    await taken(api)
    for page in (one, all_):
        await page.until(lambda page=page: ">finished<" in page.body)
    for page in (one, all_):
        await page.leave()
    query = urlencode({"before": "1"})
    assert "No file was sent yet." in seen(await root.get(f"/ui/imports?{query}"))
