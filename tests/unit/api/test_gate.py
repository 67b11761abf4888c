"""A transfer target is a call: what a user's calls may not dial or show is refused when it is entered."""

from __future__ import annotations

import pytest
import pytest_twisted

from dialer.errors import BadValue
from dialer.management import do_not_call, gateways, grants, users
from dialer.model import CampaignStatus, VoipAppType
from dialer.model.do_not_call import EVERYBODYS
from dialer.model.user import ADMINISTRATOR
from tests.unit.api.test_dead_data import app, refused
from tests.unit.api.world import CAMPAIGN, World

DIAL = VoipAppType.DIAL
ANN, BOB = 1, 2


@pytest_twisted.ensureDeferred
async def test_a_target_that_is_not_on_the_users_whitelist_is_refused(api: World) -> None:
    new = {**CAMPAIGN, "voipapp": await app(api, DIAL)}
    await api.management.ask(grants.grant, BOB, {"voip app": [new["voipapp"]]})
    await api.management.ask(users.change, ANN, {"whitelist": ("49",)})
    sentence = "voipapp_data: 0900666777 is not on the whitelist of this user"
    assert await refused(api, "POST", "campaign/", **new, voipapp_data="0900666777") == sentence
    assert (await api.post("campaign/", {**new, "voipapp_data": "+49 30 1234"})).status == 200
    assert await refused(api, "PUT", "campaign/1/", voipapp_data="0900666777") == sentence
    assert (await api.post("campaign/", {**new, "voipapp_data": "0900666777"}, user="bob")).status == 200


@pytest_twisted.ensureDeferred
async def test_a_target_on_the_blacklist_or_the_do_not_call_list_is_refused(api: World) -> None:
    new = {**CAMPAIGN, "voipapp": await app(api, DIAL)}
    await api.management.ask(users.change, ANN, {"blacklist": ("0900",)})
    error = await refused(api, "POST", "campaign/", **new, voipapp_data="0900666777")
    assert error == "voipapp_data: 0900666777 is on the blacklist of this user"
    await api.management.ask(do_not_call.add_one, ADMINISTRATOR, EVERYBODYS, {"number": "+49301234"})
    error = await refused(api, "POST", "campaign/", **new, voipapp_data="0049301234")
    assert error == "voipapp_data: 0049301234 is on the do-not-call list"
    await api.management.ask(gateways.change, 1, {"removeprefix": "99"})
    error = await refused(api, "POST", "campaign/", **new, voipapp_data="990900666777")
    assert error == "voipapp_data: 0900666777 is on the blacklist of this user"


@pytest.mark.parametrize(
    "data",
    [
        "sofia/gateway/x/0900666777",
        "loopback/0900666777/default/XML",
        "user/1000",
        "{a=b}0900666777",
        "[a=b]0900666777",
        "0900666777,4930",
        "4930|0900666777",
        "4930:_:0900666777",
        "4930@carrier",
        "${0900666777}",
        "4930 XML default",
        "4930\n0900666777",
        "sip:0900666777",
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_could_be_syntax_is_no_target(api: World, data: str) -> None:
    new = {**CAMPAIGN, "voipapp": await app(api, DIAL)}
    error = await refused(api, "POST", "campaign/", **new, voipapp_data=data)
    assert error.startswith("voipapp_data: ")


@pytest_twisted.ensureDeferred
async def test_a_campaign_is_not_started_whose_target_is_forbidden_by_now(api: World) -> None:
    new = {**CAMPAIGN, "voipapp": await app(api, DIAL), "voipapp_data": "4930"}
    assert (await api.post("campaign/", new)).status == 200
    assert (await api.put("campaign/1/", {"status": int(CampaignStatus.PAUSE)})).status == 200
    await api.management.ask(do_not_call.add_one, ADMINISTRATOR, EVERYBODYS, {"number": "4930"})
    assert await refused(api, "PUT", "campaign/1/", status=1) == "voipapp_data: 4930 is on the do-not-call list"


@pytest_twisted.ensureDeferred
async def test_the_data_of_an_application_passes_for_the_users_of_its_campaigns(api: World) -> None:
    key = await app(api, DIAL, data="loopback/4930/default/XML")
    await api.management.ask(users.change, ANN, {"whitelist": ("49",)})
    assert (await api.post("campaign/", {**CAMPAIGN, "voipapp": key})).status == 200
    with pytest.raises(BadValue, match=r"^data: .*'spring': .*0900666777 is not on the whitelist of this user"):
        await api.management.ask(gateways.change_application, key, {"data": "loopback/0900666777"})
    with pytest.raises(BadValue, match=r"^data: 'loopback/app=.* runs an application"):
        await app(api, DIAL, name="other", data="loopback/app=bridge:user/1")
    await api.management.ask(gateways.change_application, key, {"data": "sofia/gateway/x/4931"})


@pytest.mark.parametrize("number", ["911", "117", "*911", "0911"])
@pytest_twisted.ensureDeferred
async def test_an_emergency_number_is_no_caller_id(api: World, number: str) -> None:
    error = await refused(api, "POST", "campaign/", **CAMPAIGN, callerid=number, voipapp_data="hello.wav")
    assert error == f"callerid: {number} is an emergency number, which is never shown as a caller's"


@pytest_twisted.ensureDeferred
async def test_where_a_user_has_caller_ids_a_campaign_shows_one_of_them(api: World) -> None:
    new = {**CAMPAIGN, "voipapp_data": "hello.wav"}
    await api.management.ask(users.change, ANN, {"caller_ids": "+49 30 555, 4930556"})
    assert (await api.management.ask(users.listed))[0].user.caller_ids == "+4930555,4930556"
    sentence = "callerid: 4930999 is not one of the caller ids of this user (+4930555,4930556)"
    assert await refused(api, "POST", "campaign/", **new, callerid="4930999") == sentence
    assert (await api.post("campaign/", {**new, "callerid": "0049 30 555"})).status == 200
    assert await refused(api, "PUT", "campaign/1/", callerid="4930999") == sentence
    assert (await api.put("campaign/1/", {"callerid": ""})).status == 200
    assert (await api.post("campaign/", {**new, "callerid": "4930999"}, user="bob")).status == 200
    with pytest.raises(BadValue, match=r"^caller_ids: 'x' is not a number"):
        await api.management.ask(users.change, ANN, {"caller_ids": "4930,x"})


@pytest_twisted.ensureDeferred
async def test_no_gateway_shows_an_emergency_number_as_the_callers(api: World) -> None:
    for given in ("effective_caller_id_number=117", "a=b,sip_h_P-Asserted-Identity=sip:911@example.org"):
        with pytest.raises(BadValue, match=r"^addparameter: .* is never shown as a caller's"):
            await api.management.ask(gateways.change, 1, {"addparameter": given})
    await api.management.ask(gateways.change, 1, {"addparameter": "effective_caller_id_number=4930"})
