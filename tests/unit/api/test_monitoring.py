"""What machines ask that watch a dialer: metrics and health, on the API's port and on one of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import pytest_twisted
import treq
from attrs import define, field
from twisted.internet.task import Clock

from api.guard import TRUSTED
from api.monitoring import MOST_A_MINUTE, MonitoringSite, build_monitoring_site, watch_api
from dialer.interfaces import Scraped
from dialer.model.readiness import Unready
from dialer.settings import HttpSettings
from tests.unit.api.raw import exchange
from tests.unit.api.world import World, basic, world

LIVE, READY, METRICS = "/health/live", "/health/ready", "/metrics"
LOGIN = ("prometheus", "a long password")


@define(eq=False)
class Watched:
    """A dialer that is watched."""

    reasons: list[Unready] = field(factory=list)
    accepted: list[str] = field(factory=list)
    error: Exception | None = None
    connected: tuple[int, int] = (1, 1)

    def switches(self) -> tuple[int, int]:
        return self.connected

    def unready(self) -> Sequence[Unready]:
        return self.reasons

    async def scrape(self, accept: str) -> Scraped:
        self.accepted.append(accept)
        if self.error:
            raise self.error
        return Scraped(content_type="text/plain; version=0.0.4; charset=utf-8", body=b"dialer_x 1\n")


@define(eq=False)
class Place:
    """A port of its own."""

    site: MonitoringSite
    watched: Watched
    clock: Clock
    port: object

    async def ask(self, path: str, method: str = "GET", **more) -> tuple[int, bytes]:
        url = f"http://127.0.0.1:{self.port.getHost().port}{path}"
        answer = await treq.request(method, url, persistent=False, **more)
        return answer.code, await answer.content()


@asynccontextmanager
async def place(login: tuple[str, str] | None = None) -> AsyncIterator[Place]:
    from twisted.internet import reactor

    watched, clock = Watched(), Clock()
    site = build_monitoring_site(watched, login, clock)
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    try:
        yield Place(site, watched, clock, port)
    finally:
        await port.stopListening()
        await site.drain()


def watch(api: World, *, metrics: bool = True) -> Watched:
    from twisted.internet import reactor

    watched = Watched()
    watch_api(api.site, api.management, watched, reactor, metrics)
    return watched


# --- health -----------------------------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_health_is_told_to_everybody_on_the_port_of_the_api(api: World) -> None:
    watched = watch(api)
    assert (await api.get(LIVE, user=None)).json == {"status": "alive"}
    reply = await api.get(READY, user=None)
    assert (reply.status, reply.json) == (200, {"status": "ready"})
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    watched.reasons = [Unready.NO_DATABASE, Unready.NO_SWITCH]
    reply = await api.get(READY, user=None)
    assert (reply.status, reply.json["status"]) == (503, "not ready")
    assert reply.json["reasons"] == [
        {"code": "no-database", "text": "the database does not serve"},
        {"code": "no-switch", "text": "no switch is connected"},
    ]


@pytest_twisted.ensureDeferred
async def test_of_several_switches_health_tells_how_many_are_connected(api: World) -> None:
    watched = watch(api)
    watched.connected = (1, 2)
    reply = await api.get(READY, user=None)
    assert (reply.status, reply.json) == (200, {"status": "ready", "switches": {"connected": 1, "configured": 2}})
    assert (await api.get(LIVE, user=None)).status == 200


@pytest_twisted.ensureDeferred
async def test_health_is_told_on_a_port_of_its_own_with_and_without_a_login_for_the_metrics() -> None:
    for login in (None, LOGIN):
        async with place(login) as here:
            assert await here.ask(LIVE) == (200, b'{"status":"alive"}')
            here.watched.reasons = [Unready.STOPPING]
            assert (await here.ask(READY))[0] == 503


def test_every_reason_has_a_sentence_without_figures_or_names() -> None:
    assert all(reason.text.replace(" ", "").isalpha() for reason in Unready)


@pytest_twisted.ensureDeferred
async def test_too_many_looks_of_one_address_are_refused_for_a_moment() -> None:
    async with place() as here:
        codes = [(await here.ask((LIVE, READY)[number % 2]))[0] for number in range(MOST_A_MINUTE + 2)]
        assert codes == [200] * MOST_A_MINUTE + [429] * 2
        here.clock.advance(60 / MOST_A_MINUTE)
        assert (await here.ask(LIVE))[0] == 200
        assert here.site.answered == {
            ("GET /health/live", 2): 301,
            ("GET /health/ready", 2): 300,
            ("GET /health/live", 4): 1,
            ("GET /health/ready", 4): 1,
        }


@pytest.mark.parametrize("path", [LIVE, READY, METRICS])
@pytest_twisted.ensureDeferred
async def test_a_head_has_no_body_and_other_methods_are_refused(path: str) -> None:
    async with place() as here:
        assert await here.ask(path, "HEAD") == (200, b"")
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE"):
            assert (await here.ask(path, method, data=b"x" * 500))[0] == 405


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/health",
        "/health/",
        "/health/live/",
        "/HEALTH/live",
        "/metrics/",
        "//metrics",
        "/api/dialer_campaign/",
        "/%6detrics",
    ],
)
@pytest_twisted.ensureDeferred
async def test_nothing_else_is_on_that_port(path: str) -> None:
    async with place() as here:
        assert (await here.ask(path))[0] == 404
        assert here.site.answered == {("none", 4): 1}


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_too_long_is_refused_on_that_port() -> None:
    async with place() as here:
        assert (await here.ask(LIVE, "POST", data=b"x" * 2000))[0] == 413


# --- metrics on a port of their own -----------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_without_a_password_metrics_are_for_whoever_reaches_the_port() -> None:
    async with place() as here:
        assert await here.ask(METRICS, headers={"Accept": ["text/plain", "*/*"]}) == (200, b"dialer_x 1\n")
        assert here.watched.accepted == ["text/plain,*/*"]
        assert (here.site.failed_logins, here.site.connections) == (0, 0)


@pytest_twisted.ensureDeferred
async def test_with_a_password_metrics_are_for_who_knows_it_and_guesses_are_throttled() -> None:
    async with place(LOGIN) as here:
        answer = await treq.get(f"http://127.0.0.1:{here.port.getHost().port}{METRICS}", persistent=False)
        await answer.content()
        assert answer.code == 401
        assert answer.headers.getRawHeaders("WWW-Authenticate") == ['Basic realm="metrics"']
        assert here.site.failed_logins == 0
        assert (await here.ask(METRICS, auth=LOGIN))[0] == 200
        here.clock.advance(TRUSTED)
        codes = [(await here.ask(METRICS, auth=("prometheus", f"guess {n}")))[0] for n in range(22)]
        assert codes == [401] * 20 + [429] * 2
        assert (await here.ask(METRICS, auth=LOGIN))[0] == 429
        assert here.watched.accepted == [""]
        assert here.site.failed_logins == 20


@pytest_twisted.ensureDeferred
async def test_a_mistake_in_a_scrape_is_told_in_the_log_and_not_to_the_client() -> None:
    async with place() as here:
        here.watched.error = ZeroDivisionError("secret")
        assert await here.ask(METRICS) == (500, b'{"error":"Internal error"}')
        here.watched.error = None
        assert (await here.ask(METRICS))[0] == 200


# --- metrics on the API's port ----------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_on_the_port_of_the_api_metrics_are_for_superusers(api: World) -> None:
    watched = watch(api)
    assert (await api.get(METRICS, user=None)).refusal == (401, "Authorization Required")
    assert (await api.get(METRICS, user="root", password="wrong")).status == 401
    assert (await api.get(METRICS, user="ann")).refusal == (403, "Metrics are for superusers")
    assert watched.accepted == []
    for _ in range(2):
        reply = await api.get(METRICS, user="root")
        assert (reply.status, reply.text) == (200, b"dialer_x 1\n")
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert api.site.failed_logins == 1


@pytest_twisted.ensureDeferred
async def test_an_answer_has_one_content_type_whatever_that_is(api: World) -> None:
    watch(api)
    for path, kind in ((METRICS, b"text/plain; version=0.0.4; charset=utf-8"), (LIVE, b"application/json; charset=utf-8")):
        login = basic("root", "root")
        said = await exchange(
            api, f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {login}\r\nConnection: close\r\n\r\n".encode()
        )
        assert [line for line in said.split(b"\r\n") if line.startswith(b"Content-Type")] == [b"Content-Type: " + kind]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("UPDATE user_account SET is_superuser = 0 WHERE username = 'root'", 403),
        ("UPDATE user_account SET is_active = 0 WHERE username = 'root'", 401),
        ("UPDATE user_account SET password_hash = '$argon2id$other' WHERE username = 'root'", 401),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_superuser_that_is_none_any_more_reads_no_metrics_from_that_moment_on(
    api: World, change: str, status: int
) -> None:
    watch(api)
    assert (await api.get(METRICS, user="root")).status == 200
    api.sql(change)
    assert (await api.get(METRICS, user="root")).status == status


@pytest_twisted.ensureDeferred
async def test_metrics_are_not_on_the_port_of_the_api_unless_they_are_wanted_there(api: World) -> None:
    watch(api, metrics=False)
    assert (await api.get(METRICS, user="root")).status == 404
    assert (await api.get(LIVE, user=None)).status == 200


@pytest_twisted.ensureDeferred
async def test_neither_is_among_the_paths_of_the_api(api: World) -> None:
    watch(api)
    for path in ("health/live", "health/ready", "metrics"):
        assert (await api.get(path, user="root")).status == 404


# --- what is counted of requests --------------------------------------------------------------------------------------------


@pytest_twisted.ensureDeferred
async def test_requests_are_counted_by_their_documented_route_and_never_by_what_they_name(api: World) -> None:
    campaign = await api.campaign()
    for key in (campaign["id"], 4711, "x"):
        await api.get(f"campaign/{key}/")
    await api.get("campaign/")
    await api.get("campaign")
    await api.get("elsewhere/4711/")
    await api.get("/4711")
    await api.ask("PATCH", "campaign/")
    await api.get("campaign/", user="bob", password="wrong")
    assert api.site.answered == {
        ("POST /api/dialer_campaign/campaign/", 2): 1,
        ("GET /api/dialer_campaign/campaign/<campaign_id>/", 2): 1,
        ("GET /api/dialer_campaign/campaign/<campaign_id>/", 4): 2,
        ("GET /api/dialer_campaign/campaign/", 2): 2,
        ("GET /api/dialer_campaign/campaign/", 4): 1,
        ("none", 4): 3,
    }


@pytest_twisted.ensureDeferred
async def test_what_is_no_http_is_counted_as_well(api: World) -> None:
    assert b"400 Bad Request" in await exchange(api, b"hello\r\n\r\n")
    assert api.site.answered == {("none", 4): 1}


@pytest_twisted.ensureDeferred
async def test_open_connections_are_counted_while_they_are_open(api: World) -> None:
    await api.get("campaign/")
    assert api.site.connections == 1


@pytest_twisted.ensureDeferred
async def test_a_health_look_does_not_count_as_a_request_of_a_user(tmp_path) -> None:
    async with world(tmp_path, HttpSettings(requests_per_minute=1)) as api:
        watch(api)
        for _ in range(3):
            assert (await api.ask("GET", LIVE, headers={"Authorization": basic("ann", "ann")}, user=None)).status == 200
        assert (await api.get("campaign/")).status == 200
        assert (await api.get("campaign/")).status == 503
