"""A site on the loopback with a database behind it: two users, a superuser, a gateway and a voice application."""

from __future__ import annotations

import base64
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, NoReturn
from unittest import mock
from urllib.parse import urlencode

import orjson
import treq
from argon2 import PasswordHasher
from attrs import define, field, frozen
from klein import Klein
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import Clock
from twisted.web.client import Agent, HTTPConnectionPool
from twisted.web.http_headers import Headers
from werkzeug.routing import Rule

import api.page.app
import api.page.rendering
import api.site
import api.v2.app
from api import ApiSite, build_site
from dialer.files.import_folder import ImportFolder
from dialer.management import Management
from dialer.management import management as logins
from dialer.model import Campaign, Gateway, GatewayHealth, IdleCode, IdleReason, OwnSwitch, Progress, VoipAppType
from dialer.settings import HttpSettings
from dialer.store.database import Database, NodeIdentity
from dialer.store.location import opened
from tests.grounds import copied_database, dump_of, rows_of
from tests.seeding import Seeds
from tests.unit.api.kept_routes import built

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SHOWN_NOW = "2026-11-23 10:00:00"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
MANY = HttpSettings(requests_per_minute=0)

NO_SWITCH = IdleReason(IdleCode.NO_SWITCH, "no switch is connected")
"""The answer of `Flow` for every campaign."""

CAMPAIGN = {"name": "spring", "aleg_gateway": "1", "voipapp": "1"}


@cache
def cheap_hash(password: str) -> str:
    """argon2id as always, with the least work."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


@frozen
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: bytes
    length: object
    """What Content-Length said; the client keeps that header to itself."""
    cookies: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return orjson.loads(self.text)

    @property
    def error(self) -> str:
        return str(self.json["error"])

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.error


class SteppedClock(Clock):
    """Time is stepped; what only waits for another turn of the reactor gets it."""

    def callLater(self, when: float, what: Any, *args: Any, **more: Any) -> Any:
        from twisted.internet import reactor

        return super().callLater(when, what, *args, **more) if when else reactor.callLater(0, what, *args, **more)


@define(eq=False)
class Flow:
    """What the flow was told."""

    looks: int = 0
    released: list[int] = field(factory=list)
    hung_up: list[int] = field(factory=list)
    explained: list[tuple[Campaign, Progress]] = field(factory=list)
    live: dict[int, int] = field(factory=dict)
    """Live calls by campaign."""
    reason: IdleReason | None = NO_SWITCH
    healths: dict[int, GatewayHealth] = field(factory=dict)

    switches: dict[str, bool] = field(factory=dict)
    """Of its switches, by name, whether the configuration drains it."""

    def call_soon(self) -> None:
        self.looks += 1

    def own_switches(self) -> list[OwnSwitch]:
        return [OwnSwitch(name=name, drains=drains) for name, drains in self.switches.items()]

    def release(self, campaign_id: int) -> None:
        self.released.append(campaign_id)

    def hang_up(self, campaign_id: int) -> None:
        self.hung_up.append(campaign_id)

    def gateway_health(self, gateway: Gateway) -> GatewayHealth:
        return self.healths.get(gateway.id, GatewayHealth())

    def live_calls(self, campaign_id: int) -> int:
        return self.live.get(campaign_id, 0)

    def calls_per_second(self) -> float:
        return 25.0

    def explain(self, campaign: Campaign, progress: Progress | None) -> IdleReason | None:
        self.explained.append((campaign, progress))
        return self.reason


@define(eq=False)
class World:
    """`now` can be moved. Users: ann (id 1), bob (2), root (3, superuser); their passwords are their names."""

    database: Database
    site: ApiSite
    management: Management
    flow: Flow
    port: IListeningPort
    agent: Agent
    is_furnished: bool = False
    """Whether there is everything that `furnish` of the API v2 makes."""
    _thread: int = field(factory=threading.get_ident, init=False)
    _beside: AbstractContextManager[Any] | None = field(default=None, init=False)
    _connection: Any = field(default=None, init=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port.getHost().port}"

    async def ask(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | str | bytes | None = None,
        *,
        json: Any = None,
        user: str | None = "ann",
        password: str | None = None,
        content_type: str | None = FORM,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """A request; `path` is behind the prefix unless it begins with a slash. A mapping is sent as a form."""
        sent = Headers({name: [value] for name, value in (headers or {}).items()})
        if user is not None:
            sent.setRawHeaders("Authorization", [basic(user, user if password is None else password)])
        body: bytes | None = None
        if json is not None:
            body, content_type = orjson.dumps(json), JSON
        elif isinstance(data, Mapping):
            body = urlencode(data).encode()
        elif data is not None:
            body = data.encode() if isinstance(data, str) else data
        if body is not None and content_type is not None:
            sent.setRawHeaders("Content-Type", [content_type])
        where = self.address + (path if path.startswith("/") else f"/api/dialer_campaign/{path}")
        response = await treq.request(
            method, where, headers=sent, data=body, agent=self.agent, allow_redirects=False, unbuffered=False
        )
        found = {name.decode().lower(): values[0].decode() for name, values in response.headers.getAllRawHeaders()}
        cookies = tuple(each.decode() for each in response.headers.getRawHeaders(b"Set-Cookie", []))
        return Reply(response.code, found, await response.content(), response.length, cookies)

    async def get(self, path: str, **more: Any) -> Reply:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, data: Any = None, **more: Any) -> Reply:
        return await self.ask("POST", path, data, **more)

    async def put(self, path: str, data: Any = None, **more: Any) -> Reply:
        return await self.ask("PUT", path, data, **more)

    async def campaign(self, name: str = "spring", user: str = "ann", **more: Any) -> dict[str, Any]:
        """A new campaign, with its phonebook."""
        reply = await self.post("campaign/", {**CAMPAIGN, "name": name, **more}, user=user)
        assert reply.status == 200, reply
        return dict(reply.json)

    async def contact(self, number: str, phonebook_id: int = 1, user: str = "ann", **more: Any) -> dict[str, Any]:
        """A new contact."""
        reply = await self.post("contact/", {"contact": number, "phonebook_id": phonebook_id, **more}, user=user)
        assert reply.status == 200, reply
        return dict(reply.json)

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """The connection of another program, kept from one time to the next: to connect takes longer than most statements.
        Any other thread than that of the test has one of its own."""
        if threading.get_ident() != self._thread:
            with opened(self.database.url) as connection:
                yield connection
            return
        if self._connection is None:
            self._beside = opened(self.database.url)
            self._connection = self._beside.__enter__()
        try:
            yield self._connection
            self._connection.rollback()
        except BaseException:
            self.disconnect()
            raise

    def disconnect(self) -> None:
        """Give the connection up."""
        beside, self._beside, self._connection = self._beside, None, None
        if beside is not None:
            beside.__exit__(None, None, None)

    def sql(self, statement: str, *values: object) -> list[Any]:
        """What another program sees in the database, or changes there."""
        with self.connected() as connection:
            return rows_of(connection, statement, *values)

    def dump(self) -> object:
        """Everything that is stored."""
        with self.connected() as connection:
            return dump_of(connection)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@asynccontextmanager
async def world(folder: Path, settings: HttpSettings = MANY, *, url: str | None = None, **clock: Any) -> AsyncIterator[World]:
    """Started, and stopped at the end; on the seeded database at `url`, or else on a new one."""
    from twisted.internet import reactor

    if url is None:
        url = await copied_database(folder, "api", seed)
    # Nothing beats here: the lease is longer than a test.
    database = Database(url, reactor, dialling=True, node=NodeIdentity(lease=600.0))
    await database.start()
    flow = Flow()
    management = Management(database, lambda: NOW, flow, reactor)
    management.imports = ImportFolder(folder / "imports")
    management.start()
    site = _site(management, settings, clock.get("clock", reactor))
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = 20
    try:
        # A login as nobody costs a tenth of a second of work, on purpose; not here.
        with mock.patch.object(logins, "NOBODY", cheap_hash("the password of nobody")):
            here = World(database, site, management, flow, port, Agent(reactor, pool=pool))
            try:
                yield here
            finally:
                here.disconnect()
    finally:
        await port.stopListening()
        await pool.closeCachedConnections()
        await site.drain()
        management.stop()
        await database.stop()


@define(eq=False)
class _Later:
    """Stands for a Klein and for its resource, which are made for the first request: most tests ask one branch of the site."""

    build: partial[Klein]
    made: Any = None

    def resource(self) -> _Later:
        return self

    def render(self, request: Any) -> Any:
        if self.made is None:
            # No code is generated for making an address out of a route, which is most of the work, and which nobody asks for.
            with mock.patch.object(Rule, "_compile_builder", lambda *_: _unused):
                self.made = built(self.build).resource()
        return self.made.render(request)


def _unused(*_: object) -> NoReturn:
    raise AssertionError("an address is made out of a route")


_environment = cache(api.page.rendering._environment)
_BRANCHES = ((api.site, "build_app"), (api.v2.app, "build_app"), (api.page.app, "_build_app"))


def _site(management: Management, settings: HttpSettings, clock: Any) -> ApiSite:
    """As it is built for the product, but that a branch is built when it is asked, and templates are compiled once for all."""

    def later(build: Callable[..., Klein]) -> Callable[..., _Later]:
        return lambda *arguments: _Later(partial(build, *arguments))

    with ExitStack() as patches:
        for module, name in _BRANCHES:
            patches.enter_context(mock.patch.object(module, name, later(getattr(module, name))))
        patches.enter_context(mock.patch.object(api.page.rendering, "_environment", _environment))
        return build_site(management, settings, clock)


async def seed(url: str) -> None:
    from twisted.internet import reactor

    database = Database(url, reactor)
    await database.start()
    seeds = Seeds(database, NOW - timedelta(days=1))
    for name in ("ann", "bob"):
        await seeds.user(username=name, password_hash=cheap_hash(name))
    await seeds.user(username="root", password_hash=cheap_hash("root"), is_superuser=True)
    await seeds.gateway(name="Default_Gateway", hostname="localhost")
    await seeds.voip_app(name="Default_VoIP_App", type=VoipAppType.PLAY_AUDIO, data="hello.wav")
    for user_id in (1, 2):
        await seeds.grant(user_id, gateways=[1], voip_apps=[1])
    await database.stop()
