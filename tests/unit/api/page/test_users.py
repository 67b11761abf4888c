"""Users on the page: kept by admins, who cannot lock themselves out, and never by chance sign themselves out."""

from __future__ import annotations

import re

import pytest
import pytest_twisted

from dialer.management import page_sessions, users
from tests.grounds import on_sqlite
from tests.unit.api.page.browser import Browser, seen, signed_in, text_of
from tests.unit.api.v2.support import Client
from tests.unit.api.world import World, cheap_hash

EVE = {"username": "eve", "role": "operator", "is_superuser": "0", "is_active": "1", "password": "a password of eve"}


@pytest_twisted.ensureDeferred
async def test_a_user_that_is_not_there_is_not_found_and_nobody_is_signed_out(api: World) -> None:
    root = await signed_in(api)
    for reply in (
        await root.get("/ui/users/99"),
        await root.send("/ui/users/99/settings", {"max_frequency": "5"}),
        await root.send("/ui/users/99/grants", {"gateways": "1"}),
    ):
        assert (reply.status, reply.cookies) == (404, ())
    assert (await root.get("/ui/")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_user_is_locked_and_unlocked(api: World) -> None:
    root = await signed_in(api)
    for active in ("0", "1"):
        reply = await root.send("/ui/users/1/settings", {"username": "ann", "is_active": active})
        assert reply.headers["location"] == "/ui/users?done=user-changed"
        page = await root.get("/ui/users/1")
        assert (page.status, 'value="ann"' in text_of(page)) == (200, True), active
    assert (await Browser(api).sign_in("ann")).status == 303


@pytest.mark.parametrize(
    ("name", "value"), [("is_superuser", "0"), ("is_active", "0"), ("role", "viewer"), ("role", "operator")]
)
@pytest_twisted.ensureDeferred
async def test_nobody_locks_itself_out(api: World, name: str, value: str) -> None:
    root = await signed_in(api)
    form = {"username": "root", "is_superuser": "1", "is_active": "1", "role": "admin", "max_frequency": "7"}
    reply = await root.send("/ui/users/3/settings", {**form, name: value})
    assert (reply.status, "another superuser can do that" in seen(reply)) == (400, True)
    assert api.sql("SELECT is_superuser, is_active, role, max_frequency FROM user_account WHERE id = 3") == [
        (1, 1, "admin", None)
    ]
    assert (await root.send("/ui/users/3/settings", form)).status == 303


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_new_user_may_use_what_is_ticked_and_nothing_else(api: World) -> None:
    root = await signed_in(api)
    assert (await root.send("/ui/users/new", EVE)).status == 303
    ((key,),) = api.sql("SELECT id FROM user_account WHERE username = 'eve'")
    page = text_of(await root.get(f"/ui/users/{key}"))
    assert re.search(r'name="gateways" value="1">Default_Gateway', page)
    for form, held in (
        ({"gateways": "1", "voice-applications": "1"}, [(1, 1)]),
        ({"gateways": "1"}, [(1, 0)]),
        ({}, [(0, 0)]),
    ):
        assert (await root.send(f"/ui/users/{key}/grants", form)).status == 303
        granted = f"SELECT count(*) FROM gateway_user WHERE user_id = {key}"
        apps = f"SELECT count(*) FROM user_voip_app WHERE user_id = {key}"
        assert api.sql(f"SELECT ({granted}), ({apps})") == held
    assert (await root.send(f"/ui/users/{key}/grants", {"gateways": "1,77"})).status == 404
    assert api.sql(f"SELECT count(*) FROM gateway_user WHERE user_id = {key}") == [(0,)], "all or none"
    await api.campaign("spring")
    reply = await root.send("/ui/users/1/grants", {"voice-applications": "1"})
    assert (reply.status, "it is used by 1 campaign" in seen(reply)) == (400, True)
    assert "What this user may use" not in seen(await root.get("/ui/users/3")), "a superuser has all"
    ann = await signed_in(api, "ann")
    assert (await ann.send(f"/ui/users/{key}/grants", {"gateways": "1"})).status == 403


@pytest_twisted.ensureDeferred
async def test_links_end_with_the_sessions_and_with_the_password(api: World) -> None:
    for end in ("sign-out", "password"):
        secret = page_sessions.new_secret()
        await api.management.ask(page_sessions.make_link, "ann", secret)
        if end == "sign-out":
            root = await signed_in(api)
            assert (await root.send("/ui/users/1/sign-out")).status == 303
        else:
            await api.management.ask(users.change, 1, {"password_hash": cheap_hash("other")})
        assert (await Browser(api).get(f"/ui/link/{secret}")).status == 410, end


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_the_doctor_looks_when_a_form_asks_for_it(api: World) -> None:
    looked: list[int] = []

    async def examine() -> list[object]:
        looked.append(1)
        return []

    root = await signed_in(api)
    assert (await root.get("/ui/doctor")).status == 404
    assert (await root.send("/ui/doctor")).status == 404
    api.management.examine = examine
    assert "Look now" in seen(await root.get("/ui/doctor?run=1"))
    assert looked == [], "an address that somebody is led to has nobody called"
    assert (await root.send("/ui/doctor", on="/ui/doctor")).status == 200
    assert looked == [1]
    assert (await root.ask("POST", "/ui/doctor", {})).status == 403
    assert looked == [1]


@pytest_twisted.ensureDeferred
async def test_an_admin_sees_whose_a_token_is(api: World) -> None:
    await Client(api).post("tokens", {"name": "reports"})
    root, ann = await signed_in(api), await signed_in(api, "ann")
    assert re.search(r"<td>reports</td><td>ann</td>", text_of(await root.get("/ui/tokens")))
    assert "<td>reports</td><td><code>" in text_of(await ann.get("/ui/tokens"))


@pytest_twisted.ensureDeferred
async def test_the_numbers_that_a_user_may_call_are_seen_and_changed(api: World) -> None:
    root = await signed_in(api)
    page = text_of(await root.get("/ui/users/1"))
    for name in ("blacklist", "whitelist"):
        assert re.search(rf'<textarea id="f-{name}" name="{name}"[^>]*></textarea>', page)
    reply = await root.send("/ui/users/1/numbers", {"blacklist": "+4990\r\n=112,49x55 +4990", "whitelist": ""})
    assert (reply.status, reply.headers["location"]) == (303, "/ui/users/1?done=user-changed")
    stored = (await Client(api, "root").get("users/1")).json
    assert (stored["blacklist"], stored["whitelist"]) == (["4990", "49x55", "=112"], [])
    assert re.search(r'name="blacklist"[^>]*>4990\n49x55\n=112</textarea>', text_of(await root.get("/ui/users/1")))
    bad = await root.send("/ui/users/1/numbers", {"blacklist": "4990\nnonsense", "whitelist": "1"})
    assert bad.status == 400
    assert "'nonsense' is not a pattern" in seen(bad)
    assert re.search(r'name="blacklist"[^>]*aria-invalid="true">4990\nnonsense</textarea>', text_of(bad))
    assert re.search(r'name="whitelist"[^>]*>1</textarea>', text_of(bad)), "what was typed stays"
    assert (await Client(api, "root").get("users/1")).json == stored, "all or nothing"
    too_many = "\n".join(str(number) for number in range(1000, 1201))
    assert "at most 200" in seen(await root.send("/ui/users/1/numbers", {"whitelist": too_many}))
    assert (await root.send("/ui/users/1/numbers", {"whitelist": "1555"})).status == 303
    stored = (await Client(api, "root").get("users/1")).json
    assert (stored["blacklist"], stored["whitelist"]) == (["4990", "49x55", "=112"], ["1555"]), "the other list stays"
    assert [action for (action,) in api.sql("SELECT action FROM audit_entry")] == ["users.numbers"] * 2
    assert (await root.send("/ui/users/99/numbers", {"blacklist": "1"})).status == 404
    ann = await signed_in(api, "ann")
    assert (await ann.send("/ui/users/1/numbers", {"blacklist": ""})).status == 403
