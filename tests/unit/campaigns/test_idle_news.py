"""What is told of idle campaigns: changes of a reason that holds, by one node, and no flood."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from dialer.campaigns.idle_news import LOOK_EVERY, IdleNews
from dialer.errors import StoreError
from dialer.model import Campaign, EventKind, IdleCode, IdleReason, Progress
from tests.fakes.flow import CAMPAIGN

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
BOTH = frozenset({EventKind.CAMPAIGN_IDLE, EventKind.CAMPAIGN_FINISHED})


@define(eq=False)
class Scene:
    """Two started campaigns, on pages of their own; `reasons` is why they are idle now."""

    clock: Clock = field(factory=Clock)
    reasons: dict[int, IdleCode | None] = field(factory=dict)
    states: dict[int, str] = field(factory=dict)
    told: list[tuple[float, int, str]] = field(factory=list)
    wanted: frozenset[EventKind] = BOTH
    held: bool = True
    others_call: bool = False
    away: bool = False
    looks: int = 0
    news: IdleNews = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.news = IdleNews(
            clock=self.clock,
            now=lambda: NOW,
            store=self,
            explain=self.explain,
            wanted=lambda: self.wanted,
            others_call=lambda: self.others_call,
        )

    def explain(self, campaign: Campaign, progress: Progress) -> IdleReason | None:
        code = self.reasons.get(campaign.id)
        return None if code is None else IdleReason(code, "why")

    def hold(self, now: datetime) -> Deferred[bool]:
        return fail(StoreError("away")) if self.away else succeed(self.held)

    def started(self, after: int, now: datetime) -> Deferred[tuple[list[tuple[Campaign, Progress, str]], int | None]]:
        self.looks += not after
        key = after + 1
        campaign = evolve(CAMPAIGN, id=key)
        return succeed(([(campaign, Progress(subscribers={}), self.states.get(key, ""))], key if key < 2 else None))

    def tell(self, campaign: Campaign, reason: IdleReason | None, now: datetime) -> Deferred[None]:
        state = "" if reason is None else str(reason.code)
        assert self.states.get(campaign.id, "") != state, "it is known"
        self.states[campaign.id] = state
        self.told.append((self.clock.seconds(), campaign.id, state))
        return succeed(None)

    def forget_gone(self) -> Deferred[None]:
        return succeed(None)

    def run(self, looks: int) -> list[tuple[int, str]]:
        """So many looks; what they told."""
        before = len(self.told)
        if not self.looks and not self.clock.getDelayedCalls():
            self.news.start()
            looks -= 1
        for _ in range(looks):
            self.clock.advance(LOOK_EVERY)
        return [(key, state) for _, key, state in self.told[before:]]


def test_a_reason_is_told_when_it_holds_and_once() -> None:
    scene = Scene(reasons={1: IdleCode.OUTSIDE_HOURS, 2: IdleCode.NO_SWITCH})
    assert scene.run(1) == []
    assert scene.run(1) == [(1, "outside-hours"), (2, "no-switch")]
    assert scene.run(1000) == []


def test_another_reason_is_told_and_that_it_calls_again_is_noted() -> None:
    scene = Scene(reasons={1: IdleCode.OUTSIDE_HOURS})
    scene.run(20)
    scene.reasons[1] = IdleCode.RETRIES_LATER
    assert scene.run(20) == [(1, "retries-later")]
    scene.reasons[1] = None
    assert scene.run(1) == [(1, "")]
    scene.reasons[1] = IdleCode.RETRIES_LATER
    assert scene.run(20) == [(1, "retries-later")]


def test_reasons_that_come_and_go_make_no_flood() -> None:
    scene = Scene()
    for look in range(720):
        scene.reasons[1] = (IdleCode.NO_SWITCH, IdleCode.NO_SWITCH, IdleCode.RETRIES_LATER, IdleCode.RETRIES_LATER)[look % 4]
        scene.run(1)
    moments = [at for at, _, state in scene.told if state]
    assert 10 <= len(moments) <= 60, "one a minute in an hour"
    assert all(later - earlier >= 60 for earlier, later in pairwise(moments))


@pytest.mark.parametrize(
    "code", [IdleCode.NEXT_CALL_LATER, IdleCode.CAMPAIGN_FULL, IdleCode.GATEWAY_FULL, IdleCode.LAST_CALLS]
)
def test_a_campaign_that_makes_as_many_calls_as_it_may_is_not_idle(code: str) -> None:
    assert Scene(reasons={1: IdleCode(code)}).run(20) == []


def test_the_end_is_told_at_once() -> None:
    scene = Scene(reasons={1: IdleCode.ALL_DONE})
    assert scene.run(1) == [(1, "all-done")]
    assert scene.run(100) == []


@pytest.mark.parametrize("code", [IdleCode.NO_SWITCH, IdleCode.SWITCH_FULL, IdleCode.GATEWAY_PAUSED])
def test_what_is_this_nodes_own_trouble_is_not_told_while_others_call(code: IdleCode) -> None:
    scene = Scene(reasons={1: code}, others_call=True)
    assert scene.run(20) == []
    scene.others_call = False
    assert scene.run(20) == [(1, str(code))]


def test_a_node_that_does_not_hold_it_tells_nothing_and_asks_nothing() -> None:
    scene = Scene(reasons={1: IdleCode.OUTSIDE_HOURS}, held=False)
    assert scene.run(20) == []
    assert scene.looks == 0
    scene.held = True
    assert scene.run(2) == [(1, "outside-hours")]


def test_while_nobody_asks_it_looks_once_a_minute() -> None:
    scene = Scene(reasons={1: IdleCode.OUTSIDE_HOURS}, wanted=frozenset({EventKind.ATTEMPT_ENDED}))
    scene.run(1 + 12 * 10)
    assert scene.looks == 11


def test_a_database_that_is_away_is_asked_again() -> None:
    scene = Scene(reasons={1: IdleCode.OUTSIDE_HOURS}, away=True)
    assert scene.run(20) == []
    scene.away = False
    assert scene.run(2) == [(1, "outside-hours")]
