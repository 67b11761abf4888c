"""The figures of the overview, and the roles of users, as the use cases give them."""

from __future__ import annotations

from unittest import mock

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults

from dialer.errors import BadValue
from dialer.management import overview, users
from dialer.management.installation import NodeEntry, Standing
from dialer.management.overview import Overviews
from dialer.model import Account, IdleReason, SubscriberStatus
from tests.grounds import on_sqlite, script
from tests.seeding import RECORDS
from tests.unit.api.page.browser import seen, signed_in
from tests.unit.api.world import World

ANN = Account(id=1, username="ann")
ROOT = Account(id=3, username="root", is_superuser=True)


async def role_of(api: World, name: str) -> tuple[int, str]:
    ((superuser, role),) = api.sql("SELECT is_superuser, role FROM user_account WHERE username = ?", name)
    return superuser, role


@pytest_twisted.ensureDeferred
async def test_a_user_has_the_role_that_it_is_given_or_that_of_its_kind(api: World) -> None:
    assert [await role_of(api, name) for name in ("ann", "root")] == [(0, "operator"), (1, "admin")]
    await api.management.ask(users.change, 1, {"is_superuser": True})
    assert await role_of(api, "ann") == (1, "admin")
    await api.management.ask(users.change, 1, {"is_superuser": False})
    assert await role_of(api, "ann") == (0, "operator")
    await api.management.ask(users.change, 1, {"is_superuser": True, "role": "viewer"})
    await api.management.ask(users.change, 1, {"is_superuser": False})
    assert await role_of(api, "ann") == (0, "viewer"), "who could only look can do no more"


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_nobody_but_a_superuser_is_an_admin(api: World) -> None:
    for ask in (
        lambda: api.management.ask(users.change, 1, {"role": "admin"}),
        lambda: api.management.ask(users.create, {"username": "eve", "role": "admin"}),
    ):
        with pytest.raises(BadValue, match="role: admin is for superusers only"):
            await ask()
    assert await role_of(api, "ann") == (0, "operator")


@pytest_twisted.ensureDeferred
async def test_a_user_that_may_do_less_is_noticed_at_once(api: World) -> None:
    campaign = (await api.campaign())["id"]
    assert (await api.put(f"campaign/{campaign}/", {"status": "2"})).status == 200
    await api.management.ask(users.change, 1, {"role": "viewer"})
    assert (await api.put(f"campaign/{campaign}/", {"status": "1"})).status == 403, "though its login is remembered"


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_the_overview_counts_what_there_is(api: World) -> None:
    await api.campaign("spring")
    await api.campaign("of bob", user="bob")
    for number in ("15550000001", "15550000002", "15550000003"):
        await api.contact(number)
    script(api.database.url, RECORDS.replace(":count", "4").replace("'100', '100'", "'15550000001', '15550000001'"))
    api.sql("UPDATE subscriber SET status = 5, ready_at = NULL WHERE number = '15550000001'")
    api.sql(
        "INSERT INTO attempt (call_uuid, campaign_id, subscriber_id, gateway_id, number, dial_string, number_of_attempt, "
        "state, owner, epoch, core_uuid, planned_at, due_at, deadline, identity) SELECT 'live', campaign_id, id, 1, "
        "number, 'x', 1, 'ringing', 'here', 1, '', '2026-11-23 09:59:55.000000', '2026-11-23 09:59:55.000000', "
        "'2026-11-23 10:01:00.000000', identity FROM subscriber WHERE number = '15550000002'"
    )
    api.flow.reason = None
    overviews = Overviews(api.management)
    found = await overviews.read(ANN)
    (view,) = found.campaigns
    assert view.progress.subscribers == {SubscriberStatus.COMPLETE: 1, SubscriberStatus.START: 2}
    assert (view.live, view.ringing, view.per_second, view.contacts_left) == (0, 1, 0.5, 2), "five calls in ten seconds"
    assert (view.totals.ended, view.totals.answered, view.totals.answer_rate, view.reason) == (4, 4, 1.0, None)
    (gateway,) = found.gateways
    assert (gateway.open, gateway.per_second, gateway.down) == (1, 0.5, False)
    assert [each.campaign.name for each in (await overviews.read(ROOT)).campaigns] == ["of bob", "spring"]
    assert (await overviews.campaign(ANN, 1)).campaign.name == "spring"


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_the_overview_asks_as_often_for_many_campaigns_as_for_one(api: World) -> None:
    counted: list[int] = []
    for campaigns in (1, 30):
        for number in range(campaigns):
            await api.campaign(f"{campaigns}-{number}", user="root")
        statements: list[str] = []
        await api.database.run(lambda connection, told=statements: connection.set_trace_callback(told.append))
        await Overviews(api.management).read(ROOT)
        await api.database.run(lambda connection: connection.set_trace_callback(None))
        counted.append(len(statements))
    assert counted[0] == counted[1] < 25


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_overviews_at_once_of_more_campaigns_than_are_remembered_are_whole(
    api: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "MOST_REMEMBERED", 1)
    for phonebook, name in enumerate(("spring", "summer"), 1):
        await api.campaign(name)
        await api.contact("15550000001", phonebook)
    overviews = Overviews(api.management)
    await overviews.read(ANN)
    both = [Deferred.fromCoroutine(overviews.read(who)) for who in (ANN, ROOT)]
    for found in await gatherResults(both):
        assert [each.forecast.contacts_left > 0 for each in found.campaigns] == [True, True]


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_why_a_campaign_waits_is_told(api: World) -> None:
    await api.campaign("spring", user="root")
    assert isinstance(api.flow.reason, IdleReason)
    assert "no switch is connected" in seen(await (await signed_in(api)).get("/ui/"))


@on_sqlite
@pytest_twisted.ensureDeferred
async def test_each_switch_is_shown_with_whether_it_is_connected(api: World) -> None:
    moment = "2026-11-23 10:00:00.000000"
    api.sql(
        "INSERT INTO node (name, epoch, host, pid, version, switches, ready, started_at, seen_at, lease_until, commits, "
        f"figures) VALUES ('n', 1, 'h', 1, '1', '{{\"near\": \"c\", \"far\": \"\"}}', 1, '{moment}', '{moment}', "
        f"'{moment}', 0, '{{}}')"
    )
    with mock.patch.object(NodeEntry, "standing", Standing.DIALLING):
        words = " ".join(seen(await (await signed_in(api)).get("/ui/")).split())
    assert "switch near connected" in words
    assert "switch far not connected" in words
    words = " ".join(seen(await (await signed_in(api)).get("/ui/")).split())
    assert "switch near not connected" in words, "its dialer is dead"
