"""A store in memory, durable at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import define, evolve, field
from twisted.internet.defer import Deferred, fail, succeed

from dialer.gateways import chain
from dialer.model import (
    Attempt,
    AttemptResult,
    AttemptState,
    Campaign,
    CampaignStatus,
    Candidate,
    Gateway,
    GatewayStatus,
    ObeyedRefusals,
    Others,
    PausedCampaign,
    Plan,
    Progress,
    Refusals,
    RefusedContact,
    Signal,
    Snapshot,
    SubscriberStatus,
    SwitchDrain,
)
from dialer.model.campaign import CallOrder


@define
class Row:
    candidate: Candidate
    status: SubscriberStatus
    ready_at: datetime


@define(eq=False)
class MemoryStore:
    """Follows `FlowStore`; `log` tells in order what was made durable; `error` makes every call fail."""

    campaigns: dict[int, Campaign] = field(factory=dict)
    gateways: dict[int, Gateway] = field(factory=dict)
    rows: dict[int, Row] = field(factory=dict)
    open: dict[str, Attempt] = field(factory=dict)
    finishes: list[AttemptResult] = field(factory=list)
    log: list[str] = field(factory=list)
    pending: dict[str, Signal] = field(factory=dict)
    """Ends that records tell which came to other processes."""
    second_legs: dict[str, int] = field(factory=dict)
    """The gateways of those that were begun and did not end, by call."""
    leg_delay: timedelta = timedelta()
    """How much later than wanted a second leg may be dialled."""
    error: Exception | None = None
    hold: bool = False
    backlog: int = 0
    others: Others = field(factory=Others)
    cut_short: set[int] = field(factory=set)
    """Campaigns with so many to set aside that not all are looked at."""
    caller_ids: dict[int, str] = field(factory=dict)
    drained: dict[str, SwitchDrain] = field(factory=dict)
    held: list[Deferred[None]] = field(factory=list)
    progress_asked: int = 0
    _ids: int = 0

    def add(self, campaign: Campaign, number: str, ready_at: datetime) -> Candidate:
        key = len(self.rows) + 1
        candidate = Candidate(subscriber_id=key, contact_id=key, campaign_id=campaign.id, number=number, identity=number)
        self.rows[key] = Row(candidate, SubscriberStatus.START, ready_at)
        self.campaigns.setdefault(campaign.id, campaign)
        return candidate

    def snapshot(self, now: datetime | None = None, also: Collection[int] = ()) -> Deferred[Snapshot]:
        if self.error:
            return fail(self.error)
        return succeed(
            Snapshot(
                campaigns=tuple(
                    c
                    for c in self.campaigns.values()
                    if c.status is CampaignStatus.START and (now is None or c.id in also or self._is_ready(c.id, now))
                ),
                gateways=dict(self.gateways),
                others=self.others,
                caller_ids=dict(self.caller_ids),
                drained=dict(self.drained),
            )
        )

    def _is_ready(self, campaign_id: int, now: datetime) -> bool:
        return any(
            row.candidate.campaign_id == campaign_id and row.status is SubscriberStatus.START and row.ready_at <= now
            for row in self.rows.values()
        )

    def candidates(
        self,
        campaign_id: int,
        now: datetime,
        limit: int,
        skip: int = 0,
        order: CallOrder = CallOrder.LIST,
        share: int = 50,
    ) -> Deferred[list[Candidate]]:
        if self.error:
            return fail(self.error)
        ready = [
            row.candidate
            for row in self.rows.values()
            if row.candidate.campaign_id == campaign_id and row.status is SubscriberStatus.START and row.ready_at <= now
        ]
        return succeed(ready[:limit])

    def is_cut_short(self, campaign_id: int) -> bool:
        return campaign_id in self.cut_short

    def begin(self, plans: Sequence[Plan], now: datetime, until: datetime, deadline: datetime) -> Deferred[list[Attempt]]:
        if self.error:
            return fail(self.error)
        attempts = []
        for plan in plans:
            row = self.rows[plan.candidate.subscriber_id]
            if row.status is not SubscriberStatus.START:
                continue
            row.status = SubscriberStatus.IN_PROCESS
            self._ids += 1
            attempt = Attempt(
                id=self._ids,
                plan=plan,
                number_of_attempt=row.candidate.count_attempt + 1,
                planned_at=now,
                deadline=deadline,
            )
            self.open[attempt.call_uuid] = attempt
            attempts.append(attempt)
            self.log.append(f"begin {attempt.call_uuid}")
        done: Deferred[list[Attempt]] = Deferred()
        if self.hold:
            gate: Deferred[None] = Deferred()
            gate.addCallback(lambda _: done.callback(attempts))
            self.held.append(gate)
        else:
            done.callback(attempts)
        return done

    def refuse(self, refused: Sequence[RefusedContact], now: datetime) -> Deferred[None]:
        for each in refused:
            row = self.rows[each.candidate.subscriber_id]
            if each.until is None:
                row.status = SubscriberStatus.NOT_AUTHORISED
            else:
                row.ready_at = each.until
        return succeed(None)

    def pause_refused(self, refusals: Mapping[int, Refusals], now: datetime) -> Deferred[ObeyedRefusals]:
        if self.error:
            return fail(self.error)
        paused = []
        for campaign in list(self.campaigns.values()):
            ways = list(chain(self.gateways, campaign.gateway_id))
            if campaign.status is CampaignStatus.START and all(
                way.id in refusals or way.status is GatewayStatus.INACTIVE for way in ways
            ):
                reason = "; ".join(f"gateway {way.name} {refusals[way.id].text}" for way in ways if way.id in refusals)
                self.campaigns[campaign.id] = evolve(campaign, status=CampaignStatus.PAUSE, pause_reason=reason)
                paused.append(PausedCampaign(id=campaign.id, name=campaign.name, reason=reason))
        started = [each for each in self.campaigns.values() if each.status is CampaignStatus.START]
        used = {way.id for each in started for way in chain(self.gateways, each.gateway_id)}
        return succeed(ObeyedRefusals(paused=tuple(paused), unused=frozenset(refusals.keys() - used)))

    def move(self, attempt: Attempt, to: AttemptState, at: datetime, core_uuid: str = "") -> None:
        self.log.append(f"{to} {attempt.call_uuid}")

    def pressed(self, attempt: Attempt, digits: str, at: datetime) -> None:
        self.log.append(f"pressed {digits} {attempt.call_uuid}")

    def finish(self, finish: AttemptResult, *, unless_recorded: bool = False) -> Deferred[bool]:
        if self.error:
            return fail(self.error)
        uuid = finish.attempt.call_uuid
        if unless_recorded and uuid in self.pending:
            return succeed(False)
        if self.open.pop(uuid, None) is None:
            return succeed(False)
        row = self.rows[finish.attempt.plan.candidate.subscriber_id]
        decision = finish.decision
        row.status = decision.status
        row.ready_at = decision.ready_at or row.ready_at
        candidate = row.candidate
        row.candidate = evolve(
            candidate,
            count_attempt=candidate.count_attempt + decision.counts_as_attempt,
            free_retries=0 if decision.counts_as_attempt else candidate.free_retries + 1,
        )
        self.finishes.append(finish)
        self.log.append(f"finish {uuid}")
        return succeed(True)

    def begin_leg(self, call_uuid: str, gateway: Gateway, now: datetime, wanted: datetime) -> Deferred[datetime]:
        if self.error:
            return fail(self.error)
        self.second_legs[call_uuid] = gateway.id
        return succeed(wanted + self.leg_delay)

    def end_leg(self, call_uuid: str) -> Deferred[None]:
        if self.error:
            return fail(self.error)
        self.second_legs.pop(call_uuid, None)
        return succeed(None)

    def pending_cdr(self, attempt: Attempt) -> Deferred[Signal | None]:
        if self.error:
            return fail(self.error)
        return succeed(self.pending.get(attempt.call_uuid) if attempt.call_uuid in self.open else None)

    def open_attempts(self) -> Deferred[list[Attempt]]:
        return succeed(list(self.open.values()))

    def known(self, call_uuids: Collection[str]) -> Deferred[set[str]]:
        if self.error:
            return fail(self.error)
        return succeed(self.open.keys() & call_uuids)

    def progress(self, campaign_id: int) -> Deferred[Progress]:
        self.progress_asked += 1
        of_campaign = (row.status for row in self.rows.values() if row.candidate.campaign_id == campaign_id)
        return succeed(Progress(subscribers=Counter(of_campaign)))

    def statuses(self, campaign_ids: Collection[int]) -> Deferred[dict[int, CampaignStatus]]:
        return succeed({key: self.campaigns[key].status for key in campaign_ids})
