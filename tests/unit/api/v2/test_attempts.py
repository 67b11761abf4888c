"""The records of calls: found by what is known of them, page by page, and as a file."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import evolve

from api.v2.downloads import MOST
from dialer.management.call_records import NAMES
from tests.unit.api.raw import connect
from tests.unit.api.test_streamed_answers import until
from tests.unit.api.v2.support import Client, pointers, problem
from tests.unit.api.world import MANY, World, basic, world

ROW = (
    "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
    "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, answered_at, ended_at, cause, "
    "disposition, counts_as_attempt, duration_ms, session) "
    "VALUES (?, ?, ?, 1, ?, ?, 'x', 1, 'ended', 'local', 1, '', ?, ?, ?, ?, ?, ?, ?, 1, 5, '{}')"
)


def moment(day: int, hour: int = 10) -> str:
    return f"2026-11-{day:02} {hour:02}:00:00.000000"


def add(api: World, uuid: str, campaign: int, day: int, *, cause: str = "USER_BUSY", hour: int = 10) -> None:
    """An attempt of the campaign, to its contact; subscribers have the ids of their campaigns."""
    disposition = {"USER_BUSY": "BUSY", "NORMAL_CLEARING": "ANSWERED"}[cause]
    at, number = moment(day, hour), f"1555123000{campaign}"
    answered = at if disposition == "ANSWERED" else None
    api.sql(ROW, uuid, campaign, campaign, number, number, at, at, at, answered, at, cause, disposition)


async def furnished(api: World) -> Client:
    """Two campaigns of ann's with three attempts, in between each other, and one of bob's with two. Returns ann."""
    for campaign, (user, name) in enumerate((("ann", "spring"), ("ann", "autumn"), ("bob", "winter")), 1):
        made = await api.campaign(name, user=user)
        book = api.sql("SELECT max(id) FROM phonebook")[0][0]
        await api.contact(f"+1555123000{campaign}", phonebook_id=book, user=user)
        assert made["id"] == campaign
    add(api, "late", 1, 20)
    add(api, "first", 1, 1)
    add(api, "second", 2, 2, cause="NORMAL_CLEARING")
    add(api, "third", 1, 3, cause="NORMAL_CLEARING")
    add(api, "bobs", 3, 2)
    add(api, "fourth", 2, 4)
    add(api, "bobs too", 3, 5, cause="NORMAL_CLEARING")
    return Client(api)


async def listed(client: Client, query: str, limit: int = 100) -> list[str]:
    """All pages."""
    found, cursor = [], ""
    while cursor is not None:
        page = (await client.get(f"attempts?limit={limit}&{query}{cursor and f'&cursor={cursor}'}")).json
        found += [each["attempt_id"] for each in page["data"]]
        cursor = page["next_cursor"]
    return found


OWN = ["first", "second", "third", "fourth", "late"]


@pytest_twisted.ensureDeferred
async def test_those_of_ones_own_campaigns_come_in_the_order_of_their_begin(api: World) -> None:
    ann = await furnished(api)
    everybody = ["first", "second", "bobs", "third", "fourth", "bobs too", "late"]
    for limit in (1, 2, 3, 100):
        assert await listed(ann, "", limit) == OWN
        assert await listed(ann, "sort=-planned_at", limit) == OWN[::-1]
        assert await listed(ann.of("bob"), "", limit) == ["bobs", "bobs too"]
        assert await listed(ann.of("root"), "", limit) == everybody
        assert await listed(ann.of("root"), "sort=-planned_at", limit) == everybody[::-1]


FILTERS = [
    ("campaign_id=1", ["first", "third", "late"]),
    ("campaign_id=1&sort=-planned_at", ["late", "third", "first"]),
    ("number=%2B1-555-123-0001", ["first", "third", "late"]),
    ("number=0015551230001&sort=-planned_at", ["late", "third", "first"]),
    ("number=15551230001&campaign_id=2", []),
    ("number=15551230003", []),
    ("disposition=ANSWERED", ["second", "third"]),
    ("cause=USER_BUSY", ["first", "fourth", "late"]),
    ("answered=yes", ["second", "third"]),
    ("answered=no", ["first", "fourth", "late"]),
    ("answered=no&campaign_id=2", ["fourth"]),
    ("ended=yes", OWN),
    ("ended=no", []),
    ("gateway_id=1", OWN),
    ("gateway_id=2", []),
    ("since=2026-11-02T10:00:00Z&until=2026-11-04T10:00:00Z", ["second", "third"]),
    ("since=2026-11-03T11:00:00%2B01:00", ["third", "fourth", "late"]),
    ("until=2026-11-03T10:00:00Z&sort=-planned_at", ["second", "first"]),
    ("since=2026-11-02T10:00:00Z&campaign_id=1", ["third", "late"]),
    ("until=2026-11-03T10:00:00Z&campaign_id=1&sort=-planned_at", ["first"]),
    ("since=2026-11-02T10:00:00Z&number=15551230001&cause=USER_BUSY", ["late"]),
]


@pytest.mark.parametrize(("query", "found"), FILTERS)
@pytest_twisted.ensureDeferred
async def test_they_are_found_by_what_is_known_of_them(api: World, query: str, found: list[str]) -> None:
    ann = await furnished(api)
    for limit in (1, 2, 100):
        assert await listed(ann, query, limit) == found


@pytest_twisted.ensureDeferred
async def test_those_of_many_campaigns_are_found_among_all_without_a_look_into_each(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await furnished(api)
    expected = [(query, await listed(ann, query)) for query in ("", "sort=-planned_at", *(query for query, _ in FILTERS))]
    monkeypatch.setattr("dialer.store.call_records.MOST_MERGED", 1)
    monkeypatch.setattr("dialer.store.call_records.firsts", None)
    for query, found in expected:
        for limit in (1, 100):
            assert await listed(ann, query, limit) == found, query


@pytest_twisted.ensureDeferred
async def test_a_search_among_many_goes_on_with_its_next_page(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.store.call_records.MOST_LOOKED_AT", 2)
    monkeypatch.setattr("dialer.management.call_records.MOST_STEPS", 1)
    ann = await furnished(api)
    page = (await ann.get("attempts?cause=USER_BUSY&limit=2")).json
    assert ([each["attempt_id"] for each in page["data"]], page["has_more"]) == (["first"], True)
    for limit in (1, 2, 100):
        assert await listed(ann, "cause=USER_BUSY", limit) == ["first", "fourth", "late"]
        assert await listed(ann.of("root"), "cause=USER_BUSY&sort=-planned_at", limit) == ["late", "fourth", "bobs", "first"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("campaign_id=3", "campaign_id"),
        ("campaign_id=77", "campaign_id"),
        ("campaign_id=x", "campaign_id"),
        ("number=nobody", "number"),
        ("disposition=GREAT", "disposition"),
        ("since=yesterday", "since"),
        ("answered=perhaps", "answered"),
        ("sort=name", "sort"),
        ("format=xml", "format"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_cannot_be_meant_is_named_before_anything_is_sent(api: World, query: str, parameter: str) -> None:
    ann = await furnished(api)
    reply = await ann.get(f"attempts/export?{query}")
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), [parameter])


@pytest_twisted.ensureDeferred
async def test_a_campaign_that_was_removed_can_be_asked_for(api: World) -> None:
    ann = await furnished(api)
    api.sql("UPDATE campaign SET archived_at = ?, status = 3 WHERE id = 1", moment(21))
    assert await listed(ann, "campaign_id=1") == ["first", "third", "late"]
    assert await listed(ann, "") == OWN


@pytest_twisted.ensureDeferred
async def test_a_cursor_belongs_to_its_filters(api: World) -> None:
    ann = await furnished(api)
    cursor = (await ann.get("attempts?limit=1")).json["next_cursor"]
    reply = await ann.get(f"attempts?limit=1&answered=yes&cursor={cursor}")
    assert problem(reply) == (400, "bad-cursor")


# --- as a file --------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_file_has_them_all_and_its_columns_are_those_of_the_command(api: World, monkeypatch: Any) -> None:
    monkeypatch.setattr("api.v2.resources.attempts.AT_ONCE", 2)
    ann = await furnished(api)
    reply = await ann.get("attempts/export")
    assert reply.headers["content-disposition"] == 'attachment; filename="attempts.csv"'
    header, *rows = csv.reader(io.StringIO(reply.text.decode()))
    assert tuple(header) == NAMES
    assert [row[1] for row in rows] == OWN
    reply = await ann.get("attempts/export?format=jsonl&answered=yes&sort=-planned_at")
    assert reply.headers["content-type"] == "application/jsonl"
    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert [line["attempt_id"] for line in lines] == ["third", "second"]
    assert lines[0] == (await ann.get("attempts/third")).json


@pytest_twisted.ensureDeferred
async def test_an_empty_file_has_its_header(api: World) -> None:
    ann = await furnished(api)
    assert (await ann.get("attempts/export?ended=no")).text.decode() == ",".join(NAMES) + "\r\n"
    assert (await ann.get("attempts/export?ended=no&format=jsonl")).text == b""


@pytest.mark.parametrize(("accepted", "status"), [("text/csv", 200), ("text/*", 200), ("*/*", 200), ("application/json", 406)])
@pytest_twisted.ensureDeferred
async def test_a_client_may_say_what_it_takes(api: World, accepted: str, status: int) -> None:
    ann = await furnished(api)
    assert (await ann.get("attempts/export", headers={"Accept": accepted})).status == status


def asked(user: str = "ann") -> bytes:
    return f"GET /api/v2/attempts/export HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(user, user)}\r\n\r\n".encode()


@pytest_twisted.ensureDeferred
async def test_so_many_files_are_sent_to_a_user_at_a_time(tmp_path: Path, monkeypatch: Any) -> None:
    """Readers that stall hold theirs until they are cut off."""
    monkeypatch.setattr("api.v2.resources.attempts.AT_ONCE", 1)
    async with world(tmp_path, evolve(MANY, idle_timeout=3.0)) as api:
        ann = await furnished(api)
        api.sql("UPDATE attempt SET reason = ?", "x" * 8_000_000)
        clients = [await connect(api) for _ in range(MOST)]
        for client in clients:
            transport: Any = client.transport
            transport.pauseProducing()
            client.send(asked())
        await until(lambda: sum(channel.answering for channel in api.site._channels) == MOST)
        reply = await ann.get("attempts/export?ended=no")
        assert (problem(reply), reply.headers["retry-after"]) == ((429, "too-many-requests"), "5")
        assert (await ann.of("bob").get("attempts/export?ended=no")).status == 200
        assert (await ann.get("attempts?limit=1&ended=no")).status == 200
        for client in clients:
            transport = client.transport
            transport.abortConnection()
            await client.closed
        await until(lambda: not any(channel.answering for channel in api.site._channels if not channel.idle))
        assert (await ann.get("attempts/export?ended=no")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_database_that_goes_away_cuts_the_file_off(api: World, monkeypatch: Any) -> None:
    from dialer.errors import StoreError
    from dialer.store import call_records

    monkeypatch.setattr("api.v2.resources.attempts.AT_ONCE", 1)
    await furnished(api)
    real, calls = call_records.step, []

    def step(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 3:
            raise StoreError("away")
        return real(*args)

    monkeypatch.setattr("dialer.store.call_records.step", step)
    client = await connect(api)
    client.send(asked())
    received = await client.closed
    assert not received.endswith(b"0\r\n\r\n")
    monkeypatch.undo()
    assert (await Client(api).get("attempts/export")).status == 200
