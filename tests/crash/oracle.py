"""The judge of a run in the crash world: the promises that hold in every harness, by one clock, and those that only this world
can see. The dialer's own words count for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from dialer.model import OwnCause, SubscriberStatus
from dialer.simulator.oracle import CalledSide
from tests.crash.database import AWAY
from tests.crash.scenarios import START, Away, Restart, Slow
from tests.crash.template import number_of
from tests.crash.world import WINDOW, World
from tests.harness.called_side import SeenCall
from tests.harness.campaign import stored_attempts, stored_contacts
from tests.harness.judge import MICROSECONDS, Evidence, judge


def violations(world: World) -> list[str]:
    """Every broken promise of a run that is over, in words; an empty list for a good run."""
    return [
        *_invites(world),
        *_lists(world),
        *_hours(world),
        *_ends(world),
        *_events(world),
        *_statistics(world),
        *_others(world),
        *_complaints(world),
    ]


def _invites(world: World) -> Iterator[str]:
    """Save, then send: the database's word at the moment of each INVITE."""
    for invite in world.oracle.invites:
        if invite.attempt == "none":
            yield f"{invite.call.number} was called before its attempt was durable"
        if invite.attempt == "ended":
            yield f"{invite.call.number} was called after its attempt had been ended"
        rests_until = world.began + world.scenario.rest
        if invite.call.number == number_of(0) and invite.call.invited_at < rests_until:
            yield f"{invite.call.number} was called while it was on a do-not-call list"
        if invite.others_live:
            yield f"{invite.call.number} was called while a call to it was live"


def _lists(world: World) -> Iterator[str]:
    """An attempt that is begun behind the COMMIT of an entry of a do-not-call list is to somebody else."""
    if world.listed_behind is None:
        return
    statement = f"SELECT number, call_uuid FROM attempt WHERE id > {world.listed_behind} ORDER BY id"
    for number, uuid in world.rows(statement):
        if number == world.listed_number:
            yield f"the attempt {uuid} to {number} was begun after the number had been listed"


CLOSED = 60.0
"""Seconds for which calls are forbidden in a scenario that closes."""
ON_THE_WAY = WINDOW + 0.05
"""Seconds after which an originate that was written in time is not executed any more."""


def _hours(world: World) -> Iterator[str]:
    """No call is due, and nobody is called, while the rules forbid it."""
    if not world.scenario.closes:
        return
    closes = START.timestamp()
    for attempt in stored_attempts(world.rows):
        if closes <= attempt.due_at < closes + CLOSED:
            yield f"the attempt {attempt.uuid} to {attempt.number} was due outside the hours"
    for call in world.oracle.calls:
        if closes + ON_THE_WAY <= call.invited_at < closes + CLOSED:
            yield f"{call.number} was called {call.invited_at - closes:.2f} s after the hours were over"


def _ends(world: World) -> Iterator[str]:
    """The campaign comes to its end, and then everything is as it should be."""
    if world.finished_at is None:
        yield f"the campaign has not come to its end: {world.rows('SELECT number, status, ready_at FROM subscriber')}"
    evidence = Evidence(
        rules=world.scenario.rules,
        calls=[_seen(call) for call in world.oracle.calls],
        attempts=stored_attempts(world.rows),
        contacts=[contact for contact in stored_contacts(world.rows) if contact.status != FORBIDDEN],
        expected=len(world.scenario.callees) - world.is_listed_forbidden,
        clock=MICROSECONDS,
        deaths=world.restarts,
    )
    yield from map(str, judge(evidence))


FORBIDDEN = int(SubscriberStatus.NOT_AUTHORISED)


def _seen(call: CalledSide) -> SeenCall:
    died = call.ended_by == "switch" and not call.cause
    times = (call.invited_at, call.rang_at, call.answered_at, call.ended_at)
    return SeenCall(call.call_uuid, call.number, *times, died=died, caller=call.caller)


def _events(world: World) -> Iterator[str]:
    """What happened to an attempt is told exactly once, in its order, and each event of one is handed over. A move that a kill
    or a broken link took along is told by the times of the end alone."""
    for kind, which in _TOLD_BY:
        least = "0" if world.plan.faults and kind in _MOVES else which
        statement = (
            "SELECT a.call_uuid, count(e.id) FROM attempt a LEFT JOIN event e ON e.attempt_id = a.id "
            f"AND e.kind = '{kind}' GROUP BY a.id HAVING count(e.id) NOT BETWEEN ({least}) AND ({which})"
        )
        for uuid, rows in world.rows(statement):
            yield f"attempt {uuid} has {rows} events {kind}"
    contacts = (
        "SELECT s.number, s.status, count(e.id) FROM subscriber s LEFT JOIN event e ON e.contact_id = s.contact_id "
        "AND e.kind = CASE s.status WHEN 5 THEN 'contact.completed' ELSE 'contact.failed' END "
        "WHERE s.status IN (4, 5) GROUP BY s.id HAVING count(e.id) <> 1"
    )
    for number, status, rows in world.rows(contacts):
        yield f"that {number} is done (status {status}) is told by {rows} events"
    blocked = (
        "SELECT s.number, s.status, count(e.id) FROM subscriber s LEFT JOIN event e ON e.contact_id = s.contact_id "
        "AND e.kind = 'contact.blocked' GROUP BY s.id HAVING count(e.id) <> CASE s.status WHEN 7 THEN 1 ELSE 0 END"
    )
    for number, status, rows in world.rows(blocked):
        yield f"that {number} must not be called (status {status}) is told by {rows} events"
    (finished,) = world.rows("SELECT count(*) FROM event WHERE kind = 'campaign.finished'")
    if world.finished_at is not None and finished != (1,):
        yield f"that the campaign has finished is told by {finished[0]} events"
    told = {one.event.id for one in world.delivered}
    sequences: dict[int, int] = {}
    statement = "SELECT id, attempt_id, sequence FROM event WHERE attempt_id IS NOT NULL ORDER BY id"
    for event_id, attempt_id, sequence in world.rows(statement):
        if event_id not in told:
            yield f"event {event_id} was not handed over"
        if sequences.get(attempt_id, 0) >= sequence:
            yield f"event {event_id} of attempt {attempt_id} comes after a later one"
        sequences[attempt_id] = sequence


_TOLD_BY = (
    ("attempt.started", "1"),
    ("attempt.ringing", "a.rang_at IS NOT NULL"),
    ("attempt.answered", "a.answered_at IS NOT NULL"),
    ("attempt.ended", "a.ended_at IS NOT NULL"),
)
"""Kinds of events, and how many of each an attempt has."""

_MOVES = ("attempt.ringing", "attempt.answered")


def _statistics(world: World) -> Iterator[str]:
    """What is counted of attempts is what their rows say, at the end and whenever the dialer was killed."""
    for where, counted, there in [*world.counts, ("at the end", *world.count())]:
        if counted != there:
            yield f"{where}, ended attempts are counted as {counted}, and the rows are {there}"


def _others(world: World) -> Iterator[str]:
    """The calls of a switch that nothing strikes end as their callees want, whatever becomes of another one."""
    faults = world.plan.faults.values()
    if world.scenario.switches == 1 or not all(isinstance(fault, Restart | Slow) for fault in faults):
        return
    struck = {f"switch{fault.which % world.scenario.switches}" for fault in faults if isinstance(fault, Restart | Slow)}
    for uuid, switch, cause in world.rows("SELECT call_uuid, switch, cause FROM attempt"):
        if switch not in struck and cause in _OWN_CAUSES:
            yield f"attempt {uuid} on {switch}, which nothing has struck, ended as {cause}"


_OWN_CAUSES = frozenset({OwnCause.UNKNOWN, OwnCause.LOST_SWITCH, OwnCause.REFUSED, OwnCause.LATE})


def _complaints(world: World) -> Iterator[str]:
    """The product logs an error for what should not happen; that the database is away is for it to say."""
    may_be_away = any(isinstance(fault, Away) for fault in world.plan.faults.values())
    for said in world.complaints.said:
        if not (may_be_away and said.endswith(f": {AWAY}")):
            yield f"logged: {said}"
