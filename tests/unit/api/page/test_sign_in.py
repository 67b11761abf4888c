"""The door of the page: who comes in, for how long, and whose forms are taken."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
import pytest_twisted
from attrs import evolve

from api.page.rendering import Renderer
from dialer.management import page_sessions, users
from tests.grounds import on_sqlite
from tests.unit.api.page.browser import Browser, seen, signed_in, text_of
from tests.unit.api.world import MANY, NOW, World, cheap_hash, world

WRONG = "The user name or the password is wrong."


@pytest_twisted.ensureDeferred
async def test_a_user_signs_in_and_out(api: World) -> None:
    browser = Browser(api)
    assert (await browser.get("/ui/campaigns")).headers["location"] == "/ui/sign-in?next=%2Fui%2Fcampaigns"
    reply = await browser.sign_in("ann")
    assert (reply.status, reply.headers["location"]) == (303, "/ui/")
    assert list(browser.cookies) == ["dialer_session"]
    assert "Signed" not in browser.cookies
    assert "ann" in seen(await browser.get("/ui/"))
    kept = dict(browser.cookies)
    assert (await browser.send("/ui/sign-out")).headers["location"] == "/ui/sign-in"
    browser.cookies = kept
    assert (await browser.get("/ui/")).status == 303, "the cookie is good for nothing any more"
    assert api.sql("SELECT action, username FROM audit_entry") == [("sign-out", "ann")]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_pages_are_made_ready_once_while_somebody_signs_in(api: World) -> None:
    with mock.patch.object(Renderer, "compile", autospec=True) as compiled:
        for _ in range(2):
            assert (await Browser(api).get("/ui/sign-in")).status == 200
        await api.management.in_thread(lambda: None)
    assert compiled.call_count == 1


@pytest_twisted.ensureDeferred
async def test_secrets_are_stored_as_hashes(api: World) -> None:
    browser = await signed_in(api)
    ((stored, proof),) = api.sql("SELECT secret_hash, proof FROM page_session")
    assert stored == page_sessions.digest_of(browser.cookies["dialer_session"])
    assert proof != cheap_hash("root")


@on_sqlite
@pytest.mark.parametrize(("user", "password"), [("ann", "bob"), ("nobody", "nobody"), ("ann", ""), ("", ""), ("a:b", "x")])
@pytest_twisted.ensureDeferred
async def test_a_wrong_password_opens_nothing(api: World, user: str, password: str) -> None:
    browser = Browser(api)
    reply = await browser.sign_in(user, password)
    assert (reply.status, WRONG in seen(reply)) == (401, True)
    assert "dialer_session" not in browser.cookies


@pytest_twisted.ensureDeferred
async def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, failed_logins_per_user=3)) as api:
        browser = Browser(api)
        statuses = [(await browser.sign_in("ann", "guess")).status for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await browser.sign_in("ann")).status == 429


@on_sqlite
@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example/", "/ui/\\evil", "/api/v2/me", "javascript:alert(1)", "/ui/\r\nX: y"]
)
@pytest_twisted.ensureDeferred
async def test_nobody_is_led_elsewhere(api: World, wanted: str) -> None:
    form = {"username": "ann", "password": "ann", "next": wanted}
    browser = Browser(api)
    assert (await browser.send("/ui/sign-in", form, on="/ui/sign-in")).headers["location"] == "/ui/"


@pytest_twisted.ensureDeferred
async def test_a_session_ends_when_it_is_not_used_and_after_its_time(api: World) -> None:
    browser = await signed_in(api)
    moment = NOW
    api.management.now = lambda: moment
    for minutes in (50, 100, 150):
        moment = NOW + timedelta(minutes=minutes)
        assert (await browser.get("/ui/")).status == 200
    moment += timedelta(minutes=61)
    assert (await browser.get("/ui/")).status == 303, "idle"
    again = await signed_in(api)
    began = moment
    for _ in range(14):
        moment += timedelta(minutes=50)
        assert (await again.get("/ui/")).status == 200
    moment = began + timedelta(hours=12)
    assert (await again.get("/ui/")).status == 303, "over in any case"


@pytest_twisted.ensureDeferred
async def test_another_password_a_lock_and_a_sign_out_everywhere_end_all_sessions(api: World) -> None:
    one, two, bob = await signed_in(api, "ann"), await signed_in(api, "ann"), await signed_in(api, "bob")
    await one.send("/ui/sign-out-everywhere")
    assert [(await each.get("/ui/")).status for each in (one, two, bob)] == [303, 303, 200]
    three = await signed_in(api, "ann")
    await api.management.ask(users.change, 1, {"password_hash": cheap_hash("other")})
    await api.management.ask(users.change, 2, {"is_active": False})
    assert [(await each.get("/ui/")).status for each in (three, bob)] == [303, 303]


@pytest_twisted.ensureDeferred
async def test_a_link_signs_in_once(api: World) -> None:
    secret = page_sessions.new_secret()
    until = await api.management.ask(page_sessions.make_link, "root", secret)
    assert until == NOW + page_sessions.LINK_LIFETIME
    browser, other = Browser(api), Browser(api)
    assert (await browser.get(f"/ui/link/{secret}")).status == 303
    assert (await browser.get("/ui/")).status == 200
    reply = await other.get(f"/ui/link/{secret}")
    assert (reply.status, "This link was used already" in seen(reply)) == (410, True)
    late = page_sessions.new_secret()
    await api.management.ask(page_sessions.make_link, "root", late)
    api.management.now = lambda: NOW + timedelta(hours=1)
    assert (await other.get(f"/ui/link/{late}")).status == 410


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_link_of_another_site_is_not_followed(api: World) -> None:
    secret = page_sessions.new_secret()
    await api.management.ask(page_sessions.make_link, "root", secret)
    reply = await Browser(api, headers={"Sec-Fetch-Site": "cross-site"}).get(f"/ui/link/{secret}")
    assert (reply.status, reply.cookies) == (403, ())
    assert (await Browser(api).get(f"/ui/link/{secret}")).status == 303


# --- forms ------------------------------------------------------------------------------------------------------------------


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_form_without_its_token_changes_nothing(api: World) -> None:
    await api.campaign(user="root")
    browser, other = await signed_in(api), await signed_in(api)
    before = api.dump()
    for token in ("", "0" * 64, await other.token(), "é"):
        reply = await browser.ask("POST", "/ui/campaigns/1/pause", {"csrf": token})
        assert (reply.status, "comes from another site" in seen(reply)) == (403, True)
    assert (await browser.ask("POST", "/ui/campaigns/1/pause", {})).status == 403
    assert api.dump() == before
    assert (await browser.send("/ui/campaigns/1/pause")).status == 303


@on_sqlite
@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
                {"Origin": "null"}],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_a_form_of_another_site_changes_nothing_though_it_had_the_token(api: World, headers: dict[str, str]) -> None:
    await api.campaign(user="root")
    browser = await signed_in(api)
    token = await browser.token()
    before = api.dump()
    assert (await browser.ask("POST", "/ui/campaigns/1/pause", {"csrf": token}, **headers)).status == 403
    assert (await browser.get("/ui/live/overview", **headers)).status == 403
    assert (
        await Browser(api).send("/ui/sign-in", {"username": "ann", "password": "ann"}, on="/ui/sign-in", **headers)
    ).status == 403
    assert api.dump() == before


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_the_sign_in_has_a_token_too(api: World) -> None:
    browser = Browser(api)
    await browser.get("/ui/sign-in")
    form = {"username": "ann", "password": "ann", "csrf": "0" * 64}
    assert (await browser.ask("POST", "/ui/sign-in", form)).status == 403
    token = await browser.token("/ui/sign-in")
    assert (await Browser(api).ask("POST", "/ui/sign-in", {**form, "csrf": token})).status == 403, "of another browser"


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_behind_tls_cookies_are_secure_and_of_this_host(api: World) -> None:
    browser = Browser(api, headers={"X-Forwarded-Proto": "https"})
    reply = await browser.sign_in("ann")
    assert list(browser.cookies) == ["__Host-dialer_session"]
    assert all(cookie.endswith("; Secure") for cookie in reply.cookies)
    assert (await browser.get("/ui/")).status == 200
    chained = Browser(api, headers={"X-Forwarded-Proto": "https, http"})
    await chained.sign_in("ann")
    assert list(chained.cookies) == ["__Host-dialer_session"], "behind two proxies, the first one speaks with the browser"


@pytest_twisted.ensureDeferred
async def test_behind_a_proxy_each_client_has_an_address_of_its_own(tmp_path: Path) -> None:
    settings = evolve(MANY, failed_logins_per_user=0, failed_logins_per_address=2, proxies=("127.0.0.0/8",))
    async with world(tmp_path, settings) as api:
        guesser, other, forger = (
            Browser(api, headers={"X-Forwarded-For": each})
            for each in ("203.0.113.7", "203.0.113.8", "198.51.100.1, 203.0.113.7")
        )
        assert [(await guesser.sign_in("ann", "guess")).status for _ in range(3)] == [401, 401, 429]
        assert (await forger.sign_in("ann", "guess")).status == 429, "what a client writes itself counts for nothing"
        assert (await other.sign_in("bob")).status == 303
        await other.send("/ui/sign-out")
        assert api.sql("SELECT address FROM audit_entry") == [("203.0.113.8",)]


@pytest_twisted.ensureDeferred
async def test_who_is_no_proxy_tells_no_other_address(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, failed_logins_per_address=1)) as api:
        statuses = [
            (await Browser(api, headers={"X-Forwarded-For": f"203.0.113.{each}"}).sign_in("ann", "guess")).status
            for each in range(2)
        ]
        assert statuses == [401, 429]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_an_api_login_opens_no_page_and_a_session_no_api(api: World) -> None:
    reply = await api.get("/ui/", user="root")
    assert reply.headers["location"] == "/ui/sign-in"
    browser = await signed_in(api)
    assert (await browser.get("/api/v2/me")).status == 401


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_browser_at_the_root_is_led_to_the_page_and_others_are_not(api: World) -> None:
    assert (await api.get("/", user=None, headers={"Accept": "text/html,*/*"})).headers["location"] == "/ui/"
    assert (await api.get("/", user=None)).status == 404
    assert (await api.get("/ui", user=None)).headers["location"] == "/ui/"


@pytest_twisted.ensureDeferred
async def test_without_the_setting_there_is_no_page(tmp_path: Path) -> None:
    async with world(tmp_path, evolve(MANY, page=False)) as api:
        for path in ("/ui/", "/ui/static/page.css", "/"):
            assert (await api.get(path, user=None, headers={"Accept": "text/html"})).status == 404


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_long_form_is_refused_and_a_broken_address_is_a_page(api: World) -> None:
    browser = await signed_in(api)
    reply = await browser.ask("POST", "/ui/campaigns/1/pause", {"csrf": "x" * 100_000})
    assert (reply.status, "too much" in seen(reply)) == (413, True)
    for path in ("/ui/nothing", "/ui/campaigns/0", "/ui/campaigns/x", "/ui/campaigns/99", "/ui/attempts/none"):
        reply = await browser.get(path)
        assert (reply.status, "There is nothing here" in seen(reply)) == (404, True), path
    assert "Traceback" not in text_of(reply)
