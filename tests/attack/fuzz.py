"""Every route of both OpenAPI documents, asked by a superuser, a user, nobody, and somebody with wrong credentials, with what
fits its document and what does not.

The requests are schemathesis', made of the documents themselves, so that no list of routes has to be kept here. Most ids that
it makes up name nothing; so a second form of each, in which ids are those of objects that are there, takes half of the turns.
After `ROUND` requests another dialer in a new folder takes over: lists stay short, and a defect that needs many objects is the
business of the attacks.
"""

from __future__ import annotations

import base64
import copy
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from ipaddress import ip_network
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson
import requests
import schemathesis
from attrs import define, field, frozen
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from requests.adapters import HTTPAdapter
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.openapi import JSON, document
from api.routes import PREFIX
from api.v2 import openapi as openapi_v2
from api.v2 import problems
from api.v2.routes import PREFIX as PREFIX_V2
from api.v2.table import all_routes
from dialer.hooks.addresses import AddressRules
from dialer.management import webhooks
from dialer.model import CampaignStatus, Contact, VoipAppType
from dialer.model.user import PROTECTIVE_LIMITS
from tests.attack.place import PASSWORD, Place, Sections, basic, opened
from tests.grounds import rows
from tests.seeding import Seeds, account
from tests.unit.api.v2.support import wav
from tests.unit.api.world import cheap_hash

ROUND: Final = 5000
"""Requests to one dialer."""
TURN: Final = 40
"""Requests to one route, of one kind and by one client, before the next ones are drawn."""

MARK: Final = "of-nobody-else"
"""Stands in every text that belongs to the user `victim` alone."""
VICTIMS_NUMBER: Final = "491555001234"

ORACLES: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PROBLEM: Final = list(problems.SCHEMA["properties"])
HTTPS_OWN: Final = frozenset({404, 405, 414, 431})
"""Statuses that a request may get before it is a request to a route: no such address, or one that is too long."""


def _one_of(*values: object) -> dict[str, Any]:
    return {"enum": list(values)}


_NUMBER: Final = "1555[0-9]{7}"
_WORDS: Final = {"type": "string", "pattern": "^[A-Za-z0-9][ -~]{0,40}$"}

ALLOWED: Final = "127.0.0.0/8"
"""Where webhooks may be."""
NOBODY_LISTENS: Final = "http://127.0.0.1:65431/"

THERE: Final[Mapping[str, Any]] = {
    **dict.fromkeys(
        ("campaign_id", "phonebook_id", "contact_id", "webhook_id", "delivery_id", "token_id", "import_id"),
        _one_of(1, 2, 3, 4),
    ),
    **dict.fromkeys(("gateway_id", "voip_app_id", "user_id"), _one_of(1, 2)),
    **dict.fromkeys(("node", "switch"), _one_of("dialer", "simulator")),
    "sound": _one_of("hello.wav", "bye.wav"),
    "reference": _one_of("", "one", "two", "three"),
    "url": _one_of(NOBODY_LISTENS, f"{NOBODY_LISTENS}another", "http://10.0.0.1/", "https://[::1]/"),
    "kinds": _one_of(["attempt.ended", "contact.*"], ["*"], ["campaign.paused"]),
    "since": _one_of("2026-01-01T00:00:00Z", "2999-01-01T00:00:00+01:00"),
    "until": _one_of(None, "2998-01-01T00:00:00Z"),
    "number": {"type": "string", "pattern": "^1555[0-9]{7}$"},
    "aleg_gateway": _one_of(1, 2, 3),
    "voipapp": _one_of(1, 1, 2),
    "contact": {
        "anyOf": [
            {"type": "string", "enum": [VICTIMS_NUMBER, "15550001", "+49 155 5001-234"]},
            {"type": "string", "pattern": f"^{_NUMBER}$"},
        ]
    },
    "phoneno_list": {"type": "string", "pattern": f"^{_NUMBER}(,{_NUMBER}){{0,4}}$"},
    "time_zone": _one_of("UTC", "Europe/Madrid"),
    "callerid": _one_of("", "34911234567", "112"),
    "frequency": _one_of(1, 60, 100),
    **dict.fromkeys(
        ("name", "description", "caller_name", "first_name", "last_name", "email", "voipapp_data", "extra_data"), _WORDS
    ),
}
"""What requests may say that shall mostly be done, by the names of attributes."""


@frozen
class Client:
    """Somebody who asks. `address` is where it comes from: failed logins are counted by that. `trusted` may see everything."""

    name: str
    address: str
    login: Callable[[random.Random], str | None]
    known: bool = True
    trusted: bool = False
    weight: int = 1


def wrong(rng: random.Random) -> str:
    """Credentials that are none, in several ways."""
    return rng.choice(
        [
            basic("admin", "wrong"),
            basic("victim", str(rng.random())),
            basic("nobody here", PASSWORD),
            basic("x" * 3000, "y"),
            "Basic " + base64.b64encode(rng.randbytes(20)).decode(),
            "Basic",
            "Bearer " + PASSWORD,
        ]
    )


CLIENTS: Final = (
    Client("user", "127.0.0.3", lambda _: basic("bob"), weight=4),
    Client("nobody", "127.0.0.4", lambda _: None, known=False),
    Client("wrong", "127.0.0.5", wrong, known=False),
)
SUPERUSER: Final = Client("superuser", "127.0.0.6", lambda _: basic("admin"), trusted=True)


@define
class Found:
    """What came of many requests: `done` are those that were done, by route; `defects` are by kind and route, each with
    the first request that showed it."""

    asked: Counter[str] = field(factory=Counter)
    statuses: Counter[tuple[str, int]] = field(factory=Counter)
    done: Counter[str] = field(factory=Counter)
    defects: dict[str, str] = field(factory=dict)
    seconds: float = 0.0
    slowest: float = 0.0

    def add(self, other: Found) -> None:
        """Together with those of another process."""
        self.asked += other.asked
        self.statuses += other.statuses
        self.done += other.done
        self.defects |= {kind: text for kind, text in other.defects.items() if kind not in self.defects}
        self.seconds += other.seconds
        self.slowest = max(self.slowest, other.slowest)

    def lines(self) -> Iterator[str]:
        """For people."""
        yield f"{self.asked.total()} requests in {self.seconds:.0f} s, the slowest {1000 * self.slowest:.0f} ms"
        for name, number in self.asked.items():
            some = ", ".join(f"{status}: {count}" for (who, status), count in sorted(self.statuses.items()) if who == name)
            yield f"  {name}: {number} ({some})"
        yield "  done: " + ", ".join(f"{name} {count}" for name, count in sorted(self.done.items()))


def documents() -> list[tuple[GenerationMode, dict[str, Any]]]:
    """The documents as they are published, for requests that fit them and for such as do not; and forms of them for what is
    there."""
    found = []
    for published in (document("1"), openapi_v2.document("2", all_routes())):
        there = narrowed(published)
        found += [(GenerationMode.POSITIVE, each) for each in (there, there, published)]
        found.append((GenerationMode.NEGATIVE, published))
    return found


def narrowed(published: dict[str, Any]) -> dict[str, Any]:
    """The same document for requests that mostly name what is there, and that the dialer can mostly do."""
    there = copy.deepcopy(published)
    schemas = there["components"]["schemas"]
    for operation in (each for methods in there["paths"].values() for each in methods.values()):
        in_path = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "path"}
        for parameter in operation["parameters"]:
            parameter["schema"] = THERE.get(parameter["name"], parameter["schema"])
        if "requestBody" in operation:
            taken = operation["requestBody"]["content"]
            if JSON not in taken:  # a file
                continue
            body = schemas[taken[JSON]["schema"]["$ref"].rpartition("/")[2]]
            own = {name: THERE.get(name, schema) for name, schema in body["properties"].items() if name not in in_path}
            operation["requestBody"]["content"] = {kind: {"schema": {**body, "properties": own}} for kind in taken}
    return there


async def furnish(seeds: Seeds) -> None:
    """Two users, each with something of its own, and what both may use; their campaigns are paused, so that nobody changes the
    victim's but those who may."""
    shared = await seeds.gateway(name="shared", dial_string="sofia/gateway/simulator/{number}")
    own = await seeds.gateway(name=MARK, dial_string="sofia/gateway/own/{number}", description=MARK, hostname="localhost")
    app = await seeds.voip_app(name="shared", type=VoipAppType.PLAY_AUDIO, data="hello.wav")
    await seeds.user(username="admin", password_hash=cheap_hash(PASSWORD), is_superuser=True)
    for name, gateway, text, number in (
        ("victim", own, MARK, VICTIMS_NUMBER),
        ("bob", shared, "anything", "15550001"),
    ):
        user = await seeds.user(username=name, password_hash=cheap_hash(PASSWORD), **PROTECTIVE_LIMITS)
        await seeds.grant(user, (gateway,), (app,))
        details = await seeds.campaign(user, name=text, gateway_id=gateway, voip_app_id=app, description=text, frequency=60)
        await seeds.set_campaign_status(details.campaign.id, CampaignStatus.PAUSE)
        contact = Contact(number=number, last_name=text, email=text, description=text, additional_vars={"note": text})
        await seeds.add(details.phonebooks[0].id, [contact])
        told = {"url": NOBODY_LISTENS + text, "kinds": "contact.*"}
        await seeds.ask(webhooks.add, account(user), told, AddressRules((ip_network(ALLOWED),)))


def victims(place: Place) -> Mapping[str, list[tuple[Any, ...]]]:
    """Everything that belongs to the victim."""
    mine = "(SELECT id FROM user_account WHERE username = 'victim')"
    books = f"(SELECT id FROM phonebook WHERE user_id = {mine})"
    campaigns = f"(SELECT id FROM campaign WHERE user_id = {mine})"
    statements = {
        "user": f"SELECT * FROM user_account WHERE id = {mine}",
        "phonebooks": f"SELECT * FROM phonebook WHERE user_id = {mine}",
        "campaigns": f"SELECT * FROM campaign WHERE user_id = {mine}",
        "contacts": f"SELECT * FROM contact WHERE phonebook_id IN {books}",
        "subscribers": f"SELECT * FROM subscriber WHERE campaign_id IN {campaigns}",
        "webhooks": f"SELECT id, url, kinds, secret, status, batch_size FROM webhook WHERE user_id = {mine}",
        "tokens": f"SELECT id, scopes FROM api_token WHERE user_id = {mine}",
        "links": f"SELECT * FROM campaign_phonebook WHERE campaign_id IN {campaigns} OR phonebook_id IN {books}",
    }
    return {name: sorted(rows(place.url, statement)) for name, statement in statements.items()}


@define(eq=False)
class Fuzzer:
    """Asks one dialer. A session each, so that every client has connections of its own."""

    place: Place
    rng: random.Random
    found: Found
    base: str = field(init=False)
    _sessions: dict[str, requests.Session] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.base = f"http://127.0.0.1:{self.place.port('http')}"

    def ask(self, clients: Sequence[Client], number: int) -> None:
        """So many requests by these clients, in turns."""
        kinds = [
            (mode, [operation.ok() for operation in schemathesis.openapi.from_dict(text).get_all_operations()])
            for mode, text in documents()
        ]
        left = number
        while left > 0:
            mode, operations = self.rng.choice(kinds)
            operation, client = self.rng.choice(operations), self.rng.choices(clients, [each.weight for each in clients])[0]
            left -= self._turn(operation.as_strategy(generation_mode=mode), client, min(TURN, left))

    def _turn(self, strategy: Any, client: Client, number: int) -> int:
        """How many were sent; a route that takes nothing has one request only."""
        before = self.found.asked.total()

        @seed(self.rng.getrandbits(32))
        @settings(
            max_examples=number, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )
        @given(case=strategy)
        def send(case: Case) -> None:
            self._one(case, client)

        with suppress(Unsatisfiable):  # nothing can be made of that kind for this route
            send()
        return self.found.asked.total() - before

    def _one(self, case: Case, client: Client) -> None:
        login = client.login(self.rng)
        headers = {name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
        case.headers = headers | ({} if login is None else {"Authorization": login})
        began = time.monotonic()
        try:
            response = self._call(case, client)
        except (requests.RequestException, ValueError) as error:
            self._defect(type(error).__name__, case, str(error))
            return
        self.found.slowest = max(self.found.slowest, time.monotonic() - began)
        self.found.asked[client.name] += 1
        self.found.statuses[client.name, response.status_code] += 1
        self.found.done[route_of(case)] += response.status_code < 300
        for kind, text in judge(case, response, client):
            self._defect(kind, case, text)

    def _call(self, case: Case, client: Client) -> Any:
        """Once more when the dialer had closed the connection meanwhile, as it does behind a request that is none."""
        for last in (False, True):
            session = self._sessions.setdefault(client.name, _session(client.address))
            try:
                return case.call(base_url=self.base, session=session, timeout=20)
            except requests.ConnectionError:
                del self._sessions[client.name]
                if last:
                    raise
        raise AssertionError("unreachable")

    def _defect(self, kind: str, case: Case, text: str) -> None:
        self.found.defects.setdefault(
            f"{kind}: {route_of(case)}", f"{text}\n{case.as_curl_command(base_url=self.base)[:2000]}"
        )


class _From(HTTPAdapter):
    """Connections from one address."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **more)


def route_of(case: Case) -> str:
    """Its method and its address."""
    return f"{case.operation.method.upper()} {case.operation.path.removeprefix(PREFIX).removeprefix('/api/')}"


def _session(address: str) -> requests.Session:
    session = requests.Session()
    session.mount("http://", _From(address))
    return session


def judge(case: Case, response: Any, client: Client) -> Iterator[tuple[str, str]]:
    """What is wrong with an answer: kinds, and texts."""
    if response.status_code in HTTPS_OWN or (response.status_code == 400 and response.headers.get("Connection") == "close"):
        if list(orjson.loads(response.content)) not in _refusals(case, response.status_code):
            yield "not a refusal", response.text
    else:
        try:
            case.validate_response(response, checks=ORACLES)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                yield type(failure).__name__, f"{failure}; {response.status_code} {response.text[:500]}"
    if not client.known and response.status_code < 400:
        yield "answered a stranger", f"{response.status_code} {response.text[:500]}"
    if not client.trusted and MARK in response.text and MARK not in str(case.body):
        yield "told what belongs to another user", response.text[:500]


def _refusals(case: Case, status: int) -> list[list[str]]:
    """The members of a refusal: of the branch that the address belongs to, or of HTTP itself, before there is an address."""
    of_http = [["error"]]
    if not case.operation.path.startswith(PREFIX_V2):
        return of_http
    return [PROBLEM] if status in (404, 405) else [PROBLEM, *of_http]


def one_round(number: int, at: int) -> Found:
    """So many requests to a new dialer; `at` is the seed of everything."""
    found, rng, began = Found(), random.Random(at), time.monotonic()
    sections: Sections = {
        "simulator": {},
        "http": {"requests_per_minute": 0},
        "log": {"format": "text"},
        "webhooks": {"allow": [ALLOWED]},
    }
    with (
        TemporaryDirectory(prefix="dialer-sounds-") as sounds,
        TemporaryDirectory(prefix="dialer-fuzz-") as folder,
        TemporaryDirectory(prefix="dialer-recordings-") as recordings,
        opened(Path(folder), {**sections, "apps": {"sounds": sounds, "recordings": recordings}}, furnish) as place,
    ):
        (Path(sounds) / "hello.wav").write_bytes(wav())
        fuzzer = Fuzzer(place, rng, found)
        before = victims(place)
        fuzzer.ask((SUPERUSER,), 1)  # one whose password was right is heard, whoever fails in its name later
        fuzzer.ask(CLIENTS, number * 3 // 4)
        after = victims(place)
        found.defects |= {
            f"changed the {name} of another user": str(after[name]) for name in before if before[name] != after[name]
        }
        fuzzer.ask((SUPERUSER,), number - number * 3 // 4)
        found.defects |= {f"complaint: {text[:80]}": text for text in place.complaints()}
        if place.node.stop() != 0:
            found.defects["did not stop"] = place.node.last_words()
    found.seconds = time.monotonic() - began
    return found


def rounds(number: int, at: int, processes: int) -> Iterator[tuple[int, Found]]:
    """So many requests, shared by processes, in rounds; gives the seed of each round with what it found. `at` is the seed of
    the first one, the others follow."""
    sizes = [min(ROUND, number - done) for done in range(0, number, ROUND)]
    seeds = range(at, at + len(sizes))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from zip(seeds, pool.map(one_round, sizes, seeds), strict=True)
