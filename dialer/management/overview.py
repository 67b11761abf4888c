"""The overview: all campaigns of a user with how they do, its gateways, the nodes, and what happened last; in a handful of
statements, whose cost does not grow with the contacts.

How many calls a campaign has made in all changes slowly, and is remembered for `TOTALS_KEPT`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from attrs import define, evolve, field, frozen

from dialer.campaigns.forecast import Course, forecast
from dialer.errors import NotFound
from dialer.management import gateways
from dialer.management.management import Management, Transaction, reads
from dialer.model import Account, Campaign, Gateway, IdleReason, Progress, SubscriberStatus
from dialer.model.event import EVENT_TYPES, EventKind
from dialer.model.flow import AttemptState
from dialer.model.statistics import Forecast
from dialer.store import overview as sql
from dialer.store.mapping import read_campaign
from dialer.store.nodes import NodeEntry, entries
from dialer.store.times import from_column, from_column_or_none, to_column

MOST_CAMPAIGNS: Final = 200
MOST_EVENTS: Final = 12
LOOKED_AT: Final = 2000
"""Events among which the newest are looked for."""

LATELY: Final = timedelta(seconds=65)
"""The calls of which are read; a little more than the forecast takes for a pace."""
NOW: Final = timedelta(seconds=10)
"""In which the calls per second of this moment are counted."""

TOTALS_KEPT: Final = 10.0
"""Seconds."""

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
    def allowed_per_second(self) -> float:
        """As its frequency says."""
        return self.campaign.frequency / 60


@frozen(kw_only=True)
class GatewayView:
    """A gateway: the calls that are open, those that were begun of late (per second), and the part of these that it refused
    for want of room. A gateway that is `down` is left alone by the dialler for a while."""

    gateway: Gateway
    open: int
    per_second: float
    congested: float
    down: bool


@frozen(kw_only=True)
class Happening:
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
    events: Sequence[Happening]


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
    """Makes overviews. One for a process: it remembers totals."""

    management: Management
    _totals: dict[int, tuple[float, Totals]] = field(factory=dict, init=False)

    async def read(self, who: Account) -> Overview:
        """That of a user; everybody's campaigns for a superuser. Fails with `StoreError`, `NotFound` for a user that may do
        nothing any more."""
        return self._explained(await self.management.ask(_read, who, self._known()))

    async def campaign(self, who: Account, campaign_id: int) -> CampaignView:
        """One of them. Fails with `NotFound`, `StoreError`."""
        found = self._explained(await self.management.ask(_read, who, self._known(), campaign_id))
        if not found.campaigns:
            raise NotFound("campaign", campaign_id)
        return found.campaigns[0]

    def _known(self) -> _Known:
        seconds = self._seconds()
        return _Known({key: totals for key, (at, totals) in self._totals.items() if seconds - at < TOTALS_KEPT})

    def _seconds(self) -> float:
        return float(self.management.reactor.seconds())

    def _explained(self, found: Overview) -> Overview:
        seconds, flow = self._seconds(), self.management.flow
        self._totals = {key: kept for key, kept in self._totals.items() if seconds - kept[0] < TOTALS_KEPT}
        for view in found.campaigns:
            self._totals.setdefault(view.campaign.id, (seconds, view.totals))
        if flow is None:
            return found
        told = [evolve(view, reason=flow.explain(view.campaign, view.progress)) for view in found.campaigns]
        return evolve(found, campaigns=told)


@define(eq=False)
class _Known:
    """Totals that are fresh, by campaign. Compared by identity: a question that carries them is nobody else's."""

    totals: Mapping[int, Totals]


@reads
def _read(t: Transaction, who: Account, known: _Known, only: int | None = None) -> Overview:
    if only is None:
        found = t.connection.execute(sql.CAMPAIGNS, (who.is_superuser, who.id, MOST_CAMPAIGNS + 1)).fetchall()
    else:
        found = t.connection.execute(sql.CAMPAIGN, (who.is_superuser, who.id, only)).fetchall()
    campaigns = [read_campaign(row) for row in found[:MOST_CAMPAIGNS]]
    open_calls = t.connection.execute(sql.OPEN).fetchall()
    since = to_column(t.now - LATELY)
    begun = t.connection.execute(sql.BEGUN, (to_column(t.now - NOW), since)).fetchall()
    return Overview(
        now=t.now,
        campaigns=_campaigns(t, campaigns, open_calls, begun, known.totals),
        hidden=len(found) > MOST_CAMPAIGNS,
        gateways=() if only is not None else _gateways(t, who, open_calls, begun),
        nodes=entries(t.connection, t.now) if who.is_superuser and only is None else (),
        events=() if only is not None else happenings(t, who, MOST_EVENTS),
    )


def _campaigns(
    t: Transaction, campaigns: Sequence[Campaign], open_calls: Any, begun: Any, known: Mapping[int, Totals]
) -> list[CampaignView]:
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
    return [
        _view(t.now, campaign, counts.get(campaign.id, {}), ready.get(campaign.id, (None, None)),
              live.get(campaign.id, (0, 0)), lately.get(campaign.id, _Lately()), totals.get(campaign.id, Totals()))
        for campaign in campaigns
    ]  # fmt: skip


def _view(
    now: datetime, campaign: Campaign, counts: Mapping[SubscriberStatus, int], ready: Sequence[str | None],
    calls: Sequence[int], lately: _Lately, totals: Totals,
) -> CampaignView:  # fmt: skip
    first, last = map(from_column_or_none, ready)
    progress = Progress.of(counts, first, now)
    course = Course(
        ended=totals.ended,
        recent_calls=lately.calls,
        recent_since=from_column(lately.since) if lately.since else None,
        last_ready_at=last,
    )
    return CampaignView(
        campaign=campaign,
        progress=progress,
        live=calls[0],
        ringing=calls[1],
        per_second=lately.now / NOW.total_seconds(),
        totals=totals,
        forecast=forecast(campaign, progress, course, now),
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
def newest_events(t: Transaction, who: Account, limit: int) -> list[Happening]:
    """The newest events of any kind."""
    rows = t.connection.execute(sql.EVERY_EVENT, (LOOKED_AT, who.is_superuser, who.id, limit)).fetchall()
    return _happenings(who, rows)


def happenings(t: Transaction, who: Account, limit: int) -> list[Happening]:
    """The newest events that are of no single call, the newest first: a user's own, or all of them for a superuser."""
    return _happenings(who, t.connection.execute(sql.EVENTS, (LOOKED_AT, who.is_superuser, who.id, limit)).fetchall())


def _happenings(who: Account, rows: Any) -> list[Happening]:
    found = [
        Happening(id=key, kind=EventKind(kind), at=from_column(at), campaign_id=campaign_id, facts=orjson.loads(data))
        for key, kind, at, campaign_id, data in rows
    ]
    return [each for each in found if who.is_superuser or not EVENT_TYPES[each.kind].superusers]
