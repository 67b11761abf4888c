"""A user with thousands of campaigns, beside another one: what the scheduler looks at, and whose turn it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults

from dialer.management import Management, campaigns, subscribers
from dialer.store.flow import Store
from tests.fakes.flow import CAMPAIGN
from tests.fakes.store import MemoryStore
from tests.flow.test_scheduler import Ticking
from tests.unit.api.conftest import api  # noqa: F401 - a fixture
from tests.unit.api.world import NOW, World


@pytest.fixture
def ticking() -> Ticking:
    return Ticking()


@pytest_twisted.ensureDeferred
async def test_only_campaigns_with_somebody_to_call_are_read(api: World, tmp_path: Path) -> None:  # noqa: F811
    from twisted.internet import reactor

    for number in range(10):
        await api.campaign(f"empty {number}")
    called = await api.campaign("called", user="bob")
    await api.contact("15550001", phonebook_id=called["phonebook"][0]["id"], user="bob")
    store = Store(api.database, reactor, node="here")
    assert [campaign.id for campaign in (await store.snapshot(NOW)).campaigns] == [called["id"]]
    assert [campaign.id for campaign in (await store.snapshot(NOW, also=[3])).campaigns] == [3, called["id"]]
    assert len((await store.snapshot()).campaigns) == 11
    await api.put(f"campaign/{called['id']}/", {"status": "2"}, user="bob")
    assert (await store.snapshot(NOW, also=[called["id"]])).campaigns == ()


@pytest_twisted.ensureDeferred
async def test_long_lists_of_campaigns_are_read_in_pages(api: World, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(campaigns, "PAGE", 4)
    for number in range(10):
        await api.campaign(f"campaign {number}", user="ann" if number % 5 else "bob")
    sizes = await asked(campaigns.listed, monkeypatch, api, "campaign/", "ann")
    assert sizes == [4, 4, 0]
    assert [each["name"] for each in (await api.get("campaign/")).json] == [f"campaign {n}" for n in range(9, 0, -1) if n % 5]
    assert len((await api.get("campaign/", user="root")).json) == 10


async def asked(
    use_case: Any, monkeypatch: pytest.MonkeyPatch, here: World, path: str, user: str, together: int = 1
) -> list[int]:
    """How much each transaction gave that a use case was asked in. Raises `AssertionError` when it was asked while it had not
    answered yet."""
    ask, sizes, running = Management.ask, list[int](), Counter[Any]()

    def counted(self: Management, what: Any, *arguments: Any, **more: Any) -> Any:
        assert what is not use_case or not running[what]
        running[what] += 1
        return ask(self, what, *arguments, **more).addCallback(ended, what)

    def ended(found: Any, what: Any) -> Any:
        running[what] -= 1
        if what is use_case:
            sizes.append(len(found) if isinstance(found, list) else len(found.entries))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Management, "ask", counted)
        replies = await gatherResults([Deferred.fromCoroutine(here.get(path, user=user)) for _ in range(together)])
    assert {reply.status for reply in replies} == {200}
    return sizes


@pytest_twisted.ensureDeferred
async def test_long_lists_of_one_user_are_read_one_after_the_other(api: World, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    monkeypatch.setattr(subscribers, "PAGE", 2)
    await api.campaign()
    for number in range(3):
        await api.contact(f"1555000{number}")
    sizes = await asked(subscribers.page, monkeypatch, api, "contact/1/", "ann", together=4)
    assert sorted(sizes) == [1] * 4 + [2] * 4


def test_empty_campaigns_are_asked_for_nothing(ticking: Ticking, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2, 500):
        ticking.store.campaigns[number] = evolve(CAMPAIGN, id=number, user_id=2)
    ticking.contacts(20)
    asked = Counter[int]()
    candidates = MemoryStore.candidates

    def counted(store: MemoryStore, campaign_id: int, now: datetime, limit: int, *more: Any) -> Any:
        asked[campaign_id] += 1
        return candidates(store, campaign_id, now, limit, *more)

    monkeypatch.setattr(MemoryStore, "candidates", counted)
    ticking.run(1)
    assert len(ticking.sent) > 5
    assert set(asked) == {1}


def test_a_user_with_many_campaigns_has_no_more_turns_than_one_with_one(
    ticking: Ticking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch takes one call a tick, and both users have enough to call."""
    ticking.change(frequency=6000)
    for number in range(2, 40):
        ticking.store.campaigns[number] = evolve(CAMPAIGN, id=number, user_id=2, frequency=6000)
        ticking.contacts(20, ticking.store.campaigns[number])
    ticking.contacts(200, ticking.store.campaigns[1])
    begun = Counter[int]()
    begin = MemoryStore.begin

    def counted(store: MemoryStore, plans: Collection[Any], *more: Any) -> Any:
        begun.update(plan.campaign.user_id for plan in plans)
        ticking.switch.free = 0
        return begin(store, plans, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(MemoryStore, "begin", counted)
    for _ in range(60):
        ticking.switch.free = 1 + ticking.lifecycle.register.unsent
        ticking.run(0.1)
    assert begun.total() > 30
    assert abs(begun[1] - begun[2]) <= 2
