"""The judge of a run in the crash world: the promises that hold in every harness, by one clock, and those that only this world
can see. The dialer's own words count for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dialer.simulator.oracle import CalledSide
from tests.crash.database import AWAY
from tests.crash.scenarios import Away
from tests.crash.world import World
from tests.harness.called_side import SeenCall
from tests.harness.campaign import stored_attempts, stored_contacts
from tests.harness.judge import MICROSECONDS, Evidence, judge


def violations(world: World) -> list[str]:
    """Every broken promise of a run that is over, in words; an empty list for a good run."""
    return [*_invites(world), *_ends(world), *_outbox(world), *_complaints(world)]


def _invites(world: World) -> Iterator[str]:
    """Save, then send: the database's word at the moment of each INVITE."""
    for invite in world.oracle.invites:
        if invite.attempt == "none":
            yield f"{invite.call.number} was called before its attempt was durable"
        if invite.attempt == "ended":
            yield f"{invite.call.number} was called after its attempt had been ended"
        if invite.others_live:
            yield f"{invite.call.number} was called while a call to it was live"


def _ends(world: World) -> Iterator[str]:
    """The campaign comes to its end, and then everything is as it should be."""
    if world.finished_at is None:
        yield f"the campaign has not come to its end: {world.rows('SELECT number, status, ready_at FROM subscriber')}"
    evidence = Evidence(
        rules=world.scenario.rules,
        calls=[_seen(call) for call in world.oracle.calls],
        attempts=stored_attempts(world.rows),
        contacts=stored_contacts(world.rows),
        expected=len(world.scenario.callees),
        clock=MICROSECONDS,
    )
    yield from map(str, judge(evidence))


def _seen(call: CalledSide) -> SeenCall:
    died = call.ended_by == "switch" and not call.cause
    return SeenCall(call.call_uuid, call.number, call.invited_at, call.rang_at, call.answered_at, call.ended_at, died=died)


def _outbox(world: World) -> Iterator[str]:
    """Each end is told exactly once by a row, and each row is handed over."""
    statement = (
        "SELECT a.call_uuid, count(o.id) FROM attempt a LEFT JOIN outbox o ON o.attempt_id = a.id "
        "WHERE a.ended_at IS NOT NULL GROUP BY a.id HAVING count(o.id) <> 1"
    )
    for uuid, rows in world.rows(statement):
        yield f"the end of attempt {uuid} has {rows} rows in the outbox"
    told = {delivery.id for delivery in world.delivered}
    for (row_id,) in world.rows("SELECT id FROM outbox"):
        if row_id not in told:
            yield f"row {row_id} of the outbox was not handed over"


def _complaints(world: World) -> Iterator[str]:
    """The product logs an error for what should not happen; that the database is away is for it to say."""
    may_be_away = any(isinstance(fault, Away) for fault in world.plan.faults.values())
    for said in world.complaints.said:
        if not (may_be_away and said.endswith(f": {AWAY}")):
            yield f"logged: {said}"
