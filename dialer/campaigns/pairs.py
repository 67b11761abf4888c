"""The pair of a call: the gateway that carries it, and the caller id that it shows. One is not chosen before the other.

A pool may have a number that is shown through one gateway only, or none that is left for the first gateway, while another one
could carry the call with another number. So the gateways are gone through in their order, and the first one that has room and
a number is taken. Which have room is known for sure in the transaction that begins the call: the plan brings the routes.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve

from dialer import gate
from dialer.campaigns.caller_ids import CallToShow, PoolChoice, PooledNumber, obstacle
from dialer.campaigns.planning import Routes
from dialer.gateways import dial_string
from dialer.model import CallRoute, Campaign, Gateway, Plan
from dialer.model.caller_id import CallerIdPool, CallerIdWait, ShownCaller
from dialer.numbering import Numbering
from dialer.routing import carriers


class Lack(enum.Enum):
    """What no gateway of a call has: room for it, or a caller id. With `CALLER_ID`, some have room."""

    ROOM = enum.auto()
    CALLER_ID = enum.auto()


def may_choose(campaign: Campaign) -> bool:
    """Whether its calls may show a number of a pool: one that it has, or in which the number stands that it names."""
    return campaign.caller_id_pool_id is not None or bool(campaign.caller_id)


def with_routes(
    plan: Plan,
    routes: Routes,
    now: datetime,
    numbering: Numbering,
    switch_beside: Callable[[str, Gateway], str | None],
) -> Plan:
    """A plan with the other gateways that can carry its call, in the order in which they are tried. `switch_beside` names the
    switch for a call that goes through another gateway instead, by the switch that was chosen for it; None when there is none
    now."""
    found: list[CallRoute] = [plan.route]
    busy: list[int] = []
    for gateway in carriers(routes.gateways, plan.campaign.gateway_id, plan.candidate.identity):
        if gateway.id == plan.gateway.id:
            continue
        switch = switch_beside(plan.switch, gateway) if routes.unavailable(gateway, now) is None else None
        if switch is None:
            busy.append(gateway.id)
            continue
        leg = gate.leg_through(gateway, plan.candidate.number)
        if gate.emergency_refusal(leg.forms, numbering):
            continue
        found.append(
            CallRoute(
                gateway=gateway,
                dial_string=dial_string(gateway, plan.candidate.number),
                also=other_identities(leg, plan.candidate.identity, numbering),
                switch=switch,
            )
        )
    return evolve(plan, routes=tuple(found) if len(found) > 1 else (), busy=tuple(busy))


def other_identities(leg: gate.GatedLeg, identity: str, numbering: Numbering) -> tuple[str, ...]:
    """Those that a gateway makes of a number, but for its own."""
    others = gate.identities((gate.GatedLeg(leg.number, leg.forms[1:]),), numbering) if len(leg.forms) > 1 else ()
    return tuple(each for each in others if each != identity)


def first_pair(
    plan: Plan, room: Callable[[Gateway], datetime | None], shows: Callable[[Gateway], ShownCaller | None]
) -> Plan | Lack:
    """The plan with the first gateway that has `room`, which tells when the call is due, and a caller id that it `shows`."""
    lack = Lack.ROOM
    for route in plan.routes or (plan.route,):
        due_at = room(route.gateway)
        if due_at is None:
            continue
        caller = shows(route.gateway)
        if caller is None:
            lack = Lack.CALLER_ID
            continue
        return evolve(
            plan,
            gateway=route.gateway,
            dial_string=route.dial_string,
            also=route.also,
            switch=route.switch,
            due_at=due_at,
            caller=caller,
        )
    return lack


ROOM_SOON: Final = timedelta(seconds=10)
"""After so long, a contact is looked at again whose call waits for room on a gateway that has a number for it."""


def free_again(choice: PoolChoice, calls: Sequence[CallToShow], now: datetime) -> datetime | None:
    """When a contact for whom no pair is free may have one: `calls` are those to it through each gateway that could carry
    them, of which those with a number lack room. None when that is not known."""
    moments = [until for call in calls if (until := choice.until(call)) is not None]
    if any(choice.has_for(call) for call in calls):
        moments.append(now + ROOM_SOON)
    return min(moments, default=None)


# --- in words ---------------------------------------------------------------------------------------------------------------


def pair_wait(
    gateways: Iterable[Gateway], routes: Routes, pool: CallerIdPool, numbers: Sequence[PooledNumber], now: datetime
) -> CallerIdWait | None:
    """Which of both each gateway of a campaign lacks; None when a pair is free. `numbers` are those that may be shown, of
    which some can be used through some gateway."""
    told: list[str] = []
    moments: list[datetime | None] = []
    for gateway in gateways:
        own = [each for each in numbers if not each.gateways or gateway.id in each.gateways]
        unavailable = routes.unavailable(gateway, now)
        words: dict[str, int] = {}
        waits: list[datetime | None] = []
        for each in own:
            found = obstacle(each, pool, now)
            if found is not None:
                words[found.word] = words.get(found.word, 0) + 1
                waits.append(found.until)
        has_number = len(waits) < len(own)
        if unavailable is None and has_number:
            return None
        if has_number and unavailable is not None:
            told.append(f"gateway {gateway.name} has caller ids and {unavailable.text}")
            moments.append(unavailable.until)
        else:
            told.append(f"gateway {gateway.name} has no caller id{_counted(words)}")
            moments += waits
    text = f"no gateway is free that may show a free caller id of the pool {pool.name}: {'; '.join(told)}"
    return CallerIdWait(text=text, until=min((each for each in moments if each is not None), default=None), for_all=True)


def _counted(words: Mapping[str, int]) -> str:
    listed = ", ".join(f"{word}: {count}" for word, count in sorted(words.items()))
    return f" ({listed})" if listed else " that it may show"
