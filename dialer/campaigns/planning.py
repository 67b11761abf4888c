"""Which calls are made: each candidate gets a due time and a gateway that can serve it now.

A gateway can serve when it is active, is not backed off from and has headroom; otherwise its failover is asked, and so on. The
calls of a batch count against the headroom as they are planned, so a batch cannot pass a limit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from attrs import Factory, frozen

from dialer import gate
from dialer.gateways import Backoff, chain, dial_string, headroom, stages
from dialer.model import BlockReason, Campaign, Candidate, Gateway, GatewayStatus, Others, Plan, RefusedContact
from dialer.numbering import Numbering
from dialer.routing import Shares, carriers, carries, cheapest, no_carrier


class Usage(Protocol):
    """How many attempts are open, by the id of their gateway and of their campaign; an id that is not listed has none."""

    @property
    def gateways(self) -> Mapping[int, int]: ...

    @property
    def campaigns(self) -> Mapping[int, int]: ...


@frozen
class _Sums:
    gateways: Mapping[int, int]
    campaigns: Mapping[int, int]


def in_use_everywhere(here: Usage, others: Others) -> Usage:
    """The use here and at the other nodes."""
    if not others.gateways:
        return here
    return _Sums(_sum(here.gateways, others.gateways), _sum(here.campaigns, others.campaigns))


def _sum(one: Mapping[int, int], other: Mapping[int, int]) -> Mapping[int, int]:
    return {key: one.get(key, 0) + other.get(key, 0) for key in one.keys() | other.keys()}


@frozen
class Unavailable:
    """Why a gateway cannot serve: a word, the rest of a sentence about it, and until when, where that is known."""

    word: Literal["inactive", "paused", "full", "unreachable", "down"]
    text: str
    until: datetime | None = None


@frozen
class Routes:
    """The gateways, how full they are, and which are backed off from (by id; one that fared well is not listed); `reaches`
    tells whether a switch that is there has a gateway, `drained` by whom those are drained that have it, "" for none,
    `trouble` what these say against one, "" for nothing. `shares` are those of the gateways of a group; `in_time` tells
    whether one of them may be given a call now, beside so many planned ones, by its calls per second."""

    gateways: Mapping[int, Gateway]
    in_use: Usage
    backoffs: Mapping[int, Backoff]
    reaches: Callable[[Gateway], bool] = lambda _: True
    trouble: Callable[[Gateway], str] = lambda _: ""
    shares: Shares = Factory(Shares)
    in_time: Callable[[Gateway, int], bool] = lambda _gateway, _planned: True
    drained: Callable[[Gateway], str] = lambda _: ""

    def unavailable(self, gateway: Gateway, now: datetime, planned: int = 0) -> Unavailable | None:
        """Why `gateway` cannot serve a call at `now` beside `planned` ones that are not open yet; None when it can."""
        if gateway.status is not GatewayStatus.ACTIVE:
            return Unavailable("inactive", "is inactive")
        if not self.reaches(gateway):
            drained = self.drained(gateway)
            told = f" ({drained})" if drained else ""
            return Unavailable("unreachable", f"is on none of the switches that are connected and take calls{told}")
        if trouble := self.trouble(gateway):
            return Unavailable("down", f"is down, as the switch tells ({trouble})")
        backoff = self.backoffs.get(gateway.id)
        if backoff is not None and backoff.blocks(now):
            return Unavailable("paused", f"is backed off from after {backoff.text}", backoff.next_try)
        if backoff is not None and planned and backoff.is_on_trial(now):
            return Unavailable("paused", f"is tried with one call after {backoff.text}")
        if headroom(gateway, self._live(gateway) + planned) == 0:
            return Unavailable("full", f"is full ({gateway.maximum_call} calls)")
        return None

    def usable(self, gateway_id: int, now: datetime, planned: Mapping[int, int], identity: str = "") -> Gateway | None:
        """The gateway that carries the next call, to that number: of the first step of the failover chain on which one can
        serve, the cheapest for it, by their shares. Without a number, any of them."""
        for stage in stages(self.gateways, gateway_id):
            able: Sequence[Gateway] = [
                way
                for way in stage
                if (not identity or carries(way, identity)) and self.unavailable(way, now, planned.get(way.id, 0)) is None
            ]
            if not able:
                continue
            if len(able) > 1:
                able = [way for way in able if self.in_time(way, planned.get(way.id, 0))] or able
            return self.shares.take(cheapest(able, identity) if identity else able)
        return None

    def capacity(self, campaign: Campaign, now: datetime, most: int) -> int:
        """How many calls the campaign's own limit and its gateways would take at `now`, at most `most`."""
        limit = min(most, campaign_headroom(campaign, self.in_use, most))
        total = 0
        for way in chain(self.gateways, campaign.gateway_id):
            if self.unavailable(way, now) is None:
                backoff = self.backoffs.get(way.id)
                on_trial = backoff is not None and backoff.is_on_trial(now)
                free = 1 if on_trial else headroom(way, self._live(way))
                total += limit if free is None else free
        return min(limit, total)

    def _live(self, gateway: Gateway) -> int:
        return self.in_use.gateways.get(gateway.id, 0)


@frozen
class Planned:
    """The calls to make, in the order of their due times, and the candidates that were refused. A candidate in neither was
    not reached: no due time or no gateway was left."""

    plans: tuple[Plan, ...]
    refused: tuple[RefusedContact, ...]


def campaign_headroom(campaign: Campaign, in_use: Usage, most: int) -> int:
    """How many calls more the campaign's own limit allows, at most `most`."""
    if campaign.max_concurrent is None:
        return most
    return max(min(campaign.max_concurrent - in_use.campaigns.get(campaign.id, 0), most), 0)


def plan(
    candidates: Iterable[Candidate],
    campaign: Campaign,
    routes: Routes,
    due_times: Sequence[datetime],
    now: datetime,
    *,
    ids: Callable[[], str],
    numbering: Numbering,
    switch_for: Callable[[Gateway], str | None] = lambda _: "",
) -> Planned:
    """Calls for `candidates`, in their order, at most one for each of `due_times`.

    `ids` makes call UUIDs; `switch_for` names the switch for one more call through a gateway, None when there is none now.
    An emergency number is refused (`dialer.gate`), also one that the gateway's prefixes make of a harmless number.
    """
    slots = list(reversed(due_times[: campaign_headroom(campaign, routes.in_use, len(due_times))]))
    planned: Counter[int] = Counter()
    plans: list[Plan] = []
    refused: list[RefusedContact] = []
    for candidate in candidates:
        way = routes.usable(campaign.gateway_id, now, planned, candidate.identity) if slots else None
        if way is None:
            if slots and (not_carried := _not_carried(candidate, campaign, routes, planned, now)) is not None:
                refused.append(not_carried)
                continue
            break
        leg = gate.leg_through(way, candidate.number)
        if reason := gate.emergency_refusal(leg.forms, numbering):
            refused.append(RefusedContact(candidate, reason))
            continue
        switch = switch_for(way)
        if switch is None:
            break
        others = gate.identities((gate.GatedLeg(leg.number, leg.forms[1:]),), numbering) if len(leg.forms) > 1 else ()
        planned[way.id] += 1
        plans.append(
            Plan(
                call_uuid=ids(),
                candidate=candidate,
                campaign=campaign,
                gateway=way,
                dial_string=dial_string(way, candidate.number),
                due_at=slots.pop(),
                also=tuple(identity for identity in others if identity != candidate.identity),
                switch=switch,
            )
        )
    return Planned(tuple(plans), tuple(refused))


CARRIER_BUSY: Final = timedelta(seconds=5)
"""How long a contact waits whose carrier cannot serve, while others can serve others: these have their turn."""


def _not_carried(
    candidate: Candidate, campaign: Campaign, routes: Routes, planned: Mapping[int, int], now: datetime
) -> RefusedContact | None:
    """A candidate that is not called because of its number: no gateway carries it, or the one that does cannot serve now. None
    when nobody could be called."""
    if reason := no_carrier(routes.gateways, campaign.gateway_id, candidate.identity):
        return RefusedContact(candidate, reason, BlockReason.NO_GATEWAY)
    ways = chain(routes.gateways, campaign.gateway_id)
    if all(routes.unavailable(way, now, planned.get(way.id, 0)) is not None for way in ways):
        return None
    able = carriers(routes.gateways, campaign.gateway_id, candidate.identity)
    found = [(way, routes.unavailable(way, now, planned.get(way.id, 0))) for way in able]
    told = ", ".join(f"gateway {way.name} {unavailable.text}" for way, unavailable in found if unavailable is not None)
    return RefusedContact(candidate, f"+{candidate.identity}: {told}", BlockReason.NO_GATEWAY, now + CARRIER_BUSY)
