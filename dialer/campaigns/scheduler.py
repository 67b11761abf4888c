"""The tick: for each started campaign, how many calls, which, and off to the flow.

A tick plans the calls that are due until a little after the next tick, each with its own due time, so that the rhythm of the
ticks cannot be heard in the traffic. It never overlaps another one, and what a tick cannot place is left for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from typing import TypeVar

import structlog
from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from dialer import gate
from dialer.calls.fleet import Capacity, Fleet, GatewayBackoffs
from dialer.calls.lifecycle import Lifecycle
from dialer.campaigns import idle, pairs, planning
from dialer.campaigns.breaker import Breaker
from dialer.campaigns.limits import GatewayRates, Limit, pace_of
from dialer.campaigns.planning import Planned, Routes, in_use_everywhere
from dialer.campaigns.second_legs import CountedLegs
from dialer.campaigns.windows import open_now
from dialer.errors import StoreError
from dialer.gateways import chain
from dialer.interfaces import FlowStore, Now
from dialer.limiter import SLACK, Pace, due_times, resume
from dialer.model import (
    BlockReason,
    Campaign,
    CampaignStatus,
    Candidate,
    Gateway,
    IdleReason,
    Others,
    Plan,
    Progress,
    RefusedContact,
    Snapshot,
)
from dialer.numbering import Numbering, numbering
from dialer.periodic import DegradedLog, PeriodicLoop, RepeatedLog
from dialer.routing import Shares

log = structlog.get_logger()

TICK = 0.1
"""Seconds from the end of a tick to the next one."""

HORIZON = timedelta(seconds=0.25)
"""How far ahead a tick plans: two ticks and a commit to a slow disk."""

REST = timedelta(seconds=0.5)
"""How long a campaign without a ready contact is not asked again; a new contact is called within a second."""

SET_BACK = timedelta(seconds=1)
"""A clock that shows so much less than before was set."""

MEMORY = timedelta(hours=1)
"""How long the pace of a campaign is kept that has nobody to call: a while longer than the longest interval of calls."""

LONGEST_BACKLOG = 2_000
"""Changes that wait for the database, from which on no more calls are begun: a few seconds' work of a slow one."""

T = TypeVar("T")

_NEVER = datetime.min.replace(tzinfo=UTC)


@define(eq=False)
class Scheduler:
    """Starts calls for the campaigns of the store through `lifecycle`."""

    clock: IReactorTime
    now: Now
    store: FlowStore
    fleet: Fleet
    lifecycle: Lifecycle
    new_id: Callable[[], str]
    numbering: Numbering = field(factory=numbering)
    _loop: PeriodicLoop = field(init=False)
    _silenced: RepeatedLog = field(init=False)
    _uncarried: RepeatedLog = field(init=False)
    _breaker: Breaker = field(init=False)
    _paces: dict[int, Pace] = field(factory=dict, init=False)
    second_legs: CountedLegs = field(init=False)
    _rates: GatewayRates = field(factory=GatewayRates, init=False)
    _shares: Shares = field(factory=Shares, init=False)
    _calling: set[int] = field(factory=set, init=False)
    """Campaigns that had contacts for all that was due: they may catch up after a late tick."""
    _resting: dict[int, datetime] = field(factory=dict, init=False)
    _unfinished: set[int] = field(factory=set, init=False)
    """Campaigns that had contacts to call, and of which nobody was told yet that they are finished."""
    _snapshot: Snapshot | None = field(default=None, init=False)
    _turn: int = field(default=0, init=False)
    _obeyed: dict[int, CampaignStatus] = field(factory=dict, init=False)
    _degraded: DegradedLog = field(factory=lambda: DegradedLog("no calls are begun: the database does not serve"), init=False)
    _latest: datetime = field(default=_NEVER, init=False)

    def __attrs_post_init__(self) -> None:
        self.second_legs = CountedLegs(
            self.now,
            self.store,
            self.lifecycle.register,
            self._rates,
            lambda: self._others.gateways,
            self._second_leg_refusal,
        )
        self._uncarried = RepeatedLog("contacts are not called: no gateway carries their numbers now", self.clock)
        self._breaker = Breaker(self.fleet, self.store, self.now)
        self._silenced = RepeatedLog("a campaign makes no calls: its caller id may not be shown", self.clock)
        self._loop = PeriodicLoop("scheduler", TICK, self.tick, self.clock)

    def start(self) -> None:
        """Begin to call."""
        self._loop.start()

    def stop(self) -> Deferred[None]:
        """Begin no more calls; fires when the tick under way has ended."""
        return self._loop.stop()

    def call_soon(self) -> None:
        """Something changed: do not wait for the interval."""
        self._resting.clear()
        self._loop.call_soon()

    def live_calls(self, campaign_id: int) -> int:
        """How many attempts of a campaign are open: here, and at other nodes where anything has a limit."""
        return self.lifecycle.register.campaigns.get(campaign_id, 0) + self._others.campaigns.get(campaign_id, 0)

    def explain(self, campaign: Campaign, progress: Progress | None = None) -> IdleReason | None:
        """Why the campaign is not calling; None when nothing keeps it from it."""
        gateways = self._snapshot.gateways if self._snapshot is not None else {}
        return idle.explain(
            idle.Situation(
                campaign=campaign,
                now=self.now(),
                routes=self._routes(gateways),
                switch_ready=self.fleet.ready,
                drained=self.fleet.drained,
                switch=self.fleet.backoff(self.now()),
                database=self._database,
                progress=progress,
                caller_id=self._caller_id_refusal(campaign),
                next_call_at=self._pace(campaign, self.now()).next_at(campaign.frequency),
            )
        )

    @property
    def gateways(self) -> Mapping[int, Gateway]:
        """All gateways, by id, as the last tick saw them."""
        return {} if self._snapshot is None else self._snapshot.gateways

    @property
    def others_call(self) -> bool:
        """Whether other nodes make calls."""
        return bool(self._others.dialling)

    async def tick(self) -> None:
        """Plan and begin what is due, unless the database is behind with what was begun before."""
        self._follow_clock(self.now())
        if not self.fleet.ready or self.store.backlog >= LONGEST_BACKLOG:
            return
        try:
            snapshot = await self.store.snapshot(self.now(), self._watched)
            self._remember(snapshot)
            await self._breaker.look(snapshot.gateways)
            await self._obey(snapshot)
            for campaign in self._in_turn(snapshot.campaigns):
                await self._call_some(campaign, snapshot)
                await self._tell_if_finished(campaign)
            self._degraded.worked()
        except StoreError as error:
            self._degraded.failed(str(error))

    def _follow_clock(self, now: datetime) -> None:
        """When the clock is set back, the last calls do not lie hours ahead: they were now."""
        if now + SET_BACK < self._latest:
            log.warning("the clock was set back", seconds=round((self._latest - now).total_seconds()))
            self._paces = {key: pace.not_after(now) for key, pace in self._paces.items()}
            self._rates.not_after(now)
            self._resting.clear()
        self._latest = now

    @property
    def _watched(self) -> set[int]:
        """Campaigns that are looked at although they have nobody to call: those with open calls, or of which it is not told
        yet that they are finished."""
        return self._unfinished | self.lifecycle.register.campaigns.keys()

    @property
    def _database(self) -> str:
        if self._degraded.reason:
            return f"the database does not serve: {self._degraded.reason}"
        if self.store.backlog >= LONGEST_BACKLOG:
            return f"the database is behind: {self.store.backlog} changes wait for it"
        return ""

    def _remember(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.lifecycle.use_rules(snapshot.campaigns)
        self.fleet.obey(snapshot.drained)
        started = {campaign.id for campaign in snapshot.campaigns}
        forgotten = self.now() - MEMORY
        self._paces = {
            key: pace for key, pace in self._paces.items() if key in started or (pace.last_at or forgotten) > forgotten
        }
        self._calling &= started
        self._resting = {key: until for key, until in self._resting.items() if key in started}
        self._unfinished = self._watched & started

    async def _obey(self, snapshot: Snapshot) -> None:
        """Campaigns that were stopped elsewhere, by another node's API or a command: unsent attempts are given back, and the
        calls of an aborted one are hung up. Each stop is obeyed once."""
        started = {campaign.id for campaign in snapshot.campaigns}
        stopped = self.lifecycle.register.campaigns.keys() - started
        self._obeyed = {key: status for key, status in self._obeyed.items() if key in stopped}
        if not stopped:
            return
        for key, status in (await self.store.statuses(stopped)).items():
            if self._obeyed.get(key) is status or status is CampaignStatus.START:
                continue
            self._obeyed[key] = status
            self.lifecycle.release_unsent(key)
            if status is CampaignStatus.ABORT:
                hung_up = Deferred.fromCoroutine(self.lifecycle.hang_up_all(key))
                hung_up.addErrback(lambda failure: log.error("calls not hung up", reason=failure.getErrorMessage()))

    def _in_turn(self, campaigns: tuple[Campaign, ...]) -> list[Campaign]:
        """Another user is first at each tick, and of each user another campaign, so that none starves where the switch has
        little headroom. Users take turns: however many campaigns one has, another one's is next."""
        self._turn += 1
        by_user: dict[int, list[Campaign]] = {}
        for campaign in campaigns:
            by_user.setdefault(campaign.user_id, []).append(campaign)
        in_turn = [_turned(own, self._turn // len(by_user)) for own in _turned(list(by_user.values()), self._turn)]
        rounds = zip_longest(*in_turn)
        return [campaign for one_each in rounds for campaign in one_each if campaign is not None]

    async def _call_some(self, campaign: Campaign, snapshot: Snapshot) -> None:
        """The first arrows of the flow for one campaign; `Lifecycle.begin` is the next."""
        now = self.now()
        if not open_now(campaign, now) or now < self._resting.get(campaign.id, now):
            return
        if reason := self._caller_id_refusal(campaign):
            self._silenced.happened((campaign.id, reason), campaign=campaign.name, reason=reason)
            return
        if not self._due(campaign, now, 1):
            return
        routes = self._routes(snapshot.gateways)
        capacity = Capacity.of(self.fleet, self.lifecycle.register, now, HORIZON.total_seconds())
        due = self._how_many(campaign, routes, capacity, now)
        if not due:
            return
        candidates = await self._contacts(campaign, len(due), now)
        if not candidates:
            return
        planned = self._which(candidates, campaign, routes, capacity, due, now)
        if planned.plans:  # at once: what is begun while something else is waited for is not in the plans
            await self._begin(planned.plans, campaign, now)
        if planned.refused:
            await self._refuse(planned.refused, now)

    async def _begin(self, plans: Sequence[Plan], campaign: Campaign, now: datetime) -> None:
        begun = [attempt.plan for attempt in await self.lifecycle.begin(plans, now + HORIZON)]
        if begun:
            self._rates.taken(begun)
            self._paces[campaign.id] = Pace(begun[-1].due_at)
        elif campaign.caller_id_pool_id is not None:
            self._resting[campaign.id] = now + REST  # no caller id can be used: not asked at every tick

    def _caller_id_refusal(self, campaign: Campaign) -> str:
        """Why it, or a gateway that it calls through, may not show its caller id or its caller's name any more."""
        if reason := gate.caller_name_refusal(campaign.caller_name):
            return reason
        own = "" if campaign.caller_id_pool_id is not None else campaign.caller_id
        if self._snapshot is None:
            return gate.caller_id_refusal(own, "", self.numbering)
        allowed = self._snapshot.caller_ids.get(campaign.id, "")
        if reason := gate.caller_id_refusal(own, allowed, self.numbering):
            return reason
        for gateway in chain(self._snapshot.gateways, campaign.gateway_id):
            if reason := gate.variables_refusal(gateway.parameters, "", self.numbering):
                return f"gateway {gateway.name}: {reason}"
        return ""

    def _how_many(self, campaign: Campaign, routes: Routes, capacity: Capacity, now: datetime) -> list[datetime]:
        """The due times that the pace, the headroom of switches and gateways, the campaign's own limit and its hours allow."""
        headroom = capacity.total(chain(routes.gateways, campaign.gateway_id))
        limit = routes.capacity(campaign, now, headroom) if headroom > 0 else 0
        times = self._due(campaign, now, limit)
        if not times or open_now(campaign, max(times[-1], now)):
            return times
        return [at for at in times if open_now(campaign, max(at, now))]

    def _due(self, campaign: Campaign, now: datetime, limit: int) -> list[datetime]:
        """The due times that the pace of a campaign allows, at most `limit`."""
        slack = SLACK if campaign.id in self._calling else timedelta()
        return due_times(self._pace(campaign, now), campaign.frequency, now, HORIZON, limit, slack)

    async def _contacts(self, campaign: Campaign, wanted: int, now: datetime) -> list[Candidate]:
        """At most `wanted` ready contacts, the first ones left to the nodes before this one; without any, it rests."""
        skip = self._others.before * wanted if self._others.dialling else 0
        candidates = await self.store.candidates(campaign.id, now, wanted, skip, campaign.order, campaign.retry_share)
        if len(candidates) == wanted:
            self._calling.add(campaign.id)
        else:
            self._calling.discard(campaign.id)
        if candidates:
            self._unfinished.add(campaign.id)
        elif not self.store.is_cut_short(campaign.id):
            self._resting[campaign.id] = now + REST
        return candidates

    async def _tell_if_finished(self, campaign: Campaign) -> None:
        """Log that nobody is left to call: once, when the last call of a campaign has ended. The store is asked when no call
        is open and none can be begun; a campaign whose contacts wait for their time is looked at again after its next call."""
        key, now = campaign.id, self.now()
        if key not in self._unfinished or self.lifecycle.register.campaigns.get(key):
            return
        if key not in self._resting and open_now(campaign, now):
            return
        self._unfinished.discard(key)
        if campaign.single:
            return
        progress = await self.store.progress(key)
        if progress.finished:
            counts = {status.name.lower(): count for status, count in sorted(progress.subscribers.items())}
            log.info("campaign finished", campaign=campaign.name, id=key, **counts)

    def _which(
        self,
        candidates: Sequence[Candidate],
        campaign: Campaign,
        routes: Routes,
        capacity: Capacity,
        due: Sequence[datetime],
        now: datetime,
    ) -> Planned:
        """The calls to make, at times that their gateways allow; a number that must never be dialled is refused."""
        planned = planning.plan(
            candidates,
            campaign,
            routes,
            due,
            self.now(),
            ids=self.new_id,
            numbering=self.numbering,
            switch_for=capacity.take,
        )
        plans = self._rates.spread(planned.plans, now + HORIZON)
        if len(tuple(chain(routes.gateways, campaign.gateway_id))) > 1 and pairs.may_choose(campaign):
            plans = tuple(pairs.with_routes(plan, routes, now, self.numbering, capacity.take_beside) for plan in plans)
        return evolve(planned, plans=plans)

    async def _refuse(self, refused: Sequence[RefusedContact], now: datetime) -> None:
        for refusal in refused:
            if refusal.block is BlockReason.NO_GATEWAY:
                self._uncarried.happened(number=refusal.candidate.number, reason=refusal.reason)
            else:
                log.warning("contact refused", number=refusal.candidate.number, reason=refusal.reason)
        await self.store.refuse(refused, now)

    def _pace(self, campaign: Campaign, now: datetime) -> Pace:
        """The pace of this process, or what the store keeps of an earlier one; with other nodes, whichever called last."""
        pace = self._paces.get(campaign.id)
        if pace is None:
            pace = self._paces[campaign.id] = resume(campaign.next_call_at, campaign.frequency, now)
        if self._others.dialling:
            limit = Limit(frequency=campaign.frequency, next_call_at=campaign.next_call_at)
            return max(pace, pace_of(limit, now), key=lambda one: one.last_at or _NEVER)
        return pace

    def _routes(self, gateways: Mapping[int, Gateway]) -> Routes:
        fleet, in_use = self.fleet, in_use_everywhere(self.lifecycle.register, self._others)
        backoffs = GatewayBackoffs(self.fleet, gateways, self.now())
        return Routes(gateways, in_use, backoffs, fleet.reaches, fleet.trouble, self._shares, self._in_time, fleet.drained_for)

    def _in_time(self, gateway: Gateway, planned: int) -> bool:
        """Whether its calls per second leave a moment for one call more within a tick's horizon."""
        rate, now = gateway.calls_per_second, self.now()
        return rate is None or self._rates.next_at(gateway, now) + timedelta(seconds=planned / rate) <= now + HORIZON

    def _second_leg_refusal(self, call_uuid: str, gateway: Gateway) -> str:
        live = self.lifecycle.register.find(call_uuid)
        return "" if live is None else self.fleet.second_leg_refusal(live, gateway, self.lifecycle.register)

    @property
    def _others(self) -> Others:
        return self._snapshot.others if self._snapshot is not None else Others()


def _turned(some: list[T], by: int) -> list[T]:
    first = by % len(some) if some else 0
    return some[first:] + some[:first]
