"""Lists tell of each entry what it tells alone: what belongs to one is not told of another, however many are read at once."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from dialer.management import administration, caller_ids, calls, campaigns, phonebooks
from dialer.management.listing import OLDEST_FIRST
from dialer.model import Account, CampaignStatus
from dialer.store import noun_lists
from tests.unit.api.v2.support import Client, T, furnish
from tests.unit.api.world import World

ANN = Account(id=1, username="ann")
ROOT = Account(id=3, username="root", is_superuser=True)


async def made(api: World) -> tuple[Client, Client, Client]:
    """Several of everything, of ann and of bob, each with something of its own. Returns ann, bob and root."""
    ann = await furnish(api)
    bob, root = ann.of("bob"), ann.of("root")
    second = (await root.post("gateways", {"name": "second", "protocol": "LOCAL"})).json["id"]
    eve, joe = {"blacklist": ["4990", "1900"]}, {"whitelist": ["49"]}
    for name, lists, granted in (
        ("eve", eve, {"gateway_ids": [1, second], "voip_app_ids": [1]}),
        ("joe", joe, {"gateway_ids": [second]}),
    ):
        key = (await root.post("users", {"username": name, **lists})).json["id"]
        assert (await root.post(f"users/{key}/grant", granted)).status == 200
    used = {"gateway_id": 1, "voip_app_id": 1}
    retries = {"retry": {"busy": {"retries": 3, "after": 60}}, "weekdays": ["monday"]}
    for user, name, number, more in ((ann, "summer", "+15551230007", retries), (bob, "bobs", "+15551230008", {})):
        assert (await user.post("campaigns", {"name": name, **used, **more})).status == 201
        assert (await user.post("calls", {"number": number, **used})).status == 201
    return ann, bob, root


@pytest_twisted.ensureDeferred
async def test_an_entry_of_a_list_is_as_it_is_alone_and_only_its_users(api: World) -> None:
    ann, bob, root = await made(api)
    await bob.post("caller-id-pools", {"name": "bobs", "time_zone": "Pacific/Kiritimati"})
    given = {"pool_id": 3, "number": "+12125550009", "gateways": [1], "daily_cap": 7}
    assert (await bob.post("caller-ids", given)).status == 201
    for path, owner in (
        ("users", None),
        ("campaigns", "user_id"),
        ("phonebooks", "user_id"),
        ("calls", "user_id"),
        ("caller-id-pools", "user_id"),
        ("caller-ids", None),
    ):
        listed = (await root.get(f"{path}?limit=100")).json["data"]
        assert len(listed) > 1, path
        assert listed == [(await root.get(f"{path}/{each['id']}")).json for each in listed]
        for user, key in ((ann, 1), (bob, 2)) if owner else ():
            assert (await user.get(f"{path}?limit=100")).json["data"] == [each for each in listed if each[owner] == key]
    assert [each["gateways"] for each in (await bob.get("caller-ids")).json["data"]] == [[1]]


@pytest.mark.parametrize("at_once", [1, 2, 500])
@pytest_twisted.ensureDeferred
async def test_users_are_told_with_their_own_numbers_and_grants(
    api: World, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(noun_lists, "AT_ONCE", at_once)
    _, _, root = await made(api)
    own = ("username", "blacklist", "whitelist", "gateways", "voip_apps")
    listed = (await root.get("users?sort=username")).json["data"]
    assert [[each[name] for name in own] for each in listed if each["username"] != "unused"] == [
        ["ann", [], [], ["Default_Gateway"], ["Default_VoIP_App"]],
        ["bob", [], [], ["Default_Gateway"], ["Default_VoIP_App"]],
        ["eve", ["1900", "4990"], [], ["Default_Gateway", "second"], ["Default_VoIP_App"]],
        ["joe", [], ["49"], ["second"], []],
        ["root", [], [], [], []],
    ]


@pytest_twisted.ensureDeferred
async def test_the_calls_of_a_caller_id_are_those_of_the_day_of_its_pool(api: World) -> None:
    ann = await furnish(api)
    days = {"Pacific/Kiritimati": "2026-11-24", "Pacific/Pago_Pago": "2026-11-22"}
    for number, zone in enumerate(days):
        pool = (await ann.post("caller-id-pools", {"name": zone, "time_zone": zone})).json["id"]
        given = {"pool_id": pool, "number": f"+1212555002{number}", "daily_cap": 1}
        key = (await ann.post("caller-ids", given)).json["id"]
        for each, (day, calls_of_day) in enumerate((("2026-11-22", 1), ("2026-11-23", 2), ("2026-11-24", 3))):
            for one in range(calls_of_day):
                api.sql(
                    "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, identity, dial_string, "
                    "number_of_attempt, state, owner, epoch, core_uuid, planned_at, due_at, deadline, ended_at, cause, "
                    "disposition, counts_as_attempt, duration_ms, session, pooled_caller_id, caller_day) VALUES "
                    f"('call-{key}-{each}-{one}', 1, 1, 1, '1', '1', 'x', 1, 'ended', 'local', 1, '', '{T}', '{T}', '{T}', "
                    f"'{T}', 'USER_BUSY', 'BUSY', 1, 5, '{{}}', {key}, '{day}')"
                )
    found = {each.pool.time_zone: each for each in await api.management.ask(caller_ids.listed, ANN)}
    assert {zone: found[zone].today.calls for zone in days} == {"Pacific/Kiritimati": 3, "Pacific/Pago_Pago": 1}
    assert {found[zone].unusable for zone in days} == {"it has its 1 calls of the day"}
    assert (found["UTC"].today.calls, found["UTC"].unusable) == (0, "")


LISTED: dict[str, tuple[Any, ...]] = {
    "campaigns": (campaigns.listed, ANN, frozenset(CampaignStatus)),
    "phonebooks": (phonebooks.listed, ANN),
    "calls": (calls.listed, ANN),
    "caller ids": (caller_ids.listed, ANN),
    "users": (administration.all_users, ROOT, OLDEST_FIRST),
}


@pytest.mark.parametrize("name", LISTED)
@pytest_twisted.ensureDeferred
async def test_clients_that_ask_for_the_same_page_at_the_same_moment_get_one_answer(api: World, name: str) -> None:
    await furnish(api)
    use_case, *given = LISTED[name]
    asked = [api.management.ask(use_case, *given) for _ in range(3)]
    first, *others = [await each for each in asked]
    assert first
    assert all(each is first for each in others)
    assert await api.management.ask(use_case, *given) is not first
