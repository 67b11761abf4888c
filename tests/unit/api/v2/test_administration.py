"""What superusers do: gateways, voice applications, users, nodes."""

from __future__ import annotations

from datetime import timedelta

import pytest_twisted

from dialer.model import GatewayHealth
from tests.unit.api.v2.support import Client, furnish, pointers, problem
from tests.unit.api.world import NOW, World

OPEN = "state = 'ringing', ended_at = NULL, cause = NULL, disposition = NULL, counts_as_attempt = NULL, duration_ms = NULL"


@pytest_twisted.ensureDeferred
async def test_a_new_user_logs_in_and_has_limits_that_protect_from_costs(api: World) -> None:
    root = Client(api, "root")
    made = await root.post("users", {"username": "eve", "password": "a password of eve", "blacklist": ["+4990"]})
    assert (made.json["max_frequency"], made.json["has_password"], made.json["blacklist"]) == (100, True, ["4990"])
    assert "password of eve" not in made.text.decode()
    assert (await api.ask("GET", "/api/v2/me", user="eve", password="a password of eve")).status == 200
    assert problem(await root.post("users", {"username": "eve"})) == (409, "already-exists")
    await root.patch("users/4", {"is_active": False})
    assert (await api.ask("GET", "/api/v2/me", user="eve", password="a password of eve")).status == 401
    for given in (
        {"username": "x:y"},
        {"username": "mallory", "password": "short"},
        {"username": "mallory", "whitelist": ["abc"]},
    ):
        assert problem(await root.post("users", given)) == (400, "bad-value")


@pytest_twisted.ensureDeferred
async def test_nothing_is_kept_of_a_password_but_its_hash(api: World) -> None:
    root, key = Client(api, "root"), {"Idempotency-Key": "k"}
    first = await root.post("users", {"username": "eve", "password": "a password of eve"}, headers=key)
    again = await root.post("users", {"username": "eve", "password": "another password"}, headers=key)
    assert (first.status, again.status, again.headers["idempotent-replayed"]) == (201, 201, "true")
    assert again.json == first.json
    assert problem(await root.post("users", {"username": "mallory", "password": "a password of eve"}, headers=key)) == (
        422,
        "key-reused",
    )


@pytest_twisted.ensureDeferred
async def test_a_superuser_cannot_lock_itself_out(api: World) -> None:
    root = Client(api, "root")
    for given in ({"is_superuser": False}, {"is_active": False}):
        reply = await root.patch("users/3", given)
        assert (problem(reply), pointers(reply)) == ((400, "bad-value"), [f"#/{next(iter(given))}"])
    assert problem(await root.delete("users/3")) == (400, "bad-value")
    assert problem(await root.delete("users/77")) == problem(await root.patch("users/77", {})) == (404, "not-found")
    await Client(api).post("phonebooks", {"name": "mine"})
    assert problem(await root.delete("users/1")) == (409, "in-use")
    assert (await root.delete("users/2")).status == 204


@pytest_twisted.ensureDeferred
async def test_a_gateway_is_there_for_whom_it_is_granted(api: World) -> None:
    root, ann = Client(api, "root"), Client(api)
    made = (
        await root.post("gateways", {"name": "second", "dial_string": "loopback/{number}", "addparameter": "a_secret=1"})
    ).json
    assert (await ann.get(f"gateways/{made['id']}")).status == 404
    granted = (await root.post("users/1/grant", {"gateway_ids": [made["id"]]})).json
    assert granted["gateways"] == ["Default_Gateway", "second"]
    assert (await ann.get(f"gateways/{made['id']}")).status == 200
    await root.post("users/1/revoke", {"gateway_ids": [made["id"]]})
    assert (await ann.get(f"gateways/{made['id']}")).status == 404
    reply = await root.post("gateways", {"name": "third", "dial_string": "no number"})
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), ["#/dial_string"])
    assert problem(await root.post("users/1/grant", {"gateway_ids": [77]})) == (404, "not-found")


@pytest_twisted.ensureDeferred
async def test_the_health_of_a_gateway(api: World) -> None:
    ann, root = await furnish(api), Client(api, "root")
    assert (await ann.get("gateways/1/health")).json["state"] == "serving"
    api.sql(f"UPDATE attempt SET {OPEN}")
    await root.patch("gateways/1", {"maximum_call": 1})
    full = (await ann.get("gateways/1/health")).json
    assert (full["state"], full["open_calls"]) == ("full", 1)
    api.flow.healths[1] = GatewayHealth(faults=3, cause="GATEWAY_DOWN", until=NOW + timedelta(seconds=4))
    api.sql("INSERT INTO told_state (noun, noun_id, state) VALUES ('gateway', 1, 'down')")
    paused = (await ann.get("gateways/1/health")).json
    assert (paused["state"], paused["faults"], paused["cause"], paused["is_down"]) == ("paused", 3, "GATEWAY_DOWN", True)
    assert paused["until"] == "2026-11-23T10:00:04.000Z"
    api.flow.healths[1] = GatewayHealth(faults=3, trouble="DOWN, FAIL_WAIT")
    down = (await ann.get("gateways/1/health")).json
    assert (down["state"], down["trouble"]) == ("down", "DOWN, FAIL_WAIT")
    await root.patch("gateways/1", {"status": "inactive"})
    assert (await ann.get("gateways/1/health")).json["state"] == "inactive"


@pytest_twisted.ensureDeferred
async def test_how_a_gateway_carries_calls_is_set_and_shown(api: World) -> None:
    root = Client(api, "root")
    given = {"codecs": "PCMA", "prefixes": "+1=0.01,+882=refused", "group": "out", "weight": 3, "pause_after": None}
    assert (await root.patch("gateways/1", given)).status == 200
    shown = (await Client(api).get("gateways/1")).json
    assert {name: shown[name] for name in given} == given
    assert (await root.patch("gateways/1", {"pause_after": 5})).json["pause_after"] == 5
    for name, value in (("codecs", "PCMA}x"), ("prefixes", "+1=cheap"), ("group", "a b"), ("weight", 0), ("pause_after", 2)):
        reply = await root.patch("gateways/1", {name: value})
        assert (reply.status, pointers(reply)) in ((400, [f"#/{name}"]), (422, [f"#/{name}"])), reply.json


@pytest_twisted.ensureDeferred
async def test_a_node_with_open_attempts_is_not_forgotten(api: World) -> None:
    await furnish(api)
    root = Client(api, "root")
    found = (await root.get("nodes?state=dead")).json["data"]
    assert [(each["name"], each["switches"], each["is_alive"]) for each in found] == [("elsewhere", {"far": "c"}, False)]
    assert [each["nodes"] for each in (await root.get("switches")).json["data"] if each["name"] == "far"] == [["elsewhere"]]
    api.sql(f"UPDATE attempt SET owner = 'elsewhere', {OPEN}")
    assert problem(await root.delete("nodes/elsewhere")) == (409, "wrong-state")
    assert (await root.get("switches/far")).json["open_attempts"] == 1


@pytest_twisted.ensureDeferred
async def test_a_switch_is_drained_for_all_dialers_and_resumed(api: World) -> None:
    await furnish(api)
    root = Client(api, "root")
    assert (await root.get("switches/far")).json["drained_at"] is None
    looks = api.flow.looks
    found = (await root.post("switches/far/drain")).json
    assert (found["drained_at"], found["drained_by"]) == ("2026-11-23T10:00:00.000Z", "root")
    assert api.flow.looks == looks + 1
    api.sql("UPDATE switch_drain SET drained_by = 'another'")
    assert (await root.post("switches/far/drain")).json["drained_by"] == "another", "it stays as it is"
    assert (await root.get("switches/far")).json == {**found, "drained_by": "another"}
    assert problem(await root.post("switches/nowhere/drain")) == (404, "not-found")
    assert problem(await root.post("switches/nowhere/resume")) == (404, "not-found")
    api.sql("DELETE FROM node WHERE name = 'elsewhere'")
    assert [(each["name"], each["nodes"]) for each in (await root.get("switches")).json["data"]] == [("far", [])]
    assert (await root.post("switches/far/resume")).json["drained_at"] is None
    assert (await root.get("switches")).json["data"] == []


@pytest_twisted.ensureDeferred
async def test_lists_are_narrowed_down_by_their_filters(api: World) -> None:
    ann = await furnish(api)
    root = ann.of("root")
    await root.post("switches/far/drain")
    for path, found in (
        ("imports?state=draft", 1),
        ("imports?state=finished", 0),
        ("caller-id-pools?name=support", 1),
        ("caller-id-pools?name=nothing", 0),
        ("do-not-call-lists?name=own", 1),
        ("do-not-call-lists?name=nothing", 0),
    ):
        assert len((await ann.get(path)).json["data"]) == found, path
    for word, found in (("yes", 1), ("no", 0)):
        names = [each["name"] for each in (await root.get(f"switches?drained={word}")).json["data"]]
        assert names.count("far") == found
    assert problem(await ann.get("imports?state=lost")) == (400, "bad-value")
