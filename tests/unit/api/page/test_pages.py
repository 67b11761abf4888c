"""The pages: who may see and do what, what is told live, and what hostile texts do: nothing."""

from __future__ import annotations

from datetime import date
from html import unescape
from html.parser import HTMLParser
from typing import Any
from unittest import mock

import orjson
import pytest
import pytest_twisted
from twisted.internet.task import Clock

from api.page import live
from api.page.live import CSRF_PLACE
from api.page.views import all_routes
from dialer.management import users
from dialer.model import GatewayHealth, IdleCode, IdleReason
from dialer.rules.book import RuleBook
from dialer.rules.rows import RuleRow
from tests.grounds import on_sqlite, script
from tests.seeding import RECORDS
from tests.unit.api.page.browser import Browser, seen, signed_in, text_of
from tests.unit.api.raw import connect
from tests.unit.api.v2.listening import Listening
from tests.unit.api.v2.support import with_files
from tests.unit.api.world import World, cheap_hash

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><hx-partial hx-get=/x>{{ 7*7 }}</textarea></title>"
GIVEN = {"<pool>": "1", "<caller>": "1", "<call>": "9", "<node>": "elsewhere", "<switch>": "far", "<app>": "1",
         "<sound>": "hello.wav", "<campaign>": "1", "<attempt>": "call-1", "<gateway>": "1", "<user>": "1", "<token>": "1",
         "<webhook>": "1", "<delivery>": "1", "<field>": "frequency", "<import>": "1", "<list>": "2",
         "<phonebook>": "1"}  # fmt: skip
T = "2026-11-23 10:00:00.000000"


def address(path: str) -> str:
    for name, value in GIVEN.items():
        path = path.replace(name, value)
    return f"/ui/{path}"


async def furnish(api: World) -> None:
    """One of everything, all of it with texts that mean harm."""
    text = HOSTILE.replace("'", "''")
    cell = '"' + text.replace('"', '""') + '"'
    reasons = orjson.dumps({HOSTILE: 2}).decode().replace("'", "''")
    sample = orjson.dumps([[HOSTILE, HOSTILE], ["15551230001", HOSTILE]]).decode().replace("'", "''")
    switches = orjson.dumps({HOSTILE: "c"}).decode().replace("'", "''")
    details = orjson.dumps({HOSTILE: HOSTILE}).decode().replace("'", "''")
    facts = orjson.dumps({"name": HOSTILE, "text": HOSTILE, "reason": "x"}).decode().replace("'", "''")
    await api.campaign("spring", user="ann", caller_name="Ana")
    await api.contact("15551230001")
    script(
        api.database.url,
        f"""
        UPDATE campaign SET name = '{text}', description = '{text}';
        UPDATE gateway SET name = '{text}', description = '{text}', dial_string = 'x{{number}}{text}';
        UPDATE voip_app SET name = '{text}';
        UPDATE phonebook SET name = '{text}';
        UPDATE contact SET first_name = '{text}', last_name = '{text}', description = '{text}';
        UPDATE user_account SET username = '{text}' WHERE id = 2;
        {RECORDS.replace(":count", "3").replace("'100', '100'", "'15551230001', '15551230001'")}
        UPDATE attempt SET caller_name = '{text}', cause = '{text}', reason = '{text}', dial_string = '{text}';
        INSERT INTO do_not_call (list_id, number, reason, created_at, identity)
            VALUES (1, '15550000001', '{text}', '{T}', '15550000001');
        INSERT INTO do_not_call_list (id, name, description, user_id, created_at, added_by, removed_by)
            VALUES (2, '{text}', '{text}', 1, '{T}', '{text}', '');
        INSERT INTO do_not_call (list_id, number, reason, source, created_at, identity, added_by)
            VALUES (2, '15550000002', '{text}', '{text}', '{T}', '15550000002', '{text}');
        INSERT INTO import_job VALUES (1, 1, 1, '{text}', 'csv', '', '', '{{}}', '', 1, 0, 'draft',
            '{text}', 9, 9, 2, 0, 0, 0, 2, '{reasons}', 'f', 'n', '', NULL, 1, '{T}', NULL, NULL, NULL,
            'keep', 0, 3, '{sample}', '{text}');
        INSERT INTO import_error (import_id, content)
            VALUES (1, CAST('contact,{cell},error' || char(10) || 'x,{cell},{cell}' || char(10) AS BLOB));
        INSERT INTO webhook VALUES (1, 1, 'https://a.example/{text}', '{text}', NULL, 1, 's', '', NULL, 'disabled', '{text}',
            0, NULL, '{T}');
        INSERT INTO webhook_delivery VALUES (1, 1, '[1]', 'one', 'dead', 3, NULL, 500, 12, '{text}', '{T}', '{T}');
        INSERT INTO webhook_delivery VALUES (2, 1, '[1]', 'call-1', 'dead', 3, NULL, 500, 12, '{text}', '{T}', '{T}');
        INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits, figures)
            VALUES ('<img src=x onerror=alert(4)>"', 1, '{text}', 1, '1', '{switches}', 0, '{T}', '{T}', '{T}', 0, '{{}}');
        INSERT INTO caller_id_pool (id, user_id, name, description, strategy, foreign_callees, time_zone, turn, created_at,
            updated_at) VALUES (1, 3, '{text}', '{text}', 'sticky', 'refuse', 'UTC', 0, '{T}', '{T}');
        INSERT INTO caller_id (id, pool_id, number, identity, country, name, note, warm_up_start, warm_up_days, active,
            created_at, updated_at) VALUES (1, 1, '12125550001', '12125550001', 'US', '{text}', '{text}', 1, 0, 1, '{T}',
            '{T}');
        INSERT INTO api_token VALUES (1, 1, 'abcdefghijkl', '{"0" * 64}', '{text}', 'read', NULL, NULL, '{T}');
        INSERT INTO audit_entry VALUES (1, '{T}', 1, '{text}', '{text}', '{text}', '{text}', '{details}');
        INSERT INTO event (kind, version, at, sequence, user_id, campaign_id, call_uuid, data)
            VALUES ('campaign.idle', 1, '{T}', 0, 1, 1, '', '{facts}');
        """,
    )


def hostile_row() -> RuleRow:
    """A rule that nobody should have written."""
    return RuleRow(
        place="*", name=HOSTILE[:100], source=HOSTILE, read_on=date(2026, 1, 1), confidence="low", note=HOSTILE, weekday=[]
    )  # type: ignore[call-arg]


class Looked(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def harmless(html: str) -> None:
    """Nothing of the hostile text became an element or an attribute."""
    looked = Looked()
    looked.feed(html)
    for tag, attributes in looked.elements:
        assert tag not in ("img", "hx-partial", "style", "iframe", "object"), tag
        assert not [name for name in attributes if name.startswith("on")], attributes
        assert "hx-get" not in attributes
        if tag == "script":
            assert str(attributes["src"]).startswith("/ui/static/")
    assert HOSTILE.replace("{{ 7*7 }}", "49") not in unescape(html)


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_hostile_texts_are_shown_and_run_nowhere(api: World) -> None:
    await furnish(api)
    root = await signed_in(api)
    shown = set()
    with_files(api)
    api.management.rules = RuleBook((hostile_row(),))
    paths = [address(route.path) for route in all_routes() if route.method == "GET" and not route.streams]
    for path in [
        *paths,
        "/ui/rules?number=15551230001",
        "/ui/contacts?number=15551230001",
        "/ui/attempts?number=15551230001",
        "/ui/campaigns?state=start",
    ]:
        if path in ("/ui/doctor", "/ui/attempts/call-1/recording", "/ui/sounds/hello.wav"):
            continue
        reply = await root.get(path)
        assert reply.status == 200, (path, seen(reply)[:300])
        if "content-disposition" in reply.headers:
            assert reply.headers["content-type"].partition(";")[0] in ("text/csv", "application/jsonl")
            continue
        harmless(text_of(reply))
        if HOSTILE in unescape(text_of(reply)):
            shown.add(path.partition("?")[0])
    expected = {"/ui/", "/ui/campaigns", "/ui/campaigns/1", "/ui/campaigns/new", "/ui/contacts", "/ui/attempts",
                "/ui/gateways",
                "/ui/attempts/call-1", "/ui/do-not-call", "/ui/gateways/1", "/ui/webhooks", "/ui/webhooks/1", "/ui/events",
                "/ui/users", "/ui/tokens", "/ui/audit", "/ui/imports", "/ui/imports/1", "/ui/imports/new",
                "/ui/do-not-call/2", "/ui/do-not-call/2/history", "/ui/campaigns/1/preview",
                "/ui/campaigns/1/preview/contacts", "/ui/caller-ids", "/ui/caller-ids/1", "/ui/caller-ids/1/numbers/1",
                "/ui/rules", "/ui/gateways/1/health", "/ui/switches", "/ui/voice-applications", "/ui/voice-applications/1",
                "/ui/calls"}  # fmt: skip
    assert expected <= shown


@on_sqlite
@pytest.mark.parametrize(
    "name",
    [
        "number",
        "campaign",
        "disposition",
        "after",
        "state",
        "before",
        "status",
        "done",
        "next",
        "country",
        "at",
        "time_zone",
        "x",
    ],
)
@pytest_twisted.ensureDeferred
async def test_hostile_queries_run_nowhere(api: World, name: str) -> None:
    from urllib.parse import urlencode

    root, nobody = await signed_in(api), Browser(api)
    for path in ("/ui/", "/ui/campaigns", "/ui/attempts", "/ui/contacts", "/ui/sign-in", "/ui/audit", "/ui/do-not-call",
                 "/ui/rules", "/ui/caller-ids"):  # fmt: skip
        for browser in (root, nobody):
            reply = await browser.get(f"{path}?{urlencode({name: HOSTILE})}")
            assert reply.status < 500
            harmless(text_of(reply))


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_call_that_is_live_is_shown(api: World) -> None:
    await furnish(api)
    live_call = "ended_at = NULL, state = 'connected', disposition = NULL, cause = NULL, counts_as_attempt = NULL"
    api.sql(f"UPDATE attempt SET {live_call}, reason = NULL, talk_ms = NULL, duration_ms = NULL WHERE call_uuid = 'call-1'")
    root = await signed_in(api)
    for path in ("/ui/", "/ui/campaigns/1", "/ui/attempts", "/ui/attempts/call-1", "/ui/contacts?number=15551230001"):
        reply = await root.get(path)
        assert (reply.status, "live" in seen(reply)) == (200, True), path


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_hostile_forms_run_nowhere(api: World) -> None:
    await furnish(api)
    root = await signed_in(api)
    fields = ("name", "description", "frequency", "caller_id", "caller_name", "url", "kinds", "username", "password", "number",
              "reason", "back", "scopes", "expires_at", "weekdays", "role", "dial_string", "addparameter", "numbers", "note",
              "until", "gateways", "strategy", "time_zone", "daily_cap", "warm_up_days", "data",
              "type", "reference", "starting_at")  # fmt: skip
    for route in all_routes():
        if route.method == "POST" and not route.path.startswith("sign-out") and "user" not in route.path:
            reply = await root.send(address(route.path), dict.fromkeys(fields, HOSTILE))
            assert reply.status < 500, route.path
            harmless(text_of(reply))
            assert reply.headers.get("location", "/ui/").startswith("/ui/")


@pytest_twisted.ensureDeferred
async def test_a_character_that_no_database_takes_is_refused(api: World) -> None:
    root = await signed_in(api)
    for path in (
        "attempts/%00", "attempts?number=%00", "attempts?campaign=%00", "attempts?after=2026-11-23T10:00:00Z~%00",
        "contacts?number=%00", "do-not-call/1?after=%00", "do-not-call/1?number=%00", "export/attempts?number=%00",
        "attempts/a%00b/recording", "campaigns/%00", "campaigns?state=%00", "sounds/%00", "rules?number=%00",
    ):  # fmt: skip
        reply = await root.get(f"/ui/{path}")
        assert reply.status in (400, 404), (path, reply.status)
    for path in ("switches/nodes/%00/remove", "switches/%00/drain", "attempts/%00/recording/remove"):
        assert (await root.send(f"/ui/{path}")).status in (400, 404), path


# --- roles ------------------------------------------------------------------------------------------------------------------


async def with_role(api: World, role: str, *, superuser: bool) -> Browser:
    given = {"username": "eve", "password_hash": cheap_hash("eve"), "is_superuser": superuser, "role": role}
    await api.management.ask(users.create, given)
    return await signed_in(api, "eve")


@on_sqlite
@pytest.mark.parametrize(
    ("role", "superuser", "may"),
    [("viewer", False, {"read"}), ("viewer", True, {"read", "superuser"}), ("operator", False, {"read", "dial", "admin"}),
     ("operator", True, {"read", "dial", "superuser"}), ("admin", True, {"read", "dial", "admin", "superuser"})],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_each_route_is_for_its_roles_alone(api: World, role: str, superuser: bool, may: set[str]) -> None:
    eve = await with_role(api, role, superuser=superuser)
    token = await eve.token()
    for route in all_routes():
        if route.streams or route.path.startswith(("sign-out", "doctor")):
            continue
        allowed = route.scope in may and (not route.superusers or "superuser" in may)
        form = {"csrf": token} if route.method == "POST" else None
        before = api.dump()
        reply = await eve.ask(route.method, address(route.path), form)
        assert (reply.status != 403) is allowed, (route.method, route.path, reply.status)
        if not allowed:
            assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_a_viewer_changes_nothing_by_any_door(api: World) -> None:
    campaign = (await api.campaign())["id"]
    await api.management.ask(users.change, 1, {"role": "viewer"})
    before = api.dump()
    assert (await api.put(f"campaign/{campaign}/", {"status": "2"})).refusal == (403, "This user may look, and change nothing")
    assert (await api.ask("POST", f"/api/v2/campaigns/{campaign}/pause", user="ann")).status == 403
    assert api.dump() == before
    assert (await api.get(f"campaign/{campaign}/")).status == 200
    ann = await signed_in(api, "ann")
    assert "Pause" not in seen(await ann.get("/ui/"))


@pytest_twisted.ensureDeferred
async def test_two_users_see_nothing_of_each_other(api: World) -> None:
    await api.campaign("secret of ann", user="ann")
    bob = await signed_in(api, "bob")
    for path in ("/ui/", "/ui/campaigns", "/ui/attempts", "/ui/events", "/ui/audit", "/ui/webhooks", "/ui/tokens"):
        assert "secret of ann" not in text_of(await bob.get(path))
    for path in ("/ui/campaigns/1", "/ui/live/campaigns/1"):
        assert (await bob.get(path)).status == 404
    assert (await bob.send("/ui/campaigns/1/pause")).status == 404


async def renamed_bob(api: World) -> Browser:
    """Bob, whom `furnish` has called otherwise."""
    api.sql("UPDATE user_account SET username = 'bob' WHERE id = 2")
    return await signed_in(api, "bob")


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_nothing_of_another_user_is_shown_or_changed_by_any_route(api: World) -> None:
    await furnish(api)
    bob = await renamed_bob(api)
    token = await bob.token()
    everybodys = {"gateways/<gateway>/health", "sounds/<sound>", "check/campaign/<field>"}
    form = {"name": "x", "number": "+15550000002", "reason": "x", "frequency": "7", "url": "https://b.example/", "kinds": "*"}
    before = api.dump()
    for route in all_routes():
        if "<" in route.path and not route.superusers and route.path not in everybodys:
            reply = await bob.ask(
                route.method, address(route.path), {**form, "csrf": token} if route.method == "POST" else None
            )
            assert reply.status == 404, (route.method, route.path, reply.status)
    assert api.dump() == before


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("do-not-call/new", {"name": "x", "campaign_id": "1"}),
        ("webhooks/add", {"url": "https://b.example/", "kinds": "*", "campaign_id": "1", "batch_size": "1"}),
        ("campaigns/new", {"name": "x", "gateway_id": "1", "voip_app_id": "1", "caller_id_pool_id": "1"}),
        ("campaigns/new", {"name": "x", "gateway_id": "2", "voip_app_id": "1"}),
        ("calls/new", {"number": "+15551230005", "gateway_id": "2", "voip_app_id": "1"}),
    ],
)
@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_form_refers_to_nothing_of_another_user(api: World, path: str, form: dict[str, str]) -> None:
    await furnish(api)
    api.sql(
        "INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, "
        f"addparameter, status, created_at, updated_at) VALUES (2, 'x', '', 'SIP', 'h', '', '', '', '', 1, '{T}', '{T}')"
    )
    bob = await renamed_bob(api)
    token = await bob.token()
    before = api.dump()
    assert (await bob.ask("POST", f"/ui/{path}", {**form, "csrf": token})).status in (400, 404)
    assert api.dump() == before


# --- changes ----------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_what_is_changed_is_in_the_audit_log_and_what_is_refused_is_not(api: World) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    assert (await root.send("/ui/campaigns/1/pause", {"back": "/ui/"})).headers["location"] == "/ui/?done=campaign-pause"
    assert "The campaign is paused" in seen(await root.get("/ui/?done=campaign-pause"))
    assert (await root.send("/ui/campaigns/1/frequency", {"frequency": "77"})).status == 303
    assert (await root.send("/ui/campaigns/1/frequency", {"frequency": "none"})).status == 400
    assert api.sql("SELECT status, frequency FROM campaign") == [(2, 77)]
    told = api.sql("SELECT username, address, action, subject, details FROM audit_entry ORDER BY id")
    assert told == [
        ("root", "127.0.0.1", "campaigns.pause", "campaign 1", "{}"),
        ("root", "127.0.0.1", "campaigns.frequency", "campaign 1", '{"frequency":"77"}'),
    ]
    assert "frequency=77" in seen(await root.get("/ui/audit"))
    assert api.flow.released == [1]


@pytest_twisted.ensureDeferred
async def test_a_campaign_is_made_by_a_form_that_says_what_is_wrong(api: World) -> None:
    root = await signed_in(api)
    form = {"name": "autumn", "gateway_id": "1", "voip_app_id": "1", "frequency": "0", "weekdays": ",monday,friday",
            "daily_start": "08:00", "starting_at": "", "expires_at": ""}  # fmt: skip
    reply = await root.send("/ui/campaigns/new", form)
    assert (reply.status, "expected a whole number from 1 to 1000000" in seen(reply)) == (400, True)
    assert 'value="autumn"' in text_of(reply)
    checked = await root.send("/ui/check/campaign/frequency", form, **{"HX-Request": "true"})
    assert text_of(checked).strip() == "expected a whole number from 1 to 1000000"
    reply = await root.send("/ui/campaigns/new", {**form, "frequency": "12"})
    assert reply.headers["location"] == "/ui/campaigns/1?done=campaign-created"
    ((name, status, frequency, rules),) = api.sql("SELECT name, status, frequency, rules FROM campaign")
    assert (name, status, frequency) == ("autumn", 2, 12)
    assert orjson.loads(rules)["weekdays"] == [True, False, False, False, True, False, False]
    assert (await root.send("/ui/campaigns/new", {**form, "frequency": "12"})).status == 400, "the name is taken"


@pytest_twisted.ensureDeferred
async def test_a_script_of_the_page_is_told_what_was_done(api: World) -> None:
    await api.campaign(user="root")
    root = await signed_in(api)
    reply = await root.send("/ui/campaigns/1/pause", **{"HX-Request": "true"})
    assert (reply.status, seen(reply).strip()) == (200, "The campaign is paused; live calls go on.")
    refused = await root.send("/ui/campaigns/1/frequency", {"frequency": "x"}, **{"HX-Request": "true"})
    assert (refused.status, "<html" in text_of(refused)) == (400, False)


# --- live -------------------------------------------------------------------------------------------------------------------


async def follow(api: World, browser: Browser, what: str = "overview") -> Listening:
    found = Listening(await connect(api))
    cookie = f"dialer_session={browser.cookies['dialer_session']}"
    found.client.send(f"GET /ui/live/{what} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n".encode())
    await found.until(lambda: "</hx-partial>" in found.body)
    return found


@pytest_twisted.ensureDeferred
async def test_a_page_is_told_all_at_first_and_then_what_has_changed(api: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "EVERY", 0.05)
    for name in ("spring", "autumn"):
        await api.campaign(name, user="root")
    root = await signed_in(api)
    page = await follow(api, root)
    assert 'hx-target="#overview"' in page.body
    assert CSRF_PLACE not in page.body
    assert await root.token() in page.body
    before = len(page.body)
    await root.send("/ui/campaigns/2/frequency", {"frequency": "4711"})
    await page.until(lambda: "4711" in page.body[before:])
    change = page.body[before:]
    assert 'hx-target="#campaign-2"' in change
    assert "spring" not in change, "of the other one, nothing is sent"
    await api.campaign("winter", user="root")
    await page.until(lambda: "winter" in page.body)
    await page.leave()


@pytest.mark.parametrize("path", ["/ui/", "/ui/events"])
@pytest_twisted.ensureDeferred
async def test_who_has_no_script_finds_what_happened_since_the_last_look(api: World, path: str) -> None:
    await api.campaign("spring", user="root")
    root = await signed_in(api)
    assert "Nothing has happened" in seen(await root.get(path))
    assert (await api.put("campaign/1/", {"status": "2"}, user="root")).status == 200
    assert "campaign paused" in seen(await root.get(path)).lower()


@pytest_twisted.ensureDeferred
async def test_all_pages_of_a_user_share_a_look_and_nobody_looks_without_one(api: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "EVERY", 0.05)
    drawn: list[int] = []
    look = live.PictureWatch.look

    async def counted(self: live.PictureWatch) -> None:
        drawn.append(len(self._pages))
        await look(self)

    monkeypatch.setattr(live.PictureWatch, "look", counted)
    root = await signed_in(api)
    pages = [await follow(api, root) for _ in range(3)]
    await pages[0].until(lambda: drawn[-1:] == [3])
    assert api.site.streams == 3
    for page in pages:
        await page.leave()
    await pages[0].until(lambda: api.site.streams == 0)
    count = len(drawn)
    await root.get("/ui/")
    assert len(drawn) <= count + 1


def test_nothing_is_kept_of_what_nobody_came_to_watch() -> None:
    async def draw() -> live.Picture:
        raise AssertionError("nobody watches")

    watches = live.Watches(mock.Mock(), Clock())
    assert watches.of("x", draw, frozenset()) is not watches.of("x", draw, frozenset())
    assert watches._open == {}


@pytest_twisted.ensureDeferred
async def test_who_signs_out_is_told_no_more(api: World, monkeypatch: Any) -> None:
    from api import open_stream

    monkeypatch.setattr(open_stream, "HEARTBEAT", 0.05)
    root = await signed_in(api)
    page = await follow(api, root)
    await root.send("/ui/sign-out-everywhere")
    await page.ends()


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_a_page_that_reads_nothing_is_sent_nothing_and_later_all_of_it(api: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(live, "EVERY", 0.05)
    await api.campaign("spring", user="root")
    root = await signed_in(api)
    slow, other = await follow(api, root), await follow(api, root)
    stream = next(each for each in api.site._streams._open if each.slot.number == 1)
    stream.pauseProducing()
    before = len(slow.body)
    for frequency in ("4711", "4712", "4713"):
        await root.send("/ui/campaigns/1/frequency", {"frequency": frequency})
        await other.until(lambda wanted=frequency: wanted in other.body)
    assert len(slow.body) == before
    stream.resumeProducing()
    await slow.until(lambda: "4713" in slow.body)
    missed = slow.body[before:]
    assert ('hx-target="#overview"' in missed, "4711" in missed, "4712" in missed) == (True, False, False)
    for page in (slow, other):
        await page.leave()


@pytest_twisted.ensureDeferred
async def test_a_gateway_that_its_switch_finds_down_and_a_campaign_that_the_dialer_paused_say_why(api: World) -> None:
    await api.campaign("spring", user="ann")
    api.flow.healths[1] = GatewayHealth(trouble="DOWN, FAIL_WAIT")
    api.flow.reason = IdleReason(IdleCode.PAUSED_BY_DIALER, "the dialer has paused the campaign: gateway g refused 10 calls")
    api.sql("UPDATE campaign SET status = 2, pause_reason = 'gateway g refused 10 calls'")
    root = await signed_in(api, "root")
    assert "DOWN, FAIL_WAIT" in text_of(await root.get("/ui/gateways"))
    for page in ("/ui/", "/ui/campaigns/1"):
        assert "the dialer has paused the campaign: gateway g refused 10 calls" in text_of(await root.get(page))
