"""A client of the API v2 that believes nothing: every answer must be one that the OpenAPI document has."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
import wave
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from attrs import define, field
from twisted.internet.defer import Deferred, succeed

from api.v2 import openapi
from api.v2.problems import CONTENT_TYPE
from api.v2.routes import PREFIX, Route
from api.v2.table import all_routes
from dialer.interfaces import ReceiverAnswer
from dialer.management.management import Folders
from dialer.store.location import dialect_of
from tests.grounds import TABLES, copied_database
from tests.unit.api.world import Reply, World, seed, world

DOCUMENT = openapi.document("2", all_routes())

BROWSER_SAFE = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "vary": "Authorization",
    "x-content-type-options": "nosniff",
}

GIVEN: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("POST", "tokens"): {"name": "reports"},
    ("POST", "campaigns"): {"name": "autumn", "gateway_id": 1, "voip_app_id": 1},
    ("PATCH", "campaigns/<campaign_id>"): {"frequency": 7},
    ("POST", "phonebooks"): {"name": "winter"},
    ("PATCH", "phonebooks/<phonebook_id>"): {"description": "cold"},
    ("POST", "phonebooks/<phonebook_id>/contacts"): {"number": "+15551230002"},
    ("PATCH", "phonebooks/<phonebook_id>/contacts/<contact_id>"): {"email": "a@example.com", "additional_vars": {"x": None}},
    ("POST", "phonebooks/<phonebook_id>/contacts/batch"): {"contacts": [{"number": "+15551230003"}, {"number": "x"}]},
    ("POST", "phonebooks/<phonebook_id>/contacts/remove"): {"numbers": ["+15551230001"], "references": ["nobody's"]},
    ("POST", "imports/<import_id>/start"): {"mapping": {"contact": "contact"}, "dry_run": True},
    ("POST", "calls"): {"number": "+15551230005", "gateway_id": 1, "voip_app_id": 1},
    ("POST", "do-not-call"): {"number": "+15551239999"},
    ("POST", "campaigns/<campaign_id>/phonebooks"): {"phonebook_id": 1},
    ("POST", "campaigns/<campaign_id>/redial"): {"states": ["failed", "completed"], "dispositions": ["BUSY"], "dry_run": True},
    ("PATCH", "campaigns/<campaign_id>/contacts/<number>"): {"state": "paused"},
    ("POST", "gateways"): {"name": "second", "dial_string": "sofia/gateway/second/{number}"},
    ("PATCH", "gateways/<gateway_id>"): {"maximum_call": 3},
    ("POST", "voice-applications"): {"name": "second", "type": "speak", "data": "Hello."},
    ("PATCH", "voice-applications/<voip_app_id>"): {"description": "says hello"},
    ("POST", "users"): {"username": "eve", "password": "a password of eve", "blacklist": ["4990"]},
    ("PATCH", "users/<user_id>"): {"max_frequency": 5},
    ("POST", "users/<user_id>/grant"): {"gateway_ids": [1], "voip_app_ids": [1]},
    ("POST", "users/<user_id>/revoke"): {"gateway_ids": [1]},
    ("POST", "do-not-call-lists"): {"name": "letters"},
    ("PATCH", "do-not-call-lists/<list_id>"): {"description": "of 2027"},
    ("POST", "do-not-call-lists/<list_id>/entries"): {"numbers": ["+15551239999"], "reason": "asked"},
    ("POST", "do-not-call-lists/<list_id>/entries/remove"): {"numbers": ["+15551230009"]},
    ("POST", "webhooks"): {"url": "https://erp.example.com/dialer", "kinds": ["attempt.ended", "contact.*"]},
    ("PATCH", "webhooks/<webhook_id>"): {"batch_size": 20},
    ("POST", "webhooks/<webhook_id>/replay"): {"since": "2026-11-23T09:00:00Z"},
    ("POST", "caller-id-pools"): {"name": "sales"},
    ("PATCH", "caller-id-pools/<pool_id>"): {"strategy": "nearest"},
    ("POST", "caller-ids"): {"pool_id": 1, "number": "+12125550002", "daily_cap": 50, "gateways": [1]},
    ("PATCH", "caller-ids/<caller_id>"): {"daily_cap": 60},
    ("POST", "caller-ids/<caller_id>/rest"): {"until": "2999-01-01T00:00:00Z"},
}
"""A body that each route takes."""

FILE = b"contact,first_name\n15551230077,Ana\n"
"""A body of a route that takes a file."""

NEEDED: Mapping[str, str] = {
    "GET contacts": "number=15551230001",
    "GET rules/whereabouts": "number=%2B18505550100",
    "POST sounds": "name=new.wav&replace=yes",
    "POST imports": "phonebook_id=1",
}
"""A query without which a route tells nothing."""

T = "2026-11-23 10:00:00.000000"

FILLED = {
    "<campaign_id>": "1",
    "<phonebook_id>": "1",
    "<contact_id>": "1",
    "<attempt_id>": "call-1",
    "<call_id>": "2",
    "<gateway_id>": "1",
    "<token_id>": "1",
    "<voip_app_id>": "1",
    "<user_id>": "2",
    "<sound>": "hello.wav",
    "<node>": "elsewhere",
    "<switch>": "far",
    "<webhook_id>": "1",
    "<import_id>": "1",
    "<pool_id>": "1",
    "<caller_id>": "1",
    "<delivery_id>": "1",
    "<number>": "+15551230009",
    "<list_id>": "2",
}
"""The objects of `furnish`."""


def identified(route: Route) -> str:
    return f"{route.method} {route.path}"


UNUSED: Mapping[str, str] = {
    "INSERT INTO gateway (id, name, description, protocol, hostname, dial_string, removeprefix, addprefix, addparameter, "
    f"status, created_at, updated_at) VALUES (9, 'unused', '', 'SIP', 'h', '', '', '', '', 1, '{T}', '{T}')": (
        "DELETE gateways/<gateway_id>"
    ),
    "INSERT INTO voip_app (id, name, description, type, data, created_at, updated_at) "
    f"VALUES (9, 'unused', '', 2, 'x.wav', '{T}', '{T}')": "DELETE voice-applications/<voip_app_id>",
    "INSERT INTO user_account (id, username, password_hash, is_superuser, is_active, created_at) "
    f"VALUES (9, 'unused', '', 0, 1, '{T}')": "DELETE users/<user_id>",
}
"""Things that can be removed, because nothing uses them, and the routes that do."""


def filled(path: str) -> str:
    """An address of what there is."""
    path = path.replace("/contacts/<number>", "/contacts/15551230001")
    for name, value in FILLED.items():
        path = path.replace(name, value.replace("+", "%2B"))
    return path


def address(route: Route, query: str = "") -> str:
    """The same of a route, with that query and what it needs."""
    asked = "&".join(filter(None, (NEEDED.get(identified(route)), query)))
    path = re.sub(r"<\w+>$", "9", route.path) if identified(route) in UNUSED.values() else route.path
    return filled(path) + (asked and f"?{asked}")


@cache
def _addresses() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in DOCUMENT["paths"]]


def described(method: str, path: str) -> Mapping[str, Any] | None:
    """The operation of an address; None when there is none."""
    bare = path.partition("?")[0]
    for pattern, address in _addresses():
        if pattern.fullmatch(bare):
            return dict(DOCUMENT["paths"][address]).get(method.lower().replace("head", "get"))
    return None


@cache
def _validator(name: str) -> Any:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def check(reply: Reply, method: str, path: str) -> None:
    """The answer is as the document has it."""
    assert {name: reply.headers.get(name) for name in BROWSER_SAFE} == BROWSER_SAFE
    assert re.fullmatch("[0-9a-f]{16}", reply.headers["x-request-id"])
    assert not [name for name in reply.headers if name.startswith("access-control")]
    operation = described(method, path)
    if operation is None:
        assert reply.status in (404, 405), reply
    else:
        assert str(reply.status) in operation["responses"], (reply, sorted(operation["responses"]))
    if reply.status >= 400:
        assert reply.headers["content-type"] == CONTENT_TYPE
        _validator("Problem").validate(reply.json)
        assert reply.json["status"] == reply.status
        assert reply.json["request_id"] == reply.headers["x-request-id"]
        assert reply.json["instance"] == path.partition("?")[0]
        return
    assert operation is not None
    response = operation["responses"][str(reply.status)]
    told = {name.lower() for name in response["headers"]}
    assert {"etag", "location", "idempotent-replayed"} & set(reply.headers) <= told
    if "application/json" not in response.get("content", {"application/json": ""}):
        assert reply.headers["content-type"].partition(";")[0] in response["content"]
    elif "content" in response:
        assert reply.headers["content-type"] == "application/json"
        (content,) = response["content"].values()
        _validator(content["schema"]["$ref"].rpartition("/")[2]).validate(reply.json)
    else:
        assert (reply.text, "content-type" in reply.headers) == (b"", False)


@define(eq=False)
class Client:
    """Asks in the name of a user, or with a token. A path is behind the prefix."""

    api: World
    user: str | None = "ann"
    token: str = ""

    async def ask(self, method: str, path: str, json: Any = None, **more: Any) -> Reply:
        headers = dict(more.pop("headers", {}))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        where = PREFIX + path
        more = {"user": None if self.token else self.user, **more}
        reply = await self.api.ask(method, where, json=json, headers=headers, **more)
        check(reply, method, where)
        return reply

    async def get(self, path: str, **more: Any) -> Reply:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, json: Any = None, **more: Any) -> Reply:
        return await self.ask("POST", path, json, **more)

    async def patch(self, path: str, json: Any = None, **more: Any) -> Reply:
        return await self.ask("PATCH", path, json, **more)

    async def delete(self, path: str, **more: Any) -> Reply:
        return await self.ask("DELETE", path, **more)

    async def route(self, route: Route, path: str = "", **more: Any) -> Reply:
        """A request that the route takes."""
        if route.takes is not None:
            more = {"data": FILE, "content_type": route.takes.types[0], **more}
        if route.raw:
            more = {"data": wav(), "content_type": route.raw[0], **more}
        return await self.ask(route.method, path or address(route), GIVEN.get((route.method, route.path)), **more)

    def of(self, user: str | None) -> Client:
        return Client(self.api, user)

    async def with_token(self, *scopes: str, **more: Any) -> Client:
        """The same user with a new token."""
        made = await self.post("tokens", {"name": "made", "scopes": list(scopes), **more})
        assert made.status == 201, made
        return Client(self.api, token=made.json["token"])


def wav(seconds: float = 0.1, rate: int = 8000) -> bytes:
    """So much silence."""
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\0\0" * round(seconds * rate))
    return stream.getvalue()


_FOLDER = tempfile.TemporaryDirectory(prefix="dialer-sounds-")


def with_files(api: World) -> Path:
    """A sound, and the recording of a call, each in a folder of its own. Returns the one that both are in."""
    folder = Path(_FOLDER.name)
    for kind, name in (("sounds", "hello.wav"), ("recordings", "call-1.wav")):
        (folder / kind).mkdir(exist_ok=True)
        for file in (folder / kind).iterdir():
            file.unlink()
        (folder / kind / name).write_bytes(wav())
    api.management.folders = Folders(sounds=str(folder / "sounds"), recordings=str(folder / "recordings"))
    return folder


@define(eq=False)
class Sent:
    """Stands for the receivers of webhooks: takes what is sent, and answers so."""

    answer: ReceiverAnswer = field(factory=lambda: ReceiverAnswer(status=204, milliseconds=12))
    requests: list[tuple[str, dict[str, str], bytes]] = field(factory=list)

    def send(self, url: str, headers: dict[str, str], body: bytes) -> Deferred[ReceiverAnswer]:
        self.requests.append((url, headers, body))
        return succeed(self.answer)


async def furnish(api: World) -> Client:
    """What belongs to ann: one of everything, and a number that nobody calls. Returns ann."""
    if not api.is_furnished:
        await _furnish(api)
    api.management.sender = Sent()
    with_files(api)
    return Client(api)


_SCRATCH = tempfile.TemporaryDirectory(prefix="dialer-uploads-")


async def furnished_database(folder: Path) -> str:
    """The URL of a new database as `furnish` leaves it; the file that waits there for its import is in the folder."""
    url = await copied_database(folder, "furnished", _make_furnished)
    shutil.copytree(_uploads(url) / "imports", folder / "imports")
    return url


def _uploads(url: str) -> Path:
    return Path(_SCRATCH.name) / dialect_of(url)


async def _make_furnished(url: str) -> None:
    await seed(url)
    async with world(_uploads(url), url=url) as api:
        await _furnish(api)


async def _furnish(api: World) -> None:
    await api.campaign()
    await api.contact("15551230001")
    api.sql(
        "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
        "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, disposition, "
        "counts_as_attempt, duration_ms, session) VALUES ('call-1', 1, 1, 1, '15551230001', '15551230001', 'x', 1, 'ended', "
        f"'local', 1, '', '{T}', '{T}', '{T}', '{T}', 'USER_BUSY', 'BUSY', 1, 5, '{{}}')"
    )
    ann, root = Client(api), Client(api, "root")
    assert (await ann.post("calls", {"number": "+15551230006", "gateway_id": 1, "voip_app_id": 1})).status == 201
    assert (await ann.post("tokens", {"name": "first"})).status == 201
    assert (await root.post("do-not-call", {"number": "+15551230009", "reason": "asked"})).status == 201
    uploaded = await ann.ask("POST", "imports?phonebook_id=1&draft=yes", data=FILE, content_type="text/csv")
    assert uploaded.status == 202, uploaded
    assert (await ann.post("do-not-call-lists", {"name": "own"})).status == 201
    listed = await ann.post("do-not-call-lists/2/entries", {"numbers": ["+15551230009"]})
    assert listed.status == 200, listed
    assert (await ann.post("webhooks", {"url": "https://crm.example.com/", "kinds": ["*"]})).status == 201
    api.sql(
        "INSERT INTO event (kind, at, user_id, campaign_id, contact_id, attempt_id, call_uuid, sequence, version, data) "
        f"VALUES ('attempt.ended', '{T}', 1, 1, 1, 1, 'call-1', 5, 1, '{{}}')"
    )
    api.sql(
        "INSERT INTO webhook_delivery (webhook_id, events, attempts, status, tries, http_status, milliseconds, error, "
        f"created_at, updated_at) VALUES (1, '[1]', 'call-1', 'dead', 10, 500, 12, 'the answer was 500', '{T}', '{T}')"
    )
    for name in ("empty", "support"):
        assert (await ann.post("caller-id-pools", {"name": name})).status == 201
    assert (await ann.post("caller-ids", {"pool_id": 2, "number": "+12125550001"})).status == 201
    api.sql(
        "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, "
        f"commits, figures) VALUES ('elsewhere', 1, 'h', 1, '1', '{{\"far\": \"c\"}}', 0, '{T}', '{T}', '{T}', 0, '{{}}')"
    )
    for statement in UNUSED:
        api.sql(statement)


def problem(reply: Reply) -> tuple[int, str]:
    """Status and kind."""
    return reply.status, str(reply.json["type"]).rpartition("#")[2]


def pointers(reply: Reply) -> list[str]:
    """What the errors point at."""
    return [each.get("pointer") or each["parameter"] for each in reply.json["errors"]]


def everything(api: World) -> object:
    """All that is stored, but for when a token was used."""
    with api.connected() as connection:
        return [
            sorted(connection.execute(f"SELECT {columns} FROM {table}").fetchall(), key=repr)
            for table, columns in _STORED.items()
        ]


_STORED = {
    **dict.fromkeys(TABLES, "*"),
    "api_token": "id, user_id, public_id, name, scopes",
    "idempotency_key": "user_id, key, body",
}


def whole(route: Route) -> bool:
    """Whether its answers end by themselves."""
    return not route.streams


def routes(**wanted: Any) -> Iterator[Route]:
    """The routes that are like that."""
    for route in all_routes():
        if all(getattr(route, name) == value for name, value in wanted.items()):
            yield route
