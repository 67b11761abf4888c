"""The judge: what the called side saw, against what the dialer promises. The dialer's own words count for nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from dialer.model import OwnCause
from dialer.simulator.oracle import CalledSide
from tests.crash.database import AWAY
from tests.crash.scenarios import INTERVAL, MAX_RETRY, Away
from tests.crash.template import number_of
from tests.crash.world import World


def violations(world: World) -> list[str]:
    """Every broken promise of a run that is over, in words; an empty list for a good run."""
    return [*_rings(world), *_pauses(world), *_ends(world), *_outbox(world), *_lost_switch(world), *_complaints(world)]


def _rings(world: World) -> Iterator[str]:
    """Save, then send; at most one ring per attempt; no contact rung too often, or twice at the same time."""
    for uuid, rings in world.oracle.rings_by_uuid().items():
        if rings > 1:
            yield f"attempt {uuid} rang {rings} times"
    for number, rings in Counter(call.number for call in world.simulator.oracle.calls if call.rang).items():
        if rings > 1 + MAX_RETRY:
            yield f"{number} rang {rings} times, and {1 + MAX_RETRY} are allowed"
    for invite in world.oracle.invites:
        if invite.attempt == "none":
            yield f"{invite.call.number} was called before its attempt was durable"
        if invite.attempt == "ended":
            yield f"{invite.call.number} was called after its attempt had been ended"
        if invite.others_live:
            yield f"{invite.call.number} was called while a call to it was live"


def _pauses(world: World) -> Iterator[str]:
    """A contact that was disturbed is left alone for the campaign's interval."""
    for index in range(len(world.scenario.callees)):
        for before, after in pairwise(world.oracle.by_number(number_of(index))):
            if before.rang and before.ended_at is not None and after.invited_at < before.ended_at + INTERVAL:
                pause = after.invited_at - before.ended_at
                yield f"{after.number} was called again {pause:.1f} s after it had rung, not {INTERVAL}"


def _ends(world: World) -> Iterator[str]:
    """Nobody is lost: every attempt and every contact has an end, and the counts agree."""
    if world.finished_at is None:
        yield f"the campaign has not come to its end: {world.rows('SELECT number, status, ready_at FROM subscriber')}"
        return
    for number, state in world.rows("SELECT number, state FROM attempt WHERE ended_at IS NULL"):
        yield f"the attempt to {number} is still {state}"
    miscounted = (
        "SELECT s.number, s.count_attempt, count(a.id) FROM subscriber s LEFT JOIN attempt a "
        "ON a.subscriber_id = s.id AND a.counts = 1 GROUP BY s.id HAVING count(a.id) <> s.count_attempt"
    )
    for number, count, attempts in world.rows(miscounted):
        yield f"{number} has {count} attempts in its count and {attempts} in the table"
    answered = {call.number for call in world.oracle.answered_calls()}
    for (number,) in world.rows("SELECT number FROM subscriber WHERE status = 5"):
        if number not in answered:
            yield f"{number} counts as reached, and nobody answered"
    for call in world.oracle.calls:
        if call.ended_at is None:
            yield f"the call to {call.number} is still up"


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


def _lost_switch(world: World) -> Iterator[str]:
    """A call that died with its FreeSWITCH is known to have: the campaign's policy for unknown ends is not for it."""
    causes = {uuid: (cause, core) for uuid, cause, core in world.rows("SELECT call_uuid, cause, core_uuid FROM attempt")}
    for call in world.oracle.calls:
        cause, core = causes.get(call.call_uuid, ("", ""))
        if _died_with_the_switch(call) and core and cause != OwnCause.LOST_SWITCH:
            yield f"the call to {call.number} died with the switch {core}, and ended as {cause}"


def _died_with_the_switch(call: CalledSide) -> bool:
    return call.ended_by == "switch" and not call.cause


def _complaints(world: World) -> Iterator[str]:
    """The product logs an error for what should not happen; that the database is away is for it to say."""
    may_be_away = any(isinstance(fault, Away) for fault in world.plan.faults.values())
    for said in world.complaints.said:
        if not (may_be_away and said.endswith(f": {AWAY}")):
            yield f"logged: {said}"
