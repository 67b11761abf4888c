"""The overview: all campaigns of a user with how they do, its gateways, the nodes, and what happened last; in a handful of
statements, whose cost does not grow with the contacts.

How many calls a campaign has made in all changes slowly, and is remembered for `KEPT`; so is when it may end, which takes a
third of a millisecond to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import orjson
from attrs import define, evolve, field, frozen

from dialer.campaigns.forecast import Course, forecast
from dialer.errors import NotFound
from dialer.management import gateways
from dialer.management.caller_ids import assigning
from dialer.management.management import Management, Transaction, reads
from dialer.model import Account, Campaign, CampaignStatus, Gateway, IdleReason, Progress, SubscriberStatus
from dialer.model.caller_id import CallerIdWait
from dialer.model.event import EVENT_TYPES, EventKind
from dialer.model.flow import AttemptState
from dialer.model.statistics import Forecast
from dialer.store import overview as sql
from dialer.store.caller_ids import CallerIdWaits
from dialer.store.mapping import read_campaign
from dialer.store.nodes import NodeEntry, entries
from dialer.store.times import from_column, from_column_or_none, to_column

MOST_CAMPAIGNS: Final = 200
MOST_EVENTS: Final = 12
MOST_REMEMBERED: Final = 2000
"""Campaigns whose end is remembered."""
LOOKED_AT: Final = 2000
"""Events among which the newest are looked for."""

LATELY: Final = timedelta(seconds=65)
"""The calls of which are read; a little more than the forecast takes for a pace."""
NOW: Final = timedelta(seconds=10)
"""In which the calls per second of this moment are counted."""

KEPT: Final = 10.0
"""Seconds."""
AT_ONCE: Final = 40
"""Campaigns whose end is told anew at one look; those of which it is not known at all are looked at on a thread."""

_LIVE: Final = (AttemptState.ANSWERED, AttemptState.CONNECTED)


@frozen(kw_only=True)
class Totals:
    """Attempts of a campaign that have ended: all, those that count, those that were answered."""

    ended: int = 0
    counted: int = 0
    answered: int = 0

    @property
    def answer_rate(self) -> float | None:
        """The part of those that count that was answered; None when none counts."""
        return self.answered / self.counted if self.counted else None


@frozen(kw_only=True)
class CampaignView:
    """A campaign as the overview shows it. `reason` is None when nothing keeps it from calling, or nobody here makes calls;
    `live` calls were answered, `ringing` ones not yet; `per_second` is what was made of late."""

    campaign: Campaign
    progress: Progress
    live: int
    ringing: int
    per_second: float
    totals: Totals
    forecast: Forecast
    reason: IdleReason | None = None

    @property
    def contacts_left(self) -> int:
        """Those that are pending, or being called."""
        counts = self.progress.subscribers
        return counts.get(SubscriberStatus.START, 0) + counts.get(SubscriberStatus.IN_PROCESS, 0)

    @property
    def allowed_per_second(self) -> float:
        """Calls per second that its frequency allows."""
        return self.campaign.frequency / 60


@frozen(kw_only=True)
class _Seen:
    """A campaign as the database tells it; the fields as of a `CampaignView`."""

    campaign: Campaign
    progress: Progress
    live: int
    ringing: int
    per_second: float
    totals: Totals
    course: Course

    @property
    def may_end(self) -> bool:
        """Whether it takes a while to tell when it ends."""
        return self.campaign.status is CampaignStatus.START and not self.progress.finished


@frozen(kw_only=True)
class GatewayView:
    """A gateway: the calls that are open, those that were begun of late (per second), and the part of these that it refused
    for want of room. A gateway that is `down` is left alone by the dialler for a while; `trouble` is what its switch says
    against it, as far as somebody here makes calls."""

    gateway: Gateway
    open: int
    per_second: float
    congested: float
    down: bool
    trouble: str = ""


@frozen(kw_only=True)
class NewsItem:
    """An event, for people."""

    id: int
    kind: EventKind
    at: datetime
    campaign_id: int | None
    facts: Mapping[str, Any]


@frozen(kw_only=True)
class Overview:
    """Everything at one moment. Nodes are for superusers; `hidden` campaigns are there beside those that are shown."""

    now: datetime
    campaigns: Sequence[CampaignView]
    hidden: bool
    gateways: Sequence[GatewayView]
    nodes: Sequence[NodeEntry]
    events: Sequence[NewsItem]


@frozen
class _Lately:
    """Calls begun within `LATELY` and within `NOW`, when the first of them was, and how many found no room."""

    calls: int = 0
    now: int = 0
    since: str = ""
    congested: int = 0

    def and_(self, calls: int, now: int, since: str, congested: int) -> _Lately:
        first = min(since, self.since) if self.since else since
        return _Lately(self.calls + calls, self.now + now, first, self.congested + congested)


@define(eq=False)
class Overviews:
    """Makes overviews. One for a process: it remembers what changes slowly."""

    management: Management
    _totals: dict[int, tuple[float, Totals]] = field(factory=dict, init=False)
    _forecasts: dict[int, tuple[float, Forecast]] = field(factory=dict, init=False)

    async def read(self, who: Account) -> Overview:
        """That of a user; everybody's campaigns for a superuser. Fails with `StoreError`, `NotFound` for a user that may do
        nothing any more."""
        found, seen = await self.management.ask(_read, who, self._known())
        ways = [evolve(view, trouble=self._trouble(view.gateway)) for view in found.gateways]
        return evolve(found, campaigns=await self._views(seen, found.now), gateways=ways)

    def _trouble(self, gateway: Gateway) -> str:
        return "" if self.management.flow is None else self.management.flow.gateway_health(gateway).trouble

    async def campaign(self, who: Account, campaign_id: int) -> CampaignView:
        """One of them. Fails with `NotFound`, `StoreError`."""
        found, seen = await self.management.ask(_read, who, self._known(), campaign_id)
        if not seen:
            raise NotFound("campaign", campaign_id)
        return (await self._views(seen, found.now))[0]

    def _known(self) -> _Known:
        seconds = self._seconds()
        self._totals = {key: kept for key, kept in self._totals.items() if seconds - kept[0] < KEPT}
        return _Known({key: totals for key, (_, totals) in self._totals.items()})

    def _seconds(self) -> float:
        return float(self.management.reactor.seconds())

    async def _views(self, seen: Sequence[_Seen], now: datetime) -> list[CampaignView]:
        seconds = self._seconds()
        for each in seen:
            self._totals.setdefault(each.campaign.id, (seconds, each.totals))
        await self._tell_ends(seen, now, seconds)
        return [self._view(each, now) for each in seen]

    async def _tell_ends(self, seen: Sequence[_Seen], now: datetime, seconds: float) -> None:
        """Of those that may end; the oldest of what is known is told anew first."""
        may_end = [each for each in seen if each.may_end]
        unknown = [each for each in may_end if each.campaign.id not in self._forecasts]
        if unknown:
            told = await self.management.in_thread(partial(_forecasts, unknown, now))
            self._forecasts |= {key: (seconds, found) for key, found in told.items()}
        told_at = {each.campaign.id: self._forecasts.get(each.campaign.id, (seconds,))[0] for each in may_end}
        stale = [each for each in may_end if seconds - told_at[each.campaign.id] >= KEPT]
        stale.sort(key=lambda each: told_at[each.campaign.id])
        self._forecasts |= {key: (seconds, found) for key, found in _forecasts(stale[:AT_ONCE], now).items()}
        while len(self._forecasts) > MOST_REMEMBERED:
            self._forecasts.pop(next(iter(self._forecasts)))

    def _view(self, seen: _Seen, now: datetime) -> CampaignView:
        campaign, flow = seen.campaign, self.management.flow
        known = self._forecasts.get(campaign.id) if seen.may_end else None
        return CampaignView(
            campaign=campaign,
            progress=seen.progress,
            live=seen.live,
            ringing=seen.ringing,
            per_second=seen.per_second,
            totals=seen.totals,
            forecast=forecast(campaign, seen.progress, seen.course, now) if known is None else known[1],
            reason=None if flow is None else flow.explain(campaign, seen.progress),
        )


def _forecasts(seen: Sequence[_Seen], now: datetime) -> dict[int, Forecast]:
    """When they end. It is pure."""
    return {each.campaign.id: forecast(each.campaign, each.progress, each.course, now) for each in seen}


@define(eq=False)
class _Known:
    """Totals that are fresh, by campaign. Compared by identity: a question that carries them is nobody else's."""

    totals: Mapping[int, Totals]


@reads
def _read(t: Transaction, who: Account, known: _Known, only: int | None = None) -> tuple[Overview, list[_Seen]]:
    """All but the campaigns, and what the database tells of these."""
    if only is None:
        found = t.connection.execute(sql.CAMPAIGNS, (who.is_superuser, who.id, MOST_CAMPAIGNS + 1)).fetchall()
    else:
        found = t.connection.execute(sql.CAMPAIGN, (who.is_superuser, who.id, only)).fetchall()
    campaigns = [read_campaign(row) for row in found[:MOST_CAMPAIGNS]]
    open_calls = t.connection.execute(sql.OPEN).fetchall()
    since = to_column(t.now - LATELY)
    begun = t.connection.execute(sql.BEGUN, (to_column(t.now - NOW), since)).fetchall()
    seen = _campaigns(t, campaigns, open_calls, begun, known.totals)
    overview = Overview(
        now=t.now,
        campaigns=(),
        hidden=len(found) > MOST_CAMPAIGNS,
        gateways=() if only is not None else _gateways(t, who, open_calls, begun),
        nodes=entries(t.connection, t.now) if who.is_superuser and only is None else (),
        events=() if only is not None else happenings(t, who, MOST_EVENTS),
    )
    return overview, seen


def _campaigns(
    t: Transaction, campaigns: Sequence[Campaign], open_calls: Any, begun: Any, known: Mapping[int, Totals]
) -> list[_Seen]:
    these = orjson.dumps([campaign.id for campaign in campaigns]).decode()
    counts: dict[int, dict[SubscriberStatus, int]] = {}
    for campaign_id, status, subscribers in t.connection.execute(sql.COUNTS.of(t.connection), (these,)):
        counts.setdefault(campaign_id, {})[SubscriberStatus(status)] = int(subscribers)
    ready = {key: rest for key, *rest in t.connection.execute(sql.FIRST_READY.of(t.connection), (these,))}
    totals = {**known, **_totals(t, [campaign.id for campaign in campaigns if campaign.id not in known])}
    live: dict[int, list[int]] = {}
    for campaign_id, _, state, calls in open_calls:
        live.setdefault(campaign_id, [0, 0])[0 if AttemptState(state) in _LIVE else 1] += int(calls)
    lately = _lately((campaign_id, rest) for campaign_id, _, *rest in begun)
    waits = CallerIdWaits(t.connection, assigning(t), campaigns)
    return [
        _seen(t.now, campaign, counts.get(campaign.id, {}), ready.get(campaign.id, (None,) * 4),
              live.get(campaign.id, (0, 0)), lately.get(campaign.id, _Lately()), totals.get(campaign.id, Totals()),
              waits.of(campaign))
        for campaign in campaigns
    ]  # fmt: skip


def _seen(
    now: datetime, campaign: Campaign, counts: Mapping[SubscriberStatus, int], ready: Sequence[str | None],
    calls: Sequence[int], lately: _Lately, totals: Totals, wait: CallerIdWait | None,
) -> _Seen:  # fmt: skip
    first, *held, last = ready
    progress = Progress.of(counts, from_column_or_none(first), held, now, wait)
    course = Course(
        ended=totals.ended,
        recent_calls=lately.calls,
        recent_since=from_column(lately.since) if lately.since else None,
        last_ready_at=from_column_or_none(last),
    )
    return _Seen(
        campaign=campaign,
        progress=progress,
        live=calls[0],
        ringing=calls[1],
        per_second=lately.now / NOW.total_seconds(),
        totals=totals,
        course=course,
    )


def _totals(t: Transaction, campaign_ids: Sequence[int]) -> dict[int, Totals]:
    if not campaign_ids:
        return {}
    rows = t.connection.execute(sql.TOTALS.of(t.connection), (orjson.dumps(list(campaign_ids)).decode(),)).fetchall()
    counted = {
        key: Totals(ended=int(ended), counted=int(count), answered=int(answered)) for key, ended, count, answered in rows
    }
    return {key: counted.get(key, Totals()) for key in campaign_ids}


def _lately(begun: Iterable[tuple[int, Sequence[Any]]]) -> dict[int, _Lately]:
    found: dict[int, _Lately] = {}
    for key, (calls, since, now, congested) in begun:
        found[key] = found.get(key, _Lately()).and_(int(calls), int(now), since, int(congested))
    return found


def _gateways(t: Transaction, who: Account, open_calls: Any, begun: Any) -> list[GatewayView]:
    in_use: dict[int, int] = {}
    for _, gateway_id, _, calls in open_calls:
        in_use[gateway_id] = in_use.get(gateway_id, 0) + int(calls)
    lately = _lately((gateway_id, rest) for _, gateway_id, *rest in begun)
    down = {key for (key,) in t.connection.execute(sql.DOWN)}
    return [
        GatewayView(
            gateway=gateway,
            open=in_use.get(gateway.id, 0),
            per_second=lately.get(gateway.id, _Lately()).now / NOW.total_seconds(),
            congested=_part(lately.get(gateway.id, _Lately())),
            down=gateway.id in down,
        )
        for gateway in gateways.listed(t, who)
    ]


def _part(lately: _Lately) -> float:
    return lately.congested / lately.calls if lately.calls else 0.0


@reads
def newest_events(t: Transaction, who: Account, limit: int) -> list[NewsItem]:
    """The newest events of any kind."""
    rows = t.connection.execute(sql.EVERY_EVENT, (LOOKED_AT, who.is_superuser, who.id, limit)).fetchall()
    return _happenings(who, rows)


def happenings(t: Transaction, who: Account, limit: int) -> list[NewsItem]:
    """The newest events that are of no single call, the newest first: a user's own, or all of them for a superuser."""
    return _happenings(who, t.connection.execute(sql.EVENTS, (LOOKED_AT, who.is_superuser, who.id, limit)).fetchall())


def _happenings(who: Account, rows: Any) -> list[NewsItem]:
    found = [
        NewsItem(id=key, kind=EventKind(kind), at=from_column(at), campaign_id=campaign_id, facts=orjson.loads(data))
        for key, kind, at, campaign_id, data in rows
    ]
    return [each for each in found if who.is_superuser or not EVENT_TYPES[each.kind].superusers]
