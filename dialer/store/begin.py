"""Begin: claim subscribers and write their attempts, as one part of a transaction on the database thread.

On SQLite the transaction holds the only write lock from its first statement on, so nothing that it has read can change before
it commits, and one process dials, which knows of all that is open. On a server, other nodes begin calls at the same time: the
campaign's row is locked first, then those of the gateways in the order of their ids, and the limits are asked under these
locks (`dialer.campaigns.limits`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import evolve, frozen

from dialer.campaigns.limits import GATEWAY_AHEAD, Admission, Limit, next_through, per_minute
from dialer.model import Attempt, Block, EventKind, Plan
from dialer.rules.book import NO_RULES, RuleBook
from dialer.rules.decide import decide
from dialer.store import blocked, held, statements
from dialer.store.blocked import Blocking
from dialer.store.caller_id_assignment import assign
from dialer.store.caller_ids import Assigning
from dialer.store.connection import Connection, Dialect
from dialer.store.dialled_forms import block_of, forbidden_forms
from dialer.store.events import add_started
from dialer.store.held import histories, lock_numbers
from dialer.store.may_call import moments
from dialer.store.times import from_column_or_none, to_column
from dialer.store.told_state import OF_CAMPAIGNS, forget_idle

LARGEST_STATEMENT = 100
"""Plans in one statement: its text is kept prepared for each number of plans."""

MINUTE = 60.0


@frozen(kw_only=True)
class Beginning:
    """The attempts that shall be begun: their node, moment and deadline; no call is due after `until`. `wanted` are the
    kinds of events that somebody asks for, `rules` when somebody may be called; `caller_ids` is what their choice has to
    know, None for what an installation without settings says."""

    plans: Sequence[Plan]
    owner: str
    now: datetime
    until: datetime
    deadline: datetime
    wanted: frozenset[EventKind] = frozenset()
    rules: RuleBook = NO_RULES
    caller_ids: Assigning | None = None


def begin(connection: Connection, wanted: Beginning) -> list[Attempt]:
    """The attempts for those of the plans that may be made, in the order of the plans. See `FlowStore.begin`."""
    admission = _admission(connection, wanted)
    lock_numbers(connection, wanted.rules, ((plan.candidate, plan.campaign) for plan in wanted.plans))
    allowed: list[Plan] = []
    for some in _chunks(wanted.plans):
        allowed += _ruled(connection, _claimable(connection, some, wanted), wanted)
    allowed = assign(connection, allowed, wanted.caller_ids or Assigning(now=wanted.now), admission)
    attempts: list[Attempt] = []
    for some in _chunks(allowed):
        attempts += _insert(connection, some, wanted)
    _advance(connection, attempts)
    if EventKind.ATTEMPT_STARTED in wanted.wanted:
        add_started(connection, attempts, wanted.now)
    if wanted.wanted & OF_CAMPAIGNS:
        forget_idle(connection, sorted({attempt.plan.campaign.id for attempt in attempts}))
    return attempts


def _chunks(plans: Sequence[Plan]) -> list[Sequence[Plan]]:
    return [plans[start : start + LARGEST_STATEMENT] for start in range(0, len(plans), LARGEST_STATEMENT)]


def _admission(connection: Connection, wanted: Beginning) -> Admission | None:
    """The limits of what the plans use, on a server under its locks; None where a process knows that they are kept, having
    planned by them: with a file, unless a gateway is still to be chosen."""
    gateways = {route.gateway.id for plan in wanted.plans for route in plan.routes}
    campaigns = None
    if connection.dialect is Dialect.POSTGRESQL:
        campaigns = _locked_campaigns(connection, {plan.campaign.id for plan in wanted.plans})
    elif not gateways:
        return None
    gateways |= {plan.gateway.id for plan in wanted.plans}
    return Admission.of(campaigns, locked_gateways(connection, gateways), wanted.now, wanted.until)


def _locked_campaigns(connection: Connection, campaign_ids: Collection[int]) -> dict[int, Limit]:
    """Lock those that are started, and how far each is, by its id."""
    campaigns = {}
    for campaign_id in sorted(campaign_ids):
        row = connection.execute(statements.LOCK_CAMPAIGN, (campaign_id,)).fetchone()
        if row is not None:
            frequency, max_concurrent, next_call_at = row
            headroom = _headroom(connection, statements.OPEN_OF_CAMPAIGN, (campaign_id,), max_concurrent)
            campaigns[campaign_id] = Limit(
                frequency=frequency, headroom=headroom, next_call_at=from_column_or_none(next_call_at)
            )
    return campaigns


def locked_gateways(connection: Connection, gateway_ids: Collection[int]) -> dict[int, Limit]:
    """Lock those of the gateways that are active, on a server, and how far each is, by its id."""
    gateways = {}
    ids = sorted(gateway_ids)
    for gateway_id, maximum_call, calls_per_second, next_call_at in connection.execute(
        statements.lock_gateways(len(ids)).of(connection), ids
    ).fetchall():
        gateways[gateway_id] = Limit(
            frequency=per_minute(calls_per_second),
            headroom=_headroom(connection, statements.OPEN_OF_GATEWAY, (gateway_id, gateway_id), maximum_call),
            next_call_at=from_column_or_none(next_call_at),
            ahead=GATEWAY_AHEAD,
        )
    return gateways


def _headroom(connection: Connection, statement: str, keys: tuple[int, ...], most: int | None) -> int | None:
    if most is None:
        return None
    (open_calls,) = connection.execute(statement, keys).fetchone()
    return max(most - int(open_calls), 0)


def _claimable(connection: Connection, plans: Sequence[Plan], wanted: Beginning) -> list[Plan]:
    """Those whose subscriber may be called, with the counts of this moment: a candidate may be older than the end of an
    earlier attempt. Subscribers that may not be called are set aside."""
    subscribers = [plan.candidate.subscriber_id for plan in plans]
    now = to_column(wanted.now)
    asked = (*moments(now), now, *subscribers)
    rows = connection.execute(statements.claimable(len(subscribers)).of(connection), asked).fetchall()
    claimable = {row[0]: row[1:] for row in rows}
    identities: set[str] = set()
    allowed, forbidden = [], []
    dialled: dict[int, Block] = {}
    otherwise, forbidden_routes = _forbidden_otherwise(connection, plans, wanted.now)
    for plan in plans:
        found = claimable.pop(plan.candidate.subscriber_id, None)
        if found is None:
            continue
        count_attempt, free_retries, tally, identity, blocked_by = found
        if blocked_by:
            forbidden.append(plan.candidate.subscriber_id)
        elif plan.call_uuid in otherwise:
            dialled[plan.candidate.subscriber_id] = otherwise[plan.call_uuid]
            forbidden.append(plan.candidate.subscriber_id)
        elif identity not in identities:
            identities.add(identity)
            routed = _without(plan, forbidden_routes)
            allowed.append(_with_counts(routed, count_attempt, free_retries, tally))
    why = Blocking(at=wanted.now, wanted=wanted.wanted)
    if forbidden:
        blocked.block(connection, forbidden, why)
    if dialled:
        blocked.set_aside(connection, dialled, why)
    return allowed


def _ruled(connection: Connection, plans: Sequence[Plan], wanted: Beginning) -> Sequence[Plan]:
    """Those whose calls may be made when they are due: attempts may have been made since they were planned, by any campaign.
    The others are set aside."""
    rules = wanted.rules
    if not rules.rows or not plans:
        return plans
    earliest = min(plan.due_at for plan in plans)
    known = histories(connection, rules, ((plan.candidate, plan.campaign) for plan in plans), earliest)
    rulings = [
        (plan, decide(rules, plan.candidate, plan.campaign, known.get(plan.candidate.identity, ()), plan.due_at))
        for plan in plans
    ]
    closed = [(plan.candidate.subscriber_id, ruling) for plan, ruling in rulings if not ruling.is_open]
    held.set_aside(connection, closed, Blocking(at=wanted.now, wanted=wanted.wanted))
    return [plan for plan, ruling in rulings if ruling.is_open]


def _forbidden_otherwise(
    connection: Connection, plans: Sequence[Plan], now: datetime
) -> tuple[dict[str, Block], set[tuple[str, int]]]:
    """The calls whose numbers are forbidden as they are with or without the prefixes of their gateway, and why; and the other
    gateways for which that is so, with the calls."""
    found: dict[str, Block] = {}
    routes: set[tuple[str, int]] = set()
    rewritten = [plan for plan in plans if plan.also or any(route.also for route in plan.routes)]
    for user_id, campaign_id in {(plan.campaign.user_id, plan.campaign.id) for plan in rewritten}:
        some = [plan for plan in rewritten if plan.campaign.id == campaign_id]
        asked = {identity for plan in some for each in (plan.route, *plan.routes) for identity in each.also}
        forbidden = forbidden_forms(connection, asked, campaign_id, user_id, now)
        for plan in some:
            why = block_of(plan.candidate.number, plan.also, forbidden)
            if why is not None:
                found[plan.call_uuid] = why
            routes |= {
                (plan.call_uuid, route.gateway.id) for route in plan.routes if not forbidden.keys().isdisjoint(route.also)
            }
    return found, routes


def _without(plan: Plan, forbidden: Collection[tuple[str, int]]) -> Plan:
    """The plan without the routes on which its number would be a forbidden one."""
    if not forbidden or not plan.routes:
        return plan
    routes = tuple(route for route in plan.routes if (plan.call_uuid, route.gateway.id) not in forbidden)
    return evolve(plan, routes=routes)


def _with_counts(plan: Plan, count_attempt: int, free_retries: int, tally: str) -> Plan:
    counted = evolve(plan.candidate, count_attempt=count_attempt, free_retries=free_retries, tally=tally)
    return plan if counted == plan.candidate else evolve(plan, candidate=counted)


def _insert(connection: Connection, plans: Sequence[Plan], wanted: Beginning) -> list[Attempt]:
    """The attempts, and their subscribers in process. A number that another campaign has begun to call in this very moment
    is left out: no two attempts to it are open."""
    if not plans:
        return []
    planned_at, latest = to_column(wanted.now), to_column(wanted.deadline)
    values: list[Any] = []
    for plan in plans:
        values += (
            plan.call_uuid,
            plan.candidate.campaign_id,
            plan.candidate.subscriber_id,
            plan.gateway.id,
            plan.candidate.number,
            plan.candidate.identity,
            plan.dial_string,
            plan.candidate.count_attempt + 1,
            wanted.owner,
            planned_at,
            to_column(plan.due_at),
            latest,
            plan.shown.number,
            plan.shown.name,
            plan.switch,
            plan.shown.id,
            plan.shown.day,
        )
    ids = dict(connection.execute(statements.insert_attempts(len(plans)), values).fetchall())
    attempts = [
        Attempt(
            id=ids[plan.call_uuid],
            plan=plan,
            number_of_attempt=plan.candidate.count_attempt + 1,
            planned_at=wanted.now,
            deadline=wanted.deadline,
        )
        for plan in plans
        if plan.call_uuid in ids
    ]
    if attempts:
        claimed = [attempt.plan.candidate.subscriber_id for attempt in attempts]
        connection.execute(statements.claim(len(claimed)), claimed)
    return attempts


def _advance(connection: Connection, attempts: Sequence[Attempt]) -> None:
    """The next call of a campaign, or through a gateway with a rate, is due one even space after the last one begun."""
    campaigns: dict[int, datetime] = {}
    gateways: dict[int, datetime] = {}
    for attempt in attempts:
        plan = attempt.plan
        _later(campaigns, plan.campaign.id, plan.due_at + timedelta(seconds=MINUTE / plan.campaign.frequency))
        if plan.gateway.calls_per_second is not None:
            _later(gateways, plan.gateway.id, next_through(plan.gateway, plan.due_at))
    for statement, latest in ((statements.ADVANCE_CAMPAIGN, campaigns), (statements.ADVANCE_GATEWAY, gateways)):
        for key, moment in sorted(latest.items()):
            next_call_at = to_column(moment)
            connection.execute(statement, (next_call_at, key, next_call_at))


def _later(latest: dict[int, datetime], key: int, moment: datetime) -> None:
    latest[key] = max(moment, latest.get(key, moment))
