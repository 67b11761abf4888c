"""Tokens as logins: shown once, good for what they say, and for nothing from the moment of their end."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
import structlog
from attrs import evolve

from dialer.errors import StoreError
from dialer.management.management import verb
from dialer.tokens import parse_token
from tests.unit.api.v2.support import Client, furnish, pointers, problem
from tests.unit.api.world import MANY, NOW, SteppedClock, World, basic, world


async def program(api: World, *scopes: str, **more: Any) -> Client:
    return await Client(api).with_token(*(scopes or ("read", "dial")), **more)


@pytest_twisted.ensureDeferred
async def test_a_token_is_shown_once_and_its_secret_is_stored_nowhere(api: World) -> None:
    ann = Client(api)
    made = (await ann.post("tokens", {"name": "reports"}, headers={"Idempotency-Key": "one"})).json
    token = parse_token(made["token"])
    assert token is not None
    again = await ann.post("tokens", {"name": "reports"}, headers={"Idempotency-Key": "one"})
    assert again.json == {**made, "token": None}
    shown = (await ann.get("tokens")).text + (await ann.get("tokens/1")).text
    stored = repr([api.sql(f"SELECT * FROM {table}") for table in ("api_token", "idempotency_key")])
    assert token.secret not in shown.decode() + stored
    assert token.secret_hash in stored


@pytest_twisted.ensureDeferred
async def test_a_token_says_what_it_is_good_for(api: World) -> None:
    me = (await (await program(api, "dial", "read")).get("me")).json
    assert (me["username"], me["scopes"], me["token_id"]) == ("ann", ["read", "dial"], 1)
    me = (await Client(api, "root").get("me")).json
    assert (me["scopes"], me["token_id"]) == (["read", "dial", "admin"], None)


@pytest_twisted.ensureDeferred
async def test_the_api_of_2011_takes_no_token_however_fresh(api: World) -> None:
    holder = await program(api)
    assert (await holder.get("campaigns")).status == 200
    for method in ("GET", "POST"):
        reply = await api.ask(
            method, "campaign/", {"name": "x"} if method == "POST" else None, user=None,
            headers={"Authorization": f"Bearer {holder.token}"},
        )  # fmt: skip
        assert reply.refusal == (401, "Authorization Required")
        assert reply.headers["www-authenticate"] == 'Basic realm="Newfies Application"'


ENDS = {
    "revoked": "DELETE FROM api_token WHERE id = 1",
    "its user may not log in": "UPDATE user_account SET is_active = 0 WHERE id = 1",
    "expired": f"UPDATE api_token SET expires_at = '{(NOW - timedelta(seconds=1)).replace(tzinfo=None)}.000000' WHERE id = 1",
    "another secret": "UPDATE api_token SET secret_hash = 'f000000000000000000000000000000000000000000000000000000000000000'",
}


@pytest.mark.parametrize("end", ENDS)
@pytest_twisted.ensureDeferred
async def test_a_token_that_was_verified_a_moment_ago_is_good_for_nothing_once_it_has_ended(api: World, end: str) -> None:
    """Whoever ended it: another node, or a command beside this one."""
    holder = await program(api)
    await api.campaign()
    assert (await holder.get("campaigns/1")).status == 200
    api.sql(ENDS[end])
    assert problem(await holder.get("campaigns/1")) == (401, "unauthorized")
    assert problem(await holder.post("campaigns/1/abort")) == (401, "unauthorized")
    assert api.sql("SELECT status FROM campaign") == [(1,)]


@pytest_twisted.ensureDeferred
async def test_a_token_expires_by_itself_and_outlives_a_changed_password(api: World) -> None:
    holder = await program(api, expires_at="2026-11-23T11:00:30+01:00")
    api.sql("UPDATE user_account SET password_hash = '' WHERE id = 1")
    assert (await holder.get("me")).status == 200
    api.management.now = lambda: NOW + timedelta(seconds=31)
    assert problem(await holder.get("me")) == (401, "unauthorized")


@pytest_twisted.ensureDeferred
async def test_a_superuser_that_is_none_any_more_has_the_rights_of_that_moment(api: World) -> None:
    holder = await Client(api, "root").with_token("read", "admin")
    assert (await holder.get("do-not-call")).status == 200
    api.sql("UPDATE user_account SET is_superuser = 0 WHERE id = 3")
    assert problem(await holder.get("do-not-call")) == (403, "forbidden")
    assert problem(await holder.post("tokens", {"name": "another"})) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"name": "n", "scopes": ["admin"]}, "#/scopes"),
        ({"name": "n", "scopes": []}, "#/scopes"),
        ({"name": "n", "scopes": "read"}, "#/scopes"),
        ({"name": "n", "user_id": 2}, "#/user_id"),
        ({"name": "n", "user_id": 77}, "#/user_id"),
        ({"name": "n", "expires_at": "2020-01-01T00:00:00Z"}, "#/expires_at"),
        ({"name": "n", "expires_at": "2030-01-01 00:00:00"}, "#/expires_at"),
        ({"name": "n", "secret_hash": "0" * 64}, "#/secret_hash"),
        ({}, "#/name"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_token_that_may_not_be_made_is_refused_by_the_attribute(api: World, body: Any, pointer: str) -> None:
    reply = await Client(api).post("tokens", body)
    assert (problem(reply), pointers(reply)) == ((400, "bad-value"), [pointer])
    assert api.sql("SELECT count(*) FROM api_token") == [(0,)]


@pytest_twisted.ensureDeferred
async def test_a_superuser_makes_and_revokes_tokens_of_others(api: World) -> None:
    root = await Client(api, "root").with_token("read", "admin")
    made = await root.post("tokens", {"name": "for ann", "user_id": 1})
    holder = Client(api, token=made.json["token"])
    assert (await holder.get("me")).json["username"] == "ann"
    assert (await root.delete(f"tokens/{made.json['id']}")).status == 204
    assert (await holder.get("me")).status == 401


@pytest_twisted.ensureDeferred
async def test_a_user_has_so_many_tokens_at_most(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.management.tokens.MOST_TOKENS", 1)
    await program(api)
    assert problem(await Client(api).post("tokens", {"name": "second"})) == (403, "limit-exceeded")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer dlr_live_000000000000_" + "A" * 43,
        "Bearer dlr_live_000000000000_" + "A" * 42 + "é",
        "Token dlr_live_000000000000_" + "A" * 43,
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_no_token_is_refused(api: World, header: str) -> None:
    reply = await Client(api, None).get("me", headers={"Authorization": header})
    assert problem(reply) == (401, "unauthorized")


@pytest_twisted.ensureDeferred
async def test_guesses_at_a_token_are_throttled_and_its_holder_is_not(tmp_path: Path) -> None:
    settings = evolve(MANY, failed_logins_per_user=3, failed_logins_per_address=100, login_memory=0.0)
    async with world(tmp_path, settings) as api:
        holder = await program(api)
        assert (await holder.get("me")).status == 200
        token = parse_token(holder.token)
        assert token is not None
        guesses = [Client(api, token=f"dlr_live_{token.public_id}_{letter * 43}") for letter in "abcd"]
        refused = [await guess.get("me") for guess in guesses]
        assert [reply.status for reply in refused] == [401, 401, 401, 429]
        assert int(refused[-1].headers["retry-after"]) >= 1
        assert (await holder.get("me")).status == 200, "it was right within the last hour"


@pytest_twisted.ensureDeferred
async def test_the_use_of_a_token_is_written_down_once_a_minute_and_nobody_waits_for_it(tmp_path: Path) -> None:
    clock = SteppedClock()
    async with world(tmp_path, evolve(MANY, idle_timeout=3600.0), clock=clock) as api:
        holder = await program(api)
        written = "SELECT last_used_at FROM api_token"
        await holder.get("me")
        await holder.get("me")
        assert api.sql(written) == [("2026-11-23 10:00:00.000000",)]
        api.management.now = lambda: NOW + timedelta(seconds=90)
        await holder.get("me")
        await holder.get("me")
        assert api.sql(written) == [("2026-11-23 10:00:00.000000",)], "by this clock, it was noted a moment ago"
        clock.advance(61)
        await holder.get("me")
        await holder.get("me")
        assert api.sql(written) == [("2026-11-23 10:01:30.000000",)]


@pytest_twisted.ensureDeferred
async def test_a_use_that_cannot_be_written_down_keeps_nobody_waiting(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    @verb
    def away(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr("api.authentication.note_use", away)
    holder = await program(api)
    with structlog.testing.capture_logs() as lines:
        assert (await holder.get("me")).status == 200
        assert (await holder.get("me")).status == 200
    (line,) = lines
    assert (line["event"], line["reason"]) == ("it was not written down when a token was used", "the disk is full")


@pytest_twisted.ensureDeferred
async def test_no_token_is_in_the_log_nor_in_a_problem(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ann = await furnish(api)
    holder = await ann.with_token("read")
    token = parse_token(holder.token)
    assert token is not None

    def broken(*_: object) -> None:
        raise RuntimeError("something is wrong")

    monkeypatch.setattr("dialer.management.users.value_of", broken)
    with structlog.testing.capture_logs() as lines:
        reply = await holder.get("me")
    assert problem(reply) == (500, "internal")
    assert [line["request_id"] for line in lines if line["log_level"] == "error"] == [reply.headers["x-request-id"]]
    assert token.secret not in repr(lines) + reply.text.decode()


@pytest_twisted.ensureDeferred
async def test_a_name_and_a_password_are_a_login_too(api: World) -> None:
    reply = await api.ask("GET", "/api/v2/me", user=None, headers={"Authorization": basic("ann", "ann")})
    assert reply.json["username"] == "ann"
    assert problem(await Client(api, "ann").get("me", password="wrong")) == (401, "unauthorized")
