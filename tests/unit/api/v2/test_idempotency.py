"""Requests that come again: one effect, the same answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from api.v2.routes import Route
from dialer.management import Management, phonebooks
from dialer.management.idempotency import Answered, KeyedRequest, once
from dialer.store.database import Database
from tests.seeding import account
from tests.unit.api.v2.support import Client, everything, furnish, identified, problem, routes, with_files
from tests.unit.api.world import NOW, World

ONE = {"Idempotency-Key": "one"}
POSTS = list(routes(method="POST"))


def created(api: World) -> int:
    ((count,),) = api.sql("SELECT count(*) FROM phonebook")
    return int(count)


@pytest.mark.parametrize("route", POSTS, ids=identified)
@pytest_twisted.ensureDeferred
async def test_the_same_request_has_its_effect_once_and_gets_the_same_answer(api: World, route: Route) -> None:
    ann = await furnish(api)
    root = ann.of("root")
    first = await root.route(route, headers=ONE)
    after = everything(api)
    again = await root.route(route, headers=ONE)
    assert (first.status, again.status) == (route.status, route.status)
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers.get("location") == first.headers.get("location")
    secrets = dict.fromkeys({"token", "secret"} & first.json.keys())
    assert again.json == {**first.json, **secrets}, "what is told once is not told again"
    assert everything(api) == after


@pytest_twisted.ensureDeferred
async def test_without_a_key_the_same_request_is_another_one(api: World) -> None:
    ann = Client(api)
    assert (await ann.post("phonebooks", {"name": "winter"})).status == 201
    assert problem(await ann.post("phonebooks", {"name": "winter"})) == (409, "already-exists")


@pytest_twisted.ensureDeferred
async def test_a_key_stands_for_one_request(api: World) -> None:
    ann = Client(api)
    await ann.post("phonebooks", {"name": "winter"}, headers=ONE)
    assert problem(await ann.post("phonebooks", {"name": "summer"}, headers=ONE)) == (422, "key-reused")
    assert problem(await ann.post("do-not-call", {"number": "5551234"}, headers=ONE)) == (422, "key-reused")
    assert (await ann.post("phonebooks", {"name": "summer"}, headers={"Idempotency-Key": "two"})).status == 201
    assert created(api) == 2


@pytest_twisted.ensureDeferred
async def test_a_key_stands_for_one_address_with_its_query(api: World) -> None:
    await furnish(api)
    root = Client(api, "root")
    content = (with_files(api) / "sounds" / "hello.wav").read_bytes()
    for name, found in (("one.wav", (201, "")), ("two.wav", (422, "key-reused")), ("one.wav", (201, ""))):
        reply = await root.ask("POST", f"sounds?name={name}", data=content, content_type="audio/wav", headers=ONE)
        assert (reply.status, "" if reply.status == 201 else problem(reply)[1]) == found, name
    assert sorted(path.name for path in (Path(api.management.folders.sounds)).iterdir()) == ["hello.wav", "one.wav"]


@pytest_twisted.ensureDeferred
async def test_a_key_is_its_users_own(api: World) -> None:
    for user in ("ann", "bob"):
        reply = await Client(api, user).post("phonebooks", {"name": "winter"}, headers=ONE)
        assert (reply.status, "idempotent-replayed" in reply.headers) == (201, False)
    assert created(api) == 2


@pytest_twisted.ensureDeferred
async def test_a_request_that_was_refused_leaves_nothing_behind(api: World) -> None:
    ann = Client(api)
    await ann.post("phonebooks", {"name": "winter"})
    for _ in range(2):
        reply = await ann.post("phonebooks", {"name": "winter"}, headers=ONE)
        assert problem(reply) == (409, "already-exists")
    assert problem(await ann.post("campaigns/7/start", headers=ONE)) == (404, "not-found")
    assert api.sql("SELECT count(*) FROM idempotency_key") == [(0,)]
    api.sql("DELETE FROM phonebook")
    assert (await ann.post("phonebooks", {"name": "winter"}, headers=ONE)).status == 201


@pytest_twisted.ensureDeferred
async def test_while_a_request_is_under_way_the_same_one_is_told_so(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, reached, go = Client(api), Deferred[None](), Deferred[None]()
    within = Management.ask_within

    def held(self: Any, *args: Any) -> Any:
        if reached.called:
            return within(self, *args)
        reached.callback(None)
        return go.addCallback(lambda _: within(self, *args))

    monkeypatch.setattr(Management, "ask_within", held)
    first = Deferred.fromCoroutine(ann.post("phonebooks", {"name": "winter"}, headers=ONE))
    await reached
    try:
        again = await ann.post("phonebooks", {"name": "winter"}, headers=ONE)
    finally:
        go.callback(None)
    assert (problem(again), again.headers["retry-after"]) == ((409, "in-progress"), "1")
    assert (await first).status == 201
    assert (await ann.post("phonebooks", {"name": "winter"}, headers=ONE)).headers["idempotent-replayed"] == "true"


@pytest_twisted.ensureDeferred
async def test_many_at_the_same_time_have_one_effect(api: World) -> None:
    ann = Client(api)
    asked = [Deferred.fromCoroutine(ann.post("phonebooks", {"name": "winter"}, headers=ONE)) for _ in range(8)]
    statuses = [reply.status for reply in await gatherResults(asked)]
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    assert created(api) == 1


@pytest_twisted.ensureDeferred
async def test_another_node_that_had_the_request_a_moment_ago_has_answered_it(api: World) -> None:
    """The memory of what is under way is a process's own; the answer is in the database."""
    ann = Client(api)
    first = await ann.post("phonebooks", {"name": "winter"}, headers=ONE)
    ((fingerprint,),) = api.sql("SELECT fingerprint FROM idempotency_key")
    api.sql("DELETE FROM idempotency_key")
    api.sql(
        "INSERT INTO idempotency_key (user_id, key, fingerprint, status, body, created_at) VALUES (1, 'one', ?, 201, ?, ?)",
        fingerprint, first.text.decode(), "2026-11-23 09:59:59.000000",
    )  # fmt: skip
    again = await ann.post("phonebooks", {"name": "winter"}, headers=ONE)
    assert (again.text, again.headers["idempotent-replayed"]) == (first.text, "true")


@pytest_twisted.ensureDeferred
async def test_a_key_is_free_again_after_a_day(api: World) -> None:
    ann = Client(api)
    await ann.post("phonebooks", {"name": "winter"}, headers=ONE)
    api.management.now = lambda: NOW + timedelta(hours=24)
    assert (await ann.post("phonebooks", {"name": "winter"}, headers=ONE)).headers["idempotent-replayed"] == "true"
    api.management.now = lambda: NOW + timedelta(hours=24, seconds=1)
    assert (await ann.post("phonebooks", {"name": "summer"}, headers=ONE)).status == 201


@pytest_twisted.ensureDeferred
async def test_old_answers_are_cleared_away_in_small_steps(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.management.idempotency.STEP", 2)
    ann = Client(api)
    for number in range(5):
        await ann.post("phonebooks", {"name": f"{number}"}, headers={"Idempotency-Key": f"{number}"})
    api.management.now = lambda: NOW + timedelta(hours=25)
    left = []
    for number in range(5, 8):
        await ann.post("phonebooks", {"name": f"{number}"}, headers={"Idempotency-Key": f"{number}"})
        left.append([key for (key,) in api.sql("SELECT key FROM idempotency_key ORDER BY id")])
    assert left == [["2", "3", "4", "5"], ["4", "5", "6"], ["5", "6", "7"]]


@pytest_twisted.ensureDeferred
async def test_a_user_has_so_many_answers_kept_and_no_more(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.management.idempotency.STEP", 2)
    monkeypatch.setattr("dialer.management.idempotency.MOST_KEYS", 3)
    bob = Client(api, "bob")
    await bob.post("phonebooks", {"name": "bobs"}, headers=ONE)
    for number in range(9):
        await Client(api).post("phonebooks", {"name": f"{number}"}, headers={"Idempotency-Key": f"{number}"})
    kept = [key for (key,) in api.sql("SELECT key FROM idempotency_key WHERE user_id = 1 ORDER BY id")]
    assert kept in (["5", "6", "7", "8"], ["6", "7", "8"])
    assert (await bob.post("phonebooks", {"name": "bobs"}, headers=ONE)).headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é", "\t"])
@pytest_twisted.ensureDeferred
async def test_a_key_that_is_none_is_refused(api: World, key: str) -> None:
    reply = await Client(api).post("phonebooks", {"name": "winter"}, headers={"Idempotency-Key": key})
    assert problem(reply) == (400, "bad-request")
    assert created(api) == 0


@pytest_twisted.ensureDeferred
async def test_an_answer_that_is_too_long_to_be_kept_is_not_given_and_nothing_is_done(api: World) -> None:
    ann = await furnish(api)
    given = {"number": "+15551230002", "additional_vars": {f"v{number}": "x" * 1000 for number in range(40)}}
    before = everything(api)
    reply = await ann.post("phonebooks/1/contacts", given, headers=ONE)
    assert problem(reply) == (400, "bad-value")
    assert "leave the key out" in reply.json["detail"]
    assert everything(api) == before
    assert (await ann.post("phonebooks/1/contacts", given)).status == 201


@pytest_twisted.ensureDeferred
async def test_two_nodes_that_get_the_same_request_at_the_same_moment_do_it_once(api: World) -> None:
    from twisted.internet import reactor

    other = Database(api.database.url, reactor)
    await other.start()
    request = KeyedRequest(user_id=1, key="one", fingerprint="0" * 64)
    around = once(request, lambda book: Answered(status=201, body=str(book.id), kept=str(book.id)))
    nodes = [api.management, Management(other, lambda: NOW)]
    found = await gatherResults(
        [node.ask_within(around, phonebooks.create, account(), {"name": "winter"}) for node in nodes * 5]
    )
    await other.stop()
    assert sorted(each.replayed for each in found) == [False] + [True] * 9
    assert len({each.body for each in found}) == 1
    assert created(api) == 1
