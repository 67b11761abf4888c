"""Gateways and voice applications that are not granted to a user do not exist for it."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from dialer.errors import InUse, NotFound
from dialer.management import campaigns, gateways, grants, users
from dialer.model import Account, VoipAppType
from tests.unit.api.world import CAMPAIGN, World

OTHERS = {"aleg_gateway": "2", "voipapp": "2"}
"""Things that nobody but superusers may use."""
MISSING = {"aleg_gateway": "77", "voipapp": "77"}
SENTENCES = {"aleg_gateway": "The Gateway ID doesn't exist!", "voipapp": "The VoipApp doesn't exist!"}


async def furnish(api: World) -> None:
    """A second gateway, and a second voice application, of nobody."""
    await api.management.ask(gateways.create, {"name": "dear", "hostname": "dear.example"})
    app = {"name": "dear", "type": VoipAppType.PLAY_AUDIO, "data": "dear.wav"}
    await api.management.ask(gateways.create_application, app)


async def account(api: World, name: str) -> Account:
    return await api.management.ask(users.account, name)


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("both", [False, True])
@pytest_twisted.ensureDeferred
async def test_what_is_not_granted_is_refused_as_what_does_not_exist(api: World, other: str, both: bool) -> None:
    await furnish(api)
    await api.campaign()
    before = api.dump()
    kinds = OTHERS if both else (other,)
    for given in ({name: OTHERS[name] for name in kinds}, {name: MISSING[name] for name in kinds}):
        asked = {**CAMPAIGN, "name": "new", **given}
        sentence = SENTENCES["aleg_gateway" if both else other]
        assert (await api.post("campaign/", asked)).refusal == (400, sentence)
        assert (await api.put("campaign/1/", given)).refusal == (400, sentence)
    mixed = {**CAMPAIGN, "name": "new", "aleg_gateway": "2", "voipapp": "77"}
    assert (await api.post("campaign/", mixed)).error == SENTENCES["aleg_gateway"]
    assert api.dump() == before


@pytest_twisted.ensureDeferred
async def test_what_is_granted_can_be_used_until_it_is_revoked(api: World) -> None:
    await furnish(api)
    await api.campaign()
    await api.management.ask(grants.grant, 1, {"gateway": [2], "voip app": [2]})
    assert (await api.put("campaign/1/", OTHERS)).json["aleg_gateway"]["name"] == "dear"
    for things in ({"gateway": [2]}, {"voip app": [2]}):
        with pytest.raises(InUse, match=r"grant for ann of the .* dear cannot be removed: it is used by 1 campaign"):
            await api.management.ask(grants.revoke, 1, things)
    assert (await api.put("campaign/1/", {"aleg_gateway": "1", "voipapp": "1"})).status == 200
    await api.management.ask(grants.revoke, 1, {"gateway": [2], "voip app": [2]})
    assert (await api.put("campaign/1/", {"aleg_gateway": "2"})).refusal == (400, SENTENCES["aleg_gateway"])
    with pytest.raises(NotFound, match=r"there is no grant for ann of the gateway dear"):
        await api.management.ask(grants.revoke, 1, {"gateway": [2]})


@pytest.mark.parametrize("user", ["ann", "root"])
@pytest_twisted.ensureDeferred
async def test_no_answer_holds_a_secret_of_a_gateway(api: World, user: str) -> None:
    given = {"addparameter": "sip_auth_username=us,sip_auth_password=hunter2,ignore_display_updates=true"}
    await api.management.ask(gateways.change, 1, given)
    created = await api.post("campaign/", {**CAMPAIGN, "name": "new"}, user=user)
    answers = [created, await api.get("campaign/", user=user), await api.get("campaign/1/", user=user)]
    answers.append(await api.put("campaign/1/", {"status": "2"}, user=user))
    for reply in answers:
        (found,) = reply.json if isinstance(reply.json, list) else [reply.json]
        shown = "sip_auth_username=us,sip_auth_password=********,ignore_display_updates=true"
        assert found["aleg_gateway"]["addparameter"] == shown
        assert b"hunter2" not in reply.text
    (gateway,) = await api.management.ask(gateways.listed, await account(api, user))
    assert "hunter2" in gateway.addparameter
    assert "hunter2" not in repr(gateway)


@pytest_twisted.ensureDeferred
async def test_a_list_holds_what_exists_for_the_user(api: World) -> None:
    await furnish(api)
    for name, ids in (("ann", [1]), ("root", [1, 2])):
        who = await account(api, name)
        for use_case in (gateways.listed, gateways.applications):
            assert [each.id for each in await api.management.ask(use_case, who)] == ids


@pytest_twisted.ensureDeferred
async def test_a_superuser_uses_everything_and_what_it_gives_a_campaign_is_granted(api: World) -> None:
    await furnish(api)
    await api.campaign("own", user="root", **OTHERS)
    await api.campaign("anns")
    assert (await api.put("campaign/2/", {**OTHERS}, user="root")).status == 200
    assert (await api.get("campaign/2/")).json["voipapp"]["name"] == "dear"
    assert (await api.put("campaign/2/", {"aleg_gateway": "2", "status": "2"})).status == 200
    assert (await api.put("campaign/2/", {"aleg_gateway": "77"}, user="root")).refusal == (400, SENTENCES["aleg_gateway"])
    reply = await api.post("campaign/", {**CAMPAIGN, "name": "bobs", "aleg_gateway": "2"}, user="bob")
    assert reply.refusal == (400, SENTENCES["aleg_gateway"])


@pytest_twisted.ensureDeferred
async def test_a_demoted_superuser_keeps_what_its_campaigns_use_and_no_more(api: World) -> None:
    await furnish(api)
    await api.management.ask(gateways.create, {"name": "third", "hostname": "third.example"})
    await api.campaign("own", user="root", **OTHERS)
    await api.management.ask(users.change, 3, {"is_superuser": False})
    assert [each.id for each in await api.management.ask(gateways.listed, await account(api, "root"))] == [2]
    assert (await api.put("campaign/1/", {"aleg_gateway": "2"}, user="root")).status == 200
    assert (await api.put("campaign/1/", {"aleg_gateway": "3"}, user="root")).refusal == (400, SENTENCES["aleg_gateway"])


@pytest.mark.parametrize("things", [{"gateway": [77]}, {"voip app": [77]}], ids=["gateway", "voip app"])
@pytest_twisted.ensureDeferred
async def test_what_is_not_there_is_neither_granted_nor_revoked(api: World, things: Any) -> None:
    for use_case in (grants.grant, grants.revoke):
        with pytest.raises(NotFound, match=f"there is no {next(iter(things))} 77"):
            await api.management.ask(use_case, 1, things)
    with pytest.raises(NotFound, match="there is no user 9"):
        await api.management.ask(grants.grant, 9, {"gateway": [1]})


@pytest_twisted.ensureDeferred
async def test_an_administrators_choice_for_a_new_campaign_grants_it(api: World) -> None:
    await furnish(api)
    given = {"name": "new", "gateway_id": 2, "voip_app_id": 2}
    ann = await account(api, "ann")
    with pytest.raises(NotFound, match="there is no gateway 2"):
        await api.management.ask(campaigns.create, ann, given)
    await api.management.ask(campaigns.create, ann, given, granting=True)
    assert [each.id for each in await api.management.ask(gateways.listed, ann)] == [1, 2]
