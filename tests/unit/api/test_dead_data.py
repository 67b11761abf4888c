"""Data with which an application could do nothing for an answered call is refused when it is entered, wherever that is."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted

from dialer.errors import BadValue, DialerError
from dialer.management import gateways, grants
from dialer.model import GatewayStatus, VoipAppType
from tests.unit.api.world import CAMPAIGN, World

DIAL, PLAY, ROOM, SPEAK = VoipAppType.DIAL, VoipAppType.PLAY_AUDIO, VoipAppType.CONFERENCE, VoipAppType.SPEAK
NEEDED = {DIAL: "a number to dial", PLAY: "a sound to play", ROOM: "the name of a conference", SPEAK: "a text to speak"}
GOOD = {DIAL: "2000", PLAY: "hello.wav", ROOM: "sales", SPEAK: "Hello {first_name}"}


async def app(api: World, kind: VoipAppType, **given: Any) -> int:
    """The id of a new voice application, with the default gateway, which ann may use."""
    key = await api.management.ask(
        gateways.create_application, {"name": f"app {kind}", "type": kind, "gateway_id": 1, **given}
    )
    await api.management.ask(grants.grant, 1, {"voip app": [key]})
    return int(key)


async def refused(api: World, method: str, path: str, **given: Any) -> str:
    """The sentence of a refusal, after which nothing has changed."""
    before = api.dump()
    reply = await api.ask(method, path, given)
    assert (reply.status, api.dump()) == (400, before)
    return reply.error


@pytest.mark.parametrize("kind", VoipAppType)
@pytest_twisted.ensureDeferred
async def test_somebody_has_to_say_what_the_application_shall_do(api: World, kind: VoipAppType) -> None:
    key = await app(api, kind)
    sentence = f"voipapp_data: is missing; expected {NEEDED[kind]}, which the voice application does not have either"
    new = {**CAMPAIGN, "voipapp": key}
    assert await refused(api, "POST", "campaign/", **new) == sentence
    assert await refused(api, "POST", "campaign/", **new, voipapp_data="  ") == sentence
    assert (await api.post("campaign/", {**new, "voipapp_data": GOOD[kind]})).status == 200
    assert await refused(api, "PUT", "campaign/1/", voipapp_data="") == sentence
    await api.management.ask(gateways.change_application, key, {"data": GOOD[kind]})
    assert (await api.put("campaign/1/", {"voipapp_data": ""})).status == 200


@pytest.mark.parametrize("number", ["911", "+911", "112", "9 1 1"])
@pytest_twisted.ensureDeferred
async def test_an_emergency_number_is_no_target(api: World, number: str) -> None:
    key = await app(api, DIAL)
    error = await refused(api, "POST", "campaign/", **{**CAMPAIGN, "voipapp": key}, voipapp_data=number)
    assert error.startswith("voipapp_data: ")
    assert error.endswith("is an emergency number, which is never dialled")
    for data in (number, f"loopback/{number.replace(' ', '')}", f"sofia/external/{number.replace(' ', '')}@carrier"):
        with pytest.raises(BadValue, match=r"^data: .* is an emergency number, which is never dialled"):
            await app(api, DIAL, name="other", data=data)
    assert await app(api, DIAL, name="extension", data="user/112") > key


@pytest_twisted.ensureDeferred
async def test_a_prefix_makes_no_emergency_number_of_a_target(api: World) -> None:
    key = await app(api, DIAL)
    await api.management.ask(gateways.change, 1, {"removeprefix": "55", "addprefix": "9"})
    error = await refused(api, "POST", "campaign/", **{**CAMPAIGN, "voipapp": key}, voipapp_data="5511")
    assert error == "voipapp_data: 911 is an emergency number, which is never dialled"


@pytest_twisted.ensureDeferred
async def test_a_number_needs_a_gateway_that_can_be_used(api: World) -> None:
    with pytest.raises(BadValue, match=r"^gateway_id: is missing; expected a gateway to dial numbers through"):
        await app(api, DIAL, gateway_id=None)
    with pytest.raises(BadValue, match=r"^gateway_id: the voice application has no gateway to dial a number through"):
        await app(api, DIAL, gateway_id=None, data="2000")
    key = await app(api, DIAL, gateway_id=None, data="user/1000")
    new = {**CAMPAIGN, "voipapp": key}
    sentence = "voipapp: the voice application has no gateway to dial a number through"
    assert await refused(api, "POST", "campaign/", **new, voipapp_data="2000") == sentence
    assert (await api.post("campaign/", new)).status == 200
    assert await refused(api, "PUT", "campaign/1", voipapp_data="2000") == sentence
    await api.management.ask(gateways.change_application, key, {"gateway_id": 1})
    await api.management.ask(gateways.change, 1, {"status": GatewayStatus.INACTIVE})
    error = await refused(api, "PUT", "campaign/1", voipapp_data="2000")
    assert error == "voipapp: Default_Gateway, through which the voice application dials, is inactive"


@pytest_twisted.ensureDeferred
async def test_an_application_is_not_changed_so_that_its_campaigns_could_do_nothing(api: World) -> None:
    key = await app(api, DIAL, data="2000")
    for name, data in (("own", "3000"), ("that of the application", "")):
        assert (await api.post("campaign/", {**CAMPAIGN, "name": name, "voipapp": key, "voipapp_data": data})).status == 200
    before = api.dump()
    change = gateways.change_application
    for given, field, names in (
        ({"data": ""}, "data", "'that of the application'"),
        ({"data": "user/1000", "gateway_id": None}, "data", "'own'"),
        ({"type": SPEAK, "data": ""}, "data", "'that of the application'"),
    ):
        with pytest.raises(BadValue, match=f"^{field}: with this, it could do nothing for the campaigns {names}: "):
            await api.management.ask(change, key, given)
        assert api.dump() == before
    await api.management.ask(change, key, {"type": PLAY, "gateway_id": None})  # 2000 and 3000 are sounds as well


@pytest_twisted.ensureDeferred
async def test_a_campaign_that_does_not_call_keeps_nobody_from_changing_its_application_but_cannot_be_started(
    api: World,
) -> None:
    key = await app(api, SPEAK, data="Hello")
    assert (await api.post("campaign/", {**CAMPAIGN, "voipapp": key})).status == 200
    await api.put("campaign/1/", {"status": 4})
    await api.management.ask(gateways.change_application, key, {"data": ""})
    assert (await refused(api, "PUT", "campaign/1/", status=1)).startswith(
        "voipapp_data: is missing; expected a text to speak"
    )
    assert (await api.put("campaign/1/", {"status": 3})).status == 200
    assert (await api.put("campaign/1/", {"status": 1, "voipapp_data": "Bye"})).status == 200


@pytest_twisted.ensureDeferred
async def test_what_is_no_affair_of_the_campaigns_can_always_be_changed(api: World) -> None:
    key = await app(api, SPEAK, data="Hello")
    assert (await api.post("campaign/", {**CAMPAIGN, "voipapp": key})).status == 200
    api.sql("UPDATE voip_app SET data = '' WHERE id = ?", key)  # as an earlier version allowed it
    await api.management.ask(gateways.change_application, key, {"description": "speaks", "data": ""})
    assert (await api.put("campaign/1/", {"frequency": 20})).status == 200
    assert (await api.put("campaign/1/", {"status": 1})).status == 200


@pytest_twisted.ensureDeferred
async def test_few_of_many_campaigns_are_named(api: World) -> None:
    key = await app(api, SPEAK, data="Hello")
    api.sql("UPDATE user_account SET max_number_campaign = 100")
    for number in range(7):
        assert (await api.post("campaign/", {**CAMPAIGN, "name": f"c{number}", "voipapp": key})).status == 200
    with pytest.raises(DialerError, match="campaigns 'c0', 'c1', 'c2', 'c3', 'c4' and 2 more: voip_app_data: is missing"):
        await api.management.ask(gateways.change_application, key, {"data": ""})
