"""The figures of a gateway in the answers: its calls since ever, those that are open, the seconds that they talked."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, ensureDeferred, fail
from twisted.internet.task import Clock

from dialer.errors import StoreError
from dialer.management import campaigns, gateways, usage
from dialer.management.usage import UseOfGateways
from dialer.model import CampaignDetails, GatewayUse
from tests.unit.api.test_explain import ANN
from tests.unit.api.world import World

MOMENT = "2026-11-23 09:00:00.000000"
FIGURES = ("count_call", "count_in_use", "secondused")


def call(api: World, key: int, gateway: int = 1, talk_ms: int | None = None, *, still_open: bool = False) -> None:
    """An attempt of the first subscriber."""
    columns: dict[str, Any] = {
        "id": key,
        "call_uuid": f"call-{key}",
        **dict.fromkeys(("campaign_id", "subscriber_id", "number_of_attempt", "epoch"), 1),
        **dict.fromkeys(("number", "identity", "dial_string", "owner"), str(key)),
        **dict.fromkeys(("planned_at", "due_at", "deadline"), MOMENT),
        "gateway_id": gateway,
        "core_uuid": "",
        "state": "answered" if still_open else "ended",
    }
    if not still_open:
        columns |= {"ended_at": MOMENT, "cause": "X", "disposition": "ANSWERED", "counts_as_attempt": 1, "duration_ms": 1}
        columns["talk_ms"] = talk_ms
    marks = ", ".join("?" * len(columns))
    api.sql(f"INSERT INTO attempt ({', '.join(columns)}) VALUES ({marks})", *columns.values())


def end(api: World, key: int, talk_ms: int) -> None:
    api.sql(
        "UPDATE attempt SET state = 'ended', ended_at = ?, cause = 'X', disposition = 'ANSWERED', counts_as_attempt = 1, "
        "duration_ms = 1, talk_ms = ? WHERE id = ?",
        MOMENT,
        talk_ms,
        key,
    )


async def told(use: UseOfGateways, details: CampaignDetails) -> GatewayUse | None:
    found = use.tell(details)
    return (found if isinstance(found, CampaignDetails) else await found).gateway_use


class Stepped:
    """A management on a clock that is moved by hand, which counts what it asks the database."""

    def __init__(self, api: World) -> None:
        self.management = api.management
        self.reactor = Clock()
        self.asked = 0

    def ask(self, *arguments: Any) -> Any:
        self.asked += 1
        return self.management.ask(*arguments)


async def counting(api: World, size: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Stepped, UseOfGateways, CampaignDetails]:
    """A campaign with one contact, and who counts by blocks of `size`."""
    monkeypatch.setattr(usage, "BLOCK", size)
    await api.management.ask(gateways.create, {"name": "other", "hostname": "localhost"})
    await api.campaign()
    await api.contact("15550001")
    stepped = Stepped(api)
    return stepped, UseOfGateways(stepped), await api.management.ask(campaigns.read, ANN, 1)  # type: ignore[arg-type]


@pytest_twisted.ensureDeferred
async def test_calls_are_counted_with_those_that_are_open(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stepped, use, details = await counting(api, 5000, monkeypatch)
    assert await told(use, details) == GatewayUse()
    for key, talk_ms in ((1, 1500), (2, 2600), (3, None)):
        call(api, key, talk_ms=talk_ms)
    call(api, 4, still_open=True)
    call(api, 5, gateway=2, talk_ms=9000)
    stepped.reactor.advance(usage.FRESH + 0.1)
    assert await told(use, details) == GatewayUse(calls=4, open=1, talked=4)


@pytest_twisted.ensureDeferred
async def test_second_legs_are_calls_that_are_open(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, use, details = await counting(api, 5000, monkeypatch)
    for key, gateway in ((1, 1), (2, 2), (3, 2)):
        call(api, key, gateway=gateway, still_open=True)
    api.sql("UPDATE attempt SET second_gateway_id = 1 WHERE id IN (1, 2)")
    assert await told(use, details) == GatewayUse(calls=1, open=3, talked=0)


@pytest_twisted.ensureDeferred
async def test_whoever_asks_soon_again_costs_nothing(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stepped, use, details = await counting(api, 5000, monkeypatch)
    await told(use, details)
    asked = stepped.asked
    stepped.reactor.advance(usage.FRESH / 2)
    assert isinstance(use.tell(details), CampaignDetails)
    assert stepped.asked == asked


@pytest_twisted.ensureDeferred
async def test_blocks_that_are_over_are_counted_once(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stepped, use, details = await counting(api, 10, monkeypatch)
    for key in range(1, 101):
        call(api, key, talk_ms=1000) if key != 15 else call(api, key, still_open=True)
    assert await told(use, details) == GatewayUse(calls=100, open=1, talked=99)
    stepped.reactor.advance(usage.FRESH + 0.1)
    asked = stepped.asked
    end(api, 15, 1000)
    assert await told(use, details) == GatewayUse(calls=100, open=0, talked=100)
    assert stepped.asked == asked + 1 + 2, "the newest one, the block of the open call, and the last block"
    stepped.reactor.advance(usage.FRESH + 0.1)
    call(api, 101, talk_ms=1000)
    assert await told(use, details) == GatewayUse(calls=101, open=0, talked=101)


@pytest_twisted.ensureDeferred
async def test_an_answer_does_not_wait_long_and_does_not_fail(api: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stepped, use, details = await counting(api, 10, monkeypatch)
    monkeypatch.setattr(stepped, "ask", lambda *_: Deferred())
    waiting = ensureDeferred(told(use, details))
    stepped.reactor.advance(usage.PATIENCE + 0.1)
    assert await waiting is None
    use = UseOfGateways(stepped)  # type: ignore[arg-type]
    monkeypatch.setattr(stepped, "ask", lambda *_: fail(StoreError("locked")))
    assert await told(use, details) is None


@pytest_twisted.ensureDeferred
async def test_figures_are_in_the_answers(api: World) -> None:
    found = await api.campaign()
    assert [found["aleg_gateway"][name] for name in FIGURES] == [0, 0, 0]
    for answer in (
        (await api.get("campaign/1/")).json,
        (await api.get("campaign/")).json[0],
        (await api.put("campaign/1/", {"status": 2})).json,
    ):
        assert answer["aleg_gateway"] == found["aleg_gateway"]
