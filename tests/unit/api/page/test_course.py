"""The course of an attempt, its recording, and the progress of a campaign over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import orjson
import pytest_twisted

from api.page.views.charts import hours_of_day
from api.v2 import downloads
from dialer.management import minutes, statistics
from dialer.management.management import Folders
from dialer.model import Account
from dialer.store import attempt_deliveries
from dialer.store import minutes as minutes_sql
from tests.grounds import on_sqlite, script
from tests.seeding import RECORDS
from tests.unit.api.page.browser import Browser, seen, signed_in, text_of
from tests.unit.api.v2.support import wav, with_files
from tests.unit.api.world import World

T = "2026-11-23 10:00:00.000000"
ANN = Account(id=1, username="ann")


async def called(api: World, count: int = 3, user: str = "ann") -> Browser:
    """So many calls to one contact of a campaign, and the browser of whom it belongs to."""
    await api.campaign(user=user)
    await api.contact("15551230001", user=user)
    script(api.database.url, RECORDS.replace(":count", str(count)).replace("'100', '100'", "'15551230001', '15551230001'"))
    api.sql("UPDATE attempt SET reason = 'busy: again in 60 s' WHERE call_uuid = 'call-1'")
    return await signed_in(api, user)


def delivery(api: World, webhook: int, attempts: str, at: str = T, status: str = "delivered") -> None:
    api.sql(
        "INSERT INTO webhook_delivery (webhook_id, events, attempts, status, tries, http_status, milliseconds, error, "
        "created_at, updated_at) VALUES (?, '[1]', ?, ?, 2, 204, 12, '', ?, ?)",
        webhook, attempts, status, at, at,
    )  # fmt: skip


def webhook(api: World, key: int, user: int) -> None:
    api.sql(
        "INSERT INTO webhook (id, user_id, url, kinds, batch_size, secret, old_secret, status, reason, position, created_at) "
        "VALUES (?, ?, ?, '*', 1, 's', '', 'active', '', 0, ?)",
        key, user, f"https://{key}.example.com/", T,
    )  # fmt: skip


# --- attempts ---------------------------------------------------------------------------------------------------------------


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_an_attempt_tells_why_it_was_made_and_to_whom_it_was_told(api: World) -> None:
    ann = await called(api)
    webhook(api, 1, 1)
    webhook(api, 2, 2)
    delivery(api, 1, "call-10")
    delivery(api, 1, "other call-2")
    delivery(api, 2, "call-2")
    delivery(api, 1, "call-2", "2026-11-24 12:00:00.000000", "dead")
    second = text_of(await ann.get("/ui/attempts/call-2"))
    assert "because the one before was decided so: busy: again in 60 s." in unescape(second)
    assert 'href="/ui/attempts/call-1"' in second
    assert second.count('class="step-told"') == 2
    assert "https://1.example.com/" in second
    assert "https://2.example.com/" not in second, "it is bob's"
    assert '"/ui/webhooks/1/deliveries/4/replay"' in second
    first = await ann.get("/ui/attempts/call-1")
    assert "its turn had come" in seen(first)
    assert "step-told" not in text_of(first), "call-10 is another one"
    root = await signed_in(api, "root")
    assert text_of(await root.get("/ui/attempts/call-2")).count('class="step-told"') == 3
    back = {"back": "/ui/attempts/call-2"}
    assert (await root.send("/ui/webhooks/1/deliveries/4/replay", back)).status == 400, "its event is not kept any more"
    api.sql(
        "INSERT INTO event (id, kind, at, user_id, campaign_id, contact_id, attempt_id, call_uuid, sequence, version, data) "
        f"VALUES (1, 'attempt.ended', '{T}', 1, 1, 1, 1, 'call-2', 5, 1, '{{}}')"
    )
    moved = await root.send("/ui/webhooks/1/deliveries/4/replay", back)
    assert moved.headers["location"] == "/ui/attempts/call-2?done=replayed"
    elsewhere = await root.send("/ui/webhooks/1/deliveries/4/replay", {"back": "https://evil.example/"})
    assert elsewhere.headers["location"] == "/ui/webhooks/1?done=replayed"


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_deliveries_are_found_around_the_call_and_among_the_newest(api: World, monkeypatch: Any) -> None:
    await called(api)
    webhook(api, 1, 1)
    monkeypatch.setattr(attempt_deliveries, "LOOKED_AT", 3)
    begin = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    for minute in range(40):
        told = "wanted" if minute in (0, 20, 21, 30, 38) else "another"
        delivery(api, 1, told, f"{begin + timedelta(minutes=minute):%Y-%m-%d %H:%M:%S}.000000")

    def found(moments: list[datetime]) -> Any:
        def look(connection: Any) -> list[int]:
            return [each.delivery.id for each in attempt_deliveries.of_attempt(connection, "wanted", moments, 1)]

        return api.database.run(look)

    assert await found([begin + timedelta(minutes=20)]) == [21, 22, 39]
    assert await found([begin + timedelta(minutes=20), begin + timedelta(minutes=21)]) == [21, 22, 39]
    assert await found([]) == [39]
    assert await found([begin - timedelta(days=1)]) == [1, 39]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_recording_is_heard_in_parts_by_those_who_may_see_the_call(api: World) -> None:
    ann = await called(api)
    with_files(api)
    sound = wav()
    page = text_of(await ann.get("/ui/attempts/call-1"))
    assert '<audio controls preload="none" src="/ui/attempts/call-1/recording"' in page
    whole = await ann.get("/ui/attempts/call-1/recording")
    assert (whole.status, whole.text, whole.headers["content-type"]) == (200, sound, "audio/wav")
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-disposition"] == 'inline; filename="call-1.wav"'
    part = await ann.get("/ui/attempts/call-1/recording", Range="bytes=4-7")
    assert (part.status, part.text, part.headers["content-range"]) == (206, sound[4:8], f"bytes 4-7/{len(sound)}")
    beyond = await ann.get("/ui/attempts/call-1/recording", Range="bytes=999999-")
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{len(sound)}")
    kept = await ann.get("/ui/attempts/call-1/recording?download=1")
    assert kept.headers["content-disposition"] == 'attachment; filename="call-1.wav"'
    same = await ann.get("/ui/attempts/call-1/recording", **{"If-None-Match": whole.headers["etag"]})
    assert (same.status, same.text) == (304, b"")
    assert (await (await signed_in(api, "bob")).get("/ui/attempts/call-1/recording")).status == 404
    nobody = await Browser(api).get("/ui/attempts/call-1/recording")
    assert (nobody.status, nobody.headers["location"].partition("?")[0]) == (303, "/ui/sign-in")
    assert (await ann.get("/ui/attempts/call-2/recording")).status == 404
    assert "<audio" not in text_of(await ann.get("/ui/attempts/call-2"))
    assert (await ann.send("/ui/attempts/call-1/recording/remove")).status == 303
    assert (await ann.get("/ui/attempts/call-1/recording")).status == 404
    assert "attempts.recording.remove" in seen(await ann.get("/ui/audit"))
    api.management.folders = Folders()
    assert (await ann.get("/ui/attempts/call-1/recording")).status == 409


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_user_is_sent_so_many_recordings_at_once(api: World, monkeypatch: Any) -> None:
    ann = await called(api)
    with_files(api)
    monkeypatch.setattr(downloads, "MOST", 1)
    for _ in range(3):
        assert (await ann.get("/ui/attempts/call-1/recording")).status == 200, "each is counted while it is sent"
    monkeypatch.setattr(downloads, "MOST", 0)
    assert (await ann.get("/ui/attempts/call-1/recording")).status == 429


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_an_attempt_to_what_is_no_number_any_more_is_shown(api: World) -> None:
    ann = await called(api, 2)
    api.sql("UPDATE attempt SET number = 'x', identity = 'x'")
    assert (await ann.get("/ui/attempts/call-2")).status == 200


# --- progress ---------------------------------------------------------------------------------------------------------------


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_the_last_hour_is_counted_by_the_minute(api: World, monkeypatch: Any) -> None:
    ann = await called(api, 5)
    for number, at in enumerate(("08:30:00", "09:30:10", "09:30:20", "09:45:00", "09:45:30"), start=1):
        api.sql(f"UPDATE attempt SET planned_at = '2026-11-23 {at}.000000' WHERE call_uuid = 'call-{number}'")
    api.sql("UPDATE attempt SET answered_at = NULL WHERE call_uuid = 'call-2'")
    found = await api.management.ask(minutes.of_campaign, ANN, 1)
    assert [(each.at.strftime("%H:%M"), each.attempts, each.answered) for each in found] == [("09:30", 2, 1), ("09:45", 2, 2)]
    page = text_of(await ann.get("/ui/campaigns/1"))
    chart = next(
        data for data in (orjson.loads(unescape(part.partition('"')[0])) for part in page.split('data-chart="')[1:])
        if data["step"] == 60
    )  # fmt: skip
    assert (len(chart["x"]), chart["series"][0]["values"][:2], chart["series"][1]["values"][15]) == (31, [2, 0], 2)
    assert "09:45" in seen(await ann.get("/ui/campaigns/1")), "without scripts, a table"
    monkeypatch.setattr(minutes_sql, "NEWEST", 3)
    assert [each.attempts for each in await api.management.ask(minutes.of_campaign, ANN, 1)] == [2], "no half a minute"


@pytest_twisted.ensureDeferred
async def test_a_campaign_that_has_not_called_says_so(api: World) -> None:
    await api.campaign(user="ann")
    ann = await signed_in(api, "ann")
    assert "It has not called in the last hour." in seen(await ann.get("/ui/campaigns/1"))
    assert await api.management.ask(minutes.of_campaign, ANN, 1) == []


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_hours_of_the_day_are_those_of_the_clock_of_the_campaign(api: World) -> None:
    await called(api, 3)
    found = await statistics.of_campaign(api.management, ANN, 1)
    for zone, hour in (("UTC", 10), ("America/New_York", 5), ("Asia/Kolkata", 15)):
        (told,) = hours_of_day(found, zone)
        assert (told.hour, told.sums.attempts, told.part) == (hour, 3, 100.0)
