"""The client of the API v2: held against the OpenAPI document, and against a dialer's API over the loopback."""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from api.v2.openapi import address
from api.v2.routes import PREFIX, Route
from api.v2.table import all_routes
from dialer.client import ApiRefused, AsyncClient, Client, Unreachable
from dialer.client.api import AsyncResources, Resources
from dialer.client.calls import MOST_TRIES, ApiAnswer, ApiCall, basic, pause, result
from dialer.client.sending import Resource
from dialer.errors import BadValue
from tests.unit.api.v2.support import wav, with_files
from tests.unit.api.world import World

GIVEN: dict[str, Any] = {"content": b"x"}
WITHOUT_METHOD = {"GET /api/v2/events"}
"""A stream, which is read by any client of server-sent events."""


@pytest.fixture(params=[Resources, AsyncResources], ids=["waiting", "deferred"])
def flavour(request: pytest.FixtureRequest) -> Any:
    """The methods of each kind of client."""
    return request.param


def calls(flavour: Any) -> Iterator[tuple[str, ApiCall, str]]:
    """What each method sends: its name, the call, and whether it is one, a list or a file."""
    sent: list[tuple[ApiCall, str]] = []

    def recorder(kind: str) -> Any:
        return lambda call: sent.append((call, kind))

    api = flavour(recorder("one"), recorder("list"), recorder("file"))
    places = {"": api, **{name: each for name, each in vars(api).items() if isinstance(each, Resource)}}
    for place, resource in places.items():
        for name, method in inspect.getmembers(resource, inspect.ismethod):
            if name.startswith("_"):
                continue
            wanted = [
                each
                for each in inspect.signature(method).parameters.values()
                if each.default is each.empty and each.kind is not each.VAR_KEYWORD
            ]
            method(
                *(GIVEN.get(each.name, "x") for each in wanted if each.kind is not each.KEYWORD_ONLY),
                **{each.name: GIVEN.get(each.name, "x") for each in wanted if each.kind is each.KEYWORD_ONLY},
            )
            call, kind = sent.pop()
            yield f"{place}.{name}", call, kind


def identified(call: ApiCall) -> str:
    return f"{call.method} {PREFIX}{call.path}"


def test_every_operation_of_the_document_has_a_method_and_no_method_asks_for_anything_else(flavour: Any) -> None:
    routes: dict[str, Route] = {f"{route.method} {address(route)}": route for route in all_routes()}
    found = {identified(call): (call, kind) for _, call, kind in calls(flavour)}
    assert set(found) | WITHOUT_METHOD == set(routes)
    for name, (call, kind) in found.items():
        route = routes[name]
        assert set(call.ids) == {each.name for each in route.path_parameters}, name
        assert set(call.query) == {each.name for each in route.query_parameters if each.name != "cursor"}, name
        assert (call.payload is not None) <= (route.body is not None or bool(route.raw) or route.takes is not None), name
        assert kind == ("list" if route.page else "file" if route.files else "one"), name


def test_what_is_in_an_address_cannot_lead_elsewhere() -> None:
    call = ApiCall(
        method="GET", path="sounds/{sound}", ids={"sound": "../users?x#y"}, query={"name": "a&b", "no": None, "on": True}
    )
    assert call.target == "/api/v2/sounds/..%2Fusers%3Fx%23y?name=a%26b&on=yes"


@pytest.mark.parametrize(
    ("tries", "answer", "seconds"),
    [
        (1, None, 0.5),
        (3, None, 2.0),
        (MOST_TRIES, None, None),
        (1, ApiAnswer(status=503, headers={"retry-after": "7"}, content=b""), 7.0),
        (1, ApiAnswer(status=429, headers={"retry-after": "9999"}, content=b""), 30.0),
        (1, ApiAnswer(status=409, headers={}, content=b'{"type": "/api/v2/problems#in-progress"}'), 0.5),
        (1, ApiAnswer(status=409, headers={}, content=b'{"type": "/api/v2/problems#in-use"}'), None),
        (1, ApiAnswer(status=400, headers={}, content=b""), None),
        (1, ApiAnswer(status=500, headers={}, content=b""), None),
        (1, ApiAnswer(status=200, headers={}, content=b""), None),
    ],
)
def test_when_the_same_is_sent_again(tries: int, answer: ApiAnswer | None, seconds: float | None) -> None:
    assert pause(tries, answer, 1.0) == seconds


def test_what_was_removed_by_an_earlier_try_is_removed() -> None:
    gone = ApiAnswer(status=404, headers={"content-type": "application/problem+json"}, content=b"{}")
    call = ApiCall(method="DELETE", path="campaigns/{campaign_id}", ids={"campaign_id": 1})
    assert result(call, gone, 2) is None
    with pytest.raises(ApiRefused):
        result(call, gone, 1)


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x", "http://x:y", "http://x/api", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BadValue, match="expected an address"):
        Client(url, "")


@pytest_twisted.ensureDeferred
async def test_a_program_that_waits_does_the_daily_job(api: World) -> None:
    with_files(api)

    def job() -> None:
        with Client(api.address, basic("root", "root")) as client:
            campaign = client.campaigns.create(name="spring", gateway_id=1, voip_app_id=1, draft=True)
            (book,) = campaign["phonebook_ids"]
            many = [{"number": f"+1555123{number:04}"} for number in range(205)]
            assert client.contacts.create_many(book, contacts=many)["taken"] == 205
            assert [each["number"] for each in client.contacts.list(book)] == [each["number"] for each in many]
            assert client.campaigns.start(campaign["id"])["status"] == "start"
            assert client.campaigns.change(campaign["id"], frequency=7)["frequency"] == 7
            assert client.campaigns.report(campaign["id"]).count(b"\n") == 206
            assert client.sounds.upload(wav(), name="new.wav")["is_audio"]
            assert client.sounds.content("new.wav") == wav()
            client.campaigns.delete(campaign["id"])
            with pytest.raises(ApiRefused) as caught:
                client.campaigns.get(campaign["id"])
            assert (caught.value.status, caught.value.kind) == (404, "not-found")
            with pytest.raises(ApiRefused) as caught:
                client.campaigns.create(name="x")
            assert [each["pointer"] for each in caught.value.errors] == ["#/gateway_id", "#/voip_app_id"]

    await deferToThread(job)


@pytest_twisted.ensureDeferred
async def test_a_program_on_the_reactor_does_it_too(api: World) -> None:
    from twisted.internet import reactor

    client = AsyncClient(reactor, api.address, basic("ann", "ann"))
    try:
        assert (await client.me())["username"] == "ann"
        for name in ("b", "a"):
            await client.phonebooks.create(name=name)
        assert [each["name"] async for each in client.phonebooks.list(sort="name")] == ["a", "b"]
        with pytest.raises(ApiRefused) as caught:
            await client.users.get(1)
        assert caught.value.status == 403
    finally:
        await client.close()


@pytest_twisted.ensureDeferred
async def test_a_lost_answer_has_the_effect_once(api: World) -> None:
    """The answer to the first try is lost behind its effect: the second try gets it."""
    slept: list[float] = []

    def job() -> dict[str, Any]:
        client = Client(api.address, basic("ann", "ann"), sleep=slept.append, rng=random.Random(1))
        once = client._once
        lost = iter([True])

        def losing(call: ApiCall, headers: dict[str, str]) -> ApiAnswer:
            answer = once(call, headers)
            if next(lost, False):
                raise ConnectionResetError("reset")
            return answer

        client._once = losing  # type: ignore[method-assign]
        made: dict[str, Any] = client.phonebooks.create(name="one")
        client.close()
        return made

    made = await deferToThread(job)
    assert (made["id"], len(slept)) == (1, 1)
    assert api.sql("SELECT count(*) FROM phonebook") == [(1,)]


def test_a_server_that_is_not_there_is_named() -> None:
    slept: list[float] = []
    client = Client("http://127.0.0.1:9", "", sleep=slept.append, rng=random.Random(1))
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9 does not answer"):
        client.me()
    assert len(slept) == MOST_TRIES - 1
