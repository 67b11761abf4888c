"""The pages of what calls are made with: gateways, switches, voice applications with their sounds; and single calls."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest_twisted

from api.page.views import voice_applications
from dialer.management import gateway_ends
from dialer.management.management import Folders
from dialer.model import Account, GatewayHealth
from tests.grounds import on_postgresql, on_sqlite, script
from tests.seeding import RECORDS
from tests.unit.api.page.browser import seen, signed_in, text_of
from tests.unit.api.v2.support import wav, with_files
from tests.unit.api.world import NOW, World

T = "2026-11-23 10:00:00.000000"
CALL = {"number": "+1 555 123 0005", "gateway_id": "1", "voip_app_id": "1", "starting_at": "", "reference": "order 7"}


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_gateway_shows_its_health_and_how_the_newest_calls_ended(api: World) -> None:
    await api.campaign()
    await api.contact("15551230001")
    script(api.database.url, RECORDS.replace(":count", "6").replace("'100', '100'", "'15551230001', '15551230001'"))
    api.sql("UPDATE attempt SET planned_at = '2026-11-23 09:50:00.000000'")
    busy = "disposition = 'BUSY', cause = 'USER_BUSY', sip_status = 486"
    api.sql(f"UPDATE attempt SET {busy} WHERE call_uuid IN ('call-1', 'call-2')")
    api.sql("UPDATE attempt SET planned_at = '2026-11-23 09:40:00.000000' WHERE call_uuid = 'call-6'")
    api.flow.healths[1] = GatewayHealth(faults=3, cause="GATEWAY_DOWN", until=NOW + timedelta(minutes=1))
    ann = await signed_in(api, "ann")
    page = " ".join(seen(await ann.get("/ui/gateways/1/health")).split())
    assert "left alone: it failed" in page
    assert "3 · GATEWAY_DOWN" in page
    assert "until 2026-11-23 10:01:00 UTC" in page
    assert "answered NORMAL_CLEARING 200 3 60 %" in page
    assert "busy USER_BUSY 486 2 40 %" in page
    other = Account(id=2, username="bob")
    assert await api.management.ask(gateway_ends.of_late, other, 1) == [], "of the calls of others, nothing"
    assert (await (await signed_in(api, "bob")).get("/ui/gateways/9/health")).status == 404
    assert '"/ui/gateways/1/health"' in text_of(await ann.get("/ui/gateways"))


@pytest_twisted.ensureDeferred
async def test_a_superuser_sees_switches_and_dialers_and_forgets_dead_ones(api: World) -> None:
    for name, stopped in (("gone", f"'{T}'"), ("dead", "NULL")):
        api.sql(
            "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits, "
            f"figures, stopped_at) VALUES ('{name}', 1, 'h', 1, '1', '{{\"far\": \"c\"}}', 0, '{T}', '{T}', '{T}', 0, '{{}}', "
            f"{stopped})"
        )
    root = await signed_in(api)
    page = text_of(await root.get("/ui/switches"))
    assert "no dialer is connected" in page
    assert '"/ui/switches/nodes/gone/remove"' in page
    assert (await root.send("/ui/switches/nodes/gone/remove")).status == 303
    assert "gone" not in text_of(await root.get("/ui/switches"))
    assert (await root.send("/ui/switches/nodes/nobody/remove")).status == 404
    assert "switches.nodes.remove" in seen(await root.get("/ui/audit"))
    ann = await signed_in(api, "ann")
    assert (await ann.get("/ui/switches")).status == 403
    assert "/ui/switches" not in text_of(await ann.get("/ui/"))


@pytest_twisted.ensureDeferred
async def test_a_switch_is_drained_for_all_dialers_and_taken_back(api: World) -> None:
    api.sql(
        "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits, "
        f"figures) VALUES ('n', 1, 'h', 1, '1', '{{\"a:8021\": \"c\", \"far\": \"d\"}}', 1, '{T}', '{T}', '{T}', 0, '{{}}')"
    )
    api.flow.switches["a:8021"] = True
    root, ann = await signed_in(api), await signed_in(api, "ann")
    page = await root.get("/ui/switches")
    assert '"/ui/switches/a%3A8021/drain"' in text_of(page)
    assert "drained by the configuration of this dialer" in seen(page)
    assert (await ann.send("/ui/switches/far/drain")).status == 403
    assert (await root.send("/ui/switches/nowhere/drain")).status == 404
    assert api.sql("SELECT count(*) FROM switch_drain") == [(0,)]
    looks = api.flow.looks
    assert (await root.send("/ui/switches/far/drain")).status == 303
    assert api.flow.looks == looks + 1
    assert api.sql("SELECT switch, drained_by FROM switch_drain") == [("far", "root")]
    page = await root.get("/ui/switches")
    assert '"/ui/switches/far/resume"' in text_of(page)
    assert "drained by root, since 2026-11-23 10:00:00" in " ".join(seen(page).split())
    assert (await root.send("/ui/switches/far/resume")).status == 303
    assert api.sql("SELECT count(*) FROM switch_drain") == [(0,)]
    assert api.sql("SELECT action, subject FROM audit_entry ORDER BY id") == [
        ("switches.drain", "switch far"),
        ("switches.resume", "switch far"),
    ]


@on_postgresql
@pytest_twisted.ensureDeferred
async def test_a_dialer_that_is_at_work_is_not_forgotten(api: World) -> None:
    far = "2999-01-01 00:00:00.000000"
    api.sql(
        "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits, "
        f"figures) VALUES ('busy', 1, 'h', 1, '1', '{{}}', 1, '{T}', '{far}', '{far}', 0, '{{}}')"
    )
    root = await signed_in(api)
    assert '"/ui/switches/nodes/busy/remove"' not in text_of(await root.get("/ui/switches"))
    reply = await root.send("/ui/switches/nodes/busy/remove")
    assert reply.status == 409
    assert api.sql("SELECT count(*) FROM node WHERE name = 'busy'") == [(1,)]


@pytest_twisted.ensureDeferred
async def test_voice_applications_are_kept_by_a_form_that_says_what_is_wrong(api: World) -> None:
    root = await signed_in(api)
    form = {"name": "menu", "description": "", "type": "speak", "gateway_id": "", "data": "Hello"}
    assert (await root.send("/ui/voice-applications/new", {**form, "data": "a $ b"})).status == 400
    assert (await root.send("/ui/voice-applications/new", form)).status == 303
    assert (await root.send("/ui/voice-applications/new", form)).status == 400, "the name is taken"
    ((key,),) = api.sql("SELECT id FROM voip_app WHERE name = 'menu'")
    at = f"/ui/voice-applications/{key}"
    assert (await root.send(f"{at}/settings", {**form, "data": "Good day"})).status == 303
    assert api.sql("SELECT data FROM voip_app WHERE name = 'menu'") == [("Good day",)]
    await api.campaign(user="root")
    assert "cannot be removed" in seen(await root.send("/ui/voice-applications/1/remove"))
    assert (await root.send(f"{at}/remove")).status == 303
    assert (await root.get(at)).status == 404
    ann = await signed_in(api, "ann")
    assert "Default_VoIP_App" in seen(await ann.get("/ui/voice-applications"))
    assert (await ann.get("/ui/voice-applications/1")).status == 403


@pytest_twisted.ensureDeferred
async def test_sounds_are_heard_by_all_and_removed_by_a_superuser(api: World) -> None:
    with_files(api)
    ann, root = await signed_in(api, "ann"), await signed_in(api)
    assert 'src="/ui/sounds/hello.wav"' in text_of(await ann.get("/ui/voice-applications"))
    part = await ann.get("/ui/sounds/hello.wav", Range="bytes=0-3")
    assert (part.status, part.text, part.headers["content-type"]) == (206, wav()[:4], "audio/wav")
    for name in ("..%2F..%2Fetc%2Fpasswd", "call-1.wav", "%00", "x.exe"):
        assert (await ann.get(f"/ui/sounds/{name}")).status == 404, name
    assert (await ann.send("/ui/sounds/hello.wav/remove")).status == 403
    assert (await root.send("/ui/sounds/hello.wav/remove")).status == 303
    assert (await ann.get("/ui/sounds/hello.wav")).status == 404
    api.management.folders = Folders()
    assert "apps.sounds: names no folder" in seen(await ann.get("/ui/voice-applications"))


@pytest_twisted.ensureDeferred
async def test_a_sound_is_sent_and_looked_at(api: World, monkeypatch: Any) -> None:
    folder = with_files(api)
    ann, root = await signed_in(api, "ann"), await signed_in(api)
    at = "/ui/sounds/upload"
    assert (await root.send_file(at, wav(), "menu.wav", {})).status == 303
    assert (folder / "sounds" / "menu.wav").read_bytes() == wav()
    assert (await root.send_file(at, wav(), "menu.wav", {})).status == 409, "it is there"
    more = {"name": "menu.wav", "replace": "1"}
    assert (await root.send_file(at, wav(0.2), "x.wav", more)).status == 303
    assert (folder / "sounds" / "menu.wav").read_bytes() == wav(0.2)
    for content, name in ((b"#!/bin/sh", "evil.wav"), (wav(), "../evil.wav"), (wav(), "evil.sh"), (wav(), "evil.ogg")):
        assert (await root.send_file(at, content, "x.wav", {"name": name})).status == 400, name
    monkeypatch.setattr(voice_applications, "LARGEST", 10)
    assert (await root.send_file(at, wav(), "large.wav", {})).status == 400
    assert (await ann.send_file(at, wav(), "ann.wav", {})).status == 403
    assert sorted(path.name for path in (folder / "sounds").iterdir()) == ["hello.wav", "menu.wav"]
    assert [subject for (subject,) in api.sql("SELECT subject FROM audit_entry ORDER BY id")] == ["sound menu.wav"] * 2
    assert list(api.management.imports.path.iterdir()) == [], "what came is not kept"


# --- single calls -----------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_a_number_is_called_from_the_page_and_the_call_cancelled(api: World) -> None:
    ann = await signed_in(api, "ann")
    form: dict[str, Any] = {**CALL, "voip_app_data": "", "caller_id": "", "caller_name": "Ana", "purpose": "debt"}
    assert (await ann.send("/ui/calls/new", form)).headers["location"] == "/ui/calls?done=call-made"
    assert api.sql("SELECT number FROM contact") == [("+15551230005",)]
    assert api.sql("SELECT max_retry, single FROM campaign") == [(0, 1)], "it is made once"
    page = seen(await ann.get("/ui/calls"))
    assert "+15551230005" in page
    assert "order 7" in page
    assert "waits" in page
    assert api.flow.looks
    assert (await (await signed_in(api, "bob")).send("/ui/calls/1/cancel")).status == 404
    assert (await ann.send("/ui/calls/1/cancel")).status == 303
    assert "cancelled" in seen(await ann.get("/ui/calls"))
    actions = api.sql("SELECT action, subject FROM audit_entry ORDER BY id")
    assert actions == [("calls.new", "call to +1 555 123 0005"), ("calls.cancel", "call 1")]


@pytest_twisted.ensureDeferred
async def test_a_form_that_comes_twice_calls_once(api: World) -> None:
    ann = await signed_in(api, "ann")
    forms = re.findall(r'name="once" value="(\w+)"', text_of(await ann.get("/ui/calls")) + text_of(await ann.get("/ui/calls")))
    for once in (forms[0], forms[0], forms[1], "", ""):
        reply = await ann.send("/ui/calls/new", {**CALL, "once": once})
        assert reply.headers["location"] == "/ui/calls?done=call-made"
    assert api.sql("SELECT count(*) FROM campaign WHERE single = 1") == [(4,)]
    assert api.sql("SELECT count(*) FROM audit_entry WHERE action = 'calls.new'") == [(4,)]


@pytest_twisted.ensureDeferred
async def test_a_call_that_may_not_be_made_is_told_at_the_field(api: World) -> None:
    ann = await signed_in(api, "ann")
    for given, told in (
        ({"number": "nonsense"}, "is not a number"),
        ({"number": "112"}, "emergency"),
        ({"gateway_id": "99"}, "nothing here"),
        ({"starting_at": "noon"}, "expected a date and a time"),
    ):
        before = api.dump()
        reply = await ann.send("/ui/calls/new", {**CALL, **given})
        assert (reply.status, told in seen(reply)) == (400, True), given
        assert api.dump() == before
    made = await signed_in(api, "root")
    api.sql("UPDATE user_account SET role = 'viewer' WHERE id = 1")
    assert (await (await signed_in(api, "ann")).send("/ui/calls/new", CALL)).status == 403
    assert "Call a number" in seen(await made.get("/ui/calls"))
    assert "Call a number" not in seen(await (await signed_in(api, "ann")).get("/ui/calls"))


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_campaign_that_was_removed_leads_to_its_attempts(api: World) -> None:
    await api.campaign()
    await api.contact("15551230001")
    script(api.database.url, RECORDS.replace(":count", "2").replace("'100', '100'", "'15551230001', '15551230001'"))
    assert (await api.ask("DELETE", "campaign/1/")).status == 204
    ann, bob = await signed_in(api, "ann"), await signed_in(api, "bob")
    reply = await ann.get("/ui/campaigns/1")
    assert (reply.status, reply.headers["location"]) == (303, "/ui/attempts?campaign=1")
    assert text_of(await ann.get("/ui/attempts?campaign=1")).count("15551230001") >= 2
    assert [(await browser.get(path)).status for browser, path in ((ann, "/ui/campaigns/9"), (bob, "/ui/campaigns/1"))] == [
        404, 404,
    ]  # fmt: skip
