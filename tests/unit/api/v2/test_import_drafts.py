"""Imports that wait until somebody says which column is what, and starts them."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from tests.grounds import on_sqlite
from tests.unit.api.page.browser import signed_in
from tests.unit.api.v2.support import Client, pointers, problem
from tests.unit.api.v2.test_imports import ended, send, until, working
from tests.unit.api.world import World

FILE = "Phone,Name,Notes\n0151 23456789,Ana,a\nnonsense,Ben,b\n"
MAPPING = {"contact": "Phone", "first_name": "Name", "-": "3"}


async def drafted(api: World) -> Client:
    """Whom the campaign belongs to that has a draft."""
    await api.campaign()
    ann = Client(api)
    reply = await send(ann, FILE, draft="yes")
    assert (reply.status, reply.json["state"], reply.json["rows"]) == (202, "draft", 0)
    return ann


def state(api: World) -> str:
    return str(api.sql("SELECT state FROM import_job WHERE id = 1")[0][0])


@pytest_twisted.ensureDeferred
async def test_a_draft_is_tried_corrected_and_taken(api: World) -> None:
    ann = await drafted(api)
    async with working(api):
        first = (await ann.post("imports/1/start", {"mapping": MAPPING, "dry_run": True})).json
        assert (first["dry_run"], first["mapping"]) == (True, MAPPING)
        await until(lambda: state(api) == "draft")
        tried = (await ann.get("imports/1")).json
        assert (tried["taken"], tried["refused"], tried["reasons"]) == (1, 1, {"no number": 1})
        assert api.sql("SELECT count(*) FROM contact") == [(0,)]
        second = (await ann.post("imports/1/start", {"region": "DE"})).json
        assert (second["mapping"], second["region"], second["dry_run"]) == (MAPPING, "DE", False), "the others stay"
        found = await ended(ann, 1)
    assert (found["state"], found["taken"], found["refused"]) == ("finished", 1, 1)
    assert api.sql("SELECT number, first_name FROM contact") == [("+4915123456789", "Ana")]
    assert problem(await ann.post("imports/1/start")) == (409, "wrong-state")


@pytest_twisted.ensureDeferred
async def test_a_draft_of_the_page_is_started_by_a_program_and_the_other_way_round(api: World) -> None:
    ann = await drafted(api)
    page = await signed_in(api, "ann")
    form = {"column-0": "contact", "column-1": "first_name", "column-2": "leave-out", "header": "0,1", "doubles": "keep"}
    assert (await page.send("/ui/imports/1/start", form)).status == 303
    assert (await page.send_file("/ui/imports/new", FILE.encode(), "a.csv", {"target": "phonebook-1"})).status == 303
    started = await ann.post("imports/2/start", {"mapping": MAPPING})
    assert (started.status, started.json["state"], started.json["mapping"]) == (200, "queued", MAPPING)


@on_sqlite
@pytest.mark.parametrize(
    ("given", "pointer"),
    [({"mapping": {"contact": "Telephone"}}, "#/mapping"),
     ({"mapping": {"contact": "Phone", "first_name": "Phone"}}, "#/mapping"),
     ({"mapping": {"contact": "Phone", "-": "9"}}, "#/mapping"), ({"mapping": {"first_name": "Phone"}}, "#/header"),
     ({"header": False, "mapping": {"contact": "Phone"}}, "#/mapping"), ({"region": "XX"}, "#/region"),
     ({"encoding": "klingon"}, "#/encoding"), ({"doubles": "both"}, "#/doubles"), ({"phonebook_id": 1}, "#/phonebook_id"),
     ({"mapping": "contact=Phone"}, "#/mapping"), ({"dry_run": "yes"}, "#/dry_run")],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_meant_starts_nothing(api: World, given: dict[str, Any], pointer: str) -> None:
    ann = await drafted(api)
    before = api.sql("SELECT * FROM import_job")
    reply = await ann.post("imports/1/start", given)
    assert (reply.status, pointers(reply)) == (400, [pointer]), reply.json
    assert api.sql("SELECT * FROM import_job") == before


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_file_that_is_none_is_no_draft_and_a_draft_is_not_tried_at_once(api: World) -> None:
    await api.campaign()
    ann = Client(api)
    assert (await send(ann, "", draft="yes")).status == 400
    reply = await send(ann, FILE, draft="yes", dry_run="yes")
    assert (reply.status, pointers(reply)) == (400, ["dry_run"])
    assert api.sql("SELECT count(*) FROM import_job") == [(0,)]
    for _ in range(5):
        assert (await send(ann, FILE, draft="yes")).status == 202
    assert problem(await send(ann, FILE, draft="yes")) == (403, "limit-exceeded")
    assert (await send(ann, FILE, mapping="contact=Phone")).status == 202, "these are counted by themselves"


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_request_that_comes_again_starts_a_draft_once(api: World) -> None:
    ann = await drafted(api)
    key = {"Idempotency-Key": "one"}
    first = await ann.post("imports/1/start", {"mapping": MAPPING}, headers=key)
    again = await ann.post("imports/1/start", {"mapping": MAPPING}, headers=key)
    assert (again.status, again.json) == (200, first.json)
    assert again.headers["idempotent-replayed"] == "true"
